//! Requirements of CONFORMANCE that the tests of the single parts leave open, with the program itself, or on the model where nothing else is needed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod common;
#[path = "common/model.rs"]
mod model;

use std::collections::BTreeSet;
use std::net::TcpStream;
use std::time::Duration;

use common::acs::{Acs, Session, acs_fault, codes, set_notification, set_values, told, wait_for};
use common::agent::{Agent, again, begin};
use common::root;
use cwmpd::error::{Fault, FaultCode};
use cwmpd::model::attributes::AttributeChange;
use cwmpd::model::schema::{Notification, Parameter, Rows};
use cwmpd::model::value::STRING;
use cwmpd::model::walk::{Depth, Found, Walk};
use cwmpd::model::{access, tree};
use cwmpd::soap::rpc::{Message, SetAttributes};
use model::Router;
use nix::sys::signal::Signal;

const KEY: &str = "Device.ManagementServer.ParameterKey";
const CODE: &str = "Device.DeviceInfo.ProvisioningCode";
const HOST_NAME: &str = "Device.DeviceInfo.HostName";
const VERSION: &str = "Device.DeviceInfo.SoftwareVersion";
const URL: &str = "Device.ManagementServer.ConnectionRequestURL";
const ROWS: &str = "Device.ManagementServer.InformParameter.";
const MAPPING: &str = "Device.NAT.PortMapping.1.";

fn faults(fault: &Fault) -> Vec<(&str, u16)> {
    fault.parameters.iter().map(|parameter| (parameter.name.as_str(), parameter.code.0)).collect()
}

fn reloads(agent: &Agent) -> usize {
    agent.root.calls().iter().filter(|call| call.as_str() == "/sbin/reload_config").count()
}

fn access_list(name: &str, list: &[&str]) -> Message {
    Message::SetParameterAttributes(vec![SetAttributes {
        name: name.into(),
        notification_change: false,
        notification: 0,
        access_list_change: true,
        access_list: list.iter().map(|entity| (*entity).to_owned()).collect(),
    }])
}

/// Every parameter below a name, with its full name.
fn parameters(router: &Router, name: &str) -> Vec<(String, &'static Parameter)> {
    let model = router.model.lock().unwrap();
    let mut context = model.context();
    let mut found = Vec::new();
    for target in tree::resolve(&mut context, name).unwrap() {
        let mut walk = Walk::new(&context.schema().clone(), &target, Depth::All);
        while let Some(step) = walk.next(&mut context) {
            if let Found::Parameter(node, row, parameter) = step {
                found.push((access::full_name(&context, node, &row, parameter.name), parameter));
            }
        }
    }
    found
}

/// The tables of the sample router as paths with their instance numbers, each with the numbers of its rows.
fn tables(router: &Router) -> Vec<(String, Vec<u32>)> {
    let model = router.model.lock().unwrap();
    let mut context = model.context();
    let mut found = Vec::new();
    for target in tree::resolve(&mut context, "Device.").unwrap() {
        let schema = context.schema().clone();
        let mut walk = Walk::new(&schema, &target, Depth::All);
        while let Some(step) = walk.next(&mut context) {
            if let Found::Table(_) = step {
                found.push((walk.path().to_owned(), Vec::new()));
            } else if let Found::Object(_) = step {
                let path = walk.path().trim_end_matches('.');
                if let Some((table, number)) = path.rsplit_once('.') {
                    let of = found.iter_mut().find(|(path, _)| path.strip_suffix('.') == Some(table));
                    if let (Some((_, rows)), Ok(number)) = (of, number.parse()) {
                        rows.push(number);
                    }
                }
            }
        }
    }
    found
}

// Values

/// What the ACS sets is no news to it; what follows from it is.
#[test]
fn p11_what_follows_from_a_change_of_the_acs_is_told() {
    let acs = Acs::start();
    let (agent, mut session) = begin(&acs);
    let (enable, status) = (format!("{MAPPING}Enable"), format!("{MAPPING}Status"));
    session.notify(&[&enable, &status], 2);
    assert_eq!(session.value(&status), "Enabled");
    session.set(&[(&enable, "xsd:boolean", "0")]);
    assert_eq!(session.value(&status), "Disabled");
    session.end();
    let inform = acs.serve();
    assert_eq!(codes(&inform), ["4 VALUE CHANGE"]);
    assert_eq!(told(&inform, &status), Some("Disabled"));
    assert_eq!(told(&inform, &enable), None);
    agent.wait_idle();
}

#[test]
fn p06_status_says_whether_it_is_applied_already() {
    let acs = Acs::start();
    let (agent, mut session) = begin(&acs);
    assert_eq!(session.set(&[(CODE, "xsd:string", "now")]), 0);
    assert_eq!(session.value(CODE), "now");
    assert_eq!(session.set(&[(HOST_NAME, "xsd:string", "later")]), 1);
    assert_eq!(session.value(HOST_NAME), "later");
    // Nothing is left to be done for a value that is there already.
    assert_eq!(session.set(&[(CODE, "xsd:string", "now")]), 0);
    session.end();
    agent.wait_call("/sbin/reload_config");
}

/// The power goes between the response and the end of the session: the router comes up with what was set, and needs nothing more.
#[test]
fn p07_p09_power_cut_before_a_change_is_applied() {
    let acs = Acs::start();
    let (mut agent, mut session) = begin(&acs);
    assert_eq!(session.set(&[(HOST_NAME, "xsd:string", "gateway")]), 1);
    let row = session.add(ROWS);
    agent.reboot();
    assert!(agent.root.read("/etc/config/system").contains("'gateway'"));
    let mut session = acs.session();
    session.inform_ok();
    assert_eq!(session.value(HOST_NAME), "gateway");
    assert!(session.names(ROWS, true).iter().any(|info| info.name == format!("{ROWS}{row}.")));
    session.end();
    agent.wait_idle();
    assert_eq!(reloads(&agent), 0);
}

