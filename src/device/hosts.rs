//! `Device.Hosts.`: who is, or was, on the LAN. A host is known by its MAC address.
//!
//! It is put together from the leases of dnsmasq and odhcpd, the kernel's neighbours, and the forwarding tables of the bridges. The neighbours of
//! IPv6 are in no file, so that a program has to say them; for all others there are the ubus calls that other tables need too.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::rc::Rc;

use serde_json::{Value as Json, json};

use super::{dhcpv4, net};
use crate::error::Result;
use crate::model::access::truth;
use crate::model::context::{Context, Row};
use crate::model::format::{IP_ADDRESS, IPV4_ADDRESS, IPV6_ADDRESS, is_mac};
use crate::model::schema::{Object, Rows, Table, Text, alias, always, count, get, ro};
use crate::model::value::{BOOLEAN, HEX_BINARY, INT, STRING, Type, UNSIGNED_INT};
use crate::sorted::Map;

/// What says who the neighbours of IPv6 are.
const NEIGHBOURS: [&str; 4] = ["/sbin/ip", "-6", "neigh", "show"];

/// How many hosts are shown.
const MOST: usize = 10_240;

const REFERENCE: Type = STRING.strong(&[]).lengths(&[(0, 256)]);

/// TR-181 2.17 Device.Hosts.
pub static HOSTS: Object = Object::single("Device.Hosts.", &[ro("HostNumberOfEntries", UNSIGNED_INT, count("Host"))]);

/// TR-181 2.17 Device.Hosts.Host.{i}.
pub static HOST: Object = Object::table(
    "Device.Hosts.Host.{i}.",
    Table::new(Rows::Keys(|cx, _| Ok(hosts(cx)?.0.keys().cloned().collect()))).keys(&[always(&["PhysAddress"])]),
    &[
        alias(),
        ro("PhysAddress", STRING.lengths(&[(0, 64)]), get(|cx, row| Ok(Text::Owned(cx.key(row)?)))),
        ro("IPAddress", IP_ADDRESS, get(|cx, row| host(cx, row, |host| host.address()))),
        ro(
            "AddressSource",
            STRING.values(&["DHCP", "Static", "AutoIP", "None"]),
            get(|cx, row| host(cx, row, |host| String::from(host.source()))),
        ),
        ro("DHCPClient", STRING.strong(&[]).list_within((0, 2), u32::MAX), get(dhcp_client)),
        ro("LeaseTimeRemaining", INT.ranges(&[(-1, i64::MAX)]), get(lease_time)),
        ro("AssociatedDevice", REFERENCE, get(associated_device)),
        ro("Layer1Interface", REFERENCE, get(layer_1)),
        ro("Layer3Interface", STRING.strong(&["Device.IP.Interface."]).lengths(&[(0, 256)]), get(layer_3)),
        ro(
            "InterfaceType",
            STRING.values(&["Ethernet", "G.hn", "HPNA", "HomePlug", "MoCA", "UPA", "Wi-Fi", "Other"]),
            get(interface_type),
        ),
        ro("ClientID", HEX_BINARY.lengths(&[(0, 65535)]), get(|cx, row| host(cx, row, |host| host.client_id.clone()))),
        ro("HostName", STRING.lengths(&[(0, 64)]), get(|cx, row| host(cx, row, |host| host.name.clone()))),
        ro("Active", BOOLEAN, get(active)),
        ro("IPv4AddressNumberOfEntries", UNSIGNED_INT, count("IPv4Address")),
        ro("IPv6AddressNumberOfEntries", UNSIGNED_INT, count("IPv6Address")),
    ],
);

/// TR-181 2.17 Device.Hosts.Host.{i}.IPv4Address.{i}.
pub static IPV4_ADDRESS_TABLE: Object = Object::table(
    "Device.Hosts.Host.{i}.IPv4Address.{i}.",
    Table::new(Rows::Keys(|cx, row| addresses(cx, row, false))).keys(&[always(&["IPAddress"])]),
    &[ro("IPAddress", IPV4_ADDRESS, get(|cx, row| Ok(Text::Owned(cx.key(row)?))))],
);

