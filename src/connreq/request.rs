//! The head of an HTTP request, as far as a connection request needs it. Free of IO, and everything has a limit (SECURITY S1).

use std::fmt;

/// The longest request line or header line, in bytes without its end.
pub const MAX_LINE: usize = 4096;
/// The longest head, in bytes with everything.
pub const MAX_HEAD: usize = 8192;
/// The most header lines.
pub const MAX_HEADERS: usize = 32;
/// The longest body that is skipped to reach the next request; after a longer one the connection ends.
pub const MAX_BODY: usize = 8192;

/// Finds the end of a head as its bytes come in, and looks at each byte once.
#[derive(Default)]
pub struct Scanner {
    seen: usize,
    line_start: usize,
    /// Whether there was a line that is not empty: empty ones before the request line are skipped (RFC 9112 2.2).
    begun: bool,
}

/// How far a head has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scan {
    /// More bytes are needed.
    Partial,
    /// The head has this many bytes.
    Complete(usize),
    /// This cannot become a head.
    Broken(Malformed),
}

/// Why a head cannot be used. The text carries nothing of the request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Malformed(&'static str);

/// A head that was understood.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Head<'a> {
    /// The method, in the case that it was sent in.
    pub method: &'a str,
    /// The request-target: origin form, absolute form or anything else.
    pub target: &'a str,
    /// The first Host header; for most requests a host and a port.
    pub host: Option<&'a str>,
    /// What the Authorization headers hold.
    pub credentials: Credentials<'a>,
    /// Bytes of body to skip until the next request begins; `None` where there can be no next request on this connection.
    pub next: Option<usize>,
}

/// The Authorization headers of a request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Credentials<'a> {
    /// There is none.
    Absent,
    /// The value of the only one.
    Header(&'a str),
    /// More than one, or one that is not text.
    Unusable,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Malformed {}

/// The value is left out: with it a password can be guessed.
impl fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Absent => "Absent",
            Self::Header(_) => "Header",
            Self::Unusable => "Unusable",
        })
    }
}

impl Scanner {
    /// Looks at what `received` has more than the last time. It always begins at the same byte, the first after the last request.
    pub fn scan(&mut self, received: &[u8]) -> Scan {
        for (at, &byte) in received.iter().enumerate().skip(self.seen) {
            let line = received.get(self.line_start..at).unwrap_or_default();
            if at >= MAX_HEAD || line.len() > MAX_LINE {
                return Scan::Broken(Malformed("the head is too large"));
            }
            match byte {
                b'\n' => {
                    let empty = matches!(line, b"" | b"\r");
                    if empty && self.begun {
                        return Scan::Complete(at + 1);
                    }
                    self.begun |= !empty;
                    self.line_start = at + 1;
                }
                b'\t' | b'\r' | b' '..=b'~' | 0x80.. => {}
                _ => return Scan::Broken(Malformed("this is not HTTP")),
            }
        }
        self.seen = received.len();
        Scan::Partial
    }
}