/// Reload of what was set is done once by the daemon that starts again, and not a second time by the one after it.
#[test]
fn p07_a_promise_is_kept_once() {
    let acs = Acs::start();
    let (mut agent, mut session) = begin(&acs);
    session.set(&[(HOST_NAME, "xsd:string", "gateway")]);
    agent.kill();
    agent.start();
    agent.wait_call("/sbin/reload_config");
    wait_for("the kept promise", || agent.root.read("/etc/cwmpd/state.json").contains("\"packages\":[]").then_some(()));
    drop(session);
    // The session that was cut off is tried again.
    acs.serve();
    agent.wait_idle();
    agent.stop();
    agent.start();
    agent.ask("2 PERIODIC");
    acs.serve();
    agent.wait_idle();
    assert_eq!(reloads(&agent), 1);
}

/// The agent is killed when the configuration is written and the ACS has no answer yet. Asked for the same again nothing changes any more, and yet
/// the services have to hear of it.
#[test]
fn p07_p12_a_change_whose_answer_was_cut_off_takes_effect() {
    let acs = Acs::start();
    let (mut agent, mut session) = begin(&acs);
    // It runs after the files are written, and before the agent saves anything.
    agent.root.write_recorder("/etc/init.d/sqm", "sleep 2\n");
    let units = session.get(&["Device.SoftwareModules.ExecutionUnit."]);
    let unit = units.iter().find(|it| it.name.ends_with(".Name") && it.value.text == "sqm").unwrap();
    let start = format!("{}AutoStart", unit.name.strip_suffix("Name").unwrap());
    let port = format!("{MAPPING}ExternalPort");
    let set =
        session.envelope(set_values(&[(&port, "xsd:unsignedInt", "9099"), (&start, "xsd:boolean", "true")], "cut off"));
    session.take().reply(&set);
    agent.wait_call("/etc/init.d/sqm enable");
    agent.kill();
    drop(session);
    assert!(agent.root.read("/etc/config/firewall").contains("9099"));
    assert_eq!(reloads(&agent), 0);
    agent.start();
    agent.wait_call("/sbin/reload_config");
    acs.serve();
    agent.wait_idle();
    assert!(!agent.root.at("/var/run/cwmpd.written").exists());
    // Once is enough.
    agent.kill();
    agent.start();
    agent.ask("2 PERIODIC");
    acs.serve();
    agent.wait_idle();
    assert_eq!(reloads(&agent), 1);
}

/// A router that cannot reboot, or be reset, is there for the ACS as before, and does not take connection requests to do nothing.
#[test]
fn q01_q03_c05_a_router_that_does_not_go_down_goes_on_at_once() {
    let acs = Acs::start();
    let (agent, mut session) = begin(&acs);
    agent.root.write_recorder("/sbin/reboot", "echo 'not now' >&2\nexit 1\n");
    agent.root.write_recorder("/sbin/firstboot", "echo 'no overlay' >&2\nexit 1\n");
    let reboot = Message::Reboot { command_key: "now".into() };
    for (request, program, said) in
        [(reboot, "/sbin/reboot", "not now"), (Message::FactoryReset, "/sbin/firstboot", "no overlay")]
    {
        session.request(request);
        session.end();
        agent.wait_call(program);
        agent.wait_log(said);
        agent.wait_idle();
        assert_eq!(agent.connection_request(), 200);
        session = acs.session();
        assert!(session.events().contains(&"6 CONNECTION REQUEST"));
        session.inform_ok();
    }
    session.end();
}

#[test]
fn p68_parameter_key_of_rows_that_come_and_go() {
    let acs = Acs::start();
    let (mut agent, mut session) = begin(&acs);
    let add = |table: &str, key: &str| Message::AddObject { object_name: table.into(), parameter_key: key.into() };
    let delete = |row: &str, key: &str| Message::DeleteObject { object_name: row.into(), parameter_key: key.into() };
    let answer = session.request(add(ROWS, "added"));
    let Message::AddObjectResponse { instance_number, .. } = answer else { panic!("{answer:?}") };
    assert_eq!(session.value(KEY), "added");
    let row = format!("{ROWS}{instance_number}.");
    let long = "k".repeat(33);
    for bad in
        [add("Device.Hosts.Host.", "no"), add(ROWS, &long), delete("Device.Hosts.Host.1.", "no"), delete(&row, &long)]
    {
        let fault = session.refused(bad);
        assert!([9003, 9005].contains(&fault.code.0), "{fault}");
        assert_eq!(session.value(KEY), "added");
    }
    assert_eq!(session.names(ROWS, true).len(), 1);
    let answer = session.request(delete(&row, "größer als 32 Zeichen? Nein: 32!"));
    assert!(matches!(answer, Message::DeleteObjectResponse { .. }), "{answer:?}");
    assert_eq!(session.value(KEY), "größer als 32 Zeichen? Nein: 32!");
    session.end();
    agent.reboot();
    assert_eq!(told(&acs.serve(), KEY), Some("größer als 32 Zeichen? Nein: 32!"));
    agent.wait_idle();
    let mut session = again(&agent, &acs);
    session.request(add(ROWS, ""));
    assert_eq!(session.value(KEY), "");
    session.end();
}

/// No parameter of the tables so far has a value that only the router may give, as diagnostics will; the type knows them already.
#[test]
fn p19_values_that_only_the_router_gives() {
    let state = STRING.values(&["None", "Requested", "Complete"]).not_written(&["None", "Complete"]);
    assert_eq!(state.accept(Some("string"), "Requested").unwrap(), "Requested");
    for value in ["None", "Complete", "requested", ""] {
        assert_eq!(
            state.accept(Some("string"), value).unwrap_err().code,
            FaultCode::INVALID_PARAMETER_VALUE,
            "{value}"
        );
    }
}

// Attributes

