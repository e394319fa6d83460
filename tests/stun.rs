//! Connection requests over UDP and STUN (TR-069a6 Annex G; CONFORMANCE U-01 to U-08, SECURITY S14 and S23) with the program itself: on one machine
//! with a STUN server that the test plays, and through a real NAT with coturn and stund.
#![cfg(feature = "stun")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod common;

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use nix::sys::socket::{self, AddressFamily, SockFlag, SockType, SockaddrStorage, sockopt};

use common::acs::{Acs, PATIENCE, Session, codes, told, wait_for, wait_looking_every};
use common::agent::{Agent, PASSWORD, USERNAME};
use common::netns::Netns;
use common::peers::{Peer, installed};
use cwmpd::auth::mac::hmac_sha1;
use cwmpd::connreq::udp::stun::{
    BINDING_CHANGE, Builder, CONNECTION_REQUEST_BINDING, ERROR_CODE, Kind, MAPPED_ADDRESS, MESSAGE_INTEGRITY, Message,
    TR_111, USERNAME as USER,
};
use cwmpd::soap::rpc::Message as RpcMessage;

const SERVER: &str = "Device.ManagementServer.";
const ADDRESS: &str = "Device.ManagementServer.UDPConnectionRequestAddress";
const NAT_DETECTED: &str = "Device.ManagementServer.NATDetected";
const CONNECTION_REQUEST: &str = "6 CONNECTION REQUEST";

/// A UDP connection request as an ACS makes it.
struct Request {
    timestamp: u64,
    id: u32,
    username: &'static str,
    password: &'static str,
}

/// Newer than all before.
fn newer() -> Request {
    static LAST: AtomicU32 = AtomicU32::new(1_700_000_000);
    let timestamp = u64::from(LAST.fetch_add(1, Ordering::SeqCst));
    Request { timestamp, id: 4711, username: USERNAME, password: PASSWORD }
}

impl Request {
    fn text(&self) -> String {
        let Self { timestamp, id, username, password } = self;
        let text = format!("{timestamp}{id}{username}XTGRWIPC6D3IPXS3");
        let code = hmac_sha1(password.as_bytes(), &[text.as_bytes()]).unwrap();
        let signature: String = code.iter().map(|byte| format!("{byte:02X}")).collect();
        format!(
            "GET http://10.1.1.1:8080?ts={timestamp}&id={id}&un={username}&cn=XTGRWIPC6D3IPXS3&sig={signature} HTTP/1.1\r\n\
             Host: 10.1.1.1:8080\r\n\r\n"
        )
    }

    fn send(&self, socket: &UdpSocket, to: impl Into<SocketAddr>) {
        socket.send_to(self.text().as_bytes(), to.into()).unwrap();
    }
}

/// A STUN server that the test plays.
struct Stun(UdpSocket);

struct Asked {
    bytes: Vec<u8>,
    from: SocketAddr,
}

impl Stun {
    fn new() -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(socket)
    }

    fn port(&self) -> String {
        self.0.local_addr().unwrap().port().to_string()
    }

    fn next(&self) -> Asked {
        let mut buffer = [0; 2048];
        let (length, from) = self.0.recv_from(&mut buffer).expect("a binding request");
        Asked { bytes: buffer[..length].to_vec(), from }
    }

    /// The next request that is not the same as this one, sent again.
    fn after(&self, asked: &Asked) -> Asked {
        loop {
            let next = self.next();
            if next.bytes != asked.bytes {
                return next;
            }
        }
    }

    fn send(&self, asked: &Asked, bytes: &[u8]) {
        self.0.send_to(bytes, asked.from).unwrap();
    }

    fn answer(&self, asked: &Asked, mapped: &str) {
        self.send(asked, &asked.response(mapped).finish());
    }
}

impl Asked {
    fn message(&self) -> Message<'_> {
        Message::parse(&self.bytes).unwrap()
    }

    fn has(&self, attribute: u16) -> bool {
        self.message().attribute(attribute).is_some()
    }

    fn is_signed(&self) -> bool {
        self.message().is_signed()
    }

    fn response(&self, mapped: &str) -> Builder {
        Builder::new(Kind::Response, &self.message().id).address(MAPPED_ADDRESS, mapped.parse().unwrap())
    }
}

