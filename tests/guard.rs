//! The guard: changes of the ACS that could cut the router off are kept when it is reached again in time, and undone when not, with the
//! program itself. A real loss of the path is in tests/guard_netns.rs.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod common;

use std::fs;
use std::time::Duration;

use common::acs::{Acs, Session, codes, set_values, told, wait_for};
use common::agent::Agent;
use common::transfers;
use cwmpd::soap::rpc::Message;

const CHECK: &str = "X CWMPD-ORG CHANGE CHECK";
const UNDONE: &str = "X CWMPD-ORG CHANGE UNDONE";
const KEY: &str = "Device.ManagementServer.ParameterKey";
const REASON: &str = "Device.ManagementServer.X_CWMPD-ORG_LastRollback";
const URL: &str = "Device.ManagementServer.URL";
const CODE: &str = "Device.DeviceInfo.ProvisioningCode";
const HOST_NAME: &str = "Device.DeviceInfo.HostName";
const MTU: &str = "Device.IP.Interface.2.MaxMTUSize";
const MAPPINGS: &str = "Device.NAT.PortMapping.";
const ROWS: &str = "Device.ManagementServer.InformParameter.";
const NETWORK: &str = "/etc/config/network";

/// Nothing is listening there.
const NOWHERE: &str = "http://127.0.0.1:9/";

/// A running agent that has had its first session, with a guard of so many seconds.
fn guarded(acs: &Acs, seconds: u32) -> Agent {
    let mut agent = Agent::new(acs);
    agent.option("cpe", "rollback_timeout", &seconds.to_string());
    agent.start();
    acs.serve();
    agent.wait_idle();
    agent
}

/// A session, after the Inform.
fn session<'a>(agent: &Agent, acs: &'a Acs) -> Session<'a> {
    agent.ask("6 CONNECTION REQUEST");
    let mut session = acs.session();
    session.inform_ok();
    session
}

/// SetParameterValues that is done; gives the status.
fn set(session: &mut Session<'_>, values: &[(&str, &str, &str)], key: &str) -> u8 {
    match session.request(set_values(values, key)) {
        Message::SetParameterValuesResponse { status } => status,
        other => panic!("SetParameterValues is answered with {other:?}"),
    }
}

/// The ACS cannot be reached until the agent says that the change is undone; gives the session with that.
fn unreachable_until_undone(acs: &Acs) -> Session<'_> {
    for _ in 0..20 {
        let mut session = acs.session();
        if session.events().contains(&UNDONE) {
            assert!(!session.events().contains(&CHECK));
            return session;
        }
        session.take().hang_up();
    }
    panic!("the change is not undone");
}

fn is_kept(agent: &Agent) -> bool {
    agent.root.at("/etc/cwmpd/guard").exists()
}

fn reloads(agent: &Agent) -> usize {
    agent.root.calls().iter().filter(|call| call.as_str() == "/sbin/reload_config").count()
}

#[test]
fn a_change_after_which_the_acs_is_reached_is_kept() {
    let acs = Acs::start();
    let agent = guarded(&acs, 10);
    let mut session = session(&agent, &acs);
    assert_eq!(set(&mut session, &[(MTU, "xsd:unsignedInt", "1400")], "one"), 1);
    assert!(is_kept(&agent), "before the answer goes out");
    session.end();
    let before = agent.wait_idle();
    assert!(before["undone_in"].as_u64().is_some_and(|left| left <= 10), "{before}");
    assert!(agent.ok(&["status"]).contains("unless the ACS is reached"));
    // The agent comes by itself.
    let inform = acs.serve();
    assert_eq!(codes(&inform), [CHECK]);
    assert_eq!(told(&inform, KEY), Some("one"));
    assert!(agent.wait_idle()["undone_in"].is_null());
    assert!(!is_kept(&agent));
    assert!(agent.root.read(NETWORK).contains("option mtu '1400'"));
    assert_eq!(agent.value(REASON), "");
}

