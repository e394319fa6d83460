//! `Device.Users.User.{i}.`: root, and each `login` of rpcd for somebody else.
//!
//! rpcd takes a login without a password for one that needs none, and knows no disabled ones. So a login that is disabled, or has no name or password
//! yet, has its name in an option that rpcd does not look at.

use super::{PACKAGE, ROLE, role, shadow};
use crate::device::own_keys;
use crate::device::user_interface;
use crate::error::{Error, Fault, FaultCode, Result};
use crate::model::access::truth;
use crate::model::context::{Context, Row};
use crate::model::schema::{Object, Rows, Table, Text, alias, change, functional, get, get_set, ro, rw};
use crate::model::value::{BOOLEAN, Format, STRING};
use crate::platform::uci::SectionId;

pub(super) static USER_TABLE: Object = Object::table(
    "Device.Users.User.{i}.",
    Table::new(Rows::Keys(|cx, _| keys(cx)))
        .added_by(add)
        .deleted_by(delete)
        .keys(&[functional(&["Username"])])
        .enabled_by("Enable")
        .at_most(32),
    &[
        alias(),
        rw("Enable", BOOLEAN, get_set(enable, set_enable)).default("false"),
        // Deprecated, so that it is taken and kept (CONFORMANCE J-09) although rpcd makes no difference: whoever can log in can do so wherever the web
        // interface can be reached from.
        rw("RemoteAccessCapable", BOOLEAN, crate::model::schema::own("true")).default("false"),
        rw("Username", STRING.lengths(&[(0, 64)]).format(NAME), change(username, set_username)).default(""),
        rw("Password", STRING.lengths(&[(0, 64)]), get_set(|_, _| Ok(Text::Borrowed("")), set_password)).hidden(),
        rw("RoleParticipation", STRING.weak(&[ROLE]).list_within((0, u32::MAX), 1024), change(roles, set_roles))
            .default(""),
        ro("StaticUser", BOOLEAN, get(|cx, row| Ok(truth(cx.key(row)? == ROOT)))),
        // LuCI has one language for everybody.
        rw(
            "Language",
            STRING.lengths(&[(0, 16)]),
            get_set(|cx, _| user_interface::current_language(cx), user_interface::set_language),
        ),
    ],
);

/// What a person can type as a name, and rpcd can find.
const NAME: Format = Format {
    name: "user name of letters, digits, dots, hyphens and underscores",
    check: |text| text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'@')),
};

/// The key of root.
pub(super) const ROOT: &str = "root";
/// The name of a login that is not in force.
const PARKED: &str = "cwmpd_username";

/// A login as it is.
#[derive(Debug)]
struct Login {
    id: SectionId,
    name: String,
    /// Whether rpcd sees it.
    in_force: bool,
    has_password: bool,
}

/// The sections of the logins for somebody else than root, with what they are known by.
fn logins(cx: &mut Context) -> Result<Vec<(SectionId, String)>> {
    let package = cx.package(PACKAGE)?;
    let sections =
        package.sections().filter(|section| section.kind() == "login" && section.get("username") != Some(ROOT));
    let ids: Vec<SectionId> = sections.map(|section| section.id()).collect();
    let mut logins = Vec::with_capacity(ids.len());
    for id in ids {
        logins.push((id, cx.section_name(PACKAGE, id)?));
    }
    Ok(logins)
}

fn keys(cx: &mut Context) -> Result<Vec<String>> {
    let mut keys = vec![String::from(ROOT)];
    // A section that has this name would be taken for root.
    keys.extend(logins(cx)?.into_iter().map(|(_, name)| name).filter(|name| name != ROOT));
    Ok(keys)
}

/// The login of a row; `None` for root.
fn login(cx: &mut Context, row: &Row) -> Result<Option<Login>> {
    let key = cx.key(row)?;
    if key == ROOT {
        return Ok(None);
    }
    let found = logins(cx)?.into_iter().find(|(_, name)| *name == key);
    let (id, _) = found.ok_or_else(|| Error::other("the login is gone"))?;
    let section = cx.package(PACKAGE)?.section(id).ok_or_else(|| Error::other("the login is gone"))?;
    let username = section.get("username");
    Ok(Some(Login {
        id,
        name: String::from(username.or_else(|| section.get(PARKED)).unwrap_or_default()),
        in_force: username.is_some(),
        has_password: section.get("password").is_some(),
    }))
}

fn own(key: &str, what: &str) -> String {
    format!("users.{key}.{what}")
}

