//! `Device.DHCPv4.Server.Pool.{i}.StaticAddress.{i}.`: the `host` sections of dnsmasq with a MAC address and an IPv4 address of the pool's subnet.
//!
//! dnsmasq has no disabled hosts. A row that is disabled, or lacks an address, waits as a `host` section of `/etc/config/cwmpd`, with the pool that it
//! belongs to, and comes back under the same name.

use std::net::Ipv4Addr;
use std::rc::Rc;

use super::PACKAGE;
use super::pool::subnet_of;
use crate::error::{Error, Fault, Result};
use crate::model::access::{truth, uci_truth};
use crate::model::context::{Context, Row};
use crate::model::format::{IPV4_ADDRESS, MAC_ADDRESS};
use crate::model::schema::{Object, Rows, Table, Text, Values, alias, functional, rw, together};
use crate::model::value::BOOLEAN;
use crate::platform::uci::{EditError, OptionValue, Section, SectionId};

pub(super) static STATIC_ADDRESS: Object = Object::table(
    "Device.DHCPv4.Server.Pool.{i}.StaticAddress.{i}.",
    Table::new(Rows::Keys(keys))
        .added_by(add)
        .deleted_by(delete)
        .keys(&[functional(&["Chaddr"])])
        .enabled_by("Enable")
        .at_most(256),
    &[
        rw("Enable", BOOLEAN, together(|cx, row| Ok(truth(Host::read(cx, row)?.enabled)))).default("false"),
        alias(),
        rw("Chaddr", MAC_ADDRESS, together(|cx, row| Ok(Text::Owned(Host::read(cx, row)?.mac)))).default(""),
        rw("Yiaddr", IPV4_ADDRESS, together(|cx, row| Ok(Text::Owned(Host::read(cx, row)?.address)))).default(""),
    ],
)
.set_together(set)
.check(judge);

/// Where rows wait.
pub(super) const PARKED: &str = "cwmpd";
/// How the name of a waiting section begins, so that it clashes with no other of that package.
const PREFIX: &str = "host_";
/// Options of a waiting row that are not the host's.
const POOL: &str = "pool";
const ENABLE: &str = "enable";

/// The first of the MAC addresses of a host: a section may have several, in either form of a list.
fn first_mac<'a>(host: &Section<'a>) -> &'a str {
    host.list("mac").into_iter().flat_map(str::split_ascii_whitespace).next().unwrap_or_default()
}

/// A row as it is.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Host {
    enabled: bool,
    mac: String,
    address: String,
    package: &'static str,
    id: SectionId,
}

fn pool_of(row: &Row) -> Result<Rc<Row>> {
    row.parent().cloned().ok_or_else(|| Error::other("a static address has a pool"))
}

/// The hosts of a pool in a package.
fn hosts(cx: &mut Context, pool: &Row, package: &'static str) -> Result<Vec<Host>> {
    let subnet = subnet_of(cx, pool)?;
    let pool = cx.key(pool)?;
    let hosts = cx.package(package)?.sections().filter(|section| section.kind() == "host");
    let mine = hosts.filter(|host| {
        if package == PARKED {
            return host.get(POOL) == Some(pool.as_str());
        }
        let address = host.get("ip").and_then(|ip| ip.parse().ok());
        !first_mac(host).is_empty()
            && address.is_some_and(|address| subnet.is_some_and(|subnet| subnet.contains(address)))
    });
    Ok(mine
        .map(|host| Host {
            enabled: package == PACKAGE || host.get(ENABLE).and_then(uci_truth) == Some(true),
            mac: String::from(first_mac(&host)),
            address: String::from(host.get("ip").unwrap_or_default()),
            package,
            id: host.id(),
        })
        .collect())
}

fn keys(cx: &mut Context, pool: &Row) -> Result<Vec<String>> {
    let mut keys = Vec::new();
    for package in [PACKAGE, PARKED] {
        for host in hosts(cx, pool, package)? {
            keys.push(host.key(cx)?);
        }
    }
    Ok(keys)
}

impl Host {
    /// The name of the section in dnsmasq's configuration, wherever it is.
    fn key(&self, cx: &mut Context) -> Result<String> {
        let name = cx.section_name(self.package, self.id)?;
        let bare = if self.package == PARKED { name.strip_prefix(PREFIX) } else { None };
        Ok(bare.map(String::from).unwrap_or(name))
    }

    fn read(cx: &mut Context, row: &Row) -> Result<Self> {
        let pool = pool_of(row)?;
        let key = cx.key(row)?;
        for package in [PACKAGE, PARKED] {
            for host in hosts(cx, &pool, package)? {
                if host.key(cx)? == key {
                    return Ok(host);
                }
            }
        }
        Err(Error::other("the host is gone"))
    }
}

/// That no other host has an address: dnsmasq does not start with two that have the same.
pub(super) fn check_free(cx: &mut Context, but: Option<SectionId>, address: Ipv4Addr) -> Result<(), Fault> {
    let mut hosts = cx.package(PACKAGE)?.sections().filter(|section| section.kind() == "host");
    let taken =
        hosts.any(|host| Some(host.id()) != but && host.get("ip").and_then(|ip| ip.parse().ok()) == Some(address));
    if taken { Err(Fault::value(format!("{address} belongs to another host"))) } else { Ok(()) }
}

fn refused(error: EditError) -> Fault {
    Fault::internal(error.to_string())
}