/// What the ACS keeps to itself nobody else sets; a change of the file behind it is at least told.
#[test]
fn p55_access_list() {
    let acs = Acs::start();
    let (mut agent, mut session) = begin(&acs);
    assert_eq!(session.attributes(&[HOST_NAME])[0].access_list, ["Subscriber"]);
    assert_eq!(session.refused(access_list(HOST_NAME, &["Everyone"])).code.0, 9003);
    assert_eq!(session.attributes(&[HOST_NAME])[0].access_list, ["Subscriber"]);
    session.request(access_list(HOST_NAME, &[]));
    assert_eq!(session.attributes(&[HOST_NAME])[0].access_list, [""; 0]);
    session.end();
    agent.wait_idle();
    agent.stop();
    let refuses = |agent: &Agent| {
        let before = agent.root.read("/etc/config/system");
        let ran = agent.run(&["set", &format!("{CODE}=x"), &format!("{HOST_NAME}=mine")]);
        assert_ne!(ran.status, 0);
        assert!(ran.stderr.contains("9001") && ran.stderr.contains(HOST_NAME), "{}", ran.stderr);
        assert_eq!(agent.root.read("/etc/config/system"), before);
        assert_ne!(agent.value(CODE), "x");
    };
    // Without a daemon, and with one.
    refuses(&agent);
    agent.start();
    refuses(&agent);
    agent.ask("6 CONNECTION REQUEST");
    let mut session = acs.session();
    session.inform_ok();
    session.set(&[(HOST_NAME, "xsd:string", "theirs")]);
    session.request(access_list(HOST_NAME, &["X_EXAMPLE_Cloud"]));
    session.notify(&[HOST_NAME], 2);
    session.end();
    agent.wait_idle();
    refuses(&agent);
    agent.root.replace("/etc/config/system", "theirs", "by-hand");
    assert_eq!(told(&acs.serve(), HOST_NAME), Some("by-hand"));
    let mut session = again(&agent, &acs);
    session.request(access_list(HOST_NAME, &["Subscriber", "X_EXAMPLE_Cloud"]));
    session.end();
    agent.ok(&["set", &format!("{HOST_NAME}=mine")]);
}

#[test]
fn p54_what_is_forced_and_what_only_begins_as_active() {
    let acs = Acs::start();
    let (_agent, mut session) = begin(&acs);
    let notification = |session: &mut Session<'_>, name: &str| session.attributes(&[name])[0].notification;
    for name in [VERSION, CODE, URL] {
        assert_eq!(notification(&mut session, name), 2, "{name}");
    }
    for value in [0, 1] {
        session.notify(&[VERSION, "Device.DeviceInfo.ProvisioningCode", URL], value);
        assert_eq!((notification(&mut session, VERSION), notification(&mut session, CODE)), (2, 2));
        assert_eq!(i64::from(notification(&mut session, URL)), value);
    }
    session.end();
}

/// What the ACS could not switch off it is told, also when it has tried.
#[test]
fn p54_n08_a_forced_notification_works_after_an_attempt_to_switch_it_off() {
    let acs = Acs::start();
    let (mut agent, mut session) = begin(&acs);
    session.notify(&[VERSION, CODE], 0);
    session.end();
    agent.wait_idle();
    agent.kill();
    for file in ["/etc/openwrt_release", "/etc/os-release"] {
        agent.root.replace(file, "24.10.2", "24.10.3");
    }
    agent.root.reboot();
    agent.start();
    let inform = acs.serve();
    assert_eq!(codes(&inform), ["1 BOOT", "4 VALUE CHANGE"]);
    agent.wait_idle();
    agent.ok(&["set", &format!("{CODE}=local")]);
    assert_eq!(told(&acs.serve(), CODE), Some("local"));
}

/// Switched off and on again: what changed in between is not told.
#[test]
fn n09_only_changes_while_it_is_on_are_told() {
    let acs = Acs::start();
    let (agent, mut session) = begin(&acs);
    session.notify(&[HOST_NAME], 2);
    session.notify(&[HOST_NAME], 0);
    session.end();
    agent.wait_idle();
    agent.ok(&["set", &format!("{HOST_NAME}=meanwhile")]);
    let mut session = again(&agent, &acs);
    session.notify(&[HOST_NAME], 1);
    session.end();
    agent.wait_idle();
    agent.ask("2 PERIODIC");
    let inform = acs.serve();
    assert_eq!(codes(&inform), ["2 PERIODIC"]);
    assert_eq!(told(&inform, HOST_NAME), None);
}

/// From passive to active is no such thing: what is not told yet stays to be told.
#[test]
fn n09_n01_a_change_that_waits_is_told_when_it_becomes_active() {
    let acs = Acs::start();
    let (agent, mut session) = begin(&acs);
    session.notify(&[HOST_NAME], 1);
    session.end();
    agent.wait_idle();
    agent.ask("2 PERIODIC");
    let mut session = acs.session();
    agent.ok(&["set", &format!("{HOST_NAME}=meanwhile")]);
    session.inform_ok();
    session.notify(&[HOST_NAME], 2);
    session.end();
    let inform = acs.serve();
    assert_eq!(codes(&inform), ["4 VALUE CHANGE"]);
    assert_eq!(told(&inform, HOST_NAME), Some("meanwhile"));
}

/// Nothing is remembered of rows that went.
#[test]
fn p57_nothing_is_kept_of_a_row_that_was_deleted() {
    let acs = Acs::start();
    let (agent, mut session) = begin(&acs);
    let row = format!("{ROWS}{}.", session.add(ROWS));
    let name = format!("{row}ParameterName");
    session.notify(&[&name], 2);
    session.end();
    agent.wait_idle();
    let kept = || agent.root.read("/etc/cwmpd/told.json") + &agent.root.read("/etc/cwmpd/model.json");
    wait_for("the value that is watched", || agent.root.read("/etc/cwmpd/told.json").contains(&name).then_some(()));
    let mut session = again(&agent, &acs);
    session.delete(&row);
    session.end();
    wait_for("nothing of the row", || (!kept().contains(&row)).then_some(()));
}

