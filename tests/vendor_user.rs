//! What docs/vendor.md says, done as an integrator does it: files alone, with the program itself.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod common;

use std::process::Command;

use common::acs::{Acs, set_values};
use common::agent::{Agent, Ran};

const TABLES: &str = include_str!("../docs/vendor/tables.json");
const PLACE: &str = "/etc/cwmpd/model.d/tables.json";

/// A router with what the file speaks of.
fn prepare(agent: &Agent) {
    let root = &agent.root;
    for (zone, degrees) in [("thermal_zone0", "48250"), ("thermal_zone1", "-5000")] {
        root.write(&format!("/sys/class/thermal/{zone}/temp"), format!("{degrees}\n"));
        root.write(&format!("/sys/class/thermal/{zone}/policy"), "step_wise\n");
    }
    let peers = r#"{"peers": [{"id": 7, "address": "192.0.2.7", "rates": [100, 200], "blocked": false},
        {"id": "b", "address": "not an address", "rates": [], "blocked": true}]}"#;
    root.set_ubus("mesh", "peers", None, peers);
    root.write_recorder("/usr/sbin/meshctl", "");
    root.write_recorder("/usr/sbin/tasks", "case $1 in list) printf 'backup\\nscan\\n' ;; nice) echo 5 ;; esac");
    root.write_recorder("/etc/init.d/stations", "");
}

fn good(ran: &Ran) {
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
}

/// The commands of the documentation, without and with a daemon.
#[test]
fn the_steps_of_the_documentation() {
    let acs = Acs::start();
    let mut agent = Agent::new(&acs);
    prepare(&agent);
    agent.root.write(PLACE, TABLES);
    agent.root.write("/etc/config/stations", "");
    good(&agent.run(&["check"]));
    for running in [false, true] {
        if running {
            agent.start();
        }
        let printed = agent.ok(&["get", "Device.X_EXAMPLE_Zone."]);
        assert!(printed.contains("Device.X_EXAMPLE_Zone.1.Temperature=48250\n"), "{printed}");
        let row = agent.ok(&["add", "Device.X_EXAMPLE_Station."]).trim().to_owned();
        let station = format!("Device.X_EXAMPLE_Station.{row}.");
        agent.ok(&["set", &format!("{station}Label=AB-1"), &format!("{station}Mac=00:00:5E:00:53:01")]);
        let file = agent.root.read("/etc/config/stations");
        for line in ["option interval '60'", "option label 'AB-1'", "option mac '00:00:5E:00:53:01'"] {
            assert!(file.contains(line), "{line} is not in\n{file}");
        }
        agent.wait_call("/etc/init.d/stations reload");
        agent.root.clear_calls();
        agent.ok(&["set", "Device.X_EXAMPLE_Task.1.Start=true"]);
        agent.wait_call("/usr/sbin/tasks start backup true");
        agent.ok(&["del", &station]);
        assert!(!agent.root.read("/etc/config/stations").contains("station"));
    }
}

/// A serial number that a file finds elsewhere is the router's everywhere: in the Inform, and in the user name that is made of it.
#[test]
fn the_user_name_auto_is_made_of_what_a_file_says() {
    let acs = Acs::start();
    let mut agent = Agent::new(&acs);
    agent.options("acs", &[("username", "auto"), ("password", "p")]);
    agent.root.write("/tmp/serial", "SN7\n");
    agent.root.write(
        "/etc/cwmpd/model.d/serial.json",
        r#"{"Device.DeviceInfo.": {"parameters": {"SerialNumber": {"type": "string", "access": "ro", "file": "/tmp/serial"}}}}"#,
    );
    agent.start();
    acs.next().http("401 Unauthorized", &["WWW-Authenticate: Basic realm=\"acs\""], b"");
    let mut session = acs.session();
    // 00005E-example%2Cax3000-SN7:p
    let credentials = "Basic MDAwMDVFLWV4YW1wbGUlMkNheDMwMDAtU043OnA=";
    assert_eq!(session.pending().request.header("Authorization"), Some(credentials));
    session.inform_ok();
    assert_eq!(session.value("Device.ManagementServer.Username"), "00005E-example%2Cax3000-SN7");
}