/// An agent in its first session, and a socket on the side of the ACS.
fn begin(acs: &Acs) -> (Agent, Session<'_>, UdpSocket) {
    let agent = Agent::start_new(acs);
    let mut session = acs.session();
    session.inform_ok();
    (agent, session, UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap())
}

/// Switches STUN on, with keep-alives each so many seconds.
fn switch_on(session: &mut Session<'_>, host: &str, port: &str, (minimum, maximum): (&str, &str)) {
    session.set(&[
        (&format!("{SERVER}STUNServerAddress"), "xsd:string", host),
        (&format!("{SERVER}STUNServerPort"), "xsd:unsignedInt", port),
        (&format!("{SERVER}STUNMinimumKeepAlivePeriod"), "xsd:unsignedInt", minimum),
        (&format!("{SERVER}STUNMaximumKeepAlivePeriod"), "xsd:int", maximum),
        (&format!("{SERVER}STUNEnable"), "xsd:boolean", "1"),
    ]);
}

/// Sessions in which the ACS wants nothing, until none comes for so long.
fn serve_until_silent(acs: &Acs, silence: Duration) {
    while let Some(exchange) = acs.next_within(silence) {
        match exchange.is_empty() {
            true => exchange.no_content(),
            false => exchange.reply_message(RpcMessage::InformResponse { max_envelopes: 1 }),
        }
    }
}

fn wait_status(agent: &Agent, what: &str, fits: impl Fn(&serde_json::Value) -> bool) -> serde_json::Value {
    wait_looking_every(Duration::from_millis(40), what, || Some(agent.status()).filter(&fits))
}

fn wait_address(agent: &Agent, address: &str) {
    let udp = "udp_connection_request_address";
    wait_status(agent, &format!("the address {address}"), |status| status[udp].as_str().unwrap().starts_with(address));
}

#[test]
fn u02_u05_u06_u07_a_right_request_starts_one_session_and_a_wrong_one_none() {
    let acs = Acs::start();
    let (mut agent, mut session, socket) = begin(&acs);
    assert_eq!(session.value(ADDRESS), agent.address().to_string(), "without STUN it is the local one");
    assert_eq!(session.value(NAT_DETECTED), "false");
    session.end();
    agent.wait_idle();
    let to = agent.address();
    let bad = |right: Request| {
        let text = right.text();
        for wrong in [
            text.replace("GET", "POST"),
            format!("{text}body"),
            text.replace("XTGRWIPC", "XTGRWIPD"),
            text.replace(&format!("un={USERNAME}"), "un=somebody"),
            String::from("GET / HTTP/1.1\r\n\r\n"),
            String::from("\0\0\0\0"),
        ] {
            socket.send_to(wrong.as_bytes(), to).unwrap();
        }
        Request { password: "guess", ..right }.send(&socket, to);
        right
    };
    let old = newer();
    let first = bad(newer());
    for _ in 0..5 {
        first.send(&socket, to);
    }
    assert_eq!(codes(&acs.serve()), [CONNECTION_REQUEST]);
    agent.wait_idle();
    // A replay, and one that is older than the last; also after a restart of the agent.
    first.send(&socket, to);
    old.send(&socket, to);
    agent.stop();
    agent.start();
    wait_address(&agent, &to.to_string());
    first.send(&socket, to);
    old.send(&socket, to);
    bad(newer()).send(&socket, to);
    assert_eq!(codes(&acs.serve()), [CONNECTION_REQUEST]);
    agent.wait_idle();
    assert_eq!(acs.informs().len(), 3, "a wrong one has started a session");
    // Whatever came, nothing was answered.
    socket.set_nonblocking(true).unwrap();
    assert!(socket.recv(&mut [0; 100]).is_err());
    Request { password: "guess", ..newer() }.send(&socket, to);
    wait_for("the refusal", || agent.ok(&["status", "--last"]).contains("the signature was wrong").then_some(()));
}

