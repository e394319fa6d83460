//! HTTP as the ACS sees it (CONFORMANCE section 1 and parts of 2), with the program itself; each part has tests of its own elsewhere.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod common;

use std::time::Duration;

use common::acs::{Acs, Exchange, codes, get_values, http, set_values, unpacked, xml};
use common::agent::Agent;
use cwmpd::soap::encode::encode;
use cwmpd::soap::rpc::{Header, Message};

const VERSION: &str = "Device.DeviceInfo.SoftwareVersion";

fn inform_response(inform: &Exchange) -> Vec<u8> {
    encode(&inform.answer(Message::InformResponse { max_envelopes: 1 }))
}

#[test]
fn t01_t03_t04_requests_as_they_stand_on_the_wire() {
    let acs = Acs::start();
    let _agent = Agent::start_new(&acs);
    let mut session = acs.session();
    session.inform_ok();
    session.value(VERSION);
    session.end();
    let requests = acs.requests();
    assert_eq!(requests.len(), 3);
    for request in &requests {
        assert_eq!(request.line, "POST /acs HTTP/1.1");
        assert_eq!(request.header("Content-Length"), Some(request.body.len().to_string().as_str()));
        if request.body.is_empty() {
            assert_eq!(request.header("Content-Type"), None);
            assert_eq!(request.header("SOAPAction"), None);
        } else {
            assert_eq!(request.header("Content-Type"), Some("text/xml; charset=\"utf-8\""));
            assert_eq!(request.header("SOAPAction"), Some(""));
        }
    }
    assert!(requests[1].body.is_empty());
}

/// The ACS notices by itself when bytes come before its answer; here it takes its time, and things happen meanwhile.
#[test]
fn t02_no_request_before_the_answer() {
    let acs = Acs::start();
    let agent = Agent::start_new(&acs);
    let mut session = acs.session();
    for _ in 0..3 {
        assert_eq!(agent.connection_request(), 200);
    }
    assert_eq!(agent.status()["in_session"], true);
    assert!(acs.next_within(Duration::from_millis(200)).is_none());
    session.inform_ok();
    session.end();
    assert_eq!(acs.connections(), 1);
    assert_eq!(codes(&acs.serve()), ["6 CONNECTION REQUEST"]);
}

#[test]
fn t05_both_ways_to_say_nothing() {
    for (status, headers) in [
        ("204 No Content", &[][..]),
        ("200 OK", &["Content-Type: text/xml"][..]),
        ("204 No Content", &["Connection: close"][..]),
    ] {
        let acs = Acs::start();
        let agent = Agent::start_new(&acs);
        let mut session = acs.session();
        session.inform_ok();
        session.take().http(status, headers, b"");
        acs.wait_closed(1);
        assert_eq!(agent.wait_idle()["last_session"]["complete"], true, "{status}");
    }
}

#[test]
fn t06_chunks_of_a_byte_and_odd_header_names() {
    let acs = Acs::start();
    let agent = Agent::start_new(&acs);
    let mut session = acs.session();
    let inform = session.take();
    let mut bytes = b"HTTP/1.1 200 OK\r\ncOnTeNt-TyPe: text/xml\r\nTRANSFER-encoding: chunked\r\n\r\n".to_vec();
    for byte in inform_response(&inform) {
        bytes.extend_from_slice(b"1\r\n");
        bytes.push(byte);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"0\r\n\r\n");
    inform.raw(bytes);
    assert!(session.next().is_empty());
    session.end();
    assert_eq!(agent.wait_idle()["last_session"]["complete"], true);
}

