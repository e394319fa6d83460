//! Interfaces and what they stand on: Ethernet, Bridging, IP, PPP, Cellular and the stack of them, on the sample router and on what it may become.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

#[path = "common/model.rs"]
mod model;
#[path = "common/root.rs"]
mod root;

use cwmpd::error::FaultCode;
use model::Router;

const NETWORK: &str = "/etc/config/network";
const BRIDGE: &str = "Device.Bridging.Bridge.1.";

fn port(number: u32, name: &str) -> String {
    format!("{BRIDGE}Port.{number}.{name}")
}

/// The rows of a table by number, with one of their parameters.
fn column(router: &Router, table: &str, name: &str) -> Vec<(u32, String)> {
    let tail = format!(".{name}");
    let values = router.values(table).into_iter();
    values
        .filter_map(|(path, value)| {
            let number = path.strip_prefix(table)?.strip_suffix(&tail)?.parse().ok()?;
            Some((number, value))
        })
        .collect()
}

fn names(router: &Router, table: &str) -> Vec<String> {
    column(router, table, "Name").into_iter().map(|(_, name)| name).collect()
}

fn network_has(router: &Router, text: &str) {
    let network = router.root.read(NETWORK);
    assert!(network.contains(text), "{text}\n{network}");
}

fn network_lacks(router: &Router, text: &str) {
    let network = router.root.read(NETWORK);
    assert!(!network.contains(text), "{text}\n{network}");
}

#[test]
fn a_bridge_has_itself_its_devices_and_its_ssids_as_ports() {
    let router = Router::new();
    assert_eq!(column(&router, "Device.Bridging.Bridge.", "Name"), [(1, "br-lan".into()), (2, "br-guest".into())]);
    let names = names(&router, &format!("{BRIDGE}Port."));
    assert_eq!(names, ["br-lan", "lan1", "lan2", "lan3", "lan4", "phy0-ap0", "phy1-ap0", "kids"]);
    let below: Vec<String> = (2..=8).map(|number| router.get(&port(number, "LowerLayers"))).collect();
    let expected = [
        "Device.Ethernet.Interface.1",
        "Device.Ethernet.Interface.2",
        "Device.Ethernet.Interface.3",
        "Device.Ethernet.Interface.4",
        "Device.WiFi.SSID.1",
        "Device.WiFi.SSID.2",
        "Device.WiFi.SSID.4",
    ];
    assert_eq!(below, expected);
    let others: Vec<String> = (2..=8).map(|number| format!("{BRIDGE}Port.{number}")).collect();
    assert_eq!(router.get(&port(1, "LowerLayers")), others.join(","));
    assert_eq!(
        (router.get(&port(1, "ManagementPort")), router.get(&port(2, "ManagementPort"))),
        ("true".into(), "false".into())
    );
    let status: Vec<String> = (1..=8).map(|number| router.get(&port(number, "Status"))).collect();
    assert_eq!(status, ["Up", "Up", "Up", "LowerLayerDown", "LowerLayerDown", "Up", "Up", "Down"]);
    assert_eq!(
        (router.get(&port(2, "PortState")), router.get(&port(4, "PortState"))),
        ("Forwarding".into(), "Disabled".into())
    );
    assert_eq!(router.get(&port(6, "Stats.BytesSent")), (300_000_001_u64 * 10).to_string());
    assert_eq!(
        (router.get(&port(2, "PVID")), router.get(&format!("{BRIDGE}Standard"))),
        ("1".into(), "802.1D-2004".into())
    );
}

/// What an ISP does for IPTV: a port leaves the LAN for a bridge of its own.
#[test]
fn a_port_moves_to_another_bridge() {
    let router = Router::new();
    router.delete(&port(5, "")).unwrap();
    network_lacks(&router, "list ports 'lan4'");
    assert_eq!(router.add("Device.Bridging.Bridge.").unwrap(), 3);
    let bridge = "Device.Bridging.Bridge.3.";
    assert_eq!(router.get(&format!("{bridge}PortNumberOfEntries")), "1");
    assert_eq!(router.get(&format!("{bridge}Status")), "Disabled");
    assert_eq!(router.add(&format!("{bridge}Port.")).unwrap(), 2);
    let new = |name: &str| format!("{bridge}Port.2.{name}");
    assert_eq!((router.get(&new("Enable")), router.get(&new("LowerLayers"))), ("false".into(), "".into()));
    router
        .set(&[
            (&format!("{bridge}Enable"), "true"),
            (&new("Enable"), "true"),
            (&new("LowerLayers"), "Device.Ethernet.Interface.4"),
            (&new("Alias"), "tv"),
        ])
        .unwrap();
    assert_eq!((router.get(&new("Name")), router.get(&new("Enable"))), ("lan4".into(), "true".into()));
    let name = router.get(&format!("{bridge}Name"));
    assert!(name.len() <= 15, "{name}");
    network_has(
        &router,
        &format!("option name '{name}'\n\toption type 'bridge'\n\toption bridge_empty '1'\n\tlist ports 'lan4'"),
    );
    network_lacks(&router, "option enabled");
    router.restart();
    assert_eq!((router.get(&new("Name")), router.get(&new("Alias"))), ("lan4".into(), "tv".into()));
    // One device is a port of one bridge.
    let taken = [
        (port(4, "LowerLayers"), "Device.Ethernet.Interface.4"),
        (port(4, "LowerLayers"), "Device.Ethernet.Interface.5"),
    ];
    for (name, value) in taken {
        assert_eq!(router.refused(&[(&name, value)])[0].1, FaultCode(9007), "{value}");
    }
    // A port keeps its number when it changes its place, and while it is off.
    router.set(&[(&new("Enable"), "false")]).unwrap();
    network_lacks(&router, "lan4");
    router.restart();
    assert_eq!((router.get(&new("Name")), router.get(&new("Enable"))), ("lan4".into(), "false".into()));
    router.set(&[(&new("Enable"), "true")]).unwrap();
    router.delete(&port(4, "")).unwrap();
    router.set(&[(&new("LowerLayers"), "Device.Ethernet.Interface.3")]).unwrap();
    assert_eq!((router.get(&new("Name")), router.get(&new("Alias"))), ("lan3".into(), "tv".into()));
    network_has(&router, "list ports 'lan3'");
    // CONFORMANCE P-67
    router.delete("Device.Bridging.Bridge.3.").unwrap();
    network_lacks(&router, &name);
    assert_eq!(router.delete(&port(1, "")).unwrap_err().code, FaultCode(9005));
}

#[test]
fn an_ssid_leaves_a_bridge_and_joins_another() {
    let router = Router::new();
    router.set(&[(&port(8, "Enable"), "false")]).unwrap();
    assert!(
        !router
            .root
            .read("/etc/config/wireless")
            .contains("option network 'lan'\n\toption mode 'ap'\n\toption ssid \"Kids")
    );
    assert_eq!(
        (router.get(&port(8, "Enable")), router.get(&port(8, "LowerLayers"))),
        ("false".into(), "Device.WiFi.SSID.4".into())
    );
    assert_eq!(
        router.refused(&[("Device.Bridging.Bridge.2.Port.1.LowerLayers", "Device.WiFi.SSID.4")])[0].1,
        FaultCode(9007)
    );
    router.delete(&port(8, "")).unwrap();
    let new = router.add("Device.Bridging.Bridge.2.Port.").unwrap();
    let name = |name: &str| format!("Device.Bridging.Bridge.2.Port.{new}.{name}");
    router.set(&[(&name("LowerLayers"), "Device.WiFi.SSID.4"), (&name("Enable"), "true")]).unwrap();
    assert_eq!((router.get(&name("Name")), router.get(&name("Enable"))), ("kids".into(), "true".into()));
    assert!(router.root.read("/etc/config/wireless").contains("option network 'guest'"));
}