#[test]
fn a_change_after_which_the_acs_is_not_reached_is_undone_and_told() {
    let acs = Acs::start();
    let agent = guarded(&acs, 3);
    let (network, system) = (agent.root.read(NETWORK), agent.root.read("/etc/config/system"));
    let mut first = session(&agent, &acs);
    set(&mut first, &[(CODE, "xsd:string", "before")], "former");
    first.notify(&[MTU, HOST_NAME], 2);
    first.end();
    agent.wait_idle();
    agent.root.clear_calls();
    let mut second = session(&agent, &acs);
    set(&mut second, &[(MTU, "xsd:unsignedInt", "1400")], "second");
    // What comes after belongs to it: the last state that the ACS knows to be good is the one before both.
    set(&mut second, &[(MTU, "xsd:unsignedInt", "1300"), (HOST_NAME, "xsd:string", "other")], "third");
    second.end();
    let mut told_of = unreachable_until_undone(&acs);
    assert_eq!(agent.root.read(NETWORK), network);
    assert_eq!(agent.root.read("/etc/config/system"), system);
    let events = told_of.events();
    assert!(events.contains(&"4 VALUE CHANGE"), "{events:?}");
    assert!(!events.contains(&"0 BOOTSTRAP"), "{events:?}");
    assert_eq!(told(&told_of.inform, KEY), Some("former"));
    let reason = told(&told_of.inform, REASON).unwrap().to_owned();
    assert!(reason.contains("not reached within 3 s") && reason.ends_with("network, system"), "{reason}");
    assert!(reason.starts_with("20"), "{reason}");
    // The ACS believes that it has set them: it is told what they are (CONFORMANCE N-04).
    assert_eq!(told(&told_of.inform, MTU), Some("1500"));
    assert_eq!(told(&told_of.inform, HOST_NAME), Some("OpenWrt"));
    told_of.inform_ok();
    assert_eq!(told_of.value(CODE), "before");
    assert_eq!(told_of.value(REASON), reason);
    told_of.end();
    agent.wait_idle();
    assert_eq!(reloads(&agent), 2, "for the change and for its undoing");
    assert!(!is_kept(&agent));
    assert!(agent.log().contains("not reached within 3 s"));
}

#[test]
fn b04_an_undone_url_leaves_no_bootstrap_and_all_that_waited_for_the_acs() {
    let acs = Acs::start();
    let agent = guarded(&acs, 3);
    let mut first = session(&agent, &acs);
    first.notify(&[CODE], 2);
    let request = Message::ScheduleInform { delay_seconds: 5, command_key: "later".into() };
    assert!(matches!(first.request(request), Message::ScheduleInformResponse));
    set(&mut first, &[(URL, "xsd:string", NOWHERE)], "moved");
    first.end();
    wait_for("the other ACS", || agent.root.read("/etc/cwmpd/state.json").contains(NOWHERE).then_some(()));
    let told_of = acs.session();
    assert!(told_of.events().contains(&UNDONE), "{:?}", told_of.events());
    assert!(!told_of.events().contains(&"0 BOOTSTRAP"), "{:?}", told_of.events());
    assert_eq!(told(&told_of.inform, KEY), Some(""));
    let mut told_of = told_of;
    told_of.inform_ok();
    assert_eq!(told_of.value(URL), acs.url());
    assert_eq!(told_of.attributes(&[CODE])[0].notification, 2);
    told_of.end();
    let inform = acs.serve_until(|inform| codes(inform).contains(&"3 SCHEDULED"));
    assert!(inform.events.iter().any(|event| event.command_key == "later"));
    assert!(acs.informs().iter().skip(1).all(|inform| !codes(inform).contains(&"0 BOOTSTRAP")));
}

#[test]
fn b03_an_acs_that_answers_at_the_new_url_keeps_it() {
    let (acs, other) = (Acs::start(), Acs::start());
    let agent = guarded(&acs, 4);
    let mut session = session(&agent, &acs);
    set(&mut session, &[(URL, "xsd:string", &other.url())], "moved");
    session.end();
    let inform = other.serve_until(|inform| codes(inform).contains(&CHECK));
    assert_eq!(told(&inform, KEY), Some("moved"));
    assert!(codes(&other.informs()[0]).contains(&"0 BOOTSTRAP"));
    agent.wait_idle();
    assert!(!is_kept(&agent));
}

