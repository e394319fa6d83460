//! `Device.Bridging.Bridge.{i}.VLANPort.{i}.`: a port in a VLAN, an item of the `ports` of a `config bridge-vlan`.
//!
//! A row is known by the section of its VLAN and its port. One that is switched off or not finished is kept in the agent's own state. The management
//! port is in a VLAN unless the VLAN says `local '0'`.

use std::rc::Rc;

use super::super::kept::{Kept, KeptRow, is_new};
use super::super::{layers, net};
use super::{PORTS, bridge_name, bridge_of, port, vlan};
use crate::error::{Error, Fault, Result};
use crate::model::access::truth;
use crate::model::context::{Context, Row};
use crate::model::schema::{Object, Rows, Table, Text, Values, alias, functional, rw, together};
use crate::model::value::{BOOLEAN, STRING};

const VLANS: &str = "Device.Bridging.Bridge.{i}.VLAN.";

/// TR-181 2.17 Device.Bridging.Bridge.{i}.VLANPort.{i}.
pub static VLAN_PORT: Object = Object::table(
    "Device.Bridging.Bridge.{i}.VLANPort.{i}.",
    Table::new(Rows::Keys(keys))
        .added_by(add)
        .deleted_by(delete)
        .keys(&[functional(&["VLAN", "Port"])])
        .enabled_by("Enable")
        .at_most(512),
    &[
        rw("Enable", BOOLEAN, together(|cx, row| Ok(truth(member(cx, row)?.on)))).default("false"),
        alias(),
        rw("VLAN", STRING.strong(&[VLANS]).lengths(&[(0, 256)]), together(vlan_path)).default(""),
        rw("Port", STRING.strong(&[PORTS]).lengths(&[(0, 256)]), together(port_path)).default(""),
        rw("Untagged", BOOLEAN, together(|cx, row| Ok(truth(member(cx, row)?.untagged)))),
    ],
)
.set_together(set);

/// What a row says.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Member {
    on: bool,
    /// The section of the VLAN; empty where there is none yet.
    vlan: String,
    /// The port; empty where there is none yet.
    port: String,
    untagged: bool,
}

impl Member {
    /// What it is known by while it is in the configuration.
    fn key(&self) -> Option<String> {
        let whole = self.on && !self.vlan.is_empty() && !self.port.is_empty();
        whole.then(|| format!("{} {}", self.vlan, self.port))
    }
}

fn kept(cx: &Context, bridge: &Row) -> Kept {
    let name = format!("{}VLANPort", cx.schema().path(bridge.node(), bridge));
    Kept::read(cx, &name)
}

fn keys(cx: &mut Context, bridge: &Row) -> Result<Vec<String>> {
    let name = bridge_name(cx, bridge)?;
    let mut keys = Vec::new();
    for vlan in vlan::all(cx, bridge)? {
        for port in vlan.ports.iter().map(|port| layers::port_name(port)).filter(|port| net::is_device_name(port)) {
            keys.push(format!("{} {port}", vlan.key));
        }
        if vlan.local {
            keys.push(format!("{} {name}", vlan.key));
        }
    }
    keys.extend(kept(cx, bridge).rows.into_iter().map(|row| row.key));
    Ok(keys)
}

fn member(cx: &mut Context, row: &Row) -> Result<Member> {
    let (bridge, key) = (bridge_of(cx, row), cx.key(row)?);
    if is_new(&key) {
        let kept = kept(cx, &bridge);
        let row = kept.get(&key).ok_or_else(|| Error::other("the row is gone"))?;
        let field = |index: usize| row.fields.get(index).cloned().unwrap_or_default();
        return Ok(Member { on: row.on, vlan: field(0), port: field(1), untagged: field(2) == "u" });
    }
    let (section, port) = key.split_once(' ').ok_or_else(|| Error::other("no port of a VLAN"))?;
    let vlans = vlan::all(cx, &bridge)?;
    let vlan = vlans.iter().find(|vlan| vlan.key == section);
    let untagged = vlan.and_then(|vlan| vlan.flags(port)).is_some_and(|(untagged, _)| untagged);
    Ok(Member { on: true, vlan: section.into(), port: port.into(), untagged })
}

fn vlan_path(cx: &mut Context, row: &Row) -> Result<Text> {
    let section = member(cx, row)?.vlan;
    Ok(cx.path_of_key(VLANS, &section).map_or(Text::Borrowed(""), Text::Owned))
}

fn port_path(cx: &mut Context, row: &Row) -> Result<Text> {
    let port = member(cx, row)?.port;
    Ok(cx.path_of_key(PORTS, &port).map_or(Text::Borrowed(""), Text::Owned))
}

fn add(cx: &mut Context, bridge: &Row) -> Result<String, Fault> {
    cx.name_section(bridge)?;
    let mut kept = kept(cx, bridge);
    let key = kept.new_key();
    kept.put(KeptRow { key: key.clone(), on: false, fields: Vec::new() });
    kept.store(cx);
    Ok(key)
}

fn delete(cx: &mut Context, row: &Row) -> Result<(), Fault> {
    let (bridge, key) = (bridge_of(cx, row), cx.key(row)?);
    let member = member(cx, row)?;
    if member.key().is_some() {
        write(cx, &bridge, &member, false)?;
    }
    let mut kept = kept(cx, &bridge);
    kept.remove(&key);
    kept.store(cx);
    Ok(())
}

