//! TLS towards the ACS (TR-069a6 3.3): TLS 1.2 and 1.3, the chain checked against the configured CAs, the name against the
//! subjectAltName, the dates against the best known time.

use super::error::{PostError, PostErrorKind};
use super::settings::Settings;
use super::wire::Wire;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::time_provider::TimeProvider;
use rustls::{CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, InvalidMessage, RootCertStore};
use rustls::{SignatureScheme, StreamOwned};
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// The most servers whose tickets are kept.
const MOST_SERVERS: usize = 8;
/// The largest file of certificates that is read, in bytes; Mozilla's bundle has a quarter of a megabyte.
const LARGEST_FILE: u64 = 4 << 20;
/// Certificates of a chain whose dates must agree while the time is not known; longer chains are refused anyway.
const LONGEST_CHAIN: usize = 10;
/// How a server's certificate is refused that is marked as one of a CA, which is looked at after its dates and before anything else.
const CA_AS_SERVER: &str = "CaUsedAsEndEntity";

/// What is kept between sessions so that the next handshake is a short one: tickets, and the settings that they were made with. The
/// daemon owns it; clones are the same store.
#[derive(Clone, Default, Debug)]
pub struct TlsSessions(Arc<Mutex<Option<Kept>>>);

#[derive(Debug)]
struct Kept {
    inputs: Inputs,
    config: Arc<ClientConfig>,
    time: Arc<BestTime>,
}

/// Everything that a configuration is made from. When any of it changes the tickets are dropped too: a resumed session does not look
/// at certificates again, so one that was made without looking at dates must not outlive the moment when the time becomes known.
#[derive(PartialEq, Eq, Debug)]
struct Inputs {
    verify: bool,
    clock_known: bool,
    files: Vec<(PathBuf, Option<(u64, SystemTime)>)>,
}

impl Inputs {
    fn of(settings: &Settings) -> Self {
        let ca_file = settings.verify.then_some(&settings.ca_file);
        let files = ca_file.into_iter().chain(&settings.client_cert).chain(&settings.client_key);
        let stamp = |path: &PathBuf| {
            let metadata = fs::metadata(path).ok()?;
            Some((metadata.len(), metadata.modified().ok()?))
        };
        Self {
            verify: settings.verify,
            clock_known: settings.clock.is_some(),
            files: files.map(|path| (path.clone(), stamp(path))).collect(),
        }
    }
}

/// A connection with TLS on it.
#[derive(Debug)]
pub(super) struct TlsStream(StreamOwned<ClientConnection, Wire>);

impl TlsSessions {
    /// Shakes hands.
    pub(super) fn connect(&self, settings: &Settings, host: &str, mut wire: Wire) -> Result<TlsStream, PostError> {
        let tls = |text: String| PostError::new(PostErrorKind::Tls, text);
        let config = self.config(settings)?;
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| tls(format!("{host} cannot be the name of a TLS server")))?;
        let mut connection =
            ClientConnection::new(config, name).map_err(|error| describe(&error, &settings.ca_file))?;
        wire.deadline = Some(Instant::now() + settings.timeout);
        while connection.is_handshaking() {
            connection.complete_io(&mut wire).map_err(|error| {
                explain(&error, &settings.ca_file).unwrap_or_else(|| match error.kind() {
                    io::ErrorKind::TimedOut => {
                        PostError::new(PostErrorKind::Timeout, "the ACS did not finish the TLS handshake in time")
                    }
                    _ => tls(format!("the connection broke during the TLS handshake: {error}")),
                })
            })?;
        }
        Ok(TlsStream(StreamOwned::new(connection, wire)))
    }

    fn config(&self, settings: &Settings) -> Result<Arc<ClientConfig>, PostError> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let inputs = Inputs::of(settings);
        if let Some(kept) = kept.as_ref().filter(|kept| kept.inputs == inputs) {
            *kept.time.lock() = settings.clock;
            return Ok(Arc::clone(&kept.config));
        }
        let time = Arc::new(BestTime(Mutex::new(settings.clock)));
        let config = Arc::new(build(settings, &time)?);
        *kept = Some(Kept { inputs, config: Arc::clone(&config), time });
        Ok(config)
    }
}

impl TlsStream {
    pub(super) fn wire(&mut self) -> &mut Wire {
        &mut self.0.sock
    }

    /// Says goodbye as far as that goes without waiting.
    pub(super) fn close(&mut self) {
        self.0.sock.deadline = None;
        self.0.conn.send_close_notify();
        // The connection is over either way.
        let _ = self.0.conn.write_tls(&mut self.0.sock);
    }
}

