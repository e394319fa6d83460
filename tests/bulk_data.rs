//! Bulk data over HTTP (TR-181 Device.BulkData.; TR-157 Annex A) with the program itself and a collector on a real socket.
#![cfg(feature = "bulk-data")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod common;

use std::time::{Duration, SystemTime};

use common::acs::{Acs, set_values, unpacked, wait_for};
use common::agent::{Agent, again};
use common::http_server::{Act, Received, Server, reply};
use cwmpd::time::UtcTime;
use serde_json::Value;

const PROFILE: &str = "Device.BulkData.Profile.1.";

/// The moment this many seconds from now, as a dateTime.
fn in_seconds(seconds: u64) -> String {
    UtcTime::from(SystemTime::now()).plus(Duration::from_secs(seconds)).to_string()
}

/// An agent whose first profile reports these references, each with the name that it has in the report, from two seconds from now on.
fn reporting(url: &str, references: &[(&str, &str)], settings: &[(&str, &str)]) -> (Acs, Agent) {
    let acs = Acs::start();
    let agent = Agent::start_new(&acs);
    let mut session = acs.session();
    session.inform_ok();
    session.add("Device.BulkData.Profile.");
    let set = |name: &str, value: &str| (format!("{PROFILE}{name}"), String::from(value));
    let mut values = vec![
        set("ReportingInterval", "5"),
        set("HTTP.URL", url),
        set("TimeReference", &in_seconds(2)),
        set("Enable", "true"),
        (String::from("Device.BulkData.Enable"), String::from("true")),
    ];
    for (number, (name, reference)) in (1..).zip(references) {
        assert_eq!(session.add(&format!("{PROFILE}Parameter.")), number);
        values.push(set(&format!("Parameter.{number}.Name"), name));
        values.push(set(&format!("Parameter.{number}.Reference"), reference));
    }
    values.extend(settings.iter().map(|(name, value)| set(name, value)));
    let values: Vec<(&str, &str, &str)> =
        values.iter().map(|(name, value)| (name.as_str(), "xsd:string", value.as_str())).collect();
    session.request(set_values(&values, ""));
    assert_eq!(session.value("Device.BulkData.Status"), "Enabled");
    session.end();
    (acs, agent)
}

/// What a collector has received once there are so many requests.
fn received(server: &Server, count: usize) -> Vec<Received> {
    wait_for("a report", || Some(server.received()).filter(|received| received.len() >= count))
}

fn good() -> Act {
    reply("200 OK", &[], b"")
}

#[test]
fn a_report_in_json_with_who_sends_it() {
    let mut challenged = false;
    let server = Server::start(move |_| match std::mem::replace(&mut challenged, true) {
        false => reply("401 Unauthorized", &["WWW-Authenticate: Digest realm=\"c\", nonce=\"n\", qop=\"auth\""], b""),
        true => good(),
    });
    let (_acs, agent) = reporting(
        &server.url("/collect?x=1"),
        &[
            ("", "Device.DeviceInfo.ModelName"),
            ("Sent", "Device.IP.Interface.*.Stats.BytesSent"),
            ("Web", "Device.NAT.PortMapping.1."),
            ("", "Device.NoSuchThing."),
            ("", "Device.NAT.PortMapping.1.InternalClient"),
        ],
        &[("HTTP.Username", "me"), ("HTTP.Password", "secret"), ("Parameter.5.Exclude", "true")],
    );
    let requests = received(&server, 2);
    assert_eq!(requests[1].line, requests[0].line);
    let serial = agent.value("Device.DeviceInfo.SerialNumber");
    let class = agent.value("Device.DeviceInfo.ProductClass").replace(',', "%2C");
    assert_eq!(requests[0].line, format!("POST /collect?x=1&oui=00005E&pc={class}&sn={serial} HTTP/1.1"));
    assert_eq!(requests[0].header("Authorization"), None, "nothing is told before it is asked for");
    assert!(requests[1].header("Authorization").unwrap().starts_with("Digest username=\"me\""));
    assert_eq!(requests[1].header("Content-Type"), Some("application/json; charset=UTF-8"));
    assert_eq!(requests[1].header("BBF-Report-Format"), Some("\"ObjectHierarchy\""));
    assert!(requests[1].header("Date").unwrap().ends_with(" GMT"));
    let body: Value = serde_json::from_slice(&requests[1].body).unwrap();
    let report = &body["Report"][0];
    let now = UtcTime::from(SystemTime::now()).seconds();
    assert!((now - 60..=now).contains(&report["CollectionTime"].as_i64().unwrap()), "{report}");
    assert_eq!(report["Device"]["DeviceInfo"]["ModelName"], agent.value("Device.DeviceInfo.ModelName"));
    let sent = report["Sent"].as_object().unwrap();
    assert!(sent.len() > 1 && sent.values().all(Value::is_u64), "{sent:?}");
    assert_eq!(report["Web"]["Description"], agent.value("Device.NAT.PortMapping.1.Description"));
    assert_eq!(report["Web"]["Enable"], true);
    assert_eq!(report["Web"].get("InternalClient"), None, "it is excluded");
    assert_eq!(report.get("NoSuchThing"), None);
    assert!(!agent.log().contains("secret"));
    // Switched off there are no more.
    agent.ok(&["set", "Device.BulkData.Enable=false"]);
    assert_eq!(agent.value("Device.BulkData.Status"), "Disabled");
}

