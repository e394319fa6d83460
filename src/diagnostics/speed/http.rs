//! Requests, and where a response ends: the part of HTTP/1.1 that a speed test needs, without IO. The bytes of a body are counted and dropped.

use crate::acs::Url;

/// The longest head of a response, in bytes.
pub const LONGEST_HEAD: usize = 16 << 10;
/// The most headers.
const MOST_HEADERS: usize = 64;
/// How many interim responses (1xx) may come first.
const MOST_INTERIM: u8 = 8;
/// The longest line between chunks, and the longest trailer, in bytes.
const LONGEST_ASIDE: u32 = 4096;

/// The head of a GET of a URL. The connection is a persistent one, and there is no authentication (TR-181 2.17 DownloadURL).
#[must_use]
pub fn get(url: &Url) -> Vec<u8> {
    request("GET", url, "")
}

/// The head of a PUT to a URL: of a body of this many bytes, or, where nobody knows, of one in chunks.
#[must_use]
pub fn put(url: &Url, length: Option<u64>) -> Vec<u8> {
    let body = match length {
        Some(length) => format!("Content-Length: {length}\r\n"),
        None => String::from("Transfer-Encoding: chunked\r\n"),
    };
    request("PUT", url, &format!("Content-Type: application/octet-stream\r\n{body}"))
}