impl Read for TlsStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for TlsStream {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.0.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// The time of the running session; `None` while it is not known.
#[derive(Debug)]
struct BestTime(Mutex<Option<u64>>);

impl BestTime {
    fn lock(&self) -> MutexGuard<'_, Option<u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TimeProvider for BestTime {
    fn current_time(&self) -> Option<UnixTime> {
        Some(unix_time(self.lock().unwrap_or(0)))
    }
}

fn unix_time(seconds: u64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}

fn build(settings: &Settings, time: &Arc<BestTime>) -> Result<ClientConfig, PostError> {
    let tls = |text: String| PostError::new(PostErrorKind::Tls, text);
    let unusable = |error: rustls::Error| tls(format!("TLS cannot be set up: {error}"));
    let provider = provider()?;
    let algorithms = provider.signature_verification_algorithms;
    let chain = if settings.verify {
        let roots = Arc::new(read_roots(&settings.ca_file)?);
        let verifier = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider))
            .build()
            .map_err(|error| tls(format!("{} cannot be used: {error}", settings.ca_file.display())))?;
        Some(verifier)
    } else {
        None
    };
    let verifier = Verifier { chain, algorithms, time: Arc::clone(time), ca_file: settings.ca_file.clone() };
    let builder = ClientConfig::builder_with_details(provider, Arc::clone(time) as Arc<dyn TimeProvider>)
        .with_safe_default_protocol_versions()
        .map_err(unusable)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = match (&settings.client_cert, &settings.client_key) {
        (Some(certificate), Some(key)) => {
            let (chain, key_der) = (read_certificates(certificate)?, read_key(key)?);
            let (certificate, key) = (certificate.display(), key.display());
            builder
                .with_client_auth_cert(chain, key_der)
                .map_err(|error| tls(format!("client_cert {certificate} and client_key {key} do not work: {error}")))?
        }
        (None, None) => builder.with_no_client_auth(),
        _ => return Err(tls("client_cert and client_key are only of use together".into())),
    };
    config.resumption = Resumption::in_memory_sessions(MOST_SERVERS);
    Ok(config)
}

#[cfg(feature = "ring")]
fn provider() -> Result<Arc<CryptoProvider>, PostError> {
    Ok(Arc::new(rustls::crypto::ring::default_provider()))
}

/// The provider that the process installed.
#[cfg(not(feature = "ring"))]
fn provider() -> Result<Arc<CryptoProvider>, PostError> {
    CryptoProvider::get_default()
        .cloned()
        .ok_or_else(|| PostError::new(PostErrorKind::Tls, "this cwmpd is built without cryptography for TLS"))
}

fn read(path: &Path) -> Result<Vec<u8>, PostError> {
    let unreadable =
        |reason: String| PostError::new(PostErrorKind::Tls, format!("cannot read {}: {reason}", path.display()));
    let mut text = Vec::new();
    let file = fs::File::open(path).map_err(|error| unreadable(error.to_string()))?;
    file.take(LARGEST_FILE + 1).read_to_end(&mut text).map_err(|error| unreadable(error.to_string()))?;
    if u64::try_from(text.len()).unwrap_or(u64::MAX) > LARGEST_FILE {
        return Err(unreadable("it is too large".into()));
    }
    Ok(text)
}

/// The certificates of a bundle that can be used; a bundle often has one that is too old or too new for that.
fn read_roots(path: &Path) -> Result<RootCertStore, PostError> {
    let text = read(path).map_err(|error| {
        PostError::new(
            error.kind,
            format!("{error}; https needs the CA certificates: install ca-bundle or set ca_file"),
        )
    })?;
    let mut roots = RootCertStore::empty();
    let mut skipped = 0_usize;
    for certificate in CertificateDer::pem_slice_iter(&text) {
        if certificate.ok().and_then(|certificate| roots.add(certificate).ok()).is_none() {
            skipped += 1;
        }
    }
    if skipped > 0 {
        log::debug!("{}: {} certificates, and {skipped} that cannot be read", path.display(), roots.len());
    }
    if roots.is_empty() {
        let text = format!("{} contains no usable CA certificate (it must be PEM)", path.display());
        return Err(PostError::new(PostErrorKind::Tls, text));
    }
    Ok(roots)
}

fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, PostError> {
    let text = read(path)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match chain {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        _ => Err(PostError::new(PostErrorKind::Tls, format!("{} is not a certificate in PEM", path.display()))),
    }
}

fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, PostError> {
    PrivateKeyDer::from_pem_slice(&read(path)?).map_err(|_| {
        PostError::new(PostErrorKind::Tls, format!("{} is not a private key in PEM without a password", path.display()))
    })
}

