//! Alias-based addressing (TR-069a6 3.6.1, CONFORMANCE ): `[alias]` in the place of an instance number.
//!
//! Inside the model a name always has instance numbers; aliases are put in their place when a name comes in, and in the place of numbers when it
//! goes out to an ACS that wants them (InstanceMode). A table without a parameter Alias has numbers only.

use std::rc::Rc;

use super::access::stored;
use super::context::{Context, Row};
use super::schema::{Parameter, Text};
use super::tree::{NodeId, ROOT, Target, resolve};
use super::value::is_alias;
use crate::error::{Fault, Result};
use crate::sorted::Map;

/// The parameter that a row is addressed by.
pub const ALIAS: &str = "Alias";

/// Says whether names are told with numbers or with aliases.
const INSTANCE_MODE: &str = "Device.ManagementServer.InstanceMode";

/// Says whether SetParameterValues makes the rows that its names speak of.
const AUTO_CREATE: &str = "Device.ManagementServer.AutoCreateInstances";

/// The longest alias, in characters (TR-106a8 3.6.1).
const LONGEST: usize = 64;

/// Makes a row of a table with an alias, and returns its number.
pub(super) type Make<'a> = dyn FnMut(&mut Context, NodeId, &Rc<Row>, &str) -> Result<u32, Fault> + 'a;

/// Where rows were found by their aliases, by the path of the table: a hint, looked at again before it is used.
pub(super) type Hints = Map<String, Map<String, u32>>;

/// The alias in a part of a name such as `[lan]`.
#[must_use]
pub fn in_brackets(part: &str) -> Option<&str> {
    let alias = part.strip_prefix('[')?.strip_suffix(']')?;
    (is_alias(alias) && alias.chars().count() <= LONGEST).then_some(alias)
}

/// The parts of a path between its dots; a dot in an alias is no end of a part.
pub fn parts(path: &str) -> impl Iterator<Item = &str> {
    let mut inside = false;
    path.split(move |c: char| {
        match c {
            '[' => inside = true,
            ']' => inside = false,
            _ => {}
        }
        c == '.' && !inside
    })
}

/// Whether names are told with aliases (InstanceMode).
#[must_use]
pub fn wanted(context: &Context) -> bool {
    context.own(INSTANCE_MODE).as_deref() == Some("InstanceAlias")
}

/// Whether SetParameterValues makes rows (AutoCreateInstances).
pub(super) fn creates_rows(context: &Context) -> bool {
    context.own(AUTO_CREATE).as_deref() == Some("true")
}

/// The row of a table that has this alias.
///
/// # Errors
/// When the rows of the table cannot be read.
pub fn row(context: &mut Context, node: NodeId, around: &Rc<Row>, alias: &str) -> Result<Option<Rc<Row>>> {
    let schema = context.schema().clone();
    let Some(parameter) = schema.node(node).parameter(ALIAS) else { return Ok(None) };
    let table = schema.path(node, around);
    let hint = context.aliases.get(&table).and_then(|hints| hints.get(alias).copied());
    if let Some(number) = hint {
        let found = context.row(node, around, number)?;
        if let Some(row) = found.filter(|row| stored(context, node, row, parameter).is_ok_and(|now| now == alias)) {
            return Ok(Some(row));
        }
    }
    let mut found = None;
    let mut hints = Vec::new();
    for entry in context.rows(node, around)?.iter() {
        let row = Row::new(node, around, entry);
        if let Ok(now) = stored(context, node, &row, parameter) {
            if now == alias {
                found = Some(row);
            }
            hints.push((now.into_owned(), entry.number));
        }
    }
    context.aliases.insert(table, hints.into_iter().collect());
    Ok(found)
}

/// A path with the aliases of its rows: of the object, or of the row when `row` belongs to the node itself.
#[must_use]
pub fn path(context: &mut Context, node: NodeId, row: &Row) -> String {
    let mut path = String::new();
    push_path(context, node, Some(row), &mut path);
    path
}

