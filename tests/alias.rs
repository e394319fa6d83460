//! Alias-based addressing (TR-069a6 3.6.1; CONFORMANCE A-01 to A-05): on the model, and with the program as an ACS meets it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod common;
#[path = "common/model.rs"]
mod model;

use common::acs::{Acs, Session, get_values, set_notification, set_values, told};
use common::agent::{again, begin};
use common::root;
use cwmpd::error::{Fault, FaultCode};
use cwmpd::soap::rpc::Message;
use model::Router;

const SERVER: &str = "Device.ManagementServer.";
const MAPPINGS: &str = "Device.NAT.PortMapping.";
const STRING: &str = "xsd:string";
const NAME: FaultCode = FaultCode::INVALID_PARAMETER_NAME;

fn faults(fault: &Fault) -> Vec<(&str, u16)> {
    fault.parameters.iter().map(|parameter| (parameter.name.as_str(), parameter.code.0)).collect()
}

fn mode(session: &mut Session<'_>, mode: &str) {
    session.set(&[(&format!("{SERVER}InstanceMode"), STRING, mode)]);
}

/// A router whose first port mapping is called `web`, and whose LAN interface `lan`.
fn router() -> Router {
    let router = Router::new();
    let lan = router.values("Device.IP.Interface.*.Name");
    let lan = lan.iter().find(|(_, name)| name == "br-lan").unwrap().0.replace(".Name", ".Alias");
    router.set(&[("Device.NAT.PortMapping.1.Alias", "web"), (&lan, "lan")]).unwrap();
    router
}

fn create(router: &Router) {
    router.set(&[("Device.ManagementServer.AutoCreateInstances", "true")]).unwrap();
}

#[test]
fn a01_the_parameters_and_their_defaults() {
    let acs = Acs::start();
    let (_agent, mut session) = begin(&acs);
    assert_eq!(told(&session.inform, "Device.ManagementServer.AliasBasedAddressing"), Some("true"));
    assert_eq!(session.value("Device.ManagementServer.AliasBasedAddressing"), "true");
    assert_eq!(session.value("Device.ManagementServer.InstanceMode"), "InstanceNumber");
    assert_eq!(session.value("Device.ManagementServer.AutoCreateInstances"), "false");
    let fault = session.refused(set_values(&[("Device.ManagementServer.InstanceMode", STRING, "Alias")], ""));
    assert_eq!(faults(&fault), [("Device.ManagementServer.InstanceMode", 9007)]);
    session.end();
}

/// Every request takes an alias where a number can stand, and answers with numbers as long as InstanceMode says so.
#[test]
fn a02_aliases_in_every_request_and_numbers_in_answers() {
    let acs = Acs::start();
    let (_agent, mut session) = begin(&acs);
    session.set(&[("Device.NAT.PortMapping.1.Alias", STRING, "web")]);
    let description = "Device.NAT.PortMapping.[web].Description";
    let numbered = "Device.NAT.PortMapping.1.Description";
    session.set(&[(description, STRING, "by alias")]);
    let values = session.get(&[description]);
    assert_eq!((values[0].name.as_str(), values[0].value.text.as_str()), (numbered, "by alias"));
    let below = session.get(&["Device.NAT.PortMapping.[web]."]);
    assert_eq!(below, session.get(&["Device.NAT.PortMapping.1."]));
    assert_eq!(session.get(&["Device.NAT.PortMapping.[cpe-2].Alias"])[0].value.text, "cpe-2");
    let names = session.names("Device.NAT.PortMapping.[web].", true);
    assert_eq!(names, session.names("Device.NAT.PortMapping.1.", true));
    session.notify(&[description], 1);
    assert_eq!(session.attributes(&[numbered])[0].notification, 1);
    assert_eq!(session.attributes(&[description])[0].name, numbered);
    let added = session.add("Device.NAT.PortMapping.[new one].");
    assert_eq!(session.value(&format!("Device.NAT.PortMapping.{added}.Alias")), "new one");
    session.delete("Device.NAT.PortMapping.[new one].");
    let fault = session.refused(get_values(&[&format!("Device.NAT.PortMapping.{added}.Alias")]));
    assert_eq!(fault.code, NAME);
    session.end();
}

