//! Connection requests over real sockets: CONFORMANCE C-02 to C-18, SECURITY S1, S2, S8, S12 to S17.
//!
//! The listener runs in a thread of its own with a poll loop as the daemon has one, and with a clock that the test can move forward.
//! The digests of the clients come from another implementation.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use cwmpd::connreq::gate::{Access, Reason};
use cwmpd::connreq::http::{Accepted, DEADLINE, Listener, MAX_CONNECTIONS, MAX_REQUESTS, Refusal};
use cwmpd::connreq::request::{MAX_HEAD, MAX_HEADERS, MAX_LINE};
use cwmpd::connreq::url::connection_request_url;
use digest_auth::{AuthContext, WwwAuthenticateHeader};
use nix::libc::linger;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{setsockopt, sockopt};

const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const SECOND: Duration = Duration::from_secs(1);
/// How long a test waits for something that must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the test thread and the loop share.
#[derive(Default)]
struct Shared {
    /// How far the clock was moved.
    ahead: Duration,
    /// How often the loop went round.
    turns: u64,
    refusals: Vec<Refusal>,
    /// Rounds that the test asked for, and that were done.
    asked: u64,
    done: u64,
    stop: bool,
}

struct Server {
    address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
    wake: UnixStream,
    accepted: mpsc::Receiver<Accepted>,
    thread: Option<thread::JoinHandle<()>>,
}

#[derive(Clone, Copy)]
struct Setup {
    listen: Option<IpAddr>,
    username: &'static str,
    password: &'static str,
    allowed: fn(IpAddr) -> bool,
}

impl Default for Setup {
    fn default() -> Self {
        Self { listen: Some(LOCALHOST), username: "acs", password: "secret", allowed: |_| true }
    }
}

impl Setup {
    fn start(self) -> Server {
        let mut listener = Listener::bind(self.listen, 0, [9; 32]).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Mutex::new(Shared::default()));
        let (wake, woken) = UnixStream::pair().unwrap();
        woken.set_nonblocking(true).unwrap();
        let (sender, accepted) = mpsc::channel();
        let state = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            let start = Instant::now();
            let access = Access { path: "/cr", username: self.username, password: self.password };
            loop {
                let (now, asked) = {
                    let mut state = state.lock().unwrap();
                    if state.stop {
                        return;
                    }
                    state.turns += 1;
                    (start.elapsed() + state.ahead + 1000 * SECOND, state.asked)
                };
                let found = listener.handle(now, access, &self.allowed);
                {
                    let mut state = state.lock().unwrap();
                    state.refusals = listener.refusals().to_vec();
                    state.done = asked;
                }
                for accepted in found {
                    sender.send(accepted).unwrap();
                }
                let mut interests = vec![PollFd::new(woken.as_fd(), PollFlags::POLLIN)];
                listener.interests(&mut interests);
                let timeout = match listener.next_deadline() {
                    Some(deadline) => {
                        let wait = deadline.saturating_sub(now).as_millis() + 1;
                        PollTimeout::try_from(u32::try_from(wait).unwrap()).unwrap()
                    }
                    None => PollTimeout::NONE,
                };
                poll(&mut interests, timeout).unwrap();
                let _ = (&woken).read(&mut [0; 64]);
            }
        });
        Server { address, shared, wake, accepted, thread: Some(thread) }
    }
}

fn server() -> Server {
    Setup::default().start()
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.lock().unwrap().stop = true;
        let _ = self.wake.write(&[0]);
        if let Some(thread) = self.thread.take() {
            let result = thread.join();
            if !thread::panicking() {
                result.expect("the loop does not panic");
            }
        }
    }
}

impl Server {
    /// Moves the clock forward and lets the listener see it.
    fn advance(&self, time: Duration) {
        self.shared.lock().unwrap().ahead += time;
        self.sync();
    }