/// TR-181 2.17 Device.Hosts.Host.{i}.IPv6Address.{i}.
pub static IPV6_ADDRESS_TABLE: Object = Object::table(
    "Device.Hosts.Host.{i}.IPv6Address.{i}.",
    Table::new(Rows::Keys(|cx, row| addresses(cx, row, true))).keys(&[always(&["IPAddress"])]),
    &[ro("IPAddress", IPV6_ADDRESS, get(|cx, row| Ok(Text::Owned(cx.key(row)?))))],
);

/// The objects of this file.
pub static OBJECTS: &[&Object] = &[&HOSTS, &HOST, &IPV4_ADDRESS_TABLE, &IPV6_ADDRESS_TABLE];

/// What is known of a host.
#[derive(Clone, Default, Debug)]
struct Host {
    addresses: Vec<IpAddr>,
    name: String,
    /// Hexadecimal digits (DHCP option 61).
    client_id: String,
    /// Whether the kernel or a bridge has met it lately.
    active: bool,
    leased: bool,
    /// Seconds since 1970; `None` for ever.
    lease_end: Option<i64>,
    /// The device that its packets come in by, such as `br-lan`.
    device: String,
    /// The port of the bridge, such as `lan1` or `phy0-ap0`.
    port: String,
}

impl Host {
    fn address(&self) -> String {
        let four = self.addresses.iter().find(|address| address.is_ipv4());
        four.or(self.addresses.first()).map(IpAddr::to_string).unwrap_or_default()
    }

    fn source(&self) -> &'static str {
        let own = |address: &IpAddr| matches!(address, IpAddr::V4(address) if address.is_link_local());
        match (self.leased, self.addresses.first()) {
            (true, _) => "DHCP",
            (false, None) => "None",
            (false, Some(address)) if own(address) => "AutoIP",
            (false, Some(_)) => "Static",
        }
    }

    fn add(&mut self, address: IpAddr) {
        if !self.addresses.contains(&address) {
            self.addresses.push(address);
        }
    }
}

/// All hosts, by MAC address in lower case: a tree, because thousands come one by one in no order.
#[derive(Default)]
struct Hosts(BTreeMap<String, Host>);

impl Hosts {
    fn of(&mut self, mac: &str) -> Option<&mut Host> {
        let known = is_mac(mac) && (self.0.len() < MOST || self.0.contains_key(&mac.to_ascii_lowercase()));
        (known && mac != "00:00:00:00:00:00").then(|| self.0.entry(mac.to_ascii_lowercase()).or_default())
    }
}

fn hosts(cx: &mut Context) -> Result<Rc<Hosts>> {
    cx.memo("hosts", |cx| {
        let mut hosts = Hosts::default();
        let upstream = upstream_devices(cx);
        dhcp_leases(cx, &mut hosts);
        odhcpd_leases(cx, &mut hosts);
        neighbours(cx, &mut hosts, &upstream);
        ipv6_neighbours(cx, &mut hosts, &upstream);
        forwarding(cx, &mut hosts);
        Ok(hosts)
    })
}

/// The devices towards the provider, whose neighbours are none of ours: those with a default route.
fn upstream_devices(cx: &mut Context) -> Vec<String> {
    let Ok(interfaces) = net::interfaces(cx) else { return Vec::new() };
    let default = |route: &Json| {
        matches!(net::text(route, "target"), Some("0.0.0.0" | "::"))
            && route.get("mask").and_then(Json::as_u64) == Some(0)
    };
    let upstream = interfaces.iter().filter(|(_, state)| net::items(state, "route").iter().any(default));
    upstream.filter_map(|(_, state)| net::text(state, "l3_device").map(String::from)).collect()
}

fn dhcp_leases(cx: &mut Context, hosts: &mut Hosts) {
    let Ok(leases) = dhcpv4::leases(cx) else { return };
    for lease in leases.iter() {
        let Some(host) = hosts.of(&lease.mac) else { continue };
        host.add(IpAddr::V4(lease.address));
        (host.leased, host.lease_end) = (true, lease.end);
        if !lease.name.is_empty() {
            host.name = lease.name.chars().take(64).collect();
        }
        let id = lease.client_id.replace(':', "");
        if id.len() % 2 == 0 && id.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            host.client_id = id;
        }
    }
}

