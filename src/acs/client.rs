//! One session's HTTP: POSTs to the ACS, with everything around them that is not CWMP.

use super::cancel::Cancel;
use super::date;
use super::error::{PostError, PostErrorKind};
use super::settings::Settings;
use super::talk::{Ask, Body, Method, Talk, texts};
use super::tls::TlsSessions;
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use std::io::{self, Cursor, Read};
use std::net::IpAddr;
use std::time::Duration;
use ureq::http::{HeaderMap, Response};

/// What packed bytes may come beyond the limit on unpacked ones, for the case that packing made them more.
const PACKING: u64 = 1024;

/// What is posted.
#[derive(Default)]
pub struct Request<'a> {
    /// The envelope; `None` is the empty POST.
    pub body: Option<&'a mut dyn Body>,
    /// How the body is packed already (`gzip`, `deflate`).
    pub content_encoding: Option<&'static str>,
}

/// What the ACS answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reply {
    /// The status: never 401, and never a redirect that can be followed.
    pub status: u16,
    /// The unpacked body of a 2xx; empty with any other status.
    pub body: Vec<u8>,
    /// How long the ACS wants to be left alone.
    pub retry_after: Option<Duration>,
}

/// The HTTP client of one session.
pub struct Client(Talk);

impl Client {
    /// Gets ready; connects with the first POST.
    ///
    /// # Errors
    /// When the URL cannot be used.
    pub fn new(settings: &Settings, sessions: &TlsSessions, cancel: &Cancel) -> Result<Self, PostError> {
        Talk::new(settings, sessions, cancel, Some(settings.timeout)).map(Self)
    }

    /// Sends one message and waits for what the ACS says to it. Challenges are answered and redirects followed; both are kept for the rest
    /// of the session.
    ///
    /// # Errors
    /// When there is no answer that the session could go on with.
    pub fn post(&mut self, request: Request) -> Result<Reply, PostError> {
        let mut headers = Vec::with_capacity(4);
        headers.extend(self.0.settings().compression.coding().map(|coding| ("Accept-Encoding", coding)));
        // T-04: an empty POST has no SOAPAction and no Content-Type.
        if request.body.as_ref().is_some_and(|body| !body.is_empty()) {
            headers.extend([("Content-Type", "text/xml; charset=\"utf-8\""), ("SOAPAction", "")]);
            headers.extend(request.content_encoding.map(|coding| ("Content-Encoding", coding)));
        }
        let response = self.0.ask(Ask { method: Method::Post, headers: &headers, body: request.body })?;
        self.reply(response)
    }

    /// The address from which the ACS is reached.
    #[must_use]
    pub fn local_address(&self) -> Option<IpAddr> {
        self.0.local_address()
    }

    /// Whether the password went over the network as it is.
    #[must_use]
    pub fn used_basic_without_tls(&self) -> bool {
        self.0.used_basic_without_tls()
    }

    /// Ends the session: the connection is closed, and cookies and nonces are forgotten.
    pub fn close(self) {}

    fn reply(&self, response: Response<ureq::Body>) -> Result<Reply, PostError> {
        let status = response.status().as_u16();
        let retry_after = self.retry_after(response.headers());
        let body = if (200..300).contains(&status) { self.read_body(response)? } else { Vec::new() };
        Ok(Reply { status, body, retry_after })
    }

    /// Seconds, or a date.
    fn retry_after(&self, headers: &HeaderMap) -> Option<Duration> {
        let value = texts(headers, "retry-after").next()?.trim();
        if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
            return Some(Duration::from_secs(value.parse::<u32>().unwrap_or(u32::MAX).into()));
        }
        let seconds = date::parse(value)?.saturating_sub(self.0.date(headers)?);
        Some(Duration::from_secs(seconds.min(u32::MAX.into())))
    }

    fn read_body(&self, response: Response<ureq::Body>) -> Result<Vec<u8>, PostError> {
        let coding = texts(response.headers(), "content-encoding").next().unwrap_or("").trim().to_ascii_lowercase();
        let limit = u64::try_from(self.0.settings().max_envelope).unwrap_or(u64::MAX);
        // One byte more than allowed tells the two cases apart.
        let packed = response.into_body().into_reader().take(limit.saturating_add(PACKING));
        let mut packed = Packed { reader: packed, failed: None };
        let mut body = Vec::new();
        let result = match coding.as_str() {
            "" | "identity" => read_all(&mut packed, limit, &mut body),
            "gzip" | "x-gzip" => read_gzip(&mut packed, limit, &mut body),
            "deflate" => read_deflated(&mut packed, limit, &mut body),
            other => {
                let text = format!("the ACS packs its reply in a way that is not known: {other}");
                return Err(PostError::new(PostErrorKind::Protocol, text));
            }
        };
        let failed = packed.failed.take();
        match result {
            Ok(_) if u64::try_from(body.len()).unwrap_or(u64::MAX) > limit => Err(PostError::new(
                PostErrorKind::TooLarge,
                format!("the reply of the ACS is larger than {limit} bytes"),
            )),
            Ok(_) => Ok(body),
            Err(error) => Err(match failed {
                Some(error) => self.0.explain(error.into()),
                None => {
                    PostError::new(PostErrorKind::Protocol, format!("the reply of the ACS cannot be unpacked: {error}"))
                }
            }),
        }
    }
}

/// Keeps the failures of the connection apart from those of unpacking.
struct Packed<R> {
    reader: R,
    failed: Option<io::Error>,
}

impl<R: Read> Read for Packed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buffer).map_err(|error| {
            let kind = error.kind();
            self.failed = Some(error);
            kind.into()
        })
    }
}

fn read_all(reader: &mut dyn Read, limit: u64, body: &mut Vec<u8>) -> io::Result<usize> {
    reader.take(limit.saturating_add(1)).read_to_end(body)
}

/// An empty reply has nothing to unpack, also where something on the way says of all replies that they are packed (CONFORMANCE T-05); the decoder
/// itself would want a head.
fn read_gzip(packed: &mut dyn Read, limit: u64, body: &mut Vec<u8>) -> io::Result<usize> {
    let mut start = Vec::new();
    if packed.take(1).read_to_end(&mut start)? == 0 {
        return Ok(0);
    }
    read_all(&mut MultiGzDecoder::new(Cursor::new(start).chain(packed)), limit, body)
}

/// `deflate` means the zlib format, and many send the bare one; the first two bytes tell (RFC 9110 8.4.1.2, RFC 1950 2.2).
fn read_deflated(packed: &mut dyn Read, limit: u64, body: &mut Vec<u8>) -> io::Result<usize> {
    let mut start = Vec::new();
    if packed.take(2).read_to_end(&mut start)? == 0 {
        return Ok(0);
    }
    let zlib = matches!(start[..], [method, check] if method & 15 == 8 && (u16::from(method) << 8 | u16::from(check)) % 31 == 0);
    let whole = Cursor::new(start).chain(packed);
    if zlib {
        read_all(&mut ZlibDecoder::new(whole), limit, body)
    } else {
        read_all(&mut DeflateDecoder::new(whole), limit, body)
    }
}
