//! Lists of which UCI keeps no order. The ACS reads them as it has written them, for as long as they say what counts: one that compares the two would
//! set them again in every session.

use crate::model::access::full_name;
use crate::model::context::{Context, Row};
use crate::model::schema::Text;

/// The list that counts, in the words of the ACS if it has said the same.
pub(super) fn shown(cx: &Context, row: &Row, parameter: &str, now: Text) -> Text {
    match cx.own(&full_name(cx, row.node(), row, parameter)) {
        Some(words) if is_same(&words, &now) => Text::Owned(words),
        _ => now,
    }
}

/// Keeps the words of the ACS, where they are others than those that would be read.
pub(super) fn keep(cx: &mut Context, row: &Row, parameter: &str, value: &str, now: &str) {
    let name = full_name(cx, row.node(), row, parameter);
    let words = (value != now && is_same(value, now)).then_some(value);
    if cx.own(&name).as_deref() != words {
        cx.set_own(&name, words);
    }
}

fn is_same(one: &str, other: &str) -> bool {
    sorted(one) == sorted(other)
}

fn sorted(list: &str) -> Vec<&str> {
    let mut items: Vec<&str> = list.split(',').collect();
    items.sort_unstable();
    items.dedup();
    items
}