/// Counters that change all the time start no sessions: active is refused for each of them.
#[test]
fn n07_p53_fast_counters_cannot_be_active() {
    let router = Router::new();
    let counters: Vec<String> = parameters(&router, "Device.")
        .into_iter()
        .filter(|(_, parameter)| parameter.notification == Notification::CanDeny)
        .map(|(name, _)| name)
        .collect();
    for name in [
        "Device.DeviceInfo.UpTime",
        "Device.Ethernet.Interface.1.Stats.BytesSent",
        "Device.WiFi.SSID.1.Stats.BytesReceived",
    ] {
        assert!(counters.iter().any(|counter| counter == name), "{name}");
    }
    let set = |name: &str, notification: i64| {
        let change = AttributeChange { name: name.into(), notification: Some(notification), access_list: None };
        router.model.lock().unwrap().set_attributes(&[change])
    };
    let mut names: Vec<&str> = counters.iter().map(String::as_str).collect();
    names.extend(["Device.Ethernet.", "Device."]);
    for name in names {
        assert_eq!(set(name, 2).unwrap_err().code, FaultCode::NOTIFICATION_REQUEST_REJECTED, "{name}");
        assert!(set(name, 1).is_ok(), "{name}");
        assert!(set(name, 0).is_ok(), "{name}");
    }
}

/// A counter that is told passively goes along and starts nothing.
#[test]
fn n07_a_counter_goes_along_with_the_next_inform() {
    let acs = Acs::start();
    let (agent, mut session) = begin(&acs);
    let counter = "Device.DeviceInfo.UpTime";
    assert_eq!(session.refused(set_notification(&[counter], 2)).code.0, 9009);
    session.notify(&[counter], 1);
    session.end();
    agent.wait_idle();
    agent.root.write("/proc/uptime", "99999.50 1.00\n");
    agent.signal(Signal::SIGUSR1);
    wait_for("a look at the values", || {
        (agent.value(counter) == "99999" && agent.status()["last_session"]["number"] == 1).then_some(())
    });
    agent.ask("2 PERIODIC");
    let inform = acs.serve();
    assert_eq!(codes(&inform), ["2 PERIODIC", "4 VALUE CHANGE"]);
    assert_eq!(told(&inform, counter), Some("99999"));
}

// Events and sessions

#[test]
fn b05_boot_of_this_start_is_told_to_the_new_acs() {
    let (old, new) = (Acs::start(), Acs::start());
    let mut agent = Agent::settled(&old);
    agent.ask("2 PERIODIC");
    old.next().http("503 Service Unavailable", &[], b"");
    agent.wait_idle();
    agent.option("acs", "retry_min_wait", "3600");
    agent.reboot();
    let waits = old.next();
    assert_eq!(codes(waits.inform()), ["1 BOOT", "2 PERIODIC"]);
    waits.http("503 Service Unavailable", &[], b"");
    agent.wait_idle();
    agent.option("acs", "url", &new.url());
    assert_eq!(codes(&new.serve()), ["0 BOOTSTRAP", "1 BOOT"]);
}

/// The BOOTSTRAP for an ACS that is out of reach waits, over a kill and a reboot.
#[test]
fn b04_e02_bootstrap_waits_over_everything() {
    let (old, new) = (Acs::start(), Acs::start());
    let mut agent = Agent::settled(&old);
    agent.option("acs", "url", &new.url());
    for reboot in [false, true] {
        let exchange = new.next();
        assert!(codes(exchange.inform()).contains(&"0 BOOTSTRAP"));
        exchange.hang_up();
        agent.kill();
        if reboot {
            agent.root.reboot();
        }
        agent.start();
    }
    assert_eq!(codes(&new.serve()), ["0 BOOTSTRAP", "1 BOOT"]);
}

#[test]
fn s05_the_port_stays_open_until_the_session_that_closes_it_is_over() {
    let acs = Acs::start();
    let (agent, mut session) = begin(&acs);
    session.set(&[("Device.ManagementServer.EnableCWMP", "xsd:boolean", "0")]);
    agent.signal(Signal::SIGHUP);
    assert_eq!(session.value("Device.ManagementServer.EnableCWMP"), "false");
    assert!(TcpStream::connect(agent.address()).is_ok());
    session.end();
    wait_for("the closed port", || TcpStream::connect(agent.address()).err());
    assert_eq!(agent.wait_idle()["last_session"]["complete"], true);
}

#[test]
fn c06_c07_five_requests_in_a_session_are_one_more_session() {
    let acs = Acs::start();
    let (agent, mut session) = begin(&acs);
    for _ in 0..5 {
        assert_eq!(agent.connection_request(), 200);
    }
    session.value(VERSION);
    session.end();
    assert_eq!(codes(&acs.serve()), ["6 CONNECTION REQUEST"]);
    let status = agent.wait_idle();
    assert_eq!(status["last_session"]["number"], 2);
    assert_eq!(status["pending_events"].as_array().unwrap().len(), 0);
    assert!(acs.next_within(Duration::from_millis(1200)).is_none());
}

/// What waited besides the connection request is in the session that is tried again; the request itself is not.
#[test]
fn c12_r06_other_events_are_in_the_session_that_is_tried_again() {
    let acs = Acs::start();
    let (agent, mut session) = begin(&acs);
    session.notify(&[HOST_NAME], 1);
    session.end();
    agent.wait_idle();
    agent.ok(&["set", &format!("{HOST_NAME}=new")]);
    assert_eq!(agent.connection_request(), 200);
    let exchange = acs.next();
    assert_eq!(codes(exchange.inform()), ["4 VALUE CHANGE", "6 CONNECTION REQUEST"]);
    exchange.http("503 Service Unavailable", &[], b"");
    let inform = acs.serve();
    assert_eq!(codes(&inform), ["4 VALUE CHANGE"]);
    assert_eq!((told(&inform, HOST_NAME), inform.retry_count), (Some("new"), 1));
}

