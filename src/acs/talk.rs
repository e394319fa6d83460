//! One request after the other, with what HTTP has around them: challenges, redirects, cookies, and connections that have ended meanwhile.

use super::cancel::Cancel;
use super::connector::{self, Link};
use super::cookies::Cookies;
use super::date;
use super::error::{PostError, PostErrorKind};
use super::login::Login;
use super::settings::Settings;
use super::tls::TlsSessions;
use crate::url::Url;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use ureq::http::{HeaderMap, Response};
use ureq::{RequestBuilder, SendBody, Timeout};

/// The most redirects in a row (CONFORMANCE T-10, F-17).
const MOST_REDIRECTS: u8 = 5;
/// What is read of the body of a redirect or a challenge so that the connection can be kept; with more it is closed.
const LONGEST_ASIDE: u64 = 64 * 1024;

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

/// The methods in use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Method {
    Get,
    Post,
    Put,
}

impl Method {
    fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
        }
    }
}

/// What is asked for.
pub(super) struct Ask<'h, 'b> {
    pub(super) method: Method,
    /// Besides those that every request has.
    pub(super) headers: &'h [(&'static str, &'h str)],
    /// With POST and PUT; none there is an empty one.
    pub(super) body: Option<&'b mut dyn Body>,
}

/// The requests of one session or transfer, each to where the last one was led.
pub(super) struct Talk {
    settings: Settings,
    link: Arc<Link>,
    agent: ureq::Agent,
    first_url: Url,
    /// Where the talk is now; a redirect moves it.
    url: Url,
    /// Whether everything so far, redirects too, came over TLS.
    only_tls: bool,
    cookies: Cookies,
    login: Login,
    basic_without_tls: bool,
}

impl Talk {
    /// Gets ready; connects with the first request. `whole_body` is how long the body of an answer may take, where that is known to be short;
    /// each wait for a piece of it has the timeout of the settings in any case.
    pub(super) fn new(
        settings: &Settings,
        sessions: &TlsSessions,
        cancel: &Cancel,
        whole_body: Option<Duration>,
    ) -> Result<Self, PostError> {
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
            agent: link.agent(whole_body),
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

    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Sends a request and takes the head of what is said to it. Challenges are answered and redirects followed; both are kept for what
    /// comes after. The status is never 401, and never a redirect that can be followed.
    pub(super) fn ask(&mut self, mut ask: Ask) -> Result<Response<ureq::Body>, PostError> {
        self.login.begin();
        let mut redirects = 0;
        loop {
            let response = self.exchange(&mut ask)?;
            self.take_headers(response.headers());
            match response.status().as_u16() {
                401 => self.answer_challenge(response)?,
                status @ (301 | 302 | 303 | 307 | 308) if status != 303 || ask.method == Method::Get => {
                    redirects += 1;
                    if redirects > MOST_REDIRECTS {
                        let text = format!("the ACS redirects more than {MOST_REDIRECTS} times in a row");
                        return Err(PostError::new(PostErrorKind::TooManyRedirects, text));
                    }
                    self.follow(response)?;
                }
                _ => return Ok(response),
            }
        }
    }

    /// The address of this end.
    pub(super) fn local_address(&self) -> Option<IpAddr> {
        self.link.local_address()
    }

    /// Whether the password went over the network as it is.
    pub(super) fn used_basic_without_tls(&self) -> bool {
        self.basic_without_tls
    }

    /// One request and the head of its response. A kept connection may turn out to be closed by now; then the request goes out once more, on
    /// a new one.
    fn exchange(&mut self, ask: &mut Ask) -> Result<Response<ureq::Body>, PostError> {
        let mut again = true;
        loop {
            if self.link.is_cancelled() {
                return Err(PostError::cancelled());
            }
            let begin = self.link.begin();
            let Failure { error, of_body } = match self.send(ask) {
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

    fn send(&mut self, ask: &mut Ask) -> Result<Response<ureq::Body>, Failure> {
        let url = self.url.to_string();
        let builder = match ask.method {
            Method::Get => {
                let builder = self.agent.get(url);
                return self.with_headers(builder, ask).call().map_err(Failure::from);
            }
            Method::Post => self.agent.post(url),
            Method::Put => self.agent.put(url),
        };
        let builder = self.with_headers(builder, ask);
        let Some(body) = ask.body.as_deref_mut().filter(|body| !body.is_empty()) else {
            return builder.header_raw("Content-Length", b"0").send(SendBody::none()).map_err(Failure::from);
        };
        let length = body.len();
        let builder = builder.header_raw("Content-Length", length.to_string().as_bytes());
        body.rewind().map_err(|error| Failure { error: error.into(), of_body: true })?;
        let mut exact = ExactBody { body, left: length, failed: false };
        let result = builder.send(SendBody::from_reader(&mut exact));
        result.map_err(|error| Failure { error, of_body: exact.failed })
    }

    fn with_headers<Any>(&mut self, builder: RequestBuilder<Any>, ask: &Ask) -> RequestBuilder<Any> {
        let settings = &self.settings;
        let mut builder = builder
            .header_raw("Host", self.url.authority().as_bytes())
            .header_raw("User-Agent", settings.user_agent.as_bytes());
        for (name, value) in ask.headers {
            builder = builder.header_raw(name, value.as_bytes());
        }
        if let Some(cookies) = self.cookies.header(&self.url, Instant::now()) {
            builder = builder.header_raw("Cookie", cookies.as_bytes());
        }
        let credentials = (settings.username.as_str(), settings.password.as_str());
        if let Some(answer) = self.login.authorization(credentials, ask.method.name(), &self.url) {
            self.basic_without_tls |= self.login.is_basic() && !self.url.tls;
            builder = builder.header_raw("Authorization", answer.as_bytes());
        }
        builder
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

    /// The time at the server, or else here, in seconds since 1970.
    pub(super) fn date(&self, headers: &HeaderMap) -> Option<u64> {
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
        if url.same_origin(&self.url) {
            // Who redirects has not refused the credentials; what is asked at the other path is asked for the first time.
            self.login.begin();
        } else {
            self.login.forget();
        }
        self.only_tls &= url.tls;
        self.url = url;
        Ok(())
    }

    /// Reads a body that nobody wants, so that the connection can be kept. A failure costs that connection and nothing else, and so does
    /// a body that takes too long.
    fn discard(&self, response: Response<ureq::Body>) -> Result<(), PostError> {
        let mut body = response.into_body().into_reader().take(LONGEST_ASIDE);
        let end = Instant::now().checked_add(self.settings.timeout);
        let mut piece = [0; 1024];
        while matches!(body.read(&mut piece), Ok(1..)) && end.is_some_and(|end| Instant::now() < end) {}
        if self.link.is_cancelled() { Err(PostError::cancelled()) } else { Ok(()) }
    }

    /// What a failure of the connection, or of HTTP on it, means for a person.
    pub(super) fn explain(&self, error: ureq::Error) -> PostError {
        if self.link.is_cancelled() {
            return PostError::cancelled();
        }
        let origin = self.url.origin();
        let (kind, text) = match error {
            // Only making a connection fails in this way.
            ureq::Error::Other(error) => match error.downcast::<PostError>() {
                Ok(error) => return *error,
                Err(error) => return PostError::new(PostErrorKind::Unreachable, format!("{origin}: {error}")),
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
        PostError::new(kind, text).after_contact()
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

/// The values of a header that are text.
pub(super) fn texts<'a>(headers: &'a HeaderMap, name: &'static str) -> impl Iterator<Item = &'a str> {
    headers.get_all(name).into_iter().filter_map(|value| std::str::from_utf8(value.as_bytes()).ok())
}
