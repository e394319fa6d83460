//! `Device.SSH.` (TR-181 2.17): dropbear.

mod authorized_key;
mod server;

use crate::model::schema::{Object, count, get, get_set, ro, rw};
use crate::model::value::{BOOLEAN, STRING, UNSIGNED_INT};

/// The UCI package, and the type of its sections.
const PACKAGE: &str = "dropbear";

static SSH: Object = Object::single(
    "Device.SSH.",
    &[
        rw("Enable", BOOLEAN, get_set(server::all_enabled, server::set_all_enabled)),
        ro("Status", STRING.values(&["Disabled", "Enabled", "Error"]), get(server::all_status)),
        ro("ServerNumberOfEntries", UNSIGNED_INT, count("Server")),
        ro("AuthorizedKeyNumberOfEntries", UNSIGNED_INT, count("AuthorizedKey")),
    ],
);

/// The objects of SSH, tables before what lies in them.
pub static OBJECTS: &[&Object] = &[&SSH, &server::SERVER, &authorized_key::AUTHORIZED_KEY];