#[test]
fn s14_s23_a_flood_of_right_requests_is_no_storm_of_sessions() {
    let acs = Acs::start();
    let (agent, session, socket) = begin(&acs);
    session.end();
    agent.wait_idle();
    for id in 0..50 {
        Request { id, ..newer() }.send(&socket, agent.address());
    }
    serve_until_silent(&acs, Duration::from_millis(1500));
    let sessions = acs.informs().len() - 1;
    assert!((1..=5).contains(&sessions), "{sessions}");
}

#[test]
fn u01_u02_u03_a_challenge_is_answered_and_strangers_are_not_heard() {
    let acs = Acs::start();
    let server = Stun::new();
    let (agent, mut session, stranger) = begin(&acs);
    session.set(&[
        (&format!("{SERVER}STUNUsername"), "xsd:string", "router"),
        (&format!("{SERVER}STUNPassword"), "xsd:string", "stun-secret"),
    ]);
    switch_on(&mut session, "localhost", &server.port(), ("50", "50"));
    let asked = server.next();
    assert_eq!(asked.from, agent.address(), "from the very port of connection requests");
    assert_eq!(asked.message().attribute(CONNECTION_REQUEST_BINDING), Some(&TR_111[..]));
    assert!(!asked.has(BINDING_CHANGE) && !asked.has(USER) && !asked.has(MESSAGE_INTEGRITY));
    // Before the server says anything, others do.
    let forged = asked.response("192.0.2.99:9").finish();
    stranger.send_to(&forged, asked.from).unwrap();
    server.send(&asked, &Builder::new(Kind::Response, b"another one's id").finish());
    server.send(&asked, &forged[..forged.len() - 1]);
    server.send(&asked, &Builder::new(Kind::Error, &asked.message().id).attribute(ERROR_CODE, &[0, 0, 4, 1]).finish());
    let asked = server.after(&asked);
    assert!(asked.message().is_signed_with("stun-secret"));
    assert_eq!(asked.message().attribute(USER), Some(&b"router  "[..]));
    server.send(&asked, &asked.response("192.0.2.99:9").finish());
    server.send(&asked, &asked.response("192.0.2.99:9").finish_signed("guess"));
    server.send(&asked, &asked.response("192.0.2.7:40000").finish_signed("stun-secret"));
    let asked = server.after(&asked);
    assert!(asked.has(BINDING_CHANGE) && asked.has(CONNECTION_REQUEST_BINDING) && asked.is_signed());
    server.send(&asked, &asked.response("192.0.2.7:40000").finish_signed("stun-secret"));
    wait_address(&agent, "192.0.2.7:40000");
    assert_eq!(session.value(ADDRESS), "192.0.2.7:40000");
    assert_eq!(session.value(NAT_DETECTED), "true");
    assert!(!agent.log().contains("stun-secret") && !agent.ok(&["status"]).contains("stun-secret"));
    assert!(agent.ok(&["status"]).contains("192.0.2.7:40000, behind NAT, STUN each 50 s"));
    session.set(&[(&format!("{SERVER}STUNEnable"), "xsd:boolean", "0")]);
    assert_eq!(session.value(ADDRESS), agent.address().to_string());
    assert_eq!(session.value(NAT_DETECTED), "false");
    session.end();
}

#[test]
fn u01_u02_without_a_server_it_is_the_host_of_the_acs_and_its_trouble_is_shown() {
    let acs = Acs::start();
    let server = Stun::new();
    let (agent, mut session, _) = begin(&acs);
    switch_on(&mut session, "", &server.port(), ("50", "50"));
    let asked = server.next();
    server.answer(&asked, &agent.address().to_string());
    let asked = server.after(&asked);
    server.send(&asked, &Builder::new(Kind::Error, &asked.message().id).attribute(ERROR_CODE, &[0, 0, 5, 0]).finish());
    let status = wait_status(&agent, "the trouble", |status| status["stun_trouble"] != "");
    assert!(status["stun_trouble"].as_str().unwrap().ends_with("refuses requests: error 500"), "{status}");
    assert_eq!(status["nat_detected"], false, "the server sees the address that the router has");
    assert_eq!(session.value(NAT_DETECTED), "false");
    session.end();
}

