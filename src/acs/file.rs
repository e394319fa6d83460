//! Files over HTTP: GET of a whole file or of its rest, and PUT (TR-069a6 A.3.2.8, A.4.1.5; CONFORMANCE F-16, F-17, F-25).

use super::cancel::Cancel;
use super::checksum::Checksum;
use super::error::PostError;
use super::settings::Settings;
use super::talk::{Ask, Body, Method, Talk, texts};
use super::tls::TlsSessions;
use std::io::Read;
use ureq::BodyReader;
use ureq::http::HeaderMap;

/// The longest text that is kept to ask for the rest of the same file, in bytes.
const LONGEST_VALIDATOR: usize = 256;

/// The HTTP client of one transfer. Credentials are only used when the server asks for them.
pub struct FileClient(Talk);

/// The answer to a GET: its head, and its body to be read. A redirect that can be followed and a challenge never come out.
pub struct Incoming<'a> {
    talk: &'a Talk,
    /// The status.
    pub status: u16,
    /// How many bytes the body has, where the server says so.
    pub length: Option<u64>,
    /// With status 206 which part of the file the body is: its first byte, and the length of the whole where that is known.
    pub part: Option<(u64, Option<u64>)>,
    /// What tells this file from another one at the same URL (RFC 9110 8.8): a strong ETag, or the time of the last change. `None` also where
    /// the server says that it does not give out parts.
    pub validator: Option<String>,
    /// What the whole file adds up to, where the server says so.
    pub checksum: Option<Checksum>,
    /// Whether the body ends with the connection, so that a cut looks like an end.
    pub open_end: bool,
    body: BodyReader<'static>,
}

impl FileClient {
    /// Gets ready for the URL of these settings; connects with the first request.
    ///
    /// # Errors
    /// When the URL cannot be used.
    pub fn new(settings: &Settings, sessions: &TlsSessions, cancel: &Cancel) -> Result<Self, PostError> {
        Talk::new(settings, sessions, cancel, None).map(Self).map_err(PostError::of_file_server)
    }

    /// Asks for the file, or with `rest` for what comes after so many bytes, provided that it is still the file with this validator.
    /// There is no limit to what comes and how long it takes, except that each wait has the timeout of the settings.
    ///
    /// # Errors
    /// When there is no answer, or none that helps.
    pub fn get(&mut self, rest: Option<(u64, &str)>) -> Result<Incoming<'_>, PostError> {
        let range = rest.map(|(offset, validator)| (format!("bytes={offset}-"), validator));
        let mut headers = vec![("Accept-Encoding", "identity")];
        if let Some((range, validator)) = &range {
            headers.extend([("Range", range.as_str()), ("If-Range", *validator)]);
        }
        let ask = Ask { method: Method::Get, headers: &headers, body: None };
        let response = self.0.ask(ask).map_err(PostError::of_file_server)?;
        let status = response.status().as_u16();
        let head = response.headers();
        let chunked = head.contains_key("transfer-encoding");
        let length =
            texts(head, "content-length").next().filter(|_| !chunked).and_then(|text| text.trim().parse().ok());
        let part = texts(head, "content-range").next().filter(|_| status == 206).and_then(parse_range);
        let validator = validator(head);
        let checksum = Checksum::of(head, status == 206);
        let open_end = length.is_none() && !chunked;
        let body = response.into_body().into_reader();
        Ok(Incoming { talk: &self.0, status, length, part, validator, checksum, open_end, body })
    }

    /// Sends a body with these headers, with PUT or POST, and returns the status of the answer.
    ///
    /// # Errors
    /// When there is no answer, or none that helps; or the body cannot be read.
    #[cfg(feature = "bulk-data")]
    pub fn send(&mut self, put: bool, headers: &[(&'static str, &str)], body: &mut dyn Body) -> Result<u16, PostError> {
        let method = if put { Method::Put } else { Method::Post };
        let ask = Ask { method, headers, body: Some(body) };
        self.0.ask(ask).map(|response| response.status().as_u16()).map_err(PostError::of_file_server)
    }

    /// Sends a file, and returns the status of the answer.
    ///
    /// # Errors
    /// When there is no answer, or none that helps; or the file cannot be read.
    pub fn put(&mut self, body: &mut dyn Body) -> Result<u16, PostError> {
        let headers = [("Content-Type", "application/octet-stream")];
        let ask = Ask { method: Method::Put, headers: &headers, body: Some(body) };
        self.0.ask(ask).map(|response| response.status().as_u16()).map_err(PostError::of_file_server)
    }

    /// Whether the password went over the network as it is.
    #[must_use]
    pub fn used_basic_without_tls(&self) -> bool {
        self.0.used_basic_without_tls()
    }
}

impl Incoming<'_> {
    /// Reads a piece of the body; 0 bytes are its end.
    ///
    /// # Errors
    /// When the connection is cut, too slow, or does not keep to HTTP.
    pub fn read(&mut self, buffer: &mut [u8]) -> Result<usize, PostError> {
        self.body.read(buffer).map_err(|error| self.talk.explain(error.into()).of_file_server())
    }
}

fn validator(head: &HeaderMap) -> Option<String> {
    if texts(head, "accept-ranges").any(|text| text.trim().eq_ignore_ascii_case("none")) {
        return None;
    }
    let strong = texts(head, "etag").next().map(str::trim).filter(|tag| tag.starts_with('"'));
    let validator = strong.or_else(|| texts(head, "last-modified").next().map(str::trim))?;
    let plain = validator.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    (plain && !validator.is_empty() && validator.len() <= LONGEST_VALIDATOR).then(|| validator.to_owned())
}

/// `bytes 100-199/200`, or `/*` for a whole of unknown length (RFC 9110 14.4).
fn parse_range(text: &str) -> Option<(u64, Option<u64>)> {
    let (range, whole) = text.trim().strip_prefix("bytes ")?.trim().split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
    let whole = match whole {
        "*" => None,
        number => Some(number.parse().ok()?),
    };
    (first <= last && whole.is_none_or(|whole| last < whole)).then_some((first, whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_says_where_it_lies() {
        assert_eq!(parse_range("bytes 100-199/200"), Some((100, Some(200))));
        assert_eq!(parse_range("bytes 0-0/*"), Some((0, None)));
        for bad in ["", "bytes */200", "bytes 5-4/200", "bytes 0-200/200", "bytes 1-2", "lines 1-2/3", "bytes 1-2/x"] {
            assert_eq!(parse_range(bad), None, "{bad}");
        }
    }

    #[test]
    fn only_what_surely_tells_files_apart_is_kept() {
        let head = |headers: &[(&'static str, &'static str)]| {
            let mut map = HeaderMap::new();
            for (name, value) in headers {
                map.insert(*name, value.parse().unwrap());
            }
            validator(&map)
        };
        assert_eq!(head(&[("etag", "\"a\""), ("last-modified", "yesterday")]).as_deref(), Some("\"a\""));
        assert_eq!(head(&[("etag", "W/\"a\""), ("last-modified", "yesterday")]).as_deref(), Some("yesterday"));
        assert_eq!(head(&[("etag", "W/\"a\"")]), None);
        assert_eq!(head(&[("etag", "\"a\""), ("accept-ranges", "none")]), None);
    }
}
