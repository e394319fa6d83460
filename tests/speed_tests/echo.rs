//! UDPEchoDiagnostics, and the server of UDPEchoConfig, packet by packet.

use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, Scope, ScopedJoinHandle};
use std::time::{Duration, Instant};

use cwmpd::acs::Cancel;
use cwmpd::diagnostics::Report;
use cwmpd::diagnostics::speed::echo::{Counters, EchoPlus};
use cwmpd::diagnostics::speed::server::{EchoServer, Settings};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::world::{ECHO, ROUTER, SERVER, SERVER_V6, World, moment, number, run, state};

const PORT: u16 = 7007;

/// Runs the server in the network of the caller for as long as the flag says; gives its counters.
fn serve<'scope>(
    scope: &'scope Scope<'scope, '_>,
    world: &'scope World,
    settings: Settings,
    over: &'scope AtomicBool,
) -> ScopedJoinHandle<'scope, Counters> {
    let server = world.internet.enter(|| EchoServer::bind(&settings, Counters::default()).unwrap());
    scope.spawn(move || {
        let mut server = server;
        let begin = Instant::now();
        while !over.load(Ordering::SeqCst) {
            let mut fds = [PollFd::new(server.descriptor(), PollFlags::POLLIN)];
            poll(&mut fds, PollTimeout::from(10u8)).unwrap();
            server.handle(&|| begin.elapsed() + Duration::from_secs(1));
        }
        server.counters()
    })
}

/// Ends the server, also where the test fails before it does so itself.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

fn settings(source: &str, plus: bool) -> Settings {
    Settings { device: None, source: source.parse().unwrap(), port: PORT, plus }
}

/// The rows of a report.
fn rows(report: &Report, name: &str) -> Vec<String> {
    let count = number(report, "IndividualPacketResult.");
    (1..=count).map(|row| report.get(&format!("IndividualPacketResult.{row}.{name}")).to_owned()).collect()
}

fn numbers(report: &Report, name: &str) -> Vec<u32> {
    rows(report, name).iter().map(|text| text.parse().unwrap()).collect()
}

#[test]
fn our_client_and_our_server_agree_packet_by_packet() {
    let Some(world) = World::new() else { return };
    for (host, source, device) in [(SERVER, ROUTER, None), (SERVER_V6, "2001:db8:51::2", Some("isp"))] {
        let over = AtomicBool::new(false);
        let (report, counters) = thread::scope(|scope| {
            let device = device.map(String::from);
            let server = serve(scope, &world, Settings { device, ..settings(source, true) }, &over);
            let inputs = [
                ("Host", host),
                ("Port", "7007"),
                ("NumberOfRepetitions", "6"),
                ("Timeout", "5000"),
                ("DataBlockSize", "24"),
                ("InterTransmissionTime", "20"),
                ("EnableIndividualPacketResults", "true"),
            ];
            let end = End(&over);
            let report = world.run(ECHO, &inputs);
            drop(end);
            (report.unwrap(), server.join().unwrap())
        });
        assert_eq!((report.state, report.get("IPAddressUsed")), ("Complete", source));
        assert_eq!((number(&report, "SuccessCount"), number(&report, "FailureCount")), (6, 0));
        assert_eq!((counters.packets_received, counters.packets_responded, counters.failures), (6, 6, 0));
        // 24 bytes and the head of UDP.
        assert_eq!((counters.bytes_received, counters.bytes_responded), (6 * 32, 6 * 32));
        let sent = numbers(&report, "TestGenSN");
        assert!(sent.windows(2).all(|pair| pair[1] == pair[0].wrapping_add(1)), "{sent:?}");
        assert_eq!(numbers(&report, "TestRespSN"), [1, 2, 3, 4, 5, 6]);
        assert_eq!(rows(&report, "PacketSuccess"), ["true"; 6]);
        let (received, replied) =
            (numbers(&report, "TestRespRcvTimeStamp"), numbers(&report, "TestRespReplyTimeStamp"));
        assert!(received.is_sorted() && received.iter().zip(&replied).all(|(received, replied)| received <= replied));
        // From first to last: five times the pace.
        assert!(received[5] - received[0] >= 95_000, "{received:?}");
        let mut times = Vec::new();
        for (sent, received) in rows(&report, "PacketSendTime").iter().zip(rows(&report, "PacketReceiveTime")) {
            times.push(moment(&received).checked_sub(moment(sent)).unwrap().as_micros() as u64);
        }
        let (least, greatest) = (number(&report, "MinimumResponseTime"), number(&report, "MaximumResponseTime"));
        assert!(
            least.abs_diff(*times.iter().min().unwrap()) <= 2 && greatest.abs_diff(*times.iter().max().unwrap()) <= 2
        );
        let mean = number(&report, "AverageResponseTime");
        assert!(least > 0 && least <= mean && mean <= greatest);
    }
}