#[test]
fn u04_u08_a_keep_alive_each_second_and_an_address_that_changes_all_the_time() {
    let acs = Acs::start();
    let server = Stun::new();
    let (_agent, mut session, _) = begin(&acs);
    session.notify(&[ADDRESS], 2);
    switch_on(&mut session, "127.0.0.1", &server.port(), ("1", "1"));
    let mut asked = server.next();
    server.answer(&asked, "192.0.2.7:40000");
    session.end();
    for port in 40_001..40_008 {
        asked = server.after(&asked);
        server.answer(&asked, &format!("192.0.2.7:{port}"));
        serve_until_silent(&acs, Duration::from_millis(1));
    }
    let changes = acs.informs().iter().filter(|inform| codes(inform).contains(&"4 VALUE CHANGE")).count();
    assert!((1..=4).contains(&changes), "{changes} sessions for 7 addresses");
}

// Through a real NAT.

/// The ACS with the STUN server beside it, somebody else, the two sides of the NAT, and the router behind it.
const ACS: &str = "203.0.113.1";
const STUN: [&str; 2] = ["203.0.113.2", "203.0.113.3"];
const STRANGER: &str = "203.0.113.66";
const OUTSIDE: &str = "198.51.100.2";
const INSIDE: &str = "192.168.7.1";
const ROUTER: &str = "192.168.7.2";

/// Starts a program that says nothing; `None` where it is not installed.
fn start(program: &str, arguments: &[&str]) -> Option<Peer> {
    if !installed(program) {
        return None;
    }
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    Some(Peer(command.spawn().unwrap()))
}

/// Runs a program of the administrator that has to succeed.
fn run(program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

struct World<'a> {
    gateway: &'a Netns,
    acs: &'a Acs,
    agent: Agent,
}

/// Makes the world and lives in it, on the side of the internet.
fn live(stun_server: (&str, &[&str]), test: impl FnOnce(&mut World<'_>) + Send) {
    let (Some(internet), Some(gateway), Some(router)) = (Netns::new(), Netns::new(), Netns::new()) else { return };
    internet.connect("isp", &gateway, "wan");
    gateway.connect("lan", &router, "wan");
    for address in [ACS, STUN[0], STUN[1], STRANGER] {
        internet.ip(&format!("address add {address}/32 dev lo"));
    }
    internet.ip("address add 198.51.100.1/24 dev isp");
    gateway.ip(&format!("address add {OUTSIDE}/24 dev wan"));
    gateway.ip(&format!("address add {INSIDE}/24 dev lan"));
    gateway.ip("route add default via 198.51.100.1");
    router.ip(&format!("address add {ROUTER}/24 dev wan"));
    router.ip(&format!("route add default via {INSIDE}"));
    internet.enter(|| {
        let (program, arguments) = stun_server;
        let Some(_server) = start(program, arguments) else { return };
        wait_for("the STUN server", || {
            let socket = UdpSocket::bind((STRANGER, 0)).unwrap();
            socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
            socket.send_to(&Builder::new(Kind::Request, &[7; 16]).finish(), (STUN[0], 3478)).unwrap();
            socket.recv(&mut [0; 1000]).ok()
        });
        let acs = Acs::start_at(format!("{ACS}:7547").parse().unwrap());
        let agent = Agent::new(&acs);
        agent.option("cpe", "listen_address", ROUTER);
        let mut world = World { gateway: &gateway, acs: &acs, agent };
        world.translate("40000-40999");
        router.enter(|| world.agent.start());
        test(&mut world);
    });
}

impl World<'_> {
    /// From now on the NAT gives out these ports, and has forgotten what it knew.
    fn translate(&self, ports: &str) {
        let rules = format!(
            "flush ruleset; table ip nat {{ chain out {{ type nat hook postrouting priority 100; \
             oifname wan meta l4proto {{ tcp, udp }} masquerade to :{ports}; }}; }}"
        );
        self.gateway.enter(|| {
            std::fs::write("/proc/sys/net/ipv4/ip_forward", "1").unwrap();
            run("nft", &[&rules]);
            run("conntrack", &["-F"]);
        });
    }

    /// Sends from the address and port of the STUN server, as TR-069a6 G.2.2.2 wants it: for nobody else is the NAT open.
    fn server_socket(&self) -> UdpSocket {
        let socket = socket::socket(AddressFamily::Inet, SockType::Datagram, SockFlag::empty(), None).unwrap();
        socket::setsockopt(&socket, sockopt::ReuseAddr, &true).unwrap();
        socket::setsockopt(&socket, sockopt::ReusePort, &true).unwrap();
        let address: SocketAddr = format!("{}:3478", STUN[0]).parse().unwrap();
        socket::bind(socket.as_raw_fd(), &SockaddrStorage::from(address)).unwrap();
        socket.into()
    }
}

