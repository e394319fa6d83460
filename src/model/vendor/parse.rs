//! One file: from its text to its objects, with every mistake that can be seen in the file alone.

use super::check::{Tables, check_needs};
use super::json::{self, Json, Member, Value};
use super::names;
use super::{
    Call, FILE_LIMIT, Instances, Need, OBJECT_LIMIT, PARAMETER_LIMIT, Problem, Problems, VendorFile, VendorObject,
    VendorTable,
};
use crate::model::value::Kind;

/// Reads a vendor model file.
///
/// # Errors
/// Every mistake in it, in the order of its lines. An error of JSON itself (but for commas) ends the reading, and so hides those after it.
pub fn parse(path: &str, text: &str) -> Result<VendorFile, Vec<Problem>> {
    let mut problems = Problems::new(path);
    let mut file = VendorFile { path: String::from(path), objects: Vec::new() };
    if text.len() > FILE_LIMIT {
        problems.add(0, format!("the file is longer than {FILE_LIMIT} bytes"));
        return Err(problems.found);
    }
    if let Some(json) = json::read(text, &mut problems) {
        file.objects = read_objects(&json, &mut problems);
        let tables = Tables::of_file(&file);
        check_needs(&file, &tables, &mut problems);
    }
    if problems.found.is_empty() { Ok(file) } else { Err(problems.sorted()) }
}

fn read_objects(json: &Json, problems: &mut Problems) -> Vec<VendorObject> {
    let Value::Object(members) = &json.value else {
        problems.add(json.line, "the file holds one JSON object, with the paths of objects as its members");
        return Vec::new();
    };
    let mut objects = Vec::new();
    let mut parameters = 0_usize;
    for member in members {
        if member.name == "$schema" || member.name == "description" {
            continue;
        }
        if objects.len() == OBJECT_LIMIT {
            problems.add(member.line, format!("the file has more than {OBJECT_LIMIT} objects"));
            break;
        }
        let object = Reader::new(member, problems).object(member);
        parameters = parameters.saturating_add(object.parameters.len());
        objects.push(object);
        if parameters > PARAMETER_LIMIT {
            problems.add(member.line, format!("the file has more than {PARAMETER_LIMIT} parameters"));
            break;
        }
    }
    objects
}

/// Reads an object.
pub(super) struct Reader<'p> {
    pub(super) problems: &'p mut Problems,
    pub(super) path: String,
    pub(super) needs: Vec<Need>,
    /// The names of its parameters, good or bad.
    declared: Vec<String>,
}

/// The members of a JSON object, all of them known.
#[derive(Clone, Copy)]
pub(super) struct Fields<'j> {
    members: &'j [Member],
    /// The line that the object is told with.
    pub(super) line: usize,
}

impl<'j> Fields<'j> {
    pub(super) fn get(&self, name: &str) -> Option<&'j Json> {
        self.members.iter().find(|member| member.name == name).map(|member| &member.value)
    }

    /// The line of a member, or of the object.
    pub(super) fn line_of(&self, name: &str) -> usize {
        self.members.iter().find(|member| member.name == name).map_or(self.line, |member| member.line)
    }

    /// Those of the names that are there.
    pub(super) fn which<'n>(&self, names: &[&'n str]) -> Vec<&'n str> {
        names.iter().copied().filter(|name| self.get(name).is_some()).collect()
    }
}

const OBJECT: &[&str] =
    &["description", "instances", "writable", "unique", "enable", "limit", "count", "parameters", "apply"];
/// Members that only a table has which the file itself brings.
const OF_TABLE: &[&str] = &["writable", "unique", "enable", "limit", "count"];
const INSTANCES: &[&str] = &["uci", "where", "directory", "ubus", "pointer", "key", "exec"];

impl<'p> Reader<'p> {
    fn new(member: &Member, problems: &'p mut Problems) -> Self {
        Self { problems, path: member.name.clone(), needs: Vec::new(), declared: Vec::new() }
    }

    pub(super) fn add(&mut self, line: usize, reason: impl Into<String>) {
        self.problems.add(line, reason);
    }

    /// Tells an error and goes on without the value.
    pub(super) fn good<T>(&mut self, line: usize, result: Result<T, String>) -> Option<T> {
        result.map_err(|reason| self.add(line, reason)).ok()
    }

