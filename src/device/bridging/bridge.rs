//! `Device.Bridging.Bridge.{i}.`: a `config device` of type `bridge`.

use super::super::{ethernet, layers, net};
use super::{MOST_BRIDGES, bridge_name, vlan};
use crate::error::{Fault, Result};
use crate::model::access::{full_name, truth, uci_truth};
use crate::model::context::{Context, Row};
use crate::model::schema::{
    Object, Table, Text, alias, count, get, get_set, ro, rw, sections_where, uci, uci_bool, uci_custom, uci_or,
};
use crate::model::value::{BOOLEAN, STRING, UNSIGNED_INT};
use crate::platform::uci::Section;

/// TR-181 2.17 Device.Bridging.Bridge.{i}.
pub static BRIDGE: Object = Object::table(
    "Device.Bridging.Bridge.{i}.",
    Table::new(sections_where("network", "device", is_bridge))
        .added_by(|cx, _| add(cx))
        .deleted_by(delete)
        .enabled_by("Enable")
        .at_most(MOST_BRIDGES),
    &[
        rw("Enable", BOOLEAN, get_set(|cx, row| Ok(truth(is_enabled(cx, row)?)), set_enable)).default("false"),
        ro("Status", STRING.values(&["Disabled", "Enabled", "Error"]), get(status)).default("Disabled"),
        alias(),
        ro("Name", STRING.lengths(&[(0, 64)]), uci("name")),
        rw("Standard", STRING.values(&["802.1D-2004", "802.1Q-2005", "802.1Q-2011"]), get_set(standard, set_standard)),
        rw("AgingTime", UNSIGNED_INT.ranges(&[(10, 1_000_000)]), uci_or("ageing_time", "300")).default("300"),
        ro("PortNumberOfEntries", UNSIGNED_INT, count("Port")),
        ro("VLANNumberOfEntries", UNSIGNED_INT, count("VLAN")),
        ro("VLANPortNumberOfEntries", UNSIGNED_INT, count("VLANPort")),
    ],
);

/// TR-181 2.17 Device.Bridging.Bridge.{i}.STP.
///
/// UCI has seconds, TR-181 hundredths for two of the times. What is not set is as netifd does it.
pub static STP: Object = Object::single(
    "Device.Bridging.Bridge.{i}.STP.",
    &[
        rw("Enable", BOOLEAN, uci_bool("stp", "false")).default("false"),
        ro("Status", STRING.values(&["Disabled", "Enabled", "Error_Misconfigured", "Error"]), get(stp_status))
            .default("Disabled"),
        // The kernel has no other.
        rw("Protocol", STRING.values(&["STP", "RSTP"]), get_set(|_, _| Ok(Text::Borrowed("STP")), set_protocol)),
        rw(
            "BridgePriority",
            UNSIGNED_INT.ranges(&[(0, 61440)]),
            uci_custom("priority", "32768", priority, |value| match value.parse::<u32>() {
                Ok(priority) if priority % 4096 == 0 => Ok(Some(String::from(value))),
                _ => Err(Fault::value("the priority of a bridge goes in steps of 4096")),
            }),
        )
        .default("32768"),
        rw("HelloTime", UNSIGNED_INT.ranges(&[(100, 1000)]), uci_custom("hello_time", "200", hundredths, seconds))
            .default("200"),
        rw("MaxAge", UNSIGNED_INT.ranges(&[(600, 4000)]), uci_custom("max_age", "2000", hundredths, seconds))
            .default("2000"),
        rw("ForwardingDelay", UNSIGNED_INT.ranges(&[(4, 30)]), uci_or("forward_delay", "15")).default("15"),
    ],
);

fn is_bridge(section: &Section<'_>) -> bool {
    section.get("type") == Some("bridge") && section.get("name").is_some_and(net::is_device_name)
}

/// A priority as TR-181 has it: netifd's own is one below a step.
fn priority(text: &str) -> Text {
    let steps = text.parse::<u32>().unwrap_or(32768).min(61440).div_ceil(4096);
    Text::Owned(steps.saturating_mul(4096).to_string())
}

fn hundredths(text: &str) -> Text {
    Text::Owned(text.parse::<u32>().unwrap_or(0).saturating_mul(100).to_string())
}

