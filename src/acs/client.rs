//! One session's HTTP: POSTs to the ACS, with everything around them that is not CWMP.

use super::cancel::Cancel;
use super::connector::{self, Link};
use super::cookies::Cookies;
use super::date;
use super::error::{PostError, PostErrorKind};
use super::login::Login;
use super::settings::Settings;
use super::tls::TlsSessions;
use super::url::Url;
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use ureq::http::{HeaderMap, Response};
use ureq::{SendBody, Timeout};

/// The most redirects in a row (CONFORMANCE T-10).
const MOST_REDIRECTS: u8 = 5;
/// What is read of the body of a redirect or a challenge so that the connection can be kept; with more it is closed.
const LONGEST_ASIDE: u64 = 64 * 1024;
/// What packed bytes may come beyond the limit on unpacked ones, for the case that packing made them more.
const PACKING: u64 = 1024;

/// A body that is sent in pieces, as often as it takes: a challenge or a redirect wants it again.
pub trait Body: Read {
    /// Its exact length in bytes.
    fn len(&self) -> u64;

    /// Whether there is nothing in it.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Begins again; what is read then is the same, byte by byte (CONFORMANCE T-15).
    ///
    /// # Errors
    /// When it cannot be made again.
    fn rewind(&mut self) -> io::Result<()>;
}

impl<T: AsRef<[u8]>> Body for Cursor<T> {
    fn len(&self) -> u64 {
        u64::try_from(self.get_ref().as_ref().len()).unwrap_or(u64::MAX)
    }

    fn rewind(&mut self) -> io::Result<()> {
        self.seek(SeekFrom::Start(0)).map(drop)
    }
}

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
pub struct Client {
    settings: Settings,
    link: Arc<Link>,
    agent: ureq::Agent,
    first_url: Url,
    /// Where the session is now; a redirect moves it.
    url: Url,
    /// Whether everything so far, redirects too, came over TLS.
    only_tls: bool,
    cookies: Cookies,
    login: Login,
    basic_without_tls: bool,
}

impl Client {
    /// Gets ready; connects with the first POST.
    ///
    /// # Errors
    /// When the URL cannot be used.
    pub fn new(settings: &Settings, sessions: &TlsSessions, cancel: &Cancel) -> Result<Self, PostError> {
        let url = Url::parse(&settings.url).map_err(|error| {
            PostError::new(PostErrorKind::Settings, format!("the URL of the ACS cannot be used: {error}"))
        })?;
        if url.tls && cfg!(not(feature = "tls")) {
            return Err(PostError::new(
                PostErrorKind::Tls,
                "the URL of the ACS is https, and this cwmpd is built without TLS",
            ));
        }
        let link = Arc::new(Link::new(settings.clone(), sessions.clone(), cancel.clone()));
        Ok(Self {
            agent: link.agent(),
            settings: settings.clone(),
            link,
            first_url: url.clone(),
            only_tls: url.tls,
            url,
            cookies: Cookies::default(),
            login: Login::default(),
            basic_without_tls: false,
        })
    }

    /// Sends one message and waits for what the ACS says to it. Challenges are answered and redirects followed; both are kept for the rest
    /// of the session.
    ///
    /// # Errors
    /// When there is no answer that the session could go on with.
    pub fn post(&mut self, mut request: Request) -> Result<Reply, PostError> {
        self.login.begin();
        let mut redirects = 0;
        loop {
            let response = self.exchange(&mut request)?;
            self.take_headers(response.headers());
            match response.status().as_u16() {
                401 => self.answer_challenge(response)?,
                301 | 302 | 307 | 308 => {
                    redirects += 1;
                    if redirects > MOST_REDIRECTS {
                        let text = format!("the ACS redirects more than {MOST_REDIRECTS} times in a row");
                        return Err(PostError::new(PostErrorKind::TooManyRedirects, text));
                    }
                    self.follow(response)?;
                }
                _ => return self.reply(response),
            }
        }
    }

    /// The address from which the ACS is reached.
    #[must_use]
    pub fn local_address(&self) -> Option<IpAddr> {
        self.link.local_address()
    }

    /// Whether the password went over the network as it is.
    #[must_use]
    pub fn used_basic_without_tls(&self) -> bool {
        self.basic_without_tls
    }

    /// Ends the session: the connection is closed, and cookies and nonces are forgotten.
    pub fn close(self) {}

    /// One request and the head of its response. A kept connection may turn out to be closed by now; then the request goes out once more, on
    /// a new one.
    fn exchange(&mut self, request: &mut Request) -> Result<Response<ureq::Body>, PostError> {
        let mut again = true;
        loop {
            if self.link.is_cancelled() {
                return Err(PostError::cancelled());
            }
            let begin = self.link.begin();
            let Failure { error, of_body } = match self.send(request) {
                Ok(response) => return Ok(response),
                Err(failure) => failure,
            };
            let gone = matches!(&error, ureq::Error::Io(error) if connector::is_disconnect(error.kind()));
            if of_body {
                return Err(PostError::new(PostErrorKind::Body, format!("the message cannot be made: {error}")));
            }
            if !(again && gone && self.link.was_stale(begin)) {
                return Err(self.explain(error));
            }
            again = false;
        }
    }

