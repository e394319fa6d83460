//! The RPCs of an ACS on a router with its real files (CONFORMANCE sections 8 and 9), with the program itself.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod common;

use std::process::Command;

use common::acs::{Acs, Session, get_values, set_notification, set_values};
use common::agent::{Agent, again, begin};
use common::uci_tool::real_uci;
use cwmpd::error::Fault;
use cwmpd::soap::rpc::{DuOperation, Message, SetAttributes, SoapFault};

const KEY: &str = "Device.ManagementServer.ParameterKey";
const CODE: &str = "Device.DeviceInfo.ProvisioningCode";
const HOST_NAME: &str = "Device.DeviceInfo.HostName";
const ZONE: &str = "Device.Time.LocalTimeZone";
const INTERVAL: &str = "Device.ManagementServer.PeriodicInformInterval";
const ROWS: &str = "Device.ManagementServer.InformParameter.";
const ADDRESSES: &str = "Device.IP.Interface.2.IPv4Address.";

/// What the real `uci` reads from the router; `None` where it cannot be built.
fn uci(agent: &Agent, option: &str) -> Option<String> {
    let uci = real_uci()?;
    let output = Command::new(uci)
        .arg("-c")
        .arg(agent.root.at("/etc/config"))
        .arg("-t")
        .arg(agent.root.at("/tmp/.uci-of-the-test"))
        .args(["-q", "get", option])
        .output()
        .unwrap();
    Some(String::from_utf8(output.stdout).unwrap().trim_end().to_owned())
}

fn assert_uci(agent: &Agent, option: &str, value: &str) {
    if let Some(found) = uci(agent, option) {
        assert_eq!(found, value, "{option}");
    }
}

/// The faults of single parameters, in their order.
fn faults(fault: &Fault) -> Vec<(&str, u16)> {
    fault.parameters.iter().map(|parameter| (parameter.name.as_str(), parameter.code.0)).collect()
}

fn reloads(agent: &Agent) -> usize {
    agent.root.calls().iter().filter(|call| call.as_str() == "/sbin/reload_config").count()
}

#[test]
fn g01_g02_methods_are_those_that_work() {
    let acs = Acs::start();
    let (_agent, mut session) = begin(&acs);
    let Message::GetRpcMethodsResponse(methods) = session.request(Message::GetRpcMethods) else { panic!() };
    for method in [
        "GetRPCMethods",
        "SetParameterValues",
        "GetParameterValues",
        "GetParameterNames",
        "SetParameterAttributes",
        "GetParameterAttributes",
        "AddObject",
        "DeleteObject",
        "Reboot",
    ] {
        assert!(methods.iter().any(|known| known == method), "{method}");
    }
    let uninstall = DuOperation::Uninstall { uuid: "1".into(), version: String::new(), exec_env: String::new() };
    let all = [
        Message::SetParameterValues { parameters: Vec::new(), parameter_key: String::new() },
        get_values(&[CODE]),
        Message::GetParameterNames { path: "Device.".into(), next_level: true },
        Message::SetParameterAttributes(Vec::new()),
        Message::GetParameterAttributes { names: vec![CODE.into()] },
        Message::AddObject { object_name: ROWS.into(), parameter_key: String::new() },
        Message::DeleteObject { object_name: format!("{ROWS}1."), parameter_key: String::new() },
        Message::ScheduleInform { delay_seconds: 3600, command_key: String::new() },
        Message::Download(Box::default()),
        Message::Upload(Box::default()),
        Message::ScheduleDownload(Box::default()),
        Message::CancelTransfer { command_key: String::new() },
        Message::GetQueuedTransfers,
        Message::GetAllQueuedTransfers,
        Message::ChangeDuState { operations: vec![uninstall], command_key: String::new() },
        Message::SetVouchers { vouchers: Vec::new() },
        Message::GetOptions { option_name: String::new() },
        Message::Reboot { command_key: String::new() },
        Message::FactoryReset,
    ];
    for request in all {
        let name = request.name().to_owned();
        let listed = methods.contains(&name);
        let answer = session.request(request);
        let unknown = matches!(&answer, Message::Fault(SoapFault::Cwmp(fault)) if fault.code.0 == 9000);
        assert_eq!(listed, !unknown, "{name}");
    }
}

