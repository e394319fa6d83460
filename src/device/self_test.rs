//! `Device.SelfTestDiagnostics.`: carried out by `crate::diagnostics`.

use super::probe::state;
use crate::model::schema::{Notification, Object, fleeting, ro};
use crate::model::value::STRING;

/// TR-181 2.17 Device.SelfTestDiagnostics.
static SELF_TEST: Object = Object::single(
    "Device.SelfTestDiagnostics.",
    &[
        state(&["Requested", "Canceled", "None", "Complete", "Error_Internal", "Error_Other"])
            .notification(Notification::CanDeny),
        ro("Results", STRING.lengths(&[(0, 1024)]), fleeting("")).notification(Notification::CanDeny),
    ],
);

/// The object of this file.
pub static OBJECTS: &[&Object] = &[&SELF_TEST];
