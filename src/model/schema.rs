//! What a data model is made of: objects, parameters, and where their values live.
//!
//! A table in `device/` is an [`Object`] constant, such as
//!
//! ```
//! use cwmpd::model::schema::*;
//! use cwmpd::model::value::*;
//!
//! static EXAMPLE: Object = Object::table(
//!     "Device.X_EXAMPLE_Led.{i}.",
//!     Table::new(sections("system", "led")),
//!     &[
//!         ro("Name", STRING, uci("name")),
//!         rw("Trigger", STRING.values(&["none", "netdev", "timer"]), uci_or("trigger", "none")),
//!     ],
//! );
//! ```
//!
//! Everything in it is constant, so that the tables of TR-181 lie in read-only memory and cost nothing at start.
//! Vendor model files become the same types when they are read, once, at start (see [`super::vendor`]).

use std::borrow::Cow;

use super::context::{Context, Row};
use super::value::Type;
use crate::error::{Fault, Result};
use crate::platform::uci::{Section, SectionId};

/// A value in the canonical form of its type.
pub type Text = Cow<'static, str>;

/// Reads a parameter of a row.
pub type Get = fn(&mut Context, &Row) -> Result<Text>;

/// Stages a value, already judged by its type, for a parameter of a row.
pub type Set = fn(&mut Context, &Row, &str) -> Result<(), Fault>;

/// Stages, together, the values of those parameters of a row that say [`together`].
/// A fault names the parameter that it blames.
pub type SetTogether = fn(&mut Context, &Row, &Values<'_>) -> Result<(), (&'static str, Fault)>;

/// Judges a row by its end state, when everything of the request is staged. A fault names the parameter that it blames.
pub type Check = fn(&mut Context, &Row) -> Result<(), (&'static str, Fault)>;

/// An object of the data model, with its parameters.
#[derive(Debug)]
pub struct Object {
    /// The path with `{i}` for instance numbers, such as `Device.WiFi.SSID.{i}.`.
    pub path: &'static str,
    /// How rows come and go; `None` for an object that is there once.
    pub table: Option<Table>,
    /// Its parameters, without those of objects below.
    pub parameters: &'static [Parameter],
    /// Writes the parameters that say [`together`].
    pub set_together: Option<SetTogether>,
    /// Judges a row after a request has touched it.
    pub check: Option<Check>,
}

impl Object {
    /// An object that is there once (or once in each row of the table around it).
    #[must_use]
    pub const fn single(path: &'static str, parameters: &'static [Parameter]) -> Self {
        Self { path, table: None, parameters, set_together: None, check: None }
    }

    /// A table: the path ends in `{i}.`.
    #[must_use]
    pub const fn table(path: &'static str, table: Table, parameters: &'static [Parameter]) -> Self {
        Self { path, table: Some(table), parameters, set_together: None, check: None }
    }

    /// Adds the function that writes parameters which only make sense together.
    #[must_use]
    pub const fn set_together(mut self, set: SetTogether) -> Self {
        self.set_together = Some(set);
        self
    }

    /// Adds the function that judges the end state.
    #[must_use]
    pub const fn check(mut self, check: Check) -> Self {
        self.check = Some(check);
        self
    }
}

/// How the rows of a table come and go.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// Where the rows come from.
    pub rows: Rows,
    /// How AddObject makes a row; `None`: it cannot.
    pub add: Option<Add>,
    /// How DeleteObject takes one away; `None`: it cannot.
    pub delete: Option<Delete>,
    /// Sets of parameters that no two rows may share.
    pub keys: &'static [Key],
    /// The parameter that says whether a row is enabled (CONFORMANCE J-06); empty for none.
    pub enable: &'static str,
    /// The most rows there may be (CONFORMANCE P-63: 9004).
    pub limit: usize,
}

impl Table {
    /// A table whose rows come and go by themselves.
    #[must_use]
    pub const fn new(rows: Rows) -> Self {
        Self { rows, add: None, delete: None, keys: &[], enable: "", limit: 1024 }
    }

    /// Lets the ACS add and delete rows. For tables of UCI sections a row is a named section of the type, which starts with these options;
    /// for tables of the agent's own there are none.
    #[must_use]
    pub const fn writable(mut self, options: &'static [(&'static str, &'static str)]) -> Self {
        self.add = Some(Add::Plain(options));
        self.delete = Some(Delete::Plain);
        self
    }

    /// Adds rows with a function.
    #[must_use]
    pub const fn added_by(mut self, add: AddRow) -> Self {
        self.add = Some(Add::By(add));
        self
    }

