//! Downloads and uploads: from a URL into a private file and back, with the faults of CONFORMANCE F-14.
//!
//! A download is resumed where it was cut, if the server says what its file is known by (RFC 9110 13.1.5). That mark lies beside the file, so
//! that the next start of the agent can go on as well; where anything does not fit, it begins again.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::time::{Duration, Instant};

use super::part::Part;
use super::{Progress, Trouble, code};
use crate::acs::{Body, Cancel, FileClient, PostError, PostErrorKind, Settings, TlsSessions, Url};
use crate::error::{Fault, FaultCode};

/// The longest URL of a Download or Upload, in characters (TR-069a6 A.3.2.8).
const LONGEST_URL: usize = 256;

/// How often a download goes on after it was cut.
const MOST_RESUMES: u8 = 5;

/// The wait before it goes on the second time and later.
const PAUSE: Duration = Duration::from_secs(1);

/// What is read at once, in bytes.
const PIECE: usize = 16 * 1024;

/// A transfer that is slower than this over all, in bytes a second, is given up.
const SLOWEST: u64 = 1024;

/// For that its first timeouts do not count.
const GRACE: u32 = 10;

/// A file at a server.
#[derive(Clone, Copy)]
pub struct Remote<'a> {
    /// An `http` or `https` URL.
    pub url: &'a str,
    /// Used only when the server asks for it; empty: there is none.
    pub username: &'a str,
    /// Goes with the user name.
    pub password: &'a str,
}

/// Checks the URL of a Download or Upload before it is accepted (CONFORMANCE F-01).
///
/// # Errors
/// 9013 for another protocol than HTTP and HTTPS, and for HTTPS in a build without TLS; 9003 for what is no URL, is longer than 256
/// characters, or holds a user name.
pub fn check_url(url: &str) -> Result<(), Fault> {
    if url.chars().count() > LONGEST_URL {
        return Err(Fault::arguments(format!("the URL is longer than {LONGEST_URL} characters")));
    }
    let scheme = url.split_once(':').map(|(scheme, _)| scheme).filter(|scheme| is_scheme(scheme));
    if let Some(scheme) = scheme {
        let secure = scheme.eq_ignore_ascii_case("https");
        if !(secure || scheme.eq_ignore_ascii_case("http")) || secure && cfg!(not(feature = "tls")) {
            return Err(Fault::new(code::PROTOCOL, format!("files cannot be transferred by {scheme}")));
        }
    }
    Url::parse(url).map(drop).map_err(|error| Fault::arguments(error.to_string()))
}

/// RFC 3986 3.1.
fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// Fetches a file into `to` and returns its length in bytes. `settings` says how to connect (its URL and credentials do not count), and its
/// timeout is the longest wait for a connection, for the answer and for each piece of the file. A `file_size` other than 0 is exactly how
/// many bytes the file must have. `to` becomes a private file, mode 0600; what is there from a transfer that was cut off is resumed, if it
/// was of the same URL and is part of the same file still, and anything else that is there goes away. After a failure that another try
/// might mend, what has come stays; [`discard`] takes it away.
///
/// # Errors
/// See CONFORMANCE F-14 and [`code`]; 9010 also for a transfer that was cancelled.
pub fn download(
    settings: &Settings,
    sessions: &TlsSessions,
    cancel: &Cancel,
    from: &Remote,
    file_size: u32,
    to: &Path,
    progress: Progress,
) -> Result<u64, Trouble> {
    let size = Some(u64::from(file_size)).filter(|size| *size > 0);
    let mut transfer =
        Transfer { settings: at(settings, from), sessions, cancel, size, progress, pace: Pace::new(settings.timeout) };
    let mut part = Part::open(to, from)?;
    let mut resumes = 0;
    loop {
        let before = part.len();
        let (trouble, cut) = match transfer.attempt(&mut part) {
            Ok(()) => return part.complete(),
            Err(Stop::Bad(trouble)) => {
                part.discard();
                return Err(trouble);
            }
            Err(Stop::Cut(trouble)) => (trouble, part.can_resume() && part.len() > before),
            // The next attempt asks for all of it, and so cannot end in the same way.
            Err(Stop::Other(trouble)) => (trouble, before > 0),
        };
        if !cut || resumes == MOST_RESUMES || cancel.is_cancelled() {
            if !part.can_resume() {
                part.discard();
            }
            return Err(trouble);
        }
        log::info!("goes on with the download at byte {}: {}", part.len(), trouble.text);
        if resumes > 0 {
            cancel.wait(PAUSE.min(settings.timeout));
        }
        resumes += 1;
    }
}

