//! `Device.Ethernet.VLANTermination.{i}.`: a VLAN on a link, known by the name of its device.
//!
//! `eth0.7` is a VLAN wherever it is named; a `config device` of type `8021q` or `8021ad` may have any name. One that the ACS makes gets the usual name
//! as soon as its link and its VLANID are known, and a name of that form follows when they change.

use super::super::{layers, net};
use super::{LINKS, VLANS, name, upper_status};
use crate::error::{Fault, Result};
use crate::model::access::truth;
use crate::model::context::{Context, Row};
use crate::model::schema::{
    Notification, Object, Rows, Table, Text, Values, alias, always, get, get_set, ro, rw, together,
};
use crate::model::value::{BOOLEAN, STRING, UNSIGNED_INT};

/// IEEE 802.1Q and IEEE 802.1ad.
const CUSTOMER: &str = "33024";
const PROVIDER: &str = "34984";

/// The longest name of a network device (IFNAMSIZ of the kernel, without the NUL).
const LONGEST_NAME: usize = 15;

/// What the name of a device begins with that the ACS has made and not finished.
const MADE: &str = "cwmp";

/// TR-181 2.17 Device.Ethernet.VLANTermination.{i}.
pub static VLAN_TERMINATION: Object = Object::table(
    "Device.Ethernet.VLANTermination.{i}.",
    Table::new(Rows::Keys(|cx, _| Ok(layers::network(cx)?.vlans())))
        .added_by(|cx, _| add(cx))
        .deleted_by(delete)
        .keys(&[always(&["Name"])])
        .enabled_by("Enable")
        .at_most(64),
    &[
        rw("Enable", BOOLEAN, get_set(|cx, row| Ok(truth(is_enabled(cx, row)?)), set_enable)).default("false"),
        ro("Status", net::INTERFACE_STATUS, get(|cx, row| Ok(Text::Borrowed(status(cx, row)?)))).default("Down"),
        alias(),
        ro("Name", STRING.lengths(&[(0, 64)]), get(name)),
        ro("LastChange", UNSIGNED_INT, get(last_change)).notification(Notification::CanDeny),
        rw("LowerLayers", net::LOWER_LAYERS, together(lower_layers)).default(""),
        rw("VLANID", UNSIGNED_INT.ranges(&[(1, 4094)]), together(vlan_id)),
        rw("TPID", UNSIGNED_INT, together(tpid)).default(CUSTOMER),
    ],
)
.set_together(set);

/// TR-181 2.17 Device.Ethernet.VLANTermination.{i}.Stats.
pub static VLAN_TERMINATION_STATS: Object = Object::single("Device.Ethernet.VLANTermination.{i}.Stats.", net::STATS);

fn vlan_of(cx: &mut Context, row: &Row) -> Result<layers::Vlan> {
    let key = cx.key(row)?;
    Ok(layers::network(cx)?.vlan(&key).unwrap_or(layers::Vlan { below: String::new(), id: 0, provider: false }))
}

fn is_enabled(cx: &mut Context, row: &Row) -> Result<bool> {
    let device = cx.key(row)?;
    layers::device_switch(cx, &device)?.is_enabled(cx, "vlan")
}

fn set_enable(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let device = cx.key(row)?;
    layers::device_switch(cx, &device)?.set(cx, "vlan", value == "true")
}

fn status(cx: &mut Context, row: &Row) -> Result<&'static str> {
    if !is_enabled(cx, row)? || vlan_of(cx, row)?.below.is_empty() {
        return Ok("Down");
    }
    let device = cx.key(row)?;
    Ok(upper_status(cx, &device))
}

fn last_change(cx: &mut Context, row: &Row) -> Result<Text> {
    let (device, status) = (cx.key(row)?, status(cx, row)?);
    Ok(net::device_last_change(cx, VLANS, &device, status))
}

fn lower_layers(cx: &mut Context, row: &Row) -> Result<Text> {
    let below = vlan_of(cx, row)?.below;
    Ok(layers::path_of(cx, &below).map_or(Text::Borrowed(""), Text::Owned))
}

/// 1 where there is none yet.
fn vlan_id(cx: &mut Context, row: &Row) -> Result<Text> {
    Ok(Text::Owned(vlan_of(cx, row)?.id.max(1).to_string()))
}

fn tpid(cx: &mut Context, row: &Row) -> Result<Text> {
    Ok(Text::Borrowed(if vlan_of(cx, row)?.provider { PROVIDER } else { CUSTOMER }))
}

fn add(cx: &mut Context) -> Result<String, Fault> {
    let section = cx.new_section_name(layers::PACKAGE)?;
    let name = section.replace('_', "");
    debug_assert!(name.starts_with(MADE));
    let package = cx.package_mut(layers::PACKAGE)?;
    let id = package.add_section("device", Some(&section)).map_err(|error| Fault::internal(error.to_string()))?;
    for (option, value) in [("name", name.as_str()), ("type", "8021q"), ("enabled", "0")] {
        layers::set(cx, id, option, Some(value))?;
    }
    Ok(name)
}