#[test]
fn v05_what_lowers_the_version_and_what_does_not() {
    let acs = Acs::start();
    let mut agent = Agent::start_new(&acs);
    let offered = || {
        let exchange = acs.next();
        let header = &exchange.envelope.as_ref().unwrap().header;
        (header.supported_versions.clone().unwrap(), exchange)
    };
    let retry = |agent: &Agent| {
        agent.wait_idle();
        agent.ask("2 PERIODIC");
    };
    for (answer, highest) in
        [("500 Internal Server Error", "1.4"), ("8001", "1.4"), ("400 Bad Request", "1.4"), ("8006", "1.3")]
    {
        let (versions, exchange) = offered();
        assert!(versions.ends_with(highest), "{versions} before {answer}");
        match answer.parse() {
            Ok(code) => exchange.reply_message(acs_fault(code)),
            Err(_) => exchange.http(answer, &[], b""),
        }
        retry(&agent);
    }
    let (versions, exchange) = offered();
    assert!(versions.ends_with("1.2"), "{versions}");
    drop(exchange);
    agent.reboot();
    assert!(offered().0.ends_with("1.4"));
}

/// A fault that answers nothing is no request: it ends the session, and is not answered with another.
#[test]
fn x13_fault_that_answers_nothing() {
    let acs = Acs::start();
    let (agent, mut session) = begin(&acs);
    let fault = session.envelope(acs_fault(8003));
    session.take().reply(&fault);
    assert_eq!(agent.wait_idle()["last_session"]["complete"], false);
    assert_eq!(acs.requests().len(), 2);
}

#[test]
fn t17_the_user_name_auto_on_the_wire() {
    let acs = Acs::start();
    let mut agent = Agent::new(&acs);
    agent.options("acs", &[("username", "auto"), ("password", "p")]);
    agent.start();
    acs.next().http("401 Unauthorized", &["WWW-Authenticate: Basic realm=\"acs\""], b"");
    let session = acs.session();
    // 00005E-example%2Cax3000-EX30002407000123:p
    let credentials = "Basic MDAwMDVFLWV4YW1wbGUlMkNheDMwMDAtRVgzMDAwMjQwNzAwMDEyMzpw";
    assert_eq!(session.pending().request.header("Authorization"), Some(credentials));
}

/// A row that is not enabled, or that is for another event, is not in the Inform; what every Inform has cannot be put into the table.
#[test]
fn i05_rows_that_do_not_count() {
    let acs = Acs::start();
    let (agent, mut session) = begin(&acs);
    let row = |session: &mut Session<'_>, name: &str, enable: &str| {
        let path = format!("{ROWS}{}.", session.add(ROWS));
        session.set(&[
            (&format!("{path}ParameterName"), "xsd:string", name),
            (&format!("{path}Enable"), "xsd:boolean", enable),
        ]);
        path
    };
    row(&mut session, "Device.DeviceInfo.UpTime", "0");
    let path = row(&mut session, "Device.DeviceInfo.ModelName", "1");
    let events = format!("{path}EventList");
    let fault = session.refused(set_values(&[(&events, "xsd:string", "4 VALUE CHANGE")], ""));
    assert_eq!(faults(&fault), [(events.as_str(), 9007)]);
    let name = format!("{path}ParameterName");
    let fault = session.refused(set_values(&[(&name, "xsd:string", VERSION)], ""));
    assert_eq!(faults(&fault), [(name.as_str(), 9007)]);
    session.end();
    agent.wait_idle();
    agent.ask("2 PERIODIC");
    let inform = acs.serve();
    assert_eq!(told(&inform, "Device.DeviceInfo.ModelName"), Some("Example AX3000"));
    assert_eq!(told(&inform, "Device.DeviceInfo.UpTime"), None);
}

// Rules of the data model

#[test]
fn a03_j10_aliases() {
    let router = Router::new();
    let mut seen = BTreeSet::new();
    let aliases: Vec<(String, String)> = parameters(&router, "Device.")
        .into_iter()
        .filter(|(_, parameter)| parameter.name == "Alias")
        .map(|(name, parameter)| {
            // Write once and then read only, in TR-181, is read and write in CWMP.
            assert!(parameter.writable, "{name}");
            let value = router.get(&name);
            (name, value)
        })
        .collect();
    assert!(aliases.len() > 20);
    for (name, value) in &aliases {
        let table = name.trim_end_matches(".Alias").rsplit_once('.').unwrap().0;
        assert!(value.starts_with("cpe-") && value.len() <= 64, "{name}={value}");
        assert!(seen.insert((table, value)), "{name}={value} is there twice");
    }
    let (first, second) = ("Device.NAT.PortMapping.1.Alias", "Device.NAT.PortMapping.2.Alias");
    for bad in ["", "1st", "-x", " x", "a[b]", &"a".repeat(65)] {
        assert_eq!(router.refused(&[(first, bad)]), [(first.into(), FaultCode::INVALID_PARAMETER_VALUE)], "{bad:?}");
    }
    for good in ["web", &"ä1".replace('ä', "a").repeat(32), "web"] {
        router.set(&[(first, good)]).unwrap();
        assert_eq!(router.get(first), good);
    }
    assert_eq!(router.refused(&[(second, "web")]), [(second.into(), FaultCode::INVALID_PARAMETER_VALUE)]);
    // Nor can it be what a row to come will have; that of a row that is gone is free.
    let next = router.add("Device.NAT.PortMapping.").unwrap() + 1;
    let taken = format!("cpe-{next}");
    assert_eq!(router.refused(&[(second, &taken)]), [(second.into(), FaultCode::INVALID_PARAMETER_VALUE)]);
    router.delete(&format!("Device.NAT.PortMapping.{}.", next - 1)).unwrap();
    router.set(&[(second, &format!("cpe-{}", next - 1))]).unwrap();
    // The agent leaves it as it is, whatever becomes of the row and of the agent.
    router.set(&[("Device.NAT.PortMapping.1.Enable", "false"), ("Device.NAT.PortMapping.1.Description", "x")]).unwrap();
    router.restart();
    assert_eq!(router.get(first), "web");
}