#[test]
fn p01_p03_p04_p08_all_or_nothing_and_every_fault_told() {
    let acs = Acs::start();
    let (agent, mut session) = begin(&acs);
    let before = session.get(&[CODE, HOST_NAME, INTERVAL, KEY]);
    let files = agent.root.read("/etc/config/system");
    let bad = [
        (CODE, "xsd:string", "good"),
        (HOST_NAME, "xsd:string", "good"),
        ("Device.Nothing", "xsd:string", "x"),
        ("Device.DeviceInfo.", "xsd:string", "x"),
        (INTERVAL, "xsd:boolean", "true"),
        ("Device.ManagementServer.HTTPCompression", "xsd:string", "Brotli"),
        ("Device.DeviceInfo.SerialNumber", "xsd:string", "x"),
        ("Device.ManagementServer.CWMPRetryMinimumWaitInterval", "xsd:unsignedInt", "0"),
    ];
    let fault = session.refused(set_values(&bad, "new key"));
    assert_eq!(fault.code.0, 9003);
    assert_eq!(
        faults(&fault),
        [
            ("Device.Nothing", 9005),
            ("Device.DeviceInfo.", 9005),
            (INTERVAL, 9006),
            ("Device.ManagementServer.HTTPCompression", 9007),
            ("Device.DeviceInfo.SerialNumber", 9008),
            ("Device.ManagementServer.CWMPRetryMinimumWaitInterval", 9007),
        ]
    );
    assert_eq!(session.get(&[CODE, HOST_NAME, INTERVAL, KEY]), before);
    assert_eq!(agent.root.read("/etc/config/system"), files);
    session.end();
    agent.wait_idle();
    assert_eq!(reloads(&agent), 0);
}

#[test]
fn p05_same_name_twice() {
    let acs = Acs::start();
    let (_agent, mut session) = begin(&acs);
    let fault = session.refused(set_values(&[(CODE, "xsd:string", "1"), (CODE, "xsd:string", "2")], ""));
    assert_eq!(fault.code.0, 9003);
    assert_eq!(session.value(CODE), "");
    session.end();
}

#[test]
fn p06_p07_p09_p12_value_is_there_at_once_and_applied_once_after_the_session() {
    let acs = Acs::start();
    let (mut agent, mut session) = begin(&acs);
    session.set(&[(HOST_NAME, "xsd:string", "gateway"), (CODE, "xsd:string", "A.B")]);
    session.set(&[(ZONE, "xsd:string", "GMT0")]);
    assert_eq!(session.value(HOST_NAME), "gateway");
    assert_uci(&agent, "system.@system[0].hostname", "gateway");
    assert_uci(&agent, "cwmpd.cpe.provisioning_code", "A.B");
    assert_eq!(reloads(&agent), 0);
    session.end();
    agent.wait_call("/sbin/reload_config");
    agent.wait_idle();
    assert_eq!(reloads(&agent), 1);
    // The same again disturbs nobody.
    let mut session = again(&agent, &acs);
    session.set(&[(HOST_NAME, "xsd:string", "gateway"), (ZONE, "xsd:string", "GMT0")]);
    session.end();
    agent.wait_idle();
    agent.reboot();
    let mut session = acs.session();
    session.inform_ok();
    assert_eq!(session.value(HOST_NAME), "gateway");
    assert_eq!(session.value(ZONE), "GMT0");
    session.end();
    agent.wait_idle();
    assert_eq!(reloads(&agent), 1);
}

#[test]
fn p07_change_that_a_crash_has_left_is_applied_by_the_next_start() {
    let acs = Acs::start();
    let (mut agent, mut session) = begin(&acs);
    session.set(&[(HOST_NAME, "xsd:string", "gateway")]);
    agent.kill();
    assert_eq!(reloads(&agent), 0);
    agent.start();
    agent.wait_call("/sbin/reload_config");
}

