//! The way to the ACS over http: every rule of CONFORMANCE section 1 that is the client's, against real sockets.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

#[path = "common/http_server.rs"]
mod http_server;

use cwmpd::acs::{
    Cancel, Client, Compression, PostError, PostErrorKind, Reply, Request, Resolve, Settings, SystemResolver,
    TlsSessions,
};
use cwmpd::auth::digest::{self, Algorithm, Authorization, Challenge};
use flate2::Compression as Level;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use http_server::{Act, Received, Server, reply};
use std::io::{self, Cursor, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

const USER: &str = "00D09E-Router-1";
const SECRET: &str = "p\"ss, w\\rd";

fn settings(url: String) -> Settings {
    Settings {
        url,
        username: USER.into(),
        password: SECRET.into(),
        ca_file: "/nonexistent/ca.pem".into(),
        client_cert: None,
        client_key: None,
        verify: true,
        timeout: Duration::from_secs(20),
        basic_over_http: true,
        max_envelope: 1 << 20,
        compression: Compression::None,
        resolver: Arc::new(SystemResolver),
        clock: Some(1_800_000_000),
        bind_device: None,
        user_agent: "cwmpd/test".into(),
    }
}

fn open(settings: &Settings) -> Client {
    Client::new(settings, &TlsSessions::default(), &Cancel::new().unwrap()).unwrap()
}

fn client(server: &Server) -> Client {
    open(&settings(server.url("/acs")))
}

fn post(client: &mut Client, body: &str) -> Result<Reply, PostError> {
    client.post(Request { body: Some(&mut Cursor::new(body)), content_encoding: None })
}

fn post_empty(client: &mut Client) -> Result<Reply, PostError> {
    client.post(Request::default())
}

fn failure(result: Result<Reply, PostError>) -> PostErrorKind {
    let error = result.expect_err("should fail");
    let text = error.to_string();
    assert!(!text.contains(SECRET) && !text.contains('\n') && text.len() > 10, "{text}");
    error.kind
}

fn ok() -> Act {
    reply("200 OK", &["Content-Type: text/xml"], b"<answer/>")
}

#[test]
fn t01_t03_a_message_is_a_post_with_these_headers() {
    let server = Server::answers([ok()]);
    let mut client = client(&server);
    let answer = post(&mut client, "<inform/>").unwrap();
    assert_eq!((answer.status, answer.body.as_slice(), answer.retry_after), (200, &b"<answer/>"[..], None));
    let request = &server.received()[0];
    assert_eq!(request.line, "POST /acs HTTP/1.1");
    assert_eq!(request.header("Content-Type"), Some("text/xml; charset=\"utf-8\""));
    assert_eq!(request.header("SOAPAction"), Some(""));
    assert_eq!(request.header("Content-Length"), Some("9"));
    assert_eq!(request.header("Host"), Some(server.address.to_string().as_str()));
    assert_eq!(request.header("User-Agent"), Some("cwmpd/test"));
    assert_eq!(request.headers.len(), 5, "nothing else, no Expect above all: {:?}", request.headers);
    assert_eq!(request.body, b"<inform/>");
    assert_eq!(client.local_address(), Some(IpAddr::V4(Ipv4Addr::LOCALHOST)));
}

#[test]
fn t04_the_empty_post_says_only_that_it_is_empty() {
    let server = Server::answers([reply("204 No Content", &[], b"")]);
    assert_eq!(post_empty(&mut client(&server)).unwrap().status, 204);
    let request = &server.received()[0];
    assert_eq!(request.header("Content-Length"), Some("0"));
    assert!(!request.headers.iter().any(|(name, _)| name.to_lowercase().starts_with("content-type")));
    assert!(!request.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("soapaction")));
}

#[test]
fn t05_both_forms_of_no_request_are_an_empty_body() {
    let plain = Act::Send(b"HTTP/1.1 204 No Content\r\n\r\n".to_vec());
    let server = Server::answers([plain, reply("200 OK", &[], b""), ok()]);
    let mut client = client(&server);
    for status in [204, 200] {
        let answer = post_empty(&mut client).unwrap();
        assert_eq!((answer.status, answer.body.len()), (status, 0));
    }
    assert_eq!(post(&mut client, "x").unwrap().body, b"<answer/>");
    assert_eq!(server.connections(), 1, "one connection a session");
}

