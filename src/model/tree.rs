//! The schema as a tree of names, and the way from a name to what it stands for.

use super::alias;
use super::context::{Context, Row};
use super::schema::{Object, Parameter, Table};
use super::value::is_number;
use crate::error::{Error, Fault, Result};
use crate::sorted::Map;

/// A node of the tree: an object, or a table with what each of its rows has.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct NodeId(u16);

/// The root of every name.
pub const ROOT: NodeId = NodeId(0);

/// An object, or a table with what each of its rows has.
#[derive(Debug)]
pub struct Node {
    /// The part of the path, such as `WiFi`.
    pub name: &'static str,
    /// The object around it; the root's is itself.
    pub parent: NodeId,
    /// Its definition; `None` for an object that has neither parameters nor rows of its own.
    pub object: Option<&'static Object>,
    /// Its parameters (those of each row, for a table), sorted by name.
    pub parameters: Vec<&'static Parameter>,
    /// The objects below it (below each row, for a table), sorted by name.
    pub children: Vec<NodeId>,
}

impl Node {
    /// How rows come and go, if it is a table.
    #[must_use]
    pub fn table(&self) -> Option<&'static Table> {
        self.object.and_then(|object| object.table.as_ref())
    }

    /// The parameter of this name.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&'static Parameter> {
        let index = self.parameters.binary_search_by(|parameter| parameter.name.cmp(name)).ok()?;
        self.parameters.get(index).copied()
    }
}

