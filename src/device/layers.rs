//! What stands on what: the devices of `/etc/config/network` and the rows that they are.
//!
//! ```text
//!   IP.Interface --> PPP.Interface --> Ethernet.VLANTermination --> Ethernet.Link --> Bridging.Bridge.Port (management)
//!                                                                        |                     |
//!                                                                        v                     v
//!                                                     Ethernet.Interface, WiFi.SSID <-- Bridging.Bridge.Port
//! ```
//!
//! A logical interface names the device that it is on. `eth0.7` is a VLAN on `eth0` whether or not a `config device` says so.

use std::rc::Rc;

use super::{ethernet, ip, net, wifi};
use crate::error::{Fault, Result};
use crate::model::access::uci_truth;
use crate::model::context::{Context, Row};
use crate::platform::uci::SectionId;
use crate::sorted::Map;

/// The UCI package.
pub const PACKAGE: &str = "network";

/// A `config device`.
#[derive(Clone, Debug)]
pub struct Device {
    /// Its section.
    pub id: SectionId,
    /// The name of the network device.
    pub name: String,
    /// `bridge`, `8021q`, `8021ad`, ...; empty for settings of a device that is there by itself.
    pub kind: String,
    /// The device below, of a VLAN.
    pub below: String,
    /// The VLAN, where it says one.
    pub vlan: Option<u16>,
    /// The ports, of a bridge.
    pub ports: Vec<String>,
}

/// A `config interface`.
#[derive(Clone, Debug)]
pub struct Interface {
    /// Its section.
    pub id: SectionId,
    /// Its name.
    pub name: String,
    /// Its protocol; `none` where it says none.
    pub proto: String,
    /// What it is on: a device, `@` and another interface, the path of a modem, or nothing.
    pub device: String,
}

/// What `/etc/config/network` says of devices and interfaces, in the order of the file.
#[derive(Clone, Debug, Default)]
pub struct Network {
    /// Every `config device` with a name.
    pub devices: Vec<Device>,
    /// Every `config interface` with a name.
    pub interfaces: Vec<Interface>,
}

/// A VLAN on another device.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Vlan {
    /// The device below; empty where there is none yet.
    pub below: String,
    /// 1 to 4094; 0 where there is none yet.
    pub id: u16,
    /// Whether it is an outer VLAN of a provider (802.1ad).
    pub provider: bool,
}

impl Network {
    /// The `config device` of a device.
    #[must_use]
    pub fn device(&self, name: &str) -> Option<&Device> {
        self.devices.iter().find(|device| device.name == name)
    }

    /// A bridge.
    #[must_use]
    pub fn bridge(&self, name: &str) -> Option<&Device> {
        self.device(name).filter(|device| device.kind == "bridge")
    }

    /// The bridge that a device is a port of.
    #[must_use]
    pub fn bridge_of(&self, port: &str) -> Option<&Device> {
        let mut bridges = self.devices.iter().filter(|device| device.kind == "bridge");
        bridges.find(|bridge| bridge.ports.iter().any(|name| name == port))
    }

    /// What a device is a VLAN of, if it is one.
    #[must_use]
    pub fn vlan(&self, name: &str) -> Option<Vlan> {
        let device = self.device(name);
        match device.map_or("", |device| device.kind.as_str()) {
            kind @ ("8021q" | "8021ad") => device.map(|device| Vlan {
                below: device.below.clone(),
                id: device.vlan.unwrap_or(0),
                provider: kind == "8021ad",
            }),
            "" => {
                let (below, id) = name.rsplit_once('.')?;
                let id = id.parse().ok().filter(|id| (1..=4094).contains(id))?;
                let below = String::from(below);
                net::is_device_name(&below).then_some(Vlan { below, id, provider: false })
            }
            _ => None,
        }
    }

    /// A device and those below it while it is a VLAN; the last one is none.
    fn down(&self, name: &str) -> Vec<String> {
        let mut chain = vec![String::from(name)];
        // Nobody stacks more of them; a loop in the file ends here.
        while let (Some(vlan), true) = (chain.last().and_then(|name| self.vlan(name)), chain.len() < 4) {
            if vlan.below.is_empty() {
                break;
            }
            chain.push(vlan.below);
        }
        chain
    }

    /// The interface of this name.
    #[must_use]
    pub fn interface(&self, name: &str) -> Option<&Interface> {
        self.interfaces.iter().find(|interface| interface.name == name)
    }

    /// The interface whose device counts for an interface: the one that `@` names, or itself.
    #[must_use]
    pub fn behind_alias<'a>(&'a self, interface: &'a Interface) -> &'a Interface {
        let mut found = interface;
        for _ in 0..4 {
            match found.device.strip_prefix('@').and_then(|name| self.interface(name)) {
                Some(other) => found = other,
                None => break,
            }
        }
        found
    }

