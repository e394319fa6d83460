//! `Device.Users.Role.{i}.`: groups of the access lists of rpcd (`/usr/share/rpcd/acl.d`), which logins have in `read` and `write`.
//!
//! A role is known by the name of its group as it was found in a login, or by a key of its own when the ACS has added it. Which roles a login has been
//! given is the agent's own state where they are not all enabled; UCI has those that are.

use super::PACKAGE;
use super::user::ROOT;
use crate::device::own_keys;
use crate::error::{Fault, Result};
use crate::model::access::truth;
use crate::model::context::{Context, Row};
use crate::model::schema::{Object, Rows, Table, Text, alias, constant, functional, get_set, ro, rw};
use crate::model::value::{BOOLEAN, Format, STRING};
use crate::platform::uci::SectionId;

pub(super) static ROLE_TABLE: Object = Object::table(
    "Device.Users.Role.{i}.",
    Table::new(Rows::Keys(|cx, _| keys(cx)))
        .added_by(|cx, _| Ok(own_keys::add(cx, ROLES)))
        .deleted_by(delete)
        .keys(&[functional(&["RoleName"])])
        .enabled_by("Enable")
        .at_most(64),
    &[
        alias(),
        rw("Enable", BOOLEAN, get_set(enable, set_enable)).default("false"),
        rw("RoleName", STRING.lengths(&[(0, 64)]).format(GROUP), get_set(name, set_name)).default(""),
        ro("StaticRole", BOOLEAN, constant("false")),
    ],
);

const GROUP: Format = Format {
    name: "name of a group of access lists",
    check: |text| text.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b',' | b'"' | b'\'')),
};

/// The roles that the ACS has added.
const ROLES: &str = "users.roles";

fn own(key: &str, what: &str) -> String {
    format!("users.role.{key}.{what}")
}

/// The roles that a login has been given, as keys.
fn given(login: &str) -> String {
    format!("users.{login}.roles")
}

/// The sections of all logins, with the keys of their users.
fn logins(cx: &mut Context) -> Result<Vec<(SectionId, String)>> {
    let sections = cx.package(PACKAGE)?.sections().filter(|section| section.kind() == "login");
    let found: Vec<_> = sections.map(|section| (section.id(), section.get("username") == Some(ROOT))).collect();
    let mut logins = Vec::with_capacity(found.len());
    for (id, is_root) in found {
        logins.push((id, if is_root { String::from(ROOT) } else { cx.section_name(PACKAGE, id)? }));
    }
    Ok(logins)
}

/// The groups in `read` and `write` of a login.
fn groups(cx: &mut Context, id: SectionId) -> Result<Vec<String>> {
    let mut groups: Vec<String> = Vec::new();
    let Some(section) = cx.package(PACKAGE)?.section(id) else { return Ok(groups) };
    for group in section.list("read").into_iter().chain(section.list("write")).flat_map(str::split_ascii_whitespace) {
        if !groups.iter().any(|known| known == group) {
            groups.push(String::from(group));
        }
    }
    Ok(groups)
}

fn keys(cx: &mut Context) -> Result<Vec<String>> {
    let added = own_keys::list(cx, ROLES);
    let taken: Vec<String> = added.iter().map(|key| name_of(cx, key)).collect();
    let mut keys = Vec::new();
    for (id, _) in logins(cx)? {
        for group in groups(cx, id)? {
            if !keys.contains(&group) && !taken.contains(&group) && !group.starts_with('+') {
                keys.push(group);
            }
        }
    }
    keys.extend(added);
    Ok(keys)
}

/// The group of a role.
fn name_of(cx: &Context, key: &str) -> String {
    if own_keys::list(cx, ROLES).iter().any(|added| added == key) {
        return cx.own(&own(key, "name")).unwrap_or_default();
    }
    String::from(key)
}

fn is_enabled(cx: &Context, key: &str) -> bool {
    !own_keys::list(cx, ROLES).iter().any(|added| added == key) || cx.own(&own(key, "enable")).is_some()
}