#[test]
fn what_is_lost_doubled_late_or_forged_is_told_apart() {
    let Some(world) = World::new() else { return };
    let report = thread::scope(|scope| {
        let socket = world.internet.enter(|| UdpSocket::bind((SERVER, PORT)).unwrap());
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        scope.spawn(move || {
            let mut held = None;
            for number in 1..=6 {
                let mut packet = [0; 100];
                let (length, peer) = socket.recv_from(&mut packet).unwrap();
                assert_eq!(length, 30);
                // TestIterationNumber
                assert_eq!(packet[20..24], u32::to_be_bytes(number));
                let echo = |packet: &[u8]| assert_eq!(socket.send_to(packet, peer).unwrap(), packet.len());
                match number {
                    // Lost.
                    2 => {}
                    3 => {
                        echo(&packet[..length]);
                        echo(&packet[..length]);
                    }
                    // Comes back after the next.
                    4 => held = Some(packet),
                    5 => {
                        echo(&packet[..length]);
                        echo(&held.unwrap()[..length]);
                    }
                    // Of another test, and cut short.
                    6 => {
                        let mut forged = packet;
                        forged[1] ^= 0x40;
                        echo(&forged[..length]);
                        echo(&packet[..length - 1]);
                    }
                    _ => echo(&packet[..length]),
                }
            }
        });
        let inputs = [
            ("Host", SERVER),
            ("Port", "7007"),
            ("NumberOfRepetitions", "6"),
            ("Timeout", "400"),
            ("DataBlockSize", "30"),
            ("InterTransmissionTime", "10"),
            ("EnableIndividualPacketResults", "true"),
        ];
        world.run(ECHO, &inputs).unwrap()
    });
    assert_eq!((number(&report, "SuccessCount"), number(&report, "FailureCount")), (4, 2));
    assert_eq!(rows(&report, "PacketSuccess"), ["true", "false", "true", "true", "true", "false"]);
    assert_eq!(rows(&report, "PacketReceiveTime")[1], "0001-01-01T00:00:00Z");
    // A server of plain UDP echo has no numbers of its own.
    assert_eq!(numbers(&report, "TestRespSN"), [0; 6]);
    assert_eq!(numbers(&report, "TestRespRcvTimeStamp"), [0; 6]);
}

#[test]
fn a_host_that_does_not_answer_has_a_result_and_one_without_an_address_has_none() {
    let Some(world) = World::new() else { return };
    let base = [("Port", "7"), ("NumberOfRepetitions", "3"), ("DataBlockSize", "4"), ("InterTransmissionTime", "1")];
    let with = |host, timeout| [&base[..], &[("Host", host), ("Timeout", timeout)]].concat();
    let report = world.run(ECHO, &with(SERVER, "100")).unwrap();
    assert_eq!((report.state, number(&report, "FailureCount")), ("Complete", 3));
    assert_eq!(number(&report, "AverageResponseTime"), 0);
    assert_eq!(report.get("IndividualPacketResult."), "0");
    assert_eq!(state(world.run(ECHO, &with("nowhere.invalid", "100"))), "Error_CannotResolveHostName");
    assert_eq!(state(world.run(ECHO, &with("203.0.113.9", "100"))), "Error_Other");
    let cancel = Cancel::new().unwrap();
    thread::scope(|scope| {
        let test = scope.spawn(|| world.router.enter(|| run(ECHO, &with(SERVER, "60000"), &cancel)));
        cancel.cancel();
        assert!(test.join().unwrap().is_err());
    });
}

/// A socket on the router, connected to an address of the server, so that nothing from elsewhere is heard on it.
fn client(world: &World, own: &str, server: &str) -> UdpSocket {
    world.router.enter(|| {
        let socket = UdpSocket::bind(own).unwrap();
        socket.set_broadcast(true).unwrap();
        socket.connect(SocketAddr::new(server.parse().unwrap(), PORT)).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        socket
    })
}

#[test]
fn s21_the_server_answers_one_address_from_the_one_that_was_asked_and_nobody_else() {
    let Some(world) = World::new() else { return };
    world.router.ip("address add 198.51.100.3/24 dev wan");
    world.internet.ip("address add 198.51.100.10/24 dev isp");
    let over = AtomicBool::new(false);
    let counters = thread::scope(|scope| {
        let server = serve(scope, &world, settings(ROUTER, true), &over);
        let end = End(&over);
        let good = client(&world, &format!("{ROUTER}:0"), SERVER);
        // What must not be answered, and then what must: the order is kept on one cable.
        for (own, to) in [
            ("198.51.100.3:0", SERVER),
            ("198.51.100.2:7", SERVER),
            ("198.51.100.2:7007", SERVER),
            ("198.51.100.2:0", "198.51.100.255"),
        ] {
            let socket = client(&world, own, to);
            socket.send(b"hello, who is there?").unwrap();
            good.send(b"again").unwrap();
            let mut answer = [0; 100];
            assert_eq!(good.recv(&mut answer).unwrap(), 5);
            assert_eq!(&answer[..5], b"again");
            socket.set_nonblocking(true).unwrap();
            assert!(socket.recv(&mut answer).is_err(), "{own} to {to}");
        }
        // The answer comes from where the question went to.
        let other = client(&world, &format!("{ROUTER}:0"), "198.51.100.10");
        let mut packet = [7; 60];
        EchoPlus { test_gen_sn: 99, ..EchoPlus::default() }.write(&mut packet);
        other.send(&packet).unwrap();
        let mut answer = [0; 100];
        assert_eq!(other.recv(&mut answer).unwrap(), 60, "no longer than what was asked");
        let fields = EchoPlus::parse(&answer).unwrap();
        assert_eq!((fields.test_gen_sn, fields.test_resp_sn, fields.reply_failures), (99, 5, 0));
        assert_eq!(answer[20..60], [7; 40]);
        drop(end);
        server.join().unwrap()
    });
    assert_eq!((counters.packets_received, counters.packets_responded), (5, 5));
}
