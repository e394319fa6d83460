//! Sessions from their first message to their last (CONFORMANCE section 6 and 7, parts of 2 and 5), against the program itself.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod common;

use common::acs::{Acs, Exchange, acs_fault, codes, get_values, xml};
use common::agent::Agent;
use cwmpd::soap::encode::encode;
use cwmpd::soap::rpc::{Header, Message, Namespace, SoapFault};

const VERSION: &str = "Device.DeviceInfo.SoftwareVersion";

/// An InformResponse with another header and namespace.
fn inform_response(inform: &Exchange, namespace: Namespace, header: Header) -> Vec<u8> {
    let mut envelope = inform.answer(Message::InformResponse { max_envelopes: 1 });
    envelope.header = Header { id: envelope.header.id, ..header };
    envelope.namespace = namespace;
    let mut bytes = encode(&envelope);
    if namespace.written() != namespace {
        let text = String::from_utf8(bytes).unwrap();
        bytes = text.replace(namespace.written().uri(), namespace.uri()).into_bytes();
    }
    bytes
}

/// Why the last session failed, when the daemon is through with it.
fn failure(agent: &Agent) -> String {
    let status = agent.wait_idle();
    assert_eq!(status["last_session"]["complete"], false);
    status["last_session"]["reason"].as_str().unwrap().to_owned()
}

#[test]
fn l01_l02_l06_b02_first_session_of_a_router() {
    let acs = Acs::start();
    let agent = Agent::start_new(&acs);
    let mut session = acs.session();
    assert_eq!(session.events(), ["0 BOOTSTRAP", "1 BOOT"]);
    session.take().reply_message(Message::InformResponse { max_envelopes: 5 });
    assert!(session.next().is_empty());
    session.end();
    let status = agent.wait_idle();
    assert_eq!(status["last_session"]["complete"], true);
    assert_eq!(status["retry_count"], 0);
    assert_eq!(status["pending_events"].as_array().unwrap().len(), 0);
    assert_eq!(acs.informs().len(), 1);
    assert_eq!(acs.connections(), 1);
}

#[test]
fn l05_l08_fifty_requests_one_after_the_other() {
    let acs = Acs::start();
    let _agent = Agent::start_new(&acs);
    let mut session = acs.session();
    session.inform_ok();
    for _ in 0..50 {
        assert_eq!(session.value(VERSION), "24.10.2-r28739-d9340319c6");
    }
    session.end();
    assert_eq!(acs.connections(), 1);
}

/// While the ACS holds requests an empty answer is not the end.
#[test]
fn l07_x09_hold_requests_over_three_turns() {
    let acs = Acs::start();
    let agent = Agent::start_new(&acs);
    let mut session = acs.session();
    let held = Header { hold_requests: true, ..Header::default() };
    let inform = session.take();
    let response = inform_response(&inform, Namespace::Cwmp12, held.clone());
    inform.raw(xml(&response));
    assert!(session.next().is_empty());
    for turn in 0..2 {
        let mut request = session.envelope(get_values(&[VERSION]));
        request.header.hold_requests = true;
        session.take().reply(&request);
        let answer = session.next();
        assert_eq!(answer.id(), request.header.id.as_deref());
        assert!(matches!(answer.message(), Message::GetParameterValuesResponse(_)), "turn {turn}");
    }
    // The empty POST before was sent because of the holding, so that it did not say that there is nothing more.
    session.take().no_content();
    assert!(session.next().is_empty());
    session.end();
    assert_eq!(agent.wait_idle()["last_session"]["complete"], true);
    assert_eq!(acs.informs().len(), 1);
}

#[test]
fn l09_fault_8005_brings_the_same_inform_again() {
    let acs = Acs::start();
    let agent = Agent::start_new(&acs);
    let first = acs.next();
    let inform = first.inform().clone();
    first.reply_message(acs_fault(8005));
    let mut session = acs.session();
    assert_eq!(session.inform.events, inform.events);
    assert_eq!(session.inform.retry_count, 0);
    session.inform_ok();
    session.end();
    assert_eq!(agent.wait_idle()["last_session"]["complete"], true);
    assert_eq!(acs.connections(), 1);
}

#[test]
fn l09_r09_other_fault_to_the_inform_fails_the_session() {
    let acs = Acs::start();
    let agent = Agent::start_new(&acs);
    acs.next().reply_message(acs_fault(8001));
    acs.wait_closed(1);
    assert!(failure(&agent).contains("8001"));
    let inform = acs.serve();
    assert_eq!(codes(&inform), ["0 BOOTSTRAP", "1 BOOT"]);
    assert_eq!(inform.retry_count, 1);
}