/// All objects, standard and vendor's.
#[derive(Debug)]
pub struct Schema {
    nodes: Vec<Node>,
    programs: Vec<(&'static str, &'static [&'static str])>,
}

impl Schema {
    /// Makes the tree. A later object of the same path replaces parameters of the same name, one by one, and adds the others (INTERFACE.md,
    /// vendor model files); the rows of a table are those of the last object that says where they come from. An object whose path ends with
    /// `{i}.` and that says nothing of rows adds parameters to a table.
    ///
    /// # Errors
    /// When a path is no path, or when two objects differ in whether it is a table.
    pub fn new(objects: impl IntoIterator<Item = &'static Object>) -> Result<Self> {
        let root = Node { name: "Device", parent: ROOT, object: None, parameters: Vec::new(), children: Vec::new() };
        let mut schema = Self { nodes: vec![root], programs: Vec::new() };
        let mut parameters: Map<NodeId, Map<&'static str, &'static Parameter>> = Map::new();
        for object in objects {
            let id = schema.place(object)?;
            let entry = parameters.get_or_default(id);
            for parameter in object.parameters {
                entry.insert(parameter.name, parameter);
            }
        }
        for (id, found) in parameters {
            if let Some(node) = schema.nodes.get_mut(usize::from(id.0)) {
                node.parameters = found.into_values();
            }
        }
        for index in 0..schema.nodes.len() {
            let Some(node) = schema.nodes.get(index) else { continue };
            let mut children = node.children.clone();
            children.sort_by_key(|child| schema.node(*child).name);
            if let Some(node) = schema.nodes.get_mut(index) {
                node.children = children;
            }
        }
        Ok(schema)
    }

    /// Names programs that run when a request has changed an object with this path, or one of its rows (a vendor's `apply`).
    pub fn add_apply(&mut self, path: &'static str, argv: &'static [&'static str]) {
        self.programs.push((path, argv));
    }

    /// The programs that run when an object has changed.
    pub(super) fn apply_of(&self, path: &str) -> impl Iterator<Item = &'static [&'static str]> {
        self.programs.iter().filter(move |(object, _)| *object == path).map(|(_, argv)| *argv)
    }

    fn place(&mut self, object: &'static Object) -> Result<NodeId> {
        let bad = |reason: &str| Error::other(format!("{}: {reason}", object.path));
        let path = object.path.strip_prefix("Device.").ok_or_else(|| bad("an object begins with Device."))?;
        let mut node = ROOT;
        let mut parts = path.split_terminator('.').peekable();
        if !path.is_empty() && !path.ends_with('.') {
            return Err(bad("an object ends with a dot"));
        }
        while let Some(name) = parts.next() {
            if name.is_empty() || name == "{i}" {
                return Err(bad("a part of the path is missing"));
            }
            let table = parts.next_if_eq(&"{i}").is_some();
            let last = parts.peek().is_none();
            node = self.child_or_new(node, name)?;
            let Some(entry) = self.nodes.get_mut(usize::from(node.0)) else { continue };
            if last && object.table.is_some() && !table {
                return Err(bad("a table ends with {i}."));
            }
            // What only adds parameters leaves the rows, and how the object judges and writes, as they are.
            let defines = object.table.is_some() || object.set_together.is_some() || object.check.is_some();
            if last && (entry.object.is_none() || defines) {
                entry.object = Some(object);
            }
            if entry.table().is_some() != table {
                return Err(bad("the table around it must come first"));
            }
        }
        Ok(node)
    }

    fn child_or_new(&mut self, parent: NodeId, name: &'static str) -> Result<NodeId> {
        if let Some(child) = self.child(parent, name) {
            return Ok(child);
        }
        let id = u16::try_from(self.nodes.len()).map(NodeId).map_err(|_| Error::other("too many objects"))?;
        self.nodes.push(Node { name, parent, object: None, parameters: Vec::new(), children: Vec::new() });
        if let Some(node) = self.nodes.get_mut(usize::from(parent.0)) {
            node.children.push(id);
        }
        Ok(id)
    }

    /// A node.
    #[must_use]
    pub fn node(&self, id: NodeId) -> &Node {
        static NOTHING: Node =
            Node { name: "", parent: ROOT, object: None, parameters: Vec::new(), children: Vec::new() };
        self.nodes.get(usize::from(id.0)).unwrap_or(&NOTHING)
    }

    /// The object of this name below another.
    #[must_use]
    pub fn child(&self, parent: NodeId, name: &str) -> Option<NodeId> {
        self.node(parent).children.iter().copied().find(|child| self.node(*child).name == name)
    }

    /// The object with this path, with or without `{i}` parts: `Device.WiFi.SSID.`.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<NodeId> {
        let rest = path.strip_prefix("Device.")?;
        rest.split_terminator('.').filter(|part| *part != "{i}").try_fold(ROOT, |node, part| self.child(node, part))
    }

    /// The path of a node with instance numbers: of the object, or of the row when `row` belongs to the node itself.
    #[must_use]
    pub fn path(&self, node: NodeId, row: &Row) -> String {
        let mut path = String::new();
        self.push_path(node, Some(row), &mut path);
        path
    }

    fn push_path(&self, node: NodeId, row: Option<&Row>, path: &mut String) {
        let number = row.filter(|row| row.node() == node && row.number() != 0);
        if node != ROOT {
            let around = number.map_or(row, |row| row.parent().map(AsRef::as_ref));
            self.push_path(self.node(node).parent, around, path);
        }
        path.push_str(self.node(node).name);
        path.push('.');
        if let Some(row) = number {
            path.push_str(&row.number().to_string());
            path.push('.');
        }
    }
}

/// What a name stands for.
#[derive(Clone, Debug)]
pub enum Target {
    /// A parameter of an object or row.
    Parameter(NodeId, std::rc::Rc<Row>, &'static Parameter),
    /// An object that is there once, or a row of a table.
    Object(NodeId, std::rc::Rc<Row>),
    /// A table, with the row around it.
    Table(NodeId, std::rc::Rc<Row>),
}

/// The longest name that is looked at (CONFORMANCE J-11 has 256 characters for a path).
const LONGEST: usize = 1024;

/// Finds what a name stands for. `*` in the place of an instance number stands for every row (CONFORMANCE P-35), `[alias]` for the row with that
/// Alias.
///
/// # Errors
/// 9005 when there is no such parameter or object; 9002 when the rows of a table on the way cannot be read.
pub fn resolve(context: &mut Context, name: &str) -> Result<Vec<Target>, Fault> {
    if name.is_empty() {
        return Ok(vec![Target::Object(ROOT, context.root())]);
    }
    if name.len() > LONGEST {
        return Err(Fault::name("(a name of more than 1024 bytes)"));
    }
    let (path, last) = match name.strip_suffix('.') {
        Some(path) => (path, None),
        None => name.rsplit_once('.').map(|(path, last)| (path, Some(last))).ok_or_else(|| Fault::name(name))?,
    };
    let schema = context.schema().clone();
    let mut targets = vec![Target::Object(ROOT, context.root())];
    let mut parts = alias::parts(path);
    if parts.next() != Some(schema.node(ROOT).name) {
        return Err(Fault::name(name));
    }
    let mut wild = false;
    // Where the name is in the schema: it has to be one there even if no row says so.
    let (mut node, mut in_row) = (ROOT, true);
    for part in parts {
        if in_row {
            node = schema.child(node, part).ok_or_else(|| Fault::name(name))?;
            in_row = schema.node(node).table().is_none();
        } else if part == "*" || is_number(part) || alias::in_brackets(part).is_some() {
            in_row = true;
        } else {
            return Err(Fault::name(name));
        }
        let mut next = Vec::new();
        for target in targets {
            match target {
                Target::Object(_, row) => next.push(match schema.node(node).table() {
                    Some(_) => Target::Table(node, row),
                    None => Target::Object(node, row),
                }),
                Target::Table(node, around) if part == "*" => {
                    wild = true;
                    let rows = context.rows(node, &around)?;
                    next.extend(rows.iter().map(|entry| Target::Object(node, Row::new(node, &around, entry))));
                }
                Target::Table(node, around) => {
                    let row = match (alias::in_brackets(part), part.parse()) {
                        (Some(alias), _) => alias::row(context, node, &around, alias)?,
                        (None, Ok(number)) => context.row(node, &around, number)?,
                        (None, Err(_)) => None,
                    };
                    next.extend(row.map(|row| Target::Object(node, row)));
                }
                Target::Parameter(..) => {}
            }
        }
        targets = next;
        if targets.is_empty() && !wild {
            return Err(Fault::name(name));
        }
    }
    let Some(last) = last else { return Ok(targets) };
    let parameter = schema.node(node).parameter(last).filter(|_| in_row).ok_or_else(|| Fault::name(name))?;
    let parameter_of = |target| match target {
        Target::Object(node, row) => Some(Target::Parameter(node, row, parameter)),
        Target::Table(..) | Target::Parameter(..) => None,
    };
    Ok(targets.into_iter().filter_map(parameter_of).collect())
}