#[test]
fn t06_chunks_of_one_byte_and_headers_in_any_case() {
    let mut bytes = b"HTTP/1.1 200 OK\r\ntRANSFER-eNCODING: chunked\r\nSET-cookie: a=1\r\n\r\n".to_vec();
    let body = "<InformResponse/>".repeat(50);
    for byte in body.bytes() {
        bytes.extend_from_slice(&[b'1', b'\r', b'\n', byte, b'\r', b'\n']);
    }
    bytes.extend_from_slice(b"0\r\n\r\n");
    let server = Server::answers([Act::Send(bytes), reply("200 OK", &["content-TYPE: text/xml"], b"y")]);
    let mut client = client(&server);
    assert_eq!(post(&mut client, "x").unwrap().body, body.as_bytes());
    assert_eq!(post(&mut client, "x").unwrap().body, b"y");
    assert_eq!(server.received()[1].header("Cookie"), Some("a=1"));
    assert_eq!(server.connections(), 1);
}

#[test]
fn t07_the_session_outlives_its_connections() {
    let last = |bytes: &[u8]| Act::SendAndClose(bytes.to_vec());
    let server = Server::answers([
        last(b"HTTP/1.1 200 OK\r\nConnection: close\r\nSet-Cookie: s=1\r\nContent-Length: 1\r\n\r\na"),
        last(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nb"),
        last(b"HTTP/1.0 200 OK\r\n\r\nc"),
        last(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nd"),
    ]);
    let mut client = client(&server);
    for (number, body) in (1..).zip(["a", "b", "c", "d"]) {
        assert_eq!(post(&mut client, body).unwrap().body, body.as_bytes());
        let request = server.received().last().unwrap().clone();
        assert_eq!((request.connection, request.body.as_slice()), (number, body.as_bytes()));
        assert_eq!(request.header("Cookie"), (number > 1).then_some("s=1"), "goes on with the cookies");
    }
    assert_eq!(server.received().len(), 4, "each message once");
}

#[test]
fn t07_a_kept_connection_that_breaks_unheard_costs_one_more_try() {
    let server = Server::start(|request| match (request.connection, request.body.as_slice()) {
        (1, b"second") | (_, b"doomed") => Act::SendAndClose(Vec::new()),
        _ => ok(),
    });
    let mut client = client(&server);
    assert_eq!(post(&mut client, "first").unwrap().status, 200);
    assert_eq!(post(&mut client, "second").unwrap().status, 200);
    assert_eq!(server.connections(), 2);
    assert_eq!(failure(post(&mut client, "doomed")), PostErrorKind::Unreachable);
    let doomed = server.received().iter().filter(|request| request.body == b"doomed").count();
    assert_eq!(doomed, 2, "once on the kept connection, once on a new one");
}

#[test]
fn t07_a_new_connection_that_breaks_is_not_tried_again() {
    for bytes in [&b""[..], b"HTTP/1.1 2", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n1234"] {
        let server = Server::answers([Act::SendAndClose(bytes.to_vec())]);
        assert_eq!(failure(post(&mut client(&server), "x")), PostErrorKind::Unreachable);
        assert_eq!(server.received().len(), 1);
    }
}

#[test]
fn t08_t09_cookies_live_as_long_as_the_session() {
    let server = Server::answers([
        reply(
            "200 OK",
            &["Set-Cookie: a=1", "Set-Cookie: b=2; Path=/acs; HttpOnly", "set-cookie: c=3; Domain=example.com"],
            b"",
        ),
        reply("200 OK", &["Set-Cookie: a=changed", "Set-Cookie: b=; Path=/acs; Max-Age=0", "Set-Cookie: d=4"], b""),
        ok(),
        ok(),
    ]);
    let cookie = |number: usize| server.received()[number].header("Cookie").map(str::to_owned);
    let settings = settings(server.url("/acs"));
    let mut first = open(&settings);
    for _ in 0..3 {
        post(&mut first, "x").unwrap();
    }
    first.close();
    post(&mut open(&settings), "x").unwrap();
    assert_eq!(cookie(0), None);
    assert_eq!(cookie(1).as_deref(), Some("b=2; a=1"));
    assert_eq!(cookie(2).as_deref(), Some("a=changed; d=4"));
    assert_eq!(cookie(3), None, "a new session starts without");
}

/// Redirects `/0` to `/1` and so on, up to `/last`.
fn chain(last: u32) -> Server {
    Server::start(move |request| {
        let step: u32 = request.target()[1..].parse().unwrap();
        if step == last {
            return ok();
        }
        let status = ["302 Found", "307 Temporary Redirect", "301 Moved", "308 Moved"][step as usize % 4];
        reply(status, &[&format!("Location: /{}", step + 1)], b"<html>moved</html>")
    })
}

#[test]
fn t10_five_redirects_are_followed_with_the_same_post() {
    let server = chain(5);
    let mut client = open(&settings(server.url("/0")));
    assert_eq!(post(&mut client, "<same/>").unwrap().status, 200);
    let received = server.received();
    assert_eq!(received.len(), 6);
    for (step, request) in received.iter().enumerate() {
        assert_eq!(request.line, format!("POST /{step} HTTP/1.1"));
        assert_eq!(request.body, b"<same/>");
        assert_eq!(request.header("SOAPAction"), Some(""));
    }
    assert_eq!(server.connections(), 1);
}

#[test]
fn t10_s11_the_sixth_redirect_fails() {
    let server = chain(6);
    assert_eq!(failure(post(&mut open(&settings(server.url("/0"))), "x")), PostErrorKind::TooManyRedirects);
    assert_eq!(server.received().len(), 6);
}

#[test]
fn t11_a_redirect_holds_for_the_session_and_no_longer() {
    let second = Server::start(|_| reply("200 OK", &["Set-Cookie: there=1"], b""));
    let location = format!("Location: {}", second.url("/moved?x=1"));
    let first = Server::start(move |_| reply("302 Found", &["Set-Cookie: here=1; Path=/acs", &location], b""));
    let settings = settings(first.url("/acs"));
    let mut client = open(&settings);
    post(&mut client, "1").unwrap();
    post(&mut client, "2").unwrap();
    assert_eq!(first.received().len(), 1);
    let targets: Vec<_> = second.received().iter().map(|request| request.target().to_owned()).collect();
    assert_eq!(targets, ["/moved?x=1", "/moved?x=1"]);
    assert_eq!(second.received()[1].header("Cookie"), Some("there=1"));
    post(&mut open(&settings), "3").unwrap();
    assert_eq!(first.received().len(), 2, "the next session starts at the first URL");
}

#[test]
fn redirects_to_nowhere_are_refused() {
    for header in ["X-Nothing: here", "Location: ftp://acs/", "Location: http://user:pw@acs/", "Location: http://"] {
        let server = Server::answers([reply("302 Found", &[header], b"")]);
        assert_eq!(failure(post(&mut client(&server), "x")), PostErrorKind::Redirect, "{header}");
    }
    let server = Server::answers([reply("303 See Other", &["Location: /other"], b"")]);
    assert_eq!(post(&mut client(&server), "x").unwrap().status, 303, "not one of those to follow");
}

fn challenge(nonce: &str, algorithm: Option<Algorithm>, qop_auth: bool, stale: bool) -> Challenge {
    let opaque = Some("o\\p, aque".into());
    Challenge { realm: "a \"realm\", b".into(), nonce: nonce.into(), opaque, algorithm, qop_auth, stale }
}

fn unauthorized(challenges: &[String]) -> Act {
    let headers: Vec<_> = challenges.iter().map(|challenge| format!("WWW-Authenticate: {challenge}")).collect();
    let headers: Vec<_> = headers.iter().map(String::as_str).collect();
    reply("401 Unauthorized", &headers, b"<html>who are you?</html>")
}

fn authorization(request: &Received) -> Option<Authorization> {
    Some(digest::parse_authorization(request.header("Authorization")?).unwrap())
}

/// Whether a request proves the password for this nonce and use.
fn proves(request: &Received, nonce: &str, nc: u32) -> bool {
    authorization(request).is_some_and(|answer| {
        assert_eq!(answer.opaque.as_deref(), Some("o\\p, aque"), "untouched");
        assert_eq!((answer.username.as_str(), answer.uri.as_str()), (USER, request.target()));
        answer.nonce == nonce && answer.nc == nc && digest::verify(&answer, "POST", SECRET)
    })
}

#[test]
fn t12_t15_digest_in_all_its_forms_with_the_same_body() {
    let algorithms =
        [None, Some(Algorithm::Md5), Some(Algorithm::Md5Sess), Some(Algorithm::Sha256), Some(Algorithm::Sha256Sess)];
    for algorithm in algorithms {
        for qop_auth in [true, false] {
            let server = Server::start(move |request| {
                let count = if qop_auth {
                    u32::from_str_radix(std::str::from_utf8(&request.body).unwrap(), 16).unwrap()
                } else {
                    0
                };
                if proves(request, "n1", count) {
                    ok()
                } else {
                    unauthorized(&[challenge("n1", algorithm, qop_auth, false).to_header()])
                }
            });
            let mut client = open(&settings(server.url("/acs?id=1")));
            for count in ["1", "2", "3"] {
                assert_eq!(post(&mut client, count).unwrap().status, 200, "{algorithm:?} {qop_auth}");
            }
            let bodies: Vec<_> = server.received().iter().map(|request| request.body.clone()).collect();
            assert_eq!(
                bodies,
                [b"1", b"1", b"2", b"3"],
                "one challenge, the same body again, then credentials at once"
            );
            assert_eq!(server.received()[0].header("Authorization"), None, "nothing before a challenge");
            assert_eq!(server.connections(), 1);
            assert!(!client.used_basic_without_tls());
        }
    }
}

#[test]
fn t12_another_implementation_takes_our_answer() {
    let prompt = r#"Digest realm="GenieACS",qop="auth,auth-int",nonce="4a6f686e",opaque="e7d0""#;
    let server = Server::start(move |request| match request.header("Authorization") {
        None => unauthorized(&[prompt.into()]),
        Some(header) => {
            let mut theirs = digest_auth::AuthorizationHeader::parse(header).unwrap();
            let sent = theirs.response.clone();
            let method = digest_auth::HttpMethod::POST;
            theirs.digest(&digest_auth::AuthContext::new_with_method(USER, SECRET, "/acs", None::<&[u8]>, method));
            if theirs.response == sent { ok() } else { reply("403 Forbidden", &[], b"") }
        }
    });
    assert_eq!(post(&mut client(&server), "x").unwrap().status, 200);
}

#[test]
fn t12_stale_and_new_nonces_are_answered() {
    let server = Server::start(|request| {
        let used = |nonce, nc| proves(request, nonce, nc);
        let ask = |nonce, stale| unauthorized(&[challenge(nonce, Some(Algorithm::Md5), true, stale).to_header()]);
        match request.body.as_slice() {
            b"1" if used("n1", 1) => ok(),
            b"1" => ask("n1", false),
            // The nonce is old: twice, with another one each time.
            b"2" if used("n1", 2) => ask("n2", true),
            b"2" if used("n2", 1) => ask("n3", true),
            b"2" if used("n3", 1) => ok(),
            // A new nonce in the middle, without a word about the old one.
            b"3" if used("n3", 2) => ask("n4", false),
            b"3" if used("n4", 1) => reply("200 OK", &["Authentication-Info: nextnonce=\"n5\", qop=auth"], b""),
            b"4" if used("n5", 1) => ok(),
            _ => reply("500 Wrong", &[], b""),
        }
    });
    let mut client = client(&server);
    for body in ["1", "2", "3", "4"] {
        assert_eq!(post(&mut client, body).unwrap().status, 200, "{body}");
    }
}

/// Behind the same address may be another server, which knows nothing of the first one's nonces.
#[test]
fn t10_t14_both_ends_of_a_redirect_may_ask_for_credentials() {
    let server = Server::start(|request| {
        let ask = |nonce| unauthorized(&[challenge(nonce, Some(Algorithm::Md5), true, false).to_header()]);
        match request.target() {
            "/acs" if proves(request, "n1", 1) => reply("307 Temporary Redirect", &["Location: /node"], b""),
            "/acs" => ask("n1"),
            _ if proves(request, "n2", 1) => ok(),
            _ => ask("n2"),
        }
    });
    assert_eq!(post(&mut client(&server), "<same/>").unwrap().status, 200);
    assert_eq!(server.received().len(), 4);
}

#[test]
fn t12_a_nonce_that_is_stale_for_ever_fails() {
    let server = Server::start(|_| unauthorized(&[challenge("n", None, true, true).to_header()]));
    assert_eq!(failure(post(&mut client(&server), "x")), PostErrorKind::Unauthorized);
    assert!(server.received().len() < 5);
}

#[test]
fn t13_digest_is_chosen_where_both_are_offered() {
    let digest = challenge("n", None, true, false).to_header();
    let basic = "Basic realm=\"x, Digest nonce=y\"".to_owned();
    let both = format!("{basic}, {digest}");
    for offer in [vec![basic.clone(), digest.clone()], vec![digest, basic], vec![both]] {
        let server = Server::start(
            move |request| if request.header("Authorization").is_some() { ok() } else { unauthorized(&offer) },
        );
        assert_eq!(post(&mut client(&server), "x").unwrap().status, 200);
        assert!(proves(&server.received()[1], "n", 1));
    }
}

#[test]
fn t13_basic_is_possible_and_seen() {
    let server = Server::start(|request| match request.header("Authorization") {
        Some("Basic MDBEMDlFLVJvdXRlci0xOnAic3MsIHdccmQ=") => ok(),
        _ => unauthorized(&["Basic realm=\"acs\"".into()]),
    });
    let mut first = client(&server);
    assert!(!first.used_basic_without_tls());
    assert_eq!(post(&mut first, "x").unwrap().status, 200);
    assert_eq!(post(&mut first, "y").unwrap().status, 200);
    assert_eq!(server.received().len(), 3, "once asked, it is sent at once");
    assert!(first.used_basic_without_tls());

    let strict = Settings { basic_over_http: false, ..settings(server.url("/acs")) };
    let mut second = open(&strict);
    assert_eq!(failure(post(&mut second, "x")), PostErrorKind::Unauthorized);
    assert!(!second.used_basic_without_tls());
    assert_eq!(server.received().last().unwrap().header("Authorization"), None);
}

#[test]
fn t14_a_second_401_after_the_credentials_fails() {
    for offer in [challenge("n", None, true, false).to_header(), "Basic realm=\"x\"".into()] {
        let server = Server::start(move |_| unauthorized(std::slice::from_ref(&offer)));
        assert_eq!(failure(post(&mut client(&server), "x")), PostErrorKind::Unauthorized);
        assert_eq!(server.received().len(), 2);
    }
}

#[test]
fn challenges_that_cannot_be_answered_fail() {
    for offer in [
        "Negotiate",
        "Digest realm=\"x\"",
        "Digest nonce=\"x\", algorithm=SHA-512-256",
        "Digest nonce=\"x\", qop=\"auth-int\"",
        "\"\\",
    ] {
        let server = Server::start(move |_| unauthorized(&[offer.into()]));
        assert_eq!(failure(post(&mut client(&server), "x")), PostErrorKind::Unauthorized, "{offer}");
        assert_eq!(server.received().len(), 1);
    }
    let server = Server::start(|_| unauthorized(&[]));
    assert_eq!(failure(post(&mut client(&server), "x")), PostErrorKind::Unauthorized);
    let server = Server::start(|_| unauthorized(&["Basic realm=x".into()]));
    let nobody = Settings { username: String::new(), ..settings(server.url("/acs")) };
    let error = post(&mut open(&nobody), "x").unwrap_err();
    assert!(error.kind == PostErrorKind::Unauthorized && error.to_string().contains("username"), "{error}");
}

#[test]
fn t15_a_challenge_may_close_the_connection() {
    let body = "<big/>".repeat(50_000);
    let server = Server::start(|request| {
        if proves(request, "n", 1) {
            return ok();
        }
        let header = challenge("n", None, true, false).to_header();
        Act::SendAndClose(
            format!("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: {header}\r\nConnection: close\r\nSet-Cookie: s=1\r\n\r\nbye").into(),
        )
    });
    assert_eq!(post(&mut client(&server), &body).unwrap().status, 200);
    let received = server.received();
    assert_eq!((received.len(), received[1].connection), (2, 2));
    assert!(received.iter().all(|request| request.body == body.as_bytes()), "equal byte by byte");
    assert_eq!(received[1].header("Cookie"), Some("s=1"));
}

#[test]
fn s6_another_host_gets_no_password_by_a_redirect() {
    for (offer, fails) in
        [("Basic realm=\"x\"".to_owned(), true), (challenge("n", None, true, false).to_header(), false)]
    {
        let asks = offer.clone();
        let second = Server::start(move |request| match request.header("Authorization") {
            Some(_) => ok(),
            None => unauthorized(std::slice::from_ref(&asks)),
        });
        // The same machine under another name.
        let location = format!("Location: http://localhost:{}/", second.address.port());
        let first = Server::start(move |request| match request.header("Authorization") {
            Some(_) => reply("302 Found", &[&location], b""),
            None => unauthorized(std::slice::from_ref(&offer)),
        });
        let result = post(&mut client(&first), "x");
        assert_eq!(second.received()[0].header("Authorization"), None, "not before it asks itself");
        if fails {
            assert_eq!(failure(result), PostErrorKind::Unauthorized);
            assert_eq!(second.received().len(), 1);
        } else {
            assert_eq!(result.unwrap().status, 200);
            assert!(proves(&second.received()[1], "n", 1), "Digest shows no password");
        }
    }
}

#[test]
fn t24_errors_are_told_with_their_status() {
    for status in [400_u16, 403, 404, 500, 503] {
        let server = Server::answers([reply(&format!("{status} No"), &[], b"<html>no</html>")]);
        let answer = post(&mut client(&server), "x").unwrap();
        assert_eq!((answer.status, answer.body.len()), (status, 0));
    }
}

#[test]
fn retry_after_is_seconds_or_a_date() {
    let date = "Date: Sun, 06 Nov 1994 08:49:37 GMT";
    for (header, expected) in [
        ("Retry-After: 120", Some(120)),
        ("Retry-After: Sun, 06 Nov 1994 08:50:37 GMT", Some(60)),
        ("Retry-After: Sun, 06 Nov 1993 08:50:37 GMT", Some(0)),
        ("Retry-After: 99999999999999999999", Some(u64::from(u32::MAX))),
        ("Retry-After: soon", None),
        ("Retry-After: -1", None),
    ] {
        let server = Server::answers([reply("503 Busy", &[date, header], b"")]);
        let answer = post(&mut client(&server), "x").unwrap();
        assert_eq!(answer.retry_after, expected.map(Duration::from_secs), "{header}");
    }
}

#[test]
fn t25_an_acs_that_never_answers_is_given_up() {
    for act in [
        Act::Hold,
        Act::Drip(b"HTTP/1.1 200 OK\r\nX-Slow: ".to_vec()),
        Act::Drip(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n".to_vec()),
        Act::Drip(b"HTTP/1.1 200 OK\r\n\r\n".to_vec()),
    ] {
        let server = Server::answers([act]);
        let hasty = Settings { timeout: Duration::from_millis(300), ..settings(server.url("/acs")) };
        let begin = Instant::now();
        assert_eq!(failure(post(&mut open(&hasty), "x")), PostErrorKind::Timeout);
        let took = begin.elapsed();
        assert!(took >= Duration::from_millis(290) && took < Duration::from_secs(5), "{took:?}");
        assert_eq!(server.received().len(), 1, "not sent again");
    }
}

#[test]
fn t25_a_peer_that_takes_nothing_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let hasty = Settings {
        timeout: Duration::from_millis(300),
        ..settings(format!("http://{}/", listener.local_addr().unwrap()))
    };
    let body = vec![b'x'; 1 << 14];
    let mut endless = Repeat { piece: body, left: 1 << 10, pieces: 1 << 10 };
    let result = thread::scope(|scope| {
        let held = scope.spawn(|| listener.accept().unwrap());
        let result = open(&hasty).post(Request { body: Some(&mut endless), content_encoding: None });
        drop(held.join().unwrap());
        result
    });
    assert_eq!(failure(result), PostErrorKind::Timeout);
}

/// A body that is made piece by piece.
struct Repeat {
    piece: Vec<u8>,
    left: usize,
    pieces: usize,
}

impl Read for Repeat {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Ok(0);
        }
        let amount = buffer.len().min(self.piece.len());
        buffer[..amount].copy_from_slice(&self.piece[..amount]);
        self.left -= 1;
        Ok(amount)
    }
}