    /// The devices that logical interfaces and bridges use, and those that the file defines.
    fn used(&self) -> impl Iterator<Item = &str> {
        let interfaces = self.interfaces.iter().filter(|interface| !is_cellular(&interface.proto));
        let vlans = self.devices.iter().filter(|device| matches!(device.kind.as_str(), "8021q" | "8021ad"));
        let bridges = self.devices.iter().filter(|device| device.kind == "bridge");
        interfaces
            .map(|interface| interface.device.as_str())
            .chain(vlans.map(|device| device.name.as_str()))
            .chain(
                bridges.flat_map(|bridge| {
                    bridge.ports.iter().map(String::as_str).filter(|port| self.vlan(port).is_some())
                }),
            )
            .filter(|name| net::is_device_name(name) && *name != "lo")
    }

    /// Every VLAN, in the order of the file.
    #[must_use]
    pub fn vlans(&self) -> Vec<String> {
        let mut vlans = Vec::new();
        for name in self.used() {
            for device in self.down(name) {
                if self.vlan(&device).is_some() && !vlans.contains(&device) {
                    vlans.push(device);
                }
            }
        }
        vlans
    }

    /// Every device that an interface or a VLAN stands on, and that is no VLAN itself, in the order of the file.
    #[must_use]
    pub fn bases(&self) -> Vec<String> {
        let mut bases = Vec::new();
        for name in self.used() {
            if let Some(base) = self.down(name).pop().filter(|base| self.vlan(base).is_none() && !bases.contains(base))
            {
                bases.push(base);
            }
        }
        bases
    }
}

/// Whether a protocol of netifd is PPP.
#[must_use]
pub fn is_ppp(proto: &str) -> bool {
    matches!(proto, "ppp" | "pppoe" | "pppoa" | "pptp" | "l2tp" | "3g")
}

/// Whether a protocol of netifd goes over a modem of a mobile network.
#[must_use]
pub fn is_cellular(proto: &str) -> bool {
    matches!(proto, "qmi" | "mbim" | "ncm" | "modemmanager" | "3g" | "directip" | "hnet")
}

/// `/etc/config/network`, read once a request.
///
/// # Errors
/// When the file is there and cannot be read.
pub fn network(cx: &mut Context) -> Result<Rc<Network>> {
    cx.memo("network layers", |cx| {
        let mut network = Network::default();
        for section in cx.package(PACKAGE)?.sections() {
            let text = |option: &str| String::from(section.get(option).unwrap_or_default());
            match section.kind() {
                "device" if section.get("name").is_some() => network.devices.push(Device {
                    id: section.id(),
                    name: text("name"),
                    kind: text("type"),
                    below: text("ifname"),
                    vlan: text("vid").parse().ok().filter(|id| (1..=4094).contains(id)),
                    ports: words(&section.list("ports")),
                }),
                "interface" => {
                    let Some(name) = section.name() else { continue };
                    network.interfaces.push(Interface {
                        id: section.id(),
                        name: String::from(name),
                        proto: String::from(section.get("proto").unwrap_or("none")),
                        // `ifname` is how it was called before OpenWrt 21.02.
                        device: String::from(
                            section.get("device").or_else(|| section.get("ifname")).unwrap_or_default(),
                        ),
                    });
                }
                _ => {}
            }
        }
        Ok(network)
    })
}

fn words(items: &[&str]) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in items.iter().flat_map(|item| item.split_ascii_whitespace()) {
        if !words.iter().any(|known| known == word) {
            words.push(String::from(word));
        }
    }
    words
}

/// The row that an IP or PPP interface on a device stands on: a VLAN termination or a link.
pub fn path_of(cx: &mut Context, device: &str) -> Option<String> {
    let table = if network(cx).ok()?.vlan(device).is_some() { ethernet::VLANS } else { ethernet::LINKS };
    cx.path_of_key(table, device)
}

/// The row that a device is for a bridge or a link on it: a VLAN termination, a port of the board, or an SSID.
pub fn path_below(cx: &mut Context, device: &str) -> Option<String> {
    if network(cx).ok()?.vlan(device).is_some() {
        return cx.path_of_key(ethernet::VLANS, device);
    }
    match cx.path_of_key(ethernet::INTERFACES, device) {
        Some(path) => Some(path),
        None => ssids(cx).get(device).cloned(),
    }
}