/// Without a URL there are no sessions, and no time would pass.
#[test]
fn a_url_that_was_taken_away_comes_back() {
    let acs = Acs::start();
    let agent = guarded(&acs, 3);
    let mut first = session(&agent, &acs);
    set(&mut first, &[(URL, "xsd:string", "")], "gone");
    first.end();
    let mut told_of = unreachable_until_undone(&acs);
    assert!(!told_of.events().contains(&"0 BOOTSTRAP"), "{:?}", told_of.events());
    told_of.inform_ok();
    assert_eq!(told_of.value(URL), acs.url());
}

#[test]
fn wrong_credentials_are_undone() {
    let acs = Acs::start();
    let agent = guarded(&acs, 3);
    let mut session = session(&agent, &acs);
    let username = "Device.ManagementServer.Username";
    set(&mut session, &[(username, "xsd:string", "nobody")], "");
    session.end();
    unreachable_until_undone(&acs).inform_ok();
    assert!(!agent.root.read("/etc/config/cwmpd").contains("nobody"));
}

/// The power goes while the change is on trial: what has passed before counts, and what is on the disk is enough to go back.
#[test]
fn a_change_is_undone_after_a_power_cut_as_well() {
    let acs = Acs::start();
    let mut agent = guarded(&acs, 6);
    let network = agent.root.read(NETWORK);
    let mut session = session(&agent, &acs);
    set(&mut session, &[(MTU, "xsd:unsignedInt", "1400"), (URL, "xsd:string", NOWHERE)], "cut");
    session.end();
    wait_for("half of the time", || (agent.status()["undone_in"].as_u64()? <= 3).then_some(()));
    agent.reboot();
    let left = agent.status()["undone_in"].as_u64().unwrap();
    assert!(left <= 3, "{left} s are left after the reboot");
    agent.reboot();
    let mut told_of = unreachable_until_undone(&acs);
    assert!(told_of.events().contains(&"1 BOOT"), "{:?}", told_of.events());
    assert!(!told_of.events().contains(&"0 BOOTSTRAP"), "{:?}", told_of.events());
    told_of.inform_ok();
    assert_eq!(agent.root.read(NETWORK), network);
    assert!(agent.root.calls().contains(&"/sbin/reload_config".to_owned()));
}

/// The power goes after the former state was kept and before anything was changed: there is nothing to undo, and nothing to tell.
#[test]
fn a_change_that_was_never_made_is_not_undone() {
    let acs = Acs::start();
    let mut agent = guarded(&acs, 3);
    let mut session = session(&agent, &acs);
    let files = [NETWORK, "/etc/cwmpd/model.json", "/etc/cwmpd/state.json"].map(|file| (file, agent.root.read(file)));
    set(&mut session, &[(MTU, "xsd:unsignedInt", "1400")], "never");
    agent.kill();
    drop(session);
    for (file, content) in files {
        agent.root.write(file, content);
    }
    assert!(is_kept(&agent));
    agent.start();
    for _ in 0..20 {
        if !is_kept(&agent) {
            break;
        }
        if let Some(exchange) = acs.next_within(Duration::from_millis(500)) {
            exchange.hang_up();
        }
    }
    assert!(!is_kept(&agent));
    agent.ask("6 CONNECTION REQUEST");
    assert!(!codes(&acs.serve()).contains(&UNDONE));
    assert_eq!(agent.value(REASON), "");
}

#[test]
fn p62_numbers_of_undone_rows_are_not_given_again() {
    let acs = Acs::start();
    let agent = guarded(&acs, 3);
    let mut first = session(&agent, &acs);
    first.add(ROWS);
    let (mapping, row) = (first.add(MAPPINGS), first.add(ROWS));
    first.end();
    let mut told_of = unreachable_until_undone(&acs);
    told_of.inform_ok();
    let names = |session: &mut Session<'_>, table: &str| -> Vec<String> {
        session.names(table, true).into_iter().map(|info| info.name).collect()
    };
    assert!(!names(&mut told_of, MAPPINGS).contains(&format!("{MAPPINGS}{mapping}.")));
    let rows = names(&mut told_of, ROWS);
    assert!(rows.contains(&format!("{ROWS}{}.", row - 1)) && !rows.contains(&format!("{ROWS}{row}.")), "{rows:?}");
    assert!(told_of.add(MAPPINGS) > mapping);
    assert!(told_of.add(ROWS) > row);
}