/// Takes away what a download has left at `to`, the complete file or a part of it. There may be nothing.
pub fn discard(to: &Path) {
    super::part::remove(to);
}

/// Sends a file with PUT; any status from 200 to 299 is success (CONFORMANCE F-25). `settings` is used as in [`download`].
///
/// # Errors
/// See CONFORMANCE F-14 and [`code`]; 9011 also for a transfer that was cancelled.
pub fn upload(
    settings: &Settings,
    sessions: &TlsSessions,
    cancel: &Cancel,
    to: &Remote,
    body: &mut dyn Body,
    progress: Progress,
) -> Result<(), Trouble> {
    let tell = |error: PostError| explain(&error, code::UPLOAD_FAILED, code::UPLOAD_FAILED);
    let mut client = FileClient::new(&at(settings, to), sessions, cancel).map_err(tell)?;
    let mut counted = Counted { body, done: 0, progress };
    let status = client.put(&mut counted).map_err(tell)?;
    warn_of_basic(&client);
    if (200..300).contains(&status) { Ok(()) } else { Err(refused(status, code::UPLOAD_FAILED)) }
}

/// A file of this machine as it is sent. It must not change meanwhile.
pub struct FileBody {
    file: File,
    length: u64,
}

impl FileBody {
    /// Opens a file.
    ///
    /// # Errors
    /// As the system says.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        Ok(Self { file, length })
    }
}

impl Read for FileBody {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer)
    }
}

impl Body for FileBody {
    fn len(&self) -> u64 {
        self.length
    }

    fn rewind(&mut self) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(0)).map(drop)
    }
}

/// Why an attempt to download ended early.
enum Stop {
    /// Nothing that came is of use.
    Bad(Trouble),
    /// The connection was not there or ended; what came is good.
    Cut(Trouble),
    /// The server has another file by now.
    Other(Trouble),
}

/// What all attempts of one download share.
struct Transfer<'a> {
    settings: Settings,
    sessions: &'a TlsSessions,
    cancel: &'a Cancel,
    /// FileSize, where it is known.
    size: Option<u64>,
    progress: Progress<'a>,
    pace: Pace,
}

impl Transfer<'_> {
    /// One request for the file, or for what is missing of it.
    fn attempt(&mut self, part: &mut Part) -> Result<(), Stop> {
        let stop = |error: PostError| {
            let trouble = explain(&error, code::FAILED, code::INCOMPLETE);
            match error.kind {
                PostErrorKind::Unreachable | PostErrorKind::Timeout | PostErrorKind::Tls | PostErrorKind::Cancelled => {
                    Stop::Cut(trouble)
                }
                _ => Stop::Bad(trouble),
            }
        };
        let bad = |code: FaultCode, text: String| Err(Stop::Bad(Trouble::new(code, text)));
        let mut client = FileClient::new(&self.settings, self.sessions, self.cancel).map_err(stop)?;
        let mut incoming = client.get(part.rest()).map_err(stop)?;
        let whole = match (incoming.status, incoming.part) {
            (200, _) => {
                part.restart(incoming.validator.take()).map_err(Stop::Bad)?;
                incoming.length
            }
            (206, Some((first, whole))) if part.rest().is_some() && first == part.len() => whole,
            (206 | 416, _) if part.rest().is_some() => {
                part.restart(None).map_err(Stop::Bad)?;
                let text = "the file server does not have the rest of the same file";
                return Err(Stop::Other(Trouble::new(code::INCOMPLETE, text)));
            }
            (status, _) => return Err(Stop::Bad(refused(status, code::FAILED))),
        };
        if let (Some(whole), Some(size)) = (whole, self.size) {
            if whole != size {
                return bad(code::CORRUPTED, format!("the file has {whole} bytes, and not the {size} of FileSize"));
            }
        }
        let expected = whole.or(self.size);
        part.check_space(expected).map_err(Stop::Bad)?;
        let mut buffer = vec![0; PIECE];
        loop {
            (self.progress)(part.len(), expected);
            let amount = incoming.read(&mut buffer).map_err(stop)?;
            let Some(piece) = buffer.get(..amount).filter(|piece| !piece.is_empty()) else { break };
            part.append(piece).map_err(Stop::Bad)?;
            if self.size.is_some_and(|size| part.len() > size) {
                return bad(code::CORRUPTED, String::from("the file is longer than FileSize"));
            }
            if self.pace.is_too_slow(part.len()) {
                let text = format!("the file server sends less than {SLOWEST} bytes a second");
                return Err(Stop::Bad(Trouble::new(code::INCOMPLETE, text)));
            }
        }
        let missing = expected.is_some_and(|expected| part.len() < expected);
        let text = || format!("the file ended after {} bytes of {}", part.len(), expected.unwrap_or(0));
        if missing && (incoming.length.is_some() || incoming.open_end) {
            return Err(Stop::Cut(Trouble::new(code::INCOMPLETE, text())));
        }
        if missing {
            return bad(code::CORRUPTED, text());
        }
        let checksum = incoming.checksum.take();
        drop(incoming);
        warn_of_basic(&client);
        match checksum.map(|checksum| part.fits(&checksum)).transpose().map_err(Stop::Bad)? {
            Some(false) => {
                bad(code::CORRUPTED, String::from("the file does not have the checksum that the file server tells"))
            }
            _ => Ok(()),
        }
    }
}

