//! `Device.IP.`: the logical interfaces of netifd.

mod active_port;
mod address;
#[cfg(feature = "diagnostics")]
pub mod diagnostics;
pub mod interface;
mod prefix;

use super::layers;
use crate::error::{Fault, Result};
use crate::model::context::{Context, Row};
use crate::model::format::IPV6_PREFIX;
use crate::model::schema::{Object, Text, constant, count, get, get_set, ro, rw, uci_custom};
use crate::model::value::{BOOLEAN, STRING, Type, UNSIGNED_INT};

const STATUS: Type = STRING.values(&["Disabled", "Enabled", "Error"]);

/// Where the wish to have no IPv6 is kept.
const IPV6_ENABLE: &str = "Device.IP.IPv6Enable";

/// What the kernel says of IPv6 on all devices: `1` for off.
const DISABLE_IPV6: &str = "/proc/sys/net/ipv6/conf/all/disable_ipv6";

/// TR-181 2.17 Device.IP.
pub static IP: Object = Object::single(
    "Device.IP.",
    &[
        ro("IPv4Capable", BOOLEAN, constant("true")),
        // A router of this kind has nothing left without IPv4.
        rw("IPv4Enable", BOOLEAN, get_set(|_, _| Ok(Text::Borrowed("true")), |_, _, value| only_true(value))),
        ro("IPv4Status", STATUS, constant("Enabled")),
        ro("IPv6Capable", BOOLEAN, get(|cx, _| Ok(truth(ipv6_capable(cx))))),
        rw("IPv6Enable", BOOLEAN, get_set(|cx, _| Ok(truth(ipv6_wanted(cx))), set_ipv6)),
        ro("IPv6Status", STATUS, get(ipv6_status)),
        rw(
            "ULAPrefix",
            STRING.lengths(&[(0, 49)]).format(IPV6_PREFIX),
            uci_custom("network.globals=globals.ula_prefix", "", ula_prefix, set_ula_prefix),
        ),
        ro("InterfaceNumberOfEntries", UNSIGNED_INT, count("Interface")),
        ro("ActivePortNumberOfEntries", UNSIGNED_INT, count("ActivePort")),
    ],
);

/// The objects of this directory.
pub static OBJECTS: &[&Object] = &[
    &IP,
    &interface::INTERFACE,
    &interface::STATS,
    &address::IPV4_ADDRESS_TABLE,
    &address::IPV6_ADDRESS_TABLE,
    &prefix::IPV6_PREFIX_TABLE,
    &active_port::ACTIVE_PORT,
];

/// `auto`, as a new router has it, is none yet.
fn ula_prefix(text: &str) -> Text {
    if (IPV6_PREFIX.check)(text) { Text::Owned(String::from(text)) } else { Text::Borrowed("") }
}

/// Unique local addresses are those of fc00::/7 (RFC 4193 3.1).
fn set_ula_prefix(value: &str) -> Result<Option<String>, Fault> {
    let unique = |value: &str| prefix::parse(value).is_some_and(|(bits, _)| bits >> 121 == 0b111_1110);
    if value.is_empty() || unique(value) {
        return Ok((!value.is_empty()).then(|| String::from(value)));
    }
    Err(Fault::value("not a prefix out of fc00::/7"))
}

fn truth(value: bool) -> Text {
    Text::Borrowed(if value { "true" } else { "false" })
}

fn only_true(value: &str) -> Result<(), Fault> {
    if value == "true" { Ok(()) } else { Err(Fault::value("the router cannot do without IPv4")) }
}

fn ipv6_capable(cx: &mut Context) -> bool {
    cx.file(DISABLE_IPV6).is_ok()
}

fn ipv6_wanted(cx: &mut Context) -> bool {
    cx.own(IPV6_ENABLE).is_none_or(|value| value != "false") && ipv6_capable(cx)
}

fn ipv6_status(cx: &mut Context, _: &Row) -> Result<Text> {
    let on = ipv6_wanted(cx) && cx.file(DISABLE_IPV6).is_ok_and(|text| text.as_ref() == "0");
    Ok(Text::Borrowed(if on { "Enabled" } else { "Disabled" }))
}

/// UCI has no switch for the kernel, so that the wish is the agent's own and the daemon repeats it after a boot; see [`ipv6_switch`]. What would
/// only ask for IPv6 in vain is disabled.
fn set_ipv6(cx: &mut Context, _: &Row, value: &str) -> Result<(), Fault> {
    let on = value == "true";
    if on && !ipv6_capable(cx) {
        return Err(Fault::value("the kernel has no IPv6"));
    }
    if ipv6_wanted(cx) != on {
        // Their switches have a part for this as long as it is off.
        if on {
            set_interfaces(cx, true)?;
        }
        cx.set_own(IPV6_ENABLE, (!on).then_some("false"));
        if !on {
            set_interfaces(cx, false)?;
        }
        cx.after(&ipv6_switch(on));
    }
    Ok(())
}

/// Switches the interfaces off or on that have nothing but IPv6: what is disabled for another reason stays so.
fn set_interfaces(cx: &mut Context, on: bool) -> Result<(), Fault> {
    let network = layers::network(cx)?;
    for interface in network.interfaces.iter().filter(|interface| interface::is_ipv6(&interface.proto)) {
        let switch = layers::switch_of_interface(cx, interface.id, interface.name.clone(), &interface.proto);
        switch.set(cx, layers::IPV6, on)?;
    }
    Ok(())
}

/// Whether the ACS has switched IPv6 off.
#[must_use]
pub fn ipv6_switched_off(cx: &Context) -> bool {
    cx.own(IPV6_ENABLE).is_some_and(|value| value == "false")
}

/// The program that switches IPv6 on or off.
#[must_use]
pub fn ipv6_switch(on: bool) -> [&'static str; 3] {
    ["/sbin/sysctl", "-w", if on { "net.ipv6.conf.all.disable_ipv6=0" } else { "net.ipv6.conf.all.disable_ipv6=1" }]
}