/// UCI has no switch for a port, so that there is no file to put back.
#[test]
fn a_port_that_was_switched_off_is_switched_on_again() {
    let acs = Acs::start();
    let agent = guarded(&acs, 3);
    agent.root.write_recorder("/sbin/ip", "");
    let mut session = session(&agent, &acs);
    let ports = session.get(&["Device.Ethernet.Interface."]);
    let port = ports.iter().find(|value| value.name.ends_with(".Name") && value.value.text == "wan").unwrap();
    let enable = port.name.replace(".Name", ".Enable");
    set(&mut session, &[(&enable, "xsd:boolean", "0")], "");
    session.end();
    let mut told_of = unreachable_until_undone(&acs);
    told_of.inform_ok();
    assert_eq!(told_of.value(&enable), "true");
    let calls: Vec<String> = agent.root.calls().into_iter().filter(|call| call.contains("link set wan")).collect();
    assert_eq!(calls.first().map(String::as_str), Some("/sbin/ip link set wan down"));
    assert_eq!(calls.last().map(String::as_str), Some("/sbin/ip link set wan up"));
}

#[test]
fn what_cannot_cut_the_router_off_is_not_on_trial() {
    let acs = Acs::start();
    let agent = guarded(&acs, 3);
    let mut session = session(&agent, &acs);
    for (name, kind, value) in [
        (CODE, "xsd:string", "x"),
        (HOST_NAME, "xsd:string", "other"),
        ("Device.ManagementServer.PeriodicInformInterval", "xsd:unsignedInt", "1800"),
        ("Device.WiFi.SSID.1.SSID", "xsd:string", "other"),
        // The same value again.
        (MTU, "xsd:unsignedInt", "1500"),
    ] {
        set(&mut session, &[(name, kind, value)], "");
        assert!(!is_kept(&agent), "{name}");
    }
    session.refused(set_values(&[(MTU, "xsd:unsignedInt", "1400"), (URL, "xsd:string", "no url")], ""));
    assert!(!is_kept(&agent), "a refused change");
    // Whoever is at the router is not cut off by what he does there.
    agent.ok(&["set", &format!("{MTU}=1400")]);
    assert!(!is_kept(&agent), "a change of the command line");
}

#[test]
fn without_rollback_timeout_nothing_is_kept() {
    let acs = Acs::start();
    let agent = Agent::settled(&acs);
    let mut session = session(&agent, &acs);
    set(&mut session, &[(MTU, "xsd:unsignedInt", "1400")], "");
    assert!(!is_kept(&agent));
    session.end();
    assert!(agent.wait_idle()["undone_in"].is_null());
}

/// Whoever switches the guard off wants the change.
#[test]
fn switching_the_guard_off_keeps_the_change() {
    let acs = Acs::start();
    let agent = guarded(&acs, 600);
    let mut session = session(&agent, &acs);
    set(&mut session, &[(MTU, "xsd:unsignedInt", "1400")], "");
    session.end();
    agent.wait_idle();
    agent.option("cpe", "rollback_timeout", "0");
    wait_for("the end of the guard", || (!is_kept(&agent)).then_some(()));
    assert!(agent.root.read(NETWORK).contains("option mtu '1400'"));
}

/// No way back, no change.
#[test]
fn a_change_whose_former_state_cannot_be_kept_is_refused() {
    let acs = Acs::start();
    let agent = guarded(&acs, 3);
    agent.root.write("/etc/cwmpd/guard", "in the way");
    let network = agent.root.read(NETWORK);
    let mut session = session(&agent, &acs);
    let fault = session.refused(set_values(&[(MTU, "xsd:unsignedInt", "1400")], "new"));
    assert_eq!(fault.code.0, 9002);
    assert_eq!(agent.root.read(NETWORK), network);
    assert_eq!(session.value(KEY), "");
    agent.root.remove("/etc/cwmpd/guard");
    assert_eq!(set(&mut session, &[(MTU, "xsd:unsignedInt", "1400")], "new"), 1);
}