/// How fast a transfer is over all.
struct Pace {
    begin: Instant,
    grace: Duration,
}

impl Pace {
    fn new(timeout: Duration) -> Self {
        Self { begin: Instant::now(), grace: timeout.saturating_mul(GRACE) }
    }

    fn is_too_slow(&self, done: u64) -> bool {
        self.begin.elapsed() > self.grace.saturating_add(Duration::from_secs(done / SLOWEST))
    }
}

/// The settings for this server.
fn at(settings: &Settings, remote: &Remote) -> Settings {
    Settings {
        url: remote.url.to_owned(),
        username: remote.username.to_owned(),
        password: remote.password.to_owned(),
        ..settings.clone()
    }
}

fn explain(error: &PostError, other: FaultCode, cut: FaultCode) -> Trouble {
    let code = match error.kind {
        PostErrorKind::Unreachable | PostErrorKind::Timeout if error.had_contact() => cut,
        PostErrorKind::Unreachable | PostErrorKind::Timeout | PostErrorKind::Tls => code::CONTACT,
        PostErrorKind::Unauthorized => code::LOGIN,
        _ => other,
    };
    let text = match error.kind {
        PostErrorKind::Cancelled => String::from("the transfer was cancelled"),
        _ => error.to_string(),
    };
    Trouble::new(code, text)
}

fn refused(status: u16, other: FaultCode) -> Trouble {
    let code = if matches!(status, 403 | 404 | 410) { code::ACCESS } else { other };
    Trouble::new(code, format!("the file server answers with status {status}"))
}

fn warn_of_basic(client: &FileClient) {
    if client.used_basic_without_tls() {
        log::warn!("a file server got its password as it is, over http without TLS (basic_over_http)");
    }
}

/// A body that tells how far it is.
struct Counted<'a> {
    body: &'a mut dyn Body,
    done: u64,
    progress: Progress<'a>,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let amount = self.body.read(buffer)?;
        self.done = self.done.saturating_add(u64::try_from(amount).unwrap_or(0));
        (self.progress)(self.done, Some(self.body.len()));
        Ok(amount)
    }
}

impl Body for Counted<'_> {
    fn len(&self) -> u64 {
        self.body.len()
    }

    fn rewind(&mut self) -> io::Result<()> {
        self.done = 0;
        self.body.rewind()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(url: &str) -> Option<u16> {
        check_url(url).err().map(|fault| fault.code.0)
    }

    #[test]
    fn f01_urls_are_checked_before_they_are_accepted() {
        for good in ["http://a/x", "HTTP://a", "http://[2001:db8::1]:8080/fw.bin?a=b", "http://192.0.2.1/x#y"] {
            assert_eq!(fault(good), None, "{good}");
        }
        if cfg!(feature = "tls") {
            assert_eq!(fault("https://files.example.com:8443/a/b"), None);
        }
        for other in ["ftp://a/x", "tftp://a/x", "sftp://u@a/x", "file:///etc/passwd", "mailto:x", "x-y+z.1:"] {
            assert_eq!(fault(other), Some(9013), "{other}");
        }
        for bad in ["", "fw.bin", "//a/x", "http://", "http:a", "http://u:secret@a/x", "http://a b/", "http://a/\u{e9}"]
        {
            assert_eq!(fault(bad), Some(9003), "{bad}");
        }
        assert!(!check_url("http://u:secret@a/x").unwrap_err().text.contains("secret"));
        let long = |length: usize| format!("http://a/{}", "x".repeat(length - 9));
        assert_eq!((fault(&long(256)), fault(&long(257)), fault(&long(5000))), (None, Some(9003), Some(9003)));
        assert_eq!(fault(&"ftp://".repeat(1000)), Some(9003));
    }
}
