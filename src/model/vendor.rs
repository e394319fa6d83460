//! Vendor model files: JSON, one file a vendor or feature (INTERFACE.md).

use std::rc::Rc;

use super::context::{Context, Row};
use crate::error::Result;
use crate::platform::uci::SectionId;

/// Where the rows of a vendor table come from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum VendorRows {
    /// The sections of a type of a UCI package, or of every type when it is empty.
    Sections(&'static str, &'static str),
    /// The names in a directory.
    Directory(&'static str),
    /// The items of an array, or the members of an object, in the reply to a ubus call: object, method, arguments, pointer, and the member of an
    /// item that it is known by.
    Ubus(&'static str, &'static str, &'static str, &'static str, &'static str),
    /// The lines that a program prints.
    Program(&'static [&'static str]),
}

/// The rows that were found.
pub(super) enum Found {
    /// Sections of a package.
    Sections(&'static str, Vec<SectionId>),
    /// Keys.
    Keys(Vec<String>),
}

pub(super) fn list(context: &mut Context, around: &Rc<Row>, rows: &VendorRows) -> Result<Found> {
    Ok(match *rows {
        VendorRows::Sections(package, kind) => {
            let sections = context.package(package)?.sections();
            let wanted = sections.filter(|section| kind.is_empty() || section.kind() == kind);
            Found::Sections(package, wanted.map(|section| section.id()).collect())
        }
        VendorRows::Directory(path) => {
            let path = super::access::fill(context, around, path)?;
            Found::Keys(context.directory(&path).to_vec())
        }
        VendorRows::Ubus(object, method, arguments, pointer, key) => {
            let object = super::access::fill(context, around, object)?;
            let mut arguments = serde_json::from_str(arguments).unwrap_or_default();
            super::access::fill_json(context, around, &mut arguments)?;
            let reply = context.ubus(&object, method, &arguments)?;
            Found::Keys(match reply.pointer(pointer) {
                Some(serde_json::Value::Array(items)) => {
                    items.iter().filter_map(|item| Some(String::from(item.get(key)?.as_str()?))).collect()
                }
                Some(serde_json::Value::Object(members)) => members.keys().cloned().collect(),
                _ => Vec::new(),
            })
        }
        VendorRows::Program(argv) => {
            let argv =
                argv.iter().map(|part| super::access::fill(context, around, part)).collect::<Result<Vec<_>>>()?;
            let argv: Vec<&str> = argv.iter().map(String::as_str).collect();
            let lines = context.program(&argv)?;
            Found::Keys(lines.lines().map(str::trim).filter(|line| !line.is_empty()).map(String::from).collect())
        }
    })
}

/// The UCI package of the sections that are rows.
pub(super) fn package_of(rows: &VendorRows) -> Option<&'static str> {
    sections_of(rows).map(|(package, _)| package)
}

/// The UCI package and the type of the sections that are rows.
pub(super) fn sections_of(rows: &VendorRows) -> Option<(&'static str, &'static str)> {
    match *rows {
        VendorRows::Sections(package, kind) => Some((package, kind)),
        _ => None,
    }
}