#[test]
fn copies_are_for_root_alone() {
    use std::os::unix::fs::PermissionsExt;
    let acs = Acs::start();
    let agent = guarded(&acs, 600);
    let mut session = session(&agent, &acs);
    set(&mut session, &[("Device.ManagementServer.Password", "xsd:string", "SwordFish")], "");
    let mode = |path: &str| fs::metadata(agent.root.at(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("/etc/cwmpd/guard"), 0o700);
    assert_eq!(mode("/etc/cwmpd/guard/config/cwmpd"), 0o600);
    assert!(!agent.log().contains("SwordFish"));
}

/// As rpcd keeps it while a change of the web interface waits for its confirmation.
fn pending_in_rpcd(agent: &Agent, status: u8) {
    agent.root.write("/tmp/run/rpcd/snapshot-files/network", "config interface 'lan'\n");
    let ubus = agent.root.read("/bin/ubus");
    let answer = format!("case \"$*\" in *' call uci rollback {{}}') exit {status} ;; esac\n");
    let (head, rest) = ubus.split_once('\n').unwrap();
    agent.root.write_program("/bin/ubus", &format!("{head}\n{answer}{rest}"));
}

#[test]
fn what_rpcd_may_still_put_back_is_not_changed() {
    let acs = Acs::start();
    let agent = Agent::settled(&acs);
    let network = agent.root.read(NETWORK);
    // UBUS_STATUS_INVALID_ARGUMENT: a session is missing, since there is something to go back to.
    pending_in_rpcd(&agent, 2);
    let mut session = session(&agent, &acs);
    let fault = session.refused(set_values(&[(MTU, "xsd:unsignedInt", "1400"), (CODE, "xsd:string", "x")], "new"));
    assert_eq!(fault.code.0, 9001);
    assert!(fault.text.contains("network"), "{}", fault.text);
    assert_eq!(agent.root.read(NETWORK), network);
    assert_eq!((session.value(CODE), session.value(KEY)), (String::new(), String::new()));
    assert_eq!(set(&mut session, &[(HOST_NAME, "xsd:string", "other")], ""), 1, "another package");
    // UBUS_STATUS_NO_DATA: some versions leave the former files behind when nothing is pending.
    pending_in_rpcd(&agent, 5);
    assert_eq!(set(&mut session, &[(MTU, "xsd:unsignedInt", "1400")], ""), 1);
}

/// rpcd goes first: what it puts back afterwards would be the change that was undone.
#[test]
fn nothing_is_undone_while_rpcd_may_put_something_back() {
    let acs = Acs::start();
    let agent = guarded(&acs, 3);
    let mut session = session(&agent, &acs);
    set(&mut session, &[(MTU, "xsd:unsignedInt", "1400")], "");
    session.end();
    agent.wait_idle();
    pending_in_rpcd(&agent, 2);
    let mut waits = false;
    while !waits {
        acs.next().hang_up();
        waits = agent.log().contains("not undone yet");
    }
    assert!(agent.root.read(NETWORK).contains("option mtu '1400'"));
    pending_in_rpcd(&agent, 5);
    agent.root.remove("/tmp/run/rpcd/snapshot-files");
    unreachable_until_undone(&acs).inform_ok();
    assert!(!agent.root.read(NETWORK).contains("1400"));
}

/// Settings from a file cut a router off as well as any.
#[test]
fn restored_settings_are_undone_and_their_result_says_so() {
    let acs = Acs::start();
    let agent = guarded(&acs, 3);
    let files = [NETWORK, "/etc/config/cwmpd", "/etc/config/system"].map(|file| (file, agent.root.read(file)));
    let settings = format!(
        "package cwmpd\n\nconfig acs 'acs'\n\toption url '{NOWHERE}'\n\nconfig cpe 'cpe'\n\toption rollback_timeout '3'\n\
         \npackage network\n\nconfig interface 'wan'\n\toption proto 'none'\n"
    );
    let server = transfers::file_server(settings);
    let mut first = session(&agent, &acs);
    // It waits for the former ACS longer than the other one is there.
    let later = transfers::download_later("later", transfers::SETTINGS, &server.url("/other"), 3600);
    transfers::queued(&first.request(later));
    transfers::queued(&first.request(transfers::download("settings", transfers::SETTINGS, &server.url("/settings"))));
    first.end();
    wait_for("the other settings", || agent.root.read("/etc/config/cwmpd").contains(NOWHERE).then_some(()));
    let mut told_of = acs.session();
    assert!(told_of.events().contains(&UNDONE) && told_of.events().contains(&"M Download"), "{:?}", told_of.events());
    assert!(!told_of.events().contains(&"0 BOOTSTRAP"), "{:?}", told_of.events());
    told_of.inform_ok();
    let results = transfers::results(&mut told_of);
    assert_eq!(results.len(), 1, "{results:?}");
    assert_eq!((results[0].command_key.as_str(), results[0].fault_code), ("settings", 9002), "{results:?}");
    told_of.end();
    for (file, content) in files {
        assert_eq!(agent.root.read(file), content, "{file}");
    }
    let status = agent.wait_idle();
    assert_eq!(status["transfers"].as_array().unwrap().len(), 1, "{status}");
    assert_eq!(status["transfers"][0]["command_key"], "later");
}

/// They are often older than the guard, and do not switch it off for themselves.
#[test]
fn restored_settings_that_know_of_no_guard_are_undone() {
    let acs = Acs::start();
    let agent = guarded(&acs, 3);
    let before = agent.root.read("/etc/config/cwmpd");
    let server = transfers::file_server(format!("package cwmpd\n\nconfig acs 'acs'\n\toption url '{NOWHERE}'\n"));
    let mut first = session(&agent, &acs);
    transfers::queued(&first.request(transfers::download("settings", transfers::SETTINGS, &server.url("/settings"))));
    first.end();
    unreachable_until_undone(&acs).inform_ok();
    assert_eq!(agent.root.read("/etc/config/cwmpd"), before);
}

#[test]
fn restored_settings_with_which_the_acs_is_reached_are_kept() {
    let acs = Acs::start();
    let agent = guarded(&acs, 6);
    let server = transfers::file_server(transfers::SETTINGS_TEXT);
    let mut first = session(&agent, &acs);
    transfers::queued(&first.request(transfers::download("settings", transfers::SETTINGS, &server.url("/settings"))));
    first.end();
    let mut results = Vec::new();
    let mut checked = false;
    while !checked {
        let mut session = acs.session();
        checked = session.events().contains(&CHECK);
        session.inform_ok();
        results.extend(transfers::results(&mut session));
        session.end();
    }
    assert_eq!(results.iter().map(|result| result.fault_code).collect::<Vec<_>>(), [0]);
    agent.wait_idle();
    assert!(!is_kept(&agent));
    assert!(agent.root.read("/etc/config/cwmpd_test").contains("green"));
}

/// A session that changes the MTU and then sends an image, whose file is here at once.
fn change_and_send_image(agent: &Agent, acs: &Acs, url: &str) {
    transfers::install_sysupgrade(&agent.root);
    let mut first = session(agent, acs);
    set(&mut first, &[(MTU, "xsd:unsignedInt", "1400")], "change");
    transfers::queued(&first.request(transfers::download("image", transfers::FIRMWARE, url)));
    first.end();
    agent.wait_log("the file is here");
}

/// An upgrade keeps what would undo the change, and to another image those files may mean nothing.
#[test]
fn firmware_waits_until_the_change_is_kept() {
    let acs = Acs::start();
    let agent = guarded(&acs, 10);
    let server = transfers::file_server(transfers::image("25.12.0"));
    change_and_send_image(&agent, &acs, &server.url("/image"));
    let mut check = acs.session();
    assert_eq!(check.events(), [CHECK]);
    assert_eq!(transfers::applied(&agent.root), 0);
    check.inform_ok();
    check.end();
    wait_for("the image to be written", || agent.root.at("/flash/image").exists().then_some(()));
    assert!(!is_kept(&agent));
    assert!(agent.root.read(NETWORK).contains("option mtu '1400'"));
}

#[test]
fn firmware_waits_until_the_change_is_undone() {
    let acs = Acs::start();
    let agent = guarded(&acs, 4);
    let before = agent.root.read(NETWORK);
    let server = transfers::file_server(transfers::image("25.12.0"));
    change_and_send_image(&agent, &acs, &server.url("/image"));
    let hang_up = || {
        if let Some(exchange) = acs.next_within(Duration::from_millis(100)) {
            exchange.hang_up();
        }
    };
    while agent.root.read(NETWORK) != before {
        assert_eq!(transfers::applied(&agent.root), 0);
        hang_up();
    }
    wait_for("the image to be written", || {
        hang_up();
        agent.root.at("/flash/image").exists().then_some(())
    });
    assert!(!is_kept(&agent));
}
