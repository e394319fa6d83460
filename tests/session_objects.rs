//! Objects of the router as an ACS sets them up: Wi-Fi, DHCP, port forwarding (CONFORMANCE 9.2 and 9.6, DATAMODEL), over CWMP, with the real
//! files of the router looked at by the real `uci`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod common;

use std::process::Command;

use common::acs::{Acs, Session, codes, set_values};
use common::agent::{Agent, begin};
use common::uci_tool::real_uci;
use cwmpd::soap::rpc::Message;

const MAPPINGS: &str = "Device.NAT.PortMapping.";
const POOL: &str = "Device.DHCPv4.Server.Pool.1.";

/// What `uci` says to this, on the router; `None` where it cannot be built.
fn uci(agent: &Agent, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new(real_uci()?);
    command.arg("-c").arg(agent.root.at("/etc/config")).arg("-t").arg(agent.root.at("/tmp/.uci-of-the-test"));
    let output = command.args(arguments).output().unwrap();
    Some(String::from_utf8(output.stdout).unwrap().trim_end_matches('\n').to_owned())
}

fn assert_uci(agent: &Agent, option: &str, value: &str) {
    if let Some(found) = uci(agent, &["-q", "get", option]) {
        assert_eq!(found, value, "{option}");
    }
}

/// The range is judged by its end, in whatever order it is written.
#[test]
fn p02_values_that_depend_on_each_other() {
    let acs = Acs::start();
    let (agent, mut session) = begin(&acs);
    let (least, most) = (format!("{POOL}MinAddress"), format!("{POOL}MaxAddress"));
    let ranges = [("192.168.1.10", "192.168.1.20"), ("192.168.1.200", "192.168.1.220"), ("192.168.1.5", "192.168.1.9")];
    for (first, last) in ranges {
        session.set(&[(&least, "xsd:string", first), (&most, "xsd:string", last)]);
        assert_eq!((session.value(&least).as_str(), session.value(&most).as_str()), (first, last));
        session.set(&[(&most, "xsd:string", last), (&least, "xsd:string", first)]);
    }
    let fault = session.refused(set_values(&[(&least, "xsd:string", "192.168.1.100")], ""));
    assert_eq!(fault.code.0, 9003);
    assert_eq!(fault.parameters.len(), 1);
    assert_eq!(fault.parameters[0].code.0, 9007);
    assert_uci(&agent, "dhcp.lan.start", "5");
    assert_uci(&agent, "dhcp.lan.limit", "5");
    session.end();
    agent.wait_call("/sbin/reload_config");
}

#[test]
fn p60_p62_p64_p65_p66_port_mappings() {
    let acs = Acs::start();
    let (mut agent, mut session) = begin(&acs);
    let count = |session: &mut Session<'_>| session.value("Device.NAT.PortMappingNumberOfEntries");
    let before: u32 = count(&mut session).parse().unwrap();
    let first = session.add(MAPPINGS);
    let second = session.add(MAPPINGS);
    assert_eq!(count(&mut session), (before + 2).to_string());
    let set_up = |session: &mut Session<'_>, row: u32, port: &str| {
        let path = format!("{MAPPINGS}{row}.");
        let names: Vec<String> =
            ["Interface", "ExternalPort", "InternalPort", "Protocol", "InternalClient", "Description", "Enable"]
                .iter()
                .map(|name| format!("{path}{name}"))
                .collect();
        let texts = ["Device.IP.Interface.3", port, "22", "TCP", "192.168.1.50", "a<b&\"c\" 'd'", "true"];
        let values: Vec<(&str, &str, &str)> =
            names.iter().zip(texts).map(|(name, text)| (name.as_str(), "xsd:string", text)).collect();
        session.request(set_values(&values, ""))
    };
    let answer = set_up(&mut session, first, "2222");
    assert!(matches!(answer, Message::SetParameterValuesResponse { .. }), "{answer:?}");
    // Two rows that are enabled cannot take the same port.
    let answer = set_up(&mut session, second, "2222");
    assert!(matches!(answer, Message::Fault(_)), "{answer:?}");
    assert_eq!(session.value(&format!("{MAPPINGS}{second}.InternalClient")), "");
    assert_eq!(session.value(&format!("{MAPPINGS}{first}.Description")), "a<b&\"c\" 'd'");
    if let Some(shown) = uci(&agent, &["show", "firewall"]) {
        let line = shown.lines().find(|line| line.ends_with("src_dport='2222'")).unwrap_or_else(|| panic!("{shown}"));
        let section = line.strip_suffix(".src_dport='2222'").unwrap();
        for (option, value) in [("src", "wan"), ("target", "DNAT"), ("dest_ip", "192.168.1.50"), ("dest_port", "22")] {
            assert_uci(&agent, &format!("{section}.{option}"), value);
        }
    }
    session.delete(&format!("{MAPPINGS}{first}."));
    assert_eq!(count(&mut session), (before + 1).to_string());
    session.end();
    agent.wait_idle();
    agent.reboot();
    let mut session = acs.session();
    assert_eq!(session.events(), ["1 BOOT"]);
    session.inform_ok();
    let rows: Vec<String> = session.names(MAPPINGS, true).into_iter().map(|info| info.name).collect();
    assert!(
        rows.contains(&format!("{MAPPINGS}{second}.")) && !rows.contains(&format!("{MAPPINGS}{first}.")),
        "{rows:?}"
    );
    assert!(session.add(MAPPINGS) > second);
    session.end();
}