#[test]
fn l11_r09_request_instead_of_an_inform_response_fails_the_session() {
    let acs = Acs::start();
    let agent = Agent::start_new(&acs);
    let mut session = acs.session();
    let request = session.envelope(get_values(&[VERSION]));
    session.take().reply(&request);
    acs.wait_closed(1);
    failure(&agent);
    let inform = acs.serve();
    assert_eq!(inform.retry_count, 1);
    assert_eq!(codes(&inform), ["0 BOOTSTRAP", "1 BOOT"]);
}

#[test]
fn l11_r09_nothing_instead_of_an_inform_response_fails_the_session() {
    let acs = Acs::start();
    let _agent = Agent::start_new(&acs);
    acs.next().no_content();
    assert_eq!(acs.serve().retry_count, 1);
}

#[test]
fn l12_q01_reboot_waits_for_the_end_of_the_session() {
    let acs = Acs::start();
    let mut agent = Agent::start_new(&acs);
    let mut session = acs.session();
    session.inform_ok();
    let answer = session.request(Message::Reboot { command_key: "now".into() });
    assert!(matches!(answer, Message::RebootResponse), "{answer:?}");
    session.value(VERSION);
    assert!(!agent.root.calls().iter().any(|call| call.starts_with("/sbin/reboot")));
    session.end();
    agent.wait_call("/sbin/reboot");
    agent.reboot();
    let inform = acs.serve();
    assert_eq!(codes(&inform), ["1 BOOT", "M Reboot"]);
    assert_eq!(inform.events[1].command_key, "now");
    agent.wait_idle();
    assert_eq!(agent.root.calls().iter().filter(|call| call.starts_with("/sbin/reboot")).count(), 1);
}

#[test]
fn l12_q01_reboot_of_a_session_that_breaks_later_is_still_done() {
    let acs = Acs::start();
    let agent = Agent::start_new(&acs);
    let mut session = acs.session();
    session.inform_ok();
    session.request(Message::Reboot { command_key: String::new() });
    session.take().http("500 Internal Server Error", &[], b"");
    agent.wait_call("/sbin/reboot");
}

/// Services read what their scripts write as users of their own.
#[test]
fn programs_have_the_usual_umask() {
    let acs = Acs::start();
    let agent = Agent::settled(&acs);
    agent.root.write_recorder("/sbin/reload_config", "umask >>\"$root/calls.log\"\n");
    agent.ok(&["set", "Device.DeviceInfo.HostName=gateway"]);
    assert_eq!(agent.wait_call("00"), "0022");
}

/// What a script leaves running has to end when it is told to.
#[test]
fn programs_have_no_signal_blocked() {
    let acs = Acs::start();
    let agent = Agent::settled(&acs);
    agent.root.write_recorder("/sbin/reload_config", "grep SigBlk: /proc/self/status >>\"$root/calls.log\"\n");
    agent.ok(&["set", "Device.DeviceInfo.HostName=gateway"]);
    assert_eq!(agent.wait_call("SigBlk:").trim_start_matches("SigBlk:").trim().trim_matches('0'), "");
}

#[test]
fn l14_e02_s04_kill_in_a_session_loses_no_event_and_is_no_boot() {
    let acs = Acs::start();
    let mut agent = Agent::start_new(&acs);
    let first = acs.next();
    assert_eq!(codes(first.inform()), ["0 BOOTSTRAP", "1 BOOT"]);
    agent.kill();
    agent.start();
    let mut session = acs.session();
    assert_eq!(session.events(), ["0 BOOTSTRAP", "1 BOOT"]);
    assert_eq!(session.inform.retry_count, 1);
    session.inform_ok();
    agent.kill();
    agent.start();
    // Both were taken by the ACS. What is left is the session itself, which did not end well (CONFORMANCE ).
    let inform = acs.serve();
    assert_eq!((codes(&inform), inform.retry_count), (Vec::new(), 2));
    agent.wait_idle();
    agent.stop();
    agent.start();
    // Now nothing is.
    let child = agent.inform("6 CONNECTION REQUEST");
    assert_eq!(codes(&acs.serve()), ["6 CONNECTION REQUEST"]);
    assert!(child.wait_with_output().unwrap().status.success());
}

#[test]
fn r10_delivered_events_do_not_come_again() {
    let acs = Acs::start();
    let agent = Agent::start_new(&acs);
    let mut session = acs.session();
    session.inform_ok();
    session.take().http("500 Internal Server Error", &[], b"");
    let inform = acs.serve();
    assert_eq!(codes(&inform), Vec::<&str>::new());
    assert_eq!(inform.retry_count, 1);
    assert_eq!(agent.wait_idle()["retry_count"], 0);
}