impl<'a> Head<'a> {
    /// Reads a whole head, up to and with the empty line at its end.
    ///
    /// # Errors
    /// When it is not the head of an HTTP/1.0 or 1.1 request within the limits, or does not say clearly where its body ends.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut request = httparse::Request::new(&mut headers);
        match request.parse(bytes) {
            Ok(httparse::Status::Complete(length)) if length == bytes.len() => {}
            Err(httparse::Error::TooManyHeaders) => return Err(Malformed("there are too many headers")),
            _ => return Err(Malformed("this is not a head of HTTP/1.0 or 1.1")),
        }
        let (Some(method), Some(target), Some(version)) = (request.method, request.path, request.version) else {
            return Err(Malformed("the request line is not complete"));
        };
        let mut head =
            Self { method, target, host: None, credentials: Credentials::Absent, next: (version == 1).then_some(0) };
        let mut body = None;
        for header in request.headers.iter() {
            let text = std::str::from_utf8(header.value).ok().map(str::trim);
            let is = |name: &str| header.name.eq_ignore_ascii_case(name);
            if is("Host") {
                head.host = head.host.or(text);
            } else if is("Authorization") {
                head.credentials = match (head.credentials, text) {
                    (Credentials::Absent, Some(text)) => Credentials::Header(text),
                    _ => Credentials::Unusable,
                };
            } else if is("Content-Length") {
                let length = text.and_then(length).ok_or(Malformed("Content-Length is not a number"))?;
                if body.replace(length).is_some_and(|other| other != length) {
                    return Err(Malformed("Content-Length is there twice"));
                }
            } else if is("Transfer-Encoding") || is("Expect") || is("Upgrade") {
                // Where the next request would begin depends on what the sender makes of the answer.
                head.next = None;
            } else if is("Connection") && text.is_none_or(|text| has_token(text, "close")) {
                head.next = None;
            }
        }
        let body = body.unwrap_or(0);
        head.next = head.next.and(usize::try_from(body).ok().filter(|&body| body <= MAX_BODY));
        Ok(head)
    }

    /// The path of the request-target in origin or absolute form, without its query (CONFORMANCE C-11).
    #[must_use]
    pub fn path(&self) -> &'a str {
        let (_, origin) = split_origin(self.target);
        origin.split_once('?').map_or(origin, |(path, _)| path)
    }

    /// Whether the `uri` of a digest names this request: as its request-target, in absolute or origin form, or as `/`, which some ACSs send
    /// whatever they ask for (CONFORMANCE C-18).
    #[must_use]
    pub fn is_named_by(&self, uri: &str) -> bool {
        let (asked_of, asked) = split_origin(self.target);
        let (named_host, named) = split_origin(uri);
        let host = asked_of.or(self.host);
        let same_host = match (named_host, host) {
            (Some(named), Some(host)) => without_default_port(named).eq_ignore_ascii_case(without_default_port(host)),
            _ => true,
        };
        uri == "/" || uri == self.target || (same_host && named.starts_with('/') && named == asked)
    }
}

/// The authority of an absolute form, and the origin form that remains.
fn split_origin(target: &str) -> (Option<&str>, &str) {
    let Some((scheme, rest)) = target.split_at_checked("http://".len()) else { return (None, target) };
    if !scheme.eq_ignore_ascii_case("http://") {
        return (None, target);
    }
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    match rest.split_at_checked(end) {
        Some((authority, "")) => (Some(authority), "/"),
        Some((authority, origin)) => (Some(authority), origin),
        None => (None, target),
    }
}

fn without_default_port(authority: &str) -> &str {
    authority.strip_suffix(":80").unwrap_or(authority)
}

