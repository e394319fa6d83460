//! Vendor model files: JSON, one file a vendor or feature (INTERFACE.md, docs/vendor.md).
//!
//! ```text
//!   *.json --load--> parse (each file alone) --> check (all together, and with TR-181) --> install --> schema
//! ```
//!
//! Models are read once, at start; [`install`] turns them into the constant types of the standard tables and so leaks their memory by design.

mod check;
mod install;
mod json;
mod load;
mod names;
mod parameter;
mod parse;
mod rows;

use std::fmt;

pub use install::{Installed, install};
pub use load::load;
pub use parse::parse;
pub use rows::VendorRows;
pub(super) use rows::{Found, belong, find, list, package_of, sections_of, stand, wanted};

use super::pattern::Pattern;
use super::schema::Notification;
use super::value::{Format, Kind};

/// The longest file, in bytes.
pub const FILE_LIMIT: usize = 1 << 20;
/// The most objects of a file.
pub const OBJECT_LIMIT: usize = 500;
/// The most parameters of a file.
pub const PARAMETER_LIMIT: usize = 5000;

/// A mistake in a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// The file.
    pub path: String,
    /// The line, counted from 1; 0 where the file as a whole is meant.
    pub line: usize,
    /// What is wrong, in one line.
    pub reason: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.reason),
            line => write!(f, "{}:{line}: {}", self.path, self.reason),
        }
    }
}

/// The mistakes of a file, as they are found.
struct Problems {
    path: String,
    found: Vec<Problem>,
}

impl Problems {
    /// After so many nobody reads on.
    const MOST: usize = 200;
    /// The longest reason, in characters.
    const LONGEST: usize = 400;

    fn new(path: &str) -> Self {
        Self { path: String::from(path), found: Vec::new() }
    }

    fn add(&mut self, line: usize, reason: impl Into<String>) {
        if self.found.len() < Self::MOST {
            // One line for a person, whatever the file has in its names.
            let visible = |c: char| if c.is_control() { '\u{fffd}' } else { c };
            let reason = reason.into().chars().take(Self::LONGEST).map(visible).collect();
            self.found.push(Problem { path: self.path.clone(), line, reason });
        }
    }

    fn sorted(mut self) -> Vec<Problem> {
        self.found.sort_by_key(|problem| problem.line);
        self.found
    }
}

/// A file without mistakes of its own.
#[derive(Clone, Debug)]
pub struct VendorFile {
    /// Where it lies.
    pub path: String,
    /// What it adds.
    objects: Vec<VendorObject>,
}

impl VendorFile {
    /// The paths of its objects, with `{i}`.
    pub fn objects(&self) -> impl Iterator<Item = &str> {
        self.objects.iter().map(|object| object.path.as_str())
    }
}

#[derive(Clone, Debug)]
struct VendorObject {
    path: String,
    line: usize,
    table: Option<VendorTable>,
    parameters: Vec<VendorParameter>,
    apply: Vec<Vec<String>>,
    needs: Vec<Need>,
}

/// Something in an object that only makes sense where the rows are UCI sections.
#[derive(Clone, Copy, Debug)]
struct Need {
    line: usize,
    /// It is about the table around the object and not the object's own.
    around: bool,
}

#[derive(Clone, Debug)]
struct VendorTable {
    line: usize,
    rows: Instances,
    /// AddObject and DeleteObject; a new section starts with these options.
    writable: Option<Vec<(String, String)>>,
    unique: Vec<Vec<String>>,
    enable: String,
    limit: Option<usize>,
    count: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Instances {
    Uci { package: String, kind: String, wanted: Vec<(String, String)> },
    Directory(String),
    Ubus { call: Call, key: String },
    Program(Vec<String>),
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Call {
    object: String,
    method: String,
    /// JSON.
    arguments: String,
    pointer: String,
}

#[derive(Clone, Debug)]
struct VendorParameter {
    name: String,
    shape: Shape,
    writable: bool,
    hidden: bool,
    command: bool,
    forced_inform: bool,
    notification: Option<Notification>,
    read: Place,
    write: Option<Place>,
}

/// Which values a parameter has: a [`super::value::Type`] that owns its data.
#[derive(Clone, Debug)]
struct Shape {
    kind: Kind,
    /// Least and greatest number of items.
    list: Option<(u32, u32)>,
    ranges: Vec<(i64, i64)>,
    lengths: Vec<(u32, u32)>,
    values: Vec<String>,
    format: Option<Format>,
    pattern: Option<Pattern>,
}

#[derive(Clone, Debug)]
enum Place {
    Constant(String),
    Uci {
        option: String,
        map: Words,
        missing: Option<String>,
    },
    File(String),
    Ubus(Call),
    Program(Vec<String>),
    /// What the row is known by.
    Key,
}

/// How the text of a UCI option becomes a value, and back.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Words {
    Text,
    Truth,
    Inverse,
    Items,
    Table(Vec<(String, String)>),
}