#[test]
fn p08_p14_parameter_key() {
    let acs = Acs::start();
    let (_agent, mut session) = begin(&acs);
    session.request(set_values(&[(CODE, "xsd:string", "1")], "Schlüssel <&> 0123456789 0123456"));
    assert_eq!(session.value(KEY), "Schlüssel <&> 0123456789 0123456");
    session.request(set_values(&[], "empty list"));
    assert_eq!(session.value(KEY), "empty list");
    let fault = session.refused(set_values(&[(CODE, "xsd:string", "2")], &"k".repeat(33)));
    assert_eq!(fault.code.0, 9003);
    assert_eq!((session.value(KEY), session.value(CODE)), ("empty list".into(), "1".into()));
    session.request(set_values(&[(CODE, "xsd:string", "3")], ""));
    assert_eq!(session.value(KEY), "");
    session.request(Message::AddObject { object_name: ROWS.into(), parameter_key: "added".into() });
    assert_eq!(session.value(KEY), "added");
    session.refused(Message::DeleteObject { object_name: format!("{ROWS}99."), parameter_key: "no".into() });
    assert_eq!(session.value(KEY), "added");
    session.end();
}

#[test]
fn p13_j01_passwords_are_written_and_never_read() {
    let acs = Acs::start();
    let (agent, mut session) = begin(&acs);
    for name in ["Password", "ConnectionRequestPassword"] {
        let name = format!("Device.ManagementServer.{name}");
        session.set(&[(&name, "xsd:string", "pass<word>&0815")]);
        assert_eq!(session.value(&name), "");
    }
    session.end();
    agent.wait_idle();
    assert_uci(&agent, "cwmpd.acs.password", "pass<word>&0815");
    assert_uci(&agent, "cwmpd.cpe.password", "pass<word>&0815");
    assert_eq!(agent.connection_request_as(common::agent::USERNAME, "pass<word>&0815"), 200);
    assert!(!agent.log().contains("0815"));
}

#[test]
fn p16_x07_types_as_acss_send_them() {
    let acs = Acs::start();
    let (_agent, mut session) = begin(&acs);
    for (kind, text) in [("xsd:int", "100"), ("xsd:string", "200"), ("", "300"), ("xsd:unsignedInt", " 400 ")] {
        session.set(&[(INTERVAL, kind, text)]);
        assert_eq!(session.value(INTERVAL), text.trim());
    }
    for (text, value) in [("0", "0"), ("true", "1"), ("false", "0"), ("1", "1")] {
        session.set(&[("Device.ManagementServer.PeriodicInformEnable", "xsd:boolean", text)]);
        let read = session.value("Device.ManagementServer.PeriodicInformEnable");
        assert!(read == value || read == if value == "1" { "true" } else { "false" }, "{read}");
    }
    let fault = session.refused(set_values(&[(INTERVAL, "xsd:string", "soon")], ""));
    assert!(matches!(faults(&fault)[..], [(INTERVAL, 9006 | 9007)]));
    session.end();
}

#[test]
fn p17_p18_p19_references_lists_and_enumerations() {
    let acs = Acs::start();
    let (agent, mut session) = begin(&acs);
    for (name, text) in [
        ("Device.IP.Interface.2.LowerLayers", "Device.Ethernet.Link.99"),
        ("Device.IP.Interface.2.LowerLayers", "Device.Time.Client.1"),
        ("Device.Time.Client.1.Mode", "Shout"),
    ] {
        let fault = session.refused(set_values(&[(name, "xsd:string", text)], ""));
        assert_eq!(faults(&fault), [(name, 9007)], "{text}");
    }
    session.set(&[("Device.Time.Client.1.Servers", "xsd:string", "ntp1.example, ntp2.example")]);
    assert_eq!(session.value("Device.Time.Client.1.Servers"), "ntp1.example,ntp2.example");
    assert_uci(&agent, "system.ntp.server", "ntp1.example ntp2.example");
    session.end();
}

