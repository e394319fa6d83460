//! Types of parameters and the check of a value against them (TR-106a8 3.2, TR-181).
//!
//! A value is a text in the canonical lexical form of its type; the type says which texts are values.

/// The primitive types that CWMP carries (TR-106a8 3.2.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Text; lengths count characters.
    String,
    /// -2^31 to 2^31-1
    Int,
    /// 0 to 2^32-1
    UnsignedInt,
    /// -2^63 to 2^63-1
    Long,
    /// 0 to 2^64-1
    UnsignedLong,
    /// `true` or `false` (`1` and `0` are taken)
    Boolean,
    /// An xsd:dateTime in UTC
    DateTime,
    /// Base64; lengths count bytes before encoding.
    Base64,
    /// Hexadecimal digits; lengths count bytes.
    HexBinary,
}

/// A named form that a string must have, with the check itself.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    /// What a person calls it, such as `IPv4 address`.
    pub name: &'static str,
    /// Whether a text has the form.
    pub check: fn(&str) -> bool,
}

/// That the value is the path of a row of another table (TR-106a8 3.2.4).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reference {
    /// The tables that may be meant, such as `Device.WiFi.Radio.`; empty for any object or parameter.
    pub targets: &'static [&'static str],
    /// Whether it becomes empty when the row goes (CONFORMANCE P-67) and must exist when set (P-17).
    pub strong: bool,
}

/// That the value is a list of items, comma separated (TR-106a8 3.2.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct List {
    /// Least and greatest number of items.
    pub items: (u32, u32),
    /// The greatest length of the whole text in characters.
    pub length: u32,
}

/// Which values a parameter has. All of it is constant data, so that tables lie in read-only memory.
#[derive(Clone, Copy, Debug)]
pub struct Type {
    /// The primitive type, of each item where it is a list.
    pub kind: Kind,
    /// Allowed ranges of a number, ends included; empty for all that the kind has. `i64::MIN` and `i64::MAX` mean open ends.
    pub ranges: &'static [(i64, i64)],
    /// Allowed lengths; empty for no limit but the general one.
    pub lengths: &'static [(u32, u32)],
    /// The allowed texts; empty for all.
    pub values: &'static [&'static str],
    /// Those of `values` that are read but cannot be written (CONFORMANCE P-19).
    pub read_only_values: &'static [&'static str],
    /// The form of a string; the empty string is judged by `lengths` alone.
    pub format: Option<Format>,
    /// Whether the value is a reference.
    pub reference: Option<Reference>,
    /// Whether the value is a list.
    pub list: Option<List>,
}

impl Type {
    /// A type with nothing but its kind.
    #[must_use]
    pub const fn of(kind: Kind) -> Self {
        Self {
            kind,
            ranges: &[],
            lengths: &[],
            values: &[],
            read_only_values: &[],
            format: None,
            reference: None,
            list: None,
        }
    }

    /// Limits a number to ranges, ends included.
    #[must_use]
    pub const fn ranges(mut self, ranges: &'static [(i64, i64)]) -> Self {
        self.ranges = ranges;
        self
    }

    /// Limits the length to ranges, ends included.
    #[must_use]
    pub const fn lengths(mut self, lengths: &'static [(u32, u32)]) -> Self {
        self.lengths = lengths;
        self
    }

    /// Limits the value to these texts.
    #[must_use]
    pub const fn values(mut self, values: &'static [&'static str]) -> Self {
        self.values = values;
        self
    }

    /// Names those of the texts that cannot be written.
    #[must_use]
    pub const fn not_written(mut self, values: &'static [&'static str]) -> Self {
        self.read_only_values = values;
        self
    }

    /// Demands a form.
    #[must_use]
    pub const fn format(mut self, format: Format) -> Self {
        self.format = Some(format);
        self
    }

    /// Makes it a reference that becomes empty when its row goes.
    #[must_use]
    pub const fn strong(mut self, targets: &'static [&'static str]) -> Self {
        self.reference = Some(Reference { targets, strong: true });
        self
    }

    /// Makes it a reference that stays when its row goes.
    #[must_use]
    pub const fn weak(mut self, targets: &'static [&'static str]) -> Self {
        self.reference = Some(Reference { targets, strong: false });
        self
    }

    /// Makes it a list of any length.
    #[must_use]
    pub const fn list(mut self) -> Self {
        self.list = Some(List { items: (0, u32::MAX), length: u32::MAX });
        self
    }

    /// Makes it a list with limits to its items and to its whole text.
    #[must_use]
    pub const fn list_within(mut self, items: (u32, u32), length: u32) -> Self {
        self.list = Some(List { items, length });
        self
    }
}

/// Any text.
pub const STRING: Type = Type::of(Kind::String);
/// Any `int`.
pub const INT: Type = Type::of(Kind::Int);
/// Any `unsignedInt`.
pub const UNSIGNED_INT: Type = Type::of(Kind::UnsignedInt);
/// Any `long`.
pub const LONG: Type = Type::of(Kind::Long);
/// Any `unsignedLong`.
pub const UNSIGNED_LONG: Type = Type::of(Kind::UnsignedLong);
/// A `boolean`.
pub const BOOLEAN: Type = Type::of(Kind::Boolean);
/// A `dateTime`.
pub const DATE_TIME: Type = Type::of(Kind::DateTime);
/// Any bytes as hexadecimal digits.
pub const HEX_BINARY: Type = Type::of(Kind::HexBinary);
/// Any bytes in base64.
pub const BASE64: Type = Type::of(Kind::Base64);
