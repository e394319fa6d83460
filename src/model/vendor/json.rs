//! JSON that knows its lines, so that a mistake in it can be told with its place.

use super::Problems;

use crate::sorted::Set;

/// How deep arrays and objects may lie in each other, and how many values a file may have.
const DEPTH: usize = 24;
const VALUES: usize = 100_000;

/// A value, with the line that it begins in.
#[derive(Debug)]
pub(super) struct Json {
    pub(super) line: usize,
    pub(super) value: Value,
}

#[derive(Debug)]
pub(super) enum Value {
    Null,
    Bool(bool),
    /// As it is written.
    Number(String),
    Text(String),
    List(Vec<Json>),
    Object(Vec<Member>),
}

/// A member of an object, with the line of its name.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) line: usize,
    pub(super) name: String,
    pub(super) value: Json,
}

impl Json {
    /// The text that it is.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A text, number or boolean as the text of a value.
    pub(super) fn scalar(&self) -> Option<String> {
        match &self.value {
            Value::Text(text) | Value::Number(text) => Some(text.clone()),
            Value::Bool(value) => Some(value.to_string()),
            Value::Null | Value::List(_) | Value::Object(_) => None,
        }
    }

    /// The same without lines.
    pub(super) fn plain(&self) -> serde_json::Value {
        use serde_json::Value as Plain;
        match &self.value {
            Value::Null => Plain::Null,
            Value::Bool(value) => Plain::Bool(*value),
            Value::Number(text) => crate::json::value(text.as_bytes()).unwrap_or_default(),
            Value::Text(text) => Plain::String(text.clone()),
            Value::List(items) => Plain::Array(items.iter().map(Self::plain).collect()),
            Value::Object(members) => {
                Plain::Object(members.iter().map(|member| (member.name.clone(), member.value.plain())).collect())
            }
        }
    }
}

/// Reads a text; `None` where its form is so broken that there is no going on. A comma too many or too few is told, and reading goes on.
pub(super) fn read(text: &str, problems: &mut Problems) -> Option<Json> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader { text, at: 0, line: 1, values: 0, problems };
    let json = reader.value(0)?;
    match reader.peek() {
        None => Some(json),
        Some(_) => reader.stop("there is something after the end of the object"),
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    line: usize,
    values: usize,
    problems: &'a mut Problems,
}

impl Reader<'_> {
    fn stop<T>(&mut self, reason: &str) -> Option<T> {
        self.problems.add(self.line, reason);
        None
    }

    /// The next byte that is no white space.
    fn peek(&mut self) -> Option<u8> {
        loop {
            match self.text.as_bytes().get(self.at).copied() {
                Some(b'\n') => self.line = self.line.saturating_add(1),
                Some(b' ' | b'\t' | b'\r') => {}
                other => return other,
            }
            self.at = self.at.saturating_add(1);
        }
    }

    /// Goes past a byte if it is the next.
    fn pass(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        if there {
            self.at = self.at.saturating_add(1);
        }
        there
    }

    fn value(&mut self, depth: usize) -> Option<Json> {
        self.values = self.values.saturating_add(1);
        if depth > DEPTH {
            return self.stop("arrays and objects lie too deep in each other");
        }
        if self.values > VALUES {
            return self.stop("the file has too many values");
        }
        let next = self.peek();
        let line = self.line;
        let value = match next {
            None => return self.stop("the file ends too early"),
            Some(b'{') => Value::Object(self.object(depth)?),
            Some(b'[') => Value::List(self.list(depth)?),
            Some(b'"') => Value::Text(self.string()?),
            Some(_) => self.word()?,
        };
        Some(Json { line, value })
    }

    fn object(&mut self, depth: usize) -> Option<Vec<Member>> {
        self.at = self.at.saturating_add(1);
        let mut members: Vec<Member> = Vec::new();
        let mut names = Set::new();
        while !self.pass(b'}') {
            self.comma(members.is_empty(), b'}')?;
            if self.pass(b'}') {
                break;
            }
            if self.peek() != Some(b'"') {
                return self.stop("a name in quotes is missing");
            }
            let line = self.line;
            let name = self.string()?;
            if !self.pass(b':') {
                return self.stop(&format!("the : after \"{name}\" is missing"));
            }
            let value = self.value(depth.saturating_add(1))?;
            if !names.insert(name.clone()) {
                self.problems.add(line, format!("\"{name}\" comes twice"));
            }
            members.push(Member { line, name, value });
        }
        Some(members)
    }

    fn list(&mut self, depth: usize) -> Option<Vec<Json>> {
        self.at = self.at.saturating_add(1);
        let mut items = Vec::new();
        while !self.pass(b']') {
            self.comma(items.is_empty(), b']')?;
            if self.pass(b']') {
                break;
            }
            items.push(self.value(depth.saturating_add(1))?);
        }
        Some(items)
    }

    /// The comma between two entries: none before the first, and none after the last.
    fn comma(&mut self, first: bool, end: u8) -> Option<()> {
        let line = self.line;
        let comma = self.pass(b',');
        match self.peek() {
            None => return self.stop("the file ends too early"),
            Some(b',') => return self.stop("there are two commas"),
            Some(byte) if comma && (first || byte == end) => self.problems.add(line, "there is a comma too many"),
            Some(_) if !comma && !first => {
                // The line that lacks it is the one before.
                self.problems.add(self.line_of_last(), "a comma is missing");
            }
            Some(_) => {}
        }
        Some(())
    }

    /// The line of the last byte before here that is no white space.
    fn line_of_last(&self) -> usize {
        let before = self.text.get(..self.at).unwrap_or_default();
        let space = before.get(before.trim_end().len()..).unwrap_or_default();
        self.line.saturating_sub(space.matches('\n').count())
    }

    fn string(&mut self) -> Option<String> {
        let start = self.at;
        let mut end = start;
        loop {
            end = end.saturating_add(1);
            match self.text.as_bytes().get(end) {
                Some(b'\\') => end = end.saturating_add(1),
                Some(b'"') => break,
                None | Some(b'\n') => return self.stop("the closing quote of a text is missing"),
                Some(_) => {}
            }
        }
        self.at = end.saturating_add(1);
        let quoted = self.text.get(start..self.at).unwrap_or_default();
        match crate::json::read(quoted.as_bytes()) {
            Ok(text) => Some(text),
            Err(_) => self.stop("a text has a control character or an escape that JSON does not know"),
        }
    }

    fn word(&mut self) -> Option<Value> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '+' | '-' | '.' | '_'));
        let word = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        let value = match word {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            "null" => Value::Null,
            "" if rest.starts_with("//") || rest.starts_with("/*") || rest.starts_with('#') => {
                return self.stop("JSON has no comments; \"description\" can take one");
            }
            "" => {
                let found = rest.chars().next().unwrap_or_default();
                return self.stop(&format!("{found:?} stands where a value should"));
            }
            number if crate::json::value(number.as_bytes()).is_ok_and(|value| value.is_number()) => {
                Value::Number(String::from(number))
            }
            word => {
                let shown: String = word.chars().take(40).collect();
                return self.stop(&format!("{shown} is no value; a text needs quotes"));
            }
        };
        self.at = self.at.saturating_add(word.len());
        Some(value)
    }
}
