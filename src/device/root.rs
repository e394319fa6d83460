//! `Device.`

use crate::model::schema::{Object, constant, ro};
use crate::model::value::STRING;

/// TR-181 2.17 Device.
pub static ROOT: Object = Object::single(
    "Device.",
    &[ro("RootDataModelVersion", STRING.lengths(&[(0, 32)]), constant("2.17")).forced_inform()],
);

/// The object of this file.
pub static OBJECTS: &[&Object] = &[&ROOT];
