//! Files over HTTP and HTTPS: what a file server may do, and what the ACS is told of it (CONFORMANCE F-14, F-16, F-17, F-25).

#![cfg(feature = "ring")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

#[path = "common/http_server.rs"]
mod http_server;
#[path = "common/tls.rs"]
mod tls;

use std::cell::RefCell;
use std::fs;
use std::io::{self, Cursor, ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use cwmpd::acs::{Body, Cancel, Compression, Resolve, Settings, TlsSessions};
use cwmpd::auth::digest;
use cwmpd::transfer::Trouble;
use cwmpd::transfer::fetch::{FileBody, Remote, discard, download, upload};
use http_server::{Act, Received, Server, Stream, reply};
use rustls::{ServerConnection, StreamOwned};
use tempfile::TempDir;
use tls::{Ca, Identity};

const HOST: &str = "files.example.com";
const USER: &str = "router";
const SECRET: &str = "s3cret";

/// Key generation takes a while, so all tests share these.
static CA: LazyLock<Ca> = LazyLock::new(|| Ca::new("Lab CA"));
static SERVER: LazyLock<Identity> = LazyLock::new(|| CA.issue(&[HOST]));

/// Every name is this machine, except one that is nowhere.
#[derive(Debug)]
struct Here;

impl Resolve for Here {
    fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        match host {
            "nowhere.example.com" => Err(io::Error::other("no such name")),
            // An address where nothing answers, before or after the one that does.
            "two.example.com" => {
                Ok(vec![SocketAddr::from((Ipv4Addr::new(127, 0, 0, 2), port)), (Ipv4Addr::LOCALHOST, port).into()])
            }
            _ => Ok(vec![SocketAddr::from((Ipv4Addr::LOCALHOST, port))]),
        }
    }
}

/// A place for files, and the settings to get them.
struct Lab {
    directory: TempDir,
    settings: Settings,
}

impl Lab {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("ca.pem"), CA.pem()).unwrap();
        let settings = Settings {
            url: "http://the.acs.example/".into(),
            username: "the-acs".into(),
            password: "not-for-files".into(),
            ca_file: directory.path().join("ca.pem"),
            client_cert: None,
            client_key: None,
            verify: true,
            timeout: Duration::from_secs(20),
            basic_over_http: true,
            max_envelope: 10,
            compression: Compression::Gzip,
            resolver: Arc::new(Here),
            clock: Some(1_700_000_000),
            bind_device: None,
            user_agent: "cwmpd/test".into(),
        };
        Self { directory, settings }
    }

    fn impatient() -> Self {
        let mut lab = Self::new();
        lab.settings.timeout = Duration::from_millis(150);
        lab
    }

    fn file(&self) -> PathBuf {
        self.directory.path().join("download")
    }

    fn content(&self) -> Vec<u8> {
        fs::read(self.file()).unwrap()
    }

    fn get(&self, url: &str, size: usize) -> Result<u64, Trouble> {
        self.get_as(url, (USER, SECRET), size)
    }

    fn get_as(&self, url: &str, (username, password): (&str, &str), size: usize) -> Result<u64, Trouble> {
        let (sessions, cancel) = (TlsSessions::default(), Cancel::new().unwrap());
        let remote = Remote { url, username, password };
        let size = u32::try_from(size).unwrap();
        let result = download(&self.settings, &sessions, &cancel, &remote, size, &self.file(), &|_, _| {});
        result.map_err(without_secrets)
    }

    fn put(&self, url: &str, body: &mut dyn Body) -> Result<(), Trouble> {
        let (sessions, cancel) = (TlsSessions::default(), Cancel::new().unwrap());
        let remote = Remote { url, username: USER, password: SECRET };
        upload(&self.settings, &sessions, &cancel, &remote, body, &|_, _| {}).map_err(without_secrets)
    }

    /// What lies beside the certificate of the CA.
    fn left(&self) -> Vec<String> {
        let names = fs::read_dir(self.directory.path()).unwrap().map(|entry| entry.unwrap().file_name());
        names.map(|name| name.into_string().unwrap()).filter(|name| name != "ca.pem").collect()
    }
}

fn without_secrets(trouble: Trouble) -> Trouble {
    let text = &trouble.text;
    assert!(!text.contains(SECRET) && !text.contains('\n') && text.len() > 10, "{text}");
    assert!(!text.contains("ACS"), "it is not the ACS that is meant: {text}");
    trouble
}

