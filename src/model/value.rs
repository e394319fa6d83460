//! Types of parameters and the check of a value against them (TR-106a8 3.2, TR-181).
//!
//! A value is a text in the canonical lexical form of its type; the type says which texts are values.

use super::pattern::Pattern;
use crate::error::{Fault, FaultCode};
use crate::time::UtcTime;

/// Unknown Time (CONFORMANCE J-02).
pub const UNKNOWN_TIME: &str = "0001-01-01T00:00:00Z";

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
    /// The pattern of a string (of each item); the empty string is judged by `lengths` alone.
    pub pattern: Option<&'static Pattern>,
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
            pattern: None,
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

/// Texts longer than this are never taken, whatever the type says.
const LONGEST: usize = 65_535;

impl Type {
    /// The value when there is none (CONFORMANCE J-08).
    #[must_use]
    pub fn null(&self) -> &'static str {
        if self.list.is_some() {
            return "";
        }
        match self.kind {
            Kind::String | Kind::Base64 | Kind::HexBinary => "",
            Kind::Int | Kind::Long => "-1",
            Kind::UnsignedInt | Kind::UnsignedLong => "0",
            Kind::Boolean => "false",
            Kind::DateTime => UNKNOWN_TIME,
        }
    }

    /// The local name of the XML Schema type that a value carries (CONFORMANCE X-06).
    #[must_use]
    pub fn xsd(&self) -> &'static str {
        if self.list.is_some() {
            return "string";
        }
        match self.kind {
            Kind::String => "string",
            Kind::Int => "int",
            Kind::UnsignedInt => "unsignedInt",
            Kind::Long => "long",
            Kind::UnsignedLong => "unsignedLong",
            Kind::Boolean => "boolean",
            Kind::DateTime => "dateTime",
            Kind::Base64 => "base64Binary",
            Kind::HexBinary => "hexBinary",
        }
    }

    /// Judges a text that the ACS or a person wants to set, and brings it into its canonical form.
    ///
    /// `sent` is the type that came with it, if any. Numbers of every width are taken for each other, and `string` for anything that parses
    /// (CONFORMANCE P-16).
    ///
    /// # Errors
    /// 9006 when the type that was sent is another one, 9007 when the value is outside what the parameter takes.
    pub fn accept(&self, sent: Option<&str>, text: &str) -> Result<String, Fault> {
        let untyped = match sent {
            None => true,
            Some("string") => self.kind != Kind::String && self.list.is_none(),
            Some(sent) if self.takes(sent) => false,
            Some(sent) => {
                return Err(Fault::new(
                    FaultCode::INVALID_PARAMETER_TYPE,
                    format!("the type is {}, not {sent}", self.xsd()),
                ));
            }
        };
        if text.len() > LONGEST {
            return Err(Fault::value("the value is too long"));
        }
        let value = match self.list {
            None => self.accept_one(text),
            Some(list) => self.accept_list(list, text),
        };
        match value {
            Err(fault) if untyped && !self.parses(text) => {
                Err(Fault::new(FaultCode::INVALID_PARAMETER_TYPE, fault.into_text()))
            }
            value => value,
        }
    }

    fn takes(&self, sent: &str) -> bool {
        const NUMBERS: [&str; 5] = ["int", "unsignedInt", "long", "unsignedLong", "integer"];
        if self.list.is_some() {
            return sent == "string";
        }
        match self.kind {
            Kind::Int | Kind::UnsignedInt | Kind::Long | Kind::UnsignedLong => NUMBERS.contains(&sent),
            Kind::Base64 => matches!(sent, "base64" | "base64Binary"),
            _ => sent == self.xsd(),
        }
    }

    /// Whether the text is a value of the primitive type at all, whatever the parameter limits it to.
    fn parses(&self, text: &str) -> bool {
        let text = text.trim();
        match self.kind {
            _ if self.list.is_some() => true,
            Kind::String => true,
            Kind::Int | Kind::UnsignedInt | Kind::Long | Kind::UnsignedLong => text.parse::<i128>().is_ok(),
            Kind::Boolean => boolean(text).is_some(),
            Kind::DateTime => UtcTime::parse(text).is_some(),
            Kind::Base64 => base64_length(text).is_some(),
            Kind::HexBinary => hex_length(text).is_some(),
        }
    }

    fn accept_list(&self, list: List, text: &str) -> Result<String, Fault> {
        let mut value = String::new();
        let mut items = 0_u32;
        if !text.trim().is_empty() {
            for item in text.split(',') {
                let item = self.accept_one(item.trim())?;
                if item.is_empty() {
                    return Err(Fault::value("the list has an empty item"));
                }
                if items > 0 {
                    value.push(',');
                }
                value.push_str(&item);
                items = items.saturating_add(1);
            }
        }
        if items < list.items.0 || items > list.items.1 {
            return Err(Fault::value(format!("the list has {items} items; {} are allowed", spans(&[list.items]))));
        }
        if value.chars().count() > list.length as usize {
            return Err(Fault::value(format!("the list is longer than {} characters", list.length)));
        }
        Ok(value)
    }

    fn accept_one(&self, text: &str) -> Result<String, Fault> {
        match self.kind {
            Kind::String => self.accept_string(text),
            Kind::Int => self.accept_number(text, i128::from(i32::MIN), i128::from(i32::MAX)),
            Kind::UnsignedInt => self.accept_number(text, 0, i128::from(u32::MAX)),
            Kind::Long => self.accept_number(text, i128::from(i64::MIN), i128::from(i64::MAX)),
            Kind::UnsignedLong => self.accept_number(text, 0, i128::from(u64::MAX)),
            Kind::Boolean => match boolean(text.trim()) {
                Some(value) => Ok(String::from(if value { "true" } else { "false" })),
                None => Err(Fault::value("not a boolean: use true or false")),
            },
            Kind::DateTime => UtcTime::parse(text)
                .map(|time| time.to_string())
                .ok_or_else(|| Fault::value("not a dateTime such as 2030-01-31T12:00:00Z")),
            Kind::Base64 => {
                let text: String = text.split_ascii_whitespace().collect();
                let length = base64_length(&text).ok_or_else(|| Fault::value("not base64"))?;
                self.check_length(length, "bytes").map(|()| text)
            }
            Kind::HexBinary => {
                let text = text.trim();
                let length =
                    hex_length(text).ok_or_else(|| Fault::value("not an even number of hexadecimal digits"))?;
                self.check_length(length, "bytes").map(|()| String::from(text))
            }
        }
    }

    fn accept_number(&self, text: &str, min: i128, max: i128) -> Result<String, Fault> {
        let number: i128 =
            text.trim().parse().map_err(|_| Fault::value(format!("not a number of type {}", self.xsd())))?;
        if number < min || number > max {
            return Err(Fault::value(format!("outside what {} can hold", self.xsd())));
        }
        let inside = |&(low, high): &(i64, i64)| {
            (low == i64::MIN || number >= i128::from(low)) && (high == i64::MAX || number <= i128::from(high))
        };
        if !self.ranges.is_empty() && !self.ranges.iter().any(inside) {
            return Err(Fault::value(format!("outside the range {}", spans(self.ranges))));
        }
        if !self.values.is_empty() && !self.values.iter().any(|value| value.parse() == Ok(number)) {
            return Err(Fault::value(format!("not one of {}", self.values.join(", "))));
        }
        Ok(number.to_string())
    }

    fn accept_string(&self, text: &str) -> Result<String, Fault> {
        // SECURITY S3: no consumer below may meet a control character that it could take for an end or a command.
        if text.chars().any(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r')) {
            return Err(Fault::value("the value has a control character"));
        }
        if !self.values.is_empty() {
            if !self.values.contains(&text) {
                return Err(Fault::value(format!("not one of {}", self.values.join(", "))));
            }
            if self.read_only_values.contains(&text) {
                return Err(Fault::value(format!("{text} cannot be written")));
            }
        }
        self.check_length(text.chars().count(), "characters")?;
        if let Some(format) = self.format {
            if !text.is_empty() && !(format.check)(text) {
                return Err(Fault::value(format!("not of the form {}", format.name)));
            }
        }
        if let Some(pattern) = self.pattern {
            if !text.is_empty() && !pattern.matches(text) {
                return Err(Fault::value(format!("not of the form {}", pattern.as_str())));
            }
        }
        if let Some(reference) = self.reference {
            if !text.is_empty() && !reference.may_be(text) {
                return Err(Fault::value(format!(
                    "not the path of a row of {}, without a dot at its end",
                    reference.targets.join(" or ")
                )));
            }
        }
        Ok(String::from(text))
    }

    fn check_length(&self, length: usize, unit: &str) -> Result<(), Fault> {
        let fits = |&(low, high): &(u32, u32)| length >= low as usize && length <= high as usize;
        if self.lengths.is_empty() || self.lengths.iter().any(fits) {
            Ok(())
        } else {
            Err(Fault::value(format!("the length is {length}; {} {unit} are allowed", spans(self.lengths))))
        }
    }
}