#[test]
fn t07_session_outlives_its_connections() {
    let acs = Acs::start();
    let agent = Agent::start_new(&acs);
    let mut session = acs.session();
    let inform = session.take();
    let body = inform_response(&inform);
    inform.raw_and_close(http("200 OK", &["Connection: close", "Set-Cookie: id=7"], &body));
    session.next();
    for turn in 2..5 {
        let request = session.envelope(get_values(&[VERSION]));
        let exchange = session.take();
        assert_eq!(exchange.request.connection, turn);
        assert_eq!(exchange.request.header("Cookie"), Some("id=7"));
        // The last ones close without a word.
        let headers: &[&str] = if turn == 2 { &["Connection: close"] } else { &[] };
        exchange.raw_and_close(http("200 OK", headers, &encode(&request)));
        assert!(matches!(session.next().message(), Message::GetParameterValuesResponse(_)));
    }
    session.end();
    assert_eq!(agent.wait_idle()["last_session"]["complete"], true);
    assert_eq!(acs.informs().len(), 1);
}

#[test]
fn t08_t09_cookies_of_a_session() {
    let acs = Acs::start();
    let agent = Agent::start_new(&acs);
    let cookies = |exchange: &Exchange| {
        let mut cookies: Vec<String> =
            exchange.request.header("Cookie").unwrap_or_default().split("; ").map(str::to_owned).collect();
        cookies.sort();
        cookies
    };
    let mut session = acs.session();
    let inform = session.take();
    assert_eq!(inform.request.header("Cookie"), None);
    let body = inform_response(&inform);
    inform.http("200 OK", &["Set-Cookie: a=1; Path=/", "Set-Cookie: b=2", "Set-Cookie: c=3; HttpOnly"], &body);
    assert_eq!(cookies(session.next()), ["a=1", "b=2", "c=3"]);
    let request = encode(&session.envelope(get_values(&[VERSION])));
    session.take().http("200 OK", &["Set-Cookie: b=4", "Set-Cookie: c=; Max-Age=0"], &request);
    assert_eq!(cookies(session.next()), ["a=1", "b=4"]);
    session.end();
    agent.wait_idle();
    agent.ask("2 PERIODIC");
    assert_eq!(acs.next().request.header("Cookie"), None);
}

#[test]
fn t10_t11_b06_redirect_holds_for_the_session() {
    for status in ["302 Found", "307 Temporary Redirect"] {
        let (first, second) = (Acs::start(), Acs::start());
        let agent = Agent::start_new(&first);
        let exchange = first.next();
        let body = exchange.request.body.clone();
        exchange.http(status, &[&format!("Location: {}", second.url_of("/moved?to=2"))], b"");
        let mut session = second.session();
        assert_eq!(session.pending().request.line, "POST /moved?to=2 HTTP/1.1");
        assert_eq!(session.pending().request.body, body);
        session.inform_ok();
        let url = first.url();
        assert_eq!(session.value("Device.ManagementServer.URL"), url);
        session.end();
        agent.wait_idle();
        agent.ask("2 PERIODIC");
        assert_eq!(codes(&first.serve()), ["2 PERIODIC"]);
        assert_eq!(second.informs().len(), 1);
    }
}

#[test]
fn t10_five_redirects_are_followed_and_six_are_not() {
    let acs = Acs::start();
    let agent = Agent::start_new(&acs);
    let redirect = |times: usize| {
        for number in 0..times {
            acs.next().http("302 Found", &[&format!("Location: /hop{number}")], b"");
        }
    };
    redirect(6);
    let status = agent.wait_idle();
    assert_eq!(status["last_session"]["complete"], false);
    redirect(5);
    assert_eq!(acs.serve().retry_count, 1);
    assert_eq!(acs.requests().last().unwrap().target(), "/hop4");
}

/// Takes an Authorization header apart and computes it anew; gives the nonce count.
fn check_digest(exchange: &Exchange, username: &str, password: &str) -> u32 {
    let header = exchange.request.header("Authorization").expect("an Authorization header");
    let mut theirs = digest_auth::AuthorizationHeader::parse(header).unwrap();
    let said = theirs.response.clone();
    assert_eq!(theirs.username, username);
    assert_eq!(theirs.opaque.as_deref(), Some("o:p,a=q"));
    let method = digest_auth::HttpMethod::POST;
    let target = exchange.request.target().to_owned();
    theirs.digest(&digest_auth::AuthContext::new_with_method(username, password, &target, None::<&[u8]>, method));
    assert_eq!(theirs.response, said);
    theirs.nc
}