    fn send(&mut self, request: &mut Request) -> Result<Response<ureq::Body>, Failure> {
        let settings = &self.settings;
        let mut builder = self
            .agent
            .post(self.url.to_string())
            .header_raw("Host", self.url.authority().as_bytes())
            .header_raw("User-Agent", settings.user_agent.as_bytes());
        if let Some(coding) = settings.compression.coding() {
            builder = builder.header_raw("Accept-Encoding", coding.as_bytes());
        }
        if let Some(cookies) = self.cookies.header(&self.url, Instant::now()) {
            builder = builder.header_raw("Cookie", cookies.as_bytes());
        }
        if let Some(answer) = self.login.authorization((&settings.username, &settings.password), &self.url) {
            self.basic_without_tls |= self.login.is_basic() && !self.url.tls;
            builder = builder.header_raw("Authorization", answer.as_bytes());
        }
        let Some(body) = request.body.as_deref_mut().filter(|body| !body.is_empty()) else {
            // T-04: no SOAPAction and no Content-Type.
            return builder.header_raw("Content-Length", b"0").send(SendBody::none()).map_err(Failure::from);
        };
        let length = body.len();
        builder = builder
            .header_raw("Content-Type", b"text/xml; charset=\"utf-8\"")
            .header_raw("SOAPAction", b"")
            .header_raw("Content-Length", length.to_string().as_bytes());
        if let Some(coding) = request.content_encoding {
            builder = builder.header_raw("Content-Encoding", coding.as_bytes());
        }
        body.rewind().map_err(|error| Failure { error: error.into(), of_body: true })?;
        let mut exact = ExactBody { body, left: length, failed: false };
        let result = builder.send(SendBody::from_reader(&mut exact));
        result.map_err(|error| Failure { error, of_body: exact.failed })
    }

    /// Cookies and the next nonce, which any response may bring.
    fn take_headers(&mut self, headers: &HeaderMap) {
        let (now, date) = (Instant::now(), self.date(headers));
        for header in texts(headers, "set-cookie") {
            self.cookies.store(&self.url, header, now, date);
        }
        for header in texts(headers, "authentication-info") {
            self.login.informed(header);
        }
    }

    /// The time at the ACS, or else here, in seconds since 1970.
    fn date(&self, headers: &HeaderMap) -> Option<u64> {
        texts(headers, "date").next().and_then(date::parse).or(self.settings.clock)
    }

    fn answer_challenge(&mut self, response: Response<ureq::Body>) -> Result<(), PostError> {
        let basic = self.basic_allowed();
        let challenges: Vec<_> = texts(response.headers(), "www-authenticate").collect();
        self.login.challenged(&challenges, &self.settings.username, basic)?;
        self.discard(response)
    }

