//! `Device.UPnP.Device.` (TR-181 2.17): miniupnpd as an internet gateway, where it is installed.
//!
//! UPnP and its one device are two switches over one option. The option is on when both are; while it is off, marks in the agent's own state say which of
//! them is on all the same (`1`), and which keeps it off (`0`). Who switches the option on has switched both on; what somebody else has switched off, so
//! that there are no marks, comes back as a whole.

use crate::device::own_keys;
use crate::error::{Fault, Result};
use crate::model::access::{truth, uci_truth};
use crate::model::context::{Context, Row};
use crate::model::schema::{Object, Text, get, get_set, ro, rw};
use crate::model::value::{BOOLEAN, UNSIGNED_INT};

static DEVICE: Object = Object::single(
    "Device.UPnP.Device.",
    &[
        rw("Enable", BOOLEAN, get_set(|cx, _| enable(cx, ENABLE), |cx, _, value| set_enable(cx, ENABLE, value))),
        rw("UPnPIGD", BOOLEAN, get_set(|cx, _| enable(cx, IGD), |cx, _, value| set_enable(cx, IGD, value))),
    ],
);

static CAPABILITIES: Object = Object::single(
    "Device.UPnP.Device.Capabilities.",
    &[
        ro("UPnPArchitecture", UNSIGNED_INT, get(|cx, _| Ok(Text::Borrowed(if installed(cx) { "1" } else { "0" })))),
        ro("UPnPIGD", UNSIGNED_INT, get(igd_version)),
    ],
);

/// The objects of this file.
pub static OBJECTS: &[&Object] = &[&DEVICE, &CAPABILITIES];

const PACKAGE: &str = "upnpd";
const ENABLE: &str = "upnp.enable";
const IGD: &str = "upnp.igd";

fn installed(cx: &mut Context) -> bool {
    super::is_installed(cx, PACKAGE, "miniupnpd")
}

fn in_force(cx: &mut Context) -> Result<bool> {
    let config = cx.package(PACKAGE)?.find("config");
    Ok(config.and_then(|config| config.get("enabled")).and_then(uci_truth).unwrap_or(false))
}

fn enable(cx: &mut Context, which: &str) -> Result<Text> {
    Ok(truth(in_force(cx)? || own_keys::wish(cx, which) == Some(true)))
}

fn set_enable(cx: &mut Context, which: &'static str, value: &str) -> Result<(), Fault> {
    let wanted = value == "true";
    if enable(cx, which)? == value && (wanted || !installed(cx)) {
        return Ok(());
    }
    if !installed(cx) {
        return Err(Fault::value("miniupnpd is not installed"));
    }
    let was_on = in_force(cx)?;
    let other = if which == ENABLE { IGD } else { ENABLE };
    let other_wanted = if was_on { Some(true) } else { own_keys::wish(cx, other) };
    let other_wanted = other_wanted.or(wanted.then_some(true));
    let on = wanted && other_wanted == Some(true);
    if was_on != on {
        let found = cx.package(PACKAGE)?.find("config").map(|config| config.id());
        let package = cx.package_mut(PACKAGE)?;
        let refused = |error: crate::platform::uci::EditError| Fault::internal(error.to_string());
        let id = match found {
            Some(id) => id,
            None => package.add_section("upnpd", Some("config")).map_err(refused)?,
        };
        package.set(id, "enabled", if on { "1" } else { "0" }).map_err(refused)?;
    }
    for (switch, wish) in [(which, Some(wanted)), (other, other_wanted)] {
        own_keys::set_wish(cx, switch, wish.filter(|_| !on));
    }
    Ok(())
}

/// miniupnpd is a gateway of version 2 unless it is told to be one of version 1.
fn igd_version(cx: &mut Context, _: &Row) -> Result<Text> {
    if !installed(cx) {
        return Ok(Text::Borrowed("0"));
    }
    let config = cx.package(PACKAGE)?.find("config");
    let first = config.and_then(|config| config.get("igdv1")).and_then(uci_truth).unwrap_or(false);
    Ok(Text::Borrowed(if first { "1" } else { "2" }))
}