/// The leases of odhcpd name hosts by DUID, which mostly ends in the MAC address; or they have the name of a host that is known.
fn odhcpd_leases(cx: &mut Context, hosts: &mut Hosts) {
    let by_name: Map<String, String> = hosts
        .0
        .iter()
        .map(|(mac, host)| (host.name.clone(), mac.clone()))
        .filter(|(name, _)| !name.is_empty())
        .collect();
    let reply = cx.ubus("dhcp", "ipv6leases", &json!({})).unwrap_or_default();
    for (device, leases) in reply.get("device").and_then(Json::as_object).into_iter().flatten() {
        for lease in net::items(leases, "leases") {
            let name = net::text(lease, "hostname").unwrap_or_default();
            let mac = mac_of_duid(net::text(lease, "duid").unwrap_or_default());
            let Some(host) = mac.as_ref().or(by_name.get(name)).and_then(|mac| hosts.of(mac)) else { continue };
            if host.device.is_empty() {
                host.device.clone_from(device);
            }
            if host.name.is_empty() {
                host.name = name.chars().take(64).collect();
            }
            for address in net::items(lease, "ipv6-addr").iter().filter_map(|address| net::text(address, "address")) {
                if let Ok(address) = address.parse() {
                    host.add(address);
                }
            }
        }
    }
}

/// DUID types 1 and 3 (RFC 8415 11.2, 11.4) with Ethernet as the hardware end in the MAC address.
fn mac_of_duid(duid: &str) -> Option<String> {
    let has_mac =
        (duid.len() == 28 && duid.starts_with("00010001")) || (duid.len() == 20 && duid.starts_with("00030001"));
    let digits = duid.get(duid.len().checked_sub(12)?..).filter(|_| has_mac)?;
    let pairs: Option<Vec<&str>> = (0..6).map(|i| digits.get(2 * i..2 * i + 2)).collect();
    Some(pairs?.join(":")).filter(|mac| is_mac(mac))
}

/// `/proc/net/arp`: address, type, flags (0x2: known), MAC address, mask, device.
fn neighbours(cx: &mut Context, hosts: &mut Hosts, upstream: &[String]) {
    let Ok(table) = cx.file("/proc/net/arp") else { return };
    for line in table.lines().skip(1) {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let [address, _, flags, mac, _, device] = fields.as_slice() else { continue };
        if upstream.iter().any(|name| name == device) {
            continue;
        }
        let known = u32::from_str_radix(flags.trim_start_matches("0x"), 16).is_ok_and(|flags| flags & 2 != 0);
        let Ok(address) = address.parse::<Ipv4Addr>() else { continue };
        if let Some(host) = hosts.of(mac) {
            host.add(IpAddr::V4(address));
            host.active |= known;
            host.device = String::from(*device);
        }
    }
}

/// `ADDRESS dev DEVICE lladdr MAC STATE`: most hosts make their IPv6 addresses themselves, and no lease tells of those.
fn ipv6_neighbours(cx: &mut Context, hosts: &mut Hosts, upstream: &[String]) {
    let Ok(table) = cx.program(&NEIGHBOURS) else { return };
    for line in table.lines() {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let after = |word: &str| fields.iter().copied().skip_while(|field| *field != word).nth(1);
        let address = fields.first().and_then(|address| address.parse::<Ipv6Addr>().ok());
        let (Some(address), Some(device), Some(mac)) = (address, after("dev"), after("lladdr")) else { continue };
        if upstream.iter().any(|name| name == device) {
            continue;
        }
        let known = fields
            .last()
            .is_some_and(|state| matches!(*state, "REACHABLE" | "STALE" | "DELAY" | "PROBE" | "PERMANENT"));
        // An address of the link is no news of a host, but that it is there.
        let of_link = address.is_unicast_link_local();
        let host = if of_link { hosts.0.get_mut(&mac.to_ascii_lowercase()) } else { hosts.of(mac) };
        let Some(host) = host else { continue };
        if !of_link {
            host.add(IpAddr::V6(address));
        }
        host.active |= known;
        if host.device.is_empty() {
            host.device = String::from(device);
        }
    }
}

