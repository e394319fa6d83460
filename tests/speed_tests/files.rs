//! DownloadDiagnostics and UploadDiagnostics against a file server that counts.

use std::io::Write as _;
use std::net::TcpListener;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use cwmpd::acs::Cancel;
use nix::time::{ClockId, clock_gettime};

use crate::common::acs::wait_for;
use crate::common::peers::installed;
use crate::file_server::FileServer;
use crate::world::{DOWNLOAD, SERVER, SERVER_V6, UPLOAD, World, moment, number, run, state, time};

const MARK: &str = "Error_TransferFailed";

/// What curl says of a transfer on the same path, if it is installed.
fn curl(world: &World, arguments: &[&str]) -> Option<u64> {
    if !installed("curl") {
        return None;
    }
    let mut command = Command::new("curl");
    command.args(["-s", "-o", "/dev/null"]).args(arguments);
    let output = world.router.enter(|| command.output()).unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    Some(text.split(' ').map(|number| number.parse::<u64>().unwrap()).sum())
}

#[test]
fn a_download_counts_what_the_server_has_sent_and_what_curl_counts() {
    let Some(world) = World::new() else { return };
    for path in ["/file/3000000", "/chunked/700001", "/unknown/500000"] {
        let server = world.internet.enter(|| FileServer::start(&format!("{SERVER}:0")));
        let report = world.run(DOWNLOAD, &[("DownloadURL", &server.url(path)), ("NumberOfConnections", "1")]).unwrap();
        assert_eq!(report.state, "Complete");
        server.wait_sent(number(&report, "TestBytesReceived"));
        assert_eq!(report.get("TestBytesReceivedUnderFullLoading"), report.get("TestBytesReceived"));
        let order: Vec<Duration> = ["TCPOpenRequestTime", "TCPOpenResponseTime", "ROMTime", "BOMTime", "EOMTime"]
            .iter()
            .map(|name| time(&report, name))
            .collect();
        assert!(order.is_sorted() && order[0] < order[4], "{order:?}");
        let full = Duration::from_micros(number(&report, "PeriodOfFullLoading"));
        assert!(full.abs_diff(order[4] - order[3]) < Duration::from_micros(3), "{report:?}");
        assert_eq!(report.get("IPAddressUsed"), crate::world::ROUTER);
        assert_eq!((report.get("PerConnectionResult."), report.get("IncrementalResult.")), ("0", "0"));
        // Without the lines around its chunks, which curl does not count.
        if path != "/chunked/700001" {
            if let Some(counted) = curl(&world, &["-w", "%{size_download} %{size_header}", &server.url(path)]) {
                assert_eq!(number(&report, "TestBytesReceived"), counted, "{path}");
            }
        }
    }
}

#[test]
fn several_connections_have_a_row_each() {
    let Some(world) = World::new() else { return };
    let server = world.internet.enter(|| FileServer::start(&format!("{SERVER}:0")));
    let url = server.url("/file/1000000");
    let inputs = [("DownloadURL", url.as_str()), ("NumberOfConnections", "3"), ("EnablePerConnectionResults", "true")];
    let report = world.run(DOWNLOAD, &inputs).unwrap();
    assert_eq!(server.log().len(), 3);
    server.wait_sent(number(&report, "TestBytesReceived"));
    assert_eq!(report.get("PerConnectionResult."), "3");
    let row = |number: u64, name: &str| report.get(&format!("PerConnectionResult.{number}.{name}")).to_owned();
    let bytes: u64 = (1..=3).map(|line| row(line, "TestBytesReceived").parse::<u64>().unwrap()).sum();
    assert_eq!(bytes, server.sent());
    let of = |name: &str| (1..=3).map(|line| moment(&row(line, name))).collect::<Vec<_>>();
    assert_eq!(time(&report, "ROMTime"), of("ROMTime").into_iter().min().unwrap());
    assert_eq!(time(&report, "BOMTime"), of("BOMTime").into_iter().min().unwrap());
    assert_eq!(time(&report, "EOMTime"), of("EOMTime").into_iter().max().unwrap());
    assert_eq!(time(&report, "TCPOpenResponseTime"), of("TCPOpenResponseTime").into_iter().max().unwrap());
}