fn code<T: std::fmt::Debug>(result: Result<T, Trouble>) -> u16 {
    result.expect_err("should fail").code.0
}

fn serve(tls: bool, script: impl FnMut(&Received) -> Act + Send + 'static) -> Server {
    serve_with(if tls { Some(&SERVER) } else { None }, script)
}

fn serve_with(identity: Option<&Identity>, script: impl FnMut(&Received) -> Act + Send + 'static) -> Server {
    let config = identity.map(|identity| identity.server(None));
    let wrap = move |mut stream: TcpStream| {
        let Some(config) = &config else { return Ok(Box::new(stream) as Box<dyn Stream>) };
        let mut connection = ServerConnection::new(Arc::clone(config)).map_err(io::Error::other)?;
        while connection.is_handshaking() {
            match connection.complete_io(&mut stream) {
                Err(error) if !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    return Err(error);
                }
                _ => {}
            }
        }
        Ok(Box::new(StreamOwned::new(connection, stream)) as Box<dyn Stream>)
    };
    Server::start_at(IpAddr::V4(Ipv4Addr::LOCALHOST), wrap, script).unwrap()
}

fn url(server: &Server, tls: bool, path: &str) -> String {
    let scheme = if tls { "https" } else { "http" };
    format!("{scheme}://{HOST}:{}{path}", server.address.port())
}

fn ok(body: &[u8]) -> Act {
    reply("200 OK", &[], body)
}

/// Without its last bytes, and then the end of the connection.
fn cut(act: Act, missing: usize) -> Act {
    let Act::Send(bytes) = act else { panic!("not a whole answer") };
    Act::SendAndClose(bytes[..bytes.len() - missing].to_vec())
}

/// The part of this file that a request wants, by its `Range` and `If-Range`.
fn ranged(request: &Received, body: &[u8], etag: &str) -> Act {
    let tag = format!("ETag: {etag}");
    let wanted = request.header("Range").filter(|_| request.header("If-Range") == Some(etag));
    let Some(first) = wanted.and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse::<usize>().ok())
    else {
        return reply("200 OK", &[&tag], body);
    };
    if first >= body.len() {
        return reply("416 Range Not Satisfiable", &[&format!("Content-Range: bytes */{}", body.len())], b"");
    }
    let range = format!("Content-Range: bytes {first}-{}/{}", body.len() - 1, body.len());
    reply("206 Partial Content", &[&tag, &range], &body[first..])
}

fn sample(length: usize) -> Vec<u8> {
    (0..length).map(|i| u8::try_from((i * 7 + i / 256) % 251).unwrap()).collect()
}

