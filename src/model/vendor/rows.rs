//! Where the rows of a vendor table come from, and what a pointer of one of its parameters leads to.

use std::rc::Rc;

use serde_json::Value as Json;

use super::super::access::{fill, fill_json, fill_path};
use super::super::context::{Context, Row};
use super::super::schema::Rows;
use crate::error::Result;
use crate::platform::uci::SectionId;

/// Where the rows of a vendor table come from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum VendorRows {
    /// The sections of a type of a UCI package, or of every type when it is empty; those in which these options have these texts.
    Sections(&'static str, &'static str, &'static [(&'static str, &'static str)]),
    /// The names in a directory.
    Directory(&'static str),
    /// The items of an array, or the members of an object, in the reply to a ubus call: object, method, arguments, pointer, and the member of an
    /// item that it is known by.
    Ubus(&'static str, &'static str, &'static str, &'static str, &'static str),
    /// The lines that a program prints.
    Program(&'static [&'static str]),
}

/// The most rows that are taken from outside, and the longest key in bytes: both are remembered on the flash.
const MOST: usize = 10_000;
const LONGEST: usize = 256;

/// The rows that were found.
pub(in crate::model) enum Found {
    /// Sections of a package.
    Sections(&'static str, Vec<SectionId>),
    /// Keys.
    Keys(Vec<String>),
}

pub(in crate::model) fn list(context: &mut Context, around: &Rc<Row>, rows: &VendorRows) -> Result<Found> {
    let mut keys: Vec<String> = match *rows {
        VendorRows::Sections(package, kind, _) => {
            let wanted = wanted(context, around, rows)?;
            let sections = context.package(package)?.sections();
            let found = sections.filter(|section| {
                (kind.is_empty() || section.kind() == kind)
                    && wanted.iter().all(|(option, text)| section.get(option) == Some(text.as_str()))
            });
            return Ok(Found::Sections(package, found.map(|section| section.id()).collect()));
        }
        VendorRows::Directory(path) => {
            let path = fill_path(context, around, path)?;
            context.directory(&path).to_vec()
        }
        VendorRows::Ubus(object, method, arguments, pointer, key) => {
            let object = fill(context, around, object)?;
            let mut arguments = crate::json::value(arguments.as_bytes()).unwrap_or_default();
            fill_json(context, around, &mut arguments)?;
            let reply = context.ubus(&object, method, &arguments)?;
            match find(context, around, &reply, pointer)? {
                Some(Json::Array(items)) => items.iter().filter_map(|item| key_of(item, key)).collect(),
                Some(Json::Object(members)) => members.keys().cloned().collect(),
                _ => Vec::new(),
            }
        }
        VendorRows::Program(argv) => {
            let argv = argv.iter().map(|part| fill(context, around, part)).collect::<Result<Vec<_>>>()?;
            let argv: Vec<&str> = argv.iter().map(String::as_str).collect();
            let lines = context.program(&argv)?;
            lines.lines().map(str::trim).map(String::from).collect()
        }
    };
    keys.retain(|key| !key.is_empty() && key.len() <= LONGEST && !key.chars().any(char::is_control));
    keys.truncate(MOST);
    Ok(Found::Keys(keys))
}

/// What an item of an array is known by: the member of this name, or itself where it is a text or a number.
fn key_of(item: &Json, key: &str) -> Option<String> {
    match if key.is_empty() { item } else { item.get(key).unwrap_or(item) } {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Follows a JSON pointer whose parts may hold placeholders. `{key}` in the place of an array's index is the item that the row is known by, and
/// `{around}` that of the row around it.
pub(in crate::model) fn find<'a>(
    context: &mut Context,
    row: &Row,
    reply: &'a Json,
    pointer: &str,
) -> Result<Option<&'a Json>> {
    let mut found = Some(reply);
    for part in pointer.split('/').skip(1) {
        found = match found {
            Some(Json::Array(items)) if part == "{key}" => item_of(context, row, items)?,
            Some(Json::Array(items)) if part == "{around}" => match row.parent() {
                Some(around) => item_of(context, around, items)?,
                None => return Ok(None),
            },
            Some(Json::Array(items)) => fill(context, row, part)?.parse().ok().and_then(|i: usize| items.get(i)),
            Some(Json::Object(members)) => {
                members.get(&fill(context, row, &part.replace("~1", "/").replace("~0", "~"))?)
            }
            _ => return Ok(None),
        };
    }
    Ok(found)
}

/// The item of an array that a row is known by.
fn item_of<'a>(context: &mut Context, row: &Row, items: &'a [Json]) -> Result<Option<&'a Json>> {
    let wanted = context.key(row)?;
    let key = match context.schema().node(row.node()).table().map(|table| table.rows) {
        Some(Rows::Vendor(VendorRows::Ubus(.., key))) => key,
        _ => "",
    };
    // Rows and their parameters are mostly read in the order of the array: so the search goes on where the last one ended.
    let start = context.last_item.min(items.len());
    let all = || items.iter().enumerate();
    let found =
        all().skip(start).chain(all().take(start)).find(|(_, item)| key_of(item, key).as_ref() == Some(&wanted));
    if let Some((index, _)) = found {
        context.last_item = index;
    }
    Ok(found.map(|(_, item)| item))
}

/// The UCI package of the sections that are rows.
pub(in crate::model) fn package_of(rows: &VendorRows) -> Option<&'static str> {
    sections_of(rows).map(|(package, _)| package)
}

/// The UCI package and the type of the sections that are rows.
pub(in crate::model) fn sections_of(rows: &VendorRows) -> Option<(&'static str, &'static str)> {
    match *rows {
        VendorRows::Sections(package, kind, _) => Some((package, kind)),
        _ => None,
    }
}

/// The options that a section has which is one of the rows inside the row around them.
pub(in crate::model) fn wanted(
    context: &mut Context,
    around: &Row,
    rows: &VendorRows,
) -> Result<Vec<(&'static str, String)>> {
    match *rows {
        VendorRows::Sections(_, _, wanted) => {
            wanted.iter().map(|&(option, text)| fill(context, around, text).map(|text| (option, text))).collect()
        }
        _ => Ok(Vec::new()),
    }
}

/// Whether rows stay the same whatever options are written.
pub(in crate::model) fn stand(rows: &VendorRows) -> bool {
    matches!(rows, VendorRows::Sections(_, _, wanted) if wanted.is_empty())
}

/// Whether rows are sections that belong to the row around them.
pub(in crate::model) fn belong(rows: &VendorRows) -> bool {
    matches!(rows, VendorRows::Sections(_, _, wanted) if wanted.iter().any(|(_, text)| text.contains('{')))
}