fn push_path(context: &mut Context, node: NodeId, row: Option<&Row>, path: &mut String) {
    let schema = context.schema().clone();
    let own = row.filter(|row| row.node() == node && row.number() != 0);
    if node != ROOT {
        let around = own.map_or(row, |row| row.parent().map(AsRef::as_ref));
        push_path(context, schema.node(node).parent, around, path);
    }
    path.push_str(schema.node(node).name);
    path.push('.');
    if let Some(row) = own {
        push_row(context, row, path);
    }
}

/// Adds the part of a row to the path of its table: `[alias].`, or its number where it has none.
pub(super) fn push_row(context: &mut Context, row: &Row, path: &mut String) {
    let parameter = context.schema().node(row.node()).parameter(ALIAS);
    let alias = parameter.and_then(|parameter| stored(context, row.node(), row, parameter).ok());
    match alias.filter(|alias| is_alias(alias)) {
        Some(alias) => {
            path.push('[');
            path.push_str(&alias);
            path.push_str("].");
        }
        None => {
            path.push_str(&row.number().to_string());
            path.push('.');
        }
    }
}

/// The name of a parameter or path with aliases for its numbers; the same text where nothing has this name.
#[must_use]
pub fn told(context: &mut Context, name: &str) -> String {
    let found = resolve(context, name).unwrap_or_default();
    match found.as_slice() {
        [Target::Parameter(node, row, parameter)] => {
            let mut told = path(context, *node, row);
            told.push_str(parameter.name);
            told
        }
        [Target::Object(node, row) | Target::Table(node, row)] => path(context, *node, row),
        _ => String::from(name),
    }
}

/// A value as the ACS reads it where it wants aliases: references are paths too.
#[must_use]
pub fn told_value(context: &mut Context, parameter: &Parameter, value: Text) -> Text {
    if parameter.value.reference.is_none() || value.is_empty() {
        return value;
    }
    let told = value.split(',').map(|path| {
        // A reference has no dot at its end (CONFORMANCE J-04).
        let row = told(context, &format!("{path}."));
        String::from(row.strip_suffix('.').unwrap_or(&row))
    });
    Text::Owned(told.collect::<Vec<_>>().join(","))
}

/// A name or reference with numbers for its aliases. `make` makes a row for an alias that none has.
///
/// # Errors
/// 9005 when there is no such row and none is made; those of `make`.
pub(super) fn numbered(context: &mut Context, name: &str, make: &mut Make<'_>) -> Result<String, Fault> {
    if !name.contains('[') {
        return Ok(String::from(name));
    }
    let mut path = String::with_capacity(name.len());
    for part in parts(name) {
        if !path.is_empty() {
            path.push('.');
        }
        let Some(alias) = in_brackets(part) else {
            path.push_str(part);
            continue;
        };
        let found = resolve(context, &path).map_err(|_| Fault::name(name))?;
        let [Target::Table(node, around)] = found.as_slice() else { return Err(Fault::name(name)) };
        let number = match row(context, *node, around, alias)? {
            Some(row) => row.number(),
            None => make(context, *node, around, alias)?,
        };
        path.push_str(&number.to_string());
    }
    Ok(path)
}

/// As [`numbered`], for the paths of a reference that somebody writes; what nothing has stays as it is.
pub(super) fn numbered_value(context: &mut Context, value: &str) -> String {
    let number = |path: &str| {
        let none = &mut |_: &mut Context, _: NodeId, _: &Rc<Row>, _: &str| Err(Fault::name(path));
        numbered(context, path.trim(), none).unwrap_or_else(|_| String::from(path))
    };
    value.split(',').map(number).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dot_in_an_alias_ends_no_part() {
        let found: Vec<&str> = parts("Device.NAT.PortMapping.[a.b].Enable").collect();
        assert_eq!(found, ["Device", "NAT", "PortMapping", "[a.b]", "Enable"]);
        assert_eq!(parts("Device.").collect::<Vec<_>>(), ["Device", ""]);
    }

    #[test]
    fn a03_what_can_be_an_alias() {
        assert_eq!(in_brackets("[lan]"), Some("lan"));
        assert_eq!(in_brackets("[cpe-1]"), Some("cpe-1"));
        for bad in ["lan", "[]", "[1]", "[a", "a]", "[a]]", "[[a]]", &format!("[{}]", "a".repeat(65))] {
            assert_eq!(in_brackets(bad), None, "{bad}");
        }
    }
}