/// What is over stays in the list until all are, and must not keep the router busy meanwhile.
#[test]
fn a_connection_that_is_over_takes_no_time_from_the_others() {
    let Some(world) = World::new() else { return };
    let listener = world.internet.enter(|| TcpListener::bind((SERVER, 0))).unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    thread::spawn(move || {
        let mut streams: Vec<_> = listener.incoming().take(2).map(Result::unwrap).collect();
        for stream in &mut streams {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx").unwrap();
            thread::sleep(Duration::from_secs(2));
        }
    });
    let inputs = [("DownloadURL", url.as_str()), ("NumberOfConnections", "2")];
    let worked = || Duration::from(clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap());
    let (report, work) = world.router.enter(|| {
        let before = worked();
        let report = run(DOWNLOAD, &inputs, &Cancel::new().unwrap()).unwrap();
        (report, worked() - before)
    });
    let lasted = time(&report, "EOMTime") - time(&report, "BOMTime");
    assert!(work < lasted / 4, "{work:?} of {lasted:?}");
}

#[test]
fn a_download_that_is_ended_by_time_has_a_row_for_each_interval() {
    let Some(world) = World::new() else { return };
    let server = world.internet.enter(|| FileServer::start(&format!("{SERVER}:0")));
    let url = server.url("/endless");
    let inputs = [
        ("DownloadURL", url.as_str()),
        ("NumberOfConnections", "2"),
        ("TimeBasedTestDuration", "3"),
        ("TimeBasedTestMeasurementInterval", "1"),
        ("TimeBasedTestMeasurementOffset", "1"),
    ];
    let report = world.run(DOWNLOAD, &inputs).unwrap();
    let length = time(&report, "EOMTime") - time(&report, "BOMTime");
    assert!(length > Duration::from_millis(2500) && length < Duration::from_millis(3500), "{length:?}");
    assert_eq!(report.get("IncrementalResult."), "2");
    let row = |row: u32, name: &str| report.get(&format!("IncrementalResult.{row}.{name}")).to_owned();
    let bytes = |number: u32| row(number, "TestBytesReceived").parse::<u64>().unwrap();
    assert!(bytes(1) > 0 && bytes(2) > 0);
    assert!(bytes(1) + bytes(2) < number(&report, "TestBytesReceived"), "the first second counts in none");
    assert_eq!(row(1, "EndTime"), row(2, "StartTime"));
    assert!(moment(&row(1, "StartTime")) >= time(&report, "BOMTime") + Duration::from_secs(1));
    wait_for("what has arrived is sent", || (number(&report, "TestBytesReceived") <= server.sent()).then_some(()));
}

#[test]
fn an_upload_is_seen_whole() {
    let Some(world) = World::new() else { return };
    for (connections, length) in [("1", 2_000_000_u64), ("3", 300_001), ("1", 0)] {
        let server = world.internet.enter(|| FileServer::start(&format!("{SERVER}:0")));
        let (url, length) = (server.url("/store"), length.to_string());
        let inputs = [
            ("UploadURL", url.as_str()),
            ("TestFileLength", &length),
            ("NumberOfConnections", connections),
            ("EnablePerConnectionResults", "true"),
        ];
        let report = world.run(UPLOAD, &inputs).unwrap();
        assert_eq!(number(&report, "TestBytesSent"), server.received());
        assert_eq!(report.get("PerConnectionResult."), connections);
        for connection in server.log() {
            assert!(connection.request.contains(&format!("Content-Length: {length}\r\n")), "{}", connection.request);
            let body = connection.received - connection.request.len() as u64;
            assert_eq!(body.to_string(), length);
        }
        assert!(time(&report, "ROMTime") <= time(&report, "BOMTime"));
        assert!(time(&report, "BOMTime") < time(&report, "EOMTime"));
    }
}

#[test]
fn an_upload_that_is_ended_by_time_is_taken_whole_by_the_server() {
    let Some(world) = World::new() else { return };
    let server = world.internet.enter(|| FileServer::start(&format!("[{SERVER_V6}]:0")));
    let url = server.url("/store");
    let inputs = [
        ("UploadURL", url.as_str()),
        ("NumberOfConnections", "2"),
        ("TimeBasedTestDuration", "2"),
        ("TimeBasedTestMeasurementInterval", "1"),
        ("ProtocolVersion", "IPv6"),
    ];
    let report = world.run(UPLOAD, &inputs).unwrap();
    assert_eq!(number(&report, "TestBytesSent"), server.received());
    assert_eq!(report.get("IncrementalResult."), "2");
    assert_eq!(report.get("IPAddressUsed"), "2001:db8:51::2");
    let length = time(&report, "EOMTime") - time(&report, "BOMTime");
    assert!(length >= Duration::from_secs(2) && length < Duration::from_secs(20), "{length:?}");
}