/// Judges the certificate of the ACS.
#[derive(Debug)]
struct Verifier {
    /// `None`: any certificate will do.
    chain: Option<Arc<WebPkiServerVerifier>>,
    algorithms: WebPkiSupportedAlgorithms,
    time: Arc<BestTime>,
    ca_file: PathBuf,
}

impl Verifier {
    /// A certificate that vouches for itself may stand in the file of the CAs; `openssl req -x509` marks it as one of a CA, and so it is refused as a
    /// server's. Whoever put it there means this very server: the dates are judged by then, what is left is the name.
    fn or_configured(
        &self,
        verdict: Result<ServerCertVerified, rustls::Error>,
        certificate: &CertificateDer<'_>,
        name: &ServerName<'_>,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if !verdict.as_ref().is_err_and(is_ca_as_server) {
            return verdict;
        }
        let known = read(&self.ca_file).is_ok_and(|text| {
            CertificateDer::pem_slice_iter(&text).any(|known| known.is_ok_and(|it| it == *certificate))
        });
        if !known {
            return verdict;
        }
        verify_server_name(&ParsedCertificate::try_from(certificate)?, name)?;
        Ok(ServerCertVerified::assertion())
    }
}

fn is_ca_as_server(error: &rustls::Error) -> bool {
    matches!(error, rustls::Error::InvalidCertificate(CertificateError::Other(reason)) if reason.to_string() == CA_AS_SERVER)
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Some(chain) = &self.chain else { return Ok(ServerCertVerified::assertion()) };
        let verify = |now| {
            let verdict = chain.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
            self.or_configured(verdict, end_entity, server_name)
        };
        if let Some(now) = *self.time.lock() {
            return verify(unix_time(now));
        }
        // The time is not known, so the dates must not count (T-20). Signatures and names cannot be checked without a time, so that
        // one is taken at which the whole chain was valid: starting from the beginning of time, each certificate that is not valid
        // yet moves it to its own first second. There it ends, unless the certificates were never valid at the same time.
        let mut now = unix_time(0);
        let mut verdict = verify(now);
        for _ in 0..LONGEST_CHAIN {
            let Err(rustls::Error::InvalidCertificate(CertificateError::NotValidYetContext { not_before, .. })) =
                &verdict
            else {
                break;
            };
            now = *not_before;
            verdict = verify(now);
        }
        verdict
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// What a failure of TLS means for a person; `None` for one of the connection beneath.
pub(super) fn explain(error: &io::Error, ca_file: &Path) -> Option<PostError> {
    error.get_ref()?.downcast_ref().map(|error| describe(error, ca_file))
}

fn describe(error: &rustls::Error, ca_file: &Path) -> PostError {
    const DAY: u64 = 86_400;
    let text = match error {
        error if is_ca_as_server(error) => format!(
            "the certificate of the ACS is one of a CA, such as one that vouches for itself; if it is the right one, add it to {}",
            ca_file.display()
        ),
        rustls::Error::InvalidCertificate(problem) => match problem {
            CertificateError::NotValidForNameContext { expected, presented } => {
                let names = if presented.is_empty() { "no name at all".to_owned() } else { presented.join(", ") };
                format!(
                    "the certificate of the ACS is for {names}, not for {}: only the names in its subjectAltName count, \
                     its common name (CN) is not used",
                    expected.to_str()
                )
            }
            CertificateError::ExpiredContext { time, not_after } => format!(
                "a certificate of the ACS expired {} days ago by the clock of this router",
                time.as_secs().saturating_sub(not_after.as_secs()) / DAY
            ),
            CertificateError::NotValidYetContext { time, not_before } => format!(
                "a certificate of the ACS becomes valid only in {} days by the clock of this router",
                not_before.as_secs().saturating_sub(time.as_secs()) / DAY
            ),
            CertificateError::UnknownIssuer => format!(
                "no CA in {} vouches for the certificate of the ACS; if it is the right one, add its CA to ca_file",
                ca_file.display()
            ),
            other => format!("the certificate of the ACS is not good: {other}"),
        },
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            "what answers at the https URL does not speak TLS".to_owned()
        }
        rustls::Error::AlertReceived(alert) => {
            format!(
                "the ACS refused TLS ({alert:?}); it may want a client certificate, or a version older than TLS 1.2"
            )
        }
        rustls::Error::PeerIncompatible(reason) => {
            format!("the ACS offers no TLS 1.2 or 1.3 with algorithms that are safe ({reason:?})")
        }
        other => format!("TLS failed: {other}"),
    };
    PostError::new(PostErrorKind::Tls, text)
}