    /// The members of an object; unknown ones are told, with the one that may have been meant.
    pub(super) fn fields<'j>(&mut self, json: &'j Json, line: usize, what: &str, known: &[&str]) -> Option<Fields<'j>> {
        let Value::Object(members) = &json.value else {
            self.add(json.line, format!("{what} is an object in {{ }}"));
            return None;
        };
        for member in members.iter().filter(|member| !known.contains(&member.name.as_str())) {
            let near = names::near(&member.name, known);
            let near = near.map(|near| format!("; did you mean \"{near}\"?")).unwrap_or_default();
            self.add(member.line, format!("{what} has no \"{}\"{near}", member.name));
        }
        Some(Fields { members, line })
    }

    pub(super) fn text(&mut self, json: &Json, what: &str) -> Option<String> {
        let text = json.text().map(String::from);
        if text.is_none() {
            self.add(json.line, format!("{what} is a text"));
        }
        text
    }

    pub(super) fn boolean(&mut self, fields: Fields<'_>, name: &str, otherwise: bool) -> bool {
        match fields.get(name).map(|json| (&json.value, json.line)) {
            None => otherwise,
            Some((Value::Bool(value), _)) => *value,
            Some((_, line)) => {
                self.add(line, format!("\"{name}\" is true or false"));
                otherwise
            }
        }
    }

    /// A whole number within limits.
    pub(super) fn number(&mut self, json: &Json, what: &str, (least, most): (i64, i64)) -> Option<i64> {
        let number = match &json.value {
            Value::Number(text) => text.parse().ok(),
            _ => None,
        };
        let number = number.filter(|number| (least..=most).contains(number));
        if number.is_none() {
            self.add(json.line, format!("{what} is a whole number from {least} to {most}"));
        }
        number
    }

    /// Notes what the placeholders of a text need. `around` says that it is about the row around the table.
    pub(super) fn holds(&mut self, line: usize, text: &str, around: bool) {
        let Some(holds) = self.good(line, names::placeholders(text)) else { return };
        if holds.option {
            self.needs_section(line, around);
        } else if holds.key && !self.has_row(around) {
            self.add(line, "{key} needs a row, and there is no table around");
        }
        if holds.around && self.rows(around) < 2 {
            self.add(line, "{around} needs a row in another row, and there is no table in a table");
        }
    }

    pub(super) fn needs_section(&mut self, line: usize, around: bool) {
        if self.has_row(around) {
            self.needs.push(Need { line, around });
        } else {
            self.add(line, "there is no row whose section it could be: use package.section.option");
        }
    }

    fn has_row(&self, around: bool) -> bool {
        self.rows(around) > 0
    }

    /// How many rows lie in each other there.
    fn rows(&self, around: bool) -> usize {
        let path = if around { self.path.strip_suffix("{i}.").unwrap_or(&self.path) } else { &self.path };
        path.matches("{i}.").count()
    }

    /// A program with its arguments; `None` after a mistake.
    pub(super) fn program(&mut self, json: &Json, placeholders: Option<bool>) -> Option<Vec<String>> {
        let Value::List(items) = &json.value else {
            self.add(json.line, "a program is a list: its absolute path, then each argument as a text of its own");
            return None;
        };
        let mut argv = Vec::with_capacity(items.len());
        for item in items {
            let part = self.text(item, "an argument")?;
            match placeholders {
                Some(around) => self.holds(item.line, &part, around),
                None if part.contains(['{', '}']) => {
                    self.add(item.line, "placeholders have no meaning here");
                }
                None => {}
            }
            argv.push(part);
        }
        let parts: Vec<&str> = argv.iter().map(String::as_str).collect();
        self.good(json.line, names::program(&parts))?;
        Some(argv)
    }

    pub(super) fn file(&mut self, json: &Json, what: &str, around: bool) -> Option<String> {
        let path = self.text(json, what)?;
        self.holds(json.line, &path, around);
        self.good(json.line, names::file_path(&path))?;
        Some(path)
    }

    /// A ubus call and the pointer into its reply.
    pub(super) fn call(&mut self, fields: Fields<'_>, around: bool) -> Option<Call> {
        let json = fields.get("ubus")?;
        let Value::List(items) = &json.value else {
            self.add(json.line, "\"ubus\" is [object, method] or [object, method, {arguments}]");
            return None;
        };
        let (object, method, arguments) = match items.as_slice() {
            [object, method] => (object.text(), method.text(), None),
            [object, method, arguments] => (object.text(), method.text(), Some(arguments)),
            _ => (None, None, None),
        };
        let (Some(object), Some(method)) = (object, method) else {
            self.add(json.line, "\"ubus\" is [object, method] or [object, method, {arguments}]");
            return None;
        };
        if object.is_empty() || method.is_empty() || object.starts_with('-') || method.starts_with('-') {
            self.add(json.line, "the object and the method of a ubus call have names");
        }
        self.holds(json.line, object, around);
        let arguments = match arguments {
            None => String::from("{}"),
            Some(json) => {
                if !matches!(json.value, Value::Object(_)) {
                    self.add(json.line, "the arguments of a ubus call are an object in { }");
                }
                self.holds_in(json, around);
                json.plain().to_string()
            }
        };
        let pointer = match fields.get("pointer") {
            None => String::new(),
            Some(json) => self.text(json, "\"pointer\"")?,
        };
        let line = fields.line_of("pointer");
        self.holds(line, &pointer, around);
        if !pointer.is_empty() && !pointer.starts_with('/') {
            self.add(line, format!("a pointer begins with a slash: /{pointer}"));
        }
        Some(Call { object: String::from(object), method: String::from(method), arguments, pointer })
    }

    fn holds_in(&mut self, json: &Json, around: bool) {
        match &json.value {
            Value::Text(text) => self.holds(json.line, text, around),
            Value::List(items) => items.iter().for_each(|item| self.holds_in(item, around)),
            Value::Object(members) => members.iter().for_each(|member| self.holds_in(&member.value, around)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn object(mut self, member: &Member) -> VendorObject {
        let path_is_good = self.good(member.line, names::object_path(&member.name)).is_some();
        let mut object = VendorObject {
            path: member.name.clone(),
            line: member.line,
            table: None,
            parameters: Vec::new(),
            apply: Vec::new(),
            needs: Vec::new(),
        };
        let Some(fields) = self.fields(&member.value, member.line, "an object", OBJECT) else { return object };
        if let Some(json) = fields.get("description") {
            self.text(json, "\"description\"");
        }
        if let Some(json) = fields.get("parameters") {
            match &json.value {
                Value::Object(members) => {
                    self.declared = members.iter().map(|member| member.name.clone()).collect();
                    object.parameters = members.iter().filter_map(|member| self.parameter(member)).collect();
                }
                _ => self.add(json.line, "\"parameters\" is an object in { }, with a member for each parameter"),
            }
        }
        if fields.which(&["instances", "parameters"]).is_empty() {
            self.add(member.line, "the object has neither \"instances\" nor \"parameters\"");
        }
        if let Some(json) = fields.get("apply") {
            object.apply = self.apply(json);
        }
        let is_table = member.name.ends_with("{i}.");
        if let Some(json) = fields.get("instances") {
            if path_is_good && !is_table {
                self.add(fields.line_of("instances"), "\"instances\" goes with a path that ends with {i}.");
            }
            object.table = self.table(json, fields, &object);
        } else {
            for name in fields.which(OF_TABLE) {
                self.add(
                    fields.line_of(name),
                    format!("\"{name}\" goes with \"instances\": only who makes a table says how its rows come and go"),
                );
            }
        }
        object.needs = self.needs;
        object
    }

    fn apply(&mut self, json: &Json) -> Vec<Vec<String>> {
        match &json.value {
            Value::List(items) if matches!(items.first().map(|item| &item.value), Some(Value::List(_))) => {
                items.iter().filter_map(|item| self.program(item, None)).collect()
            }
            _ => self.program(json, None).into_iter().collect(),
        }
    }

    fn table(&mut self, json: &Json, fields: Fields<'_>, object: &VendorObject) -> Option<VendorTable> {
        let rows = self.instances(json);
        let writable = fields.get("writable").and_then(|json| self.writable(json));
        if writable.is_some() && rows.as_ref().is_some_and(|rows| !matches!(rows, Instances::Uci { .. })) {
            self.add(fields.line_of("writable"), "only rows that are UCI sections can be added and deleted");
        }
        let unique = fields.get("unique").map(|json| self.unique(json)).unwrap_or_default();
        let mut enable = String::new();
        if let Some(json) = fields.get("enable") {
            enable = self.text(json, "\"enable\"").unwrap_or_default();
            let found = object.parameters.iter().find(|parameter| parameter.name == enable);
            let other_kind = found.is_some_and(|parameter| parameter.shape.kind != Kind::Boolean);
            if other_kind || !self.declared.contains(&enable) {
                self.add(json.line, format!("{enable:?} is no boolean parameter of this table"));
            }
        }
        let limit = fields.get("limit").and_then(|json| self.number(json, "\"limit\"", (1, 10_000)));
        if writable.is_none() && limit.is_some() {
            self.add(fields.line_of("limit"), "\"limit\" goes with \"writable\"");
        }
        let count = self.boolean(fields, "count", true);
        if count {
            let table = object.path.strip_suffix(".{i}.").unwrap_or(&object.path);
            self.good(object.line, names::full_name(table, "NumberOfEntries"));
        }
        let limit = limit.and_then(|limit| usize::try_from(limit).ok());
        Some(VendorTable { line: fields.line_of("instances"), rows: rows?, writable, unique, enable, limit, count })
    }

    fn instances(&mut self, json: &Json) -> Option<Instances> {
        let fields = self.fields(json, json.line, "\"instances\"", INSTANCES)?;
        let kinds = fields.which(&["uci", "directory", "ubus", "exec"]);
        let &[kind] = kinds.as_slice() else {
            self.add(json.line, "\"instances\" has one of \"uci\", \"directory\", \"ubus\" and \"exec\"");
            return None;
        };
        if kind != "ubus" {
            for name in fields.which(&["pointer", "key"]) {
                self.add(fields.line_of(name), format!("\"{name}\" goes with \"ubus\""));
            }
        }
        if kind != "uci" && fields.get("where").is_some() {
            self.add(fields.line_of("where"), "\"where\" goes with \"uci\"");
        }
        let value = fields.get(kind)?;
        match kind {
            "uci" => {
                let wanted = fields.get("where").map(|json| self.wanted(json)).unwrap_or_default();
                let text = self.text(value, "\"uci\"")?;
                let (package, kind) = self.good(value.line, names::sections(&text))?;
                Some(Instances::Uci { package: String::from(package), kind: String::from(kind), wanted })
            }
            "directory" => self.file(value, "\"directory\"", true).map(Instances::Directory),
            "exec" => self.program(value, Some(true)).map(Instances::Program),
            _ => {
                let key = match fields.get("key") {
                    Some(json) => self.text(json, "\"key\"")?,
                    None => String::new(),
                };
                self.call(fields, true).map(|call| Instances::Ubus { call, key })
            }
        }
    }

    /// The options that say which sections are rows.
    fn wanted(&mut self, json: &Json) -> Vec<(String, String)> {
        let Value::Object(members) = &json.value else {
            self.add(json.line, "\"where\" is an object with the options that a row has");
            return Vec::new();
        };
        let mut wanted = Vec::new();
        for member in members {
            if !names::is_option(&member.name) {
                self.add(member.line, format!("{:?} is no name of a UCI option", member.name));
            }
            match member.value.scalar() {
                Some(text) => {
                    self.holds(member.value.line, &text, true);
                    wanted.push((member.name.clone(), text));
                }
                None => self.add(member.value.line, "the option of a row is a text or a number"),
            }
        }
        wanted
    }

    fn writable(&mut self, json: &Json) -> Option<Vec<(String, String)>> {
        match &json.value {
            Value::Bool(true) => Some(Vec::new()),
            Value::Bool(false) => None,
            Value::Object(members) => {
                let mut options = Vec::new();
                for member in members {
                    if !names::is_option(&member.name) {
                        self.add(member.line, format!("{:?} is no name of a UCI option", member.name));
                    }
                    let text = match &member.value.value {
                        // As a parameter would write it.
                        Value::Bool(value) => Some(String::from(if *value { "1" } else { "0" })),
                        _ => member.value.scalar(),
                    };
                    match text {
                        Some(text) => options.push((member.name.clone(), text)),
                        None => self.add(member.value.line, "the option of a new section is a text or a number"),
                    }
                }
                Some(options)
            }
            _ => {
                self.add(json.line, "\"writable\" is true, or an object with the options of a new section");
                None
            }
        }
    }

    fn unique(&mut self, json: &Json) -> Vec<Vec<String>> {
        let Value::List(keys) = &json.value else {
            self.add(
                json.line,
                "\"unique\" is a list; each entry is a parameter, or a list of some that are unique together",
            );
            return Vec::new();
        };
        let mut unique = Vec::new();
        for key in keys {
            let items = match &key.value {
                Value::List(items) => items.as_slice(),
                _ => std::slice::from_ref(key),
            };
            let mut parameters = Vec::new();
            for item in items {
                let Some(name) = self.text(item, "the name of a parameter") else { continue };
                if !self.declared.contains(&name) {
                    self.add(item.line, format!("{name:?} is no parameter of this table"));
                }
                parameters.push(name);
            }
            if items.is_empty() {
                self.add(key.line, "a key has at least one parameter");
            }
            unique.push(parameters);
        }
        unique
    }
}
