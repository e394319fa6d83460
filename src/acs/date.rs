//! Dates in HTTP headers: `Date`, `Retry-After` and the `Expires` of cookies, read as tolerantly as RFC 6265 5.1.1 does.

/// Seconds since 1970-01-01T00:00:00Z, or `None` where the text is no date or one before 1970.
pub(super) fn parse(text: &str) -> Option<u64> {
    let (mut time, mut day, mut month, mut year) = (None, None, None, None);
    let delimiter = |character: char| !(character.is_ascii_alphanumeric() || character == ':' || !character.is_ascii());
    for token in text.split(delimiter).filter(|token| !token.is_empty()) {
        if time.is_none() && token.contains(':') {
            time = Some(time_of_day(token)?);
        } else if day.is_none() && digits(token, 1..=2).is_some() {
            day = digits(token, 1..=2);
        } else if month.is_none() && month_number(token).is_some() {
            month = month_number(token);
        } else if year.is_none() {
            year = digits(token, 4..=4).or_else(|| match digits(token, 2..=2)? {
                short @ 70.. => Some(short + 1900),
                short => Some(short + 2000),
            });
        }
    }
    let (day, month, year) = (day?, month?, year?);
    if !(1..=31).contains(&day) || year < 1970 {
        return None;
    }
    days_since_1970(year, month, day).checked_mul(86_400)?.checked_add(time?)
}

fn digits(token: &str, length: std::ops::RangeInclusive<usize>) -> Option<u64> {
    if !length.contains(&token.len()) || !token.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    token.parse().ok()
}

fn time_of_day(token: &str) -> Option<u64> {
    let mut parts = token.split(':').map(|part| digits(part, 1..=2));
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
    (parts.next().is_none() && hour < 24 && minute < 60 && second < 61).then_some(hour * 3600 + minute * 60 + second)
}

fn month_number(token: &str) -> Option<u64> {
    let start = token.get(..3)?.to_ascii_lowercase();
    let names = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    (1..).zip(names).find(|(_, name)| *name == start).map(|(number, _)| number)
}

/// Days from 1970-01-01 to a day of the Gregorian calendar, counted in years that begin in March so that the leap day is their last.
fn days_since_1970(year: u64, month: u64, day: u64) -> u64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year / 4 - year / 100 + year / 400;
    (year * 365 + leap_days + (month * 153 + 2) / 5 + day - 1) - 719_468
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn reads_all_three_forms_of_rfc_9110() {
        for text in ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"] {
            assert_eq!(parse(text), Some(784_111_777), "{text}");
        }
        assert_eq!(parse("Thu, 01-Jan-1970 00:00:00 GMT"), Some(0));
        assert_eq!(parse("Thu, 29 Feb 2024 23:59:60 GMT"), Some(1_709_251_200));
        assert_eq!(parse("Fri, 31 Dec 9999 23:59:59 GMT"), Some(253_402_300_799));
    }

    #[test]
    fn other_texts_are_no_dates() {
        for text in [
            "",
            "120",
            "Sun, 32 Nov 1994 08:49:37 GMT",
            "06 Nov 1994",
            "06 Nov 1969 00:00:00",
            "Nov 1994 08:49:37",
            "06 Nov 1994 24:00:00",
            "06 Nov 1994 1:2",
            "é:é:é 06 Nov 1994",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