impl cwmpd::acs::Body for Repeat {
    fn len(&self) -> u64 {
        (self.piece.len() * self.pieces) as u64
    }

    fn rewind(&mut self) -> io::Result<()> {
        self.left = self.pieces;
        Ok(())
    }
}

#[test]
fn a_large_body_is_streamed_and_a_short_one_is_noticed() {
    let server = Server::start(|_| ok());
    let body: Vec<u8> = (0..3_000_000_u32).map(|i| (i % 251) as u8).collect();
    let mut client = client(&server);
    client.post(Request { body: Some(&mut Cursor::new(&body)), content_encoding: None }).unwrap();
    assert!(server.received()[0].body == body);

    let mut liar = Repeat { piece: b"x".to_vec(), left: 0, pieces: 100_000 };
    liar.left = 10;
    struct Short(Repeat);
    impl Read for Short {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0.read(buffer)
        }
    }
    impl cwmpd::acs::Body for Short {
        fn len(&self) -> u64 {
            100_000
        }
        fn rewind(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let result = client.post(Request { body: Some(&mut Short(liar)), content_encoding: None });
    assert_eq!(failure(result), PostErrorKind::Body);
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Level::fast());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn t26_packed_replies_are_unpacked() {
    let body = b"<envelope/>".repeat(1000);
    let mut zlib = ZlibEncoder::new(Vec::new(), Level::fast());
    zlib.write_all(&body).unwrap();
    let mut bare = DeflateEncoder::new(Vec::new(), Level::fast());
    bare.write_all(&body).unwrap();
    let server = Server::answers([
        reply("200 OK", &["Content-Encoding: gzip"], &gzip(&body)),
        reply("200 OK", &["Content-Encoding: Deflate"], &zlib.finish().unwrap()),
        reply("200 OK", &["Content-Encoding: deflate"], &bare.finish().unwrap()),
        reply("200 OK", &["Content-Encoding: identity"], &body),
    ]);
    let mut client = open(&Settings { compression: Compression::Gzip, ..settings(server.url("/acs")) });
    for _ in 0..4 {
        assert!(post(&mut client, "x").unwrap().body == body);
    }
    assert_eq!(server.received()[0].header("Accept-Encoding"), Some("gzip"));
    assert_eq!(server.connections(), 1);
}

#[test]
fn t05_t26_an_empty_reply_says_nothing_whatever_its_coding() {
    for coding in ["gzip", "deflate"] {
        let header = format!("Content-Encoding: {coding}");
        let server = Server::answers([
            reply("200 OK", &[&header], b""),
            Act::Send(format!("HTTP/1.1 204 No Content\r\n{header}\r\n\r\n").into_bytes()),
            Act::Send(
                format!("HTTP/1.1 200 OK\r\n{header}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n").into_bytes(),
            ),
        ]);
        let mut client = client(&server);
        for _ in 0..3 {
            assert_eq!(post_empty(&mut client).unwrap().body, b"", "{coding}");
        }
    }
}

#[test]
fn t26_a_packed_body_says_so() {
    let server = Server::answers([ok()]);
    let packed = gzip(b"<inform/>");
    let request = Request { body: Some(&mut Cursor::new(&packed)), content_encoding: Some("gzip") };
    client(&server).post(request).unwrap();
    let request = &server.received()[0];
    assert_eq!(request.header("Content-Encoding"), Some("gzip"));
    assert!(request.body == packed);
}

#[test]
fn s10_replies_are_limited_packed_and_unpacked() {
    let bomb = gzip(&vec![0; 5_000_000]);
    let kind = |act, limit| {
        let server = Server::answers([act]);
        let settings = Settings { max_envelope: limit, ..settings(server.url("/acs")) };
        post(&mut open(&settings), "x").map_or_else(|error| Err(error.kind), |answer| Ok(answer.body.len()))
    };
    let endless_chunks =
        b"1000\r\n".iter().chain(&[b'x'; 4096]).chain(b"\r\n").copied().collect::<Vec<_>>().repeat(600);
    let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert_eq!(kind(reply("200 OK", &[], &[b'x'; 1000]), 1000), Ok(1000));
    assert_eq!(kind(reply("200 OK", &[], &[b'x'; 1001]), 1000), Err(PostErrorKind::TooLarge));
    assert_eq!(kind(reply("200 OK", &["Content-Encoding: gzip"], &bomb), 1 << 20), Err(PostErrorKind::TooLarge));
    assert_eq!(kind(Act::Send([&head[..], &endless_chunks].concat()), 1 << 20), Err(PostErrorKind::TooLarge));
    let endless_head = [&b"HTTP/1.1 200 OK\r\nX: "[..], &[b'x'; 100_000]].concat();
    assert_eq!(kind(Act::Send(endless_head), 1000), Err(PostErrorKind::TooLarge));
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: y\r\n".repeat(500));
    assert_eq!(kind(Act::Send(many.into()), 1000), Err(PostErrorKind::Protocol));
}

#[test]
fn what_is_not_http_is_refused() {
    for bytes in [
        &b"SSH-2.0-OpenSSH_9.2\r\n\r\n"[..],
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/2 200 OK\r\n\r\n",
        b"\x15\x03\x01\x00\x02\x02\x16\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Encoding: br\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Encoding: gzip\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Encoding: deflate\r\n\r\n\xff\xff\xff",
    ] {
        let server = Server::answers([Act::SendAndClose(bytes.to_vec())]);
        let kind = failure(post(&mut client(&server), "x"));
        assert!(
            matches!(kind, PostErrorKind::Protocol | PostErrorKind::Unreachable),
            "{kind:?} {}",
            String::from_utf8_lossy(bytes)
        );
    }
}

#[test]
fn interim_responses_are_skipped() {
    let bytes =
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na";
    let server = Server::answers([Act::Send(bytes.to_vec())]);
    assert_eq!(post(&mut client(&server), "x").unwrap().body, b"a");
}

/// Names that the test decides about.
#[derive(Debug)]
struct Names(Vec<IpAddr>);

impl Resolve for Names {
    fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        if host != "acs.example.com" {
            return Err(io::Error::new(io::ErrorKind::NotFound, "no such name"));
        }
        Ok(self.0.iter().map(|address| SocketAddr::new(*address, port)).collect())
    }
}