fn request(method: &str, url: &Url, headers: &str) -> Vec<u8> {
    let (target, host) = (&url.target, url.authority());
    let agent = concat!("cwmpd/", env!("CARGO_PKG_VERSION"));
    format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {agent}\r\nAccept: */*\r\n{headers}\r\n")
        .into_bytes()
}

/// What comes back is no HTTP/1.1, or passes its limits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BadResponse;

/// A response as it comes in.
#[derive(Debug)]
pub struct Response {
    place: Place,
    head: Vec<u8>,
    status: Option<u16>,
    interim: u8,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    Head,
    /// In a body with this much left.
    Body(u64),
    /// In a body that ends with the connection.
    UntilClosed,
    /// In the line with the size of a chunk: what it says so far, the bytes of the line, and whether its digits are over.
    Size {
        size: u64,
        length: u32,
        over: bool,
    },
    /// In a chunk with this much left.
    Chunk(u64),
    /// In the line end after a chunk.
    ChunkEnd,
    /// In the trailer: the bytes of the line, without its end, and those of all lines.
    Trailer {
        line: u32,
        all: u32,
    },
    Over,
}

impl Default for Response {
    fn default() -> Self {
        Self { place: Place::Head, head: Vec::new(), status: None, interim: 0 }
    }
}

impl Response {
    /// The status, once the head is complete; never an interim one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.status
    }

    /// Whether all of it was there.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.place, Place::Over)
    }

    /// Whether its head told how long the body is, so that a body which ends with the connection may be too short.
    #[must_use]
    pub fn has_length(&self) -> bool {
        matches!(
            self.place,
            Place::Body(_) | Place::Size { .. } | Place::Chunk(_) | Place::ChunkEnd | Place::Trailer { .. }
        )
    }

    /// The peer has closed the connection; says whether the response was complete.
    pub fn closed(&mut self) -> bool {
        if matches!(self.place, Place::UntilClosed) {
            self.place = Place::Over;
        }
        self.is_over()
    }

    /// Takes the next bytes, up to the end of the response at most, and says how many of them belong to it.
    ///
    /// # Errors
    /// When this is no HTTP/1.1, or its head is longer than [`LONGEST_HEAD`].
    pub fn take(&mut self, bytes: &[u8]) -> Result<usize, BadResponse> {
        let mut rest = bytes;
        while !rest.is_empty() && !self.is_over() {
            rest = match self.place {
                Place::Body(left) => {
                    self.skip(rest, left, |left| if left == 0 { Place::Over } else { Place::Body(left) })
                }
                Place::Chunk(left) => {
                    self.skip(rest, left, |left| if left == 0 { Place::ChunkEnd } else { Place::Chunk(left) })
                }
                Place::UntilClosed => &[],
                _ => {
                    let Some((byte, after)) = rest.split_first() else { break };
                    self.byte(*byte)?;
                    after
                }
            };
        }
        Ok(bytes.len().saturating_sub(rest.len()))
    }

    /// Takes up to `left` bytes of a body, and goes where `then` says with what is left of it.
    fn skip<'a>(&mut self, bytes: &'a [u8], left: u64, then: fn(u64) -> Place) -> &'a [u8] {
        let taken = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
        self.place = then(left.saturating_sub(taken as u64));
        bytes.get(taken..).unwrap_or_default()
    }

    /// Takes a byte outside a body.
    fn byte(&mut self, byte: u8) -> Result<(), BadResponse> {
        self.place = match self.place {
            Place::Head => {
                if self.head.len() >= LONGEST_HEAD {
                    return Err(BadResponse);
                }
                self.head.push(byte);
                if !(self.head.ends_with(b"\n\r\n") || self.head.ends_with(b"\n\n")) {
                    return Ok(());
                }
                self.head_is_complete()?
            }
            Place::Size { length, .. } if length >= LONGEST_ASIDE => return Err(BadResponse),
            // A size must be there, even where it is nothing.
            Place::Size { length: 0, .. } if !byte.is_ascii_hexdigit() => return Err(BadResponse),
            Place::Size { size: 0, .. } if byte == b'\n' => Place::Trailer { line: 0, all: 0 },
            Place::Size { size, .. } if byte == b'\n' => Place::Chunk(size),
            Place::Size { size, length, over } => match char::from(byte).to_digit(16) {
                Some(digit) if !over => {
                    let size = size.checked_mul(16).and_then(|size| size.checked_add(digit.into()));
                    Place::Size { size: size.ok_or(BadResponse)?, length: length.saturating_add(1), over }
                }
                _ => Place::Size { size, length: length.saturating_add(1), over: true },
            },
            Place::ChunkEnd => match byte {
                b'\r' => Place::ChunkEnd,
                b'\n' => Place::Size { size: 0, length: 0, over: false },
                _ => return Err(BadResponse),
            },
            Place::Trailer { all, .. } if all >= LONGEST_ASIDE => return Err(BadResponse),
            Place::Trailer { line: 0, .. } if byte == b'\n' => Place::Over,
            Place::Trailer { line, all } => {
                let line = match byte {
                    b'\r' => line,
                    b'\n' => 0,
                    _ => line.saturating_add(1),
                };
                Place::Trailer { line, all: all.saturating_add(1) }
            }
            place @ (Place::Body(_) | Place::Chunk(_) | Place::UntilClosed | Place::Over) => place,
        };
        Ok(())
    }

    /// Reads the head, and says where the body begins and how it ends (RFC 9112 6.3).
    fn head_is_complete(&mut self) -> Result<Place, BadResponse> {
        let head = std::mem::take(&mut self.head);
        let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
        let mut response = httparse::Response::new(&mut headers);
        let status = match response.parse(&head) {
            Ok(httparse::Status::Complete(_)) => response.code.ok_or(BadResponse)?,
            _ => return Err(BadResponse),
        };
        if (100..200).contains(&status) {
            self.interim = self.interim.saturating_add(1);
            let welcome = status != 101 && self.interim <= MOST_INTERIM;
            return if welcome { Ok(Place::Head) } else { Err(BadResponse) };
        }
        self.status = Some(status);
        let mut length = None;
        let mut coded = None;
        for header in response.headers.iter() {
            // What others say is of no use here, and may be in any encoding.
            let value = || std::str::from_utf8(header.value).map(str::trim).map_err(|_| BadResponse);
            if header.name.eq_ignore_ascii_case("content-length") {
                let value = value()?;
                let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
                let number: u64 = value.parse().ok().filter(|_| digits).ok_or(BadResponse)?;
                if length.replace(number).is_some_and(|other| other != number) {
                    return Err(BadResponse);
                }
            } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
                let last = value()?.rsplit(',').next().unwrap_or_default().trim();
                coded = Some(last.eq_ignore_ascii_case("chunked"));
            }
        }
        Ok(match (status, coded, length) {
            (204 | 304, _, _) => Place::Over,
            (_, Some(true), _) => Place::Size { size: 0, length: 0, over: false },
            (_, Some(false), _) | (_, None, None) => Place::UntilClosed,
            (_, None, Some(0)) => Place::Over,
            (_, None, Some(length)) => Place::Body(length),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    /// Feeds it in pieces of this size; gives what belonged to it, and the response.
    fn feed(bytes: &[u8], piece: usize) -> Result<(usize, Response), BadResponse> {
        let mut response = Response::default();
        let mut taken = 0;
        for bytes in bytes.chunks(piece) {
            taken += response.take(bytes)?;
        }
        Ok((taken, response))
    }

    #[test]
    fn requests_are_plain_http_on_a_persistent_connection() {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let head = text(get(&url("http://test.example:8080/big.bin?x=1")));
        assert!(head.starts_with("GET /big.bin?x=1 HTTP/1.1\r\nHost: test.example:8080\r\n"), "{head}");
        assert!(head.ends_with("\r\n\r\n") && !head.contains("Connection") && !head.contains("Authorization"));
        assert!(text(put(&url("http://a/"), Some(5))).contains("\r\nContent-Length: 5\r\n"));
        assert!(text(put(&url("http://a/"), None)).contains("\r\nTransfer-Encoding: chunked\r\n"));
    }

    #[test]
    fn a_response_ends_where_its_head_says() {
        for (own, rest) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", "de"),
            ("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n", "x"),
            ("HTTP/1.1 204 No Content\r\n\r\n", "x"),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0a\r\n0123456789\r\n0\r\nA: b\r\n\r\n",
                "rest",
            ),
            ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\nContent-Length: 1\n\na", "b"),
        ] {
            let bytes = [own, rest].concat();
            for piece in [1, 2, 7, 1000] {
                let (taken, response) = feed(bytes.as_bytes(), piece).unwrap();
                assert!(response.is_over(), "{bytes}");
                assert_eq!(taken, own.len(), "{bytes}");
            }
        }
    }

    #[test]
    fn a_body_without_a_length_ends_with_the_connection() {
        let (taken, mut response) = feed(b"HTTP/1.0 200 OK\r\n\r\nabc", 4).unwrap();
        assert_eq!((taken, response.status(), response.is_over()), (22, Some(200), false));
        assert!(!response.has_length() && response.closed());
        let (_, mut short) = feed(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", 4).unwrap();
        assert!(short.has_length() && !short.closed());
    }

    #[test]
    fn headers_that_do_not_matter_may_be_in_any_encoding() {
        let (_, response) = feed(b"HTTP/1.1 200 OK\r\nServer: caf\xe9\r\nContent-Length: 1\r\n\r\na", 4).unwrap();
        assert!(response.is_over());
    }

    #[test]
    fn what_is_no_http_is_refused() {
        for bytes in [
            "220 ftp ready\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
            "HTTP/1.1 101 Switching Protocols\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab",
        ] {
            assert_eq!(feed(bytes.as_bytes(), 5).err(), Some(BadResponse), "{bytes}");
        }
        let endless = format!("HTTP/1.1 200 OK\r\n{}", "A: b\r\n".repeat(LONGEST_HEAD));
        assert_eq!(feed(endless.as_bytes(), 4096).err(), Some(BadResponse));
        let interim = "HTTP/1.1 102 Processing\r\n\r\n".repeat(9);
        assert_eq!(feed(interim.as_bytes(), 4096).err(), Some(BadResponse));
    }

    proptest! {
        #[test]
        fn no_bytes_panic_and_a_split_makes_no_difference(
            head in "(HTTP/1.1 200 OK\r\n(Content-Length: [0-9]{1,3}\r\n|Transfer-Encoding: chunked\r\n)?\r\n)?",
            body: Vec<u8>,
            piece in 1usize..40,
        ) {
            let bytes = [head.as_bytes(), &body].concat();
            let whole = feed(&bytes, bytes.len().max(1)).map(|(taken, response)| (taken, response.status()));
            let pieces = feed(&bytes, piece).map(|(taken, response)| (taken, response.status()));
            prop_assert_eq!(whole, pieces);
        }
    }
}
