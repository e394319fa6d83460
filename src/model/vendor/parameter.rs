//! A parameter of a vendor file: which values it has, and where they live.

use super::json::{Json, Member, Value};
use super::names;
use super::parse::{Fields, Reader};
use super::{Place, Shape, VendorParameter, Words};
use crate::model::format;
use crate::model::pattern::Pattern;
use crate::model::schema::Notification;
use crate::model::value::{Format, Kind, List, Type};

const PARAMETER: &[&str] = &[
    "description",
    "units",
    "type",
    "list",
    "minItems",
    "maxItems",
    "access",
    "uci",
    "file",
    "ubus",
    "pointer",
    "exec",
    "value",
    "key",
    "write",
    "map",
    "enum",
    "range",
    "min",
    "max",
    "length",
    "minLength",
    "maxLength",
    "format",
    "pattern",
    "default",
    "hidden",
    "command",
    "notification",
];
const SOURCES: &[&str] = &["uci", "file", "ubus", "exec", "value", "key"];
const WRITE: &[&str] = &["uci", "file", "exec", "map"];

const KINDS: &[(&str, Kind)] = &[
    ("string", Kind::String),
    ("int", Kind::Int),
    ("unsignedInt", Kind::UnsignedInt),
    ("long", Kind::Long),
    ("unsignedLong", Kind::UnsignedLong),
    ("boolean", Kind::Boolean),
    ("dateTime", Kind::DateTime),
    ("base64", Kind::Base64),
    ("hexBinary", Kind::HexBinary),
];

const FORMATS: &[(&str, Format)] = &[
    ("ipv4", format::IPV4),
    ("ipv6", format::IPV6),
    ("ip", format::IP),
    ("ipv4Prefix", format::IPV4_PREFIX),
    ("ipv6Prefix", format::IPV6_PREFIX),
    ("netmask", format::NETMASK),
    ("mac", format::MAC),
    ("url", format::URL),
];

const NOTIFICATIONS: &[(&str, Notification)] = &[
    ("normal", Notification::Normal),
    ("forceEnabled", Notification::ForceEnabled),
    ("forceDefaultEnabled", Notification::ForceDefaultEnabled),
    ("canDeny", Notification::CanDeny),
];

impl Shape {
    fn is_number(&self) -> bool {
        matches!(self.kind, Kind::Int | Kind::UnsignedInt | Kind::Long | Kind::UnsignedLong)
    }

    fn bounds(&self) -> (i64, i64) {
        match self.kind {
            Kind::Int => (i64::from(i32::MIN), i64::from(i32::MAX)),
            Kind::UnsignedInt => (0, i64::from(u32::MAX)),
            Kind::UnsignedLong => (0, i64::MAX),
            _ => (i64::MIN, i64::MAX),
        }
    }

    /// The canonical form of a value, or why it is none.
    fn legal(&self, text: &str) -> Result<String, String> {
        let mut bare = Type::of(self.kind);
        bare.format = self.format;
        bare.list = self.list.map(|items| List { items, length: u32::MAX });
        let value = bare.accept(None, text).map_err(|fault| format!("{text:?} is no value of it: {}", fault.text))?;
        if self.list.is_none() {
            self.item(&value)?;
        } else {
            value.split(',').filter(|item| !item.is_empty()).try_for_each(|item| self.item(item))?;
        }
        Ok(value)
    }

    fn item(&self, item: &str) -> Result<(), String> {
        if !self.values.is_empty() && !self.values.iter().any(|value| value == item) {
            return Err(format!("{item:?} is none of its values: {}", self.values.join(", ")));
        }
        let inside = |&(least, most): &(i64, i64)| {
            item.parse::<i128>().is_ok_and(|number| {
                (least == i64::MIN || number >= i128::from(least)) && (most == i64::MAX || number <= i128::from(most))
            })
        };
        if !self.ranges.is_empty() && !self.ranges.iter().any(inside) {
            return Err(format!("{item} is outside its range"));
        }
        let length = match self.kind {
            Kind::HexBinary => item.len() / 2,
            Kind::Base64 => (item.len() / 4 * 3).saturating_sub(item.bytes().filter(|b| *b == b'=').count()),
            _ => item.chars().count(),
        };
        let fits = |&(least, most): &(u32, u32)| length >= least as usize && length <= most as usize;
        if !self.lengths.is_empty() && !self.lengths.iter().any(fits) {
            return Err(format!("{item:?} has another length than is allowed"));
        }
        if let Some(pattern) = self.pattern.as_ref().filter(|pattern| !item.is_empty() && !pattern.matches(item)) {
            return Err(format!("{item:?} is not of the form {}", pattern.as_str()));
        }
        Ok(())
    }
}