#[test]
fn vlans_of_a_bridge() {
    let router = Router::new();
    let bridge = format!("Device.Bridging.Bridge.{}.", router.add("Device.Bridging.Bridge.").unwrap());
    let name = router.get(&format!("{bridge}Name"));
    let at = |table: &str, number: u32, name: &str| format!("{bridge}{table}.{number}.{name}");
    router.delete(&port(5, "")).unwrap();
    let lan4 = router.add(&format!("{bridge}Port.")).unwrap();
    router
        .set(&[
            (&at("Port", lan4, "LowerLayers"), "Device.Ethernet.Interface.4"),
            (&at("Port", lan4, "Enable"), "true"),
        ])
        .unwrap();
    let vlan = router.add(&format!("{bridge}VLAN.")).unwrap();
    network_lacks(&router, &format!("option device '{name}'"));
    router
        .set(&[
            (&at("VLAN", vlan, "VLANID"), "10"),
            (&at("VLAN", vlan, "Name"), "office"),
            (&at("VLAN", vlan, "Enable"), "true"),
        ])
        .unwrap();
    network_has(&router, &format!("option vlan '10'\n\toption device '{name}'"));
    assert_eq!(router.get(&format!("{bridge}Standard")), "802.1Q-2011");
    // The management port is in it by itself.
    assert_eq!(router.get(&format!("{bridge}VLANPortNumberOfEntries")), "1");
    let member = router.add(&format!("{bridge}VLANPort.")).unwrap();
    let in_vlan = |name: &str| at("VLANPort", member, name);
    let (vlan_path, port_path) = (format!("{bridge}VLAN.{vlan}"), format!("{bridge}Port.{lan4}"));
    router
        .set(&[(&in_vlan("VLAN"), &vlan_path), (&in_vlan("Port"), &port_path), (&in_vlan("Untagged"), "true")])
        .unwrap();
    network_lacks(&router, "lan4:");
    assert_eq!((router.get(&in_vlan("VLAN")), router.get(&in_vlan("Port"))), (vlan_path.clone(), port_path.clone()));
    router.set(&[(&in_vlan("Enable"), "true")]).unwrap();
    network_has(&router, "list ports 'lan4:u*'");
    assert_eq!(router.get(&at("Port", lan4, "PVID")), "10");
    router.restart();
    assert_eq!((router.get(&in_vlan("Port")), router.get(&in_vlan("Untagged"))), (port_path.clone(), "true".into()));
    // The same port twice in one VLAN (CONFORMANCE P-65).
    let twin = router.add(&format!("{bridge}VLANPort.")).unwrap();
    let twice = [("VLAN", vlan_path.as_str()), ("Port", port_path.as_str()), ("Enable", "true")];
    let twice: Vec<(String, &str)> = twice.iter().map(|(name, value)| (at("VLANPort", twin, name), *value)).collect();
    let twice: Vec<(&str, &str)> = twice.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    assert_eq!(router.refused(&twice)[0].1, FaultCode(9007));
    // Tagged, and off again.
    router.set(&[(&in_vlan("Untagged"), "false")]).unwrap();
    network_has(&router, "list ports 'lan4:t*'");
    router.set(&[(&in_vlan("Enable"), "false")]).unwrap();
    network_lacks(&router, "lan4:");
    assert_eq!((router.get(&in_vlan("Enable")), router.get(&in_vlan("Port"))), ("false".into(), port_path.clone()));
    router.set(&[(&in_vlan("Enable"), "true"), (&at("VLAN", vlan, "Enable"), "false")]).unwrap();
    assert_eq!(
        (router.get(&at("VLAN", vlan, "Enable")), router.get(&at("VLAN", vlan, "VLANID"))),
        ("false".into(), "10".into())
    );
    network_lacks(&router, &format!("option device '{name}'"));
    // CONFORMANCE P-67: what points to the port is gone with it.
    router.delete(&at("Port", lan4, "")).unwrap();
    network_lacks(&router, "lan4");
    router.delete(&at("VLAN", vlan, "")).unwrap();
    network_lacks(&router, "bridge-vlan");
    // Another bridge's port, and a bridge that an interface is on without a VLAN, which would cut the LAN off.
    let other = [(at("VLANPort", twin, "Port"), "Device.Bridging.Bridge.1.Port.2")];
    assert_eq!(router.refused(&[(&other[0].0, other[0].1)])[0].1, FaultCode(9007));
    let lan = router.add(&format!("{BRIDGE}VLAN.")).unwrap();
    assert_eq!(router.refused(&[(&format!("{BRIDGE}VLAN.{lan}.Enable"), "true")])[0].1, FaultCode(9007));
}

/// LuCI's way of a LAN with VLANs, as it is in the file.
#[test]
fn a_lan_on_a_vlan_of_its_bridge() {
    let router = Router::new();
    router.root.append(
        NETWORK,
        "\nconfig bridge-vlan\n\toption device 'br-lan'\n\toption vlan '1'\n\tlist ports 'lan1:u*'\n\tlist ports 'lan2'\n\
         \nconfig bridge-vlan\n\toption device 'br-lan'\n\toption vlan '20'\n\tlist ports 'lan1:t'\n\toption local '0'\n",
    );
    router.root.replace(
        NETWORK,
        "config interface 'lan'\n\toption device 'br-lan'",
        "config interface 'lan'\n\toption device 'br-lan.1'",
    );
    assert_eq!(column(&router, &format!("{BRIDGE}VLAN."), "VLANID"), [(1, "1".into()), (2, "20".into())]);
    let members: Vec<(String, String, String)> = (1..=4)
        .map(|row| {
            let value = |name: &str| router.get(&format!("{BRIDGE}VLANPort.{row}.{name}")).replace(BRIDGE, "");
            (value("VLAN"), value("Port"), value("Untagged"))
        })
        .collect();
    let expected = [
        ("VLAN.1", "Port.2", "true"),
        ("VLAN.1", "Port.3", "true"),
        ("VLAN.1", "Port.1", "false"),
        ("VLAN.2", "Port.2", "false"),
    ];
    assert_eq!(members, expected.map(|(a, b, c)| (a.into(), b.into(), c.into())));
    assert_eq!(
        (router.get(&port(2, "PVID")), router.get(&port(3, "AcceptableFrameTypes"))),
        ("1".into(), "AdmitAll".into())
    );
    // Without a star netifd takes the first VLAN that the port is in without a tag.
    router.root.replace(NETWORK, "option vlan '1'", "option vlan '11'");
    assert_eq!(router.get(&port(3, "PVID")), "11");
    router.root.replace(
        NETWORK,
        "list ports 'lan2'\n\nconfig bridge-vlan",
        "list ports 'lan2:t'\n\nconfig bridge-vlan",
    );
    assert_eq!(router.get(&port(3, "AcceptableFrameTypes")), "AdmitOnlyVLANTagged");
    router.root.replace(NETWORK, "option vlan '11'", "option vlan '1'");
    assert_eq!(router.get(&port(2, "IngressFiltering")), "true");
    // IP.Interface -> VLANTermination -> Link -> management port
    assert_eq!(router.get("Device.IP.Interface.2.LowerLayers"), "Device.Ethernet.VLANTermination.1");
    assert_eq!(router.get("Device.Ethernet.VLANTermination.1.Name"), "br-lan.1");
    let link = router.get("Device.Ethernet.VLANTermination.1.LowerLayers");
    assert_eq!(router.get(&format!("{link}.LowerLayers")), "Device.Bridging.Bridge.1.Port.1");
    // The SSIDs of the network are still ports of the bridge.
    assert!(names(&router, &format!("{BRIDGE}Port.")).contains(&"phy0-ap0".into()));
    router.set(&[(&port(2, "PVID"), "20")]).unwrap();
    network_has(&router, "list ports 'lan1:t*'");
    network_has(&router, "list ports 'lan1:u'");
}