fn challenge(nonce: &str, stale: bool) -> String {
    format!(
        "WWW-Authenticate: Digest realm=\"acs\", nonce=\"{nonce}\", qop=\"auth\", opaque=\"o:p,a=q\", stale={stale}"
    )
}

#[test]
fn t12_t13_t14_t15_digest_also_with_a_stale_nonce() {
    let acs = Acs::start();
    let mut agent = Agent::new(&acs);
    agent.options("acs", &[("username", "router"), ("password", "p&ss\"wörd")]);
    agent.start();
    let first = acs.next();
    assert_eq!(first.request.header("Authorization"), None);
    let body = first.request.body.clone();
    first.http("401 Unauthorized", &["WWW-Authenticate: Basic realm=\"acs\"", &challenge("n1", false)], b"");
    let mut session = acs.session();
    assert_eq!(session.pending().request.body, body);
    assert_eq!(session.inform.retry_count, 0);
    let nc = check_digest(session.pending(), "router", "p&ss\"wörd");
    assert_eq!(nc, 1);
    session.inform_ok();
    assert_eq!(check_digest(session.pending(), "router", "p&ss\"wörd"), 2);
    session.take().http("401 Unauthorized", &[&challenge("n2", true)], b"");
    session.next();
    assert_eq!(check_digest(session.pending(), "router", "p&ss\"wörd"), 1);
    session.value(VERSION);
    assert_eq!(check_digest(session.pending(), "router", "p&ss\"wörd"), 2);
    session.end();
    assert_eq!(agent.wait_idle()["retry_count"], 0);
}

#[test]
fn t13_basic_where_nothing_else_is_offered() {
    let acs = Acs::start();
    let mut agent = Agent::new(&acs);
    agent.options("acs", &[("username", "router"), ("password", "open sesame")]);
    agent.start();
    let first = acs.next();
    assert_eq!(first.request.header("Authorization"), None);
    first.http("401 Unauthorized", &["WWW-Authenticate: Basic realm=\"acs\""], b"");
    let session = acs.session();
    assert_eq!(session.pending().request.header("Authorization"), Some("Basic cm91dGVyOm9wZW4gc2VzYW1l"));
    drop(session);
    assert!(!agent.log().contains("sesame"));
}

#[test]
fn t13_no_basic_without_tls_where_it_is_switched_off() {
    let acs = Acs::start();
    let mut agent = Agent::new(&acs);
    agent.options("acs", &[("username", "router"), ("password", "sesame"), ("basic_over_http", "0")]);
    agent.start();
    acs.next().http("401 Unauthorized", &["WWW-Authenticate: Basic realm=\"acs\""], b"");
    assert_eq!(agent.wait_idle()["last_session"]["complete"], false);
    assert!(acs.requests().iter().all(|request| request.header("Authorization").is_none()));
}

#[test]
fn t14_wrong_password_fails_the_session() {
    let acs = Acs::start();
    let mut agent = Agent::new(&acs);
    agent.options("acs", &[("username", "router"), ("password", "wrong")]);
    agent.start();
    acs.next().http("401 Unauthorized", &[&challenge("n1", false)], b"");
    acs.next().http("401 Unauthorized", &[&challenge("n2", false)], b"");
    let status = agent.wait_idle();
    assert_eq!(status["last_session"]["complete"], false);
    assert!(status["last_session"]["reason"].as_str().unwrap().contains("password"), "{status}");
    assert_eq!(acs.next().inform().retry_count, 1);
}