impl Reader<'_> {
    /// Reads a parameter; `None` where too little of it is right to go on.
    pub(super) fn parameter(&mut self, member: &Member) -> Option<VendorParameter> {
        self.good(member.line, names::name(&member.name));
        self.good(member.line, names::full_name(&self.path, &member.name));
        let fields = self.fields(&member.value, member.line, "a parameter", PARAMETER)?;
        for name in fields.which(&["description", "units"]) {
            if let Some(json) = fields.get(name) {
                self.text(json, &format!("\"{name}\""));
            }
        }
        let writable = self.access(fields);
        let shape = self.shape(fields);
        let hidden = self.boolean(fields, "hidden", false);
        let command = self.boolean(fields, "command", false);
        let notification =
            fields.get("notification").and_then(|json| self.one_of(json, "\"notification\"", NOTIFICATIONS));
        let mut shape = shape?;
        let kinds = fields.which(SOURCES);
        let read = match kinds.as_slice() {
            [] if command => Some(Place::Constant(String::from("false"))),
            [kind] => self.place(fields, kind, &mut shape, writable == Some(true) && fields.get("write").is_none()),
            [] => {
                self.add(
                    member.line,
                    "the parameter has no source: \"uci\", \"file\", \"ubus\", \"exec\", \"value\" or \"key\"",
                );
                None
            }
            more => {
                self.add(member.line, format!("the parameter has {} sources: {}", more.len(), more.join(", ")));
                None
            }
        };
        self.misplaced(fields, &kinds);
        let write = self.write(fields, &mut shape);
        let (target, where_from) = if fields.get("write").is_some() { (&write, "write") } else { (&read, "map") };
        if let (Some(true), Some(Place::Uci { map: Words::Table(words), .. })) = (writable, target) {
            let line = fields.line_of(where_from);
            // A command that is not given is not written.
            for value in ["true", "false"].iter().filter(|_| shape.kind == Kind::Boolean && !command) {
                if !words.iter().any(|(_, known)| known == value) {
                    self.add(line, format!("\"map\" has no word to write for {value}"));
                }
            }
        }
        if command && (shape.kind != Kind::Boolean || shape.list.is_some() || writable == Some(false)) {
            self.add(fields.line_of("command"), "a command is a boolean with access rw");
        }
        if writable == Some(false) && fields.get("write").is_some() {
            self.add(fields.line_of("write"), "\"write\" goes with access rw");
        }
        let can_be_written = match kinds.as_slice() {
            [] => !command,
            ["exec"] => command,
            kinds => kinds.iter().any(|kind| matches!(*kind, "uci" | "file")),
        };
        if writable == Some(true) && !can_be_written && fields.get("write").is_none() {
            self.add(
                fields.line_of("access"),
                "access rw needs \"write\": what is read here cannot be written the same way",
            );
        }
        Some(VendorParameter {
            name: member.name.clone(),
            shape,
            writable: writable?,
            hidden,
            command,
            forced_inform: false,
            notification,
            read: read?,
            write,
        })
    }

    /// One of a set of words.
    fn one_of<T: Copy>(&mut self, json: &Json, what: &str, words: &[(&str, T)]) -> Option<T> {
        let word = self.text(json, what)?;
        let found = words.iter().find(|(known, _)| *known == word).map(|(_, value)| *value);
        if found.is_none() {
            let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let near = names::near(&word, &known).map(|near| format!("; did you mean \"{near}\"?")).unwrap_or_default();
            self.add(json.line, format!("{what} is one of {}, not {word:?}{near}", known.join(", ")));
        }
        found
    }

    fn access(&mut self, fields: Fields<'_>) -> Option<bool> {
        match fields.get("access") {
            Some(json) => self.one_of(json, "\"access\"", &[("ro", false), ("rw", true)]),
            None => {
                self.add(fields.line, "\"access\" is missing: ro or rw");
                None
            }
        }
    }

    fn shape(&mut self, fields: Fields<'_>) -> Option<Shape> {
        let kind = match fields.get("type") {
            Some(json) => self.one_of(json, "\"type\"", KINDS)?,
            None => {
                self.add(fields.line, "\"type\" is missing");
                return None;
            }
        };
        let mut shape = Shape {
            kind,
            list: None,
            ranges: Vec::new(),
            lengths: Vec::new(),
            values: Vec::new(),
            format: None,
            pattern: None,
        };
        let is_list = self.boolean(fields, "list", false);
        let [least, most] = ["minItems", "maxItems"].map(|name| {
            fields.get(name).and_then(|json| self.number(json, &format!("\"{name}\""), (0, i64::from(u32::MAX))))
        });
        if is_list {
            let items = (to_u32(least).unwrap_or(0), to_u32(most).unwrap_or(u32::MAX));
            self.ordered(fields.line_of("minItems"), items.0 <= items.1);
            shape.list = Some(items);
        } else if least.or(most).is_some() {
            let first = fields.which(&["minItems", "maxItems"]);
            self.add(fields.line_of(first.first().unwrap_or(&"")), "\"minItems\" and \"maxItems\" go with \"list\"");
        }
        let numeric = shape.is_number();
        let sized = matches!(kind, Kind::String | Kind::Base64 | Kind::HexBinary);
        self.only_if(fields, &["range", "min", "max"], numeric, "a number");
        self.only_if(fields, &["length", "minLength", "maxLength"], sized, "string, base64 and hexBinary");
        self.only_if(fields, &["format", "pattern"], kind == Kind::String, "string");
        self.only_if(fields, &["enum"], kind == Kind::String || numeric, "string and the numbers");
        if numeric {
            shape.ranges = self.spans(fields, ["range", "min", "max"], shape.bounds(), (i64::MIN, i64::MAX));
        }
        if sized {
            let spans = self.spans(fields, ["length", "minLength", "maxLength"], (0, 65_535), (0, i64::from(u32::MAX)));
            let to_u32 = |end: i64| u32::try_from(end).unwrap_or(u32::MAX);
            shape.lengths = spans.into_iter().map(|(least, most)| (to_u32(least), to_u32(most))).collect();
        }
        if let Some(json) = fields.get("format").filter(|_| kind == Kind::String) {
            shape.format = self.one_of(json, "\"format\"", FORMATS);
        }
        if let Some(json) = fields.get("pattern").filter(|_| kind == Kind::String) {
            let text = self.text(json, "\"pattern\"");
            shape.pattern = text.and_then(|text| self.good(json.line, Pattern::parse(&text)));
        }
        if let Some(json) = fields.get("enum").filter(|_| kind == Kind::String || numeric) {
            shape.values = self.values(json, &shape);
        }
        Some(shape)
    }

    fn only_if(&mut self, fields: Fields<'_>, names: &[&str], applies: bool, what: &str) {
        if !applies {
            for name in fields.which(names) {
                self.add(fields.line_of(name), format!("\"{name}\" goes with {what}"));
            }
        }
    }

    fn ordered(&mut self, line: usize, ordered: bool) {
        if !ordered {
            self.add(line, "the least is greater than the most");
        }
    }

    /// Ranges: `[least, most]` or a list of such pairs, `null` for no limit, one number for exactly that; or two members with the ends.
    fn spans(
        &mut self,
        fields: Fields<'_>,
        [whole, least, most]: [&str; 3],
        bounds: (i64, i64),
        open: (i64, i64),
    ) -> Vec<(i64, i64)> {
        let mut spans = Vec::new();
        if let Some(json) = fields.get(whole) {
            for name in fields.which(&[least, most]) {
                self.add(fields.line_of(name), format!("\"{name}\" says again what \"{whole}\" says"));
            }
            let pairs = match &json.value {
                Value::List(items) if items.iter().any(|item| matches!(item.value, Value::List(_))) => items.as_slice(),
                _ => std::slice::from_ref(json),
            };
            for pair in pairs {
                spans.extend(self.span(pair, whole, bounds, open));
            }
            return spans;
        }
        let mut end = |name: &str, open| match fields.get(name) {
            Some(json) => self.number(json, &format!("\"{name}\""), bounds).unwrap_or(open),
            None => open,
        };
        let span = (end(least, open.0), end(most, open.1));
        if span != open {
            self.ordered(fields.line_of(least), span.0 <= span.1);
            spans.push(span);
        }
        spans
    }

    fn span(&mut self, json: &Json, what: &str, bounds: (i64, i64), open: (i64, i64)) -> Option<(i64, i64)> {
        let form = format!("\"{what}\" is [least, most], or a list of such pairs");
        let span = match &json.value {
            Value::Number(_) => self.number(json, &form, bounds).map(|number| (number, number))?,
            Value::List(ends) => {
                let [least, most] = ends.as_slice() else {
                    self.add(json.line, form);
                    return None;
                };
                let mut end = |json: &Json, open| match json.value {
                    Value::Null => Some(open),
                    _ => self.number(json, &form, bounds),
                };
                (end(least, open.0)?, end(most, open.1)?)
            }
            _ => {
                self.add(json.line, form);
                return None;
            }
        };
        self.ordered(json.line, span.0 <= span.1);
        Some(span)
    }

    fn values(&mut self, json: &Json, shape: &Shape) -> Vec<String> {
        let Value::List(items) = &json.value else {
            self.add(json.line, "\"enum\" is a list of values");
            return Vec::new();
        };
        let single = Shape { list: None, ..shape.clone() };
        let mut values: Vec<String> = Vec::new();
        for item in items {
            let value = item.scalar().ok_or_else(|| String::from("a value of \"enum\" is a text or a number"));
            let value = value.and_then(|text| single.legal(&text));
            match self.good(item.line, value) {
                Some(value) if values.contains(&value) => self.add(item.line, format!("{value:?} comes twice")),
                Some(value) if shape.list.is_some() && value.contains(',') => {
                    self.add(item.line, "an item of a list has no comma");
                }
                Some(value) => values.push(value),
                None => {}
            }
        }
        if items.is_empty() {
            self.add(json.line, "\"enum\" has no values");
        }
        values
    }

    /// A value in JSON as the text of one: a list may be written as one.
    fn value(&mut self, json: &Json, what: &str, shape: &Shape) -> Option<String> {
        let text = match &json.value {
            Value::List(items) if shape.list.is_some() => {
                items.iter().map(Json::scalar).collect::<Option<Vec<_>>>().map(|items| items.join(","))
            }
            _ => json.scalar(),
        };
        let text = text.ok_or_else(|| format!("{what} is a text, a number or a boolean"));
        self.good(json.line, text.and_then(|text| shape.legal(&text)))
    }

    /// Members that have no meaning without another.
    fn misplaced(&mut self, fields: Fields<'_>, kinds: &[&str]) {
        for (name, with) in [("pointer", "ubus"), ("map", "uci"), ("default", "uci")] {
            if fields.get(name).is_some() && !kinds.contains(&with) {
                self.add(fields.line_of(name), format!("\"{name}\" goes with \"{with}\""));
            }
        }
    }

    fn place(&mut self, fields: Fields<'_>, kind: &str, shape: &mut Shape, written: bool) -> Option<Place> {
        let json = fields.get(kind)?;
        match kind {
            "uci" => self.uci(fields, json, shape, written),
            "file" => self.file(json, "\"file\"", false).map(Place::File),
            "exec" => self.program(json, Some(false)).map(Place::Program),
            "ubus" => self.call(fields, false).map(Place::Ubus),
            "key" => {
                if !matches!(json.value, Value::Bool(true)) || shape.kind != Kind::String || shape.list.is_some() {
                    self.add(json.line, "\"key\" is true, and goes with string");
                }
                self.holds(json.line, "{key}", false);
                Some(Place::Key)
            }
            _ => self.value(json, "\"value\"", shape).map(Place::Constant),
        }
    }

    fn write(&mut self, fields: Fields<'_>, shape: &mut Shape) -> Option<Place> {
        let json = fields.get("write")?;
        let fields = self.fields(json, json.line, "\"write\"", WRITE)?;
        let kinds = fields.which(&["uci", "file", "exec"]);
        let &[kind] = kinds.as_slice() else {
            self.add(json.line, "\"write\" has one of \"uci\", \"file\" and \"exec\"");
            return None;
        };
        if fields.get("map").is_some() && kind != "uci" {
            self.add(fields.line_of("map"), "\"map\" goes with \"uci\"");
        }
        self.place(fields, kind, shape, true)
    }

    fn uci(&mut self, fields: Fields<'_>, json: &Json, shape: &mut Shape, written: bool) -> Option<Place> {
        let option = self.text(json, "\"uci\"")?;
        if self.good(json.line, names::option(&option)) == Some(false) {
            self.needs_section(json.line, false);
        }
        let map = match fields.get("map") {
            Some(json) => self.map(json, shape),
            None if shape.list.is_some() => Words::Items,
            None if shape.kind == Kind::Boolean => Words::Truth,
            None => Words::Text,
        };
        let default = fields.get("default");
        if let Words::Table(words) = &map {
            if shape.values.is_empty() && shape.kind != Kind::Boolean {
                for (_, value) in words.iter().filter(|(_, value)| !value.is_empty()) {
                    if !shape.values.contains(value) {
                        shape.values.push(value.clone());
                    }
                }
                // What stands for a missing option can be read, and written where there is a word for it.
                let missing = default.filter(|_| !written).and_then(Json::scalar);
                shape.values.extend(missing.filter(|value| !words.iter().any(|(_, known)| known == value)));
            } else if written {
                let lacking: Vec<&str> = shape
                    .values
                    .iter()
                    .filter(|value| !words.iter().any(|(_, known)| known == *value))
                    .map(String::as_str)
                    .collect();
                if !lacking.is_empty() {
                    let lacking = lacking.join(", ");
                    self.add(fields.line_of("map"), format!("\"map\" has no word to write for {lacking}"));
                }
            }
        }
        let missing = match default {
            Some(json) => self.value(json, "\"default\"", shape),
            None if map == Words::Inverse => Some(String::from("true")),
            None => None,
        };
        Some(Place::Uci { option, map, missing })
    }

    fn map(&mut self, json: &Json, shape: &Shape) -> Words {
        match &json.value {
            Value::Text(word) if word == "truth" || word == "inverse" => {
                if shape.kind != Kind::Boolean || shape.list.is_some() {
                    self.add(json.line, format!("the map \"{word}\" goes with boolean"));
                }
                if word == "truth" { Words::Truth } else { Words::Inverse }
            }
            Value::Object(members) => {
                if shape.list.is_some() {
                    self.add(json.line, "a list has no \"map\"");
                }
                if members.is_empty() {
                    self.add(json.line, "\"map\" has no words");
                }
                let mut words = Vec::with_capacity(members.len());
                for member in members {
                    if let Some(value) = self.value(&member.value, "the value of a word", shape) {
                        words.push((member.name.clone(), value));
                    }
                }
                Words::Table(words)
            }
            _ => {
                self.add(
                    json.line,
                    "\"map\" is \"truth\", \"inverse\", or an object with a value for each word of UCI",
                );
                Words::Text
            }
        }
    }
}

fn to_u32(number: Option<i64>) -> Option<u32> {
    number.and_then(|number| u32::try_from(number).ok())
}
