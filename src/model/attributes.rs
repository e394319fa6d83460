//! Attributes of parameters: notification and access list (TR-069a6 A.3.2.4, A.3.2.5; CONFORMANCE P-50 to P-58).

use serde::{Deserialize, Serialize};

use super::Model;
use super::access::full_name;
use super::context::Context;
use super::schema::{Notification, Parameter};
use super::tree::resolve;
use super::walk::{Depth, Found, Walk};
use crate::error::{Fault, FaultCode};

/// Attributes that were set for a parameter.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Attribute {
    /// 0 to 2, or to 6 with lightweight notifications; `None` for what the parameter has by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notification: Option<u8>,
    /// Who may write besides the ACS; `None` for `Subscriber`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_list: Option<Vec<String>>,
}

/// One entry of SetParameterAttributes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AttributeChange {
    /// A parameter or a partial path.
    pub name: String,
    /// The new notification, if it changes.
    pub notification: Option<i64>,
    /// The new access list, if it changes.
    pub access_list: Option<Vec<String>>,
}

/// A notification that was changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Switched {
    /// The full name of the parameter.
    pub name: String,
    /// What it was.
    pub before: u8,
    /// What it is, another one.
    pub after: u8,
}

/// The greatest value of a notification (CONFORMANCE P-52).
const GREATEST: i64 = if cfg!(feature = "lightweight") { 6 } else { 2 };

/// Whether a notification starts something when the value changes: a session (2), or a lightweight message (5, 6).
fn is_active(notification: i64) -> bool {
    matches!(notification, 2 | 5 | 6)
}

/// The notification of a parameter: what was set, or what it has by itself.
#[must_use]
pub fn notification(parameter: &Parameter, attribute: Option<&Attribute>) -> u8 {
    match parameter.notification {
        Notification::ForceEnabled => 2,
        Notification::ForceDefaultEnabled => attribute.and_then(|attribute| attribute.notification).unwrap_or(2),
        Notification::Normal | Notification::CanDeny => {
            attribute.and_then(|attribute| attribute.notification).unwrap_or(0)
        }
    }
}

/// The access list of a parameter.
#[must_use]
pub fn access_list(attribute: Option<&Attribute>) -> Vec<String> {
    attribute.and_then(|attribute| attribute.access_list.clone()).unwrap_or_else(|| vec![String::from("Subscriber")])
}

/// Whether others than the ACS may write the parameter (TR-069a6 A.3.2.4; CONFORMANCE P-55).
#[must_use]
pub fn subscriber_may_write(attribute: Option<&Attribute>) -> bool {
    let list = attribute.and_then(|attribute| attribute.access_list.as_ref());
    list.is_none_or(|list| list.iter().any(|entity| entity == "Subscriber"))
}

impl Model {
    /// SetParameterAttributes: all changes, or none.
    ///
    /// Returns what has changed: the present values of parameters whose changes are told from now on are what later changes are compared with
    /// (CONFORMANCE N-09).
    ///
    /// # Errors
    /// 9003 for a notification or an entity that is not known, 9005 for a name, 9009 for an active notification that is refused; 9002 when it
    /// could not be saved.
    pub fn set_attributes(&mut self, changes: &[AttributeChange]) -> Result<Vec<Switched>, Fault> {
        let mut context = self.context();
        let mut staged: Vec<(String, &'static Parameter, &AttributeChange)> = Vec::new();
        for change in changes {
            if change.notification.is_some_and(|notification| !(0..=GREATEST).contains(&notification)) {
                return Err(Fault::arguments(format!("{}: the notification is none of 0 to {GREATEST}", change.name)));
            }
            let known = |entity: &String| entity == "Subscriber" || entity.starts_with("X_");
            if change.access_list.as_ref().is_some_and(|list| !list.iter().all(known)) {
                return Err(Fault::arguments(format!("{}: the access list has an unknown entity", change.name)));
            }
            let found = parameters_below(&mut context, &change.name)?;
            let denied = |(_, parameter): &&(String, &Parameter)| parameter.notification == Notification::CanDeny;
            if let Some((name, _)) = found.iter().find(denied).filter(|_| change.notification.is_some_and(is_active)) {
                let text = format!("{name} changes all the time: active notification is refused");
                return Err(Fault::new(FaultCode::NOTIFICATION_REQUEST_REJECTED, text));
            }
            staged.extend(found.into_iter().map(|(name, parameter)| (name, parameter, change)));
        }
        let mut registry = context.registry();
        let former = registry.clone();
        let mut switched = Vec::new();
        for (name, parameter, change) in staged {
            let before = registry.attribute(&name).cloned();
            let mut attribute = before.clone().unwrap_or(Attribute { notification: None, access_list: None });
            if let Some(value) = change.notification {
                let value = u8::try_from(value).unwrap_or(0);
                let by_itself = notification(parameter, None);
                attribute.notification = (value != by_itself).then_some(value);
            }
            if let Some(list) = &change.access_list {
                let by_itself = matches!(list.as_slice(), [entity] if entity == "Subscriber");
                attribute.access_list = (!by_itself).then(|| list.clone());
            }
            let (was, is) = (notification(parameter, before.as_ref()), notification(parameter, Some(&attribute)));
            if was != is {
                switched.push(Switched { name: name.clone(), before: was, after: is });
            }
            let plain = attribute.notification.is_none() && attribute.access_list.is_none();
            registry.set_attribute(&name, (!plain).then_some(attribute));
        }
        if registry.take_dirty() {
            if let Err(error) = (self.keep)(&registry) {
                *registry = former;
                registry.mark_dirty();
                return Err(error.into());
            }
        }
        Ok(switched)
    }

    /// The parameters with a notification of 1 or more, with it, in the order of their names.
    #[must_use]
    pub fn notified(&self, context: &mut Context) -> Vec<(String, u8)> {
        let mut names: Vec<(String, u8)> = Vec::new();
        for path in &self.notifying {
            if let Ok(found) = parameters_below(context, path) {
                for (name, parameter) in found {
                    let notification = notification(parameter, context.registry().attribute(&name));
                    names.push((name, notification));
                }
            }
        }
        let set: Vec<String> = context.registry().attributes().keys().cloned().collect();
        for name in set {
            if let Ok(found) = parameters_below(context, &name) {
                for (name, parameter) in found {
                    let notification = notification(parameter, context.registry().attribute(&name));
                    names.push((name, notification));
                }
            }
        }
        names.retain(|(_, notification)| *notification != 0);
        names.sort();
        names.dedup();
        names
    }
}

fn parameters_below(context: &mut Context, name: &str) -> Result<Vec<(String, &'static Parameter)>, Fault> {
    let mut found = Vec::new();
    for target in resolve(context, name)? {
        let mut walk = Walk::new(&context.schema().clone(), &target, Depth::All);
        while let Some(step) = walk.next(context) {
            if let Found::Parameter(node, row, parameter) = step {
                found.push((full_name(context, node, &row, parameter.name), parameter));
            }
        }
    }
    Ok(found)
}