fn set_option(cx: &mut Context, id: SectionId, option: &str, value: Option<&str>) -> Result<(), Fault> {
    let name = cx.section_name(PACKAGE, id)?;
    let package = cx.package_mut(PACKAGE)?;
    let refused = |error: crate::platform::uci::EditError| Fault::value(error.to_string());
    package.rename_section(id, &name).map_err(refused)?;
    package.set(id, option, value.unwrap_or_default()).map(|_| ()).map_err(refused)
}

fn is_enabled(cx: &mut Context, row: &Row) -> Result<bool> {
    let key = cx.key(row)?;
    Ok(login(cx, row)?.is_none_or(|login| login.in_force || cx.own(&own(&key, "enable")).is_some()))
}

fn enable(cx: &mut Context, row: &Row) -> Result<Text> {
    Ok(truth(is_enabled(cx, row)?))
}

fn set_enable(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let value = value == "true";
    if is_enabled(cx, row)? == value {
        return Ok(());
    }
    settle(cx, row, value)
}

/// Puts the name where rpcd sees it, or where it does not.
fn settle(cx: &mut Context, row: &Row, wanted: bool) -> Result<(), Fault> {
    let key = cx.key(row)?;
    let login = login(cx, row)?.ok_or_else(|| Fault::value("root is always there"))?;
    let on = wanted && login.has_password && !login.name.is_empty();
    if login.in_force != on {
        let (from, to) = if on { (PARKED, "username") } else { ("username", PARKED) };
        set_option(cx, login.id, from, None)?;
        set_option(cx, login.id, to, Some(&login.name))?;
    }
    own_keys::set_own(cx, &own(&key, "enable"), (wanted && !on).then_some("1"));
    Ok(())
}

fn username(cx: &mut Context, row: &Row) -> Result<Text> {
    Ok(login(cx, row)?.map_or(Text::Borrowed(ROOT), |login| Text::Owned(login.name)))
}

fn set_username(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let login = login(cx, row)?.ok_or_else(|| Fault::value("root keeps its name"))?;
    if value == ROOT {
        return Err(Fault::value("root is another user"));
    }
    let wanted = is_enabled(cx, row)?;
    // Under its new name it counts only once it is complete.
    set_option(cx, login.id, "username", None)?;
    set_option(cx, login.id, PARKED, Some(value))?;
    settle(cx, row, wanted)
}

fn set_password(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let Some(login) = login(cx, row)? else { return shadow::set_root_password(cx, value) };
    let section = cx.package(PACKAGE)?.section(login.id);
    if section.and_then(|section| section.get("password")).is_some_and(|now| shadow::is_of(now, value)) {
        return Ok(());
    }
    let wanted = is_enabled(cx, row)?;
    let hash = shadow::hash(value)?;
    set_option(cx, login.id, "password", Some(&hash))?;
    settle(cx, row, wanted)
}

/// What a login may do, by roles; root may do everything.
fn roles(cx: &mut Context, row: &Row) -> Result<Text> {
    let key = cx.key(row)?;
    let names = role::of_login(cx, &key)?;
    let mut paths = Vec::new();
    for name in names {
        paths.extend(cx.path_of_key(ROLE, &name));
    }
    Ok(Text::Owned(paths.join(",")))
}

fn set_roles(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    if login(cx, row)?.is_none() {
        return Err(Fault::value("root may do everything"));
    }
    let mut keys = Vec::new();
    for path in value.split(',').filter(|path| !path.is_empty()) {
        let target = cx.row_of_path(ROLE, path).ok_or_else(|| Fault::value(format!("there is no {path}")))?;
        keys.push(cx.key(&target)?);
    }
    let key = cx.key(row)?;
    role::set_of_login(cx, &key, &keys)
}

fn add(cx: &mut Context, _: &Row) -> Result<String, Fault> {
    if cx.directory("/etc/config").binary_search(&String::from(PACKAGE)).is_err() {
        return Err(Fault::new(FaultCode::REQUEST_DENIED, "without rpcd there is no user but root"));
    }
    Ok(cx.add_section(PACKAGE, "login", &[])?.1)
}

fn delete(cx: &mut Context, row: &Row) -> Result<(), Fault> {
    let Some(login) = login(cx, row)? else {
        return Err(Fault::new(FaultCode::REQUEST_DENIED, "root cannot go"));
    };
    let key = cx.key(row)?;
    cx.package_mut(PACKAGE)?.remove_section(login.id);
    for what in ["enable", "roles"] {
        own_keys::set_own(cx, &own(&key, what), None);
    }
    Ok(())
}