#[test]
fn x17_values_with_every_kind_of_character() {
    let acs = Acs::start();
    let (agent, mut session) = begin(&acs);
    let text = " a<b&\"c\">'d' \u{e9}\u{20ac} ";
    session.set(&[(CODE, "xsd:string", text)]);
    assert_eq!(session.value(CODE), text);
    session.end();
    agent.wait_idle();
    assert_uci(&agent, "cwmpd.cpe.provisioning_code", text.trim_end());
}

#[test]
fn p30_p31_p33_p34_p36_values() {
    let acs = Acs::start();
    let (_agent, mut session) = begin(&acs);
    let all = session.get(&[""]);
    assert!(all.len() > 500);
    assert!(all.iter().all(|value| !value.name.ends_with('.')));
    let names = |values: Vec<cwmpd::soap::rpc::ParameterValue>| -> Vec<String> {
        values.into_iter().map(|value| value.name).collect()
    };
    let device = names(session.get(&["Device."]));
    assert_eq!(names(all), device);
    let some = names(session.get(&["Device.DeviceInfo.MemoryStatus.", CODE]));
    assert_eq!(some, ["Device.DeviceInfo.MemoryStatus.Free", "Device.DeviceInfo.MemoryStatus.Total", CODE]);
    for bad in [
        "Device.Nothing",
        "Device.Nothing.",
        "Device.DeviceInfo",
        "Device.DeviceInfo.HostName.",
        "InternetGatewayDevice.",
    ] {
        let fault = session.refused(get_values(&[CODE, bad, HOST_NAME]));
        assert_eq!(fault.code.0, 9005, "{bad}");
    }
    session.end();
}

#[test]
fn p32_p45_empty_table() {
    let acs = Acs::start();
    let (_agent, mut session) = begin(&acs);
    assert_eq!(session.get(&[ROWS]), []);
    let names: Vec<String> = session.names(ROWS, false).into_iter().map(|info| info.name).collect();
    assert_eq!(names, [ROWS]);
    assert_eq!(session.names(ROWS, true), []);
    session.end();
}

#[test]
fn p35_wildcards() {
    let acs = Acs::start();
    let (_agent, mut session) = begin(&acs);
    let values = session.get(&["Device.Ethernet.Interface.*.Name"]);
    let names: Vec<&str> = values.iter().map(|value| value.value.text.as_str()).collect();
    assert!(names.contains(&"wan") && names.contains(&"lan1"), "{names:?}");
    assert_eq!(values.len().to_string(), session.value("Device.Ethernet.InterfaceNumberOfEntries"));
    session.end();
}

#[test]
fn p40_p41_p42_p43_p44_p46_names() {
    let acs = Acs::start();
    let (_agent, mut session) = begin(&acs);
    let whole = session.names("", false);
    assert_eq!(whole[0].name, "Device.");
    assert_eq!(session.names("Device.", false), whole);
    let root = session.names("", true);
    assert_eq!((root.len(), root[0].name.as_str()), (1, "Device."));
    assert!(whole.iter().all(|info| !info.name.contains("{i}")));
    for parent in ["Device.", "Device.IP.", "Device.IP.Interface.", "Device.IP.Interface.2."] {
        let children: Vec<&str> = whole
            .iter()
            .map(|info| info.name.as_str())
            .filter(|name| {
                let rest = name.strip_prefix(parent).unwrap_or_default();
                !rest.is_empty() && !rest.trim_end_matches('.').contains('.')
            })
            .collect();
        let mut next: Vec<String> = session.names(parent, true).into_iter().map(|info| info.name).collect();
        let mut children: Vec<String> = children.into_iter().map(str::to_owned).collect();
        next.sort();
        children.sort();
        assert_eq!(next, children, "{parent}");
    }
    let writable = |name: &str| whole.iter().find(|info| info.name == name).unwrap().writable;
    assert!(writable(HOST_NAME) && writable("Device.IP.Interface.") && writable("Device.IP.Interface.2."));
    assert!(!writable("Device.IP.") && !writable("Device.Hosts.Host.") && !writable("Device.DeviceInfo.UpTime"));
    let one = session.names(HOST_NAME, false);
    assert_eq!((one.len(), one[0].name.as_str(), one[0].writable), (1, HOST_NAME, true));
    for (path, next_level, code) in [
        (HOST_NAME, true, 9003),
        ("Device.Nothing.", false, 9005),
        ("Device.IP", false, 9005),
        ("Device.IP", true, 9005),
    ] {
        let fault = session.refused(Message::GetParameterNames { path: path.into(), next_level });
        assert_eq!(fault.code.0, code, "{path}");
    }
    session.end();
}

