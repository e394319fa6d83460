//! `Device.DynamicDNS.Client.{i}.`: the `service` sections.

use super::{CLIENT_ON, INTERFACE, PACKAGE, SERVER, SERVICE, installed, is_on, mark, section_of, server, turn};
use crate::device::own_keys;
use crate::error::{Fault, FaultCode, Result};
use crate::model::access::truth;
use crate::model::context::{Context, Row};
use crate::model::schema::{
    Object, Table, Text, alias, change, count, functional, get, get_set, ro, rw, sections, uci,
};
use crate::model::value::{BOOLEAN, Format, STRING, UNSIGNED_INT};

/// The scripts take texts from UCI into variables of the shell; what could end one there is kept away from them.
const PLAIN: Format = Format { name: "text without quotes, `$` and control characters", check: |text| is_plain(text) };

pub(super) fn is_plain(text: &str) -> bool {
    !text.chars().any(|c| c.is_control() || matches!(c, '"' | '\'' | '`' | '$' | '\\'))
}

pub(super) static CLIENT: Object = Object::table(
    "Device.DynamicDNS.Client.{i}.",
    Table::new(sections(PACKAGE, SERVICE))
        .writable(&[])
        .added_by(add)
        .deleted_by(delete)
        .keys(&[functional(&["Server", "Username"])])
        .enabled_by("Enable")
        .at_most(32),
    &[
        rw("Enable", BOOLEAN, get_set(enable, set_enable)),
        ro(
            "Status",
            STRING.values(&["Connecting", "Authenticating", "Updated", "Error_Misconfigured", "Error", "Disabled"]),
            get(|cx, row| Ok(Text::Borrowed(status(cx, row)?))),
        ),
        alias(),
        ro(
            "LastError",
            STRING.values(&[
                "NO_ERROR",
                "MISCONFIGURATION_ERROR",
                "DNS_ERROR",
                "CONNECTION_ERROR",
                "AUTHENTICATION_ERROR",
                "TIMEOUT_ERROR",
                "PROTOCOL_ERROR",
            ]),
            get(last_error),
        ),
        rw("Server", STRING.strong(&[SERVER]).lengths(&[(0, 256)]), change(server_path, set_server)),
        rw("Interface", STRING.strong(&[INTERFACE]).lengths(&[(0, 256)]), change(interface, set_interface)),
        rw("Username", STRING.lengths(&[(0, 256)]).format(PLAIN), uci("username")),
        rw("Password", STRING.lengths(&[(0, 256)]).format(PLAIN), uci("password")).hidden(),
        ro("HostnameNumberOfEntries", UNSIGNED_INT, count("Hostname")),
    ],
);

fn add(cx: &mut Context, _: &Row) -> Result<String, Fault> {
    if !installed(cx) {
        return Err(Fault::new(FaultCode::REQUEST_DENIED, "ddns-scripts is not installed"));
    }
    let options = [("enabled", "0"), ("interface", "wan"), ("ip_source", "network"), ("ip_network", "wan")];
    let (_, section) = cx.add_section(PACKAGE, SERVICE, &options)?;
    own_keys::set_wish(cx, &mark(&section, CLIENT_ON), Some(false));
    Ok(section)
}

fn delete(cx: &mut Context, row: &Row) -> Result<(), Fault> {
    let (id, section) = section_of(cx, row)?;
    for what in ["client_on", "hostname_on", "hostname", "server"] {
        own_keys::set_own(cx, &mark(&section, what), None);
    }
    cx.package_mut(PACKAGE)?.remove_section(id);
    Ok(())
}

fn enable(cx: &mut Context, row: &Row) -> Result<Text> {
    let (id, section) = section_of(cx, row)?;
    Ok(truth(is_on(cx, id, &section, CLIENT_ON)?))
}

fn set_enable(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    if value == "true" && enable(cx, row)? == value {
        return Ok(());
    }
    let (id, section) = section_of(cx, row)?;
    turn(cx, id, &section, Some((CLIENT_ON, value == "true")))
}

/// A file that the scripts keep of a client.
pub(super) fn file(cx: &mut Context, section: &str, kind: &str) -> Option<std::rc::Rc<str>> {
    let is_name = !section.is_empty() && section.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if is_name { cx.file(&format!("/var/run/ddns/{section}.{kind}")).ok() } else { None }
}

/// When the address was sent the last time, in seconds of uptime; `None` for never.
pub(super) fn updated(cx: &mut Context, section: &str) -> Option<u64> {
    file(cx, section, "update")?.parse().ok().filter(|uptime| *uptime > 0)
}

/// What the files of the scripts say.
fn status(cx: &mut Context, row: &Row) -> Result<&'static str> {
    let (id, section) = section_of(cx, row)?;
    if !is_on(cx, id, &section, CLIENT_ON)? {
        return Ok("Disabled");
    }
    if !super::in_force(cx, id)? {
        return Ok("Error_Misconfigured");
    }
    let runs = file(cx, &section, "pid").is_some();
    Ok(match (updated(cx, &section).is_some(), runs) {
        (true, _) => "Updated",
        (false, true) => "Connecting",
        (false, false) => "Error",
    })
}

fn last_error(cx: &mut Context, row: &Row) -> Result<Text> {
    Ok(Text::Borrowed(match status(cx, row)? {
        "Error_Misconfigured" => "MISCONFIGURATION_ERROR",
        "Error" => "CONNECTION_ERROR",
        _ => "NO_ERROR",
    }))
}

fn interface(cx: &mut Context, row: &Row) -> Result<Text> {
    let name = cx.option(row, "interface")?.unwrap_or_default();
    Ok(cx.path_of_key(INTERFACE, &name).map_or(Text::Borrowed(""), Text::Owned))
}

/// The scripts start a client when `interface` comes up, and send the address of `ip_network`, which only follows while it is the same.
fn set_interface(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let name = cx.section_of_path(INTERFACE, value)?;
    let (before, sent) = (cx.option(row, "interface")?, cx.option(row, "ip_network")?);
    if cx.option(row, "ip_source")?.is_none_or(|source| source == "network") && (sent.is_none() || sent == before) {
        cx.set_option(row, "ip_network", name.as_deref())?;
    }
    cx.set_option(row, "interface", name.as_deref())
}

fn server_path(cx: &mut Context, row: &Row) -> Result<Text> {
    let (id, section) = section_of(cx, row)?;
    let key = server::of_client(cx, id, &section)?;
    let path = key.and_then(|key| cx.path_of_key(SERVER, &key));
    Ok(path.map_or(Text::Borrowed(""), Text::Owned))
}

fn set_server(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let key = match value {
        "" => None,
        path => {
            let target = cx.row_of_path(SERVER, path).ok_or_else(|| Fault::value(format!("there is no {path}")))?;
            Some(cx.key(&target)?)
        }
    };
    let (id, section) = section_of(cx, row)?;
    server::give(cx, id, &section, key.as_deref())
}