/// What stands on it loses it (CONFORMANCE P-67).
fn delete(cx: &mut Context, row: &Row) -> Result<(), Fault> {
    let device = cx.key(row)?;
    detach_from(cx, &device)?;
    layers::device_switch(cx, &device)?.forget(cx);
    layers::replace_device(cx, &device, None, true)
}

/// Leaves the VLANs on a device without one. A VLAN that is only a name becomes a section, since it cannot say so otherwise.
pub(in super::super) fn detach_from(cx: &mut Context, device: &str) -> Result<(), Fault> {
    let network = layers::network(cx)?;
    for name in network.vlans() {
        let Some(vlan) = network.vlan(&name).filter(|vlan| vlan.below == device) else { continue };
        write(cx, &name, &layers::Vlan { below: String::new(), ..vlan })?;
    }
    Ok(())
}

/// Writes what a device is a VLAN of into its `config device`.
fn write(cx: &mut Context, name: &str, vlan: &layers::Vlan) -> Result<(), Fault> {
    let id = match layers::network(cx)?.device(name) {
        Some(device) => device.id,
        None => cx.add_section(layers::PACKAGE, "device", &[("name", name)])?.0,
    };
    layers::set(cx, id, "type", Some(if vlan.provider { "8021ad" } else { "8021q" }))?;
    layers::set(cx, id, "ifname", Some(&vlan.below))?;
    let number = (vlan.id != 0).then(|| vlan.id.to_string());
    layers::set(cx, id, "vid", number.as_deref())
}

/// Gives a VLAN another name wherever it is named.
pub(super) fn rename(cx: &mut Context, old: &str, new: &str) -> Result<(), Fault> {
    super::link::rename(cx, old, new)?;
    layers::replace_device(cx, old, Some(new), true)
}

fn set(cx: &mut Context, row: &Row, values: &Values<'_>) -> Result<(), (&'static str, Fault)> {
    let fault = |fault: Fault| ("LowerLayers", fault);
    let device = cx.key(row).map_err(|error| fault(error.into()))?;
    let before = vlan_of(cx, row).map_err(|error| fault(error.into()))?;
    let mut vlan = before.clone();
    if let Some(path) = values.get("LowerLayers") {
        let now = lower_layers(cx, row).map_err(|error| fault(error.into()))?;
        if now != path {
            vlan.below = below_of(cx, path).map_err(fault)?;
        }
    }
    if let Some(id) = values.get("VLANID") {
        // The number of a new row is none yet, and reads as 1.
        vlan.id = id.parse().map_err(|_| ("VLANID", Fault::value("not a VLAN")))?;
    }
    if let Some(tpid) = values.get("TPID") {
        vlan.provider = match tpid {
            CUSTOMER => false,
            PROVIDER => true,
            _ => return Err(("TPID", Fault::value("only 33024 (802.1Q) and 34984 (802.1ad)"))),
        };
    }
    if vlan == before {
        return Ok(());
    }
    if vlan.below == device {
        return Err(fault(Fault::value("a VLAN on itself")));
    }
    store(cx, row, &device, &before, &vlan).map_err(fault)
}

/// The device of a link, or of another VLAN; of a port that has no link yet.
fn below_of(cx: &mut Context, path: &str) -> Result<String, Fault> {
    if path.is_empty() {
        return Ok(String::new());
    }
    layers::device_of_path(cx, path).ok_or_else(|| Fault::value(format!("not a row of {LINKS} that is on something")))
}

fn store(cx: &mut Context, row: &Row, device: &str, before: &layers::Vlan, vlan: &layers::Vlan) -> Result<(), Fault> {
    let network = layers::network(cx)?;
    let twin = |name: &String| name != device && network.vlan(name).as_ref() == Some(vlan);
    if vlan.id != 0 && !vlan.below.is_empty() {
        if let Some(twin) = network.vlans().iter().find(|name| twin(name)) {
            return Err(Fault::value(format!("{twin} is this VLAN already")));
        }
    }
    let only_a_name = network.device(device).is_none_or(|device| device.kind.is_empty());
    let usual = |vlan: &layers::Vlan| format!("{}.{}", vlan.below, vlan.id);
    let name = usual(vlan);
    let known = !vlan.below.is_empty() && vlan.id != 0;
    let follows = device == usual(before) || device.starts_with(MADE);
    let free = network.device(&name).is_none() && network.vlans().iter().all(|other| *other != name);
    let renamed = known && follows && free && name.len() <= LONGEST_NAME;
    if !(only_a_name && renamed && !vlan.provider) {
        write(cx, device, vlan)?;
    }
    if renamed {
        let old = layers::device_switch(cx, device)?;
        rename(cx, device, &name)?;
        old.forget(cx);
        cx.move_row(row, &name);
    }
    Ok(())
}