#[test]
fn p50_p51_p52_p53_attributes_all_or_nothing() {
    let acs = Acs::start();
    let (_agent, mut session) = begin(&acs);
    let notification = |session: &mut Session<'_>, name: &str| session.attributes(&[name])[0].notification;
    session.notify(&["Device.DeviceInfo.ModelName", "Device.DeviceInfo.MemoryStatus."], 1);
    assert_eq!(notification(&mut session, "Device.DeviceInfo.ModelName"), 1);
    assert!(session.attributes(&["Device.DeviceInfo.MemoryStatus."]).iter().all(|it| it.notification == 1));
    // Later entries count.
    let Message::SetParameterAttributes(mut both) = set_notification(&["Device.Time."], 1) else { panic!() };
    let Message::SetParameterAttributes(one) = set_notification(&[ZONE], 2) else { panic!() };
    both.extend(one);
    session.request(Message::SetParameterAttributes(both));
    assert_eq!(notification(&mut session, ZONE), 2);
    assert_eq!(notification(&mut session, "Device.Time.Enable"), 1);
    // What is not to change does not.
    let unchanged = SetAttributes {
        name: ZONE.into(),
        notification_change: false,
        notification: 0,
        access_list_change: true,
        access_list: vec![],
    };
    session.request(Message::SetParameterAttributes(vec![unchanged]));
    let attributes = session.attributes(&[ZONE]);
    assert_eq!((attributes[0].notification, attributes[0].access_list.len()), (2, 0));
    assert_eq!(session.attributes(&["Device.Time.Enable"])[0].access_list, ["Subscriber"]);
    for (names, value, code) in [
        (&[HOST_NAME, "Device.Nothing"][..], 1, 9005),
        (&[HOST_NAME][..], -1, 9003),
        (&[HOST_NAME][..], 7, 9003),
        (&[HOST_NAME, "Device.DeviceInfo.UpTime"][..], 2, 9009),
    ] {
        let fault = session.refused(set_notification(names, value));
        assert_eq!(fault.code.0, code, "{names:?} {value}");
        assert_eq!(notification(&mut session, HOST_NAME), 0);
    }
    session.end();
}

#[test]
fn p54_p58_forced_notifications() {
    let acs = Acs::start();
    let (_agent, mut session) = begin(&acs);
    session.notify(&["Device.DeviceInfo.SoftwareVersion", "Device.ManagementServer.ConnectionRequestURL"], 0);
    assert_eq!(session.attributes(&["Device.DeviceInfo.SoftwareVersion"])[0].notification, 2);
    assert_eq!(session.attributes(&["Device.ManagementServer.ConnectionRequestURL"])[0].notification, 0);
    let values = session.get(&["Device."]).len();
    assert_eq!(session.attributes(&["Device."]).len(), values);
    session.end();
}

