//! A table of twenty columns, as a vendor has them, of any number of rows.

#![allow(dead_code, missing_docs)]

use std::fmt::Write;
use std::sync::Arc;

use cwmpd::model::Model;
use cwmpd::model::registry::Registry;
use cwmpd::model::schema::*;
use cwmpd::model::tree::Schema;
use cwmpd::model::value::*;
use cwmpd::platform::System;

pub const COLUMNS: usize = 20;

/// The UCI package that the rows are in.
pub const PACKAGE: &str = "columns";

/// Where its rows are.
pub const TABLE: &str = "Device.X_EXAMPLE_Columns.Row.";

static OBJECT: Object = Object::table(
    "Device.X_EXAMPLE_Columns.Row.{i}.",
    Table::new(sections(PACKAGE, "row")),
    &[
        rw("Text1", STRING, uci("option1")),
        rw("Text2", STRING, uci("option2")),
        rw("Text3", STRING, uci("option3")),
        rw("Text4", STRING, uci("option4")),
        rw("Text5", STRING, uci("option5")),
        rw("Text6", STRING, uci("option6")),
        rw("Text7", STRING, uci("option7")),
        rw("Text8", STRING, uci("option8")),
        rw("Text9", STRING, uci("option9")),
        rw("Text10", STRING, uci("option10")),
        rw("Number1", UNSIGNED_INT, uci("option11")),
        rw("Number2", UNSIGNED_INT, uci("option12")),
        rw("Number3", UNSIGNED_INT, uci("option13")),
        rw("Number4", UNSIGNED_INT, uci("option14")),
        rw("Number5", UNSIGNED_INT, uci("option15")),
        rw("Truth1", BOOLEAN, uci_bool("option16", "false")),
        rw("Truth2", BOOLEAN, uci_bool("option17", "false")),
        rw("Truth3", BOOLEAN, uci_bool("option18", "false")),
        rw("Truth4", BOOLEAN, uci_bool("option19", "false")),
        rw("Truth5", BOOLEAN, uci_bool("option20", "false")),
    ],
);

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

/// A data model that is this table and nothing else.
pub fn model(system: Arc<dyn System>) -> Model {
    let schema = Arc::new(Schema::new([&OBJECT]).unwrap());
    Model::new(system, schema, Registry::default(), Box::new(|_| Ok(())))
}
