//! The way to the ACS over TLS, against real TLS servers with certificates made for each case.

#![cfg(feature = "ring")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

#[path = "common/http_server.rs"]
mod http_server;
#[path = "common/tls.rs"]
mod tls;

use cwmpd::acs::{
    Cancel, Client, Compression, PostError, PostErrorKind, Reply, Request, Resolve, Settings, TlsSessions,
};
use http_server::{Act, Received, Server, Stream, reply};
use rustls::{HandshakeKind, ServerConfig, ServerConnection, StreamOwned};
use std::io::{self, Cursor, ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;
use tempfile::TempDir;
use tls::{Ca, Identity, NOT_AFTER, NOT_BEFORE};

const HOST: &str = "acs.example.com";
const GOOD_TIME: u64 = 1_700_000_000;

/// Every name is this machine.
#[derive(Debug)]
struct Here;

impl Resolve for Here {
    fn resolve(&self, _: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        Ok(vec![SocketAddr::from((Ipv4Addr::LOCALHOST, port))])
    }
}

/// What a TLS server saw of a handshake.
#[derive(Clone, Debug)]
struct Seen {
    name: Option<String>,
    resumed: bool,
    version: rustls::ProtocolVersion,
    client: Option<Vec<u8>>,
}

struct TlsServer {
    http: Server,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl TlsServer {
    fn start(config: Arc<ServerConfig>, script: impl FnMut(&Received) -> Act + Send + 'static) -> Self {
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let log = Arc::clone(&seen);
        let wrap = move |mut stream: TcpStream| {
            let mut connection = ServerConnection::new(Arc::clone(&config)).map_err(io::Error::other)?;
            while connection.is_handshaking() {
                match connection.complete_io(&mut stream) {
                    Err(error) if !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                        return Err(error);
                    }
                    _ => {}
                }
            }
            log.lock().unwrap().push(Seen {
                name: connection.server_name().map(str::to_owned),
                resumed: connection.handshake_kind() == Some(HandshakeKind::Resumed),
                version: connection.protocol_version().unwrap(),
                client: connection.peer_certificates().map(|chain| chain[0].to_vec()),
            });
            Ok(Box::new(StreamOwned::new(connection, stream)) as Box<dyn Stream>)
        };
        Self { http: Server::start_at(IpAddr::V4(Ipv4Addr::LOCALHOST), wrap, script).unwrap(), seen }
    }

    fn url(&self, host: &str) -> String {
        format!("https://{host}:{}/acs", self.http.address.port())
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

/// A CA whose certificate is in a file, and the settings that go with it.
struct Lab {
    ca: Ca,
    directory: TempDir,
}

impl Lab {
    fn new() -> Self {
        let lab = Self { ca: Ca::new("Lab CA"), directory: tempfile::tempdir().unwrap() };
        lab.write("ca.pem", &lab.ca.pem());
        lab
    }

    fn write(&self, name: &str, text: &str) -> std::path::PathBuf {
        let path = self.directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn settings(&self, url: String) -> Settings {
        Settings {
            url,
            username: "user".into(),
            password: "secret".into(),
            ca_file: self.directory.path().join("ca.pem"),
            client_cert: None,
            client_key: None,
            verify: true,
            timeout: Duration::from_secs(20),
            basic_over_http: false,
            max_envelope: 1 << 20,
            compression: Compression::None,
            resolver: Arc::new(Here),
            clock: Some(GOOD_TIME),
            bind_device: None,
            user_agent: "cwmpd/test".into(),
        }
    }

    /// One POST to a server with this certificate, by this name.
    fn try_it(&self, identity: &Identity, host: &str, change: impl Fn(&mut Settings)) -> Result<Reply, PostError> {
        let server = TlsServer::start(identity.server(None), |_| ok());
        let mut settings = self.settings(server.url(host));
        change(&mut settings);
        let result = post(&settings, &TlsSessions::default());
        if result.is_err() {
            assert!(server.http.received().is_empty(), "nothing is said to a server that is not the right one");
        }
        result
    }
}

fn ok() -> Act {
    reply("200 OK", &[], b"hello")
}

fn post(settings: &Settings, sessions: &TlsSessions) -> Result<Reply, PostError> {
    let mut client = Client::new(settings, sessions, &Cancel::new().unwrap())?;
    client.post(Request { body: Some(&mut Cursor::new("<inform/>")), content_encoding: None })
}

/// The text of a failure of TLS.
fn refusal(result: Result<Reply, PostError>) -> String {
    let error = result.expect_err("should be refused");
    assert_eq!(error.kind, PostErrorKind::Tls, "{error}");
    let text = error.to_string();
    assert!(!text.contains('\n') && !text.contains("secret"));
    text
}

#[test]
fn t18_t23_a_certificate_of_a_configured_ca_is_taken() {
    let lab = Lab::new();
    let server = TlsServer::start(lab.ca.issue(&[HOST]).server(None), |_| ok());
    let sessions = TlsSessions::default();
    let mut client = Client::new(&lab.settings(server.url(HOST)), &sessions, &Cancel::new().unwrap()).unwrap();
    for _ in 0..3 {
        assert_eq!(client.post(Request::default()).unwrap().body, b"hello");
    }
    assert_eq!(server.http.connections(), 1, "late tickets of the server do not look like stray bytes");
    let seen = &server.seen()[0];
    assert_eq!(seen.name.as_deref(), Some(HOST));
    assert_eq!(seen.version, rustls::ProtocolVersion::TLSv1_3);
}

/// A server that speaks TLS 1.2 only.
fn tls_12(identity: &Identity) -> Arc<ServerConfig> {
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(identity.key.serialize_der());
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS12])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(identity.chain.clone(), key.into())
        .unwrap();
    Arc::new(config)
}

#[test]
fn t18_tls_12_is_spoken_too() {
    let lab = Lab::new();
    let server = TlsServer::start(tls_12(&lab.ca.issue(&[HOST])), |_| ok());
    let (settings, sessions) = (lab.settings(server.url(HOST)), TlsSessions::default());
    for _ in 0..2 {
        assert_eq!(post(&settings, &sessions).unwrap().status, 200);
    }
    assert_eq!(server.seen()[0].version, rustls::ProtocolVersion::TLSv1_2);
    assert!(server.seen()[1].resumed);
}

#[test]
fn t18_an_unknown_ca_is_refused() {
    let lab = Lab::new();
    let text = refusal(lab.try_it(&Ca::new("Someone else").issue(&[HOST]), HOST, |_| {}));
    assert!(text.contains("ca_file") && text.contains("ca.pem"), "{text}");
}

#[test]
fn t18_t19_t20_a_certificate_that_vouches_for_itself_is_taken_where_it_is_configured() {
    let lab = Lab::new();
    let identity = Identity::of_itself(&[HOST]);
    let at = |host, clock| lab.try_it(&identity, host, |settings| settings.clock = clock);
    for clock in [Some(GOOD_TIME), None] {
        let text = refusal(at(HOST, clock));
        assert!(text.contains("vouches for itself") && text.contains("ca.pem"), "{text}");
    }
    lab.write("ca.pem", &format!("{}{}", lab.ca.pem(), identity.pem()));
    for clock in [Some(GOOD_TIME), None] {
        assert_eq!(at(HOST, clock).unwrap().status, 200);
        assert!(refusal(at("two.example.com", clock)).contains("subjectAltName"));
    }
    assert!(refusal(at(HOST, Some(NOT_AFTER + 10 * 86_400))).contains("expired 10 days ago"));
    // Another key with the same names is another server.
    refusal(lab.try_it(&Identity::of_itself(&[HOST]), HOST, |_| {}));
}

#[test]
fn t18_a_chain_with_an_intermediate_is_checked() {
    let lab = Lab::new();
    let middle = lab.ca.intermediate("Middle", (2020, 2030));
    let mut identity = middle.issue(&[HOST]);
    refusal(lab.try_it(&identity, HOST, |_| {}));
    identity.chain.push(middle.der());
    assert_eq!(lab.try_it(&identity, HOST, |_| {}).unwrap().status, 200);
}

/// Keeps what it reads.
struct Recorder(TcpStream, Arc<Mutex<Vec<u8>>>);

impl Read for Recorder {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let amount = self.0.read(buffer)?;
        self.1.lock().unwrap().extend_from_slice(&buffer[..amount]);
        Ok(amount)
    }
}

impl Write for Recorder {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.0.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// In TLS each write is a record of its own, so that they can be counted, and in TLS 1.2 all records of this type are ours.
#[test]
fn head_and_body_go_out_in_one_write() {
    const APPLICATION_DATA: u8 = 23;
    let lab = Lab::new();
    let (config, bytes) = (tls_12(&lab.ca.issue(&[HOST])), Arc::<Mutex<Vec<u8>>>::default());
    let log = Arc::clone(&bytes);
    let wrap = move |stream: TcpStream| {
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        let connection = ServerConnection::new(Arc::clone(&config)).map_err(io::Error::other)?;
        Ok(Box::new(StreamOwned::new(connection, Recorder(stream, Arc::clone(&log)))) as Box<dyn Stream>)
    };
    let server = Server::start_at(IpAddr::V4(Ipv4Addr::LOCALHOST), wrap, |_| ok()).unwrap();
    let settings = lab.settings(format!("https://{HOST}:{}/", server.address.port()));
    assert_eq!(post(&settings, &TlsSessions::default()).unwrap().status, 200);
    let bytes = bytes.lock().unwrap();
    let (mut rest, mut records) = (&bytes[..], 0);
    while let [kind, _, _, high, low, after @ ..] = rest {
        records += usize::from(*kind == APPLICATION_DATA);
        rest = &after[usize::from(*high) << 8 | usize::from(*low)..];
    }
    assert_eq!(records, 1);
}

#[test]
fn t19_the_name_must_be_in_the_subject_alt_name() {
    let lab = Lab::new();
    for names in [&["other.example.com", "*.example.org"][..], &[], &["127.0.0.1"]] {
        let identity = lab.ca.issue_for(names, HOST, (2020, 2030));
        for clock in [Some(GOOD_TIME), None] {
            let text = refusal(lab.try_it(&identity, HOST, |settings| settings.clock = clock));
            assert!(text.contains("subjectAltName") && text.contains("(CN)") && text.contains(HOST), "{text}");
        }
    }
    assert_eq!(lab.try_it(&lab.ca.issue(&["*.example.com"]), HOST, |_| {}).unwrap().status, 200);
    assert_eq!(lab.try_it(&lab.ca.issue(&["127.0.0.1"]), "127.0.0.1", |_| {}).unwrap().status, 200);
    refusal(lab.try_it(&lab.ca.issue(&[HOST]), "127.0.0.1", |_| {}));
}

#[test]
fn t19_after_a_redirect_the_name_of_the_new_url_counts() {
    let lab = Lab::new();
    let second = TlsServer::start(lab.ca.issue(&["two.example.com"]).server(None), |_| ok());
    for (name, fits) in [("two.example.com", true), (HOST, false)] {
        let location = format!("Location: {}", second.url(name));
        let first =
            TlsServer::start(lab.ca.issue(&[HOST]).server(None), move |_| reply("307 Elsewhere", &[&location], b""));
        let result = post(&lab.settings(first.url(HOST)), &TlsSessions::default());
        if fits { assert_eq!(result.unwrap().status, 200) } else { drop(refusal(result)) }
    }
}

#[test]
fn t20_dates_count_once_the_time_is_known() {
    let lab = Lab::new();
    let identity = lab.ca.issue(&[HOST]);
    let at = |clock| lab.try_it(&identity, HOST, |settings| settings.clock = clock);
    assert_eq!(at(Some(NOT_BEFORE + 1)).unwrap().status, 200);
    assert_eq!(at(Some(NOT_AFTER - 1)).unwrap().status, 200);
    assert!(refusal(at(Some(NOT_AFTER + 10 * 86_400))).contains("expired 10 days ago"));
    assert!(refusal(at(Some(NOT_BEFORE - 10 * 86_400))).contains("valid only in 10 days"));
    refusal(at(Some(0)));
    assert_eq!(at(None).unwrap().status, 200, "not known: dates are not checked");
    refusal(at(Some(u64::MAX)));
}

#[test]
fn t20_an_unknown_time_excuses_nothing_but_dates() {
    let lab = Lab::new();
    let unknown = |settings: &mut Settings| settings.clock = None;
    let expired = lab.ca.issue_for(&[HOST], "x", (2021, 2022));
    assert_eq!(lab.try_it(&expired, HOST, unknown).unwrap().status, 200);
    refusal(lab.try_it(&expired, HOST, |_| {}));
    refusal(lab.try_it(&Ca::new("Lab CA").issue(&[HOST]), HOST, unknown));

    // Each certificate of the chain moves the time on to its own beginning.
    let middle = lab.ca.intermediate("Middle", (2024, 2026));
    let mut identity = middle.issue_for(&[HOST], "x", (2022, 2025));
    identity.chain.push(middle.der());
    assert_eq!(lab.try_it(&identity, HOST, unknown).unwrap().status, 200);
    let mut never = middle.issue_for(&[HOST], "x", (2021, 2023));
    never.chain.push(middle.der());
    refusal(lab.try_it(&never, HOST, unknown));
}

#[test]
fn t20_a_session_that_ignored_dates_is_not_resumed_once_they_count() {
    let lab = Lab::new();
    let server = TlsServer::start(lab.ca.issue_for(&[HOST], "x", (2021, 2022)).server(None), |_| ok());
    let sessions = TlsSessions::default();
    let unknown = Settings { clock: None, ..lab.settings(server.url(HOST)) };
    post(&unknown, &sessions).unwrap();
    post(&unknown, &sessions).unwrap();
    assert!(server.seen()[1].resumed);
    let text = refusal(post(&lab.settings(server.url(HOST)), &sessions));
    assert!(text.contains("expired"), "{text}");
}

#[test]
fn t21_s6_there_is_no_way_from_https_to_http() {
    let lab = Lab::new();
    let plain = Server::start(|_| ok());
    // TLS that fails is not followed by a plain connection.
    let address = plain.address;
    let url = format!("https://{HOST}:{}/", address.port());
    let hasty = Settings { timeout: Duration::from_millis(300), ..lab.settings(url) };
    assert_eq!(post(&hasty, &TlsSessions::default()).unwrap_err().kind, PostErrorKind::Timeout);
    assert!(plain.received().is_empty());
    assert_eq!(plain.connections(), 1);

    let location = format!("Location: http://{address}/");
    let secure = TlsServer::start(lab.ca.issue(&[HOST]).server(None), move |_| reply("302 Found", &[&location], b""));
    let error = post(&lab.settings(secure.url(HOST)), &TlsSessions::default()).unwrap_err();
    assert_eq!(error.kind, PostErrorKind::Redirect, "{error}");
    assert_eq!(plain.connections(), 1);
}

#[test]
fn t22_a_client_certificate_is_shown_when_there_is_one() {
    let lab = Lab::new();
    let server = TlsServer::start(lab.ca.issue(&[HOST]).server(Some(&lab.ca)), |_| ok());
    let text = refusal(post(&lab.settings(server.url(HOST)), &TlsSessions::default()));
    assert!(text.contains("client certificate"), "{text}");

    let own = lab.ca.issue_for(&[], "00D09E-Router-1", (2020, 2030));
    let (certificate, key) = (lab.write("own.pem", &own.pem()), lab.write("own.key", &own.key.serialize_pem()));
    let with = Settings {
        client_cert: Some(certificate.clone()),
        client_key: Some(key.clone()),
        ..lab.settings(server.url(HOST))
    };
    let sessions = TlsSessions::default();
    assert_eq!(post(&with, &sessions).unwrap().status, 200);
    assert_eq!(server.seen().last().unwrap().client.as_deref(), Some(&own.chain[0][..]));

    let junk = lab.write("junk.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    let other = lab.write("other.key", &Ca::new("x").issue(&[]).key.serialize_pem());
    for (client_cert, client_key) in [
        (Some(certificate.clone()), None),
        (Some(certificate.clone()), Some(other)),
        (Some(certificate.clone()), Some(certificate)),
        (Some(junk), Some(key.clone())),
        (Some(key.clone()), Some(key.clone())),
        (Some(lab.directory.path().join("missing")), Some(key)),
    ] {
        refusal(post(&Settings { client_cert, client_key, ..with.clone() }, &sessions));
    }
}

#[test]
fn sessions_are_resumed_as_long_as_the_settings_stay() {
    let lab = Lab::new();
    let server = TlsServer::start(lab.ca.issue(&[HOST]).server(None), |_| ok());
    let (settings, sessions) = (lab.settings(server.url(HOST)), TlsSessions::default());
    for clock in [GOOD_TIME, GOOD_TIME + 3600, GOOD_TIME + 7200] {
        post(&Settings { clock: Some(clock), ..settings.clone() }, &sessions.clone()).unwrap();
    }
    assert_eq!(server.seen().iter().map(|seen| seen.resumed).collect::<Vec<_>>(), [false, true, true]);
    lab.write("ca.pem", &format!("{}{}", Ca::new("Another").pem(), lab.ca.pem()));
    post(&settings, &sessions).unwrap();
    assert!(!server.seen()[3].resumed, "other CAs");
    lab.write("ca.pem", &Ca::new("Only another one, with a long name").pem());
    refusal(post(&settings, &sessions));
}

#[test]
fn s6_without_verification_any_certificate_will_do() {
    let lab = Lab::new();
    let identity = Ca::new("Someone").issue_for(&["elsewhere"], "x", (2021, 2022));
    let lax = |settings: &mut Settings| {
        settings.verify = false;
        settings.ca_file = "/nonexistent/ca.pem".into();
    };
    assert_eq!(lab.try_it(&identity, HOST, lax).unwrap().status, 200);

    // The signature of the handshake still has to be that of the certificate.
    let mut stolen = Ca::new("Thief").issue(&[HOST]);
    stolen.chain = lab.ca.issue(&[HOST]).chain;
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(stolen.key.serialize_der());
    refused_raw(&lab, stolen.chain, key.into(), lax);
}

/// A server with a key and a certificate that rustls itself would not put together.
fn refused_raw(
    lab: &Lab,
    chain: Vec<rustls::pki_types::CertificateDer<'static>>,
    key: rustls::pki_types::PrivateKeyDer<'static>,
    change: impl Fn(&mut Settings),
) {
    #[derive(Debug)]
    struct Always(Arc<rustls::sign::CertifiedKey>);
    impl rustls::server::ResolvesServerCert for Always {
        fn resolve(&self, _: rustls::server::ClientHello<'_>) -> Option<Arc<rustls::sign::CertifiedKey>> {
            Some(Arc::clone(&self.0))
        }
    }
    let key = rustls::crypto::ring::sign::any_supported_type(&key).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Always(Arc::new(rustls::sign::CertifiedKey::new(chain, key)))));
    let server = TlsServer::start(Arc::new(config), |_| ok());
    let mut settings = lab.settings(server.url(HOST));
    change(&mut settings);
    refusal(post(&settings, &TlsSessions::default()));
    assert!(server.http.received().is_empty());
}

#[test]
fn malformed_certificates_are_refused() {
    let lab = Lab::new();
    let good = lab.ca.issue(&[HOST]);
    let key = || rustls::pki_types::PrivatePkcs8KeyDer::from(good.key.serialize_der()).into();
    let mut broken = good.chain[0].to_vec();
    broken.truncate(broken.len() / 2);
    for certificate in [broken, vec![0x30, 0x84, 0xff, 0xff, 0xff, 0xff], b"no DER".to_vec(), vec![1]] {
        for (clock, verify) in [(Some(GOOD_TIME), true), (None, true), (None, false)] {
            refused_raw(&lab, vec![certificate.clone().into()], key(), |settings| {
                settings.clock = clock;
                settings.verify = verify;
            });
        }
    }
}

#[test]
fn ca_files_that_cannot_be_used_are_told_for_https_only() {
    let lab = Lab::new();
    let identity = lab.ca.issue(&[HOST]);
    let with =
        |ca_file: std::path::PathBuf| lab.try_it(&identity, HOST, |settings| settings.ca_file.clone_from(&ca_file));
    let text = refusal(with(lab.directory.path().join("missing.pem")));
    assert!(text.contains("missing.pem") && text.contains("ca-bundle"), "{text}");
    for (name, content) in [
        ("empty.pem", ""),
        ("text.pem", "hello"),
        ("bad.pem", "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n"),
    ] {
        assert!(refusal(with(lab.write(name, content))).contains(name));
    }
    refusal(with(lab.directory.path().to_owned()));
    let mixed = format!(
        "# comment\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n{}",
        lab.ca.pem()
    );
    assert_eq!(with(lab.write("mixed.pem", &mixed)).unwrap().status, 200, "single ones are skipped");

    let plain = Server::start(|_| ok());
    let mut settings = lab.settings(plain.url("/"));
    settings.ca_file = lab.directory.path().join("missing.pem");
    assert_eq!(post(&settings, &TlsSessions::default()).unwrap().status, 200);
}

#[test]
fn a_peer_without_tls_is_told_apart() {
    let lab = Lab::new();
    for bytes in [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], b"\x16\x03\x03", b"", b"\x15\x03\x03\x00\x02\x02\x28"] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://{HOST}:{}/", listener.local_addr().unwrap().port());
        let peer = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            assert!(stream.read(&mut [0; 4096]).unwrap() > 0);
            stream.write_all(bytes).unwrap();
        });
        refusal(post(&lab.settings(url), &TlsSessions::default()));
        peer.join().unwrap();
    }
}