#[test]
fn a02_with_instance_alias_every_answer_and_the_inform_have_aliases() {
    let acs = Acs::start();
    let (agent, mut session) = begin(&acs);
    session.set(&[("Device.NAT.PortMapping.1.Alias", STRING, "web")]);
    let interface = session.value("Device.NAT.PortMapping.1.Interface");
    session.set(&[(&format!("{interface}.Alias"), STRING, "uplink")]);
    let row = session.add("Device.ManagementServer.InformParameter.");
    let row = format!("Device.ManagementServer.InformParameter.{row}.");
    let (name, enable) = (format!("{row}ParameterName"), format!("{row}Enable"));
    session.set(&[(&name, STRING, "Device.NAT.PortMapping.[web].Enable"), (&enable, STRING, "true")]);
    mode(&mut session, "InstanceAlias");
    let aliased = "Device.NAT.PortMapping.[web].Interface";
    let values = session.get(&["Device.NAT.PortMapping.1.Interface"]);
    // A reference is a path as well.
    assert_eq!((values[0].name.as_str(), values[0].value.text.as_str()), (aliased, "Device.IP.Interface.[uplink]"));
    assert!(session.get(&["Device.NAT."]).iter().all(|value| !value.name.contains(".1.")));
    let names = session.names("Device.NAT.PortMapping.", true);
    let names: Vec<(&str, bool)> = names.iter().map(|name| (name.name.as_str(), name.writable)).collect();
    assert_eq!(names, [("Device.NAT.PortMapping.[web].", true), ("Device.NAT.PortMapping.[cpe-2].", true)]);
    session.notify(&[aliased], 1);
    let attributes = session.attributes(&["Device.NAT.PortMapping.1.Interface"]);
    assert_eq!((attributes[0].name.as_str(), attributes[0].notification), (aliased, 1));
    // What the ACS has read it can send back.
    session.set(&[(aliased, STRING, "Device.IP.Interface.[uplink]")]);
    session.end();
    let mut session = again(&agent, &acs);
    assert_eq!(told(&session.inform, "Device.NAT.PortMapping.[web].Enable"), Some("true"));
    assert!(!session.events().contains(&"4 VALUE CHANGE"), "{:?}", session.events());
    mode(&mut session, "InstanceNumber");
    assert_eq!(session.value("Device.NAT.PortMapping.1.Interface"), interface);
    session.end();
    // A person has numbers.
    assert_eq!(agent.value("Device.NAT.PortMapping.1.Alias"), "web");
}

#[test]
fn a02_p35_aliases_and_wildcards_in_one_name() {
    let router = router();
    let all = router.values("Device.IP.Interface.*.IPv4Address.*.IPAddress");
    let lan: Vec<_> = router.values("Device.IP.Interface.[lan].IPv4Address.*.IPAddress");
    assert!(!lan.is_empty() && lan.len() < all.len());
    assert!(lan.iter().all(|value| all.contains(value)));
    assert_eq!(router.values("Device.IP.Interface.*.IPv4Address.[cpe-1].IPAddress").len(), all.len());
    assert_eq!(router.values("Device.IP.Interface.*.IPv4Address.[nobody].IPAddress"), []);
}

