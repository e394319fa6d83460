//! What the two tables of servers share: rows that are items of a list in UCI, and rows that netifd has from a protocol.
//!
//! So that a row of a list keeps its number when its address changes, and waits while it is switched off or has no address yet, each has a slot in the
//! agent's own state. All others are known by their interface and address.

use std::net::IpAddr;
use std::rc::Rc;

use serde_json::Value as Json;

use super::INTERFACE;
use crate::device::{net, slots};
use crate::error::{Error, Fault, FaultCode, Result};
use crate::model::access::uci_truth;
use crate::model::context::{Context, Row};
use crate::model::schema::{Text, Values};
use crate::model::value::{STRING, Type};

pub(super) const STATUS: Type = STRING.values(&["Disabled", "Enabled", "Error"]);
pub(super) const TYPE: Type = STRING.values(&["DHCP", "DHCPv4", "DHCPv6", "RouterAdvertisement", "IPCP", "Static"]);

/// A server in a list of UCI.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Listed {
    /// The address as it stands there, for dnsmasq with a port.
    pub(super) address: String,
    /// The logical interface; empty where the list says none.
    pub(super) interface: String,
}

/// Writes the lists: what is to be in them, and what was.
pub(super) type Write = fn(&mut Context, &[Listed], &[Listed]) -> Result<(), Fault>;

/// A table of servers.
pub(super) struct Table {
    /// Its path, under which slots are kept.
    pub(super) path: &'static str,
    /// The servers in the lists.
    pub(super) read: fn(&mut Context) -> Result<Vec<Listed>>,
    /// Writes the lists: what is to be in them, and what was.
    pub(super) write: Write,
    /// The interface of a list for a server that names none.
    pub(super) default: fn(&mut Context) -> Result<String>,
    /// Whether a server in a list of an interface is one of this table's own.
    pub(super) own_lists: bool,
}

/// A row of a list.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Slot {
    number: u32,
    enabled: bool,
    server: Listed,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Slots {
    /// The greatest number that a slot ever had.
    last: u32,
    slots: Vec<Slot>,
}

impl Slots {
    /// `last;number enabled address interface;...`
    fn parse(text: &str) -> Self {
        let (last, slots) = slots::parse(text, |number, enabled, address, interface| {
            let server = Listed { address: String::from(address), interface: String::from(interface) };
            Slot { number, enabled, server }
        });
        Self { last, slots }
    }

    fn to_text(&self) -> String {
        let mut text = self.last.to_string();
        for Slot { number, enabled, server } in &self.slots {
            slots::push(&mut text, *number, *enabled, &server.address, &server.interface);
        }
        text
    }

    /// Brings what was kept together with what UCI has: first what is the same, then the rest in order.
    fn reconcile(&mut self, mut present: Vec<Listed>, default: &str) {
        let mut unmatched = Vec::new();
        let mut kept: Vec<Slot> = Vec::new();
        for slot in std::mem::take(&mut self.slots) {
            if !slot.is_listed() {
                kept.push(slot);
                continue;
            }
            let is_same =
                |item: &Listed| item.address == slot.server.address && item.interface == slot.interface(default);
            match present.iter().position(is_same) {
                Some(index) => {
                    present.remove(index);
                    kept.push(slot);
                }
                None => unmatched.push(slot),
            }
        }
        let mut present = present.into_iter();
        for slot in unmatched {
            let Some(server) = present.next() else { break };
            kept.push(Slot { server, ..slot });
        }
        for server in present {
            self.last = self.last.saturating_add(1);
            kept.push(Slot { number: self.last, enabled: true, server });
        }
        kept.sort_by_key(|slot| slot.number);
        self.slots = kept;
    }

    fn get_mut(&mut self, key: &str) -> Option<&mut Slot> {
        let number: u32 = key.strip_prefix("static")?.parse().ok()?;
        self.slots.iter_mut().find(|slot| slot.number == number)
    }
}

impl Slot {
    fn is_listed(&self) -> bool {
        self.enabled && !self.server.address.is_empty()
    }

    fn interface<'a>(&'a self, default: &'a str) -> &'a str {
        if self.server.interface.is_empty() { default } else { &self.server.interface }
    }
}

/// A row as it is shown.
#[derive(Clone, Default, Debug)]
pub(super) struct Shown {
    pub(super) enabled: bool,
    /// Empty for none yet.
    pub(super) address: String,
    /// The logical interface; empty for none.
    pub(super) interface: String,
    pub(super) kind: &'static str,
    fixed: bool,
}