#[test]
fn r09_connection_that_is_refused_fails_the_session() {
    let acs = Acs::start();
    let url = acs.url();
    drop(acs);
    let mut agent = Agent::with_url(&url);
    agent.start();
    assert!(failure(&agent).to_lowercase().contains("refused"));
    let address = url.trim_start_matches("http://").trim_end_matches("/acs").parse().unwrap();
    let acs = Acs::start_at(address);
    let inform = acs.serve();
    assert!(inform.retry_count >= 1);
    assert_eq!(codes(&inform), ["0 BOOTSTRAP", "1 BOOT"]);
}

#[test]
fn x10_no_more_requests_is_ignored() {
    let acs = Acs::start();
    let agent = Agent::start_new(&acs);
    let mut session = acs.session();
    let inform = session.take();
    let response = String::from_utf8(encode(&inform.answer(Message::InformResponse { max_envelopes: 1 }))).unwrap();
    let response =
        response.replace("</soap-env:Header>", "<cwmp:NoMoreRequests>1</cwmp:NoMoreRequests></soap-env:Header>");
    inform.raw(xml(response.as_bytes()));
    session.next();
    session.value(VERSION);
    session.end();
    assert_eq!(agent.wait_idle()["last_session"]["complete"], true);
}

#[test]
fn x11_unknown_header_that_must_be_understood() {
    let acs = Acs::start();
    let _agent = Agent::start_new(&acs);
    let mut session = acs.session();
    session.inform_ok();
    let with_block = |session: &mut common::acs::Session<'_>, must: &str| {
        let request = String::from_utf8(encode(&session.envelope(get_values(&[VERSION])))).unwrap();
        let block =
            format!("<x:Odd xmlns:x=\"urn:example\" soap-env:mustUnderstand=\"{must}\">1</x:Odd></soap-env:Header>");
        let request = request.replace("</soap-env:Header>", &block);
        session.take().raw(xml(request.as_bytes()));
        session.next().message().clone()
    };
    let answer = with_block(&mut session, "1");
    assert!(matches!(&answer, Message::Fault(SoapFault::Plain(code, _)) if code == "MustUnderstand"), "{answer:?}");
    assert_eq!(session.pending().id(), Some("acs-1"));
    let answer = with_block(&mut session, "0");
    assert!(matches!(answer, Message::GetParameterValuesResponse(_)), "{answer:?}");
    session.end();
}

#[test]
fn x13_response_that_nobody_asked_for_ends_the_session_without_a_fault() {
    let acs = Acs::start();
    let agent = Agent::start_new(&acs);
    let mut session = acs.session();
    session.inform_ok();
    let response = session.envelope(Message::TransferCompleteResponse);
    session.take().reply(&response);
    acs.wait_closed(1);
    failure(&agent);
    assert_eq!(acs.requests().len(), 2);
}

#[test]
fn x11_x13_response_with_an_unknown_header_gets_no_fault_either() {
    let acs = Acs::start();
    let agent = Agent::start_new(&acs);
    let mut session = acs.session();
    session.inform_ok();
    let response = String::from_utf8(encode(&session.envelope(Message::TransferCompleteResponse))).unwrap();
    let block = "<x:Odd xmlns:x=\"urn:example\" soap-env:mustUnderstand=\"1\">1</x:Odd></soap-env:Header>";
    let response = response.replace("</soap-env:Header>", block);
    session.take().raw(xml(response.as_bytes()));
    acs.wait_closed(1);
    assert!(failure(&agent).contains("Odd"));
    assert_eq!(acs.requests().len(), 2);
}

#[test]
fn x12_x14_g02_unknown_rpc_is_9000_and_the_session_goes_on() {
    let acs = Acs::start();
    let agent = Agent::start_new(&acs);
    let mut session = acs.session();
    session.inform_ok();
    let request = String::from_utf8(encode(&session.envelope(Message::GetRpcMethods))).unwrap();
    session.take().raw(xml(request.replace("GetRPCMethods", "Frobnicate").as_bytes()));
    let fault = session.next();
    assert_eq!(fault.id(), Some("acs-1"));
    assert!(matches!(fault.message(), Message::Fault(SoapFault::Cwmp(fault)) if fault.code.0 == 9000));
    let text = String::from_utf8(fault.request.body.clone()).unwrap();
    assert!(text.contains("<faultcode>Server</faultcode><faultstring>CWMP fault</faultstring>"), "{text}");
    session.value(VERSION);
    session.end();
    assert_eq!(agent.wait_idle()["last_session"]["complete"], true);
}