#[test]
fn a02_names_that_no_row_has() {
    let router = router();
    for name in [
        "Device.NAT.PortMapping.[nobody].Enable",
        "Device.NAT.PortMapping.[].Enable",
        "Device.NAT.PortMapping.[1].Enable",
        "Device.NAT.PortMapping.[web.Enable",
        "Device.NAT.PortMapping.web].Enable",
        "Device.NAT.[web].Enable",
        "Device.[NAT].PortMapping.1.Enable",
        "[Device].NAT.PortMapping.1.Enable",
        "Device.NAT.PortMapping.[web].[Enable]",
        "Device.NAT.PortMapping.[WEB].Enable",
    ] {
        assert!(!router.has(name), "{name}");
        assert_eq!(router.refused(&[(name, "true")]), [(name.into(), NAME)], "{name}");
    }
    for row in ["Device.NAT.PortMapping.[nobody].", "Device.NAT.PortMapping.[1]."] {
        assert_eq!(router.delete(row).unwrap_err().code, NAME, "{row}");
    }
}

/// Two names of one parameter are one name that comes twice; the blame has the name that was sent.
#[test]
fn a02_p05_alias_and_number_are_the_same_name() {
    let router = router();
    let (aliased, numbered) = ("Device.NAT.PortMapping.[web].Description", "Device.NAT.PortMapping.1.Description");
    let fault = router.set(&[(aliased, "a"), (numbered, "b")]).unwrap_err();
    assert_eq!((fault.code, fault.parameters.len()), (FaultCode::INVALID_ARGUMENTS, 0));
    let port = "Device.NAT.PortMapping.[web].ExternalPort";
    assert_eq!(router.refused(&[(port, "70000")]), [(port.into(), FaultCode::INVALID_PARAMETER_VALUE)]);
    // Aliases are those from before the request.
    router.set(&[("Device.NAT.PortMapping.[web].Alias", "http"), (aliased, "c")]).unwrap();
    assert_eq!(router.get("Device.NAT.PortMapping.[http].Description"), "c");
    assert!(!router.has(aliased));
    let name = router.set(&[("Device.NAT.PortMapping.[http].Description", "d")]).unwrap().names;
    assert_eq!(name, [numbered], "what is remembered has numbers");
}

#[test]
fn a02_p17_references_may_be_written_with_aliases() {
    let router = router();
    let interface = "Device.NAT.PortMapping.[web].Interface";
    let before = router.get(interface);
    assert_eq!(
        router.refused(&[(interface, "Device.IP.Interface.[nobody]")]),
        [(interface.into(), FaultCode::INVALID_PARAMETER_VALUE)]
    );
    router.set(&[(&format!("{before}.Alias"), "uplink")]).unwrap();
    router.set(&[(interface, "Device.IP.Interface.[uplink]")]).unwrap();
    assert_eq!(router.get(interface), before);
}

#[test]
fn a03_add_object_gives_the_alias_that_it_names() {
    let router = router();
    let number = router.add("Device.NAT.PortMapping.[ssh.in].").unwrap();
    assert_eq!(router.get("Device.NAT.PortMapping.[ssh.in].Alias"), "ssh.in");
    router.restart();
    assert_eq!(router.get(&format!("{MAPPINGS}{number}.Alias")), "ssh.in");
    let next = number + 1;
    let to_come = format!("cpe-{}", next + 1);
    for (bad, code) in [
        ("ssh.in", FaultCode::INVALID_ARGUMENTS),
        ("web", FaultCode::INVALID_ARGUMENTS),
        ("cpe-2", FaultCode::INVALID_ARGUMENTS),
        (to_come.as_str(), NAME),
        ("1st", NAME),
        (&"a".repeat(65), NAME),
    ] {
        let before = router.files();
        let path = format!("{MAPPINGS}[{bad}].");
        assert_eq!(router.add(&path).map_err(|fault| fault.code), Err(code), "{path}");
        assert_eq!(router.files(), before, "{path}");
    }
    for table in ["Device.IP.[a].", "Device.NAT.PortMapping.[web].[a].", "Device.Hosts.Host.[a]."] {
        assert_eq!(router.add(table).unwrap_err().code, NAME, "{table}");
    }
    assert_eq!(router.add("Device.ManagementServer.InformParameter.[cpe-1].").unwrap(), 1);
}