/// From now on a role that was found in a login is one that the ACS has.
fn adopt(cx: &mut Context, key: &str) -> Result<(), Fault> {
    let mut added = own_keys::list(cx, ROLES);
    if !added.iter().any(|known| known == key) {
        for (_, login) in logins(cx)? {
            let keys = of_login(cx, &login)?;
            if keys.iter().any(|known| known == key) {
                cx.set_own(&given(&login), Some(&keys.join(",")));
            }
        }
        cx.set_own(&own(key, "name"), Some(key));
        cx.set_own(&own(key, "enable"), Some("1"));
        added.push(String::from(key));
        own_keys::keep(cx, ROLES, &added);
    }
    Ok(())
}

/// The keys of the roles of a login: those in UCI, and those that it was given and that are not in force.
pub(super) fn of_login(cx: &mut Context, login: &str) -> Result<Vec<String>> {
    let Some((id, _)) = logins(cx)?.into_iter().find(|(_, name)| name == login) else { return Ok(Vec::new()) };
    let groups = groups(cx, id)?;
    let added = own_keys::list(cx, ROLES);
    let mut keys = Vec::new();
    for group in groups {
        let key = added.iter().find(|key| name_of(cx, key) == group).cloned();
        keys.push(key.unwrap_or(group));
    }
    for key in own_keys::list(cx, &given(login)) {
        let in_force = is_enabled(cx, &key) && !name_of(cx, &key).is_empty();
        if added.contains(&key) && !in_force && !keys.contains(&key) {
            keys.push(key);
        }
    }
    Ok(keys)
}

/// Gives a login these roles, and no others.
pub(super) fn set_of_login(cx: &mut Context, login: &str, keys: &[String]) -> Result<(), Fault> {
    own_keys::keep(cx, &given(login), keys);
    let Some((id, _)) = logins(cx)?.into_iter().find(|(_, name)| name == login) else { return Ok(()) };
    let groups: Vec<String> = keys
        .iter()
        .filter(|key| is_enabled(cx, key))
        .map(|key| name_of(cx, key))
        .filter(|group| !group.is_empty())
        .collect();
    let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
    let name = cx.section_name(PACKAGE, id)?;
    let package = cx.package_mut(PACKAGE)?;
    let refused = |error: crate::platform::uci::EditError| Fault::value(error.to_string());
    package.rename_section(id, &name).map_err(refused)?;
    for option in ["read", "write"] {
        package.set_list(id, option, &groups).map_err(refused)?;
    }
    Ok(())
}

/// Changes a role, and then every login that has it.
fn change(cx: &mut Context, key: &str, change: impl FnOnce(&mut Context)) -> Result<(), Fault> {
    adopt(cx, key)?;
    let mut having = Vec::new();
    for (_, login) in logins(cx)? {
        let keys = of_login(cx, &login)?;
        if keys.iter().any(|known| known == key) {
            having.push((login, keys));
        }
    }
    change(cx);
    for (login, keys) in having {
        set_of_login(cx, &login, &keys)?;
    }
    Ok(())
}

fn enable(cx: &mut Context, row: &Row) -> Result<Text> {
    let key = cx.key(row)?;
    Ok(truth(is_enabled(cx, &key)))
}

fn set_enable(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let key = cx.key(row)?;
    let value = value == "true";
    if is_enabled(cx, &key) == value {
        return Ok(());
    }
    change(cx, &key, |cx| own_keys::set_own(cx, &own(&key, "enable"), value.then_some("1")))
}

fn name(cx: &mut Context, row: &Row) -> Result<Text> {
    let key = cx.key(row)?;
    Ok(Text::Owned(name_of(cx, &key)))
}

fn set_name(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let key = cx.key(row)?;
    if name_of(cx, &key) == value {
        return Ok(());
    }
    change(cx, &key, |cx| own_keys::set_own(cx, &own(&key, "name"), Some(value)))
}

/// Whoever has it loses it.
fn delete(cx: &mut Context, row: &Row) -> Result<(), Fault> {
    let key = cx.key(row)?;
    for (_, login) in logins(cx)? {
        let mut keys = of_login(cx, &login)?;
        if keys.contains(&key) {
            keys.retain(|known| *known != key);
            set_of_login(cx, &login, &keys)?;
        }
    }
    own_keys::remove(cx, ROLES, &key);
    for what in ["name", "enable"] {
        own_keys::set_own(cx, &own(&key, what), None);
    }
    Ok(())
}
