//! `Order` of rows that the router itself keeps in no order: the agent's own, which holds all of them together.

use crate::error::{Fault, Result};
use crate::model::context::{Context, Row};
use crate::model::schema::Text;

/// What the rows of a table are known by, in their order: first as the ACS has put them, then those that are new.
fn ordered(cx: &mut Context, row: &Row, own: &str) -> Result<Vec<String>> {
    let mut present = Vec::new();
    if let Some(around) = row.parent().cloned() {
        for entry in cx.rows(row.node(), &around)?.iter() {
            present.push(cx.key(&Row::new(row.node(), &around, entry))?);
        }
    }
    let kept = cx.own(own).unwrap_or_default();
    let mut names: Vec<String> =
        kept.split(',').filter(|name| present.iter().any(|known| known == name)).map(String::from).collect();
    let new: Vec<String> = present.into_iter().filter(|name| !names.contains(name)).collect();
    names.extend(new);
    Ok(names)
}

/// The place of a row, from 1. `own` is the name under which the order of its table is kept.
///
/// # Errors
/// When the rows cannot be listed.
pub fn position(cx: &mut Context, row: &Row, own: &str) -> Result<Text> {
    let key = cx.key(row)?;
    let place = ordered(cx, row, own)?.iter().position(|name| *name == key).unwrap_or(0);
    Ok(Text::Owned(place.saturating_add(1).to_string()))
}

/// Puts a row into a place, and the others behind it; beyond the last place is the last (DATAMODEL rule 3).
///
/// # Errors
/// When the rows cannot be listed.
pub fn set_position(cx: &mut Context, row: &Row, own: &str, value: &str) -> Result<(), Fault> {
    if position(cx, row, own)? == value {
        return Ok(());
    }
    let key = cx.key(row)?;
    let mut names = ordered(cx, row, own)?;
    names.retain(|name| *name != key);
    let place = value.parse::<usize>().unwrap_or(usize::MAX).saturating_sub(1).min(names.len());
    names.insert(place, key);
    cx.set_own(own, Some(&names.join(",")));
    Ok(())
}