/// What finds the serial number is not started for a user name that does not have it.
#[test]
fn a_user_name_that_is_written_out_starts_no_program() {
    let started = ["auto", "router"].map(|username| {
        let acs = Acs::start();
        let mut agent = Agent::new(&acs);
        agent.options("acs", &[("username", username), ("password", "p")]);
        agent.root.write_recorder("/usr/sbin/sn", "echo SN7");
        agent.root.write(
            "/etc/cwmpd/model.d/serial.json",
            r#"{"Device.DeviceInfo.": {"parameters": {"SerialNumber": {"type": "string", "access": "ro", "exec": ["/usr/sbin/sn"]}}}}"#,
        );
        agent.start();
        acs.serve();
        agent.wait_idle();
        agent.root.calls().iter().filter(|call| call.starts_with("/usr/sbin/sn")).count()
    });
    assert!(started[1] < started[0], "{started:?}");
}

/// Each kind of source, as an ACS meets it: read, written, refused.
#[test]
fn a_table_over_each_kind_of_source_over_cwmp() {
    let acs = Acs::start();
    let mut agent = Agent::new(&acs);
    prepare(&agent);
    agent.root.write(PLACE, TABLES);
    agent.root.write(
        "/etc/config/stations",
        "config station 'roof'\n\toption mac '00:00:5E:00:53:0A'\n\toption key 'secret words'\n",
    );
    agent.start();
    let mut session = acs.session();
    session.inform_ok();
    // UCI
    let station = "Device.X_EXAMPLE_Station.";
    assert_eq!(session.value("Device.X_EXAMPLE_StationNumberOfEntries"), "1");
    for (name, value) in [("Enable", "true"), ("Interval", "60"), ("Mode", "Passive"), ("Key", ""), ("Label", "")] {
        assert_eq!(session.value(&format!("{station}1.{name}")), value, "{name}");
    }
    let row = session.add(station);
    let of_row = |name: &str| format!("{station}{row}.{name}");
    session.set(&[(&of_row("Mode"), "xsd:string", "Active"), (&of_row("Enable"), "xsd:boolean", "false")]);
    // A second one with the same address is none as long as it is disabled.
    session.set(&[(&of_row("Mac"), "xsd:string", "00:00:5E:00:53:0A")]);
    for (name, value) in [
        ("Enable", "true"),
        ("Label", "AB-12345"),
        ("Interval", "5"),
        ("Mode", "Lazy"),
        ("Key", "short"),
        ("Mac", "00-00-5E-00-53-0B"),
    ] {
        let fault = session.refused(set_values(&[(&of_row(name), "xsd:string", value)], ""));
        assert_eq!(fault.parameters[0].code.0, 9007, "{name}={value}");
    }
    session.delete(&format!("{station}{row}."));
    // A directory
    let zone = "Device.X_EXAMPLE_Zone.";
    assert_eq!(session.value(&format!("{zone}2.Name")), "thermal_zone1");
    assert_eq!(session.value(&format!("{zone}2.Temperature")), "-5000");
    session.set(&[(&format!("{zone}2.Policy"), "xsd:string", "user_space")]);
    assert_eq!(agent.root.read("/sys/class/thermal/thermal_zone1/policy").trim(), "user_space");
    let fault = session.refused(common::acs::set_notification(&[&format!("{zone}2.Temperature")], 2));
    assert_eq!(fault.code.0, 9009);
    let table = cwmpd::soap::rpc::Message::AddObject { object_name: zone.into(), parameter_key: String::new() };
    assert_eq!(session.refused(table).code.0, 9005);
    // ubus
    let peer = "Device.X_EXAMPLE_Peer.";
    assert_eq!(session.value(&format!("{peer}1.Address")), "192.0.2.7");
    assert_eq!(session.value(&format!("{peer}1.Rates")), "100,200");
    assert_eq!(session.value(&format!("{peer}2.Blocked")), "true");
    let fault = session.refused(common::acs::get_values(&[&format!("{peer}2.Address")]));
    assert_eq!(fault.code.0, 9002, "what is no address is not told as one");
    session.set(&[(&format!("{peer}1.Blocked"), "xsd:boolean", "1")]);
    agent.wait_call("/usr/sbin/meshctl block 7 true");
    // A program
    let task = "Device.X_EXAMPLE_Task.";
    assert_eq!(session.value(&format!("{task}2.Name")), "scan");
    assert_eq!(session.value(&format!("{task}2.Nice")), "5");
    session.set(&[(&format!("{task}2.Nice"), "xsd:int", "-3")]);
    agent.wait_call("/usr/sbin/tasks renice scan -3");
    session.end();
}