impl Reference {
    /// Whether a path has the form of a reference to one of the targets.
    #[must_use]
    pub fn may_be(&self, path: &str) -> bool {
        if path.ends_with('.') || !path.starts_with("Device.") {
            return false;
        }
        self.targets.is_empty()
            || self.targets.iter().any(|target| {
                let pattern = target.split('.').filter(|part| !part.is_empty());
                let mut parts = path.split('.');
                pattern
                    .into_iter()
                    .all(|part| parts.next().is_some_and(|got| got == part || (part == "{i}" && is_number(got))))
                    && parts.next().is_some_and(is_number)
                    && parts.next().is_none()
            })
    }
}

/// Ranges as a person writes them: `1 to 5, 10 or more`.
fn spans<T: Copy + PartialEq + std::fmt::Display + Bounded>(ranges: &[(T, T)]) -> String {
    let mut text = String::new();
    for &(low, high) in ranges {
        if !text.is_empty() {
            text.push_str(", ");
        }
        text.push_str(&match (low == T::LEAST, high == T::MOST) {
            (_, false) if low == high => low.to_string(),
            (true, false) => format!("up to {high}"),
            (false, true) => format!("{low} or more"),
            (_, _) => format!("{low} to {high}"),
        });
    }
    text
}

/// The ends that mean no limit.
trait Bounded {
    const LEAST: Self;
    const MOST: Self;
}

