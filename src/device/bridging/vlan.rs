//! `Device.Bridging.Bridge.{i}.VLAN.{i}.`: a `config bridge-vlan`.
//!
//! UCI cannot switch one off: its section loses its `device` then, and the agent's own state has which bridge it belongs to.

use std::rc::Rc;

use super::super::layers;
use super::{bridge_name, bridge_of};
use crate::error::{Fault, Result};
use crate::model::access::{truth, uci_truth};
use crate::model::context::{Context, Row, RowId};
use crate::model::schema::{Object, Rows, Table, Text, alias, functional, get_set, own, rw};
use crate::model::value::{BOOLEAN, INT, STRING};
use crate::platform::uci::SectionId;

/// TR-181 2.17 Device.Bridging.Bridge.{i}.VLAN.{i}.
pub static VLAN: Object = Object::table(
    "Device.Bridging.Bridge.{i}.VLAN.{i}.",
    Table::new(Rows::SomeSections {
        package: layers::PACKAGE,
        list: |cx, bridge| Ok(all(cx, bridge)?.iter().map(|vlan| vlan.id).collect()),
    })
    .added_by(add)
    .deleted_by(delete)
    .keys(&[functional(&["VLANID"])])
    .enabled_by("Enable")
    .at_most(256),
    &[
        rw("Enable", BOOLEAN, get_set(enable, set_enable)).default("false"),
        alias(),
        rw("Name", STRING.lengths(&[(0, 64)]), own("")).default(""),
        rw("VLANID", INT.ranges(&[(1, 4094)]), get_set(vlan_id, set_vlan_id)),
    ],
)
.check(judge);

/// A VLAN of a bridge.
#[derive(Clone, Debug)]
pub(super) struct BridgeVlan {
    pub(super) id: SectionId,
    /// What its section is known by.
    pub(super) key: String,
    /// The name of the bridge; empty where nobody knows it any more.
    bridge: String,
    /// 1 to 4094; 0 where the file has none.
    pub(super) number: u16,
    pub(super) enabled: bool,
    /// Its ports with their flags, such as `lan1:u*`.
    pub(super) ports: Vec<String>,
    /// Whether the router itself is in it.
    pub(super) local: bool,
}

impl BridgeVlan {
    /// Whether the port sends without tags, and whether untagged frames that it receives belong here; `None` where it is no port of the VLAN.
    pub(super) fn flags(&self, port: &str) -> Option<(bool, bool)> {
        let found = self.ports.iter().find(|item| layers::port_name(item) == port)?;
        let flags = found.split_once(':').map_or("", |(_, flags)| flags);
        Some((!flags.contains('t'), flags.contains('*')))
    }
}

/// Where the bridge of a VLAN is kept that is switched off.
fn mark(key: &str) -> String {
    format!("{}.{key}.bridge", layers::PACKAGE)
}

/// The VLANs of a bridge, in the order of the file.
pub(super) fn all(cx: &mut Context, bridge: &Row) -> Result<Vec<BridgeVlan>> {
    let name = bridge_name(cx, bridge)?;
    Ok(every(cx)?.iter().filter(|vlan| vlan.bridge == name).cloned().collect())
}

/// The VLANs of all bridges, read once a request.
fn every(cx: &mut Context) -> Result<Rc<Vec<BridgeVlan>>> {
    cx.memo("VLANs of bridges", |cx| {
        let mut vlans = Vec::new();
        for section in cx.package(layers::PACKAGE)?.sections().filter(|section| section.kind() == "bridge-vlan") {
            let ports = section.list("ports").into_iter().flat_map(str::split_ascii_whitespace);
            let number = section.get("vlan").and_then(|id| id.parse().ok()).filter(|id| (1..=4094).contains(id));
            let bridge = String::from(section.get("device").unwrap_or_default());
            vlans.push(BridgeVlan {
                id: section.id(),
                key: String::new(),
                number: number.unwrap_or(0),
                enabled: !bridge.is_empty(),
                bridge,
                ports: ports.map(String::from).collect(),
                local: section.get("local").and_then(uci_truth) != Some(false),
            });
        }
        for vlan in &mut vlans {
            vlan.key = cx.section_name(layers::PACKAGE, vlan.id)?;
            if !vlan.enabled {
                vlan.bridge = cx.own(&mark(&vlan.key)).unwrap_or_default();
            }
        }
        Ok(vlans)
    })
}

/// The VLAN of a row.
pub(super) fn of(cx: &mut Context, row: &Row) -> Result<BridgeVlan> {
    let bridge = bridge_of(cx, row);
    let found = all(cx, &bridge)?.into_iter().find(|vlan| *row.id() == RowId::Section(vlan.id));
    found.ok_or_else(|| crate::error::Error::other("the VLAN is gone"))
}

/// A new VLAN has the first number that is free.
fn add(cx: &mut Context, bridge: &Row) -> Result<String, Fault> {
    let name = bridge_name(cx, bridge)?;
    let vlans = all(cx, bridge)?;
    let mut free = (1..=4094_u16).filter(|id| vlans.iter().all(|vlan| vlan.number != *id));
    let number = free.next().ok_or_else(|| Fault::value("the bridge has every VLAN"))?;
    cx.name_section(bridge)?;
    let (_, key) = cx.add_section(layers::PACKAGE, "bridge-vlan", &[("vlan", &number.to_string())])?;
    cx.set_own(&mark(&key), Some(&name));
    Ok(key)
}

fn delete(cx: &mut Context, row: &Row) -> Result<(), Fault> {
    let vlan = of(cx, row)?;
    remove(cx, &vlan)
}

/// Takes a VLAN away.
pub(super) fn remove(cx: &mut Context, vlan: &BridgeVlan) -> Result<(), Fault> {
    if cx.own(&mark(&vlan.key)).is_some() {
        cx.set_own(&mark(&vlan.key), None);
    }
    cx.package_mut(layers::PACKAGE)?.remove_section(vlan.id);
    Ok(())
}

fn enable(cx: &mut Context, row: &Row) -> Result<Text> {
    Ok(truth(of(cx, row)?.enabled))
}

fn set_enable(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let on = value == "true";
    let vlan = of(cx, row)?;
    if vlan.enabled == on {
        return Ok(());
    }
    let bridge = bridge_of(cx, row);
    let name = bridge_name(cx, &bridge)?;
    cx.name_section(row)?;
    cx.set_own(&mark(&vlan.key), (!on).then_some(&name));
    layers::set(cx, vlan.id, "device", on.then_some(&name))
}

fn vlan_id(cx: &mut Context, row: &Row) -> Result<Text> {
    Ok(Text::Owned(of(cx, row)?.number.max(1).to_string()))
}

fn set_vlan_id(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    cx.set_option(row, "vlan", Some(value))
}

/// A bridge that filters by VLAN only passes what belongs to one: an interface on the bridge itself, rather than on one of its VLANs, would be cut off.
fn judge(cx: &mut Context, row: &Row) -> Result<(), (&'static str, Fault)> {
    let fault = |error: crate::error::Error| ("Enable", Fault::from(error));
    if !of(cx, row).map_err(fault)?.enabled {
        return Ok(());
    }
    let bridge = bridge_of(cx, row);
    let name = bridge_name(cx, &bridge).map_err(fault)?;
    let network = layers::network(cx).map_err(fault)?;
    match network.interfaces.iter().find(|interface| interface.device == name) {
        Some(interface) => {
            let text =
                format!("{} is on the bridge itself: put it on a VLAN termination of the bridge", interface.name);
            Err(("Enable", Fault::value(text)))
        }
        None => Ok(()),
    }
}