const COTURN: (&str, &[&str]) = (
    "/usr/bin/turnserver",
    &[
        "-n",
        "--stun-only",
        "-L",
        STUN[0],
        "--no-auth",
        "--no-tls",
        "--no-dtls",
        "--no-cli",
        "--log-file",
        "/dev/null",
        "--pidfile",
        "/dev/null",
        "--simple-log",
    ],
);

/// Two addresses and two ports, as RFC 3489 wants it.
const STUND: (&str, &[&str]) = ("/usr/sbin/stund", &["-h", STUN[0], "-a", STUN[1], "-p", "3478", "-o", "3479"]);

#[test]
fn u01_u02_u05_u06_u07_u08_through_a_real_nat_with_coturn() {
    live(COTURN, |world| {
        let (acs, agent) = (world.acs, &world.agent);
        let mut session = acs.session();
        session.inform_ok();
        assert_eq!(session.value(ADDRESS), format!("{ROUTER}:{}", agent.port));
        session.notify(&[ADDRESS], 2);
        switch_on(&mut session, STUN[0], "3478", ("1", "1"));
        wait_address(agent, &format!("{OUTSIDE}:40"));
        assert_eq!(session.value(NAT_DETECTED), "true");
        session.end();
        let told_of = |ports: &str| -> SocketAddr {
            let inform = acs.serve();
            assert_eq!(codes(&inform), ["4 VALUE CHANGE"]);
            let address = told(&inform, ADDRESS).unwrap().to_owned();
            assert!(address.starts_with(&format!("{OUTSIDE}:{ports}")), "{address}");
            agent.wait_idle();
            address.parse().unwrap()
        };
        let mapped = told_of("40");
        // What does not come from the server does not get through, what is wrong or comes again starts nothing.
        let right = newer();
        right.send(&UdpSocket::bind((STRANGER, 0)).unwrap(), mapped);
        let socket = world.server_socket();
        Request { password: "guess", ..newer() }.send(&socket, mapped);
        Request { username: "nobody", ..newer() }.send(&socket, mapped);
        let right = newer();
        for _ in 0..5 {
            right.send(&socket, mapped);
        }
        drop(socket);
        assert_eq!(codes(&acs.serve()), [CONNECTION_REQUEST]);
        agent.wait_idle();
        // The NAT starts anew: the next keep-alive makes another way, and the ACS is told of it.
        world.translate("50000-50999");
        let mapped = told_of("50");
        right.send(&world.server_socket(), mapped);
        newer().send(&world.server_socket(), mapped);
        assert_eq!(codes(&acs.serve()), [CONNECTION_REQUEST]);
        agent.wait_idle();
        assert_eq!(acs.informs().len(), 5, "a wrong one or a copy has started a session");
    });
}

#[test]
fn u04_the_lifetime_of_a_real_nat_is_found_with_stund() {
    live(STUND, |world| {
        world.gateway.enter(|| {
            for timeout in ["udp_timeout", "udp_timeout_stream"] {
                std::fs::write(format!("/proc/sys/net/netfilter/nf_conntrack_{timeout}"), "4").unwrap();
            }
        });
        let (acs, agent) = (world.acs, &world.agent);
        let mut session = acs.session();
        session.inform_ok();
        switch_on(&mut session, STUN[0], "3478", ("1", "8"));
        session.end();
        wait_address(agent, &format!("{OUTSIDE}:40"));
        agent.wait_log("NAT keeps the way open");
        let status = agent.status();
        let period = status["stun_period"].as_u64().unwrap();
        assert!((2..4).contains(&period), "{period} s for a lifetime of 4 s");
        assert_eq!(status["stun_trouble"], "");
    });
}