/// VLAN 7 of the ISP, as an ACS sets it up.
#[test]
fn a_vlan_between_an_interface_and_its_link() {
    let router = Router::new();
    let number = router.add("Device.Ethernet.VLANTermination.").unwrap();
    let vlan = |name: &str| format!("Device.Ethernet.VLANTermination.{number}.{name}");
    assert_eq!(
        (router.get(&vlan("Enable")), router.get(&vlan("TPID")), router.get(&vlan("Status"))),
        ("false".into(), "33024".into(), "Down".into())
    );
    router
        .set(&[(&vlan("LowerLayers"), "Device.Ethernet.Link.2"), (&vlan("VLANID"), "7"), (&vlan("Enable"), "true")])
        .unwrap();
    assert_eq!((router.get(&vlan("Name")), router.get(&vlan("Status"))), ("wan.7".into(), "NotPresent".into()));
    network_has(&router, "option name 'wan.7'\n\toption type '8021q'\n\toption ifname 'wan'\n\toption vid '7'");
    router.set(&[("Device.IP.Interface.3.LowerLayers", &format!("Device.Ethernet.VLANTermination.{number}"))]).unwrap();
    network_has(&router, "config interface 'wan'\n\toption device 'wan.7'");
    // Another VLAN, and another port: names follow, numbers stay.
    router.set(&[(&vlan("VLANID"), "8")]).unwrap();
    network_has(&router, "config interface 'wan'\n\toption device 'wan.8'");
    router.delete(&port(5, "")).unwrap();
    router.set(&[("Device.Ethernet.Link.2.LowerLayers", "Device.Ethernet.Interface.4")]).unwrap();
    network_has(&router, "config interface 'wan'\n\toption device 'lan4.8'");
    network_has(&router, "config interface 'wan6'\n\toption device 'lan4'");
    router.restart();
    assert_eq!((router.get(&vlan("Name")), router.get(&vlan("VLANID"))), ("lan4.8".into(), "8".into()));
    assert_eq!(router.get("Device.Ethernet.Link.2.Name"), "lan4");
    // A second one of the same number on the same link.
    let twin = router.add("Device.Ethernet.VLANTermination.").unwrap();
    let twin = |name: &str| format!("Device.Ethernet.VLANTermination.{twin}.{name}");
    let entries = [(twin("LowerLayers"), "Device.Ethernet.Link.2"), (twin("VLANID"), "8")];
    assert_eq!(router.refused(&[(&entries[0].0, entries[0].1), (&entries[1].0, entries[1].1)])[0].1, FaultCode(9007));
    assert_eq!(router.refused(&[(&twin("TPID"), "1")])[0].1, FaultCode(9007));
    router
        .set(&[(&twin("LowerLayers"), "Device.Ethernet.Link.2"), (&twin("VLANID"), "8"), (&twin("TPID"), "34984")])
        .unwrap();
    assert_eq!(router.delete(&vlan("")).unwrap_err().code, FaultCode(9001), "the ACS is reached through it");
}

/// swconfig: the switch is behind `eth0`, and VLANs are only names.
#[test]
fn vlans_that_are_only_names() {
    let router = Router::new();
    for port in ["lan2", "lan3", "lan4"] {
        router.root.replace(NETWORK, &format!("\tlist ports '{port}'\n"), "");
    }
    router.root.replace(NETWORK, "list ports 'lan1'", "list ports 'eth0.1'");
    router.root.replace(NETWORK, "option device 'wan'", "option device 'eth0.2'");
    router.root.replace(
        "/etc/board.json",
        "\"lan1\",\n\t\t\t\t\"lan2\",\n\t\t\t\t\"lan3\",\n\t\t\t\t\"lan4\"",
        "\"eth0.1\"",
    );
    router.root.replace(
        "/etc/board.json",
        "\"device\": \"wan\",\n\t\t\t\"protocol\"",
        "\"device\": \"eth0.2\",\n\t\t\t\"protocol\"",
    );
    assert_eq!(names(&router, "Device.Ethernet.Interface."), ["eth0"]);
    assert_eq!(names(&router, "Device.Ethernet.VLANTermination."), ["eth0.2", "eth0.1"]);
    assert_eq!(names(&router, "Device.Ethernet.Link."), ["br-lan", "eth0", "br-guest"]);
    assert_eq!(router.get("Device.IP.Interface.3.LowerLayers"), "Device.Ethernet.VLANTermination.1");
    assert_eq!(router.get("Device.Ethernet.VLANTermination.1.LowerLayers"), "Device.Ethernet.Link.2");
    assert_eq!(router.get("Device.Ethernet.Link.2.LowerLayers"), "Device.Ethernet.Interface.1");
    assert_eq!(router.get(&port(2, "LowerLayers")), "Device.Ethernet.VLANTermination.2");
    router.set(&[("Device.Ethernet.VLANTermination.1.VLANID", "35")]).unwrap();
    network_has(&router, "option device 'eth0.35'");
    network_lacks(&router, "8021q");
    assert_eq!(router.get("Device.Ethernet.VLANTermination.1.Name"), "eth0.35");
    router.set(&[("Device.Ethernet.VLANTermination.1.Enable", "false")]).unwrap();
    network_has(&router, "option name 'eth0.35'\n\toption enabled '0'");
    assert_eq!(router.get("Device.Ethernet.VLANTermination.1.Status"), "Down");
}

#[test]
fn links_are_made_moved_and_deleted() {
    let router = Router::new();
    let number = router.add("Device.Ethernet.Link.").unwrap();
    let link = |name: &str| format!("Device.Ethernet.Link.{number}.{name}");
    assert_eq!(
        (router.get(&link("Enable")), router.get(&link("Status")), router.get(&link("LowerLayers"))),
        ("false".into(), "Down".into(), "".into())
    );
    // On a device that has a link, or that is a port of a bridge.
    for taken in [
        "Device.Ethernet.Interface.5",
        "Device.Bridging.Bridge.1.Port.1",
        "Device.Ethernet.Interface.1",
        "Device.Bridging.Bridge.1.Port.2",
    ] {
        assert_eq!(router.refused(&[(&link("LowerLayers"), taken)])[0].1, FaultCode(9007), "{taken}");
    }
    router.delete(&port(4, "")).unwrap();
    router.set(&[(&link("LowerLayers"), "Device.Ethernet.Interface.3"), (&link("Enable"), "true")]).unwrap();
    router.restart();
    assert_eq!((router.get(&link("Name")), router.get(&link("Enable"))), ("lan3".into(), "true".into()));
    router.set(&[("Device.IP.Interface.5.LowerLayers", &format!("Device.Ethernet.Link.{number}"))]).unwrap();
    network_has(&router, "config interface 'guest'\n\toption device 'lan3'");
    // Off for all that is on it.
    router.set(&[(&link("Enable"), "false")]).unwrap();
    network_has(&router, "option name 'lan3'\n\toption enabled '0'");
    assert_eq!(router.get(&link("Status")), "Down");
    // CONFORMANCE P-67
    router.delete(&link("")).unwrap();
    assert_eq!(router.get("Device.IP.Interface.5.LowerLayers"), "");
    assert!(!router.has(&link("")));
    assert_eq!(router.delete("Device.Ethernet.Link.2.").unwrap_err().code, FaultCode(9001), "the way to the ACS");
}