/// A row that somebody has taken away and puts back has its number again, but not an alias that another row has got meanwhile.
#[test]
fn a03_a_row_that_comes_back_leaves_its_alias_to_the_row_that_has_it() {
    const FIREWALL: &str = "/etc/config/firewall";
    let router = router();
    router.set(&[("Device.NAT.PortMapping.2.Alias", "home")]).unwrap();
    router.root.replace(FIREWALL, "config redirect 'game'", "config spare 'game'");
    assert!(!router.has("Device.NAT.PortMapping.2.Alias"));
    let refused = router.refused(&[("Device.NAT.PortMapping.1.Alias", "cpe-2")]);
    assert_eq!(refused, [(String::from("Device.NAT.PortMapping.1.Alias"), FaultCode::INVALID_PARAMETER_VALUE)]);
    router.set(&[("Device.NAT.PortMapping.1.Alias", "home")]).unwrap();
    router.root.replace(FIREWALL, "config spare 'game'", "config redirect 'game'");
    assert_eq!(router.get("Device.NAT.PortMapping.2.Alias"), "cpe-2");
    assert_eq!(router.get("Device.NAT.PortMapping.[home].Description"), "Web server");
}

#[test]
fn a04_a_name_with_a_new_alias_makes_the_row() {
    let router = router();
    let name = "Device.NAT.PortMapping.[new].Description";
    assert_eq!(router.refused(&[(name, "x")]), [(name.into(), NAME)]);
    create(&router);
    let count = |router: &Router| router.get("Device.NAT.PortMappingNumberOfEntries");
    let before: u32 = count(&router).parse().unwrap();
    let port = "Device.NAT.PortMapping.[new].ExternalPort";
    let other = "Device.NAT.PortMapping.[other].Description";
    let written = router.set(&[(name, "x"), (port, "2222"), (other, "y")]).unwrap();
    assert_eq!(count(&router), (before + 2).to_string());
    assert_eq!((router.get(name), router.get(port), router.get(other)), ("x".into(), "2222".into(), "y".into()));
    // The ACS has made the rows itself, so that their number is no news for it.
    assert!(written.names.contains(&"Device.NAT.PortMappingNumberOfEntries".into()), "{:?}", written.names);
    router.set(&[(name, "again")]).unwrap();
    assert_eq!(count(&router), (before + 2).to_string());
}

#[test]
fn a04_rows_are_made_on_all_levels_or_not_at_all() {
    let router = router();
    create(&router);
    let tag = "Device.DHCPv4.Server.Pool.[cpe-1].StaticAddress.[desk].";
    let (mac, address) = (format!("{tag}Chaddr"), format!("{tag}Yiaddr"));
    router.set(&[(&mac, "00:00:5E:00:53:C9"), (&address, "192.168.1.77")]).unwrap();
    assert_eq!(router.get(&address), "192.168.1.77");
    // One bad value, and there is no row.
    let (good, bad) = ("Device.NAT.PortMapping.[a].Description", "Device.NAT.PortMapping.[b].ExternalPort");
    assert_eq!(router.refused(&[(good, "x"), (bad, "x")]), [(bad.into(), FaultCode::INVALID_PARAMETER_TYPE)]);
    assert!(!router.has(good) && !router.has("Device.NAT.PortMapping.[b]."));
    for name in [
        "Device.Hosts.Host.[new].Alias",
        "Device.NAT.PortMapping.[1st].Description",
        "Device.NAT.PortMapping.[cpe-99].Description",
        "Device.NAT.PortMapping.99.Description",
        "Device.NAT.PortMapping.[new].NoSuchThing",
        "Device.NoSuchTable.[new].Description",
    ] {
        let refused = router.refused(&[(name, "x")]);
        assert_eq!(refused.len(), 1, "{name}");
        assert_eq!((refused[0].0.as_str(), refused[0].1), (name, NAME));
        assert!(!router.has("Device.NAT.PortMapping.[new]."), "{name}");
    }
}