    /// Returns when the listener has handled everything that was sent before.
    fn sync(&self) {
        let ticket = {
            let mut shared = self.shared.lock().unwrap();
            shared.asked += 1;
            shared.asked
        };
        (&self.wake).write_all(&[0]).unwrap();
        wait_for(|| self.shared.lock().unwrap().done >= ticket);
    }

    fn turns(&self) -> u64 {
        self.shared.lock().unwrap().turns
    }

    fn refusals(&self) -> Vec<Refusal> {
        self.sync();
        self.shared.lock().unwrap().refusals.clone()
    }

    fn last_reason(&self) -> Option<Reason> {
        self.refusals().last().map(|refusal| refusal.reason)
    }

    fn connect(&self) -> Client {
        Client::connect(self.address)
    }

    /// One request on a connection of its own.
    fn ask(&self, request: &str) -> Response {
        let mut client = self.connect();
        client.send(request);
        client.response()
    }

    /// The value of Authorization for a fresh challenge.
    fn authorization(&self, user: (&str, &str), uri: &str) -> String {
        self.ask("GET /cr HTTP/1.1\r\nHost: cpe\r\n\r\n").authorization(user, uri)
    }

    fn ask_with(&self, authorization: &str) -> Response {
        self.ask(&request_with(authorization))
    }

    /// A whole exchange that must be let in unless there were too many.
    fn good(&self) -> Response {
        self.ask_with(&self.authorization(("acs", "secret"), "/cr"))
    }

    fn expect_accepted(&self) -> Accepted {
        self.accepted.recv_timeout(PATIENCE).expect("a session is asked for")
    }

    fn expect_no_session(&self) {
        self.sync();
        assert!(self.accepted.try_recv().is_err(), "no session is asked for");
    }
}

fn request_with(authorization: &str) -> String {
    format!("GET /cr HTTP/1.1\r\nHost: cpe\r\nAuthorization: {authorization}\r\n\r\n")
}

fn wait_for(condition: impl Fn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < end, "waited in vain");
        thread::yield_now();
    }
}

struct Client {
    stream: TcpStream,
    received: Vec<u8>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Response {
    status: u16,
    head: String,
}

impl Client {
    fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, received: Vec::new() }
    }

    fn send(&mut self, text: impl AsRef<[u8]>) {
        self.stream.write_all(text.as_ref()).unwrap();
    }

    fn response(&mut self) -> Response {
        loop {
            if let Some(end) = self.received.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                let head = String::from_utf8(self.received.drain(..end + 4).collect()).unwrap();
                let status = head.strip_prefix("HTTP/1.1 ").unwrap()[..3].parse().unwrap();
                assert!(head.contains("\r\nContent-Length: 0\r\n"), "no answer has a body: {head}");
                return Response { status, head };
            }
            let mut buffer = [0; 1024];
            let length = self.stream.read(&mut buffer).expect("an answer");
            assert!(length > 0, "closed without an answer: {:?}", self.received);
            self.received.extend_from_slice(&buffer[..length]);
        }
    }

    /// Waits for the orderly end of the connection, and returns what still came before it.
    fn rest(&mut self) -> Vec<u8> {
        let mut rest = std::mem::take(&mut self.received);
        self.stream.read_to_end(&mut rest).expect("closed without a reset, which could destroy an answer on its way");
        rest
    }

    /// Goes away with a reset.
    fn reset(self) {
        setsockopt(&self.stream, sockopt::Linger, &linger { l_onoff: 1, l_linger: 0 }).unwrap();
    }

    /// Whether the other side has closed; without waiting.
    fn is_closed(&mut self) -> bool {
        self.stream.set_nonblocking(true).unwrap();
        let result = self.stream.read(&mut [0]);
        self.stream.set_nonblocking(false).unwrap();
        match result {
            Ok(0) => true,
            Ok(_) => panic!("an answer that nobody asked for"),
            Err(error) => error.kind() != ErrorKind::WouldBlock,
        }
    }
}