#[test]
fn j03_j04_lists_and_references_in_every_form() {
    let router = Router::new();
    let servers = "Device.Time.Client.1.Servers";
    for text in ["a.example,b.example", "a.example, b.example", " a.example ,\tb.example "] {
        router.set(&[(servers, text)]).unwrap();
        assert_eq!(router.get(servers), "a.example,b.example");
    }
    for bad in ["a.example,", ",a.example", "a.example,,b.example"] {
        assert_eq!(router.refused(&[(servers, bad)]), [(servers.into(), FaultCode::INVALID_PARAMETER_VALUE)], "{bad}");
    }
    let mapped = "Device.NAT.PortMapping.1.Interface";
    let value = router.get(mapped);
    assert!(value.starts_with("Device.IP.Interface.") && !value.ends_with('.'), "{value}");
    let dotted = format!("{value}.");
    match router.set(&[(mapped, &dotted)]) {
        Ok(_) => assert_eq!(router.get(mapped), value),
        Err(fault) => assert_eq!(fault.parameters[0].code, FaultCode::INVALID_PARAMETER_VALUE),
    }
}

/// Vendors' tables may have a list as their key.
#[test]
fn j05_j06_lists_are_compared_as_sets() {
    let acs = Acs::start();
    let agent = Agent::new(&acs);
    agent.root.write(
        "/etc/config/teams",
        "config team 'one'\n\tlist member 'a'\n\tlist member 'b'\n\toption on '1'\n\nconfig team 'two'\n",
    );
    agent.root.write(
        "/etc/cwmpd/model.d/teams.json",
        r#"{"Device.X_EXAMPLE_Team.{i}.": {"instances": {"uci": "teams.@team"}, "writable": true, "unique": ["Members"], "enable": "Enable",
            "parameters": {
                "Enable": {"type": "boolean", "access": "rw", "uci": "on"},
                "Members": {"type": "string", "list": true, "access": "rw", "uci": "member"}}}}"#,
    );
    let set = |values: &[&str]| {
        let arguments: Vec<String> = values.iter().map(|value| format!("Device.X_EXAMPLE_Team.{value}")).collect();
        let arguments: Vec<&str> = ["set"].into_iter().chain(arguments.iter().map(String::as_str)).collect();
        agent.run(&arguments)
    };
    for same in ["a,b", "b,a", "b, a"] {
        let ran = set(&[&format!("2.Members={same}"), "2.Enable=1"]);
        assert_eq!(ran.status, 1, "{same}");
        assert!(ran.stderr.contains("9007") && ran.stderr.contains("Members"), "{}", ran.stderr);
    }
    // Among rows that are not enabled the key does not count, until one is enabled.
    assert_eq!(set(&["2.Members=b,a"]).status, 0);
    assert_eq!(set(&["2.Enable=1"]).status, 1);
    assert_eq!(set(&["2.Members=a", "2.Enable=1"]).status, 0);
}

#[test]
fn j07_rows_with_a_functional_key_can_be_enabled_and_begin_disabled() {
    for object in cwmpd::device::objects() {
        let Some(table) = object.table.filter(|table| table.keys.iter().any(|key| key.functional)) else { continue };
        // InterfaceSetting and its like have none in TR-181: their rows cannot be added.
        assert!(!table.enable.is_empty() || table.add.is_none(), "{}", object.path);
    }
    let router = Router::new();
    let mut tried = Vec::new();
    for (path, rows) in tables(&router) {
        let Ok(number) = router.add(&path) else { continue };
        assert!(!rows.contains(&number));
        let enable = format!("{path}{number}.Enable");
        if router.has(&enable) {
            assert_eq!(router.get(&enable), "false", "{enable}");
            tried.push(path);
        }
    }
    for table in ["Device.NAT.PortMapping.", "Device.DHCPv4.Server.Pool.", "Device.WiFi.AccessPoint.", ROWS] {
        assert!(tried.iter().any(|path| path == table), "{table}: {tried:?}");
    }
}