/// A server that netifd has.
#[derive(Clone, Debug)]
pub(super) struct Known {
    address: String,
    interface: String,
    kind: &'static str,
}

/// The servers of netifd, of interfaces that are up, once a request.
pub(super) fn known(cx: &mut Context) -> Result<Rc<Vec<Known>>> {
    cx.memo("dns servers", |cx| {
        let interfaces = net::interfaces(cx)?;
        let mut found = Vec::new();
        for (name, state) in interfaces.iter() {
            let kind = match net::text(state, "proto") {
                Some("dhcp") => "DHCPv4",
                Some("dhcpv6") => "DHCPv6",
                Some(proto) if proto.starts_with("ppp") => "IPCP",
                _ => "Static",
            };
            for address in net::items(state, "dns-server").iter().filter_map(Json::as_str) {
                if address.parse::<IpAddr>().is_ok() {
                    found.push(Known { address: String::from(address), interface: String::from(name), kind });
                }
            }
        }
        Ok(found)
    })
}

/// The servers that are configured for the interfaces.
pub(super) fn configured(cx: &mut Context) -> Result<Vec<Listed>> {
    let mut found = Vec::new();
    for section in cx.package("network")?.sections().filter(|section| section.kind() == "interface") {
        let Some(name) = section.name() else { continue };
        for address in section.list("dns").into_iter().flat_map(str::split_ascii_whitespace) {
            found.push(Listed { address: String::from(address), interface: String::from(name) });
        }
    }
    Ok(found)
}

impl Table {
    fn slots(&self, cx: &mut Context) -> Result<Slots> {
        let mut slots = cx.own(self.path).map(|text| Slots::parse(&text)).unwrap_or_default();
        let default = (self.default)(cx)?;
        slots.reconcile((self.read)(cx)?, &default);
        Ok(slots)
    }

    /// What netifd has and is no row of the lists: their servers are netifd's too, once it has them.
    fn others(&self, cx: &mut Context) -> Result<Vec<Known>> {
        let configured = configured(cx)?;
        let mut others: Vec<Known> = Vec::new();
        for server in known(cx)?.iter() {
            let own = configured.iter().any(|own| server.is(&own.address, &own.interface));
            // A protocol may say the same server twice.
            if (own && self.own_lists) || others.iter().any(|other| other.key() == server.key()) {
                continue;
            }
            others.push(Known { kind: if own { "Static" } else { server.kind }, ..server.clone() });
        }
        Ok(others)
    }

    pub(super) fn keys(&self, cx: &mut Context) -> Result<Vec<String>> {
        let mut keys: Vec<String> = self.slots(cx)?.slots.iter().map(|slot| format!("static{}", slot.number)).collect();
        keys.extend(self.others(cx)?.iter().map(Known::key));
        Ok(keys)
    }

    pub(super) fn shown(&self, cx: &mut Context, row: &Row) -> Result<Shown> {
        let key = cx.key(row)?;
        if let Some(slot) = self.slots(cx)?.get_mut(&key) {
            let Listed { address, interface } = slot.server.clone();
            return Ok(Shown { enabled: slot.enabled, address, interface, kind: "Static", fixed: true });
        }
        let server = self.others(cx)?.into_iter().find(|server| server.key() == key);
        let Known { address, interface, kind } = server.ok_or_else(|| Error::other("the server is gone"))?;
        Ok(Shown { enabled: true, address, interface, kind, fixed: false })
    }

    pub(super) fn interface(&self, cx: &mut Context, row: &Row) -> Result<Text> {
        let name = self.shown(cx, row)?.interface;
        Ok(cx.path_of_key(INTERFACE, &name).map_or(Text::Borrowed(""), Text::Owned))
    }

    pub(super) fn add(&self, cx: &mut Context) -> Result<String, Fault> {
        let mut slots = self.slots(cx)?;
        slots.last = slots.last.saturating_add(1);
        let number = slots.last;
        let server = Listed { address: String::new(), interface: String::new() };
        slots.slots.push(Slot { number, enabled: false, server });
        cx.set_own(self.path, Some(&slots.to_text()));
        Ok(format!("static{number}"))
    }

    pub(super) fn delete(&self, cx: &mut Context, row: &Row) -> Result<(), Fault> {
        let key = cx.key(row)?;
        let mut slots = self.slots(cx)?;
        let Some(slot) = slots.get_mut(&key) else {
            let text = "a server that is not static comes and goes by itself";
            return Err(Fault::new(FaultCode::INVALID_PARAMETER_NAME, text));
        };
        let number = slot.number;
        let before = slots.clone();
        slots.slots.retain(|slot| slot.number != number);
        self.store(cx, &before, &slots)
    }

