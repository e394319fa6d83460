//! `Device.Users.` (TR-181 2.17) and `Device.LANConfigSecurity.`: root, the logins of rpcd, and their passwords.

mod role;
mod shadow;
mod user;

use crate::error::{Fault, Result};
use crate::model::context::{Context, Row};
use crate::model::schema::{Object, Text, constant, count, get_set, ro, rw};
use crate::model::value::{STRING, UNSIGNED_INT};

/// The UCI package of the logins.
const PACKAGE: &str = "rpcd";
/// The table of users.
pub(super) const USER: &str = "Device.Users.User.";
/// The table of roles.
const ROLE: &str = "Device.Users.Role.";

static USERS: Object = Object::single(
    "Device.Users.",
    &[
        ro("UserNumberOfEntries", UNSIGNED_INT, count("User")),
        // rpcd knows users and what they may do, and no groups of them.
        ro("GroupNumberOfEntries", UNSIGNED_INT, constant("0")),
        ro("RoleNumberOfEntries", UNSIGNED_INT, count("Role")),
        ro("SupportedShellNumberOfEntries", UNSIGNED_INT, constant("0")),
    ],
);

/// TR-181 2.17 Device.LANConfigSecurity.: the password of whoever configures the router, which is root's.
static LAN_CONFIG_SECURITY: Object = Object::single(
    "Device.LANConfigSecurity.",
    &[rw("ConfigPassword", STRING.lengths(&[(0, 64)]), get_set(|_, _| Ok(Text::Borrowed("")), set_password)).hidden()],
);

/// The objects of this directory, tables before what lies in them.
pub static OBJECTS: &[&Object] = &[&USERS, &user::USER_TABLE, &role::ROLE_TABLE, &LAN_CONFIG_SECURITY];

fn set_password(cx: &mut Context, _: &Row, value: &str) -> Result<(), Fault> {
    shadow::set_root_password(cx, value)
}

/// The path of root among the users.
pub(super) fn root(cx: &mut Context) -> Text {
    cx.path_of_key(USER, user::ROOT).map_or(Text::Borrowed(""), Text::Owned)
}