#[test]
fn t28_of_several_addresses_a_dead_one_does_not_matter() {
    let server = Server::start(|_| ok());
    let url = format!("http://acs.example.com:{}/", server.address.port());
    // Nobody listens at the other loopback address.
    let names = Names(vec!["127.0.0.2".parse().unwrap(), "127.0.0.1".parse().unwrap()]);
    let settings = Settings { resolver: Arc::new(names), ..settings(url) };
    for _ in 0..8 {
        assert_eq!(post(&mut open(&settings), "x").unwrap().status, 200);
    }
    let host = format!("acs.example.com:{}", server.address.port());
    assert!(server.received().iter().all(|request| request.header("Host") == Some(&host)));
}

#[test]
fn t28_an_ipv6_address_is_reached() {
    let wrap = |stream| Ok(Box::new(stream) as Box<dyn http_server::Stream>);
    let Ok(server) = Server::start_at(IpAddr::V6(Ipv6Addr::LOCALHOST), wrap, |_| ok()) else {
        println!("skipped: this machine has no IPv6");
        return;
    };
    let mut client = open(&settings(format!("http://[::1]:{}/acs", server.address.port())));
    assert_eq!(post(&mut client, "x").unwrap().status, 200);
    assert_eq!(server.received()[0].header("Host"), Some(server.address.to_string().as_str()));
    assert_eq!(client.local_address(), Some(IpAddr::V6(Ipv6Addr::LOCALHOST)));
}