/// A mistake is told with file, line and reason, and what it is in is left out; everything else works.
#[test]
fn check_tells_every_mistake_with_file_line_and_reason() {
    let acs = Acs::start();
    let mut agent = Agent::new(&acs);
    prepare(&agent);
    agent.option("acs", "http_timeout", "30");
    let broken = TABLES
        .replace("\"pattern\": \"[A-Z]", "\"pattern\": \"([A-Z]")
        .replace("\"range\": [10, 3600]", "\"rang\": [10, 3600]");
    agent.root.write(PLACE, &broken);
    agent.root.write("/usr/share/cwmpd/model.d/fan.json", include_str!("../docs/vendor/fan.json"));
    let line = |text: &str| broken.lines().position(|line| line.contains(text)).unwrap() + 1;
    let ran = agent.run(&["check"]);
    assert_eq!(ran.status, 1);
    assert_eq!(
        ran.stdout.lines().collect::<Vec<_>>(),
        [
            format!("{PLACE}:{}: a ( has no )", line("\"Label\"")),
            format!("{PLACE}:{}: a parameter has no \"rang\"; did you mean \"range\"?", line("\"Interval\"")),
        ]
    );
    assert!(ran.stderr.contains("2 mistakes were found"), "{}", ran.stderr);
    agent.start();
    assert_eq!(agent.run(&["get", "Device.X_EXAMPLE_Zone."]).status, 1);
    agent.root.write_recorder("/usr/sbin/fanctl", "case $1 in list) echo cpu ;; speed) echo 40 ;; esac");
    assert!(agent.ok(&["get", "Device.X_EXAMPLE_Fan."]).contains("Device.X_EXAMPLE_Fan.1.Speed=40\n"));
}

/// The schema for editors takes the examples, and knows every word that the agent knows.
#[test]
fn the_schema_for_editors_fits() {
    let schema: serde_json::Value = serde_json::from_str(include_str!("../docs/vendor.schema.json")).unwrap();
    let words = |part: &str| -> Vec<String> {
        schema["$defs"][part]["properties"].as_object().unwrap().keys().cloned().collect()
    };
    for (part, what) in [("object", "object"), ("parameter", "parameter"), ("instances", "instances")] {
        for word in words(part) {
            // A word that the agent does not know is a mistake of its own kind.
            let text = match part {
                "object" => format!("{{\"Device.X_A_B.{{i}}.\": {{\"{word}\": null}}}}"),
                "instances" => format!("{{\"Device.X_A_B.{{i}}.\": {{\"instances\": {{\"{word}\": null}}}}}}"),
                _ => format!("{{\"Device.X_A_B.\": {{\"parameters\": {{\"P\": {{\"{word}\": null}}}}}}}}"),
            };
            let problems = cwmpd::model::vendor::parse("x.json", &text).unwrap_err();
            let unknown = format!("has no \"{word}\"");
            assert!(!problems.iter().any(|it| it.reason.contains(&unknown)), "the agent knows no {word} of {what}");
        }
    }
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/vendor.schema.json");
    let examples =
        ["led", "modem", "fan", "tables"].map(|name| format!("{}/docs/vendor/{name}.json", env!("CARGO_MANIFEST_DIR")));
    let python = std::env::var_os("CWMPD_PYTHON").unwrap_or_else(|| "python3".into());
    let script = "import json, sys, jsonschema\nschema = json.load(open(sys.argv[1]))\n\
                  [jsonschema.validate(json.load(open(name)), schema) for name in sys.argv[2:]]\n";
    let output = Command::new(&python).args(["-c", script, schema]).args(&examples).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    match errors.contains("No module named 'jsonschema'") {
        true => {
            assert!(std::env::var_os("CWMPD_CI").is_none(), "{errors}");
            println!("skipped: Python without jsonschema");
        }
        false => assert!(output.status.success(), "{errors}"),
    }
}
