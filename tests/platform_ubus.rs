//! Calls over the socket of ubusd, and what happens when it or those behind it do not play by the rules.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

#[path = "common/root.rs"]
mod root;
#[path = "common/ubusd.rs"]
mod ubusd;

use std::sync::Arc;
use std::time::{Duration, Instant};

use cwmpd::platform::System;
use cwmpd::platform::live::Live;
use cwmpd::platform::ubus::UbusError;
use root::RouterRoot;
use serde_json::{Value, json};
use ubusd::{Misbehaviour, Ubusd};

struct Router {
    ubusd: Ubusd,
    live: Live,
    root: RouterRoot,
}

fn router() -> Router {
    let root = RouterRoot::new();
    Router { ubusd: root.start_ubusd(), live: Live::new(root.path()).unwrap(), root }
}

impl Router {
    fn call(&self, object: &str, method: &str) -> Result<Value, UbusError> {
        self.live.ubus_call(object, method, &json!({}))
    }

    fn works(&self) {
        assert_eq!(self.call("system", "board").unwrap()["model"], "Example AX3000");
    }
}

#[test]
fn a_call_is_answered_without_a_process_on_one_connection() {
    let router = router();
    for _ in 0..3 {
        router.works();
        let info = router.live.ubus_call("iwinfo", "info", &json!({"device": "phy1-ap0"})).unwrap();
        assert_eq!(info["channel"], 36);
    }
    let dump = router.call("network.interface", "dump").unwrap();
    assert_eq!(dump, serde_json::from_str::<Value>(&router.root.ubus("network.interface", "dump")).unwrap());
    assert_eq!(router.call("network.interface.lan", "up"), Ok(json!({})));
    assert_eq!(router.ubusd.calls().len(), 8);
    assert_eq!(router.ubusd.calls()[1], r#"iwinfo info {"device":"phy1-ap0"}"#);
    // Each object is looked up once.
    assert_eq!(router.ubusd.lookups(), ["system", "iwinfo", "network.interface", "network.interface.lan"]);
    assert_eq!((router.ubusd.connections(), router.live.started()), (1, 0));
    assert!(router.root.calls().is_empty());
}

#[test]
fn every_failure_has_its_kind() {
    let router = router();
    assert_eq!(router.call("nobody", "status"), Err(UbusError::NotFound));
    assert_eq!(router.call("system", "sing"), Err(UbusError::NoMethod));
    let status = |status| {
        router.ubusd.misbehave("system", Misbehaviour::Status(status));
        router.call("system", "board")
    };
    assert_eq!(status(2), Err(UbusError::Arguments));
    assert_eq!(status(3), Err(UbusError::NoMethod));
    assert_eq!(status(4), Err(UbusError::NotFound));
    assert_eq!(status(5), Err(UbusError::NotFound));
    assert_eq!(status(6), Err(UbusError::Denied));
    assert_eq!(status(7), Err(UbusError::TimedOut));
    for odd in [1, 8, 9, 11, u32::MAX] {
        assert!(matches!(status(odd), Err(UbusError::Failed(_))), "{odd}");
    }
    // What no message can carry does not even go out.
    assert!(matches!(router.live.ubus_call("system", "board", &json!([])), Err(UbusError::Failed(_))));
    assert!(matches!(router.live.ubus_call("system", "board", &json!({"a": "\0"})), Err(UbusError::Failed(_))));
    router.ubusd.behave();
    router.works();
    assert_eq!(router.ubusd.connections(), 1);
}

#[test]
fn an_answer_in_several_messages_and_a_large_one_are_taken() {
    let router = router();
    router.ubusd.misbehave("system", Misbehaviour::Many(3));
    router.works();
    let hosts: Vec<Value> = (0..5000).map(|number| json!({"mac": format!("{number:012x}"), "n": number})).collect();
    router.root.set_ubus("many", "hosts", None, &json!({ "hosts": hosts }).to_string());
    assert_eq!(router.call("many", "hosts").unwrap()["hosts"].as_array().unwrap().len(), 5000);
}

#[test]
fn lies_about_types_and_lengths_fail_that_call_alone() {
    let router = router();
    let wrong: [&[u8]; 7] = [
        b"\x83\0\0\x0a\0\x01a\0hi",
        b"\x85\0\0\x09\0\x01a\0\x01",
        b"\x85\xff\xff\xff\0\x01a\0\0\0\0\x01",
        b"\x8f\0\0\x08\0\x01a\0",
        b"\x81\0\0\x0c\0\x01a\0\xff\xff\xff\xff",
        b"\x87\0\0\x08\xff\xffa\0",
        b"\0\0\0",
    ];
    for bytes in wrong {
        router.ubusd.misbehave("system", Misbehaviour::Data(bytes.to_vec()));
        assert!(matches!(router.call("system", "board"), Err(UbusError::Failed(_))), "{bytes:x?}");
    }
    // As deep as the message allows.
    let mut deep = Vec::new();
    for _ in 0..20_000 {
        let length = u32::try_from(deep.len() + 8).unwrap();
        deep = [(0x8100_0000 | length).to_be_bytes().as_slice(), b"\0\x01a\0", &deep].concat();
        if deep.len() > 60_000 {
            break;
        }
    }
    router.ubusd.misbehave("system", Misbehaviour::Data(deep));
    assert!(matches!(router.call("system", "board"), Err(UbusError::Failed(_))));
    router.ubusd.behave();
    router.works();
    assert_eq!(router.ubusd.connections(), 1, "the messages themselves were whole");
}

#[test]
fn what_is_no_message_ends_the_connection_and_the_next_call_makes_another() {
    let router = router();
    let nonsense: [&[u8]; 3] = [b"HTTP/1.1 200 OK\r\n\r\n", &[0xff; 64], b"\0\x02\0\x02\0\0\0\0\0\xff\xff\xff"];
    for (number, bytes) in nonsense.iter().enumerate() {
        router.works();
        router.ubusd.misbehave("system", Misbehaviour::Bytes(bytes.to_vec()));
        assert!(matches!(router.call("system", "board"), Err(UbusError::Failed(_))));
        router.ubusd.behave();
        assert_eq!(router.ubusd.connections() as usize, number + 1);
    }
    router.works();
}

#[test]
fn a_connection_that_ends_at_any_byte_fails_that_call_alone() {
    let router = router();
    router.root.set_ubus("small", "get", None, r#"{"a":"b"}"#);
    // Data of 36 bytes, and a status of 20.
    for length in 0..56 {
        router.ubusd.misbehave("small", Misbehaviour::CutOff(length));
        let answer = router.call("small", "get");
        assert!(matches!(answer, Err(UbusError::Failed(_))), "{length}: {answer:?}");
    }
    router.ubusd.behave();
    assert_eq!(router.call("small", "get"), Ok(json!({"a": "b"})));
    let calls = router.ubusd.calls().len();
    assert_eq!(calls, 57, "no call is made twice");
}

#[test]
fn an_object_whose_owner_was_started_again_is_found_again() {
    let router = router();
    router.works();
    router.ubusd.renumber();
    router.works();
    assert_eq!((router.ubusd.lookups().len(), router.ubusd.connections()), (2, 1));
}

#[test]
fn a_new_ubusd_is_found() {
    let mut router = router();
    router.works();
    drop(std::mem::replace(&mut router.ubusd, router.root.start_ubusd_at("/tmp/run/elsewhere.sock")));
    // No socket: the program is asked.
    router.works();
    assert_eq!(router.live.started(), 1);
    router.ubusd = router.root.start_ubusd();
    router.works();
    assert_eq!((router.live.started(), router.ubusd.connections()), (1, 1));
    // Nobody at the socket: not even the program would find anybody.
    drop(std::mem::replace(&mut router.ubusd, router.root.start_ubusd_at("/tmp/run/elsewhere.sock")));
    drop(std::os::unix::net::UnixListener::bind(router.root.at("/tmp/run/ubus/ubus.sock")).unwrap());
    assert_eq!(router.call("system", "board"), Err(UbusError::Absent));
    assert_eq!(router.live.started(), 1);
}

#[test]
fn the_socket_of_older_releases_is_found() {
    let root = RouterRoot::new();
    let ubusd = root.start_ubusd_at("/tmp/run/ubus.sock");
    let live = Live::new(root.path()).unwrap();
    assert!(live.ubus_call("system", "board", &json!({})).is_ok());
    assert_eq!((ubusd.connections(), live.started()), (1, 0));
}

#[test]
fn an_object_that_hangs_is_given_up_and_does_not_hold_others() {
    let router = Arc::new(router());
    router.works();
    router.ubusd.misbehave("iwinfo", Misbehaviour::Hang);
    let hanging = {
        let router = router.clone();
        std::thread::spawn(move || {
            let start = Instant::now();
            (router.call("iwinfo", "devices"), start.elapsed())
        })
    };
    ubusd::eventually("the call that hangs", || router.ubusd.calls().iter().any(|call| call.starts_with("iwinfo")));
    let start = Instant::now();
    router.works();
    assert!(start.elapsed() < Duration::from_secs(10), "waited for another thread");
    let (answer, took) = hanging.join().unwrap();
    assert_eq!(answer, Err(UbusError::TimedOut));
    assert!(took >= Duration::from_secs(15) && took < Duration::from_secs(25), "{took:?}");
    router.works();
}

#[test]
fn a_silent_ubusd_costs_one_wait() {
    let router = router();
    router.ubusd.fall_silent();
    let start = Instant::now();
    for _ in 0..20 {
        assert_eq!(router.call("system", "board"), Err(UbusError::TimedOut));
    }
    assert!(start.elapsed() < Duration::from_secs(14), "{:?}", start.elapsed());
}

/// A mobile interface has its addresses on the interfaces that it made; the connection request URL needs one all the same.
#[test]
fn an_interface_without_addresses_of_its_own_has_those_of_its_device() {
    let router = router();
    router.root.set_ubus("network.interface.wwan", "status", None, r#"{"up":true,"proto":"qmi","l3_device":"lo"}"#);
    let state = cwmpd::platform::net::interface_state(&router.live, "wwan");
    assert!(state.up && state.certain);
    assert!(state.addresses.iter().any(|address| address.is_loopback()), "{state:?}");
    router.root.set_ubus("network.interface.wwan", "status", None, r#"{"up":false,"proto":"qmi","device":"lo"}"#);
    assert!(cwmpd::platform::net::interface_state(&router.live, "wwan").addresses.is_empty());
}
