//! A walk over the tree, one step at a time, so that an answer of any size needs no list of what is in it.

use std::rc::Rc;

use super::alias;
use super::context::{Context, Entry, Row};
use super::schema::Parameter;
use super::tree::{NodeId, ROOT, Schema, Target};

/// What a step finds.
#[derive(Clone, Debug)]
pub enum Found {
    /// A parameter of an object or row.
    Parameter(NodeId, Rc<Row>, &'static Parameter),
    /// An object that is there once, or a row; the flag says whether DeleteObject may take it away.
    Object(bool),
    /// A table; the flag says whether AddObject may make a row.
    Table(bool),
}

/// How far a walk goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Depth {
    /// The target itself and everything below it.
    All,
    /// What is directly below the target, without the target.
    Next,
}

/// A walk over what lies below a target. Parameters of an object come before the objects below it; both in the order of their names.
#[derive(Debug)]
pub struct Walk {
    depth: Depth,
    frames: Vec<Frame>,
    path: String,
    /// The same with aliases for numbers, where the ACS wants them.
    by_alias: Option<String>,
}

#[derive(Debug)]
struct Frame {
    node: NodeId,
    row: Rc<Row>,
    /// How long the path is without what belongs to this frame, and that with aliases.
    start: (usize, usize),
    state: State,
}

#[derive(Debug)]
enum State {
    /// The object or row itself is still to be told.
    Object,
    Parameters(usize),
    Children(usize),
    /// The table itself is still to be told.
    Table,
    Rows(Rc<[Entry]>, usize),
    /// A parameter alone.
    Single(&'static Parameter),
    Done,
}

impl Walk {
    /// A walk that begins at a target.
    #[must_use]
    pub fn new(schema: &Schema, target: &Target, depth: Depth) -> Self {
        let (node, row, state) = match target {
            Target::Parameter(node, row, parameter) => (node, row, State::Single(parameter)),
            Target::Object(node, row) => (node, row, State::Object),
            Target::Table(node, row) => (node, row, State::Table),
        };
        let path = schema.path(*node, row);
        Self {
            depth,
            frames: vec![Frame { node: *node, row: row.clone(), start: (0, 0), state }],
            path,
            by_alias: None,
        }
    }

    /// Tells the path with aliases too, from the beginning of the walk.
    #[must_use]
    pub fn by_alias(mut self, context: &mut Context) -> Self {
        self.by_alias = self.frames.first().map(|frame| alias::path(context, frame.node, &frame.row));
        self
    }

    /// The path that the last step was at: of the object, the table or the object around the parameter, with its dot.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The same as it is told to the ACS.
    #[must_use]
    pub fn told_path(&self) -> &str {
        self.by_alias.as_ref().unwrap_or(&self.path)
    }

    /// How long the paths are.
    fn lengths(&self) -> (usize, usize) {
        (self.path.len(), self.by_alias.as_ref().map_or(0, String::len))
    }

    /// The next thing; `None` at the end. A table whose rows cannot be listed counts as empty.
    pub fn next(&mut self, context: &mut Context) -> Option<Found> {
        let schema = context.schema().clone();
        loop {
            let level = self.frames.len();
            let frame = self.frames.last_mut()?;
            let node = schema.node(frame.node);
            // In a walk over what is next, only the first frame goes on to what it holds.
            let open = self.depth == Depth::All || level == 1;
            let told = self.depth == Depth::All || level > 1;
            match &mut frame.state {
                State::Single(parameter) => {
                    let found = Found::Parameter(frame.node, frame.row.clone(), parameter);
                    frame.state = State::Done;
                    return Some(found);
                }
                State::Object => {
                    frame.state = if open { State::Parameters(0) } else { State::Done };
                    if told {
                        let row_of_table = node.table().filter(|_| frame.row.node() == frame.node);
                        return Some(Found::Object(row_of_table.is_some_and(|table| table.delete.is_some())));
                    }
                }
                State::Parameters(index) => match node.parameters.get(*index) {
                    Some(parameter) => {
                        *index = index.saturating_add(1);
                        return Some(Found::Parameter(frame.node, frame.row.clone(), parameter));
                    }
                    None => frame.state = State::Children(0),
                },
                State::Children(index) => match node.children.get(*index).copied() {
                    Some(child) => {
                        *index = index.saturating_add(1);
                        let row = frame.row.clone();
                        let start = self.lengths();
                        let child_node = schema.node(child);
                        for path in [Some(&mut self.path), self.by_alias.as_mut()].into_iter().flatten() {
                            path.push_str(child_node.name);
                            path.push('.');
                        }
                        let state = if child_node.table().is_some() { State::Table } else { State::Object };
                        self.frames.push(Frame { node: child, row, start, state });
                    }
                    None => frame.state = State::Done,
                },
                State::Table => {
                    frame.state = if open {
                        State::Rows(context.rows(frame.node, &frame.row).unwrap_or_else(|_| Rc::from([])), 0)
                    } else {
                        State::Done
                    };
                    if told {
                        return Some(Found::Table(node.table().is_some_and(|table| table.add.is_some())));
                    }
                }
                State::Rows(rows, index) => match rows.get(*index) {
                    Some(entry) => {
                        *index = index.saturating_add(1);
                        let row = Row::new(frame.node, &frame.row, entry);
                        let node = frame.node;
                        let start = self.lengths();
                        self.path.push_str(&row.number().to_string());
                        self.path.push('.');
                        if let Some(path) = &mut self.by_alias {
                            alias::push_row(context, &row, path);
                        }
                        self.frames.push(Frame { node, row, start, state: State::Object });
                    }
                    None => frame.state = State::Done,
                },
                State::Done => {
                    let (path, by_alias) = frame.start;
                    self.path.truncate(path);
                    if let Some(told) = &mut self.by_alias {
                        told.truncate(by_alias);
                    }
                    self.frames.pop();
                }
            }
        }
    }
}

/// The target that the root stands for in GetParameterNames with an empty path and NextLevel: just `Device.` (CONFORMANCE P-42).
#[must_use]
pub fn is_root(target: &Target) -> bool {
    matches!(target, Target::Object(ROOT, _))
}