/// Content-Length: digits and nothing else (RFC 9110 8.6).
fn length(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

fn has_token(list: &str, token: &str) -> bool {
    list.split(',').any(|item| item.trim().eq_ignore_ascii_case(token))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Head<'_>, Malformed> {
        assert_eq!(Scanner::default().scan(text.as_bytes()), Scan::Complete(text.len()), "{text}");
        Head::parse(text.as_bytes())
    }

    fn scan(bytes: &[u8]) -> Scan {
        Scanner::default().scan(bytes)
    }

    #[test]
    fn finds_the_end_of_a_head_at_whatever_byte_it_is_split() {
        let text = b"\r\nGET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /b";
        let head = text.len() - 6;
        for split in 0..text.len() {
            let mut scanner = Scanner::default();
            match scanner.scan(&text[..split]) {
                Scan::Partial => {
                    assert!(split < head);
                    assert_eq!(scanner.scan(text), Scan::Complete(head));
                }
                other => assert_eq!((other, split >= head), (Scan::Complete(head), true)),
            }
        }
        assert_eq!(scan(b"GET / HTTP/1.1\n\n"), Scan::Complete(16));
    }

    #[test]
    fn s1_lines_and_heads_have_a_limit_before_they_end() {
        let line = [b'a'; MAX_LINE + 2];
        assert_eq!(scan(&line[..MAX_LINE]), Scan::Partial);
        assert!(matches!(scan(&line), Scan::Broken(_)));
        let lines = b"a: b\r\n".repeat(MAX_HEAD / 6 + 1);
        assert!(matches!(scan(&lines), Scan::Broken(_)));
        assert!(matches!(scan(&b"\r\n".repeat(MAX_HEAD)), Scan::Broken(_)), "empty lines count as well");
        assert!(matches!(scan(b"\x16\x03\x01"), Scan::Broken(_)), "TLS is told apart at its first byte");
    }

    #[test]
    fn s1_the_number_of_headers_has_a_limit() {
        let head = |count: usize| format!("GET / HTTP/1.1\r\n{}\r\n", "Cookie: C107373883=/x\r\n".repeat(count));
        assert!(parse(&head(MAX_HEADERS)).is_ok());
        assert!(parse(&head(MAX_HEADERS + 1)).is_err());
    }

    #[test]
    fn s1_what_is_not_http_is_refused() {
        for bad in [
            "GET\r\n\r\n",
            "GET /\r\n\r\n",
            "GET / HTTP/2.0\r\n\r\n",
            "GET / HTTP/1.1 \r\n\r\n",
            "GET / HTTP/1.1\r\nno colon\r\n\r\n",
            "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
            "GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
            "GET / HTTP/1.1\r\nContent-Length: +1\r\n\r\n",
            "GET / HTTP/1.1\r\nContent-Length:\r\n\r\n",
            "GET / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
            "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn c11_a_body_is_skipped_only_where_its_end_is_certain() {
        for (head, next) in [
            ("HTTP/1.1\r\n", Some(0)),
            ("HTTP/1.1\r\nContent-Length: 12\r\ncontent-length: 12\r\n", Some(12)),
            ("HTTP/1.1\r\nContent-Length: 8193\r\n", None),
            ("HTTP/1.1\r\nTransfer-Encoding: chunked\r\n", None),
            ("HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\n", None),
            ("HTTP/1.1\r\nConnection: te, Close\r\n", None),
            ("HTTP/1.1\r\nConnection: keep-alive\r\n", Some(0)),
            ("HTTP/1.0\r\nConnection: keep-alive\r\n", None),
        ] {
            assert_eq!(parse(&format!("GET / {head}\r\n")).map(|head| head.next), Ok(next), "{head}");
        }
    }

    #[test]
    fn s8_two_authorizations_or_one_that_is_no_text_are_unusable() {
        let credentials = |headers: &[u8]| {
            let bytes = [b"GET / HTTP/1.1\r\n", headers, b"\r\n"].concat();
            format!("{:?}", Head::parse(&bytes).map(|head| head.credentials))
        };
        assert_eq!(credentials(b""), "Ok(Absent)");
        assert_eq!(credentials(b"authorization:\r\n"), "Ok(Header)");
        assert_eq!(credentials(b"Authorization: \xff\r\n"), "Ok(Unusable)");
        assert_eq!(credentials(b"Authorization: a\r\nAuthorization: a\r\n"), "Ok(Unusable)");
    }

    #[test]
    fn c11_the_query_is_no_part_of_the_path() {
        for (target, path) in [
            ("/cr", "/cr"),
            ("/cr?next=%2F", "/cr"),
            ("http://192.0.2.1:7547/cr?x", "/cr"),
            ("HTTP://host", "/"),
            ("http://host?x", ""),
            ("*", "*"),
        ] {
            assert_eq!(parse(&format!("GET {target} HTTP/1.1\r\n\r\n")).unwrap().path(), path);
        }
    }

    #[test]
    fn c18_the_uri_names_the_target_or_its_absolute_form_or_the_root() {
        let named = |target: &str, host: &str, uri: &str| {
            parse(&format!("GET {target} HTTP/1.1\r\n{host}\r\n")).unwrap().is_named_by(uri)
        };
        let host = "Host: cpe.example:7547\r\n";
        for uri in ["/cr?a=b", "/", "http://cpe.example:7547/cr?a=b", "http://CPE.example:7547/cr?a=b"] {
            assert!(named("/cr?a=b", host, uri), "{uri}");
            assert!(named("http://cpe.example:7547/cr?a=b", "", uri), "{uri}");
        }
        for uri in [
            "",
            "*",
            "/cr",
            "/cr?a=c",
            "/cr?a=b#",
            "//",
            "/CR?a=b",
            "cr?a=b",
            "?a=b",
            "http://cpe.example:7547/",
            "http://other.example:7547/cr?a=b",
            "http://cpe.example/cr?a=b",
            "https://cpe.example:7547/cr?a=b",
            "http://",
        ] {
            assert!(!named("/cr?a=b", host, uri), "{uri}");
        }
        assert!(named("/cr", "Host: cpe.example\r\n", "http://cpe.example:80/cr"));
        assert!(named("/cr", "", "http://cpe.example/cr"), "HTTP/1.0 names no host to compare with");
    }
}