#[test]
fn t25_a_handshake_that_stalls_is_given_up() {
    let lab = Lab::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{HOST}:{}/", listener.local_addr().unwrap().port());
    let hasty = Settings { timeout: Duration::from_millis(300), ..lab.settings(url) };
    let error = post(&hasty, &TlsSessions::default()).unwrap_err();
    assert_eq!(error.kind, PostErrorKind::Timeout, "{error}");
}

#[test]
fn t13_basic_over_tls_needs_no_permission() {
    let lab = Lab::new();
    let script = |request: &Received| match request.header("Authorization") {
        Some("Basic dXNlcjpzZWNyZXQ=") => ok(),
        _ => reply("401 Unauthorized", &["WWW-Authenticate: Basic realm=\"x\""], b""),
    };
    let server = TlsServer::start(lab.ca.issue(&[HOST]).server(None), script);
    let mut client =
        Client::new(&lab.settings(server.url(HOST)), &TlsSessions::default(), &Cancel::new().unwrap()).unwrap();
    assert_eq!(client.post(Request::default()).unwrap().status, 200);
    assert!(!client.used_basic_without_tls());

    // Another host may have it where the whole way there was safe, and not where someone could have pointed there.
    let location = format!("Location: {}", server.url(HOST));
    let there = location.clone();
    let first =
        TlsServer::start(lab.ca.issue(&["one.example.com"]).server(None), move |_| reply("302 Found", &[&there], b""));
    assert_eq!(post(&lab.settings(first.url("one.example.com")), &TlsSessions::default()).unwrap().status, 200);
    let plain = Server::start(move |_| reply("302 Found", &[&location], b""));
    let settings = Settings { basic_over_http: true, ..lab.settings(plain.url("/")) };
    assert_eq!(post(&settings, &TlsSessions::default()).unwrap_err().kind, PostErrorKind::Unauthorized);
}

