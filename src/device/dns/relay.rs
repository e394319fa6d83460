//! `Device.DNS.Relay.`: dnsmasq, which asks the servers of its own list (`list server`) and those that netifd has.

use std::net::IpAddr;

use super::INTERFACE;
use super::servers::{self, Listed, STATUS, TYPE, host_of, peers_heeded};
use crate::device::net;
use crate::device::sections::refused;
use crate::error::{Fault, Result};
use crate::model::access::{truth, uci_truth};
use crate::model::context::{Context, Row};
use crate::model::format::IP_ADDRESS;
use crate::model::schema::{Object, Rows, Table, Text, alias, count, functional, get, get_set, ro, rw, together};
use crate::model::value::{BOOLEAN, STRING, UNSIGNED_INT};
use crate::platform::uci::SectionId;

const PACKAGE: &str = "dhcp";
const DNSMASQ: &str = "@dnsmasq[0]";
/// Where the port is kept while the relay is off.
const PORT: &str = "dhcp.relay_port";
/// Where `localuse` is kept while the relay is off.
const LOCAL_USE: &str = "dhcp.relay_localuse";
/// Whom the router itself asks, and the servers of netifd. dnsmasq's init script puts its own address there, whatever its port is, and leaves that
/// there when it is not to do so any more.
const RESOLV_CONF: &str = "/tmp/resolv.conf";
const OF_NETIFD: &str = "/tmp/resolv.conf.d/resolv.conf.auto";

static SERVERS: servers::Table = servers::Table {
    path: "Device.DNS.Relay.Forwarding",
    read,
    write,
    default: |_| Ok(String::new()),
    own_lists: false,
};

/// TR-181 2.17 Device.DNS.Relay.
pub(super) static RELAY: Object = Object::single(
    "Device.DNS.Relay.",
    &[
        rw("Enable", BOOLEAN, get_set(|cx, _| Ok(truth(enabled(cx)?)), |cx, _, value| set_enable(cx, value))),
        ro("Status", STATUS, get(|cx, _| Ok(Text::Borrowed(if enabled(cx)? { "Enabled" } else { "Disabled" })))),
        ro("ForwardNumberOfEntries", UNSIGNED_INT, count("Forwarding")),
    ],
);

/// TR-181 2.17 Device.DNS.Relay.Forwarding.{i}.
pub(super) static FORWARDING: Object = Object::table(
    "Device.DNS.Relay.Forwarding.{i}.",
    Table::new(Rows::Keys(keys))
        .added_by(|cx, _| SERVERS.add(cx))
        .deleted_by(|cx, row| SERVERS.delete(cx, row))
        .keys(&[functional(&["DNSServer"])])
        .enabled_by("Enable")
        .at_most(64),
    &[
        rw("Enable", BOOLEAN, together(|cx, row| Ok(truth(SERVERS.shown(cx, row)?.enabled)))).default("false"),
        ro("Status", STATUS, get(status)),
        alias(),
        rw(
            "DNSServer",
            IP_ADDRESS,
            together(|cx, row| Ok(Text::Owned(String::from(host_of(&SERVERS.shown(cx, row)?.address))))),
        ),
        rw(
            "Interface",
            STRING.strong(&[INTERFACE]).lengths(&[(0, 256)]),
            together(|cx, row| SERVERS.interface(cx, row)),
        )
        .default(""),
        ro("Type", TYPE, get(|cx, row| Ok(Text::Borrowed(SERVERS.shown(cx, row)?.kind)))),
    ],
)
.set_together(|cx, row, values| SERVERS.set(cx, row, values));

fn option(cx: &mut Context, name: &str) -> Result<Option<String>> {
    let dnsmasq = cx.package(PACKAGE)?.find(DNSMASQ);
    Ok(dnsmasq.and_then(|section| section.get(name)).map(String::from))
}

fn dnsmasq(cx: &mut Context) -> Result<SectionId, Fault> {
    let id = cx.package(PACKAGE)?.find(DNSMASQ).map(|section| section.id());
    id.ok_or_else(|| Fault::value("dnsmasq is not configured"))
}

/// dnsmasq serves no names on port 0.
fn enabled(cx: &mut Context) -> Result<bool> {
    let there = cx.package(PACKAGE)?.find(DNSMASQ).is_some();
    Ok(there && option(cx, "port")?.is_none_or(|port| port.trim() != "0"))
}

