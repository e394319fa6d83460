//! `Device.DynamicDNS.` (TR-181 2.17): ddns-scripts, where they are installed.
//!
//! A `service` section is a client with one name of a host, and says itself which provider it goes to and how. TR-181 has that apart, as a server that
//! clients refer to: `server` brings the two together.

mod client;
mod hostname;
mod server;

use crate::error::{Fault, Result};
use crate::model::access::uci_truth;
use crate::model::context::{Context, Row};
use crate::model::schema::{Object, Text, count, get, ro};
use crate::model::value::{STRING, UNSIGNED_INT};
use crate::platform::uci::{EditError, SectionId};

use super::own_keys;

/// The UCI package, and the type of its sections.
const PACKAGE: &str = "ddns";
const SERVICE: &str = "service";
/// The table of logical interfaces.
const INTERFACE: &str = "Device.IP.Interface.";
/// The table of servers.
const SERVER: &str = "Device.DynamicDNS.Server.";
/// The names of the providers that the scripts know, one a line.
const PROVIDERS: &str = "/usr/share/ddns/list";

static DYNAMIC_DNS: Object = Object::single(
    "Device.DynamicDNS.",
    &[
        ro("ClientNumberOfEntries", UNSIGNED_INT, count("Client")),
        ro("ServerNumberOfEntries", UNSIGNED_INT, count("Server")),
        ro("SupportedServices", STRING.list_within((0, u32::MAX), 1024), get(|cx, _| Ok(supported(cx)))),
    ],
);

/// The objects of this directory, tables before what lies in them.
pub static OBJECTS: &[&Object] = &[&DYNAMIC_DNS, &client::CLIENT, &hostname::HOSTNAME, &server::SERVER_TABLE];

fn installed(cx: &mut Context) -> bool {
    super::is_installed(cx, PACKAGE, "ddns")
}

/// The providers that the scripts on the router know.
fn providers(cx: &mut Context) -> Vec<String> {
    let Ok(text) = cx.file(PROVIDERS) else { return Vec::new() };
    let names = text.lines().map(str::trim).filter(|name| !name.is_empty() && !name.contains([',', '#']));
    names.map(String::from).collect()
}

/// As many of the providers as the parameter holds.
fn supported(cx: &mut Context) -> Text {
    let mut list = String::new();
    for name in providers(cx) {
        if list.len().saturating_add(name.len()) >= 1024 {
            break;
        }
        if !list.is_empty() {
            list.push(',');
        }
        list.push_str(&name);
    }
    Text::Owned(list)
}

/// The sections of all clients, with their names.
fn services(cx: &mut Context) -> Result<Vec<(SectionId, String)>> {
    let sections = cx.package(PACKAGE)?.sections().filter(|section| section.kind() == SERVICE);
    let ids: Vec<SectionId> = sections.map(|section| section.id()).collect();
    ids.into_iter().map(|id| Ok((id, cx.section_name(PACKAGE, id)?))).collect()
}

fn option(cx: &mut Context, id: SectionId, option: &str) -> Result<Option<String>> {
    Ok(cx.package(PACKAGE)?.section(id).and_then(|section| section.get(option)).map(String::from))
}

fn set_option(cx: &mut Context, id: SectionId, name: &str, value: Option<&str>) -> Result<(), Fault> {
    if option(cx, id, name)?.as_deref() == value {
        return Ok(());
    }
    let section = cx.section_name(PACKAGE, id)?;
    let refused = |error: EditError| Fault::value(error.to_string());
    let package = cx.package_mut(PACKAGE)?;
    package.rename_section(id, &section).map_err(refused)?;
    package.set(id, name, value.unwrap_or_default()).map(|_| ()).map_err(refused)
}

/// A mark of a client in the agent's own state.
fn mark(section: &str, what: &str) -> String {
    format!("ddns.{section}.{what}")
}

/// Whether the scripts take care of a client.
fn in_force(cx: &mut Context, id: SectionId) -> Result<bool> {
    Ok(option(cx, id, "enabled")?.as_deref().and_then(uci_truth).unwrap_or(false))
}

/// The switches of a client: its own, and that of its name. While it is not in force, marks say which are on all the same (`1`), and which are what
/// keeps it off (`0`). Without marks somebody else has switched it off as a whole.
const CLIENT_ON: &str = "client_on";
const HOSTNAME_ON: &str = "hostname_on";

fn is_on(cx: &mut Context, id: SectionId, section: &str, switch: &str) -> Result<bool> {
    Ok(in_force(cx, id)? || own_keys::wish(cx, &mark(section, switch)) == Some(true))
}

/// Turns a switch, and brings `enabled` into line with all of them.
fn turn(cx: &mut Context, id: SectionId, section: &str, turned: Option<(&str, bool)>) -> Result<(), Fault> {
    let was_on = in_force(cx, id)?;
    let mut wanted = [(CLIENT_ON, None), (HOSTNAME_ON, None)];
    for (switch, wish) in &mut wanted {
        *wish = match turned {
            Some((name, value)) if name == *switch => Some(value),
            _ if was_on => Some(true),
            _ => own_keys::wish(cx, &mark(section, switch)),
        };
        // What was switched off as a whole comes back as a whole.
        if matches!(turned, Some((_, true))) {
            *wish = wish.or(Some(true));
        }
    }
    let named = option(cx, id, "lookup_host")?.is_some() || option(cx, id, "domain")?.is_some();
    let on = named && wanted.iter().all(|(_, wish)| *wish == Some(true)) && server::is_usable(cx, id, section)?;
    if in_force(cx, id)? != on {
        set_option(cx, id, "enabled", Some(if on { "1" } else { "0" }))?;
    }
    for (switch, wish) in wanted {
        own_keys::set_wish(cx, &mark(section, switch), wish.filter(|_| !on));
    }
    Ok(())
}

/// The section of the client that a row, or the row around it, is.
fn section_of(cx: &mut Context, row: &Row) -> Result<(SectionId, String)> {
    match row.id() {
        &crate::model::context::RowId::Section(id) => Ok((id, cx.section_name(PACKAGE, id)?)),
        _ => {
            let around = row.parent().cloned().ok_or_else(|| crate::error::Error::other("a name has a client"))?;
            section_of(cx, &around)
        }
    }
}