/// A bridge and the link on it share one option.
#[test]
fn a_bridge_and_its_link_are_switched_off_one_by_one() {
    let router = Router::new();
    let (bridge, link) = ("Device.Bridging.Bridge.2.Enable", "Device.Ethernet.Link.3.Enable");
    router.set(&[(link, "false")]).unwrap();
    assert_eq!((router.get(bridge), router.get(link)), ("true".into(), "false".into()));
    router.set(&[(bridge, "false")]).unwrap();
    router.set(&[(link, "true")]).unwrap();
    router.restart();
    assert_eq!((router.get(bridge), router.get(link)), ("false".into(), "true".into()));
    network_has(&router, "option enabled '0'");
    // By hand: it counts for both.
    router.root.replace(NETWORK, "option enabled '0'", "option enabled '1'");
    assert_eq!((router.get(bridge), router.get(link)), ("true".into(), "true".into()));
}

#[test]
fn odd_files_and_a_router_without_ubus() {
    let router = Router::new();
    router.root.remove_ubus();
    router.root.append(
        NETWORK,
        "\nconfig device\n\toption name '../../etc'\n\toption type 'bridge'\n\
         \nconfig device\n\toption type 'bridge'\n\
         \nconfig device\n\toption name 'loop'\n\toption type '8021q'\n\toption ifname 'loop'\n\toption vid '70000'\n\
         \nconfig bridge-vlan\n\toption device 'br-lan'\n\toption vlan 'many'\n\tlist ports ':u' \n\tlist ports '../x:t'\n\
         \nconfig bridge-vlan\n\
         \nconfig interface 'self'\n\toption device '@self'\n\
         \nconfig interface 'deep'\n\toption device 'a.1.2.3.4.5'\n\toption proto 'pppoe'\n",
    );
    for (name, value) in router.values("Device.") {
        assert!(!value.contains("../"), "{name}={value}");
    }
    assert_eq!(router.get("Device.Bridging.BridgeNumberOfEntries"), "2");
}

/// What the ACS of an ISP does when a line goes from DHCP to PPPoE over VLAN 7.
#[test]
fn a_line_goes_from_dhcp_to_pppoe_and_back() {
    let router = Router::new();
    let number = router.add("Device.PPP.Interface.").unwrap();
    let ppp = |name: &str| format!("Device.PPP.Interface.{number}.{name}");
    let wan = |name: &str| format!("Device.IP.Interface.3.{name}");
    assert_eq!((router.get(&ppp("Enable")), router.get(&ppp("Status"))), ("false".into(), "Down".into()));
    assert_eq!(router.get("Device.IP.InterfaceNumberOfEntries"), "5", "it is no IP interface yet");
    let vlan = router.add("Device.Ethernet.VLANTermination.").unwrap();
    let vlan = |name: &str| format!("Device.Ethernet.VLANTermination.{vlan}.{name}");
    let vlan_path = vlan("").trim_end_matches('.').to_owned();
    router
        .set(&[
            (&vlan("LowerLayers"), "Device.Ethernet.Link.2"),
            (&vlan("VLANID"), "7"),
            (&vlan("Enable"), "true"),
            (&ppp("Username"), "user@isp.example"),
            (&ppp("Password"), "secret"),
            (&ppp("LowerLayers"), &vlan_path),
            (&ppp("Alias"), "line"),
            (&ppp("Enable"), "true"),
        ])
        .unwrap();
    assert_eq!((router.get(&ppp("LowerLayers")), router.get(&ppp("Enable"))), (vlan_path.clone(), "true".into()));
    assert_eq!(
        (router.get(&ppp("Password")), router.get(&ppp("ConnectionStatus"))),
        ("".into(), "Disconnected".into())
    );
    let ppp_path = ppp("").trim_end_matches('.').to_owned();
    // CONFORMANCE P-02: the order in a request means nothing, and the client of DHCP is a row before and after it.
    let client = "Device.DHCPv4.Client.1.Enable";
    router
        .set(&[(&wan("LowerLayers"), &ppp_path), (client, "false"), (&ppp("ConnectionTrigger"), "AlwaysOn")])
        .unwrap();
    assert_eq!(router.get(client), "false");
    let network = router.root.read(NETWORK);
    let section = network.split("config interface 'wan'\n").nth(1).unwrap().split("\n\n").next().unwrap();
    for line in [
        "option proto 'pppoe'",
        "option device 'wan.7'",
        "option username 'user@isp.example'",
        "option password 'secret'",
    ] {
        assert!(section.contains(line), "{line}\n{section}");
    }
    assert!(!section.contains("disabled"), "{section}");
    assert_eq!(network.matches("pppoe").count(), 1, "{network}");
    // CONFORMANCE P-06: until the reload netifd has the address of DHCP, which is none of PPP.
    assert_eq!(
        (router.get(&ppp("Status")), router.get(&ppp("ConnectionStatus")), router.get(&ppp("Name"))),
        ("LowerLayerDown".into(), "Disconnected".into(), "pppoe-wan".into())
    );
    assert_eq!(router.get(&ppp("IPCP.LocalIPAddress")), "");
    router.restart();
    assert_eq!((router.get(&wan("LowerLayers")), router.get(&ppp("LowerLayers"))), (ppp_path.clone(), vlan_path));
    assert_eq!(
        (router.get(&ppp("Alias")), router.get(&ppp("Enable")), router.get(&wan("Enable"))),
        ("line".into(), "true".into(), "true".into())
    );
    assert_eq!(router.get("Device.IP.Interface.3.IPv4Address.1.AddressingType"), "IPCP");
    // wan6 goes along with it.
    router.set(&[("Device.IP.Interface.4.LowerLayers", &ppp_path)]).unwrap();
    network_has(&router, "option device '@wan'");
    assert_eq!(router.get("Device.IP.Interface.4.LowerLayers"), ppp_path);
    // Each of the two is switched off by itself.
    router.set(&[(&ppp("Enable"), "false")]).unwrap();
    assert_eq!((router.get(&wan("Enable")), router.get(&wan("Status"))), ("true".into(), "LowerLayerDown".into()));
    network_has(&router, "option disabled '1'");
    router.set(&[(&wan("Enable"), "false")]).unwrap();
    router.set(&[(&ppp("Enable"), "true")]).unwrap();
    network_has(&router, "option disabled '1'");
    assert_eq!((router.get(&wan("Enable")), router.get(&ppp("Enable"))), ("false".into(), "true".into()));
    router.set(&[(&wan("Enable"), "true")]).unwrap();
    network_lacks(&router, "option disabled");
    // The line is what the ACS is reached through.
    assert_eq!(router.delete(&ppp("")).unwrap_err().code, FaultCode(9001));
    // And back.
    router.set(&[(&wan("LowerLayers"), "Device.Ethernet.Link.2")]).unwrap();
    network_has(&router, "option proto 'none'\n\toption device 'wan'");
    assert_eq!(
        (router.get(&ppp("Username")), router.get(&ppp("Alias")), router.get(&ppp("Enable"))),
        ("user@isp.example".into(), "line".into(), "true".into())
    );
    assert_eq!(router.get(&ppp("Status")), "Down");
    // A client that nobody has switched off waits for its interface.
    router.set(&[(client, "true")]).unwrap();
    network_has(&router, "option proto 'dhcp'");
    router.set(&[(&wan("LowerLayers"), &ppp_path)]).unwrap();
    assert_eq!(
        (router.get(client), router.get("Device.DHCPv4.Client.1.Status")),
        ("true".into(), "Error_Misconfigured".into())
    );
    router.set(&[(&wan("LowerLayers"), "Device.Ethernet.Link.2"), (client, "true")]).unwrap();
    network_has(&router, "option hostname 'OpenWrt'");
    network_lacks(&router, "config cwmp_dhcp");
    assert_eq!(router.get("Device.DHCPv4.Client.1.Status"), "Enabled");
    // An ACS that finds it enabled has no reason to enable it: it comes back by itself.
    router.set(&[(&wan("LowerLayers"), &ppp_path)]).unwrap();
    router.restart();
    router.set(&[(&wan("LowerLayers"), "Device.Ethernet.Link.2")]).unwrap();
    network_has(&router, "option hostname 'OpenWrt'");
    network_lacks(&router, "config cwmp_dhcp");
    assert_eq!((router.get(client), router.get("Device.DHCPv4.Client.1.Status")), ("true".into(), "Enabled".into()));
    router.delete(&ppp("")).unwrap();
    network_lacks(&router, "pppoe");
    assert_eq!(router.get("Device.PPP.InterfaceNumberOfEntries"), "0");
}