#[test]
fn r09_nobody_there_is_unreachable() {
    let port = {
        let gone = TcpListener::bind("127.0.0.1:0").unwrap();
        gone.local_addr().unwrap().port()
    };
    assert_eq!(
        failure(post(&mut open(&settings(format!("http://127.0.0.1:{port}/"))), "x")),
        PostErrorKind::Unreachable
    );
    let names = || Arc::new(Names(Vec::new()));
    for host in ["acs.example.com", "other.example.com"] {
        let settings = Settings { resolver: names(), ..settings(format!("http://{host}/")) };
        assert_eq!(failure(post(&mut open(&settings), "x")), PostErrorKind::Unreachable);
    }
    let device =
        Settings { bind_device: Some("nosuchdevice0".into()), ..settings(format!("http://127.0.0.1:{port}/")) };
    assert_eq!(failure(post(&mut open(&device), "x")), PostErrorKind::Unreachable);
}

#[test]
fn urls_that_cannot_be_used_are_told() {
    let sessions = TlsSessions::default();
    let cancel = Cancel::new().unwrap();
    for url in ["", "acs", "ftp://acs/", "http://user:secret@acs/", "http://acs:0/", "http://a b/"] {
        let error = Client::new(&settings(url.into()), &sessions, &cancel).err().unwrap();
        assert_eq!(error.kind, PostErrorKind::Settings);
        assert!(!error.to_string().contains("secret"));
    }
    let server = Server::start(|_| unauthorized(&[challenge("n", None, true, false).to_header()]));
    let newline = Settings { username: "a\r\nX: y".into(), ..settings(server.url("/")) };
    assert_eq!(failure(post(&mut open(&newline), "x")), PostErrorKind::Settings);
    assert_eq!(server.received().len(), 1, "nothing can be smuggled in");
}