    /// Deletes rows with a function; it answers 9005 for a row that cannot go.
    #[must_use]
    pub const fn deleted_by(mut self, delete: DeleteRow) -> Self {
        self.delete = Some(Delete::By(delete));
        self
    }

    /// Names the unique keys.
    #[must_use]
    pub const fn keys(mut self, keys: &'static [Key]) -> Self {
        self.keys = keys;
        self
    }

    /// Names the parameter that enables a row.
    #[must_use]
    pub const fn enabled_by(mut self, parameter: &'static str) -> Self {
        self.enable = parameter;
        self
    }

    /// Limits the number of rows.
    #[must_use]
    pub const fn at_most(mut self, rows: usize) -> Self {
        self.limit = rows;
        self
    }
}

/// Parameters that together are unique in their table (TR-106a8 3.2.5).
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// The parameters, all of the row itself.
    pub parameters: &'static [&'static str],
    /// A functional key counts only among enabled rows.
    pub functional: bool,
}

/// A key that only counts among enabled rows.
#[must_use]
pub const fn functional(parameters: &'static [&'static str]) -> Key {
    Key { parameters, functional: true }
}

/// A key that always counts.
#[must_use]
pub const fn always(parameters: &'static [&'static str]) -> Key {
    Key { parameters, functional: false }
}