impl Response {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    fn authorization(&self, (username, password): (&str, &str), uri: &str) -> String {
        assert_eq!(self.status, 401);
        let mut challenge = WwwAuthenticateHeader::parse(self.header("WWW-Authenticate").unwrap()).unwrap();
        challenge.respond(&AuthContext::new(username, password, uri)).unwrap().to_string()
    }

    fn is_stale(&self) -> bool {
        self.header("WWW-Authenticate").unwrap().contains("stale=true")
    }
}

#[test]
fn c02_c05_the_digest_comes_on_the_same_connection() {
    let server = server();
    let mut client = server.connect();
    client.send("GET /cr HTTP/1.1\r\nHost: cpe\r\n\r\n");
    let challenge = client.response();
    assert_eq!(challenge.status, 401);
    assert!(challenge.header("WWW-Authenticate").unwrap().starts_with("Digest "));
    assert!(!challenge.head.contains("Basic"));
    client.send(request_with(&challenge.authorization(("acs", "secret"), "/cr")));
    assert_eq!(server.expect_accepted().peer, LOCALHOST);
    client.stream.set_nonblocking(true).unwrap();
    assert_eq!(client.response().status, 200, "the answer is out before the session is asked for");
    client.stream.set_nonblocking(false).unwrap();
    assert!(client.rest().is_empty());
    server.expect_no_session();
    assert_eq!(server.refusals(), [], "the challenge was no refusal");
}

#[test]
fn c05_the_digest_comes_on_a_second_connection_while_the_first_stays_open() {
    let server = server();
    let mut first = server.connect();
    first.send("GET /cr HTTP/1.1\r\nHost: cpe\r\n\r\n");
    let authorization = first.response().authorization(("acs", "secret"), "/cr");
    assert_eq!(server.ask_with(&authorization).status, 200);
    server.expect_accepted();
    assert!(!first.is_closed());
}

#[test]
fn c02_basic_is_refused() {
    let server = server();
    let response = server.ask_with("Basic YWNzOnNlY3JldA==");
    assert_eq!(response.status, 401);
    assert!(response.header("WWW-Authenticate").unwrap().starts_with("Digest "));
    server.expect_no_session();
    assert_eq!(server.last_reason(), Some(Reason::NotOffered));
}

#[test]
fn c03_s15_without_configured_credentials_nobody_comes_in() {
    for (username, password) in [("", ""), ("acs", ""), ("", "secret")] {
        let server = Setup { username, password, ..Setup::default() }.start();
        let response = server.ask_with(&server.authorization((username, password), "/cr"));
        assert_eq!(response.status, 401);
        server.expect_no_session();
        assert_eq!(server.last_reason(), Some(Reason::NothingConfigured));
    }
}

#[test]
fn c04_s12_a_replayed_authorization_is_stale() {
    let server = server();
    let authorization = server.authorization(("acs", "secret"), "/cr");
    assert_eq!(server.ask_with(&authorization).status, 200);
    server.expect_accepted();
    let replayed = server.ask_with(&authorization);
    assert_eq!(replayed.status, 401);
    assert!(replayed.is_stale());
    server.expect_no_session();
    assert_eq!(server.ask_with(&replayed.authorization(("acs", "secret"), "/cr")).status, 200);
}

#[test]
fn c04_a_nonce_older_than_a_minute_is_stale() {
    let server = server();
    let authorization = server.authorization(("acs", "secret"), "/cr");
    server.advance(60 * SECOND);
    let late = server.ask_with(&authorization);
    assert_eq!((late.status, late.is_stale()), (401, true));
    assert_eq!(server.last_reason(), Some(Reason::Stale));
}

#[test]
fn c04_a_nonce_of_someone_else_is_refused() {
    let server = server();
    let foreign = Response {
        status: 401,
        head: "\r\nWWW-Authenticate: Digest realm=\"cwmp\", qop=\"auth\", nonce=\"0123\"".into(),
    };
    let response = server.ask_with(&foreign.authorization(("acs", "secret"), "/cr"));
    assert_eq!((response.status, response.is_stale()), (401, false));
    server.expect_no_session();
}

