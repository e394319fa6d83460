//! `Device.`

use crate::model::schema::{Object, constant, count, ro};
use crate::model::value::{STRING, UNSIGNED_INT};

/// TR-181 2.17 Device.
pub static ROOT: Object = Object::single(
    "Device.",
    &[
        ro("RootDataModelVersion", STRING.lengths(&[(0, 32)]), constant("2.17")).forced_inform(),
        ro("InterfaceStackNumberOfEntries", UNSIGNED_INT, count("InterfaceStack")),
    ],
);

/// The object of this file.
pub static OBJECTS: &[&Object] = &[&ROOT];