fn set(cx: &mut Context, row: &Row, values: &Values<'_>) -> Result<(), (&'static str, Fault)> {
    let broken = |error: Error| ("Enable", Fault::from(error));
    let pool = pool_of(row).map_err(broken)?;
    let before = Host::read(cx, row).map_err(broken)?;
    let mut after = before.clone();
    if let Some(value) = values.get("Enable") {
        after.enabled = value == "true";
    }
    // The same address in other letters is no change.
    if let Some(value) = values.get("Chaddr").filter(|value| !value.eq_ignore_ascii_case(&before.mac)) {
        after.mac = String::from(value);
    }
    if let Some(value) = values.get("Yiaddr") {
        after.address = String::from(value);
    }
    if after == before {
        return Ok(());
    }
    let subnet = subnet_of(cx, &pool).map_err(broken)?;
    let address = if after.address.is_empty() { None } else { after.address.parse::<Ipv4Addr>().ok() };
    if let Some(address) = address.filter(|_| after.address != before.address) {
        if subnet.is_some_and(|subnet| !subnet.has_host(address)) {
            return Err(("Yiaddr", Fault::value("not the address of a host in the subnet of the pool")));
        }
    }
    after.package =
        if after.enabled && address.is_some() && !after.mac.is_empty() && subnet.is_some() { PACKAGE } else { PARKED };
    if after.enabled && !after.mac.is_empty() {
        let mut others = hosts(cx, &pool, PACKAGE).map_err(broken)?;
        others.retain(|host| host.package != before.package || host.id != before.id);
        if others.iter().any(|host| host.mac.eq_ignore_ascii_case(&after.mac)) {
            let blamed = if values.get("Chaddr").is_some() { "Chaddr" } else { "Enable" };
            return Err((blamed, Fault::value("another enabled row has the same Chaddr")));
        }
    }
    write(cx, row, &pool, &before, &after).map_err(|fault| ("Enable", fault))
}

/// Judged by the end state, so that two rows can change places in one request (CONFORMANCE P-02).
fn judge(cx: &mut Context, row: &Row) -> Result<(), (&'static str, Fault)> {
    let host = Host::read(cx, row).map_err(|error| ("Yiaddr", Fault::from(error)))?;
    match host.address.parse() {
        Ok(address) if host.package == PACKAGE => {
            check_free(cx, Some(host.id), address).map_err(|fault| ("Yiaddr", fault))
        }
        _ => Ok(()),
    }
}

fn write(cx: &mut Context, row: &Row, pool: &Row, before: &Host, after: &Host) -> Result<(), Fault> {
    let key = cx.key(row)?;
    let name = if after.package == PARKED { format!("{PREFIX}{key}") } else { key };
    let mut id = before.id;
    if after.package == before.package {
        cx.package_mut(before.package)?.rename_section(id, &name).map_err(refused)?;
    } else {
        id = move_section(cx, before, after.package, &name)?;
    }
    let pool_name = match after.package {
        PARKED => Some(cx.name_section(pool)?),
        _ => None,
    };
    let package = cx.package_mut(after.package)?;
    let mut put = |option: &str, value: &str| package.set(id, option, value).map(|_| ()).map_err(refused);
    if after.mac != before.mac {
        put("mac", &after.mac)?;
    }
    if after.address != before.address {
        put("ip", &after.address)?;
    }
    put(POOL, pool_name.as_deref().unwrap_or_default())?;
    put(ENABLE, if pool_name.is_some() && after.enabled { "1" } else { "" })
}

/// Takes a section with all that it has into another package.
fn move_section(cx: &mut Context, host: &Host, to: &'static str, name: &str) -> Result<SectionId, Fault> {
    enum Kept {
        Text(String),
        List(Vec<String>),
    }
    let mut options = Vec::new();
    if let Some(section) = cx.package(host.package)?.section(host.id) {
        for (option, value) in section.options() {
            let value = match value {
                OptionValue::Text(text) => Kept::Text(String::from(text)),
                OptionValue::List(items) => Kept::List(items.into_iter().map(String::from).collect()),
            };
            options.push((String::from(option), value));
        }
    }
    cx.package_mut(host.package)?.remove_section(host.id);
    let package = cx.package_mut(to)?;
    let id = package.add_section("host", Some(name)).map_err(refused)?;
    for (option, value) in options {
        match value {
            Kept::Text(text) => package.set(id, &option, &text).map_err(refused)?,
            Kept::List(items) => {
                let items: Vec<&str> = items.iter().map(String::as_str).collect();
                package.set_list(id, &option, &items).map_err(refused)?
            }
        };
    }
    Ok(id)
}

fn add(cx: &mut Context, pool: &Row) -> Result<String, Fault> {
    let pool = cx.name_section(pool)?;
    let name = cx.new_section_name(PACKAGE)?;
    let package = cx.package_mut(PARKED)?;
    let id = package.add_section("host", Some(&format!("{PREFIX}{name}"))).map_err(refused)?;
    package.set(id, POOL, &pool).map_err(refused)?;
    Ok(name)
}

fn delete(cx: &mut Context, row: &Row) -> Result<(), Fault> {
    let host = Host::read(cx, row)?;
    cx.package_mut(host.package)?.remove_section(host.id);
    Ok(())
}

/// Deletes the hosts that a pool has in a package.
pub(super) fn delete_all(cx: &mut Context, pool: &Row, package: &'static str) -> Result<(), Fault> {
    for host in hosts(cx, pool, package)? {
        cx.package_mut(package)?.remove_section(host.id);
    }
    Ok(())
}