#[test]
fn c06_c07_every_good_request_is_answered_and_reported_at_any_time() {
    let server = server();
    for _ in 0..5 {
        assert_eq!(server.good().status, 200);
    }
    for _ in 0..5 {
        server.expect_accepted();
    }
    server.expect_no_session();
}

#[test]
fn c08_s2_wrong_path_method_or_password_start_nothing() {
    let server = server();
    let soap = "Content-Type: text/xml\r\nSOAPAction: urn:dslforum-org:service:Time:1#SetNTPServers\r\nContent-Length: 9\r\n\r\n`reboot`\n";
    for (request, status) in [
        ("GET / HTTP/1.1\r\n\r\n".to_owned(), 404),
        (format!("POST /UD/act?1 HTTP/1.1\r\n{soap}"), 404),
        (format!("POST /cr HTTP/1.1\r\n{soap}"), 405),
        ("HEAD /cr HTTP/1.1\r\n\r\n".to_owned(), 405),
        ("OPTIONS * HTTP/1.1\r\n\r\n".to_owned(), 404),
    ] {
        let response = server.ask(&request);
        assert_eq!(response.status, status, "{request}");
        assert_eq!(response.header("Allow"), (status == 405).then_some("GET"));
        assert_eq!(response.header("WWW-Authenticate"), None);
    }
    for user in [("acs", "guess"), ("other", "secret"), ("", "")] {
        assert_eq!(server.ask_with(&server.authorization(user, "/cr")).status, 401);
    }
    server.expect_no_session();
}

#[test]
fn c09_a_hundred_requests_in_a_minute() {
    let server = server();
    let started = Instant::now();
    let mut answers = Vec::new();
    for _ in 0..100 {
        answers.push(server.good());
        server.advance(SECOND * 6 / 10);
    }
    let busy = answers.iter().find(|answer| answer.status == 503).expect("some are refused");
    assert_eq!(busy.header("Retry-After"), None);
    assert!(answers.iter().all(|answer| matches!(answer.status, 200 | 503)));
    assert!(answers[..5].iter().all(|answer| answer.status == 200), "a burst of five");
    let accepted = answers.iter().filter(|answer| answer.status == 200).count();
    let most = 5 + (started.elapsed().as_secs() + 60) / 10;
    assert!(accepted >= 10 && accepted as u64 <= most, "five, then one in ten seconds: {accepted}");
    assert_eq!(server.ask("GET /cr HTTP/1.1\r\n\r\n").status, 401, "a stranger is not told");
    assert_eq!(server.accepted.try_iter().count(), accepted);
}

#[test]
fn c11_query_and_body_are_ignored_and_pipelined_requests_answered() {
    let server = server();
    let authorization = server.authorization(("acs", "secret"), "/cr?a=%2F&b");
    let mut client = server.connect();
    client.send("\r\nGET /cr?x HTTP/1.1\r\nContent-Length: 26\r\n\r\nGET /other HTTP/1.1\r\n\r\n---");
    client.send(format!("GET /cr?a=%2F&b HTTP/1.1\r\nCookie: a=b\r\nAuthorization: {authorization}\r\n\r\nGET / HT"));
    assert_eq!(client.response().status, 401);
    assert_eq!(client.response().status, 200);
    assert!(client.rest().is_empty(), "what follows the last request is not looked at");
    server.expect_accepted();
}

#[test]
fn c11_a_request_split_at_any_byte_is_the_same_request() {
    let server = server();
    let length = request_with(&server.authorization(("acs", "secret"), "/cr")).len();
    for split in 0..=length {
        let request = request_with(&server.authorization(("acs", "secret"), "/cr"));
        let (one, two) = request.as_bytes().split_at(split.min(request.len()));
        let mut client = server.connect();
        client.send(one);
        server.advance(Duration::ZERO);
        client.send(two);
        assert_eq!(client.response().status, 200, "split at {split}");
        server.expect_accepted();
        server.advance(10 * SECOND);
    }
}

