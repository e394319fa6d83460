//! What a session needs to know to reach its ACS.

use super::resolve::Resolve;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Which compressed replies are asked for (`HTTPCompression`; CONFORMANCE T-26). One that comes unasked is unpacked all the same.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Compression {
    /// None.
    #[default]
    None,
    /// `gzip`.
    Gzip,
    /// `deflate`.
    Deflate,
}

impl Compression {
    /// The name of the coding in headers.
    #[must_use]
    pub fn coding(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Gzip => Some("gzip"),
            Self::Deflate => Some("deflate"),
        }
    }
}

/// The settings of one session. Paths are those of the file system: `--root` is already in them.
#[derive(Clone)]
pub struct Settings {
    /// The URL of the ACS.
    pub url: String,
    /// The user name; empty: no credentials.
    pub username: String,
    /// The password.
    pub password: String,
    /// The certificates of the CAs that may vouch for the ACS, as PEM. Read for https only.
    pub ca_file: PathBuf,
    /// The certificate chain that the agent shows if it is asked, as PEM.
    pub client_cert: Option<PathBuf>,
    /// The key of that certificate, as PEM (PKCS#8, PKCS#1 or SEC1).
    pub client_key: Option<PathBuf>,
    /// Whether the certificate of the ACS must be good; `false` takes any (the handshake's signature is checked still).
    pub verify: bool,
    /// The longest wait: for a connection, for TLS, for the head and then for the body of a reply, and for progress while sending.
    pub timeout: Duration,
    /// Whether Basic may be used without TLS.
    pub basic_over_http: bool,
    /// The longest body that is taken from the ACS, in bytes, packed and unpacked.
    pub max_envelope: usize,
    /// The compression to ask for.
    pub compression: Compression,
    /// How names become addresses.
    pub resolver: Arc<dyn Resolve>,
    /// The time by the best clock there is, in seconds since 1970. `None`: not known, and the dates of certificates are not checked
    /// (TR-069a6 3.3; CONFORMANCE T-20).
    pub clock: Option<u64>,
    /// The network device to which connections are bound.
    pub bind_device: Option<String>,
    /// The `User-Agent` header.
    pub user_agent: String,
}

/// Without the password, and without the path of the URL, which may hold a secret.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("ca_file", &self.ca_file)
            .field("client_cert", &self.client_cert)
            .field("verify", &self.verify)
            .field("timeout", &self.timeout)
            .field("basic_over_http", &self.basic_over_http)
            .field("max_envelope", &self.max_envelope)
            .field("clock", &self.clock)
            .field("bind_device", &self.bind_device)
            .finish_non_exhaustive()
    }
}