/// `/sys/class/net/BRIDGE/brforward`: 16 bytes an entry, with the MAC address, the number of the port, and whether it is the bridge's own.
fn forwarding(cx: &mut Context, hosts: &mut Hosts) {
    /// 65,536 entries.
    const LIMIT: usize = 1 << 20;
    for bridge in cx.directory("/sys/class/net").iter() {
        let ports = cx.directory(&format!("/sys/class/net/{bridge}/brif"));
        if ports.is_empty() {
            continue;
        }
        let mut numbers: Map<u16, &String> = Map::new();
        for port in ports.iter() {
            let number = net::sysfs(cx, port, "brport/port_no").map(|text| String::from(text.trim_start_matches("0x")));
            if let Some(number) = number.and_then(|number| u16::from_str_radix(&number, 16).ok()) {
                numbers.insert(number, port);
            }
        }
        let table = cx.system().read_file(&format!("/sys/class/net/{bridge}/brforward"), LIMIT).unwrap_or_default();
        for entry in table.chunks_exact(16) {
            let [a, b, c, d, e, f, low, own, _, _, _, _, high, ..] = *entry else { continue };
            let mac = format!("{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}");
            let port = numbers.get(&u16::from_le_bytes([low, high]));
            // The table alone makes no host: what only passes through has neither address nor lease.
            if let (0, Some(port), Some(host)) = (own, port, hosts.0.get_mut(&mac)) {
                host.port = String::from(port.as_str());
                host.active = true;
            }
        }
    }
}

fn host(cx: &mut Context, row: &Row, field: fn(&Host) -> String) -> Result<Text> {
    let key = cx.key(row)?;
    Ok(Text::Owned(hosts(cx)?.0.get(&key).map(field).unwrap_or_default()))
}

fn addresses(cx: &mut Context, row: &Row, six: bool) -> Result<Vec<String>> {
    let key = cx.key(row)?;
    let hosts = hosts(cx)?;
    let all = hosts.0.get(&key).map(|host| host.addresses.as_slice()).unwrap_or_default();
    Ok(all.iter().filter(|address| address.is_ipv6() == six).map(IpAddr::to_string).collect())
}

/// -1 for a lease without an end; 0 where there is no lease, or it is over.
fn lease_time(cx: &mut Context, row: &Row) -> Result<Text> {
    let key = cx.key(row)?;
    let hosts = hosts(cx)?;
    let Some(host) = hosts.0.get(&key).filter(|host| host.leased) else { return Ok(Text::Borrowed("0")) };
    let Some(end) = host.lease_end else { return Ok(Text::Borrowed("-1")) };
    let now = cx.memo("lease time", |cx| Ok(crate::time::UtcTime::from(cx.system().wall_clock()).seconds()))?;
    Ok(Text::Owned(end.saturating_sub(*now).clamp(0, i64::from(i32::MAX)).to_string()))
}

/// The logical interface on the device that the host's packets come in by.
fn layer_3(cx: &mut Context, row: &Row) -> Result<Text> {
    let key = cx.key(row)?;
    let hosts = hosts(cx)?;
    let Some(host) = hosts.0.get(&key) else { return Ok(Text::Borrowed("")) };
    let interfaces = net::interfaces(cx)?;
    let on = |state: &Json| net::text(state, "l3_device") == Some(host.device.as_str());
    let inside = |state: &Json| host.addresses.iter().any(|address| has_network(state, *address));
    let name = if host.device.is_empty() {
        interfaces.iter().find(|(_, state)| inside(state))
    } else {
        interfaces.iter().find(|(_, state)| on(state))
    };
    let path = name.and_then(|(name, _)| cx.path_of_key("Device.IP.Interface.", name));
    Ok(path.map_or(Text::Borrowed(""), Text::Owned))
}

/// Whether an IPv4 address lies in a network of an interface.
fn has_network(state: &Json, address: IpAddr) -> bool {
    let IpAddr::V4(address) = address else { return false };
    net::items(state, "ipv4-address").iter().any(|own| {
        let mask = own.get("mask").and_then(Json::as_u64).and_then(|mask| u8::try_from(mask).ok()).unwrap_or(32);
        let mask = u32::from(crate::model::format::mask_of_prefix(mask));
        let own = net::text(own, "address").and_then(|own| own.parse::<Ipv4Addr>().ok());
        own.is_some_and(|own| u32::from(own) & mask == u32::from(address) & mask)
    })
}

/// The port of the host's bridge, if a bridge has seen it.
fn port(cx: &mut Context, row: &Row) -> Result<String> {
    let key = cx.key(row)?;
    Ok(hosts(cx)?.0.get(&key).map(|host| host.port.clone()).unwrap_or_default())
}

