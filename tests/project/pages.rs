//! Parts of the documentation that are made from the code.

use std::fmt::Write as _;

use cwmpd::cwmp::handlers::METHODS;
use cwmpd::device;
use cwmpd::model::schema::{Object, Rows, Table};

use super::{files, keep, path, read, with_part};

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
        let rows = match &object.table {
            Some(table) => rows(table),
            None if object.path.contains("{i}") => "one in each row".to_owned(),
            None => "one".to_owned(),
        };
        let can = object.table.as_ref().map_or("", can);
        writeln!(table, "| `{}` | {} | {writable} | {rows} | {can} |", object.path, object.parameters.len()).unwrap();
    }
    let count = |of: fn(&Object) -> usize| objects.iter().map(|object| of(object)).sum::<usize>();
    let writable = count(|object| object.parameters.iter().filter(|parameter| parameter.writable).count());
    let all = count(|object| object.parameters.len());
    writeln!(table, "\n{} objects, {all} parameters, {writable} of them writable.", objects.len()).unwrap();
    keep("docs/objects.md", &with_part(&read("docs/objects.md"), "objects", &table));
}

#[test]
fn the_readme_shows_every_command() {
    let (readme, help) = (read("README.md"), read("src/cli/args.rs"));
    let commands = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let names = commands.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    for name in names.filter(|name| !name.is_empty()) {
        assert!(readme.contains(&format!("cwmpd {name}")) || readme.contains(&format!("`{name}`")), "{name}");
    }
}

/// Links between the pages lead somewhere.
#[test]
fn links_lead_to_files() {
    for page in files("").into_iter().filter(|file| file.ends_with(".md")) {
        for link in read(&page).split("](").skip(1).filter_map(|rest| rest.split(')').next().map(str::to_owned)) {
            let file = link.split('#').next().unwrap();
            if !file.is_empty() && !file.contains("://") {
                let target = path(&page).parent().unwrap().join(file);
                assert!(target.exists(), "{page}: {link} leads nowhere");
            }
        }
    }
}

/// Where the rows of a table come from.
fn rows(table: &Table) -> String {
    match table.rows {
        Rows::Sections { package, kind, .. } => format!("`{package}`, sections `{kind}`"),
        Rows::SomeSections { package, .. } => format!("`{package}`, some sections"),
        Rows::SectionsAndKeys { package, .. } => format!("`{package}`, some sections, and found on the system"),
        Rows::Keys(_) | Rows::Numbered(_) => "found on the system".to_owned(),
        Rows::Fleeting => "results of the agent".to_owned(),
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
