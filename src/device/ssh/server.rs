//! `Device.SSH.Server.{i}.`: the `dropbear` sections.
//!
//! dropbear has no switch for all servers. While the ACS has switched SSH off, every section is disabled, and which of them are wanted all the same is the
//! agent's own state. A section that somebody else enables has switched SSH on.

use super::PACKAGE;
use crate::device::own_keys;
use crate::error::{Fault, Result};
use crate::model::access::{full_name, truth, uci_truth};
use crate::model::context::{Context, Row};
use crate::model::schema::{Object, Table, Text, alias, change, get, ro, rw, sections, uci_bool, uci_or, uci_row};
use crate::model::value::{BOOLEAN, STRING, UNSIGNED_INT};

const INTERFACE: &str = "Device.IP.Interface.";

pub(super) static SERVER: Object = Object::table(
    "Device.SSH.Server.{i}.",
    Table::new(sections(PACKAGE, "dropbear")).writable(&[("enable", "0")]).at_most(16),
    &[
        rw("Enable", BOOLEAN, change(enable, set_enable)),
        ro("Status", STRING.values(&["Disabled", "Enabled", "Error", "Error_Misconfigured"]), get(status)),
        alias(),
        rw("Interface", STRING.strong(&[INTERFACE]).lengths(&[(0, 256)]), uci_row("Interface", INTERFACE)).default(""),
        rw("Port", UNSIGNED_INT.ranges(&[(1, 65_535)]), uci_or("Port", "22")).default("22"),
        rw("IdleTimeout", UNSIGNED_INT, uci_or("IdleTimeout", "0")).default("180"),
        rw("KeepAlive", UNSIGNED_INT, uci_or("SSHKeepAlive", "300")).default("300"),
        rw("AllowRootLogin", BOOLEAN, uci_bool("RootLogin", "true")).default("false"),
        rw("AllowPasswordLogin", BOOLEAN, uci_bool("PasswordAuth", "true")).default("false"),
        rw("AllowRootPasswordLogin", BOOLEAN, uci_bool("RootPasswordAuth", "true")).default("false"),
        rw("MaxAuthTries", UNSIGNED_INT, uci_or("MaxAuthTries", "3")).default("3"),
    ],
);

/// Says that the ACS has switched all servers off.
const OFF: &str = "ssh.off";

fn in_force(cx: &mut Context, row: &Row) -> Result<bool> {
    Ok(cx.option(row, "enable")?.as_deref().and_then(uci_truth).unwrap_or(true))
}

fn any_in_force(cx: &mut Context) -> Result<bool> {
    let mut servers = cx.package(PACKAGE)?.sections().filter(|section| section.kind() == "dropbear");
    Ok(servers.any(|server| server.get("enable").and_then(uci_truth).unwrap_or(true)))
}

fn is_off(cx: &mut Context) -> Result<bool> {
    Ok(cx.own(OFF).is_some() && !any_in_force(cx)?)
}

fn wish(cx: &Context, row: &Row) -> String {
    full_name(cx, row.node(), row, "Enable")
}

fn enable(cx: &mut Context, row: &Row) -> Result<Text> {
    Ok(truth(in_force(cx, row)? || (is_off(cx)? && cx.own(&wish(cx, row)).is_some())))
}

fn set_enable(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let value = value == "true";
    if is_off(cx)? {
        let wish = wish(cx, row);
        own_keys::set_own(cx, &wish, value.then_some("1"));
        return Ok(());
    }
    cx.set_option(row, "enable", Some(if value { "1" } else { "0" }))
}

fn status(cx: &mut Context, row: &Row) -> Result<Text> {
    Ok(Text::Borrowed(if in_force(cx, row)? { "Enabled" } else { "Disabled" }))
}

pub(super) fn all_enabled(cx: &mut Context, _: &Row) -> Result<Text> {
    Ok(truth(!is_off(cx)?))
}

pub(super) fn all_status(cx: &mut Context, _: &Row) -> Result<Text> {
    Ok(Text::Borrowed(if any_in_force(cx)? { "Enabled" } else { "Disabled" }))
}

pub(super) fn set_all_enabled(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    if all_enabled(cx, row)? == value {
        return Ok(());
    }
    let on = value == "true";
    let schema = cx.schema().clone();
    let root = cx.root();
    let Some(node) = schema.find("Device.SSH.Server.") else { return Ok(()) };
    for entry in cx.rows(node, &root)?.iter() {
        let server = Row::new(node, &root, entry);
        let wish = wish(cx, &server);
        if on {
            if cx.own(&wish).is_some() {
                cx.set_option(&server, "enable", Some("1"))?;
            }
            own_keys::set_own(cx, &wish, None);
        } else {
            let was = in_force(cx, &server)?;
            own_keys::set_own(cx, &wish, was.then_some("1"));
            if was {
                cx.set_option(&server, "enable", Some("0"))?;
            }
        }
    }
    own_keys::set_own(cx, OFF, (!on).then_some("1"));
    Ok(())
}
