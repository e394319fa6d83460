//! Parts of the documentation that are made from the code.

use std::fmt::Write as _;

use cwmpd::cwmp::handlers::METHODS;
use cwmpd::device;
use cwmpd::model::schema::{Object, Rows, Table};

use super::{keep, read, with_part};

#[test]
fn the_readme_lists_the_methods() {
    let mut list = String::new();
    for method in METHODS {
        writeln!(list, "* {method}").unwrap();
    }
    keep("README.md", &with_part(&read("README.md"), "methods", &list));
}

#[test]
fn the_page_of_objects_lists_every_object() {
    let mut table =
        String::from("| object | parameters | writable | rows | the ACS can |\n| --- | ---: | ---: | --- | --- |\n");
    let mut objects: Vec<&Object> = device::objects().collect();
    objects.sort_by_key(|object| object.path);
    for object in &objects {
        let writable = object.parameters.iter().filter(|parameter| parameter.writable).count();
        let rows = object.table.as_ref().map_or_else(|| "one".to_owned(), rows);
        let can = object.table.as_ref().map_or("", can);
        writeln!(table, "| `{}` | {} | {writable} | {rows} | {can} |", object.path, object.parameters.len()).unwrap();
    }
    let count = |of: fn(&Object) -> usize| objects.iter().map(|object| of(object)).sum::<usize>();
    let writable = count(|object| object.parameters.iter().filter(|parameter| parameter.writable).count());
    let all = count(|object| object.parameters.len());
    writeln!(table, "\n{} objects, {all} parameters, {writable} of them writable.", objects.len()).unwrap();
    keep("docs/objects.md", &with_part(&read("docs/objects.md"), "objects", &table));
}

/// Where the rows of a table come from.
fn rows(table: &Table) -> String {
    match table.rows {
        Rows::Sections { package, kind, .. } => format!("`{package}`, sections `{kind}`"),
        Rows::SomeSections { package, .. } => format!("`{package}`, some sections"),
        Rows::Keys(_) | Rows::Numbered(_) => "found on the system".to_owned(),
        Rows::Own => "kept by the agent".to_owned(),
        Rows::Vendor(_) => "a vendor file".to_owned(),
    }
}

fn can(table: &Table) -> &'static str {
    match (table.add.is_some(), table.delete.is_some()) {
        (true, true) => "add, delete",
        (true, false) => "add",
        (false, true) => "delete",
        (false, false) => "",
    }
}