/// The device of a row that an interface can stand on; `None` for a row of another table, or one without a device.
pub fn device_of_path(cx: &mut Context, path: &str) -> Option<String> {
    for table in [ethernet::LINKS, ethernet::VLANS, ethernet::INTERFACES] {
        if let Some(row) = cx.row_of_path(table, path) {
            return cx.key(&row).ok().filter(|key| net::is_device_name(key));
        }
    }
    None
}

/// The paths of the SSIDs that are up, by network device.
pub fn ssids(cx: &mut Context) -> Rc<Map<String, String>> {
    cx.memo("SSIDs by device", |cx| {
        let mut found = Map::new();
        if let Some(node) = cx.schema().find("Device.WiFi.SSID.") {
            for row in cx.all_rows(node)? {
                if let Some(device) = wifi::device_of(cx, &row) {
                    found.insert(device, cx.path_of(&row));
                }
            }
        }
        Ok(found)
    })
    .unwrap_or_default()
}

/// Sets an option of a section of `/etc/config/network`, or takes it away.
///
/// # Errors
/// When the file cannot be read, or UCI cannot hold the value.
pub fn set(cx: &mut Context, id: SectionId, option: &str, value: Option<&str>) -> Result<(), Fault> {
    let package = cx.package_mut(PACKAGE)?;
    match value.filter(|value| !value.is_empty()) {
        Some(value) => package.set(id, option, value).map(drop).map_err(|error| Fault::value(error.to_string())),
        None => {
            package.remove(id, option);
            Ok(())
        }
    }
}

/// Sets a list of a section of `/etc/config/network`; an empty one is taken away.
///
/// # Errors
/// As [`set`].
pub fn set_list(cx: &mut Context, id: SectionId, option: &str, items: &[String]) -> Result<(), Fault> {
    if items.is_empty() {
        return set(cx, id, option, None);
    }
    let items: Vec<&str> = items.iter().map(String::as_str).collect();
    let package = cx.package_mut(PACKAGE)?;
    package.set_list(id, option, &items).map(drop).map_err(|error| Fault::value(error.to_string()))
}

/// Writes another device wherever one is named: in interfaces, ports of bridges and their VLANs, VLANs on it, and its own settings where
/// `settings` says so. `None` takes the name away.
///
/// # Errors
/// As [`set`]; 9001 when the ACS is reached through an interface that would lose its device.
pub fn replace_device(cx: &mut Context, old: &str, new: Option<&str>, settings: bool) -> Result<(), Fault> {
    let network = network(cx)?;
    for interface in network.interfaces.iter().filter(|interface| interface.device == old) {
        if new.is_none() {
            keep_way(cx, &interface.name)?;
        }
        set(cx, interface.id, "ifname", None)?;
        set(cx, interface.id, "device", new)?;
    }
    for device in &network.devices {
        if device.ports.iter().any(|port| port == old) {
            let ports = device.ports.iter().filter(|port| *port != old).cloned();
            let mut ports: Vec<String> = ports.collect();
            ports.extend(new.map(String::from));
            set_list(cx, device.id, "ports", &ports)?;
        }
        if device.below == old && device.kind != "bridge" {
            set(cx, device.id, "ifname", new)?;
        }
        if device.name == old && settings {
            match new {
                Some(new) => set(cx, device.id, "name", Some(new))?,
                None => {
                    cx.package_mut(PACKAGE)?.remove_section(device.id);
                }
            }
        }
    }
    replace_vlan_ports(cx, old, new)
}

/// Writes another device wherever one is a port of a VLAN of a bridge.
///
/// # Errors
/// As [`set`].
pub fn replace_vlan_ports(cx: &mut Context, old: &str, new: Option<&str>) -> Result<(), Fault> {
    let mut changed = Vec::new();
    for section in cx.package(PACKAGE)?.sections().filter(|section| section.kind() == "bridge-vlan") {
        let ports = words(&section.list("ports"));
        if ports.iter().any(|port| port_name(port) == old) {
            let port = |port: &String| match port.strip_prefix(old) {
                Some(flags) if port_name(port) == old => new.map(|new| format!("{new}{flags}")),
                _ => Some(port.clone()),
            };
            changed.push((section.id(), ports.iter().filter_map(port).collect::<Vec<_>>()));
        }
    }
    changed.into_iter().try_for_each(|(id, ports)| set_list(cx, id, "ports", &ports))
}

/// The device of a port of a bridge's VLAN, such as `lan1` of `lan1:u*`.
#[must_use]
pub fn port_name(port: &str) -> &str {
    port.split(':').next().unwrap_or_default()
}