#[test]
fn t16_p15_new_credentials_count_from_the_next_session_on() {
    let acs = Acs::start();
    let mut agent = Agent::new(&acs);
    agent.options("acs", &[("username", "router"), ("password", "old")]);
    agent.start();
    acs.next().http("401 Unauthorized", &[&challenge("n1", false)], b"");
    let mut session = acs.session();
    check_digest(session.pending(), "router", "old");
    session.inform_ok();
    session.set(&[
        ("Device.ManagementServer.Password", "xsd:string", "new"),
        ("Device.ManagementServer.Username", "xsd:string", "gateway"),
    ]);
    check_digest(session.pending(), "router", "old");
    assert_eq!(session.value("Device.ManagementServer.Password"), "");
    check_digest(session.pending(), "router", "old");
    session.end();
    agent.wait_idle();
    agent.ask("2 PERIODIC");
    let exchange = acs.next();
    // CONFORMANCE B-07: no BOOTSTRAP.
    assert_eq!(codes(exchange.inform()), ["2 PERIODIC"]);
    exchange.http("401 Unauthorized", &[&challenge("n3", false)], b"");
    let session = acs.session();
    check_digest(session.pending(), "gateway", "new");
}

#[test]
fn t24_r04_http_errors_fail_the_session() {
    let acs = Acs::start();
    let agent = Agent::start_new(&acs);
    for (count, status) in
        ["500 Internal Server Error", "404 Not Found", "403 Forbidden", "503 Service Unavailable"].iter().enumerate()
    {
        let exchange = acs.next();
        assert_eq!(usize::try_from(exchange.inform().retry_count).unwrap(), count);
        exchange.http(status, &[], b"<html>no</html>");
        let failed = agent.wait_idle();
        let reason = failed["last_session"]["reason"].as_str().unwrap();
        assert!(reason.contains(&status[..3]), "{reason}");
        agent.ask("2 PERIODIC");
    }
    assert_eq!(acs.serve().retry_count, 4);
    assert_eq!(agent.wait_idle()["retry_count"], 0);
}

#[test]
fn t25_answer_that_never_comes_fails_the_session() {
    let acs = Acs::start();
    let mut agent = Agent::new(&acs);
    agent.option("acs", "http_timeout", "1");
    agent.start();
    let _held = acs.next();
    acs.wait_closed(1);
    assert_eq!(agent.wait_idle()["last_session"]["complete"], false);
    assert_eq!(acs.next().inform().retry_count, 1);
}

#[test]
fn t26_compression_both_ways() {
    use std::io::Write;
    let acs = Acs::start();
    let agent = Agent::start_new(&acs);
    let mut session = acs.session();
    assert_eq!(session.pending().request.header("Content-Encoding"), None);
    session.inform_ok();
    session.set(&[("Device.ManagementServer.HTTPCompression", "xsd:string", "GZIP")]);
    session.end();
    agent.wait_idle();
    agent.ask("2 PERIODIC");
    let mut session = acs.session();
    assert_eq!(session.pending().request.header("Content-Encoding"), Some("gzip"));
    assert!(session.pending().request.body.len() < unpacked(&session.pending().request).len());
    session.inform_ok();
    let request = encode(&session.envelope(get_values(&[VERSION])));
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(&request).unwrap();
    let headers = ["Content-Type: text/xml", "Content-Encoding: gzip"];
    session.take().http("200 OK", &headers, &packed.finish().unwrap());
    assert!(matches!(session.next().message(), Message::GetParameterValuesResponse(_)));
    session.end();
}

#[test]
fn x04_messages_of_more_than_32_kib() {
    let acs = Acs::start();
    let agent = Agent::start_new(&acs);
    let mut session = acs.session();
    session.inform_ok();
    let names: Vec<String> = (0..700).map(|number| format!("Device.ManagementServer.X_{number:040}")).collect();
    let values: Vec<(&str, &str, &str)> = names.iter().map(|name| (name.as_str(), "xsd:string", "x")).collect();
    let request = set_values(&values, "");
    assert!(encode(&session.envelope(request.clone())).len() > 64 << 10);
    let fault = session.refused(request);
    assert_eq!((fault.code.0, fault.parameters.len()), (9003, 700));
    let values = session.get(&["Device."]);
    assert!(values.len() > 500);
    assert!(session.names("Device.", false).len() > values.len());
    session.end();
    assert_eq!(agent.wait_idle()["last_session"]["complete"], true);
}