/// Somebody writes with `uci` while the agent runs: rows keep their numbers, new ones get new ones.
#[test]
fn p62_rows_that_others_make_and_delete() {
    let acs = Acs::start();
    let (agent, mut session) = begin(&acs);
    let rows = |session: &mut Session<'_>| -> Vec<(u32, String)> {
        let values = session.get(&[MAPPINGS]).into_iter().filter(|value| value.name.ends_with(".Description"));
        let number = |name: &str| name.strip_prefix(MAPPINGS).unwrap().split('.').next().unwrap().parse().unwrap();
        values.map(|value| (number(&value.name), value.value.text)).collect()
    };
    let before = rows(&mut session);
    let game = before.iter().find(|(_, name)| name == "Game console").unwrap().clone();
    let web = before.iter().find(|(_, name)| name == "Web server").unwrap().clone();
    if uci(&agent, &["delete", "firewall.@redirect[0]"]).is_none() {
        return;
    }
    uci(&agent, &["commit", "firewall"]);
    let after = rows(&mut session);
    assert!(after.contains(&game) && !after.iter().any(|(number, _)| *number == web.0), "{before:?} {after:?}");
    let new = session.add(MAPPINGS);
    assert!(before.iter().all(|(number, _)| *number != new));
    session.end();
}

#[test]
fn x17_p13_wifi_names_and_secrets() {
    let acs = Acs::start();
    let (agent, mut session) = begin(&acs);
    let name = " a<b&\"c\"'d' \u{e9}";
    session.set(&[("Device.WiFi.SSID.1.SSID", "xsd:string", name)]);
    assert_eq!(session.value("Device.WiFi.SSID.1.SSID"), name);
    let secret = "Device.WiFi.AccessPoint.1.Security.KeyPassphrase";
    session.set(&[(secret, "xsd:string", "correct horse <&> \"battery\"")]);
    assert_eq!(session.value(secret), "");
    if let Some(shown) = uci(&agent, &["show", "wireless"]) {
        assert!(shown.contains("correct horse <&> \"battery\""), "{shown}");
    }
    session.end();
    agent.wait_idle();
    assert!(!agent.ok(&["get", "Device."]).contains("horse"));
    assert!(!agent.ok(&["status", "--last"]).contains("horse"));
    assert!(!agent.log().contains("horse"));
    let state = agent.root.read("/etc/cwmpd/state.json") + &agent.root.read("/etc/cwmpd/told.json");
    assert!(!state.contains("horse"));
}

#[test]
fn p18_p04_lists_with_a_bad_item() {
    let acs = Acs::start();
    let (_agent, mut session) = begin(&acs);
    let name = "Device.WiFi.AccessPoint.1.AllowedMACAddress";
    session.set(&[(name, "xsd:string", "00:00:5E:00:53:aa, 00:00:5e:00:53:BB")]);
    assert_eq!(session.value(name).to_lowercase(), "00:00:5e:00:53:aa,00:00:5e:00:53:bb");
    let fault = session.refused(set_values(&[(name, "xsd:string", "00:00:5e:00:53:aa,nonsense")], ""));
    assert_eq!(fault.parameters[0].code.0, 9007);
    session.end();
}

/// A parameter of Wi-Fi that somebody changes is told, and only once.
#[test]
fn n02_n04_wifi_name_that_the_user_changes() {
    let acs = Acs::start();
    let (agent, mut session) = begin(&acs);
    let name = "Device.WiFi.SSID.1.SSID";
    session.notify(&[name], 2);
    let old = session.value(name);
    session.end();
    agent.wait_idle();
    agent.root.replace("/etc/config/wireless", &format!("'{old}'"), "'the new one'");
    let inform = acs.serve();
    assert_eq!(codes(&inform), ["4 VALUE CHANGE"]);
    assert_eq!(common::acs::told(&inform, name), Some("the new one"));
}

#[test]
fn p34_whole_tree_again_and_again() {
    let acs = Acs::start();
    let (agent, mut session) = begin(&acs);
    let all = session.get(&["Device."]);
    assert!(all.len() > 1000, "{}", all.len());
    let names = session.names("Device.", false);
    let parameters = names.iter().filter(|info| !info.name.ends_with('.')).count();
    assert_eq!(parameters, all.len());
    session.end();
    let programs = agent.wait_idle()["programs_started"].as_u64().unwrap();
    // Whatever is read is read once a request, not once a parameter.
    assert!(programs < 200, "{programs}");
}