    /// Basic shows the password to whoever asks for it. Over http that must be allowed; and a server that a redirect named gets it only
    /// if nobody on the way could have changed that redirect.
    fn basic_allowed(&self) -> Result<(), &'static str> {
        let same_host = self.url.host == self.first_url.host;
        if !self.url.tls && !self.settings.basic_over_http {
            return Err("the ACS asks for Basic without TLS, and basic_over_http is off");
        }
        if !(same_host || self.only_tls && self.settings.verify) {
            return Err(
                "another host, to which the ACS redirected without TLS, asks for Basic: the password is not given to it",
            );
        }
        Ok(())
    }

    /// Goes where a redirect points, with the same method and body (TR-069a6 3.4.2, T-10, T-11, T-21).
    fn follow(&mut self, response: Response<ureq::Body>) -> Result<(), PostError> {
        let refuse = |text: String| Err(PostError::new(PostErrorKind::Redirect, text));
        let Some(location) = texts(response.headers(), "location").next() else {
            return refuse(format!(
                "the ACS redirects (status {}) without saying where to",
                response.status().as_u16()
            ));
        };
        let url = match self.url.join(location) {
            Ok(url) => url,
            Err(error) => return refuse(format!("the ACS redirects to where nobody can go: {error}")),
        };
        if self.url.tls && !url.tls {
            return refuse(format!("the ACS redirects from https to {}: that is not followed", url.origin()));
        }
        self.discard(response)?;
        if !url.same_origin(&self.url) {
            self.login.forget();
        }
        self.only_tls &= url.tls;
        self.url = url;
        Ok(())
    }

    /// Reads a body that nobody wants, so that the connection can be kept. A failure costs that connection and nothing else.
    fn discard(&self, response: Response<ureq::Body>) -> Result<(), PostError> {
        let mut body = response.into_body().into_reader().take(LONGEST_ASIDE);
        let _ = io::copy(&mut body, &mut io::sink());
        if self.link.is_cancelled() { Err(PostError::cancelled()) } else { Ok(()) }
    }

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
        let seconds = date::parse(value)?.saturating_sub(self.date(headers)?);
        Some(Duration::from_secs(seconds.min(u32::MAX.into())))
    }

    fn read_body(&self, response: Response<ureq::Body>) -> Result<Vec<u8>, PostError> {
        let coding = texts(response.headers(), "content-encoding").next().unwrap_or("").trim().to_ascii_lowercase();
        let limit = u64::try_from(self.settings.max_envelope).unwrap_or(u64::MAX);
        // One byte more than allowed tells the two cases apart.
        let packed = response.into_body().into_reader().take(limit.saturating_add(PACKING));
        let mut packed = Packed { reader: packed, failed: None };
        let mut body = Vec::new();
        let result = match coding.as_str() {
            "" | "identity" => read_all(&mut packed, limit, &mut body),
            "gzip" | "x-gzip" => read_all(&mut MultiGzDecoder::new(&mut packed), limit, &mut body),
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
                Some(error) => self.explain(error.into()),
                None => {
                    PostError::new(PostErrorKind::Protocol, format!("the reply of the ACS cannot be unpacked: {error}"))
                }
            }),
        }
    }

    fn explain(&self, error: ureq::Error) -> PostError {
        if self.link.is_cancelled() {
            return PostError::cancelled();
        }
        let origin = self.url.origin();
        let (kind, text) = match error {
            ureq::Error::Other(error) => match error.downcast::<PostError>() {
                Ok(error) => return *error,
                Err(error) => (PostErrorKind::Unreachable, format!("{origin}: {error}")),
            },
            ureq::Error::Timeout(Timeout::SendBody) => {
                (PostErrorKind::Timeout, format!("{origin} does not take the message in time"))
            }
            ureq::Error::Timeout(_) => {
                let seconds = self.settings.timeout.as_secs();
                (PostErrorKind::Timeout, format!("{origin} does not answer within {seconds} seconds"))
            }
            ureq::Error::Io(error) if connector::is_disconnect(error.kind()) => {
                (PostErrorKind::Unreachable, format!("{origin} closed the connection before its reply was complete"))
            }
            ureq::Error::Io(error) => (PostErrorKind::Unreachable, format!("{origin}: {error}")),
            ureq::Error::LargeResponseHeader(..) => {
                (PostErrorKind::TooLarge, format!("the head of the reply of {origin} is too large"))
            }
            ureq::Error::Http(error) => (PostErrorKind::Settings, format!("the request cannot be written: {error}")),
            error => (PostErrorKind::Protocol, format!("{origin} does not speak proper HTTP: {error}")),
        };
        PostError::new(kind, text)
    }
}

/// What went wrong with one request, and whether it was the making of its body.
struct Failure {
    error: ureq::Error,
    of_body: bool,
}

impl From<ureq::Error> for Failure {
    fn from(error: ureq::Error) -> Self {
        Self { error, of_body: false }
    }
}

/// Sees to it that a body is as long as it says: with less the request would never end.
struct ExactBody<'a> {
    body: &'a mut dyn Body,
    left: u64,
    failed: bool,
}

impl Read for ExactBody<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let Some(buffer) = buffer.get_mut(..room).filter(|buffer| !buffer.is_empty()) else { return Ok(0) };
        let result = match self.body.read(buffer) {
            Ok(0) => Err(io::Error::new(io::ErrorKind::InvalidData, "it is shorter than it says")),
            result => result,
        };
        self.failed = result.is_err();
        self.left = self.left.saturating_sub(u64::try_from(*result.as_ref().unwrap_or(&0)).unwrap_or(0));
        result
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

/// `deflate` means the zlib format, and many send the bare one; the first two bytes tell (RFC 9110 8.4.1.2, RFC 1950 2.2).
fn read_deflated(packed: &mut dyn Read, limit: u64, body: &mut Vec<u8>) -> io::Result<usize> {
    let mut start = Vec::new();
    packed.take(2).read_to_end(&mut start)?;
    let zlib = matches!(start[..], [method, check] if method & 15 == 8 && (u16::from(method) << 8 | u16::from(check)) % 31 == 0);
    let whole = Cursor::new(start).chain(packed);
    if zlib {
        read_all(&mut ZlibDecoder::new(whole), limit, body)
    } else {
        read_all(&mut DeflateDecoder::new(whole), limit, body)
    }
}

/// The values of a header that are text.
fn texts<'a>(headers: &'a HeaderMap, name: &'static str) -> impl Iterator<Item = &'a str> {
    headers.get_all(name).into_iter().filter_map(|value| std::str::from_utf8(value.as_bytes()).ok())
}