/// Writes the flags of a port into its VLAN; `None` takes it out.
pub(super) fn put(
    cx: &mut Context,
    vlan: &vlan::BridgeVlan,
    port: &str,
    flags: Option<(bool, bool)>,
) -> Result<(), Fault> {
    let item = flags.map(|(untagged, chosen)| {
        format!("{port}:{}{}", if untagged { 'u' } else { 't' }, if chosen { "*" } else { "" })
    });
    let mut ports = vlan.ports.clone();
    let place = ports.iter().position(|known| layers::port_name(known) == port);
    match (place.and_then(|place| ports.get_mut(place)), item) {
        (Some(known), Some(item)) => *known = item,
        (None, Some(item)) => ports.push(item),
        (_, None) => ports.retain(|known| layers::port_name(known) != port),
    }
    layers::set_list(cx, vlan.id, "ports", &ports)
}

/// Puts a member into the configuration, or takes it out.
fn write(cx: &mut Context, bridge: &Row, member: &Member, there: bool) -> Result<(), Fault> {
    let vlans = vlan::all(cx, bridge)?;
    let Some(vlan) = vlans.iter().find(|vlan| vlan.key == member.vlan) else { return Ok(()) };
    if member.port == bridge_name(cx, bridge)? {
        return layers::set(cx, vlan.id, "local", (!there).then_some("0"));
    }
    if !there {
        return put(cx, vlan, &member.port, None);
    }
    let chosen = match vlan.flags(&member.port) {
        Some((_, chosen)) => chosen,
        None => is_chosen(cx, vlan, &vlans, member),
    };
    put(cx, vlan, &member.port, Some((member.untagged, chosen)))
}

/// Whether untagged frames of a port belong to the VLAN that it joins: if the ACS has said so, or has said nothing and there is no other.
fn is_chosen(cx: &mut Context, vlan: &vlan::BridgeVlan, vlans: &[vlan::BridgeVlan], member: &Member) -> bool {
    let path = cx.path_of_key(PORTS, &member.port);
    let wished = path.and_then(|path| cx.row_of_path(PORTS, &path)).and_then(|row| port::wished_pvid(cx, &row));
    match wished {
        Some(number) => number == vlan.number,
        None => {
            let taken = vlans.iter().any(|vlan| vlan.flags(&member.port).is_some_and(|(_, chosen)| chosen));
            member.untagged && !taken
        }
    }
}

fn set(cx: &mut Context, row: &Row, values: &Values<'_>) -> Result<(), (&'static str, Fault)> {
    let before = member(cx, row).map_err(|error| ("Enable", error.into()))?;
    let mut after = before.clone();
    let bridge = bridge_of(cx, row);
    if let Some(on) = values.get("Enable") {
        after.on = on == "true";
    }
    if let Some(path) = values.get("VLAN") {
        after.vlan = match path {
            "" => String::new(),
            path => {
                let vlan = inside(cx, &bridge, VLANS, path).map_err(|fault| ("VLAN", fault))?;
                cx.name_section(&vlan).map_err(|fault| ("VLAN", fault))?
            }
        };
    }
    if let Some(path) = values.get("Port") {
        after.port = match path {
            "" => String::new(),
            path => {
                let port = inside(cx, &bridge, PORTS, path).map_err(|fault| ("Port", fault))?;
                cx.key(&port).map_err(|error| ("Port", error.into()))?
            }
        };
    }
    if let Some(untagged) = values.get("Untagged") {
        after.untagged = untagged == "true";
    }
    if after == before { Ok(()) } else { change(cx, row, &before, &after) }
}

/// A row of a table inside the same bridge.
fn inside(cx: &mut Context, bridge: &Rc<Row>, table: &str, path: &str) -> Result<Rc<Row>, Fault> {
    let row = cx.row_of_path(table, path).filter(|row| row.parent() == Some(bridge));
    row.ok_or_else(|| Fault::value(format!("{path} is not in the same bridge")))
}

fn change(cx: &mut Context, row: &Row, before: &Member, after: &Member) -> Result<(), (&'static str, Fault)> {
    let bridge = bridge_of(cx, row);
    let old = cx.key(row).map_err(|error| ("Enable", error.into()))?;
    let mut kept = kept(cx, &bridge);
    let new = match after.key() {
        Some(key) => {
            judge(cx, &bridge, after, &old, &key)?;
            kept.remove(&old);
            key
        }
        None => {
            let key = if is_new(&old) { old.clone() } else { kept.new_key() };
            let untagged = if after.untagged { "u" } else { "t" };
            let fields = vec![after.vlan.clone(), after.port.clone(), String::from(untagged)];
            kept.put(KeptRow { key: key.clone(), on: after.on, fields });
            key
        }
    };
    kept.store(cx);
    let fault = |fault| ("Enable", fault);
    if before.key().is_some() && before.key() != after.key() {
        write(cx, &bridge, before, false).map_err(fault)?;
    }
    if after.key().is_some() {
        write(cx, &bridge, after, true).map_err(fault)?;
    }
    if new != old {
        cx.move_row(row, &new);
    }
    Ok(())
}

/// Whether a member can be in the configuration.
fn judge(cx: &mut Context, bridge: &Row, member: &Member, old: &str, key: &str) -> Result<(), (&'static str, Fault)> {
    let fault = |error: Error| ("Port", Fault::from(error));
    if !net::is_device_name(&member.port) {
        return Err(("Port", Fault::value("not a port with a device: an SSID is in the VLAN of its network")));
    }
    if old != key && keys(cx, bridge).map_err(fault)?.iter().any(|known| known == key) {
        return Err(("Port", Fault::value("the port is in this VLAN already")));
    }
    if member.untagged && member.port == bridge_name(cx, bridge).map_err(fault)? {
        return Err(("Untagged", Fault::value("the management port has every VLAN with its tag")));
    }
    Ok(())
}