#[test]
fn large_messages_pass_and_cut_ones_are_noticed() {
    let lab = Lab::new();
    let body = b"0123456789abcdef".repeat(40_000);
    let echo = |request: &Received| reply("200 OK", &[], &request.body);
    let server = TlsServer::start(lab.ca.issue(&[HOST]).server(None), echo);
    let mut client =
        Client::new(&lab.settings(server.url(HOST)), &TlsSessions::default(), &Cancel::new().unwrap()).unwrap();
    let answer = client.post(Request { body: Some(&mut Cursor::new(&body)), content_encoding: None }).unwrap();
    assert!(answer.body == body);

    let cut = |_: &Received| Act::SendAndClose(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc".to_vec());
    let server = TlsServer::start(lab.ca.issue(&[HOST]).server(None), cut);
    let error = post(&lab.settings(server.url(HOST)), &TlsSessions::default()).unwrap_err();
    assert_eq!(error.kind, PostErrorKind::Unreachable, "{error}");
}

#[test]
fn t07_a_tls_connection_that_was_closed_is_made_anew() {
    let lab = Lab::new();
    let server = TlsServer::start(lab.ca.issue(&[HOST]).server(None), |_| {
        Act::SendAndClose(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na".to_vec())
    });
    let mut client =
        Client::new(&lab.settings(server.url(HOST)), &TlsSessions::default(), &Cancel::new().unwrap()).unwrap();
    for number in 1..=3 {
        assert_eq!(client.post(Request::default()).unwrap().body, b"a");
        assert_eq!(server.http.received().len(), number);
    }
    assert!(server.seen()[2].resumed);
}