/// A router whose line is PPPoE, with what netifd says of it.
fn on_pppoe() -> Router {
    let router = Router::new();
    router.root.replace(
        NETWORK,
        "\toption device 'wan'\n\toption proto 'dhcp'\n\toption hostname 'OpenWrt'\n",
        "\toption device 'wan'\n\toption proto 'pppoe'\n\toption username 'u'\n\toption password 'p'\n\toption keepalive '4 20'\n\toption ac 'bras1'\n",
    );
    let dump = router.root.ubus("network.interface", "dump");
    let wan = r#"{"interface":"wan","up":true,"pending":false,"available":true,"uptime":60,"l3_device":"pppoe-wan","proto":"pppoe","device":"wan","ipv4-address":[{"address":"203.0.113.9","mask":32,"ptpaddress":"203.0.113.1"}],"ipv6-address":[],"ipv6-prefix":[],"dns-server":["198.51.100.53","2001:db8::53","198.51.100.54","198.51.100.55"],"data":{}}"#;
    let start = dump.find(r#"{"interface":"wan","#).unwrap();
    let end = dump.find(r#"{"interface":"wan6","#).unwrap();
    router.root.set_ubus("network.interface", "dump", None, &format!("{}{wan},{}", &dump[..start], &dump[end..]));
    for (file, text) in
        [("address", ""), ("carrier", "1"), ("operstate", "unknown"), ("mtu", "1492"), ("statistics/tx_bytes", "77")]
    {
        router.root.write(&format!("/sys/class/net/pppoe-wan/{file}"), format!("{text}\n"));
    }
    // Session 0x0102, as this kernel prints what came over the wire.
    let raw = u16::from_be_bytes([1, 2]).to_be();
    router.root.write(
        "/proc/net/pppoe",
        format!("Id       Address              Device\n{raw:08X} 00:00:5e:00:53:f1              wan\n"),
    );
    router.root.append("/proc/net/if_inet6", "fe800000000000000011223344556677 14 0a 20 80 pppoe-wan\n");
    router
}

#[test]
fn a_connection_over_pppoe() {
    let router = on_pppoe();
    let ppp = |name: &str| router.get(&format!("Device.PPP.Interface.1.{name}"));
    assert_eq!(router.get("Device.IP.Interface.3.LowerLayers"), "Device.PPP.Interface.1");
    let expected = [
        ("Name", "pppoe-wan"),
        ("Status", "Up"),
        ("LastChange", "60"),
        ("ConnectionStatus", "Connected"),
        ("LastConnectionError", "ERROR_NONE"),
        ("LowerLayers", "Device.Ethernet.Link.2"),
        ("LCPEcho", "20"),
        ("LCPEchoRetry", "4"),
        ("MaxMRUSize", "1500"),
        ("CurrentMRUSize", "1492"),
        ("ConnectionTrigger", "AlwaysOn"),
        ("PPPoE.SessionID", "258"),
        ("PPPoE.ACName", "bras1"),
        ("IPCP.LocalIPAddress", "203.0.113.9"),
        ("IPCP.RemoteIPAddress", "203.0.113.1"),
        ("IPCP.DNSServers", "198.51.100.53,198.51.100.54"),
        ("IPv6CP.LocalInterfaceIdentifier", "::11:2233:4455:6677"),
        ("Stats.BytesSent", "77"),
    ];
    for (name, value) in expected {
        assert_eq!(ppp(name), value, "{name}");
    }
    let errors = router.root.ubus("network.interface", "dump").replace(
        r#""interface":"wan","up":true"#,
        r#""errors":[{"subsystem":"pppoe","code":"AUTH_FAILED"}],"interface":"wan","up":false"#,
    );
    router.root.set_ubus("network.interface", "dump", None, &errors);
    assert_eq!(
        (ppp("LastConnectionError"), ppp("ConnectionStatus")),
        ("ERROR_AUTHENTICATION_FAILURE".into(), "Disconnected".into())
    );
    assert_eq!((ppp("Status"), ppp("PPPoE.SessionID")), ("Down".into(), "0".into()));
    // On demand is a time at once; the time stays when it is not.
    let (trigger, idle) = ("Device.PPP.Interface.1.ConnectionTrigger", "Device.PPP.Interface.1.IdleDisconnectTime");
    router.set(&[(idle, "120")]).unwrap();
    network_lacks(&router, "demand");
    router.set(&[(trigger, "OnDemand")]).unwrap();
    network_has(&router, "option demand '120'");
    router.set(&[(trigger, "Manual")]).unwrap();
    network_has(&router, "option auto '0'");
    assert_eq!(router.get(idle), "120");
    let written = router.set(&[("Device.PPP.Interface.1.Reset", "true")]).unwrap();
    assert!(written.effects.programs.contains(["/sbin/ifup", "wan"].map(String::from).as_slice()));
    // An IP interface that goes leaves its PPP interface behind.
    router.root.append("/etc/config/cwmpd", "\nconfig cpe 'cpe'\n\toption interface 'lan'\n");
    router.delete("Device.IP.Interface.3.").unwrap();
    assert_eq!((ppp("Username"), ppp("PPPoE.ACName"), ppp("Status")), ("u".into(), "bras1".into(), "Down".into()));
    assert!(!router.root.read("/etc/config/firewall").contains("'wan'\n\tlist   network\t\t'wan6'"));
}

#[test]
fn the_stack_is_what_the_lower_layers_say() {
    let router = on_pppoe();
    let stack = |router: &Router| {
        let values = router.values("Device.InterfaceStack.");
        let value = |name: &str| -> Vec<String> {
            values
                .iter()
                .filter(|(path, _)| path.ends_with(name))
                .map(|(_, value)| value.replace("Device.", ""))
                .collect()
        };
        value(".HigherLayer").into_iter().zip(value(".LowerLayer")).collect::<std::collections::BTreeSet<_>>()
    };
    let pairs = stack(&router);
    for (higher, lower) in [
        ("IP.Interface.2", "Ethernet.Link.1"),
        ("IP.Interface.3", "PPP.Interface.1"),
        ("IP.Interface.4", "Ethernet.Link.2"),
        ("PPP.Interface.1", "Ethernet.Link.2"),
        ("Ethernet.Link.2", "Ethernet.Interface.5"),
        ("Ethernet.Link.1", "Bridging.Bridge.1.Port.1"),
        ("Bridging.Bridge.1.Port.1", "Bridging.Bridge.1.Port.2"),
        ("Bridging.Bridge.1.Port.2", "Ethernet.Interface.1"),
        ("Bridging.Bridge.1.Port.6", "WiFi.SSID.1"),
        ("WiFi.SSID.1", "WiFi.Radio.1"),
        ("Bridging.Bridge.2.Port.2", "WiFi.SSID.3"),
    ] {
        assert!(pairs.contains(&(higher.into(), lower.into())), "{higher} {lower}\n{pairs:#?}");
    }
    // CONFORMANCE J-04, and nothing points to what is not there.
    for (higher, lower) in &pairs {
        assert!(
            router.has(&format!("Device.{higher}.")) && router.has(&format!("Device.{lower}.")),
            "{higher} {lower}"
        );
    }
    assert_eq!(router.get("Device.InterfaceStackNumberOfEntries"), pairs.len().to_string());
    // Aliases come along, numbers stay (CONFORMANCE P-62).
    let numbers = |router: &Router| column(router, "Device.InterfaceStack.", "HigherLayer");
    let before = numbers(&router);
    router.set(&[("Device.PPP.Interface.1.Alias", "line")]).unwrap();
    router.delete("Device.Bridging.Bridge.1.Port.2.").unwrap();
    let after = numbers(&router);
    assert_eq!(after.len(), before.len() - 2);
    assert!(after.iter().all(|row| before.contains(row)));
    assert!(
        router
            .values("Device.InterfaceStack.")
            .iter()
            .any(|(path, value)| path.ends_with("HigherAlias") && value == "line")
    );
}

/// The script of xl2tpd writes them into a file of options for pppd, which runs programs.
#[test]
fn s3_credentials_of_l2tp_stay_between_their_quotes() {
    let line = |proto: &str| {
        let router = Router::new();
        router.root.append(
            NETWORK,
            &format!("\nconfig interface 'line'\n\toption proto '{proto}'\n\toption server 'lns.example'\n\toption username 'u'\n"),
        );
        router
    };
    let name = |name: &str| format!("Device.PPP.Interface.1.{name}");
    let router = line("l2tp");
    for parameter in ["Username", "Password"] {
        for value in ["x\"\npty \"reboot", "x\" pty \"reboot", "x\\", "a\nb"] {
            assert_eq!(router.refused(&[(&name(parameter), value)])[0].1, FaultCode(9007), "{parameter} {value:?}");
        }
    }
    router.set(&[(&name("Username"), "u@isp"), (&name("Password"), "it's $1; #")]).unwrap();
    assert_eq!(router.get(&name("Username")), "u@isp");
    // To pppoe they are arguments.
    let router = line("pppoe");
    router.set(&[(&name("Username"), "DOMAIN\\u"), (&name("Password"), "a\"b")]).unwrap();
    assert_eq!((router.get(&name("Username")), router.get(&name("Password"))), ("DOMAIN\\u".into(), "".into()));
    assert_eq!(router.refused(&[(&name("Username"), "a\nb")])[0].1, FaultCode(9007));
}

#[test]
fn a_modem_and_its_access_point() {
    let router = Router::new();
    router.root.append(
        NETWORK,
        "\nconfig interface 'wwan'\n\toption proto 'qmi'\n\toption device '/dev/cdc-wdm0'\n\toption apn 'internet'\n\toption pincode '1234'\n",
    );
    let dump = router.root.ubus("network.interface", "dump");
    let wwan = r#"{"interface":[{"interface":"wwan","up":true,"pending":false,"available":true,"uptime":7,"l3_device":"wwan0","proto":"qmi","device":"wwan0"},"#;
    router.root.set_ubus("network.interface", "dump", None, &dump.replacen("{\"interface\":[", wwan, 1));
    router.root.write("/sys/class/net/wwan0/statistics/rx_bytes", "4242\n");
    let modem = |name: &str| format!("Device.Cellular.Interface.1.{name}");
    let point = |name: &str| format!("Device.Cellular.AccessPoint.1.{name}");
    assert_eq!(router.get("Device.IP.Interface.6.LowerLayers"), "Device.Cellular.Interface.1");
    assert_eq!(
        (router.get(&modem("Name")), router.get(&modem("Status")), router.get(&modem("LastChange"))),
        ("cdc-wdm0".into(), "Up".into(), "7".into())
    );
    assert_eq!((router.get(&modem("Stats.BytesReceived")), router.get(&modem("USIM.PIN"))), ("4242".into(), "".into()));
    assert_eq!(
        (router.get(&point("APN")), router.get(&point("Interface"))),
        ("internet".into(), "Device.Cellular.Interface.1".into())
    );
    router.set(&[(&point("APN"), "ims"), (&modem("USIM.PIN"), "4321"), (&modem("NetworkRequested"), "26201")]).unwrap();
    for line in ["option apn 'ims'", "option pincode '4321'", "option plmn '26201'"] {
        network_has(&router, line);
    }
    for (name, value) in [("USIM.PIN", "12"), ("NetworkRequested", "Home"), ("LowerLayers", "Device.Ethernet.Link.1")] {
        assert_eq!(router.refused(&[(&modem(name), value)])[0].1, FaultCode(9007), "{name}");
    }
    router.set(&[(&point("Enable"), "false")]).unwrap();
    assert_eq!((router.get(&modem("Enable")), router.get(&modem("Status"))), ("true".into(), "Down".into()));
    assert_eq!(
        (router.get("Device.IP.Interface.6.Enable"), router.get("Device.IP.Interface.6.Status")),
        ("true".into(), "LowerLayerDown".into())
    );
    router.set(&[(&point("Enable"), "true")]).unwrap();
    network_lacks(&router, "disabled");
    // S3: netifd's scripts put these into commands, that of `3g` into one of a shell.
    for (name, value) in [
        ("APN", "x;reboot;"),
        ("APN", "$(reboot)"),
        ("APN", "a b"),
        ("APN", "a\nb"),
        ("APN", "-x"),
        ("Username", "u --stop-network"),
        ("Username", "-u"),
        ("Password", "p'"),
        ("Password", "*"),
    ] {
        assert_eq!(router.refused(&[(&point(name), value)])[0].1, FaultCode(9007), "{name} {value:?}");
    }
    router
        .set(&[(&point("APN"), "m2m.isp_1-x.example"), (&point("Username"), "u@isp"), (&point("Password"), "a;b!#$c")])
        .unwrap();
    // Without a modem in the router there is nothing.
    assert_eq!(Router::new().get("Device.Cellular.InterfaceNumberOfEntries"), "0");
}

/// The values of some parameters of a row.
fn row(router: &Router, row: &str, names: &[&str]) -> Vec<String> {
    names.iter().map(|name| router.get(&format!("{row}{name}"))).collect()
}

/// netifd takes the MTU of a device with a section of its own from there, and from nowhere else.
#[test]
fn the_mtu_stands_where_netifd_looks_for_it() {
    let router = Router::new();
    let mtu = |number: u32| format!("Device.IP.Interface.{number}.MaxMTUSize");
    router.set(&[(&mtu(2), "1400"), (&mtu(3), "1300")]).unwrap();
    assert_eq!((router.get(&mtu(2)), router.get(&mtu(3))), ("1400".into(), "1300".into()));
    let network = router.root.read(NETWORK);
    let section = |line: &str| network.split("\n\n").find(|section| section.contains(line)).unwrap();
    assert!(section("option name 'br-lan'").contains("option mtu '1400'"), "{network}");
    assert!(!section("config interface 'lan'").contains("mtu"), "{network}");
    // What has no section takes it from the interface.
    assert!(section("config interface 'wan'").contains("option mtu '1300'"), "{network}");
    // One that netifd ignores is not shown as if it counted.
    router.root.replace(NETWORK, "config interface 'lan'", "config interface 'lan'\n\toption mtu '1200'");
    assert_eq!(router.get(&mtu(2)), "1400");
}

#[test]
fn delegated_prefixes_and_what_is_given_out_of_them() {
    let router = Router::new();
    let names =
        ["Prefix", "Origin", "StaticType", "ParentPrefix", "ChildPrefixBits", "Status", "PrefixStatus", "Enable"];
    let wan = row(&router, "Device.IP.Interface.4.IPv6Prefix.1.", &names);
    assert_eq!(wan, ["2001:db8:1200::/56", "PrefixDelegation", "Inapplicable", "", "", "Enabled", "Preferred", "true"]);
    let lan = "Device.IP.Interface.2.IPv6Prefix.1.";
    let parent = "Device.IP.Interface.4.IPv6Prefix.1";
    let child = row(&router, lan, &names);
    assert_eq!(child, ["2001:db8:1200::/60", "Child", "Child", parent, "::/60", "Enabled", "Preferred", "true"]);
    let ula = row(&router, "Device.IP.Interface.2.IPv6Prefix.2.", &names);
    assert_eq!(ula, ["fd12:3456:789a::/60", "AutoConfigured", "Inapplicable", "", "", "Enabled", "Preferred", "true"]);
    assert_eq!(router.get("Device.IP.Interface.2.IPv6PrefixNumberOfEntries"), "2");
    assert_eq!(router.get(&format!("{lan}ValidLifetime")).len(), "2026-01-01T00:00:00Z".len());
    // The addresses say which prefix they are out of.
    let addresses = router.values("Device.IP.Interface.2.IPv6Address.");
    let prefixes: Vec<&str> =
        addresses.iter().filter(|(name, _)| name.ends_with(".Prefix")).map(|(_, value)| value.as_str()).collect();
    let own = "Device.IP.Interface.2.IPv6Prefix.";
    assert!(
        prefixes.contains(&format!("{own}1").as_str()) && prefixes.contains(&format!("{own}2").as_str()),
        "{prefixes:?}"
    );
    // Another part of it.
    router.set(&[(&format!("{lan}ChildPrefixBits"), "0:0:0:20::/62")]).unwrap();
    network_has(&router, "option ip6assign '62'\n\toption ip6hint '20'");
    for (name, value) in
        [("ChildPrefixBits", "1::/64"), ("ChildPrefixBits", "::/80"), ("OnLink", "false"), ("Prefix", "2001:db8::/64")]
    {
        assert_eq!(router.refused(&[(&format!("{lan}{name}"), value)])[0].1, FaultCode(9007), "{name}={value}");
    }
    // What is not the ACS's is not the ACS's.
    assert_eq!(router.refused(&[("Device.IP.Interface.4.IPv6Prefix.1.Enable", "false")])[0].1, FaultCode(9008));
    assert_eq!(router.delete("Device.IP.Interface.4.IPv6Prefix.1.").unwrap_err().code, FaultCode(9005));
    // Off, and on again, under its number.
    router.set(&[(&format!("{lan}Enable"), "false")]).unwrap();
    network_lacks(&router, "ip6assign");
    router.restart();
    assert_eq!(row(&router, lan, &["Enable", "ChildPrefixBits", "ParentPrefix"]), ["false", "0:0:0:20::/62", parent]);
    router.set(&[(&format!("{lan}Enable"), "true")]).unwrap();
    network_has(&router, "option ip6assign '62'\n\toption ip6hint '20'");
    network_lacks(&router, "ip6class");
    router.delete(lan).unwrap();
    network_lacks(&router, "ip6assign");
    // The ISP has nothing now: the row waits.
    let dump = router.root.ubus("network.interface", "dump");
    router.root.set_ubus(
        "network.interface",
        "dump",
        None,
        &dump.replace("\"ipv6-prefix\":[{\"address\"", "\"ipv6-prefix\":[{\"was\""),
    );
    let wan = row(&router, "Device.IP.Interface.4.IPv6Prefix.1.", &["Prefix", "Status", "PrefixStatus"]);
    assert_eq!(wan, ["", "Disabled", "Invalid"]);
}

#[test]
fn prefixes_of_the_acs() {
    let router = Router::new();
    let guest = "Device.IP.Interface.5.";
    let number = router.add(&format!("{guest}IPv6Prefix.")).unwrap();
    let name = |name: &str| format!("{guest}IPv6Prefix.{number}.{name}");
    let parent = "Device.IP.Interface.4.IPv6Prefix.1";
    assert_eq!((router.get(&name("StaticType")), router.get(&name("Enable"))), ("Static".into(), "false".into()));
    router
        .set(&[
            (&name("StaticType"), "Child"),
            (&name("ParentPrefix"), parent),
            (&name("ChildPrefixBits"), "0:0:0:3::/64"),
        ])
        .unwrap();
    network_lacks(&router, "option ip6hint");
    router.set(&[(&name("Enable"), "true"), (&name("Alias"), "visitors")]).unwrap();
    network_has(&router, "list ipaddr '192.168.3.1/24'\n\toption ip6assign '64'\n\toption ip6hint '3'");
    router.restart();
    assert_eq!((router.get(&name("Alias")), router.get(&name("ParentPrefix"))), ("visitors".into(), parent.into()));
    // One child for each interface.
    let second = router.add(&format!("{guest}IPv6Prefix.")).unwrap();
    let second = |name: &str| format!("{guest}IPv6Prefix.{second}.{name}");
    let twice = [
        (second("StaticType"), "Child"),
        (second("ParentPrefix"), parent),
        (second("ChildPrefixBits"), "::/64"),
        (second("Enable"), "true"),
    ];
    let twice: Vec<(&str, &str)> = twice.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    assert_eq!(router.refused(&twice)[0].1, FaultCode(9007));
    // A prefix of the ISP that is always the same.
    router
        .set(&[
            (&second("Prefix"), "2001:db8:77::/56"),
            (&second("StaticType"), "PrefixDelegation"),
            (&second("Enable"), "true"),
        ])
        .unwrap();
    network_has(&router, "list ip6prefix '2001:db8:77::/56'");
    router.restart();
    assert_eq!(
        (router.get(&second("StaticType")), router.get(&second("Prefix"))),
        ("PrefixDelegation".into(), "2001:db8:77::/56".into())
    );
    router.set(&[(&second("Prefix"), "2001:db8:78::/56")]).unwrap();
    network_has(&router, "list ip6prefix '2001:db8:78::/56'");
    network_lacks(&router, "2001:db8:77");
    for prefix in ["ff00::/16", "2001:db8::/80", "::/0"] {
        assert_eq!(router.refused(&[(&second("Prefix"), prefix)])[0].1, FaultCode(9007), "{prefix}");
    }
    router.delete(&second("")).unwrap();
    network_lacks(&router, "ip6prefix");
    router.set(&[("Device.IP.ULAPrefix", "fd00:1::/48")]).unwrap();
    network_has(&router, "option ula_prefix 'fd00:1::/48'");
    assert_eq!(router.refused(&[("Device.IP.ULAPrefix", "2001:db8::/48")])[0].1, FaultCode(9007));
}

/// netifd looks at them where the protocol is `static`, and nowhere else.
#[test]
fn addresses_of_ipv6_need_a_protocol_that_takes_them() {
    let router = Router::new();
    let interface = router.add("Device.IP.Interface.").unwrap();
    let add = |interface: u32| {
        let table = format!("Device.IP.Interface.{interface}.IPv6Address.");
        format!("{table}{}.", router.add(&table).unwrap())
    };
    let set = |row: &str, address: &str| {
        router.set(&[(&format!("{row}IPAddress"), address), (&format!("{row}Enable"), "true")]).unwrap();
    };
    let new = add(interface);
    set(&new, "2001:db8:6::1");
    network_has(&router, "option proto 'static'\n\toption disabled '1'\n\tlist ip6addr '2001:db8:6::1/64'");
    router.set(&[(&format!("{new}Enable"), "false")]).unwrap();
    network_has(&router, "option proto 'none'\n\toption disabled '1'");
    // An interface that loses its IPv4 address stays static for that of IPv6.
    let guest = add(5);
    set(&guest, "2001:db8:5::1");
    router.set(&[("Device.IP.Interface.5.IPv4Address.1.Enable", "false")]).unwrap();
    network_has(&router, "option proto 'static'\n\tlist ip6addr '2001:db8:5::1/64'");
    // The way to the ISP has its addresses from there.
    let wan = add(3);
    let asked = [(format!("{wan}IPAddress"), "2001:db8:3::1"), (format!("{wan}Enable"), "true")];
    let asked: Vec<(&str, &str)> = asked.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    assert_eq!(router.refused(&asked)[0].1, FaultCode(9007));
    let prefix =
        format!("Device.IP.Interface.3.IPv6Prefix.{}.", router.add("Device.IP.Interface.3.IPv6Prefix.").unwrap());
    let asked = [(format!("{prefix}Prefix"), "2001:db8:3::/56"), (format!("{prefix}Enable"), "true")];
    let asked: Vec<(&str, &str)> = asked.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    assert_eq!(router.refused(&asked)[0].1, FaultCode(9007));
}

#[test]
fn ports_that_something_listens_on() {
    let router = Router::new();
    let any = "00000000";
    router.root.write(
        "/proc/net/tcp",
        format!("  sl  local_address rem_address   st\n   0: {any}:1D7B {any}:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 x\n"),
    );
    assert_eq!(
        row(&router, "Device.IP.ActivePort.4711.", &["LocalIPAddress", "LocalPort", "RemotePort", "Status"]),
        ["", "7547", "0", "LISTEN"]
    );
    assert_eq!(router.get("Device.IP.ActivePortNumberOfEntries"), "1");
}

/// What lies below an interface, down to the ground.
fn chain(router: &Router, top: &str) -> Vec<String> {
    let mut chain = vec![top.replace("Device.", "")];
    let mut path = String::from(top);
    loop {
        let below = router.get(&format!("{path}.LowerLayers"));
        let Some(first) = below.split(',').find(|path| !path.is_empty()) else { return chain };
        chain.push(first.replace("Device.", ""));
        path = first.into();
        assert!(chain.len() < 10, "{chain:?}");
    }
}

fn chains(router: &Router) -> Vec<String> {
    let names = column(router, "Device.IP.Interface.", "Name");
    names
        .iter()
        .map(|(number, name)| {
            format!("{name}: {}", chain(router, &format!("Device.IP.Interface.{number}")).join(" > "))
        })
        .collect()
}

#[test]
fn the_layers_of_routers_as_they_stand_in_homes() {
    const LAN: &str = "br-lan: IP.Interface.2 > Ethernet.Link.1 > Bridging.Bridge.1.Port.1 > Bridging.Bridge.1.Port.2 > Ethernet.Interface.1";
    let samples: &[(&str, &[&str])] = &[
        (
            "single-radio-dsa",
            &[
                LAN,
                "wan: IP.Interface.3 > Ethernet.Link.2 > Ethernet.Interface.3",
                "wan6: IP.Interface.4 > Ethernet.Link.2 > Ethernet.Interface.3",
            ],
        ),
        (
            "two-radio-pppoe",
            &[
                LAN,
                "pppoe-wan: IP.Interface.3 > PPP.Interface.1 > Ethernet.VLANTermination.1 > Ethernet.Link.2 > Ethernet.Interface.5",
                "wan: IP.Interface.4 > Ethernet.Link.2 > Ethernet.Interface.5",
            ],
        ),
        (
            "swconfig-vlan",
            &[
                "br-lan: IP.Interface.2 > Ethernet.Link.1 > Bridging.Bridge.1.Port.1 > Bridging.Bridge.1.Port.2 > Ethernet.VLANTermination.3 > Ethernet.Link.2 > Ethernet.Interface.1",
                "eth0.2: IP.Interface.3 > Ethernet.VLANTermination.1 > Ethernet.Link.2 > Ethernet.Interface.1",
                "wan6: IP.Interface.4 > Ethernet.VLANTermination.1 > Ethernet.Link.2 > Ethernet.Interface.1",
                "eth0.30: IP.Interface.5 > Ethernet.VLANTermination.2 > Ethernet.Link.2 > Ethernet.Interface.1",
            ],
        ),
        (
            "pd-guest",
            &[
                LAN,
                "br-guest: IP.Interface.3 > Ethernet.Link.2 > Bridging.Bridge.2.Port.1 > Bridging.Bridge.2.Port.2 > WiFi.SSID.2 > WiFi.Radio.1",
                "wan: IP.Interface.4 > Ethernet.Link.3 > Ethernet.Interface.4",
                "wan6: IP.Interface.5 > Ethernet.Link.3 > Ethernet.Interface.4",
            ],
        ),
        ("lte", &[LAN, "wwan0: IP.Interface.3 > Cellular.Interface.1"]),
        (
            "access-point",
            &[
                LAN,
                "lan6: IP.Interface.3 > Ethernet.Link.1 > Bridging.Bridge.1.Port.1 > Bridging.Bridge.1.Port.2 > Ethernet.Interface.1",
            ],
        ),
    ];
    for (name, expected) in samples {
        let router = Router::on(root::RouterRoot::sample(name));
        let mut all = vec!["lo: IP.Interface.1"];
        all.extend(*expected);
        assert_eq!(chains(&router), all, "{name}");
    }
}

/// What the protocol of an interface has got for IPv6 is on an interface of its own in netifd, and on the one that UCI knows in TR-181.
#[test]
fn the_ipv6_of_pppoe_and_of_a_modem() {
    let router = Router::on(root::RouterRoot::sample("two-radio-pppoe"));
    let child = row(&router, "Device.IP.Interface.2.IPv6Prefix.1.", &["Prefix", "ParentPrefix"]);
    assert_eq!(child, ["2001:db8:7700:1200::/64", "Device.IP.Interface.3.IPv6Prefix.1"]);
    let parent = row(&router, "Device.IP.Interface.3.IPv6Prefix.1.", &["Prefix", "Origin", "Status"]);
    assert_eq!(parent, ["2001:db8:7700:1200::/56", "PrefixDelegation", "Enabled"]);
    let address = row(&router, "Device.IP.Interface.3.IPv6Address.2.", &["IPAddress", "Origin"]);
    assert_eq!(address, ["2001:db8:77ff::2", "DHCPv6"]);
    let router = Router::on(root::RouterRoot::sample("lte"));
    let address = row(
        &router,
        "Device.IP.Interface.3.",
        &["IPv4Address.1.IPAddress", "IPv6Address.1.IPAddress", "IPv6Address.1.Origin"],
    );
    assert_eq!(address, ["100.71.12.6", "2001:db8:4e:7::ac1", "AutoConfigured"]);
    assert_eq!(router.get("Device.IP.Interface.2.IPv6Prefix.1.ParentPrefix"), "Device.IP.Interface.3.IPv6Prefix.1");
}
