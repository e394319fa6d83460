//! Where a report goes, and the date that it carries.

use std::fmt::Write as _;

use crate::time::UtcTime;

/// The URL of a collector with these pairs at the end of its query, percent-encoded (RFC 3986 2.1). A fragment is no part of a request.
#[must_use]
pub fn with_query(url: &str, pairs: &[(&str, &str)]) -> String {
    let mut text = String::from(url.split('#').next().unwrap_or_default());
    for (name, value) in pairs {
        let separator = match text.split_once('?') {
            None => "?",
            Some((_, query)) if query.is_empty() || query.ends_with('&') => "",
            Some(_) => "&",
        };
        text.push_str(separator);
        encode(name, &mut text);
        text.push('=');
        encode(value, &mut text);
    }
    text
}

fn encode(part: &str, text: &mut String) {
    for byte in part.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => text.push(byte.into()),
            _ => {
                let _ = write!(text, "%{byte:02X}");
            }
        }
    }
}

/// A date as HTTP has it (RFC 9110 5.6.7), such as `Sun, 06 Nov 1994 08:49:37 GMT`.
#[must_use]
pub fn http_date(time: UtcTime) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let text = time.whole_seconds().to_string();
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    let name = |names: &'static [&'static str], index: Option<usize>| {
        index.and_then(|index| names.get(index).copied()).unwrap_or_default()
    };
    let day = usize::try_from(time.seconds().div_euclid(86_400).rem_euclid(7)).ok();
    let month = part(5, 7).parse().ok().and_then(|month: usize| month.checked_sub(1));
    let (day, month) = (name(&DAYS, day), name(&MONTHS, month));
    format!("{day}, {} {month} {} {} GMT", part(8, 10), part(0, 4), part(11, 19))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_go_to_the_end_of_the_query() {
        let pairs = [("oui", "00256D"), ("pc", "Z 3/\u{e9}"), ("sn", "Y&=?")];
        let query = "oui=00256D&pc=Z%203%2F%C3%A9&sn=Y%26%3D%3F";
        for (url, separator) in
            [("http://a/b", "?"), ("http://a", "?"), ("http://a/?", ""), ("http://a/?x=1", "&"), ("http://a/?x&", "")]
        {
            assert_eq!(with_query(url, &pairs), format!("{url}{separator}{query}"));
        }
        assert_eq!(with_query("http://a/#top", &pairs[..1]), "http://a/?oui=00256D");
        assert_eq!(with_query("http://a/", &[]), "http://a/");
    }

    #[test]
    fn dates_are_those_of_http() {
        let date = |text: &str| http_date(UtcTime::parse(text).unwrap());
        assert_eq!(date("1994-11-06T08:49:37Z"), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(date("1970-01-01T00:00:00Z"), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(date("1969-12-31T23:59:59.5Z"), "Wed, 31 Dec 1969 23:59:59 GMT");
        assert_eq!(date("2024-02-29T12:00:00Z"), "Thu, 29 Feb 2024 12:00:00 GMT");
    }
}