#[test]
fn a_report_in_csv_is_tried_again_and_kept_over_a_loss() {
    // Down for the first interval, and good in the second.
    let mut first = None;
    let server = Server::start(move |received| {
        let body = unpacked(received);
        let first = first.get_or_insert_with(|| body.clone());
        if *first == body { reply("503 Service Unavailable", &[], b"") } else { good() }
    });
    let (_acs, agent) = reporting(
        &server.url("/"),
        &[("Up", "Device.DeviceInfo.UpTime"), ("", "Device.NAT.PortMapping.1.Description")],
        &[
            ("EncodingType", "CSV"),
            ("CSVEncoding.ReportFormat", "ParameterPerRow"),
            ("NumberOfRetainedFailedReports", "1"),
            ("HTTP.Method", "PUT"),
            ("HTTP.Compression", "GZIP"),
            ("HTTP.UseDateHeader", "false"),
            ("HTTP.RetryEnable", "true"),
            ("HTTP.RetryMinimumWaitInterval", "1"),
            ("HTTP.RetryIntervalMultiplier", "1000"),
        ],
    );
    let bodies = || server.received().iter().map(|it| String::from_utf8(unpacked(it)).unwrap()).collect::<Vec<_>>();
    let rows = |body: &str| body.split("\r\n").skip(1).filter(|row| !row.is_empty()).count();
    wait_for("a report after the loss", || bodies().iter().any(|body| rows(body) == 4).then_some(()));
    let reports = bodies();
    let failed = reports.iter().take_while(|body| **body == reports[0]).count();
    assert!(failed >= 2, "it was tried again: {reports:?}");
    assert_eq!(failed + 1, reports.len(), "the next interval brings the next report, with the one before");
    let lines: Vec<Vec<&str>> = reports[failed].trim().split("\r\n").map(|row| row.split(',').collect()).collect();
    assert_eq!(lines[0], ["ReportTimestamp", "ParameterName", "ParameterValue", "ParameterType"]);
    let names: Vec<&str> = lines[1..].iter().map(|line| line[1]).collect();
    assert_eq!(names, ["Up", "Device.NAT.PortMapping.1.Description", "Up", "Device.NAT.PortMapping.1.Description"]);
    assert_eq!((lines[1][3], lines[2][3]), ("unsignedInt", "string"));
    let time = |line: &[&str]| line[0].parse::<i64>().unwrap();
    assert!(time(&lines[3]) - time(&lines[1]) >= 4, "{lines:?}");
    assert!(reports[failed].starts_with(&reports[0]), "what was collected is what is told");
    let request = server.received().into_iter().next().unwrap();
    assert!(request.line.starts_with("PUT /?oui=00005E&"), "{}", request.line);
    assert_eq!(request.header("Content-Type"), Some("text/csv; charset=UTF-8; header=present"));
    assert_eq!(request.header("BBF-Report-Format"), Some("\"ParameterPerRow\""));
    assert_eq!(request.header("Content-Encoding"), Some("gzip"));
    assert_eq!(request.header("Date"), None);
    // What was delivered is not told again.
    wait_for("the next report", || (bodies().len() > failed + 1).then_some(()));
    assert_eq!(rows(&bodies()[failed + 1]), 2);
    agent.wait_log("Device.BulkData.Profile.1.: 1 reports are delivered");
}