/// While dnsmasq serves no names, the router asks the servers of netifd itself: it has to find the ACS.
fn set_enable(cx: &mut Context, value: &str) -> Result<(), Fault> {
    let on = value == "true";
    if enabled(cx)? == on {
        return Ok(());
    }
    let id = dnsmasq(cx)?;
    for (name, own) in [("port", PORT), ("localuse", LOCAL_USE)] {
        let value = if on { cx.own(own).unwrap_or_default() } else { String::from("0") };
        let before = option(cx, name)?;
        cx.package_mut(PACKAGE)?.set(id, name, &value).map_err(refused)?;
        cx.set_own(own, before.as_deref().filter(|_| !on));
    }
    let own_address =
        |text: &str| text.lines().any(|line| matches!(line.trim(), "nameserver 127.0.0.1" | "nameserver ::1"));
    if !on && cx.file(RESOLV_CONF).is_ok_and(|text| own_address(&text)) {
        cx.after(&["/bin/ln", "-sf", OF_NETIFD, RESOLV_CONF]);
    }
    Ok(())
}

/// Those of netifd count only while dnsmasq reads its list of them.
fn keys(cx: &mut Context, _: &Row) -> Result<Vec<String>> {
    let mut keys = SERVERS.keys(cx)?;
    if option(cx, "noresolv")?.as_deref().and_then(uci_truth) == Some(true) {
        keys.retain(|key| key.starts_with("static"));
    }
    Ok(keys)
}

fn status(cx: &mut Context, row: &Row) -> Result<Text> {
    let shown = SERVERS.shown(cx, row)?;
    let heeded = shown.kind == "Static" || peers_heeded(cx, &shown.interface)?;
    let on = shown.enabled && !shown.address.is_empty() && heeded && enabled(cx)?;
    Ok(Text::Borrowed(if on { "Enabled" } else { "Disabled" }))
}

/// `9.9.9.9`, `9.9.9.9#5353`, `9.9.9.9@wan`; `None` for servers of some domains only, and whatever else dnsmasq takes there.
fn parse(item: &str) -> Option<(&str, &str)> {
    let (address, device) = item.split_once('@').unwrap_or((item, ""));
    let port = address.split_once('#').map(|(_, port)| port);
    let good = host_of(address).parse::<IpAddr>().is_ok() && port.is_none_or(|port| port.parse::<u16>().is_ok());
    good.then_some((address, device))
}

fn items(cx: &mut Context) -> Result<Vec<String>> {
    let dnsmasq = cx.package(PACKAGE)?.find(DNSMASQ);
    let list = dnsmasq.map(|section| section.list("server")).unwrap_or_default();
    Ok(list.into_iter().flat_map(str::split_ascii_whitespace).map(String::from).collect())
}

fn read(cx: &mut Context) -> Result<Vec<Listed>> {
    let mut found = Vec::new();
    for item in items(cx)? {
        let Some((address, device)) = parse(&item) else { continue };
        let interface = if device.is_empty() { None } else { interface_on(cx, device)? };
        found.push(Listed { address: String::from(address), interface: interface.unwrap_or_default() });
    }
    Ok(found)
}

/// The device of an interface: as netifd has it, or as it is configured.
fn device_of(cx: &mut Context, interface: &str) -> Result<Option<String>> {
    let interfaces = net::interfaces(cx)?;
    let live = net::text(interfaces.get(interface), "l3_device").map(String::from);
    let section = cx.package("network")?.find(interface);
    let device = live.or_else(|| section.and_then(|section| section.get("device")).map(String::from));
    Ok(device.filter(|device| net::is_device_name(device)))
}

/// The first interface on a device.
fn interface_on(cx: &mut Context, device: &str) -> Result<Option<String>> {
    let sections = cx.package("network")?.sections().filter(|section| section.kind() == "interface");
    let names: Vec<String> = sections.filter_map(|section| section.name().map(String::from)).collect();
    for name in names {
        if device_of(cx, &name)?.as_deref() == Some(device) {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

fn write(cx: &mut Context, wanted: &[Listed], _: &[Listed]) -> Result<(), Fault> {
    let id = dnsmasq(cx)?;
    let mut list: Vec<String> = items(cx)?.into_iter().filter(|item| parse(item).is_none()).collect();
    for Listed { address, interface } in wanted {
        let device = if interface.is_empty() { None } else { device_of(cx, interface)? };
        list.push(match device {
            Some(device) => format!("{address}@{device}"),
            None if interface.is_empty() => address.clone(),
            None => return Err(Fault::value("the interface has no device")),
        });
    }
    let list: Vec<&str> = list.iter().map(String::as_str).collect();
    cx.package_mut(PACKAGE)?.set_list(id, "server", &list).map(drop).map_err(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_servers_for_all_names_are_rows() {
        assert_eq!(parse("9.9.9.9"), Some(("9.9.9.9", "")));
        assert_eq!(parse("2620:fe::fe#5353@wan"), Some(("2620:fe::fe#5353", "wan")));
        for item in ["/example/192.0.2.1", "dns.example", "9.9.9.9#x", ""] {
            assert_eq!(parse(item), None, "{item}");
        }
    }
}
