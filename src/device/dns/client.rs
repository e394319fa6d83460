//! `Device.DNS.Client.`: the servers that the interfaces have, by their protocol or by configuration (`list dns`).

use super::INTERFACE;
use super::servers::{self, Listed, STATUS, Shown, TYPE, configured, known};
use crate::device::layers::way;
use crate::device::sections::refused;
use crate::error::{Fault, Result};
use crate::model::access::truth;
use crate::model::context::{Context, Row};
use crate::model::format::IP_ADDRESS;
use crate::model::schema::{
    Object, Rows, Table, Text, alias, constant, count, functional, get, get_set, ro, rw, together,
};
use crate::model::value::{BOOLEAN, STRING, UNSIGNED_INT};

static SERVERS: servers::Table =
    servers::Table { path: "Device.DNS.Client.Server", read: configured, write, default: way, own_lists: true };

/// TR-181 2.17 Device.DNS.Client.
pub(super) static CLIENT: Object = Object::single(
    "Device.DNS.Client.",
    &[
        rw("Enable", BOOLEAN, get_set(|_, _| Ok(Text::Borrowed("true")), |_, _, value| only_true(value))),
        ro("Status", STATUS, constant("Enabled")),
        ro("ServerNumberOfEntries", UNSIGNED_INT, count("Server")),
    ],
);

/// TR-181 2.17 Device.DNS.Client.Server.{i}.
pub(super) static SERVER: Object = Object::table(
    "Device.DNS.Client.Server.{i}.",
    Table::new(Rows::Keys(|cx, _| SERVERS.keys(cx)))
        .added_by(|cx, _| SERVERS.add(cx))
        .deleted_by(|cx, row| SERVERS.delete(cx, row))
        .keys(&[functional(&["DNSServer"])])
        .enabled_by("Enable")
        .at_most(64),
    &[
        rw("Enable", BOOLEAN, together(|cx, row| Ok(truth(SERVERS.shown(cx, row)?.enabled)))).default("false"),
        ro("Status", STATUS, get(status)),
        alias(),
        rw("DNSServer", IP_ADDRESS, together(|cx, row| Ok(Text::Owned(SERVERS.shown(cx, row)?.address)))),
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

fn only_true(value: &str) -> Result<(), Fault> {
    if value == "true" { Ok(()) } else { Err(Fault::value("the router finds nobody without names, not even the ACS")) }
}

/// In effect is what netifd has; without netifd, what is configured.
fn status(cx: &mut Context, row: &Row) -> Result<Text> {
    let Shown { enabled, address, interface, .. } = SERVERS.shown(cx, row)?;
    let interface = if interface.is_empty() { way(cx)? } else { interface };
    let live = known(cx)?.iter().any(|server| server.is(&address, &interface));
    let unknown = !crate::device::net::interfaces(cx)?.known();
    Ok(Text::Borrowed(if enabled && (live || (unknown && !address.is_empty())) { "Enabled" } else { "Disabled" }))
}

fn write(cx: &mut Context, wanted: &[Listed], before: &[Listed]) -> Result<(), Fault> {
    let mut interfaces: Vec<&str> = wanted.iter().chain(before).map(|server| server.interface.as_str()).collect();
    interfaces.sort_unstable();
    interfaces.dedup();
    for interface in interfaces {
        let section = cx.package("network")?.find(interface).filter(|section| section.kind() == "interface");
        let Some(id) = section.map(|section| section.id()) else {
            return Err(Fault::value("there is no interface for the server"));
        };
        let of_interface = |servers: &[Listed]| -> Vec<String> {
            servers.iter().filter(|server| server.interface == interface).map(|server| server.address.clone()).collect()
        };
        let list = of_interface(wanted);
        if list != of_interface(before) {
            let list: Vec<&str> = list.iter().map(String::as_str).collect();
            cx.package_mut("network")?.set_list(id, "dns", &list).map_err(refused)?;
        }
    }
    Ok(())
}