/// Where rows come from.
#[derive(Clone, Copy, Debug)]
pub enum Rows {
    /// Every section of this package and type that the filter lets through.
    Sections {
        /// The UCI package.
        package: &'static str,
        /// The type of the sections.
        kind: &'static str,
        /// Which of them are rows; `None` for all.
        filter: Option<fn(&Section<'_>) -> bool>,
    },
    /// The sections of a package that the function names, in this order; for tables inside a row, and for more than one type.
    SomeSections {
        /// The UCI package.
        package: &'static str,
        /// Lists them for the row around the table.
        list: fn(&mut Context, &Row) -> Result<Vec<SectionId>>,
    },
    /// The sections of a package that the function names, and behind them what is no section and can only be read: one row for each key, which is no
    /// name that a section can have.
    SectionsAndKeys {
        /// The UCI package.
        package: &'static str,
        /// Lists the sections for the row around the table.
        list: fn(&mut Context, &Row) -> Result<Vec<SectionId>>,
        /// Lists the keys.
        keys: fn(&mut Context, &Row) -> Result<Vec<String>>,
    },
    /// One row for each key, in this order. A key is what the row is known by for ever: a device name, a MAC address.
    Keys(fn(&mut Context, &Row) -> Result<Vec<String>>),
    /// Rows that the router numbers itself and that are soon gone, such as processes: the numbers are the instance numbers, and nothing is
    /// remembered of them.
    Numbered(fn(&mut Context, &Row) -> Result<Vec<u32>>),
    /// Rows of a result, numbered from 1, which last as long as the process ([`Source::Fleeting`]).
    Fleeting,
    /// Rows that only the agent has, with their parameters in its own state ([`Source::Own`]).
    Own,
    /// Rows of a vendor model file.
    Vendor(&'static super::vendor::VendorRows),
}

impl Rows {
    /// Whether the rows stay the same whatever options are written.
    pub(super) fn stand(&self) -> bool {
        match self {
            Self::Sections { filter, .. } => filter.is_none(),
            Self::Vendor(rows) => super::vendor::stand(rows),
            Self::SomeSections { .. }
            | Self::SectionsAndKeys { .. }
            | Self::Keys(_)
            | Self::Numbered(_)
            | Self::Fleeting
            | Self::Own => false,
        }
    }
}

/// All sections of a type.
#[must_use]
pub const fn sections(package: &'static str, kind: &'static str) -> Rows {
    Rows::Sections { package, kind, filter: None }
}

/// The sections of a type that a function lets through.
#[must_use]
pub const fn sections_where(package: &'static str, kind: &'static str, filter: fn(&Section<'_>) -> bool) -> Rows {
    Rows::Sections { package, kind, filter: Some(filter) }
}

/// Makes a row and returns what it is known by: the name of its section, or its key.
pub type AddRow = fn(&mut Context, &Row) -> Result<String, Fault>;

/// Takes a row away.
pub type DeleteRow = fn(&mut Context, &Row) -> Result<(), Fault>;

/// How AddObject makes a row.
#[derive(Clone, Copy, Debug)]
pub enum Add {
    /// A new section of the table's type with these options, or a row of the agent's own.
    Plain(&'static [(&'static str, &'static str)]),
    /// With a function.
    By(AddRow),
}

/// How DeleteObject takes a row away.
#[derive(Clone, Copy, Debug)]
pub enum Delete {
    /// With its section, or out of the agent's own state.
    Plain,
    /// With a function.
    By(DeleteRow),
}

/// A parameter.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// The last part of its name.
    pub name: &'static str,
    /// Which values it has.
    pub value: Type,
    /// Whether SetParameterValues can change it.
    pub writable: bool,
    /// Reads as an empty string, whatever is stored (CONFORMANCE P-13).
    pub hidden: bool,
    /// Writing `true` does something, reading gives `false` (CONFORMANCE J-14).
    pub command: bool,
    /// Every Inform carries it (CONFORMANCE I-04).
    pub forced_inform: bool,
    /// What notification it takes.
    pub notification: Notification,
    /// The value of a new row (TR-181 object default).
    pub default: Option<&'static str>,
    /// Where it lives.
    pub source: Source,
}

/// What TR-181 says of the notification of a parameter (CONFORMANCE P-53, P-54).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Notification {
    /// Off until the ACS asks for it.
    Normal,
    /// Active for ever.
    ForceEnabled,
    /// Active until the ACS says otherwise.
    ForceDefaultEnabled,
    /// Active is refused with 9009.
    CanDeny,
}

/// A parameter that can only be read.
#[must_use]
pub const fn ro(name: &'static str, value: Type, source: Source) -> Parameter {
    Parameter {
        name,
        value,
        writable: false,
        hidden: false,
        command: false,
        forced_inform: false,
        notification: Notification::Normal,
        default: None,
        source,
    }
}

/// A parameter that can be read and written.
#[must_use]
pub const fn rw(name: &'static str, value: Type, source: Source) -> Parameter {
    let mut parameter = ro(name, value, source);
    parameter.writable = true;
    parameter
}

impl Parameter {
    /// Makes it read as an empty string.
    #[must_use]
    pub const fn hidden(mut self) -> Self {
        self.hidden = true;
        self
    }

    /// Makes it a command.
    #[must_use]
    pub const fn command(mut self) -> Self {
        self.command = true;
        self
    }

    /// Puts it into every Inform.
    #[must_use]
    pub const fn forced_inform(mut self) -> Self {
        self.forced_inform = true;
        self
    }

    /// Gives it the value that a new row has.
    #[must_use]
    pub const fn default(mut self, value: &'static str) -> Self {
        self.default = Some(value);
        self
    }

    /// Says what notification it takes.
    #[must_use]
    pub const fn notification(mut self, notification: Notification) -> Self {
        self.notification = notification;
        self
    }
}

/// Where a value lives.
#[derive(Clone, Copy, Debug)]
pub enum Source {
    /// The same everywhere.
    Constant(&'static str),
    /// A UCI option: `option` of the row's section, or `package.section.option` where the section is a name, `@type[index]`, or `name=type`, which is
    /// made if it is not there.
    Uci {
        /// The option.
        option: &'static str,
        /// How its text becomes the value.
        map: Map,
        /// The value when the option is not there; `None` for the null value of the type (CONFORMANCE J-08).
        missing: Option<&'static str>,
    },
    /// The first line of a file; its path may hold `{key}` for what the row is known by and `{uci:option}` for an option of its section.
    File(&'static str),
    /// A value in the reply to a ubus call.
    Ubus {
        /// The object; may hold `{key}` and `{uci:option}`.
        object: &'static str,
        /// The method.
        method: &'static str,
        /// The arguments, a JSON object; texts in it may hold `{key}` and `{uci:option}`.
        arguments: &'static str,
        /// A JSON pointer to the value; may hold `{key}`.
        pointer: &'static str,
    },
    /// What a program prints; each argument may hold `{key}` and `{uci:option}`.
    Program(&'static [&'static str]),
    /// A vendor parameter that is read from one place and written to another.
    Vendor {
        /// Read.
        read: &'static Source,
        /// Written: a UCI option, a file, or a program that gets the value as its last argument.
        write: &'static Source,
    },
    /// The agent's own state, under the full name of the parameter; its value in the beginning.
    Own(&'static str),
    /// The agent's memory, under the full name of the parameter, for as long as the process lives; its value in the beginning.
    Fleeting(&'static str),
    /// What a test is doing; written to start and end it (CONFORMANCE G-10).
    Test,
    /// The Alias of the row, in the agent's own state (CONFORMANCE A-03).
    Alias,
    /// The number of rows of the table of this name beside the parameter.
    Count(&'static str),
    /// A function.
    Get(Get),
    /// A function for reading and one for writing.
    GetSet(Get, Set),
    /// The same, but written only when another value comes than what it is already.
    Change(Get, Set),
    /// A function for reading; written by the object's [`SetTogether`].
    Together(Get),
}

/// How the text of a UCI option becomes a value, and back.
#[derive(Clone, Copy, Debug)]
pub enum Map {
    /// It is the value.
    Text,
    /// `1`, `on`, `yes`, `true`, `enabled` and their opposites; written as `1` and `0`.
    Truth,
    /// The opposite, as in `disabled`: true takes the option away, false writes `1`.
    Inverse,
    /// Words of UCI and of TR-181; anything else reads as the missing value.
    Words(&'static [(&'static str, &'static str)]),
    /// A UCI list, or a text with blanks between its items, as a comma-separated list; written as a list.
    Items,
    /// What a row of this table (such as `Device.WiFi.Radio.`) is known by, as the path of the row.
    Row(&'static str),
    /// Functions: from UCI, and to UCI, where `None` takes the option away.
    Custom(fn(&str) -> Text, fn(&str) -> Result<Option<String>, Fault>),
}

/// A UCI option whose text is the value.
#[must_use]
pub const fn uci(option: &'static str) -> Source {
    Source::Uci { option, map: Map::Text, missing: None }
}

/// A UCI option whose text is the value, or this value where there is none.
#[must_use]
pub const fn uci_or(option: &'static str, missing: &'static str) -> Source {
    Source::Uci { option, map: Map::Text, missing: Some(missing) }
}

/// A UCI option with a boolean, and what it is (`true` or `false`) where there is none.
#[must_use]
pub const fn uci_bool(option: &'static str, missing: &'static str) -> Source {
    Source::Uci { option, map: Map::Truth, missing: Some(missing) }
}

/// A UCI option such as `disabled`, which says the opposite; the value is `true` where there is none.
#[must_use]
pub const fn uci_not(option: &'static str) -> Source {
    Source::Uci { option, map: Map::Inverse, missing: Some("true") }
}

/// A UCI option with words of its own.
#[must_use]
pub const fn uci_words(
    option: &'static str,
    words: &'static [(&'static str, &'static str)],
    missing: &'static str,
) -> Source {
    Source::Uci { option, map: Map::Words(words), missing: Some(missing) }
}

/// A UCI list.
#[must_use]
pub const fn uci_list(option: &'static str) -> Source {
    Source::Uci { option, map: Map::Items, missing: None }
}

/// A UCI option that names a row of another table.
#[must_use]
pub const fn uci_row(option: &'static str, table: &'static str) -> Source {
    Source::Uci { option, map: Map::Row(table), missing: None }
}

/// A UCI option that two functions translate.
#[must_use]
pub const fn uci_custom(
    option: &'static str,
    missing: &'static str,
    read: fn(&str) -> Text,
    write: fn(&str) -> Result<Option<String>, Fault>,
) -> Source {
    Source::Uci { option, map: Map::Custom(read, write), missing: Some(missing) }
}

/// The same value everywhere.
#[must_use]
pub const fn constant(value: &'static str) -> Source {
    Source::Constant(value)
}

/// The first line of a file.
#[must_use]
pub const fn file(path: &'static str) -> Source {
    Source::File(path)
}

/// A function.
#[must_use]
pub const fn get(read: Get) -> Source {
    Source::Get(read)
}

/// Two functions.
#[must_use]
pub const fn get_set(read: Get, write: Set) -> Source {
    Source::GetSet(read, write)
}

/// Two functions, the second for values other than what it is already.
#[must_use]
pub const fn change(read: Get, write: Set) -> Source {
    Source::Change(read, write)
}

/// A function for reading; written by the object's [`SetTogether`].
#[must_use]
pub const fn together(read: Get) -> Source {
    Source::Together(read)
}

/// The number of rows of a table beside the parameter.
#[must_use]
pub const fn count(table: &'static str) -> Source {
    Source::Count(table)
}

/// The agent's own state.
#[must_use]
pub const fn own(initial: &'static str) -> Source {
    Source::Own(initial)
}

/// The agent's memory, for as long as the process lives.
#[must_use]
pub const fn fleeting(initial: &'static str) -> Source {
    Source::Fleeting(initial)
}

/// The Alias parameter that every table has.
#[must_use]
pub const fn alias() -> Parameter {
    use super::value::{Format, STRING};
    const ALIAS: Format = Format { name: "Alias", check: super::value::is_alias };
    rw("Alias", STRING.lengths(&[(1, 64)]).format(ALIAS), Source::Alias)
}

/// The new values of one row in a request, as [`SetTogether`] gets them.
#[derive(Clone, Copy, Debug)]
pub struct Values<'a>(pub &'a [(&'static str, String)]);

impl Values<'_> {
    /// The new value of a parameter, if the request has one.
    #[must_use]
    pub fn get(&self, parameter: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| *name == parameter).map(|(_, value)| value.as_str())
    }
}