/// The logical interface to the ACS (`cwmpd.cpe.interface`).
///
/// # Errors
/// When `/etc/config/cwmpd` cannot be read.
pub fn way(cx: &mut Context) -> Result<String> {
    let cpe = cx.package("cwmpd")?.find("cpe");
    Ok(cpe.and_then(|cpe| cpe.get("interface")).filter(|name| !name.is_empty()).unwrap_or("wan").into())
}

/// Refuses what would take the way to the ACS away.
///
/// # Errors
/// 9001 when the ACS is reached through the interface.
pub fn keep_way(cx: &mut Context, interface: &str) -> Result<(), Fault> {
    if interface == way(cx)? {
        return Err(Fault::new(crate::error::FaultCode::REQUEST_DENIED, "the ACS is reached through this interface"));
    }
    Ok(())
}

/// One option that switches off more than one row, such as an IP interface and the PPP interface below it. Each row has an `Enable` of its own; the
/// option says whether all of them are enabled, and while it says no, the agent's own state has those that are not.
#[derive(Clone, Debug)]
pub struct Switch {
    /// The section; `None` where it is to be made when it is written.
    id: Option<SectionId>,
    /// A name for it that stays the same: of the section or of the device.
    name: String,
    option: &'static str,
    /// What the option says when something is off.
    off: &'static str,
    /// The rows.
    parts: &'static [&'static str],
}

impl Switch {
    fn own_name(&self) -> String {
        format!("{PACKAGE}.{}.off", self.name)
    }

    fn off_parts(&self, cx: &mut Context) -> Result<Vec<&'static str>> {
        let Some(id) = self.id else { return Ok(Vec::new()) };
        let section = cx.package(PACKAGE)?.section(id);
        let says = section.and_then(|section| section.get(self.option)).and_then(uci_truth);
        if says != uci_truth(self.off) {
            return Ok(Vec::new());
        }
        let kept = cx.own(&self.own_name()).unwrap_or_default();
        let off: Vec<_> = self.parts.iter().copied().filter(|part| kept.split(' ').any(|word| word == *part)).collect();
        // Somebody else has switched it off, and knows nothing of parts.
        Ok(if off.is_empty() { self.parts.to_vec() } else { off })
    }

    /// Whether everything is enabled.
    ///
    /// # Errors
    /// When `/etc/config/network` cannot be read.
    pub fn is_on(&self, cx: &mut Context) -> Result<bool> {
        Ok(self.off_parts(cx)?.is_empty())
    }

    /// Whether a row is enabled.
    ///
    /// # Errors
    /// When `/etc/config/network` cannot be read.
    pub fn is_enabled(&self, cx: &mut Context, part: &str) -> Result<bool> {
        Ok(!self.off_parts(cx)?.contains(&part))
    }

    /// Enables a row, or disables it.
    ///
    /// # Errors
    /// As [`set`].
    pub fn set(&self, cx: &mut Context, part: &'static str, on: bool) -> Result<(), Fault> {
        let mut off = self.off_parts(cx)?;
        if off.contains(&part) != on {
            return Ok(());
        }
        if on {
            off.retain(|known| *known != part);
        } else {
            off.push(part);
        }
        let id = match (self.id, self.name.strip_prefix(DEVICE)) {
            (Some(id), _) => id,
            (None, Some(device)) => cx.add_section(PACKAGE, "device", &[("name", device)])?.0,
            (None, None) => return Err(Fault::internal("a switch without a section")),
        };
        set(cx, id, self.option, (!off.is_empty()).then_some(self.off))?;
        let some = !off.is_empty() && off.len() < self.parts.len();
        cx.set_own(&self.own_name(), some.then(|| off.join(" ")).as_deref());
        Ok(())
    }

    /// Forgets what the agent has kept, when the section goes.
    pub fn forget(&self, cx: &mut Context) {
        let name = self.own_name();
        if cx.own(&name).is_some() {
            cx.set_own(&name, None);
        }
    }
}

/// The part of a [`Switch`] that is off while the ACS has switched IPv6 off.
pub const IPV6: &str = "ipv6";

/// What the name of a [`Switch`] of a device begins with.
const DEVICE: &str = "device.";

/// The `disabled` of a `config interface`: of the IP interface (`ip`), and of what it is on (`ppp`, `cellular`, `access_point`).
///
/// # Errors
/// When the section is not there (any more).
pub fn interface_switch(cx: &mut Context, row: &Row) -> Result<Switch> {
    let section = cx.section(row)?;
    let (id, proto) = (section.id(), String::from(section.get("proto").unwrap_or_default()));
    let name = cx.key(row)?;
    Ok(switch_of_interface(cx, id, name, &proto))
}