#[cfg(not(feature = "tls"))]
#[test]
fn without_tls_an_https_url_is_a_clear_error() {
    let error =
        Client::new(&settings("https://acs/".into()), &TlsSessions::default(), &Cancel::new().unwrap()).err().unwrap();
    assert_eq!(error.kind, PostErrorKind::Tls);
    assert!(error.to_string().contains("without TLS"), "{error}");
    let server = Server::answers([reply("302 Found", &["Location: https://127.0.0.1:1/"], b"")]);
    assert_eq!(failure(post(&mut client(&server), "x")), PostErrorKind::Unreachable);
}

#[test]
fn cancelling_ends_a_wait_at_once() {
    let (sender, receiver) = mpsc::channel();
    let server = Server::start(move |_| {
        sender.send(()).unwrap();
        Act::Hold
    });
    let cancel = Cancel::new().unwrap();
    let mut client = Client::new(&settings(server.url("/acs")), &TlsSessions::default(), &cancel).unwrap();
    thread::scope(|scope| {
        let posting = scope.spawn(|| post(&mut client, "x"));
        receiver.recv_timeout(Duration::from_secs(10)).unwrap();
        let begin = Instant::now();
        cancel.cancel();
        assert_eq!(failure(posting.join().unwrap()), PostErrorKind::Cancelled);
        assert!(begin.elapsed() < Duration::from_secs(1));
    });
    assert_eq!(failure(post(&mut client, "x")), PostErrorKind::Cancelled, "and for good");
    assert_eq!(server.received().len(), 1);
}

