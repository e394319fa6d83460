//! A table of twenty columns, as a vendor has them, of any number of rows.

#![allow(dead_code, missing_docs)]

use std::fmt::Write;
use std::sync::Arc;

use cwmpd::model::Model;
use cwmpd::model::registry::Registry;
use cwmpd::model::tree::Schema;
use cwmpd::model::vendor;
use cwmpd::platform::live::Live;

use super::root::RouterRoot;

pub const COLUMNS: usize = 20;

/// The UCI package that the rows are in.
pub const PACKAGE: &str = "columns";

/// Where its rows are.
pub const TABLE: &str = "Device.X_EXAMPLE_Columns.";

/// How the sections of the table's rows are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sections {
    Named,
    Unnamed,
}

/// The text of the package.
pub fn package(rows: usize, sections: Sections) -> String {
    let mut text = String::new();
    for row in 1..=rows {
        match sections {
            Sections::Named => writeln!(text, "config row 'row{row}'").unwrap(),
            Sections::Unnamed => writeln!(text, "config row").unwrap(),
        }
        for column in 1..=COLUMNS {
            match column {
                1..=10 => writeln!(text, "\toption option{column} 'text {column} of {row}'").unwrap(),
                11..=15 => writeln!(text, "\toption option{column} '{}'", row * column).unwrap(),
                _ => writeln!(text, "\toption option{column} '{}'", (row + column) % 2).unwrap(),
            }
        }
        text.push('\n');
    }
    text
}

/// The vendor model file.
fn model_file() -> String {
    let mut parameters = Vec::new();
    for column in 1..=COLUMNS {
        let (name, kind) = match column {
            1..=10 => ("Text", "string"),
            11..=15 => ("Number", "unsignedInt"),
            _ => ("Truth", "boolean"),
        };
        parameters.push(format!(r#""{name}{column}": {{"type": "{kind}", "access": "rw", "uci": "option{column}"}}"#));
    }
    let instances = format!(r#""instances": {{"uci": "{PACKAGE}.@row"}}"#);
    format!(r#"{{"{TABLE}{{i}}.": {{{instances}, "parameters": {{{}}}}}}}"#, parameters.join(",\n"))
}

/// Puts the table into a router.
pub fn install(root: &RouterRoot, rows: usize, sections: Sections) {
    root.write(&format!("/etc/config/{PACKAGE}"), package(rows, sections));
    root.write("/etc/cwmpd/model.d/columns.json", model_file());
}

/// A data model that is what vendors have put into a router and nothing else.
pub fn model(live: &Arc<Live>) -> Model {
    let (files, problems) = vendor::load(live.as_ref(), &[]);
    assert!(problems.is_empty(), "{problems:?}");
    let schema = Arc::new(Schema::new(vendor::install(files).objects).unwrap());
    Model::new(live.clone(), schema, Registry::default(), Box::new(|_| Ok(())))
}