/// A parameter whose source has nothing to say reads as the null value of its type.
#[test]
fn j08_null_values() {
    let acs = Acs::start();
    let agent = Agent::new(&acs);
    let types = [
        ("string", ""),
        ("int", "-1"),
        ("long", "-1"),
        ("unsignedInt", "0"),
        ("unsignedLong", "0"),
        ("boolean", "false"),
        ("dateTime", "0001-01-01T00:00:00Z"),
        ("base64", ""),
        ("hexBinary", ""),
    ];
    let parameters: Vec<String> = types
        .iter()
        .map(|(kind, _)| format!(r#""{kind}": {{"type": "{kind}", "access": "rw", "uci": "nulls.main.{kind}"}}"#))
        .collect();
    agent.root.write("/etc/config/nulls", "config main 'main'\n");
    let text = format!(r#"{{"Device.X_EXAMPLE_Null.": {{"parameters": {{{}}}}}}}"#, parameters.join(","));
    agent.root.write("/etc/cwmpd/model.d/nulls.json", text);
    for (kind, value) in types {
        assert_eq!(agent.value(&format!("Device.X_EXAMPLE_Null.{kind}")), value, "{kind}");
    }
}

/// A new row of every table has what TR-181 gives it, or nothing at all.
#[test]
fn j08_p61_new_rows_have_their_defaults_or_null_values() {
    let router = Router::new();
    for (path, _) in tables(&router) {
        let Ok(number) = router.add(&path) else { continue };
        let row = format!("{path}{number}.");
        // Rows that come with it, such as the management port of a bridge, begin as they have to be.
        let own = |name: &str| !name[row.len()..].split('.').any(|part| part.parse::<u32>().is_ok());
        for (name, parameter) in parameters(&router, &row).into_iter().filter(|(name, _)| own(name)) {
            if let Some(default) = parameter.default.filter(|_| parameter.writable && !parameter.command) {
                let expected = if parameter.hidden { "" } else { default };
                assert_eq!(router.get(&name), expected, "{name}");
            }
        }
        router.delete(&row).unwrap();
    }
}

/// Deprecated at 2.17, and still as good as ever.
#[test]
fn j09_deprecated_parameters() {
    let router = Router::new();
    let name = |number: usize| format!("Device.Time.NTPServer{number}");
    for number in 1..=5 {
        let server = format!("ntp{number}.example");
        router.set(&[(&name(number), &server)]).unwrap();
        assert_eq!(router.get(&name(number)), server);
    }
    router.restart();
    let servers: Vec<String> = (1..=5).map(|number| router.get(&name(number))).collect();
    assert_eq!(servers.join(","), router.get("Device.Time.Client.1.Servers"));
}

/// A KiB is 1024 bytes.
#[test]
fn j12_memory_is_counted_in_powers_of_two() {
    let router = Router::new();
    let total: u64 = router.get("Device.DeviceInfo.MemoryStatus.Total").parse().unwrap();
    let meminfo = router.root.read("/proc/meminfo");
    let line = meminfo.lines().find(|line| line.starts_with("MemTotal:")).unwrap();
    // What the kernel calls kB are KiB.
    assert_eq!(line.split_whitespace().nth(1).unwrap().parse(), Ok(total));
    let free: u64 = router.get("Device.DeviceInfo.MemoryStatus.Free").parse().unwrap();
    assert!(free > 0 && free < total);
    let size = "Device.DeviceInfo.ProcessStatus.Process.";
    let first = parameters(&router, size).into_iter().find(|(name, _)| name.ends_with(".Size")).unwrap().0;
    let pid = first.trim_start_matches(size).trim_end_matches(".Size");
    let stat = router.root.read(&format!("/proc/{pid}/stat"));
    let bytes: u64 = stat.rsplit_once(')').unwrap().1.split_whitespace().nth(20).unwrap().parse().unwrap();
    assert_eq!(router.get(&first).parse(), Ok(bytes / 1024));
}

#[test]
fn j13_lengths_are_characters() {
    let acs = Acs::start();
    let (agent, mut session) = begin(&acs);
    let key = "é€&<>\"'ß".repeat(4);
    assert_eq!(key.chars().count(), 32);
    session.request(set_values(&[], &key));
    assert_eq!(session.value(KEY), key);
    session.refused(set_values(&[], &format!("{key}x")));
    // The only control characters that XML can carry.
    let text = "\ta\r\nb\n\nc\r";
    session.set(&[(CODE, "xsd:string", text)]);
    assert_eq!(session.value(CODE), text);
    let answer = session.request(Message::ScheduleInform { delay_seconds: 1, command_key: key.clone() });
    assert!(matches!(answer, Message::ScheduleInformResponse), "{answer:?}");
    let long = format!("{key}x");
    assert_eq!(session.refused(Message::ScheduleInform { delay_seconds: 1, command_key: long.clone() }).code.0, 9003);
    assert_eq!(session.refused(Message::Reboot { command_key: long }).code.0, 9003);
    session.end();
    agent.wait_idle();
    let inform = acs.serve();
    let event = inform.events.iter().find(|event| event.code == "M ScheduleInform").unwrap();
    assert_eq!(event.command_key, key);
}

/// The count beside every table is the number of its rows, before and after one more and one less.
#[test]
fn j15_counts_agree_with_rows() {
    let router = Router::new();
    let agree = |when: &str| {
        for (path, rows) in tables(&router) {
            // The one that TR-181 calls otherwise.
            let table = path.trim_end_matches('.').replace("DNS.Relay.Forwarding", "DNS.Relay.Forward");
            let count = format!("{table}NumberOfEntries");
            assert_eq!(router.get(&count), rows.len().to_string(), "{count} {when}");
        }
    };
    agree("at first");
    let added: Vec<String> = tables(&router)
        .into_iter()
        .filter_map(|(path, _)| Some(format!("{path}{}.", router.add(&path).ok()?)))
        .collect();
    assert!(added.len() > 5, "{added:?}");
    agree("with more rows");
    for row in added.iter().rev() {
        // A row below one that is gone went with it.
        if router.has(row) {
            router.delete(row).unwrap();
        }
    }
    agree("with the rows gone");
}

/// Tables whose rows the router numbers itself are the only ones whose numbers come back.
#[test]
fn p62_no_number_comes_back() {
    assert!(
        cwmpd::device::objects().any(|object| matches!(object.table.map(|table| table.rows), Some(Rows::Numbered(_))))
    );
    let router = Router::new();
    for (path, _) in tables(&router) {
        let Ok(first) = router.add(&path) else { continue };
        router.delete(&format!("{path}{first}.")).unwrap();
        router.restart();
        let second = router.add(&path).unwrap();
        assert!(second > first, "{path}{first}. and {second}");
    }
}

/// The response to FactoryReset is out, and then the power goes: the router that comes up does what was promised before it talks to anybody.
#[test]
fn q03_l12_factory_reset_is_done_after_a_power_cut() {
    let acs = Acs::start();
    let (mut agent, mut session) = begin(&acs);
    let answer = session.request(Message::FactoryReset);
    assert!(matches!(answer, Message::FactoryResetResponse), "{answer:?}");
    agent.reboot();
    agent.wait_call("/sbin/firstboot");
    agent.wait_call("/sbin/reboot");
    assert!(acs.next_within(Duration::from_millis(300)).is_none());
}

/// A reboot that was promised needs no second one when the power has gone in between.
#[test]
fn q01_q02_a_power_cut_is_the_reboot() {
    let acs = Acs::start();
    let (mut agent, mut session) = begin(&acs);
    session.request(Message::Reboot { command_key: "once".into() });
    agent.reboot();
    let inform = acs.serve();
    assert_eq!(codes(&inform), ["1 BOOT", "M Reboot"]);
    assert_eq!(inform.events[1].command_key, "once");
    agent.wait_idle();
    assert!(!agent.root.calls().iter().any(|call| call.starts_with("/sbin/reboot")));
}

/// Out of the box no two routers have the same user name or password, and nobody can read the password back.
#[test]
fn s16_every_router_has_credentials_of_its_own() {
    let made = || {
        let mut agent = Agent::with_url("");
        for line in ["\toption username 'cpe-user'\n", "\toption password 'cpe-secret-4711'\n"] {
            agent.root.replace("/etc/config/cwmpd", line, "");
        }
        agent.start();
        assert_eq!(agent.value("Device.ManagementServer.ConnectionRequestPassword"), "");
        let config = agent.root.read("/etc/config/cwmpd");
        let password = config.split("option password '").nth(1).unwrap().split('\'').next().unwrap().to_owned();
        assert!(password.len() >= 16, "{password}");
        assert!(!agent.log().contains(&password));
        password
    };
    assert_ne!(made(), made());
}

/// Whatever row goes, no strong reference leads to it any more.
#[test]
fn p67_no_strong_reference_leads_to_a_row_that_is_gone() {
    let router = Router::new();
    let strong = || -> Vec<(String, String)> {
        let is_strong =
            |(_, parameter): &(String, &Parameter)| parameter.value.reference.is_some_and(|reference| reference.strong);
        let names = parameters(&router, "Device.").into_iter().filter(is_strong);
        names.map(|(name, _)| (name.clone(), router.get(&name))).filter(|(_, value)| !value.is_empty()).collect()
    };
    let before = strong();
    let mut emptied = 0;
    for (path, rows) in tables(&router) {
        for number in rows {
            let row = format!("{path}{number}");
            if !before.iter().any(|(_, value)| value.split(',').any(|item| item == row)) {
                continue;
            }
            if router.delete(&format!("{row}.")).is_err() {
                continue;
            }
            emptied += 1;
            for (name, value) in strong() {
                assert!(
                    value.split(',').all(|item| router.has(item) || router.has(&format!("{item}."))),
                    "{name}={value}"
                );
            }
        }
    }
    assert!(emptied > 2, "{emptied} rows that something refers to were deleted");
}

/// What is below a row goes with it, in the files as well: the next pool of the interface begins empty.
#[test]
fn p66_p61_nothing_below_a_deleted_row_is_left() {
    let router = Router::new();
    let pool = "Device.DHCPv4.Server.Pool.1.";
    let interface = router.get(&format!("{pool}Interface"));
    let range = ["MinAddress", "MaxAddress"].map(|name| (name, router.get(&format!("{pool}{name}"))));
    assert_ne!(router.get(&format!("{pool}StaticAddressNumberOfEntries")), "0");
    // One that waits, and an option.
    router.add(&format!("{pool}StaticAddress.")).unwrap();
    let option = router.add(&format!("{pool}Option.")).unwrap();
    router
        .set(&[(&format!("{pool}Option.{option}.Tag"), "42"), (&format!("{pool}Option.{option}.Value"), "c0000201")])
        .unwrap();
    router.set(&[(&format!("{pool}ReservedAddresses"), "192.168.1.99")]).unwrap();
    router.delete(pool).unwrap();
    assert!(!String::from_utf8(router.files()["cwmpd"].clone()).unwrap().contains("host_"));
    let new = format!("Device.DHCPv4.Server.Pool.{}.", router.add("Device.DHCPv4.Server.Pool.").unwrap());
    let mut values = vec![(format!("{new}Interface"), interface), (format!("{new}Enable"), "true".into())];
    values.extend(range.map(|(name, value)| (format!("{new}{name}"), value)));
    let values: Vec<(&str, &str)> = values.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    router.set(&values).unwrap();
    for table in ["StaticAddress", "Option"] {
        assert_eq!(router.get(&format!("{new}{table}NumberOfEntries")), "0", "{table}");
    }
    assert_eq!(router.get(&format!("{new}ReservedAddresses")), "");
    // What belongs to the other interface stays.
    assert!(router.has("Device.DHCPv4.Server.Pool.2."));
}

/// A section without a name keeps the one that it gets when something in it is written (DATAMODEL rule 1).
fn without_names(file: &[u8]) -> String {
    let line = |line: &str| line.split_once(" 'cwmp_").map_or(line, |(kind, _)| kind).to_owned();
    String::from_utf8_lossy(file).lines().map(line).collect::<Vec<_>>().join("\n")
}

/// A row that is added, with rows below it, and deleted again leaves the files as they were.
#[test]
fn p60_p66_what_was_added_and_deleted_leaves_no_trace() {
    let router = Router::new();
    let before = router.files();
    for (path, _) in tables(&router) {
        let Ok(number) = router.add(&path) else { continue };
        let row = format!("{path}{number}.");
        let below: Vec<String> =
            tables(&router).into_iter().map(|(table, _)| table).filter(|table| table.starts_with(&row)).collect();
        let mut rows = 0;
        for table in below {
            rows += usize::from(router.add(&table).is_ok());
        }
        router.delete(&row).unwrap();
        for (file, text) in router.files() {
            let then = before.get(&file).map(Vec::as_slice).unwrap_or_default();
            let (now, then) = (without_names(&text), without_names(then));
            assert_eq!(now.trim_end(), then.trim_end(), "{row} with {rows} rows below it: {file}");
        }
        assert!(!router.has(&row));
    }
}