#[test]
fn a04_over_the_wire() {
    let acs = Acs::start();
    let (_agent, mut session) = begin(&acs);
    let fault = session.refused(set_values(&[("Device.NAT.PortMapping.[x].Description", STRING, "x")], ""));
    assert_eq!(faults(&fault), [("Device.NAT.PortMapping.[x].Description", 9005)]);
    session.set(&[("Device.ManagementServer.AutoCreateInstances", "xsd:boolean", "1")]);
    session.set(&[("Device.NAT.PortMapping.[x].Description", STRING, "made")]);
    let row = session.get(&["Device.NAT.PortMapping.[x].Description"]);
    assert_eq!(row[0].value.text, "made");
    let created = row[0].name.replace("Description", "Alias");
    assert_eq!(session.value(&created), "x");
    session.end();
}

/// A table without the parameter Alias, such as a vendor's, has numbers only.
#[test]
fn a05_a_table_without_alias_has_numbers_only() {
    let acs = Acs::start();
    let mut agent = common::agent::Agent::new(&acs);
    let file = r#"{"Device.X_EXAMPLE_Led.{i}.": {"instances": {"uci": "system.@led"}, "writable": true,
        "parameters": {"Name": {"type": "string", "access": "rw", "uci": "name"}}}}"#;
    agent.root.write("/usr/share/cwmpd/model.d/led.json", file);
    agent.start();
    let mut session = acs.session();
    session.inform_ok();
    session.set(&[("Device.ManagementServer.AutoCreateInstances", "xsd:boolean", "1")]);
    let (path, name) = ("Device.X_EXAMPLE_Led.[cpe-1].", "Device.X_EXAMPLE_Led.[cpe-1].Name");
    for request in [
        get_values(&[name]),
        Message::GetParameterNames { path: path.into(), next_level: true },
        Message::AddObject { object_name: path.into(), parameter_key: String::new() },
        Message::DeleteObject { object_name: path.into(), parameter_key: String::new() },
        set_notification(&[name], 1),
    ] {
        let called = request.name().to_owned();
        assert_eq!(session.refused(request).code, NAME, "{called}");
    }
    assert_eq!(faults(&session.refused(set_values(&[(name, STRING, "x")], ""))), [(name, 9005)]);
    mode(&mut session, "InstanceAlias");
    assert_eq!(session.get(&["Device.X_EXAMPLE_Led."])[0].name, "Device.X_EXAMPLE_Led.1.Name");
    session.end();
}

/// Every row of a large table by its alias, in one request.
#[test]
fn a02_a_large_table_is_written_by_alias() {
    let root = root::RouterRoot::new();
    let mut firewall = String::new();
    for number in 0..200 {
        let port = 20_000 + number;
        firewall
            .push_str(&format!("config redirect 'r{number}'\n\toption target 'DNAT'\n\toption src_dport '{port}'\n"));
    }
    root.append("/etc/config/firewall", &firewall);
    let router = Router::on(root);
    let rows = router.values("Device.NAT.PortMapping.*.Alias");
    assert!(rows.len() >= 200);
    let aliases: Vec<(String, String)> =
        rows.iter().enumerate().map(|(index, (name, _))| (name.clone(), format!("row{index}"))).collect();
    let set = |all: &[(String, String)]| {
        let all: Vec<(&str, &str)> = all.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        router.set(&all).unwrap();
    };
    set(&aliases);
    let described: Vec<(String, String)> = (0..rows.len())
        .map(|index| (format!("Device.NAT.PortMapping.[row{index}].Description"), format!("d{index}")))
        .collect();
    set(&described);
    assert_eq!(router.get("Device.NAT.PortMapping.[row199].Description"), "d199");
}