/// The same by the name and protocol of the section. While the ACS has switched IPv6 off, what brings nothing else has one more part for that.
#[must_use]
pub fn switch_of_interface(cx: &Context, id: SectionId, name: String, proto: &str) -> Switch {
    let parts: &[&str] = match proto {
        "3g" => &["ip", "ppp", "cellular", "access_point"],
        proto if is_ppp(proto) => &["ip", "ppp"],
        proto if is_cellular(proto) => &["ip", "cellular", "access_point"],
        proto if ip::interface::is_ipv6(proto) && ip::ipv6_switched_off(cx) => &["ip", IPV6],
        _ => &["ip"],
    };
    Switch { id: Some(id), name, option: "disabled", off: "1", parts }
}

/// The `enabled` of a `config device`: of a link (`link`) and of the bridge that it is on (`bridge`), or of a VLAN (`vlan`).
///
/// # Errors
/// When `/etc/config/network` cannot be read.
pub fn device_switch(cx: &mut Context, device: &str) -> Result<Switch> {
    let network = network(cx)?;
    let parts: &[&str] = match (network.bridge(device), network.vlan(device)) {
        (Some(_), _) if ethernet::has_link(cx, &network, device) => &["link", "bridge"],
        (Some(_), _) => &["bridge"],
        (None, Some(_)) => &["vlan"],
        (None, None) => &["link"],
    };
    let id = network.device(device).map(|device| device.id);
    Ok(Switch { id, name: format!("{DEVICE}{device}"), option: "enabled", off: "0", parts })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::uci::Package;

    fn network_of(text: &str) -> Network {
        let package = Package::parse(PACKAGE, text.as_bytes());
        let mut network = Network::default();
        for section in package.sections() {
            let text = |option: &str| String::from(section.get(option).unwrap_or_default());
            if section.kind() == "device" {
                let vlan = text("vid").parse().ok();
                let (name, kind, below) = (text("name"), text("type"), text("ifname"));
                let ports = words(&section.list("ports"));
                network.devices.push(Device { id: section.id(), name, kind, below, vlan, ports });
            } else {
                let name = section.name().map(String::from).unwrap_or_default();
                network.interfaces.push(Interface {
                    id: section.id(),
                    name,
                    proto: text("proto"),
                    device: text("device"),
                });
            }
        }
        network
    }

    #[test]
    fn vlans_and_what_they_stand_on() {
        let network = network_of(
            "config device\n option name 'br-lan'\n option type 'bridge'\n list ports 'eth0.1 lan2'\n\n\
             config device\n option name 'iptv'\n option type '8021ad'\n option ifname 'wan'\n option vid '40'\n\n\
             config device\n option name 'br.odd.5'\n option type 'bridge'\n\n\
             config interface 'lan'\n option device 'br-lan'\n\n\
             config interface 'wan'\n option proto 'pppoe'\n option device 'wan.7'\n\n\
             config interface 'deep'\n option device 'wan.7.8'\n\n\
             config interface 'six'\n option device '@wan'\n\n\
             config interface 'odd'\n option device 'br.odd.5'\n\n\
             config interface 'modem'\n option proto 'qmi'\n option device '/dev/cdc-wdm0'\n\n\
             config interface 'loopback'\n option device 'lo'\n",
        );
        assert_eq!(network.vlans(), ["wan.7", "wan.7.8", "iptv", "eth0.1"]);
        assert_eq!(network.bases(), ["br-lan", "wan", "br.odd.5", "eth0"]);
        assert_eq!(network.vlan("iptv"), Some(Vlan { below: "wan".into(), id: 40, provider: true }));
        assert_eq!(network.vlan("wan.7.8").map(|vlan| vlan.below), Some("wan.7".into()));
        assert_eq!((network.vlan("wan.5000"), network.vlan("wan.0"), network.vlan(".5")), (None, None, None));
        assert_eq!(network.bridge_of("lan2").map(|bridge| bridge.name.as_str()), Some("br-lan"));
        let six = network.interface("six").unwrap();
        assert_eq!(network.behind_alias(six).name, "wan");
    }

    #[test]
    fn loops_in_the_file_end() {
        let network = network_of(
            "config device\n option name 'a'\n option type '8021q'\n option ifname 'b'\n option vid '1'\n\n\
             config device\n option name 'b'\n option type '8021q'\n option ifname 'a'\n option vid '2'\n\n\
             config interface 'x'\n option device '@y'\n\n\
             config interface 'y'\n option device '@x'\n",
        );
        assert_eq!(network.vlans(), ["a", "b"]);
        assert!(network.bases().is_empty());
        let x = network.interface("x").unwrap();
        assert!(["x", "y"].contains(&network.behind_alias(x).name.as_str()));
    }
}