#[test]
fn c11_a_connection_ends_after_a_few_requests() {
    let server = server();
    let mut client = server.connect();
    client.send("GET /cr HTTP/1.1\r\n\r\n".repeat(MAX_REQUESTS + 1));
    for request in 1..=MAX_REQUESTS {
        let response = client.response();
        assert_eq!(response.status, 401);
        assert_eq!(response.header("Connection"), (request == MAX_REQUESTS).then_some("close"));
    }
    assert!(client.rest().is_empty());
}

#[test]
fn c11_who_closes_its_side_early_gets_its_answer() {
    let server = server();
    let authorization = server.authorization(("acs", "secret"), "/cr");
    let mut client = server.connect();
    client.send(request_with(&authorization));
    client.stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(client.response().status, 200);
    server.expect_accepted();
    let mut client = server.connect();
    client.send("GET /cr HT");
    client.stream.shutdown(Shutdown::Write).unwrap();
    assert!(client.rest().is_empty(), "half a request has none");
}

#[test]
fn c10_a_right_request_counts_even_if_its_sender_does_not_wait() {
    let server = server();
    let authorization = server.authorization(("acs", "secret"), "/cr");
    let mut client = server.connect();
    client.send(request_with(&authorization));
    drop(client);
    server.expect_accepted();
}

#[test]
fn c13_s17_requests_to_another_address_are_closed_at_once() {
    let server = Setup { allowed: |local| local != LOCALHOST, ..Setup::default() }.start();
    let mut client = server.connect();
    assert!(client.rest().is_empty());
    assert_eq!(server.last_reason(), Some(Reason::Interface));
    let server = Setup { listen: None, allowed: |local| local == LOCALHOST, ..Setup::default() }.start();
    let mut client = Client::connect((LOCALHOST, server.address.port()).into());
    client.send("GET /cr HTTP/1.1\r\n\r\n");
    assert_eq!(client.response().status, 401, "the filter sees an IPv4 address as such on a socket for both families");
}

#[test]
fn c17_ipv6_and_both_families_on_one_port() {
    let Ok(_) = Listener::bind(Some(Ipv6Addr::LOCALHOST.into()), 0, [0; 32]) else {
        println!("skipped: no IPv6 here");
        return;
    };
    let server = Setup { listen: None, ..Setup::default() }.start();
    for (address, host) in [(Ipv6Addr::LOCALHOST.into(), "[::1]"), (LOCALHOST, "127.0.0.1")] {
        let port = server.address.port();
        let url = connection_request_url(address, port, "/cr");
        assert_eq!(url, format!("http://{host}:{port}/cr"));
        let ask = |authorization: &str| {
            let mut client = Client::connect((address, port).into());
            client.send(format!("GET /cr HTTP/1.1\r\nHost: {host}:{port}\r\n{authorization}\r\n"));
            client.response()
        };
        let authorization = ask("").authorization(("acs", "secret"), &url);
        assert_eq!(ask(&format!("Authorization: {authorization}\r\n")).status, 200);
        assert_eq!(server.expect_accepted().peer, address, "IPv4 peers are named as such");
    }
}

#[test]
fn c18_the_digest_may_be_for_the_root() {
    let server = server();
    for uri in ["/", "/cr", "http://cpe/cr"] {
        assert_eq!(server.ask_with(&server.authorization(("acs", "secret"), uri)).status, 200, "{uri}");
        server.expect_accepted();
    }
    for uri in ["/c", "/cr/", "/cr?", "http://elsewhere/cr", "*"] {
        assert_eq!(server.ask_with(&server.authorization(("acs", "secret"), uri)).status, 401, "{uri}");
        assert_eq!(server.last_reason(), Some(Reason::Uri));
    }
    server.expect_no_session();
}