#[test]
fn x15_x16_what_is_no_message_harms_nobody() {
    let laughs = "<?xml version=\"1.0\"?><!DOCTYPE l [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\">]><l>&b;</l>";
    let deep = "<a>".repeat(20_000);
    for body in ["<soap", "\u{0}\u{1}\u{fffd}", laughs, &deep, "<html><body>hello</body></html>"] {
        let acs = Acs::start();
        let agent = Agent::start_new(&acs);
        let mut session = acs.session();
        session.inform_ok();
        session.take().raw(xml(body.as_bytes()));
        // Either a fault or the end; never a crash.
        if let Some(exchange) = acs.next_within(std::time::Duration::from_millis(300)) {
            if matches!(exchange.envelope.as_ref().and_then(|it| it.body.as_ref()), Some(Message::Fault(_))) {
                exchange.no_content();
            } else {
                drop(exchange);
            }
        }
        agent.wait_idle();
        assert!(!agent.log().contains("panic"));
    }
}

#[test]
fn v01_v02_offer_of_all_versions() {
    let acs = Acs::start();
    let _agent = Agent::start_new(&acs);
    let mut session = acs.session();
    assert_eq!(session.namespace, Namespace::Cwmp12);
    let header = &session.pending().envelope.as_ref().unwrap().header;
    assert_eq!(header.supported_versions.as_deref(), Some("1.0,1.1,1.2,1.3,1.4"));
    session.inform_ok();
    session.end();
}

#[test]
fn v03_v04_version_of_the_acs_counts() {
    let version = |text: &str| Header { use_version: Some(text.into()), ..Header::default() };
    for (answered_in, header, agreed) in [
        (Namespace::Cwmp10, Header::default(), Namespace::Cwmp10),
        (Namespace::Cwmp11, Header::default(), Namespace::Cwmp11),
        (Namespace::Cwmp12, Header::default(), Namespace::Cwmp12),
        (Namespace::Cwmp12, version("1.1"), Namespace::Cwmp11),
        (Namespace::Cwmp12, version("1.4"), Namespace::Cwmp12),
    ] {
        let acs = Acs::start();
        let _agent = Agent::start_new(&acs);
        let mut session = acs.session();
        let inform = session.take();
        let response = inform_response(&inform, answered_in, header);
        inform.raw(xml(&response));
        session.next();
        session.namespace = agreed;
        session.value(VERSION);
        assert_eq!(session.pending().envelope.as_ref().unwrap().namespace, agreed);
        session.end();
    }
}

#[test]
fn v05_v07_acs_that_knows_only_an_old_version() {
    let acs = Acs::start();
    let agent = Agent::start_new(&acs);
    for expected in [Namespace::Cwmp12, Namespace::Cwmp12, Namespace::Cwmp12, Namespace::Cwmp11] {
        let exchange = acs.next();
        assert_eq!(exchange.envelope.as_ref().unwrap().namespace, expected);
        exchange.reply_message(acs_fault(8006));
        agent.wait_idle();
        agent.ask("2 PERIODIC");
    }
    let mut session = acs.session();
    assert_eq!(session.namespace, Namespace::Cwmp10);
    session.inform_ok();
    session.value(VERSION);
    session.end();
    agent.wait_idle();
    // What was agreed on holds.
    agent.ask("2 PERIODIC");
    let session = acs.session();
    assert_eq!(session.namespace, Namespace::Cwmp10);
}

#[test]
fn v06_requests_in_a_namespace_of_no_standard() {
    let acs = Acs::start();
    let _agent = Agent::start_new(&acs);
    let mut session = acs.session();
    let inform = session.take();
    let response = inform_response(&inform, Namespace::Cwmp13, Header::default());
    inform.raw(xml(&response));
    session.next();
    let request = String::from_utf8(encode(&session.envelope(get_values(&[VERSION])))).unwrap();
    session.take().raw(xml(request.replace("cwmp-1-2", "cwmp-1-4").as_bytes()));
    let answer = session.next();
    assert!(matches!(answer.message(), Message::GetParameterValuesResponse(_)));
    assert_eq!(answer.envelope.as_ref().unwrap().namespace, Namespace::Cwmp12);
    session.end();
}

#[test]
fn r09_x15_inform_response_that_is_none_fails_the_session() {
    for body in ["<soap", "", "<soap-env:Envelope xmlns:soap-env=\"http://schemas.xmlsoap.org/soap/envelope/\"/>"] {
        let acs = Acs::start();
        let agent = Agent::start_new(&acs);
        acs.next().raw(xml(body.as_bytes()));
        acs.wait_closed(1);
        failure(&agent);
        let inform = acs.serve();
        assert_eq!(codes(&inform), ["0 BOOTSTRAP", "1 BOOT"]);
        assert_eq!(inform.retry_count, 1);
    }
}