fn seconds(value: &str) -> Result<Option<String>, Fault> {
    match value.parse::<u32>() {
        Ok(hundredths) if hundredths % 100 == 0 => Ok(Some((hundredths / 100).to_string())),
        _ => Err(Fault::value("whole seconds only: a multiple of 100")),
    }
}

/// A bridge without ports yet, under a name that nothing else has.
fn add(cx: &mut Context) -> Result<String, Fault> {
    let section = cx.new_section_name(layers::PACKAGE)?;
    let name = format!("br-{}", section.replace('_', ""));
    let package = cx.package_mut(layers::PACKAGE)?;
    let id = package.add_section("device", Some(&section)).map_err(|error| Fault::internal(error.to_string()))?;
    let options = [("name", name.as_str()), ("type", "bridge"), ("bridge_empty", "1"), ("enabled", "0")];
    for (option, value) in options {
        layers::set(cx, id, option, Some(value))?;
    }
    Ok(section)
}

/// Its VLANs go with it; what stands on it loses it (CONFORMANCE P-67).
fn delete(cx: &mut Context, row: &Row) -> Result<(), Fault> {
    let name = bridge_name(cx, row)?;
    for vlan in vlan::all(cx, row)? {
        vlan::remove(cx, &vlan)?;
    }
    ethernet::detach_vlans(cx, &name)?;
    layers::device_switch(cx, &name)?.forget(cx);
    layers::replace_device(cx, &name, None, false)?;
    let id = cx.section(row)?.id();
    cx.package_mut(layers::PACKAGE)?.remove_section(id);
    Ok(())
}

fn is_enabled(cx: &mut Context, row: &Row) -> Result<bool> {
    let name = bridge_name(cx, row)?;
    layers::device_switch(cx, &name)?.is_enabled(cx, "bridge")
}

fn set_enable(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let name = bridge_name(cx, row)?;
    layers::device_switch(cx, &name)?.set(cx, "bridge", value == "true")
}

fn status(cx: &mut Context, row: &Row) -> Result<Text> {
    let name = bridge_name(cx, row)?;
    let on = is_enabled(cx, row)? && net::device_exists(cx, &name);
    Ok(Text::Borrowed(if on { "Enabled" } else { "Disabled" }))
}

/// A bridge that filters by VLAN is one of 802.1Q; which edition it shall be called is the agent's own.
fn standard(cx: &mut Context, row: &Row) -> Result<Text> {
    if !filters(cx, row)? {
        return Ok(Text::Borrowed("802.1D-2004"));
    }
    let name = full_name(cx, row.node(), row, "Standard");
    Ok(Text::Borrowed(if cx.own(&name).as_deref() == Some("802.1Q-2005") { "802.1Q-2005" } else { "802.1Q-2011" }))
}

/// Whether a bridge filters by VLAN: because it is told to, or because it has VLANs.
pub(super) fn filters(cx: &mut Context, row: &Row) -> Result<bool> {
    let told = cx.option(row, "vlan_filtering")?.as_deref().and_then(uci_truth) == Some(true);
    Ok(told || vlan::all(cx, row)?.iter().any(|vlan| vlan.enabled))
}

fn set_standard(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let filters_now = filters(cx, row)?;
    if value == "802.1D-2004" {
        if filters_now && vlan::all(cx, row)?.iter().any(|vlan| vlan.enabled) {
            return Err(Fault::value("the bridge has VLANs"));
        }
        return cx.set_option(row, "vlan_filtering", None);
    }
    if !filters_now {
        cx.set_option(row, "vlan_filtering", Some("1"))?;
    }
    let name = full_name(cx, row.node(), row, "Standard");
    let edition = (value == "802.1Q-2005").then_some(value);
    if cx.own(&name).as_deref() != edition {
        cx.set_own(&name, edition);
    }
    Ok(())
}

fn stp_status(cx: &mut Context, row: &Row) -> Result<Text> {
    let name = bridge_name(cx, row)?;
    let on = net::sysfs(cx, &name, "bridge/stp_state").is_some_and(|state| &*state != "0");
    Ok(Text::Borrowed(if on { "Enabled" } else { "Disabled" }))
}

fn set_protocol(_: &mut Context, _: &Row, value: &str) -> Result<(), Fault> {
    super::same(value, "STP", "the router only has STP")
}