#[test]
fn s1_header_bombs_are_answered_with_400_and_the_answer_arrives() {
    let server = server();
    let line = "a".repeat(MAX_LINE * 8);
    let long_head = format!("GET /cr HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(MAX_HEAD));
    let many = format!("GET /cr HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(MAX_HEADERS + 1));
    for bomb in [
        format!("GET /{line} HTTP/1.1\r\n\r\n"),
        format!("GET /cr HTTP/1.1\r\nCookie: C107373883={line}\r\n\r\n"),
        format!("GET /cr HTTP/1.1\r\nAuthorization: Digest {line}\r\n\r\n"),
        long_head,
        many,
        "\r\n".repeat(MAX_HEAD),
        "\0".into(),
        "\u{16}\u{3}\u{1}".into(),
        "GET /cr HTTP/1.1\r\nContent-Length: 18446744073709551616\r\n\r\n".into(),
        "GET /cr HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n".into(),
        "GET /cr HTTP/9.9\r\n\r\n".into(),
    ] {
        let mut client = server.connect();
        client.send(&bomb);
        assert_eq!(client.response().status, 400, "{:.40}", bomb);
        assert!(client.rest().is_empty());
    }
    server.expect_no_session();
    assert_eq!(server.last_reason(), Some(Reason::Malformed));
    assert_eq!(server.good().status, 200, "and all is as before");
}

#[test]
fn s1_a_body_without_end_is_not_read_for_ever() {
    let server = server();
    let mut client = server.connect();
    client.send("POST /cr HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
    assert_eq!(client.response().status, 405);
    let block = [b'x'; 4096];
    let end = Instant::now() + PATIENCE;
    while client.stream.write_all(&block).is_ok() {
        assert!(Instant::now() < end, "it still reads");
    }
}

#[test]
fn s8_no_or_broken_authorizations_are_401() {
    let server = server();
    let good = server.authorization(("acs", "secret"), "/cr");
    let mut broken: Vec<String> = [
        "",
        " ",
        ",",
        "Digest",
        "Digest ",
        "Digest ,",
        "Digest =",
        "Digest \"",
        "digest username",
        "Digest username=\"acs",
        "Basic",
        "Bearer x",
        "Negotiate",
        "NTLM TlRM",
        "\u{fc}",
        "Digest username*=UTF-8''acs",
    ]
    .map(String::from)
    .to_vec();
    for name in ["username=", "realm=", "nonce=", "uri=", "response=", "nc=", "cnonce="] {
        broken.push(good.replacen(name, "x=", 1));
        broken.push(good.replacen(name, &format!("{name}\"\", {name}"), 1));
    }
    broken.push(good.replace("qop=auth", "qop=auth-int"));
    broken.push(good.replace("Digest ", "Digest Digest "));
    broken.push(format!("{good}\r\nAuthorization: {good}"));
    for authorization in broken {
        server.advance(DEADLINE * 12);
        assert_ne!(authorization, good);
        assert_eq!(server.ask_with(&authorization).status, 401, "{authorization}");
    }
    server.expect_no_session();
}

#[test]
fn s13_a_slow_request_is_closed_at_its_deadline() {
    let server = server();
    let mut client = server.connect();
    for byte in b"GET /cr HTTP/1" {
        client.send([*byte]);
        server.advance(DEADLINE / 50);
        assert!(!client.is_closed());
    }
    server.advance(DEADLINE);
    assert!(client.rest().is_empty());
    assert_eq!(server.last_reason(), Some(Reason::Slow));
}

#[test]
fn s13_the_deadline_wakes_the_loop_by_itself() {
    let server = server();
    let started = Instant::now();
    let mut client = server.connect();
    client.send("GET");
    server.advance(DEADLINE - SECOND);
    let turns = server.turns();
    assert!(client.rest().is_empty());
    let waited = started.elapsed();
    assert!(waited > SECOND / 2 && waited < PATIENCE / 2, "{waited:?}");
    assert!(server.turns() - turns <= 4, "it slept until then");
}

#[test]
fn s13_a_challenged_client_that_stays_is_closed_at_its_deadline() {
    let server = server();
    let mut client = server.connect();
    client.send("GET /cr HTTP/1.1\r\n\r\n");
    assert_eq!(client.response().status, 401);
    server.advance(DEADLINE);
    assert!(client.rest().is_empty());
    assert_eq!(server.last_reason(), Some(Reason::NoCredentials), "which is why no session began");
}

#[test]
fn s13_the_oldest_connection_makes_room() {
    let server = server();
    let mut clients = Vec::new();
    for _ in 0..MAX_CONNECTIONS {
        let mut client = server.connect();
        client.send("GET ");
        server.sync();
        clients.push(client);
    }
    assert!(clients.iter_mut().all(|client| !client.is_closed()));
    clients.push(server.connect());
    server.sync();
    assert!(clients.remove(0).rest().is_empty(), "the oldest is dropped");
    assert!(clients.iter_mut().all(|client| !client.is_closed()), "and only that one");
    clients[0].send("/cr HTTP/1.1\r\n\r\n");
    assert_eq!(clients[0].response().status, 401);
}

#[test]
fn s13_a_flood_of_connections_does_not_keep_the_acs_out() {
    let server = server();
    let flood: Vec<Client> = (0..200).map(|_| server.connect()).collect();
    assert_eq!(server.good().status, 200);
    server.expect_accepted();
    drop(flood);
    assert_eq!(server.good().status, 200);
}

#[test]
fn s13_the_loop_rests_when_nothing_happens() {
    let server = server();
    for _ in 0..10 {
        server.ask_with(&server.authorization(("acs", "guess"), "/cr"));
    }
    let authorization = server.authorization(("acs", "secret"), "/cr");
    let mut held = server.connect();
    held.send(request_with(&authorization));
    let mut gone = server.connect();
    gone.send("GET /cr HTTP/1.1\r\n\r\n");
    gone.response();
    let mut slow = server.connect();
    slow.send("GET");
    server.sync();
    held.reset();
    gone.reset();
    server.sync();
    let turns = server.turns();
    server.expect_accepted();
    assert!(server.turns() - turns <= 10, "nobody makes it spin: {}", server.turns() - turns);
}

#[test]
fn s14_who_guesses_waits_and_the_right_password_still_comes_in() {
    let server = server();
    for _ in 0..10 {
        assert_eq!(server.ask_with(&server.authorization(("acs", "guess"), "/cr")).status, 401);
    }
    let authorization = server.authorization(("acs", "guess"), "/cr");
    let right = server.authorization(("acs", "secret"), "/cr");
    let mut wrong = server.connect();
    wrong.send(request_with(&authorization));
    let mut acs = server.connect();
    acs.send(request_with(&right));
    server.sync();
    assert!(!wrong.is_closed() && !acs.is_closed(), "no answer yet for either");
    server.expect_no_session();
    server.advance(2 * SECOND);
    assert_eq!(wrong.response().status, 401);
    assert_eq!(acs.response().status, 200);
    server.expect_accepted();
}

#[test]
fn refusals_tell_who_and_why_and_how_often() {
    let server = server();
    for _ in 0..3 {
        server.ask("GET / HTTP/1.1\r\n\r\n");
    }
    server.ask_with(&server.authorization(("acs", "guess"), "/cr"));
    let refusals = server.refusals();
    let told: Vec<_> = refusals.iter().map(|refusal| (refusal.reason, refusal.count, refusal.peer)).collect();
    assert_eq!(
        told,
        [(Reason::Path, 3, LOCALHOST), (Reason::NoCredentials, 1, LOCALHOST), (Reason::Password, 1, LOCALHOST)]
    );
    server.good();
    assert!(server.refusals().iter().all(|refusal| refusal.reason != Reason::NoCredentials));
}

#[test]
fn a_taken_port_is_an_error_that_names_it() {
    let listener = Listener::bind(Some(LOCALHOST), 0, [0; 32]).unwrap();
    let address = listener.local_addr().unwrap();
    let error = Listener::bind(Some(LOCALHOST), address.port(), [0; 32]).err().unwrap().to_string();
    assert!(error.contains(&address.to_string()), "{error}");
}