/// The radio of a Wi-Fi interface, by its UCI name; `None` for what is no Wi-Fi.
fn radio_of(cx: &mut Context, port: &str) -> Option<String> {
    let status = cx.ubus("network.wireless", "status", &json!({})).ok()?;
    let has = |radio: &&Json| net::items(radio, "interfaces").iter().any(|i| net::text(i, "ifname") == Some(port));
    let radios = status.as_object()?;
    radios.iter().find(|(_, radio)| has(radio)).map(|(name, _)| name.clone())
}

/// Where the host's own wire or radio ends.
fn layer_1(cx: &mut Context, row: &Row) -> Result<Text> {
    let port = port(cx, row)?;
    if port.is_empty() {
        // Without a port it can still be known as a station.
        let station = associated_device(cx, row)?;
        return Ok(Text::Owned(radio_of_station(cx, &station).unwrap_or_default()));
    }
    let path = match radio_of(cx, &port) {
        Some(radio) => cx.path_of_key("Device.WiFi.Radio.", &radio),
        None => cx.path_of_key("Device.Ethernet.Interface.", &port),
    };
    Ok(path.map_or(Text::Borrowed(""), Text::Owned))
}

fn interface_type(cx: &mut Context, row: &Row) -> Result<Text> {
    let port = port(cx, row)?;
    Ok(Text::Borrowed(if !associated_device(cx, row)?.is_empty() || radio_of(cx, &port).is_some() {
        "Wi-Fi"
    } else if port.is_empty() {
        "Other"
    } else {
        "Ethernet"
    }))
}

fn associated_device(cx: &mut Context, row: &Row) -> Result<Text> {
    let mac = cx.key(row)?;
    Ok(cx.path_of_key("Device.WiFi.AccessPoint.{i}.AssociatedDevice.", &mac).map_or(Text::Borrowed(""), Text::Owned))
}

/// A station stays associated while it is silent, when bridges and neighbours have forgotten it already.
fn active(cx: &mut Context, row: &Row) -> Result<Text> {
    let key = cx.key(row)?;
    let met = hosts(cx)?.0.get(&key).is_some_and(|host| host.active);
    Ok(truth(met || !associated_device(cx, row)?.is_empty()))
}

/// The clients of both versions: by MAC address, and by a DUID that ends in it.
fn dhcp_client(cx: &mut Context, row: &Row) -> Result<Text> {
    let mac = cx.key(row)?;
    let four = cx.path_of_key("Device.DHCPv4.Server.Pool.{i}.Client.", &mac);
    let duid = duids(cx)?.get(&mac).cloned();
    let six = duid.and_then(|duid| cx.path_of_key("Device.DHCPv6.Server.Pool.{i}.Client.", &duid));
    let paths: Vec<String> = four.into_iter().chain(six).collect();
    Ok(Text::Owned(paths.join(",")))
}

/// The DUIDs that odhcpd knows, by the MAC addresses in them.
fn duids(cx: &mut Context) -> Result<Rc<Map<String, String>>> {
    cx.memo("duids", |cx| {
        let reply = cx.ubus("dhcp", "ipv6leases", &json!({})).unwrap_or_default();
        let devices = reply.get("device").and_then(Json::as_object).into_iter().flatten();
        let listed = devices.flat_map(|(_, listed)| net::items(listed, "leases"));
        let known = listed.filter_map(|lease| net::text(lease, "duid")).map(str::to_ascii_lowercase);
        Ok(known.filter_map(|duid| Some((mac_of_duid(&duid)?, duid))).collect())
    })
}

/// The radio of the access point that a station is associated with.
fn radio_of_station(cx: &mut Context, station: &str) -> Option<String> {
    let access_point = station.split(".AssociatedDevice.").next().filter(|path| !path.is_empty())?;
    let reference = value_of(cx, &format!("{access_point}.SSIDReference"))?;
    value_of(cx, &format!("{reference}.LowerLayers"))
}

/// The value of another parameter.
fn value_of(cx: &mut Context, name: &str) -> Option<String> {
    match crate::model::tree::resolve(cx, name).ok()?.as_slice() {
        [crate::model::tree::Target::Parameter(node, row, parameter)] => {
            let value = crate::model::access::read(cx, *node, row, parameter).ok()?;
            Some(value.into_owned()).filter(|value| !value.is_empty())
        }
        _ => None,
    }
}