impl Bounded for i64 {
    const LEAST: Self = Self::MIN;
    const MOST: Self = Self::MAX;
}

impl Bounded for u32 {
    const LEAST: Self = Self::MIN;
    const MOST: Self = Self::MAX;
}

/// An xsd:boolean; the words are taken in any case (CONFORMANCE X-19).
#[must_use]
pub fn boolean(text: &str) -> Option<bool> {
    if text == "1" || text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text == "0" || text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// Whether a text is an instance number: digits without a zero in front.
#[must_use]
pub fn is_number(text: &str) -> bool {
    !text.is_empty() && !text.starts_with('0') && text.len() <= 10 && text.bytes().all(|b| b.is_ascii_digit())
}

/// Whether a text can be an Alias: it starts with a letter and has no bracket (TR-106a8 3.6.1, CONFORMANCE A-03).
#[must_use]
pub fn is_alias(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic()) && !text.contains(['[', ']'])
}

fn hex_length(text: &str) -> Option<usize> {
    (text.len() % 2 == 0 && text.bytes().all(|b| b.is_ascii_hexdigit())).then_some(text.len() / 2)
}

fn base64_length(text: &str) -> Option<usize> {
    let body = text.trim_end_matches('=');
    let padding = text.len() - body.len();
    let digits = body.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/');
    (digits && padding <= 2 && text.len() % 4 == 0).then(|| body.len() / 4 * 3 + (body.len() % 4).saturating_sub(1))
}