#[test]
fn x04_message_beyond_the_limit_fails_the_session() {
    let acs = Acs::start();
    let mut agent = Agent::new(&acs);
    agent.option("acs", "max_envelope", "16384");
    agent.start();
    let mut session = acs.session();
    session.inform_ok();
    let name = "Device.".to_owned() + &"x".repeat(20_000);
    let request = encode(&session.envelope(get_values(&[&name])));
    session.take().raw(xml(&request));
    assert_eq!(agent.wait_idle()["last_session"]["complete"], false);
}

#[test]
fn x06_values_carry_their_types() {
    let acs = Acs::start();
    let _agent = Agent::start_new(&acs);
    let mut session = acs.session();
    session.inform_ok();
    for (name, kind) in [
        ("Device.DeviceInfo.SoftwareVersion", "string"),
        ("Device.DeviceInfo.UpTime", "unsignedInt"),
        ("Device.DeviceInfo.FirstUseDate", "dateTime"),
        ("Device.ManagementServer.EnableCWMP", "boolean"),
        ("Device.Ethernet.Interface.1.MaxBitRate", "int"),
        ("Device.Ethernet.Interface.1.Stats.BytesSent", "unsignedLong"),
    ] {
        let values = session.get(&[name]);
        assert_eq!(values[0].value.kind.as_deref(), Some(kind), "{name}");
    }
    session.end();
}

#[test]
fn x08_id_comes_back_unchanged() {
    let acs = Acs::start();
    let _agent = Agent::start_new(&acs);
    let mut session = acs.session();
    session.inform_ok();
    let long = "0123456789".repeat(6);
    for id in [Some(""), Some(long.as_str()), Some("a<b&\"c\">"), Some("1"), None] {
        for name in [VERSION, "Device.Nothing"] {
            let mut request = session.envelope(get_values(&[name]));
            request.header = Header { id: id.map(str::to_owned), ..Header::default() };
            session.take().reply(&request);
            assert_eq!(session.next().id(), id, "{name}");
        }
    }
    session.end();
}

#[cfg(feature = "ring")]
#[test]
fn t18_t21_certificate_of_the_acs_is_verified() {
    let ca = common::tls::Ca::new("Test CA");
    let other = common::tls::Ca::new("Other CA");
    let acs = Acs::start_tls(ca.issue(&["127.0.0.1"]).server(None));
    let mut agent = Agent::new(&acs);
    agent.root.write("/etc/ssl/acs.pem", other.pem());
    agent.option("acs", "ca_file", "/etc/ssl/acs.pem");
    agent.start();
    let status = agent.wait_idle();
    assert_eq!(status["last_session"]["complete"], false);
    assert_eq!(acs.requests().len(), 0);
    agent.root.write("/etc/ssl/acs.pem", ca.pem());
    let inform = acs.serve();
    assert!(inform.retry_count >= 1);
    assert_eq!(codes(&inform), ["0 BOOTSTRAP", "1 BOOT"]);
}

#[test]
fn t28_acs_with_an_ipv6_address() {
    if std::net::TcpListener::bind("[::1]:0").is_err() {
        println!("skipped: this machine has no IPv6");
        return;
    }
    let acs = Acs::start_at("[::1]:0".parse().unwrap());
    let agent = Agent::start_new(&acs);
    let session = acs.session();
    assert_eq!(session.pending().request.header("Host"), Some(acs.address.to_string().as_str()));
    drop(session);
    assert!(agent.status()["acs_url"].as_str().unwrap().starts_with("http://[::1]:"));
}
