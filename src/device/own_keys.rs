//! Keys of rows that the ACS has added to a table whose other rows come by themselves.
//!
//! They lie in the agent's own state, by commas, in the order in which they were added. A key is `+` and a number that was never given before, so that
//! nothing of a former row comes back.
//!
//! And switches that share an option of UCI.

use crate::model::context::Context;

/// The keys of a list.
pub(super) fn list(cx: &Context, name: &str) -> Vec<String> {
    let text = cx.own(name).unwrap_or_default();
    text.split(',').filter(|key| !key.is_empty()).map(String::from).collect()
}

/// Keeps a list; an empty one leaves nothing behind.
pub(super) fn keep(cx: &mut Context, name: &str, keys: &[String]) {
    cx.set_own(name, (!keys.is_empty()).then(|| keys.join(",")).as_deref());
}

/// A key that no row of the list has or had.
pub(super) fn new_key(cx: &mut Context, name: &str) -> String {
    let counter = format!("{name}.last");
    let last = cx.own(&counter).and_then(|last| last.parse::<u32>().ok()).unwrap_or(0).saturating_add(1);
    cx.set_own(&counter, Some(&last.to_string()));
    format!("+{last}")
}

/// Adds a new key at the end of a list.
pub(super) fn add(cx: &mut Context, name: &str) -> String {
    let key = new_key(cx, name);
    let mut keys = list(cx, name);
    keys.push(key.clone());
    keep(cx, name, &keys);
    key
}

/// Takes a key out of a list; whether it was there.
pub(super) fn remove(cx: &mut Context, name: &str, key: &str) -> bool {
    let mut keys = list(cx, name);
    let before = keys.len();
    keys.retain(|known| known != key);
    if keys.len() != before {
        keep(cx, name, &keys);
    }
    keys.len() != before
}

/// What one of several switches over the same option is to be while the option is off: on all the same, or what keeps it off. `None` where somebody else
/// has switched the option off, and with it all of them.
pub(super) fn wish(cx: &Context, name: &str) -> Option<bool> {
    cx.own(name).map(|mark| mark != "0")
}

/// Keeps what [`wish`] tells.
pub(super) fn set_wish(cx: &mut Context, name: &str, wish: Option<bool>) {
    set_own(cx, name, wish.map(|wish| if wish { "1" } else { "0" }));
}

/// Sets or takes away a value of the agent's own, if that is a change.
pub(super) fn set_own(cx: &mut Context, name: &str, value: Option<&str>) {
    if cx.own(name).as_deref() != value {
        cx.set_own(name, value);
    }
}