    pub(super) fn set(&self, cx: &mut Context, row: &Row, values: &Values<'_>) -> Result<(), (&'static str, Fault)> {
        let broken = |error: Error| ("Enable", Fault::from(error));
        let key = cx.key(row).map_err(broken)?;
        let now = self.shown(cx, row).map_err(broken)?;
        let mut new = now.clone();
        for (name, value) in values.0 {
            match *name {
                "Enable" => new.enabled = value == "true",
                "DNSServer" if !same_host(&now.address, value) => new.address.clone_from(value),
                "Interface" => new.interface = interface_name(cx, value).map_err(|fault| (*name, fault))?,
                _ => {}
            }
            let changed = (new.enabled, &new.address, &new.interface) != (now.enabled, &now.address, &now.interface);
            if changed && !now.fixed {
                let text = "the server is not a static one";
                return Err((*name, Fault::new(FaultCode::NON_WRITABLE_PARAMETER, text)));
            }
        }
        let address = host_of(&new.address).parse::<IpAddr>();
        if address.is_ok_and(|address| address.is_unspecified() || address.is_multicast()) {
            return Err(("DNSServer", Fault::value("not the address of a server")));
        }
        let mut slots = self.slots(cx).map_err(broken)?;
        let before = slots.clone();
        if let Some(slot) = slots.get_mut(&key) {
            slot.enabled = new.enabled;
            slot.server = Listed { address: new.address, interface: new.interface };
        }
        if slots == before {
            return Ok(());
        }
        self.store(cx, &before, &slots).map_err(|fault| ("DNSServer", fault))
    }

    fn store(&self, cx: &mut Context, before: &Slots, after: &Slots) -> Result<(), Fault> {
        let default = (self.default)(cx)?;
        let listed = |slots: &Slots| -> Vec<Listed> {
            let listed = slots.slots.iter().filter(|slot| slot.is_listed());
            let server = |slot: &Slot| Listed {
                address: slot.server.address.clone(),
                interface: String::from(slot.interface(&default)),
            };
            listed.map(server).collect()
        };
        let (was, wanted) = (listed(before), listed(after));
        if was != wanted {
            (self.write)(cx, &wanted, &was)?;
        }
        cx.set_own(self.path, Some(&after.to_text()));
        Ok(())
    }
}

impl Known {
    pub(super) fn is(&self, address: &str, interface: &str) -> bool {
        self.address == address && self.interface == interface
    }

    fn key(&self) -> String {
        format!("{} {}", self.interface, self.address)
    }
}

/// The address without the port that dnsmasq takes behind it.
pub(super) fn host_of(address: &str) -> &str {
    address.split('#').next().unwrap_or_default()
}

/// An address that the ACS sends again keeps the port that a person has given it.
fn same_host(address: &str, value: &str) -> bool {
    !value.is_empty() && host_of(address) == value
}

fn interface_name(cx: &mut Context, path: &str) -> Result<String, Fault> {
    Ok(cx.section_of_path(INTERFACE, path)?.unwrap_or_default())
}

/// Whether what a protocol brings along is heeded.
pub(super) fn peers_heeded(cx: &mut Context, interface: &str) -> Result<bool> {
    let section = cx.package("network")?.find(interface);
    Ok(section.and_then(|section| section.get("peerdns")).and_then(uci_truth) != Some(false))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(address: &str, interface: &str) -> Listed {
        Listed { address: address.into(), interface: interface.into() }
    }

    #[test]
    fn p62_a_server_keeps_its_number_while_others_change() {
        let mut slots = Slots::default();
        slots.reconcile(vec![listed("9.9.9.9", "wan"), listed("1.1.1.1", "wan")], "wan");
        slots.slots[0].server.interface.clear();
        slots.reconcile(vec![listed("1.1.1.1", "wan"), listed("9.9.9.9", "wan")], "wan");
        let numbers: Vec<_> = slots.slots.iter().map(|slot| (slot.number, slot.server.address.as_str())).collect();
        assert_eq!(numbers, [(1, "9.9.9.9"), (2, "1.1.1.1")]);
        assert_eq!(slots.slots[0].server.interface, "");
        // Edited by hand: the order counts.
        slots.reconcile(vec![listed("1.1.1.1", "wan"), listed("8.8.8.8", "wan")], "wan");
        assert_eq!(slots.slots[0].server, listed("8.8.8.8", "wan"));
        assert_eq!(Slots::parse(&slots.to_text()), slots);
    }
}