#[test]
fn every_way_to_fail_has_its_state() {
    let Some(world) = World::new() else { return };
    let server = world.internet.enter(|| FileServer::start(&format!("{SERVER}:0")));
    let fetch = |url: &str| state(world.run(DOWNLOAD, &[("DownloadURL", url), ("NumberOfConnections", "1")]));
    assert_eq!(fetch(&server.url("/short")), "Error_IncorrectSize");
    assert_eq!(fetch(&server.url("/status/404")), MARK);
    assert_eq!(fetch(&server.url("/garbage")), MARK);
    assert_eq!(fetch(&server.url("/close")), "Error_NoResponse");
    assert_eq!(fetch(&server.url("/status/401")), "Error_LoginFailed");
    assert_eq!(fetch(&format!("http://{SERVER}:9/")), "Error_InitConnectionFailed");
    assert_eq!(fetch("http://203.0.113.9/"), "Error_NoRouteToHost");
    assert_eq!(fetch("http://nowhere.invalid/"), "Error_CannotResolveHostName");
    let requests = server.log().len();
    assert_eq!(fetch(&server.url("/status/302")), MARK);
    assert_eq!(server.log().len(), requests + 1, "a redirect is not followed");
    let v6 = world.run(DOWNLOAD, &[("DownloadURL", &server.url("/file/1")), ("ProtocolVersion", "IPv6")]);
    assert_eq!(state(v6), "Error_CannotResolveHostName");
    let send = |url: &str| state(world.run(UPLOAD, &[("UploadURL", url), ("TestFileLength", "5000000")]));
    assert_eq!(send(&server.url("/status/507")), "Error_NoTransferComplete");
    assert_eq!(send(&server.url("/status/401")), "Error_LoginFailed");
    let down = world.run(DOWNLOAD, &[("DownloadURL", &server.url("/file/1")), ("Interface", "nothing0")]);
    assert_eq!(state(down), "Error_Other");
}

#[test]
fn s21_a_server_that_sends_for_ever_is_left_at_once_when_the_test_is_cancelled() {
    let Some(world) = World::new() else { return };
    let server = world.internet.enter(|| FileServer::start(&format!("{SERVER}:0")));
    let (cancel, url) = (Cancel::new().unwrap(), server.url("/endless"));
    let ended = thread::scope(|scope| {
        let test = scope.spawn(|| {
            let result = world.router.enter(|| run(DOWNLOAD, &[("DownloadURL", &url)], &cancel));
            (result.is_err(), Instant::now())
        });
        while server.sent() < 1_000_000 {
            thread::yield_now();
        }
        let begin = Instant::now();
        cancel.cancel();
        let (failed, end) = test.join().unwrap();
        assert!(failed);
        end.saturating_duration_since(begin)
    });
    assert!(ended < Duration::from_secs(2), "{ended:?}");
}

#[test]
fn packets_are_marked_as_asked_for() {
    let Some(world) = World::new() else { return };
    let nft = |arguments: &[&str]| {
        let output = world.router.enter(|| Command::new("nft").args(arguments).output()).unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let rules = "add table ip t; add chain ip t c { type filter hook output priority 0; }; \
                 add rule ip t c ip dscp ef meta priority 0:5 counter; add rule ip t c counter";
    if !installed("nft") {
        return;
    }
    nft(&[rules]);
    let server = world.internet.enter(|| FileServer::start(&format!("{SERVER}:0")));
    let url = server.url("/file/10000");
    let inputs = [
        ("DownloadURL", url.as_str()),
        ("DSCP", "46"),
        ("EthernetPriority", "5"),
        ("Interface", "wan"),
        ("NumberOfConnections", "1"),
    ];
    world.run(DOWNLOAD, &inputs).unwrap();
    let listed = nft(&["list", "chain", "ip", "t", "c"]);
    let packets: Vec<u32> = listed
        .lines()
        .filter_map(|line| line.split("counter packets ").nth(1)?.split(' ').next()?.parse().ok())
        .collect();
    assert!(packets[0] > 3, "{listed}");
    assert_eq!(packets[0], packets[1], "every packet: {listed}");
}