#[test]
fn p56_attributes_survive_a_reboot_and_not_another_acs() {
    let acs = Acs::start();
    let (mut agent, mut session) = begin(&acs);
    session.notify(&[ZONE], 2);
    session.end();
    agent.wait_idle();
    agent.reboot();
    let mut session = acs.session();
    session.inform_ok();
    assert_eq!(session.attributes(&[ZONE])[0].notification, 2);
    session.end();
    agent.wait_idle();
    agent.option("acs", "url", &acs.url_of("/other"));
    let mut session = acs.session();
    session.inform_ok();
    assert_eq!(session.attributes(&[ZONE])[0].notification, 0);
    session.end();
}

#[test]
fn p57_p60_p61_p62_p64_p66_rows_come_and_go() {
    let acs = Acs::start();
    let (mut agent, mut session) = begin(&acs);
    let count = |session: &mut Session<'_>| session.value("Device.ManagementServer.InformParameterNumberOfEntries");
    assert_eq!(count(&mut session), "0");
    let first = session.add(ROWS);
    assert!(first >= 1);
    assert_eq!(count(&mut session), "1");
    let path = format!("{ROWS}{first}.");
    assert!(["false", "0"].contains(&session.value(&format!("{path}Enable")).as_str()));
    assert!(session.names(ROWS, true).iter().any(|info| info.name == path && info.writable));
    let name = format!("{path}ParameterName");
    session.notify(&[&name], 1);
    session.delete(&path);
    assert_eq!(count(&mut session), "0");
    assert_eq!(session.refused(get_values(&[&path])).code.0, 9005);
    let second = session.add(ROWS);
    assert_ne!(second, first);
    assert_eq!(session.attributes(&[&format!("{ROWS}{second}.ParameterName")])[0].notification, 0);
    session.end();
    agent.wait_idle();
    agent.reboot();
    let mut session = acs.session();
    session.inform_ok();
    assert!(session.names(ROWS, true).iter().any(|info| info.name == format!("{ROWS}{second}.")));
    session.end();
}

#[test]
fn p60_p64_rows_of_uci() {
    let acs = Acs::start();
    let (agent, mut session) = begin(&acs);
    let row = session.add(ADDRESSES);
    let path = format!("{ADDRESSES}{row}.");
    session.set(&[
        (&format!("{path}IPAddress"), "xsd:string", "192.168.77.1"),
        (&format!("{path}SubnetMask"), "xsd:string", "255.255.255.0"),
        (&format!("{path}Enable"), "xsd:boolean", "true"),
    ]);
    assert_eq!(session.value(&format!("{path}IPAddress")), "192.168.77.1");
    assert_eq!(session.value("Device.IP.Interface.2.IPv4AddressNumberOfEntries"), "2");
    if let Some(addresses) = uci(&agent, "network.lan.ipaddr") {
        assert!(addresses.contains("192.168.77.1"), "{addresses}");
    }
    session.delete(&path);
    assert_eq!(session.value("Device.IP.Interface.2.IPv4AddressNumberOfEntries"), "1");
    if let Some(addresses) = uci(&agent, "network.lan.ipaddr") {
        assert!(addresses.contains("192.168.1.1") && !addresses.contains("192.168.77.1"), "{addresses}");
    }
    session.end();
    agent.wait_call("/sbin/reload_config");
}

#[test]
fn p63_p66_rows_that_cannot_be() {
    let acs = Acs::start();
    let (_agent, mut session) = begin(&acs);
    for name in [
        "Device.Hosts.Host.",
        "Device.DeviceInfo.",
        "Device.IP.Interface.2.",
        "Device.ManagementServer.InformParameter",
        "Device.Nothing.",
    ] {
        let request = Message::AddObject { object_name: name.into(), parameter_key: String::new() };
        assert_eq!(session.refused(request).code.0, 9005, "{name}");
    }
    for name in
        ["Device.Hosts.Host.1.", "Device.Ethernet.Interface.1.", ROWS, "Device.ManagementServer.InformParameter.99."]
    {
        let request = Message::DeleteObject { object_name: name.into(), parameter_key: String::new() };
        let fault = session.refused(request);
        assert!([9001, 9005].contains(&fault.code.0), "{name}: {fault}");
    }
    session.end();
}