/// A name server that does not answer.
#[derive(Debug)]
struct Silent(std::sync::Mutex<mpsc::Receiver<()>>, std::sync::Mutex<mpsc::Sender<()>>);

impl Resolve for Silent {
    fn resolve(&self, _: &str, _: u16) -> io::Result<Vec<SocketAddr>> {
        self.1.lock().unwrap().send(()).unwrap();
        let _ = self.0.lock().unwrap().recv();
        Err(io::ErrorKind::TimedOut.into())
    }
}

#[test]
fn cancelling_and_the_deadline_end_a_name_lookup() {
    for cancels in [true, false] {
        let (asked, was_asked) = mpsc::channel();
        let (release, held) = mpsc::channel();
        let resolver = Arc::new(Silent(held.into(), asked.into()));
        let timeout = Duration::from_millis(if cancels { 20_000 } else { 300 });
        let settings = Settings { resolver, timeout, ..settings("http://acs/".into()) };
        let cancel = Cancel::new().unwrap();
        let mut client = Client::new(&settings, &TlsSessions::default(), &cancel).unwrap();
        thread::scope(|scope| {
            let posting = scope.spawn(|| post(&mut client, "x"));
            was_asked.recv_timeout(Duration::from_secs(10)).unwrap();
            let begin = Instant::now();
            if cancels {
                cancel.cancel();
            }
            let kind = failure(posting.join().unwrap());
            assert_eq!(kind, if cancels { PostErrorKind::Cancelled } else { PostErrorKind::Unreachable });
            assert!(begin.elapsed() < Duration::from_secs(1));
        });
        drop(release);
    }
}

#[test]
fn s5_settings_show_no_secret() {
    let text = format!("{:?}", settings("http://acs/token".into()));
    assert!(!text.contains(SECRET) && !text.contains("token"), "{text}");
}