/// What a server does, FileSize, and the fault code.
type Row = (&'static str, fn(&Received) -> Act, usize, u16);

const FAULTS: &[Row] = &[
    ("403", |_| reply("403 Forbidden", &[], b"no"), 0, 9016),
    ("404", |_| reply("404 Not Found", &[], b"<html>"), 0, 9016),
    ("410", |_| reply("410 Gone", &[], b""), 0, 9016),
    ("401 without a challenge", |_| reply("401 Unauthorized", &[], b""), 0, 9012),
    (
        "401 for ever",
        |_| reply("401 Unauthorized", &["WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\""], b""),
        0,
        9012,
    ),
    ("400", |_| reply("400 Bad Request", &[], b""), 0, 9010),
    ("407", |_| reply("407 Proxy Authentication Required", &[], b""), 0, 9010),
    ("500", |_| reply("500 Internal Server Error", &[], b""), 0, 9010),
    ("503", |_| reply("503 Service Unavailable", &["Retry-After: 5"], b""), 0, 9010),
    ("204", |_| Act::Send(b"HTTP/1.1 204 No Content\r\n\r\n".to_vec()), 0, 9010),
    ("a part that nobody asked for", |_| reply("206 Partial Content", &["Content-Range: bytes 2-3/4"], b"ab"), 0, 9010),
    ("not HTTP", |_| Act::SendAndClose(b"220 ftp.example.com ready\r\n".to_vec()), 0, 9010),
    ("the connection ends at once", |_| Act::SendAndClose(Vec::new()), 0, 9017),
    ("cut off in the head", |_| cut(ok(b"content"), 15), 0, 9017),
    ("cut off in the body", |_| cut(ok(b"content"), 3), 0, 9017),
    (
        "cut off in a chunk",
        |_| Act::SendAndClose(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nabc".to_vec()),
        0,
        9017,
    ),
    ("cut off without a length", |_| Act::SendAndClose(b"HTTP/1.0 200 OK\r\n\r\nabc".to_vec()), 7, 9017),
    (
        "a length beyond what comes",
        |_| Act::SendAndClose(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nabc".to_vec()),
        0,
        9017,
    ),
    (
        "chunks that are none",
        |_| Act::SendAndClose(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nabc\r\n".to_vec()),
        0,
        9010,
    ),
    ("longer than FileSize", |_| ok(b"content!"), 7, 9018),
    ("shorter than FileSize", |_| ok(b"content"), 8, 9018),
    (
        "more chunks than FileSize",
        |_| {
            Act::Send(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n4\r\nefgh\r\n0\r\n\r\n".to_vec(),
            )
        },
        7,
        9018,
    ),
    (
        "fewer chunks than FileSize",
        |_| Act::Send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n".to_vec()),
        7,
        9018,
    ),
    (
        "another checksum",
        |_| reply("200 OK", &["Repr-Digest: sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=:"], b"abd"),
        3,
        9018,
    ),
    ("another MD5", |_| reply("200 OK", &["Content-MD5: kAFQmDzST7DWlj99KOF/cg=="], b"abd"), 0, 9018),
    ("redirects for ever", |_| reply("302 Found", &["Location: /again"], b""), 0, 9010),
    ("redirects to nowhere", |_| reply("302 Found", &[], b""), 0, 9010),
    ("redirects to another protocol", |_| reply("302 Found", &["Location: ftp://a/b"], b""), 0, 9010),
    (
        "redirects to a name that is unknown",
        |_| reply("302 Found", &["Location: //nowhere.example.com/b"], b""),
        0,
        9015,
    ),
    (
        "a length beyond any space",
        |_| Act::SendAndClose(b"HTTP/1.1 200 OK\r\nContent-Length: 9000000000000000\r\n\r\nabc".to_vec()),
        0,
        9010,
    ),
];

#[test]
fn f14_each_behaviour_of_a_file_server_has_its_fault() {
    for tls in [false, true] {
        for (name, script, size, wanted) in FAULTS {
            let (lab, server) = (Lab::new(), serve(tls, *script));
            let trouble = lab.get(&url(&server, tls, "/fw"), *size).expect_err(name);
            assert_eq!(trouble.code.0, *wanted, "{name}, TLS {tls}: {}", trouble.text);
            assert!(lab.left().is_empty(), "{name}: nothing stays of what nobody can use: {:?}", lab.left());
        }
    }
}

#[test]
fn f14_a_server_that_cannot_be_reached_is_9015() {
    let lab = Lab::impatient();
    // Nobody accepts there any more.
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for scheme in ["http", "https"] {
        assert_eq!(code(lab.get(&format!("{scheme}://{closed}/fw"), 0)), 9015);
        assert_eq!(code(lab.get(&format!("{scheme}://nowhere.example.com/fw"), 0)), 9015);
    }
    assert_eq!(code(lab.put(&format!("http://{closed}/fw"), &mut Cursor::new("x"))), 9015);
}

#[test]
fn f14_a_server_without_proper_tls_is_9015() {
    let (lab, impatient) = (Lab::new(), Lab::impatient());
    let plain = serve(false, |_| ok(b"content"));
    assert_eq!(code(lab.get(&url(&plain, true, "/fw"), 0)), 9015, "no TLS at all");
    let stranger = Ca::new("Somebody else").issue(&[HOST]);
    let server = serve_with(Some(&stranger), |_| ok(b"content"));
    assert_eq!(code(lab.get(&url(&server, true, "/fw"), 0)), 9015, "an unknown CA");
    let other = CA.issue(&["other.example.com"]);
    let server = serve_with(Some(&other), |_| ok(b"content"));
    assert_eq!(code(lab.get(&url(&server, true, "/fw"), 0)), 9015, "another name");
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent_url = format!("https://{}/fw", silent.local_addr().unwrap());
    assert_eq!(code(impatient.get(&silent_url, 0)), 9015, "a handshake that never ends");
}

#[test]
fn f14_a_server_that_stalls_is_9017() {
    for tls in [false, true] {
        for bytes in [
            "",
            "HTTP/1.1 200",
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
        ] {
            let mut lab = Lab::impatient();
            lab.settings.timeout = Duration::from_millis(400);
            let server = serve(tls, {
                let mut first = true;
                move |_| {
                    // Sent in two acts, because the server only holds what it has not answered.
                    if std::mem::take(&mut first) && !bytes.is_empty() { Act::Send(bytes.into()) } else { Act::Hold }
                }
            });
            let begin = Instant::now();
            assert_eq!(code(lab.get(&url(&server, tls, "/fw"), 0)), 9017, "{bytes:?}");
            assert!(begin.elapsed() < Duration::from_secs(10));
        }
    }
}

/// It always sends something in time, and would never end.
#[test]
fn f14_a_server_that_drips_is_9017() {
    let lab = Lab::impatient();
    let server =
        serve(false, |_| Act::Drip(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\nETag: \"a\"\r\n\r\n".to_vec()));
    assert_eq!(code(lab.get(&url(&server, false, "/fw"), 0)), 9017);
    assert_eq!(server.connections(), 1, "another try would not be faster");
}

/// Nobody wants what a redirect says besides where it leads.
#[test]
fn f17_a_redirect_that_drips_is_followed_in_time() {
    let mut lab = Lab::new();
    lab.settings.timeout = Duration::from_millis(500);
    let server = serve(false, |request| match request.target() {
        "/fw" => Act::Drip(b"HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 60000\r\n\r\n".to_vec()),
        _ => ok(b"content"),
    });
    let begin = Instant::now();
    assert_eq!(lab.get(&url(&server, false, "/fw"), 7), Ok(7));
    assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
}

/// For each of its bytes: a server that always ends there, and gives out no parts.
#[test]
fn f14_a_connection_may_end_at_every_byte() {
    let Act::Send(whole) = ok(b"content") else { panic!("not a whole answer") };
    let lab = Lab::new();
    for end in 0..whole.len() {
        let bytes = whole[..end].to_vec();
        let server = serve(false, move |_| Act::SendAndClose(bytes.clone()));
        assert_eq!(code(lab.get(&url(&server, false, "/fw"), 7)), 9017, "byte {end}");
        assert!(lab.left().is_empty());
    }
}

#[test]
fn f17_a_download_that_was_cut_goes_on_at_every_byte() {
    for tls in [false, true] {
        let body = sample(if tls { 12 } else { 60 });
        for end in 0..body.len() {
            let lab = Lab::new();
            let server = serve(tls, {
                let body = body.clone();
                let mut first = true;
                move |request| {
                    let act = ranged(request, &body, "\"v1\"");
                    if std::mem::take(&mut first) { cut(act, body.len() - end) } else { act }
                }
            });
            let result = lab.get(&url(&server, tls, "/fw"), body.len());
            if end == 0 {
                // Nothing came, so the server is taken for one that has nothing.
                assert_eq!(code(result), 9017);
                continue;
            }
            assert_eq!(result, Ok(body.len() as u64), "byte {end}");
            assert_eq!(lab.content(), body);
            assert_eq!(lab.left(), ["download"]);
            let again = &server.received()[1];
            assert_eq!(again.header("Range"), Some(format!("bytes={end}-").as_str()));
            assert_eq!(again.header("If-Range"), Some("\"v1\""));
        }
    }
}

#[test]
fn f17_a_download_goes_on_only_while_it_comes_on() {
    let lab = Lab::impatient();
    let body = sample(1000);
    // Ten bytes each time: too many times.
    let server = serve(false, {
        let body = body.clone();
        move |request| {
            let act = ranged(request, &body, "\"v1\"");
            let Act::Send(bytes) = &act else { panic!("not a whole answer") };
            let head = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
            let missing = bytes.len() - head - 10;
            cut(act, missing)
        }
    });
    let address = url(&server, false, "/fw");
    assert_eq!(code(lab.get(&address, 0)), 9017);
    assert_eq!(server.received().len(), 6);
    assert_eq!(fs::metadata(lab.file()).unwrap().len(), 60, "what has come stays for another try");
    // A later try, perhaps after a restart of the agent, goes on.
    assert_eq!(code(lab.get(&address, 0)), 9017);
    assert_eq!(server.received()[6].header("Range"), Some("bytes=60-"));
    // Another file has nothing to do with it.
    assert_eq!(code(lab.get(&url(&server, false, "/other"), 0)), 9017);
    assert_eq!(server.received()[12].header("Range"), None);
    discard(&lab.file());
    assert!(lab.left().is_empty());
}

#[test]
fn f17_a_file_that_changed_meanwhile_is_fetched_anew() {
    let (old, new) = (sample(100), vec![b'n'; 80]);
    for honest in [true, false] {
        let lab = Lab::new();
        let server = serve(false, {
            let (old, new) = (old.clone(), new.clone());
            let mut count = 0;
            move |request| {
                count += 1;
                match count {
                    1 => cut(ranged(request, &old, "\"v1\""), 30),
                    // It knows nothing of If-Range, and its part is of another place.
                    2 if !honest => reply("206 Partial Content", &["Content-Range: bytes 60-79/80"], &new[60..]),
                    _ => ranged(request, &new, "\"v2\""),
                }
            }
        });
        assert_eq!(lab.get(&url(&server, false, "/fw"), 0), Ok(80), "honest {honest}");
        assert_eq!(lab.content(), new);
    }
}

/// It is the whole that counts, and not the part that came last.
#[test]
fn f14_the_checksum_of_a_file_that_came_in_parts_is_that_of_the_whole() {
    for (good, digest) in [
        (true, "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="),
        (false, "AAAAv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="),
    ] {
        let lab = Lab::new();
        let server = serve(false, move |request| {
            let digest = format!("Repr-Digest: sha-256=:{digest}:");
            match request.header("Range") {
                None => cut(reply("200 OK", &["ETag: \"1\"", &digest], b"abc"), 2),
                Some(_) => reply("206 Partial Content", &["Content-Range: bytes 1-2/3", &digest], b"bc"),
            }
        });
        let result = lab.get(&url(&server, false, "/fw"), 3);
        assert_eq!(result.as_ref().map_err(|trouble| trouble.code.0), if good { Ok(&3) } else { Err(9018) });
    }
}

#[test]
fn f17_a_rest_that_is_beyond_the_end_is_fetched_anew() {
    let lab = Lab::new();
    let server = serve(false, {
        let mut count = 0;
        move |request| {
            count += 1;
            if count == 1 {
                cut(ranged(request, &sample(100), "\"v1\""), 30)
            } else {
                ranged(request, b"short", "\"v1\"")
            }
        }
    });
    assert_eq!(lab.get(&url(&server, false, "/fw"), 0), Ok(5));
    assert_eq!(lab.content(), b"short");
}

#[test]
fn f14_files_of_every_length_and_form_arrive_whole() {
    for tls in [false, true] {
        for length in [0, 1, 16 * 1024, 16 * 1024 + 1, 1_500_000] {
            let body = sample(length);
            let mut chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
            for piece in body.chunks(70_000) {
                chunked.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
                chunked.extend_from_slice(piece);
                chunked.extend_from_slice(b"\r\n");
            }
            chunked.extend_from_slice(b"0\r\n\r\n");
            let mut acts = vec![ok(&body), Act::Send(chunked)];
            if !tls {
                acts.push(Act::SendAndClose([b"HTTP/1.0 200 OK\r\n\r\n", body.as_slice()].concat()));
            }
            let lab = Lab::new();
            let mut acts = acts.into_iter();
            let count = acts.len();
            let server = serve(tls, move |_| acts.next().unwrap_or(Act::Hold));
            for _ in 0..count {
                assert_eq!(lab.get(&url(&server, tls, "/fw"), length), Ok(length as u64));
                assert!(lab.content() == body, "{length} bytes");
            }
        }
    }
}

#[test]
fn t27_f16_credentials_are_used_only_when_the_server_asks() {
    let lab = Lab::new();
    let server = serve(false, |_| ok(b"content"));
    lab.get(&url(&server, false, "/fw?x=1"), 0).unwrap();
    let request = &server.received()[0];
    assert_eq!(request.line, "GET /fw?x=1 HTTP/1.1");
    assert_eq!(request.header("Authorization"), None);
    assert_eq!(request.header("Accept-Encoding"), Some("identity"));
    assert_eq!(request.header("Host"), Some(format!("{HOST}:{}", server.address.port()).as_str()));
    assert_eq!(request.headers.len(), 3, "nothing else: {:?}", request.headers);

    let basic = |request: &Received| match request.header("Authorization") {
        Some("Basic cm91dGVyOnMzY3JldA==") => ok(b"content"),
        Some(_) => reply("403 Forbidden", &[], b""),
        None => reply("401 Unauthorized", &["WWW-Authenticate: Basic realm=\"files\""], b"<html>"),
    };
    for tls in [false, true] {
        let server = serve(tls, basic);
        assert_eq!(lab.get(&url(&server, tls, "/fw"), 0), Ok(7));
        assert_eq!(code(lab.get_as(&url(&server, tls, "/fw"), ("", ""), 0)), 9012, "empty: there are none");
    }
    let mut careful = Lab::new();
    careful.settings.basic_over_http = false;
    let server = serve(false, basic);
    assert_eq!(code(careful.get(&url(&server, false, "/fw"), 0)), 9012);
}

#[test]
fn t27_f16_digest_is_answered_for_its_method() {
    let server = serve(false, |request| {
        let Some(header) = request.header("Authorization") else {
            return reply(
                "401 Unauthorized",
                &["WWW-Authenticate: Digest realm=\"files\", nonce=\"abc\", qop=\"auth\", algorithm=MD5"],
                b"",
            );
        };
        let method = request.line.split(' ').next().unwrap();
        let given = digest::parse_authorization(header).unwrap();
        let challenge =
            digest::parse_challenges("Digest realm=\"files\", nonce=\"abc\", qop=\"auth\", algorithm=MD5").remove(0);
        let wanted = digest::answer(&challenge, (USER, SECRET), (method, request.target()), 1, &given.cnonce);
        if given.response == wanted.response { ok(b"content") } else { reply("403 Forbidden", &[], b"") }
    });
    let lab = Lab::new();
    assert_eq!(lab.get(&url(&server, false, "/fw"), 0), Ok(7));
    assert_eq!(lab.put(&url(&server, false, "/log"), &mut Cursor::new(sample(50_000))), Ok(()));
    assert_eq!(server.received()[3].body, sample(50_000), "the whole file again after the challenge");
}

#[test]
fn f17_redirects_of_all_kinds_are_followed() {
    for (status, times) in [("301", 1), ("302", 5), ("303", 2), ("307", 3), ("308", 1)] {
        let lab = Lab::new();
        let server = serve(false, move |request| {
            let step: usize = request.target().trim_start_matches('/').parse().unwrap();
            if step == times { ok(b"content") } else { reply(status, &[&format!("Location: /{}", step + 1)], b"gone") }
        });
        assert_eq!(lab.get(&url(&server, false, "/0"), 7), Ok(7), "{status}");
    }
    let lab = Lab::new();
    let (plain, secure) = (serve(false, |_| ok(b"content")), serve(true, |_| ok(b"content")));
    let to_secure = format!("Location: {}", url(&secure, true, "/fw"));
    let up = serve(false, move |_| reply("302 Found", &[&to_secure], b""));
    assert_eq!(lab.get(&url(&up, false, "/fw"), 0), Ok(7), "http to https");
    let to_plain = format!("Location: {}", url(&plain, false, "/fw"));
    let down = serve(true, move |_| reply("302 Found", &[&to_plain], b""));
    assert_eq!(code(lab.get(&url(&down, true, "/fw"), 0)), 9010, "https to http is refused");
    assert!(plain.received().is_empty());
}

#[test]
fn f17_a_password_does_not_follow_a_redirect_to_another_host() {
    let lab = Lab::new();
    let other = serve(false, |_| reply("401 Unauthorized", &["WWW-Authenticate: Basic realm=\"files\""], b""));
    let location = format!("Location: http://other.example.com:{}/fw", other.address.port());
    let server = serve(false, move |_| reply("302 Found", &[&location], b""));
    assert_eq!(code(lab.get(&url(&server, false, "/fw"), 0)), 9012);
    assert!(other.received().iter().all(|request| request.header("Authorization").is_none()));
}

#[test]
fn f14_all_addresses_of_a_name_are_tried_and_ipv6_is_an_address() {
    let lab = Lab::new();
    let server = serve(false, |_| ok(b"content"));
    assert_eq!(lab.get(&format!("http://two.example.com:{}/fw", server.address.port()), 0), Ok(7));
    let wrap = |stream| Ok(Box::new(stream) as Box<dyn Stream>);
    match Server::start_at(IpAddr::V6(Ipv6Addr::LOCALHOST), wrap, |_| ok(b"content")) {
        Ok(server) => assert_eq!(lab.get(&server.url("/fw"), 0), Ok(7)),
        Err(error) => println!("skipped: no IPv6 here: {error}"),
    }
}

#[test]
fn s4_the_file_is_private_and_not_where_somebody_else_wants_it() {
    let server =
        serve(false, |_| reply("200 OK", &["Content-Disposition: attachment; filename=\"/etc/passwd\""], b"content"));
    let lab = Lab::new();
    // A link that somebody has put there, and a file that everybody can write.
    let victim = lab.directory.path().join("victim");
    fs::write(&victim, "precious").unwrap();
    symlink(&victim, lab.file()).unwrap();
    lab.get(&url(&server, false, "/fw"), 0).unwrap();
    assert_eq!(fs::read(&victim).unwrap(), b"precious");
    assert!(!fs::symlink_metadata(lab.file()).unwrap().is_symlink());
    fs::set_permissions(lab.file(), fs::Permissions::from_mode(0o666)).unwrap();
    let before = fs::metadata(lab.file()).unwrap().ino();
    let keep_open = fs::File::open(lab.file()).unwrap();
    lab.get(&url(&server, false, "/fw"), 0).unwrap();
    let after = fs::metadata(lab.file()).unwrap();
    assert_eq!((after.mode() & 0o777, after.ino() == before), (0o600, false));
    drop(keep_open);
    assert_eq!(lab.left().len(), 2, "no file of a name that the server chose: {:?}", lab.left());
}

/// In the middle of the file, and while TLS is being made.
#[test]
fn f23_a_transfer_can_be_cancelled_at_any_time() {
    let server = serve(false, |_| Act::Drip(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n".to_vec()));
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    for begun in [true, false] {
        let address =
            if begun { url(&server, false, "/fw") } else { format!("https://{}/fw", silent.local_addr().unwrap()) };
        let (lab, cancel) = (Lab::new(), Cancel::new().unwrap());
        let (seen, started) = mpsc::channel();
        let (result, time) = thread::scope(|scope| {
            let worker = scope.spawn(|| {
                let remote = Remote { url: &address, username: "", password: "" };
                let note = |done, _| {
                    if done > 0 {
                        seen.send(()).unwrap();
                    }
                };
                download(&lab.settings, &TlsSessions::default(), &cancel, &remote, 0, &lab.file(), &note)
            });
            // The connection stays open.
            let _peer = if begun {
                started.recv_timeout(Duration::from_secs(20)).unwrap();
                None
            } else {
                Some(silent.accept().unwrap())
            };
            let begin = Instant::now();
            cancel.cancel();
            (worker.join().unwrap(), begin.elapsed())
        });
        let trouble = result.unwrap_err();
        assert_eq!((trouble.code.0, trouble.text.as_str()), (9010, "the transfer was cancelled"));
        assert!(time < Duration::from_secs(5), "{time:?}");
    }
}

#[test]
fn progress_is_told_to_the_last_byte() {
    let lab = Lab::new();
    let server = serve(false, |_| ok(&sample(100_000)));
    let seen = RefCell::new(Vec::new());
    let address = url(&server, false, "/fw");
    let remote = Remote { url: &address, username: "", password: "" };
    let (sessions, cancel) = (TlsSessions::default(), Cancel::new().unwrap());
    let note = |done, all| seen.borrow_mut().push((done, all));
    download(&lab.settings, &sessions, &cancel, &remote, 0, &lab.file(), &note).unwrap();
    let down = seen.take();
    assert_eq!((down[0], down.last().copied()), ((0, Some(100_000)), Some((100_000, Some(100_000)))));
    assert!(down.is_sorted());
    upload(&lab.settings, &sessions, &cancel, &remote, &mut FileBody::open(&lab.file()).unwrap(), &note).unwrap();
    assert_eq!(seen.take().last(), Some(&(100_000, Some(100_000))));
}

#[test]
fn f25_an_upload_is_a_put_and_every_2xx_is_success() {
    for tls in [false, true] {
        for status in ["200 OK", "201 Created", "204 No Content", "299 Fine"] {
            let lab = Lab::new();
            let server = serve(tls, move |_| {
                Act::Send(
                    format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n")
                        .replace(
                            "Content-Length: 0\r\n",
                            if status.starts_with("204") { "" } else { "Content-Length: 0\r\n" },
                        )
                        .into_bytes(),
                )
            });
            lab.put(&url(&server, tls, "/up/config.tar.gz"), &mut Cursor::new(sample(200_000))).unwrap();
            let request = &server.received()[0];
            assert_eq!(request.line, "PUT /up/config.tar.gz HTTP/1.1");
            assert_eq!(request.header("Content-Length"), Some("200000"));
            assert_eq!(request.header("Content-Type"), Some("application/octet-stream"));
            assert!(request.body == sample(200_000));
        }
    }
    let (lab, server) = (Lab::new(), serve(false, |_| ok(b"")));
    lab.put(&url(&server, false, "/empty"), &mut Cursor::new("")).unwrap();
    assert_eq!(server.received()[0].header("Content-Length"), Some("0"));
}

#[test]
fn f14_each_failure_of_an_upload_has_its_fault() {
    let rows: &[Row] = &[
        ("403", |_| reply("403 Forbidden", &[], b""), 100, 9016),
        ("404", |_| reply("404 Not Found", &[], b""), 100, 9016),
        ("401", |_| reply("401 Unauthorized", &[], b""), 100, 9012),
        ("405", |_| reply("405 Method Not Allowed", &[], b""), 100, 9011),
        ("413", |_| reply("413 Content Too Large", &[], b""), 100, 9011),
        ("500", |_| reply("500 Internal Server Error", &[], b""), 100, 9011),
        ("303", |_| reply("303 See Other", &["Location: /there"], b""), 100, 9011),
        ("redirects for ever", |_| reply("307 Temporary Redirect", &["Location: /again"], b""), 100, 9011),
        ("the connection ends", |_| Act::SendAndClose(Vec::new()), 100, 9011),
        ("nonsense", |_| Act::SendAndClose(b"what?\r\n\r\n".to_vec()), 100, 9011),
    ];
    for tls in [false, true] {
        for (name, script, length, wanted) in rows {
            let (lab, server) = (Lab::new(), serve(tls, *script));
            let result = lab.put(&url(&server, tls, "/up"), &mut Cursor::new(sample(*length)));
            assert_eq!(code(result), *wanted, "{name}, TLS {tls}");
        }
    }
    let (lab, server) = (Lab::impatient(), serve(false, |_| Act::Hold));
    assert_eq!(code(lab.put(&url(&server, false, "/up"), &mut Cursor::new("x"))), 9011);
}

/// A file that became shorter since its length was taken.
#[test]
fn f14_a_file_that_cannot_be_read_ends_the_upload() {
    struct Shrunk;
    impl Read for Shrunk {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Ok(0)
        }
    }
    impl Body for Shrunk {
        fn len(&self) -> u64 {
            10
        }
        fn rewind(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let (lab, server) = (Lab::new(), serve(false, |_| ok(b"")));
    assert_eq!(code(lab.put(&url(&server, false, "/up"), &mut Shrunk)), 9011);
}

/// Slow in the middle, and answering before all of it came.
#[test]
fn f25_an_answer_before_the_end_of_an_upload_counts() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Arc::new(Mutex::new(0));
    let count = Arc::clone(&seen);
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut stream = stream;
            let mut buffer = [0; 1024];
            *count.lock().unwrap() += stream.read(&mut buffer).unwrap();
            let _ = stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
    });
    let lab = Lab::new();
    let result = lab.put(&format!("http://{address}/up"), &mut Cursor::new(sample(3_000_000)));
    // The rest of the upload may have reset the connection before the answer was read.
    assert!(matches!(code(result), 9016 | 9011));
    assert!(*seen.lock().unwrap() > 0);
}

/// Only this thread is measured, and the server is another one.
#[test]
fn memory_stays_flat_while_downloading() {
    let highest = |length: usize| {
        let (lab, server) = (Lab::new(), serve(false, move |_| ok(&vec![b'x'; length])));
        let address = url(&server, false, "/fw");
        let measured = allocation_counter::measure(|| {
            assert_eq!(lab.get(&address, length), Ok(length as u64));
        });
        measured.bytes_max
    };
    let (short, long) = (highest(100_000), highest(20_000_000));
    assert!(long < short + 4096 && long < 200_000, "{short} bytes for the short one, {long} for the long one");
}