/// A collector that refuses a report after the next is due gets both with that one, and then nothing again.
#[test]
fn what_went_along_with_the_next_report_is_not_tried_again() {
    let mut slow = true;
    let server = Server::start(move |_| match std::mem::take(&mut slow) {
        true => {
            // Longer than the interval.
            std::thread::sleep(Duration::from_secs(6));
            reply("503 Service Unavailable", &[], b"")
        }
        false => good(),
    });
    let (_acs, _agent) = reporting(
        &server.url("/"),
        &[("Text", "Device.NAT.PortMapping.1.Description")],
        &[
            ("HTTP.RetryEnable", "true"),
            ("HTTP.RetryMinimumWaitInterval", "1"),
            ("HTTP.RetryIntervalMultiplier", "1000"),
        ],
    );
    let body = |request: &Received| serde_json::from_slice::<Value>(&request.body).unwrap();
    let counts: Vec<usize> =
        received(&server, 3).iter().map(|request| body(request)["Report"].as_array().unwrap().len()).collect();
    assert_eq!(counts, [1, 2, 1]);
}

#[test]
fn a_collector_that_never_answers_leaves_turns_for_the_others() {
    let silent = Server::start(|_| Act::Hold);
    let other = Server::start(|_| good());
    // It is waited for 10 s, which is two intervals.
    let (acs, agent) = reporting(&silent.url("/"), &[("Up", "Device.DeviceInfo.UpTime")], &[]);
    let mut session = again(&agent, &acs);
    let path = format!("Device.BulkData.Profile.{}.", session.add("Device.BulkData.Profile."));
    let row = session.add(&format!("{path}Parameter."));
    let values = [
        ("ReportingInterval", String::from("5")),
        ("HTTP.URL", other.url("/")),
        // After the first has begun.
        ("TimeReference", in_seconds(3)),
        ("Enable", String::from("true")),
    ];
    let values = values.map(|(name, value)| (format!("{path}{name}"), value));
    let reference = format!("{path}Parameter.{row}.Reference");
    let mut all: Vec<(&str, &str, &str)> =
        values.iter().map(|(name, value)| (name.as_str(), "xsd:string", value.as_str())).collect();
    all.push((&reference, "xsd:string", "Device.DeviceInfo.UpTime"));
    session.request(set_values(&all, ""));
    session.end();
    received(&other, 1);
    assert!(!silent.received().is_empty(), "the first had its turn");
}

#[test]
fn what_was_not_delivered_goes_over_a_reboot_if_that_is_asked_for() {
    let server = Server::start(|received| match unpacked(received).split(|byte| *byte == b'\n').count() {
        // The head, a report, and what comes after the last end of a line.
        3 => reply("500 Internal Server Error", &[], b""),
        _ => good(),
    });
    let (_acs, mut agent) = reporting(
        &server.url("/"),
        &[("Text", "Device.NAT.PortMapping.1.Description")],
        &[("EncodingType", "CSV"), ("NumberOfRetainedFailedReports", "-1"), ("HTTP.PersistAcrossReboot", "true")],
    );
    agent.wait_log("Device.BulkData.Profile.1.: the report is not delivered");
    agent.stop();
    let file = agent.root.at("/etc/cwmpd/bulk_data.json");
    assert!(file.exists());
    agent.root.reboot();
    agent.start();
    assert!(!file.exists());
    agent.wait_log("Device.BulkData.Profile.1.: 2 reports are delivered");
    let bodies: Vec<String> =
        server.received().iter().map(|request| String::from_utf8(unpacked(request)).unwrap()).collect();
    assert_eq!(bodies.len(), 2);
    assert!(bodies[0].ends_with(",Web server\r\n") && bodies[1].starts_with(&bodies[0]), "{bodies:?}");
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let acs = Acs::start();
    let agent = Agent::settled(&acs);
    let mut session = again(&agent, &acs);
    session.add("Device.BulkData.Profile.");
    for (name, value) in [
        ("ReportingInterval", "4"),
        ("Protocol", "MQTT"),
        ("EncodingType", "XML"),
        ("HTTP.URL", "ftp://collector.example/"),
        ("HTTP.Compression", "Compress"),
        ("HTTP.RetryIntervalMultiplier", "999"),
    ] {
        let fault = session.refused(set_values(&[(&format!("{PROFILE}{name}"), "xsd:string", value)], ""));
        assert_eq!(fault.parameters[0].code.0, 9007, "{name}");
    }
    session.set(&[(&format!("{PROFILE}HTTP.Password"), "xsd:string", "secret")]);
    assert_eq!(session.value(&format!("{PROFILE}HTTP.Password")), "");
    for table in ["Parameter", "HTTP.RequestURIParameter"] {
        let row = session.add(&format!("{PROFILE}{table}."));
        let reference = format!("{PROFILE}{table}.{row}.Reference");
        let fault = session.refused(set_values(&[(&reference, "xsd:string", "InternetGatewayDevice.")], ""));
        assert_eq!(fault.parameters[0].code.0, 9007);
    }
    assert_eq!(session.value(&format!("{PROFILE}CSVEncoding.RowSeparator")), "\r\n");
    session.end();
}
