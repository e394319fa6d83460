//! A UCI file in memory.
//!
//! The text is kept once, and everything else points into it: a [`Node`] is a line (or the part of a line that is one statement, or several lines of
//! comments), a [`Block`] the nodes from one `config` line to the next. Written one after the other in their order, nodes give the file, byte for byte.
//! An edit appends its new line to the text and turns a node to it, so nothing else moves. Values are not stored beside the lines but read from them
//! as libuci would, which leaves one truth only.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};

use super::parse::{self, Cursor, Keyword, Scanner, Statement, Word};
use super::write;

/// A section, for as long as its [`Package`] lives, through every edit, move, renaming and commit. Never given to another section.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SectionId(u32);

/// The value of an option.
#[derive(Clone, PartialEq, Eq)]
pub enum OptionValue<'a> {
    /// `option NAME VALUE`; never empty.
    Text(&'a str),
    /// The items of `list NAME VALUE`, at least one; an item may be empty.
    List(Vec<&'a str>),
}

/// A line that could not be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// Counted from 1; where the statement starts.
    pub line: usize,
    /// What is wrong with it; holds no values.
    pub reason: String,
}

/// Why an edit was refused; nothing has changed then.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EditError {
    /// The section is not there (any more).
    NoSection,
    /// Names of sections and options are made of ASCII letters, digits and `_`.
    Name,
    /// Types of sections are made of printable ASCII characters without spaces.
    Kind,
    /// UCI cannot carry a NUL character.
    Value,
    /// Another section has this name.
    NameTaken,
    /// The package has grown beyond what can be handled.
    TooLarge,
}

impl fmt::Display for EditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoSection => "no such UCI section",
            Self::Name => "not a name that UCI can carry",
            Self::Kind => "not a section type that UCI can carry",
            Self::Value => "not a value that UCI can carry",
            Self::NameTaken => "another UCI section has this name",
            Self::TooLarge => "the UCI package has grown too large",
        })
    }
}

impl std::error::Error for EditError {}

/// More problems than these are not remembered.
const MAX_PROBLEMS: usize = 100;

const NONE: u32 = u32::MAX;

/// A piece of the text.
#[derive(Clone, Copy, Default)]
struct Span {
    start: u32,
    len: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum NodeKind {
    /// Comments, blank lines, `package` lines and what could not be read.
    Trivia,
    Config,
    Option,
    List,
}

impl NodeKind {
    fn keyword(self) -> Keyword {
        match self {
            Self::Trivia => Keyword::Package,
            Self::Config => Keyword::Config,
            Self::Option => Keyword::Option,
            Self::List => Keyword::List,
        }
    }
}

/// How the bytes of a node end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// With their line.
    Closed,
    /// After a `;`: the next node is on the same line.
    Shared,
    /// With the file, in the middle of a line.
    Open,
}

#[derive(Clone, Copy)]
struct Node {
    bytes: Span,
    /// The type of a section, the name of an option; decoded.
    first: Span,
    /// The name of a section, the value of an option; decoded.
    second: Span,
    kind: NodeKind,
    ending: Ending,
}

/// Comments and blank lines right above a `config` line, that line, its options, and what else comes before the next block.
#[derive(Clone)]
struct Block {
    section: u32,
    /// The next block of the same section: a named one can be opened again further down.
    next: u32,
    nodes: Vec<Node>,
}

#[derive(Clone, Copy)]
struct Entry {
    kind: Span,
    /// Empty for an anonymous section.
    name: Span,
    /// The section's first block; `NONE` once it is removed.
    block: u32,
    /// Its last block.
    last: u32,
    /// The end of the name that libuci makes for an anonymous section.
    hash: u16,
}

/// A UCI package: a file of `/etc/config` in memory, with its comments and its layout.
#[derive(Clone)]
pub struct Package {
    name: String,
    /// What was read, `base` bytes, and after it what decoding and edits have added.
    text: Vec<u8>,
    base: usize,
    blocks: Vec<Block>,
    /// The blocks in the order of the file. The first is what comes before any section, and is always there.
    order: Vec<u32>,
    sections: Vec<Entry>,
    names: Names,
    problems: Vec<Problem>,
    changed: bool,
}

/// Shows no values: they may be secrets.
impl fmt::Debug for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Package")
            .field("name", &self.name)
            .field("sections", &self.sections().count())
            .field("problems", &self.problems)
            .field("changed", &self.changed)
            .finish()
    }
}

// Reading.
impl Package {
    /// Reads the text of a package. What can be read is read, as libuci's lenient readers (netifd, firewall) do; [`Self::problems`] has the rest.
    /// Bytes that are not UTF-8 read as U+FFFD, and stay as they are in lines that are not edited.
    #[must_use]
    pub fn parse(name: &str, text: &[u8]) -> Self {
        Self::from_vec(name, text.to_vec())
    }

    /// As [`Self::parse`], of a text that can be kept.
    pub(super) fn from_vec(name: &str, text: Vec<u8>) -> Self {
        let mut package = Self {
            name: name.to_owned(),
            base: text.len(),
            text,
            blocks: vec![Block { section: NONE, next: NONE, nodes: Vec::new() }],
            order: vec![0],
            sections: Vec::new(),
            names: Names::default(),
            problems: Vec::new(),
            changed: false,
        };
        // Decoded words come after the text, at most three times as much.
        if package.base > (u32::MAX / 8) as usize {
            package.text = Vec::new();
            package.base = 0;
            package.problem(0, "too large");
        }
        Loader::new(&mut package).run();
        package
    }

    /// The syntax errors of the text. A package that has any can be read and edited, but not committed: that would lose what could not be read.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The name of the package, which is that of its file.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The sections in the order of the file.
    pub fn sections(&self) -> impl Iterator<Item = Section<'_>> {
        self.order.iter().filter_map(|&index| {
            let section = self.block(index)?.section;
            let found = self.section(SectionId(section))?;
            (found.entry.block == index).then_some(found)
        })
    }

    /// A section by its id, at once; `None` after its removal.
    #[must_use]
    pub fn section(&self, id: SectionId) -> Option<Section<'_>> {
        let entry = self.sections.get(id.0 as usize)?;
        (entry.block != NONE).then_some(Section { package: self, entry, id })
    }

    /// A section by its name, at once, or as `uci` selects one: `@wifi-iface[0]`, `@system[-1]`, `@[3]` of any type, which walks the sections.
    /// An anonymous section also answers to the name that libuci made for it when the file was read, such as `cfg03fa2c`.
    #[must_use]
    pub fn find(&self, selector: &str) -> Option<Section<'_>> {
        let Some(extended) = selector.strip_prefix('@') else {
            return self.section(SectionId(self.lookup(selector)?));
        };
        let (kind, index) = extended.strip_suffix(']')?.split_once('[')?;
        let index: i32 = if index.is_empty() { 0 } else { index.parse().ok()? };
        let mut matching = self.sections().filter(|section| kind.is_empty() || section.kind() == kind);
        if let Ok(index) = usize::try_from(index) {
            return matching.nth(index);
        }
        let count = self.sections().filter(|section| kind.is_empty() || section.kind() == kind).count();
        matching.nth(count.checked_sub(index.unsigned_abs() as usize)?)
    }

    /// Whether an edit has changed anything since it was read or last committed.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        self.changed
    }

    /// The file as it is to be written.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.base + 256);
        for block in self.order.iter().filter_map(|&index| self.block(index)) {
            for node in &block.nodes {
                out.extend_from_slice(self.bytes(node.bytes));
            }
        }
        out
    }

    /// The file as it was read or last committed.
    pub(super) fn base(&self) -> &[u8] {
        self.text.get(..self.base).unwrap_or_default()
    }

    /// The package as it was read or last committed, without later edits.
    #[must_use]
    pub fn original(&self) -> Self {
        Self::parse(&self.name, self.base())
    }

    /// This package, to be committed in the place of `current`, which the file holds now.
    #[must_use]
    pub fn in_place_of(&self, current: &Self) -> Self {
        let mut package = Self::parse(&self.name, &self.to_bytes());
        let mut text = current.base().to_vec();
        package.base = text.len();
        text.append(&mut package.text);
        package.text = text;
        // Both texts together are far below 4 GiB: see `from_vec`.
        let by = u32::try_from(package.base).unwrap_or(0);
        let shift = |span: &mut Span| span.start = span.start.saturating_add(by);
        for node in package.blocks.iter_mut().flat_map(|block| &mut block.nodes) {
            shift(&mut node.bytes);
            shift(&mut node.first);
            shift(&mut node.second);
        }
        for entry in &mut package.sections {
            shift(&mut entry.kind);
            shift(&mut entry.name);
        }
        package.changed = true;
        package
    }

    /// Whether both hold the same sections and options in the same order.
    pub(super) fn same_values(&self, other: &Self) -> bool {
        let mut others = other.sections();
        let all = self.sections().all(|a| {
            others.next().is_some_and(|b| a.kind() == b.kind() && a.name() == b.name() && a.options().eq(b.options()))
        });
        all && others.next().is_none()
    }

    /// Takes `bytes`, which must be [`Self::to_bytes`], as what was read; drops what edits have left behind.
    pub(super) fn rebase(&mut self, bytes: Vec<u8>) {
        self.base = bytes.len();
        let old = std::mem::replace(&mut self.text, bytes);
        self.changed = false;
        let mut end = 0;
        for index in &self.order {
            let Some(block) = self.blocks.get_mut(*index as usize) else { continue };
            for node in &mut block.nodes {
                let (from, to) = (node.bytes, Span { start: end, len: node.bytes.len });
                end += to.len;
                node.bytes = to;
                for word in [&mut node.first, &mut node.second] {
                    if word.start >= from.start && word.start + word.len <= from.start + from.len {
                        word.start = word.start - from.start + to.start;
                    } else {
                        let range = word.start as usize..(word.start + word.len) as usize;
                        word.start = self.text.len() as u32;
                        self.text.extend_from_slice(old.get(range).unwrap_or_default());
                    }
                }
                if let (NodeKind::Config, Some(entry)) = (node.kind, self.sections.get_mut(block.section as usize)) {
                    entry.kind = node.first;
                    if entry.name.len > 0 {
                        entry.name = node.second;
                    }
                }
            }
        }
    }

    fn problem(&mut self, line: usize, reason: &str) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(Problem { line, reason: reason.to_owned() });
        }
    }

    fn block(&self, index: u32) -> Option<&Block> {
        self.blocks.get(index as usize)
    }

    fn node(&self, at: Place) -> Option<&Node> {
        self.block(at.block)?.nodes.get(at.node)
    }

    fn bytes(&self, span: Span) -> &[u8] {
        self.text.get(span.start as usize..).and_then(|rest| rest.get(..span.len as usize)).unwrap_or_default()
    }

    fn str(&self, span: Span) -> &str {
        std::str::from_utf8(self.bytes(span)).unwrap_or_default()
    }

    /// The section that has this name, its own or the one libuci makes; the first in the file if there are two.
    fn lookup(&self, name: &str) -> Option<u32> {
        let is_named = |index: u32| {
            self.sections.get(index as usize).is_some_and(|entry| entry.block != NONE && self.str(entry.name) == name)
        };
        let named = self.names.get(name, is_named);
        match (named, self.lookup_generated(name)) {
            (Some(a), Some(b)) => self.sections().map(|section| section.id.0).find(|&index| index == a || index == b),
            (named, generated) => named.or(generated),
        }
    }

    fn lookup_generated(&self, name: &str) -> Option<u32> {
        let digits = name.strip_prefix("cfg")?;
        let ordinal = u32::from_str_radix(digits.get(..digits.len().checked_sub(4)?)?, 16).ok()?;
        let index = ordinal.checked_sub(1)?;
        let section = self.section(SectionId(index))?;
        (section.name().is_none() && section.generated_name() == name).then_some(index)
    }

    /// The blocks of a section.
    fn chain(&self, section: u32) -> impl Iterator<Item = u32> + '_ {
        let first = self.sections.get(section as usize).map_or(NONE, |entry| entry.block);
        std::iter::successors((first != NONE).then_some(first), |&block| {
            self.block(block).map(|block| block.next).filter(|&next| next != NONE)
        })
    }
}

/// A section of a [`Package`], to be read.
#[derive(Clone, Copy)]
pub struct Section<'a> {
    package: &'a Package,
    entry: &'a Entry,
    id: SectionId,
}

impl fmt::Debug for Section<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Section").field("id", &self.id).field("kind", &self.kind()).field("name", &self.name()).finish()
    }
}

impl<'a> Section<'a> {
    /// What to edit this section by.
    #[must_use]
    pub fn id(self) -> SectionId {
        self.id
    }

    /// Its name; `None` for an anonymous section.
    #[must_use]
    pub fn name(self) -> Option<&'a str> {
        Some(self.package.str(self.entry.name)).filter(|name| !name.is_empty())
    }

    /// Its type.
    #[must_use]
    pub fn kind(self) -> &'a str {
        self.package.str(self.entry.kind)
    }

    /// Its place among the sections of its type, from 0: `n` in `@kind[n]`. Walks the sections.
    #[must_use]
    pub fn index(self) -> usize {
        self.package.sections().take_while(|section| section.id != self.id).filter(|s| s.kind() == self.kind()).count()
    }

    /// The name that libuci makes for it if it is anonymous, `cfg`, its number in the file, and a hash of its type.
    #[must_use]
    pub fn generated_name(self) -> String {
        format!("cfg{:02x}{:04x}", u64::from(self.id.0) + 1, self.entry.hash)
    }

    /// The text of an option; `None` where it is not there, and for a list, which has no single text (nor has it for libuci's own users).
    #[must_use]
    pub fn get(self, option: &str) -> Option<&'a str> {
        let mut value = None;
        let mut list = false;
        for node in self.nodes().filter(|node| self.package.str(node.first) == option) {
            if node.kind == NodeKind::List {
                list = true;
            } else if node.second.len > 0 {
                list = false;
                value = Some(node.second);
            }
        }
        value.filter(|_| !list).map(|value| self.package.str(value))
    }

    /// The items of a list; a text is a list of one item, an option that is not there an empty one.
    #[must_use]
    pub fn list(self, option: &str) -> Vec<&'a str> {
        match self.value(option) {
            None => Vec::new(),
            Some(OptionValue::Text(text)) => vec![text],
            Some(OptionValue::List(items)) => items,
        }
    }

    /// The value of an option.
    #[must_use]
    pub fn value(self, option: &str) -> Option<OptionValue<'a>> {
        let mut value = None;
        for node in self.nodes().filter(|node| self.package.str(node.first) == option) {
            self.apply(node, &mut value);
        }
        value
    }

    /// All options with their values, in the order in which libuci has them: by where each was last set.
    pub fn options(self) -> impl Iterator<Item = (&'a str, OptionValue<'a>)> {
        let mut found: Vec<(&str, Option<OptionValue<'_>>)> = Vec::new();
        let mut places: HashMap<&str, usize> = HashMap::new();
        for node in self.nodes() {
            let name = self.package.str(node.first);
            let mut value =
                places.get(name).and_then(|&place| found.get_mut(place)).and_then(|(_, value)| value.take());
            // libuci frees the old option and adds a new one at the end, except where nothing changes or a list grows.
            let stays = match (&value, node.kind) {
                (Some(OptionValue::Text(text)), NodeKind::Option) => {
                    node.second.len == 0 || *text == self.package.str(node.second)
                }
                (Some(OptionValue::List(_)), NodeKind::Option) => node.second.len == 0,
                (Some(OptionValue::List(_)), _) => true,
                (_, _) => false,
            };
            self.apply(node, &mut value);
            match places.get(name).and_then(|&place| found.get_mut(place)) {
                Some(entry) if stays => entry.1 = value,
                _ => {
                    places.insert(name, found.len());
                    found.push((name, value));
                }
            }
        }
        found.into_iter().filter_map(|(name, value)| Some((name, value?)))
    }

    /// What a line makes of the value that the lines before it gave.
    fn apply(self, node: &Node, value: &mut Option<OptionValue<'a>>) {
        let text = self.package.str(node.second);
        if node.kind == NodeKind::Option {
            // libuci takes an empty text for a wish to delete, and inside a file for nothing at all.
            if !text.is_empty() {
                *value = Some(OptionValue::Text(text));
            }
            return;
        }
        match value {
            Some(OptionValue::List(items)) => items.push(text),
            Some(OptionValue::Text(first)) => *value = Some(OptionValue::List(vec![*first, text])),
            None => *value = Some(OptionValue::List(vec![text])),
        }
    }

    /// The lines of its options.
    fn nodes(self) -> impl Iterator<Item = &'a Node> {
        let package = self.package;
        std::iter::successors(package.block(self.entry.block), |block| package.block(block.next))
            .flat_map(|block| &block.nodes)
            .filter(|node| matches!(node.kind, NodeKind::Option | NodeKind::List))
    }
}

/// Where a node is.
#[derive(Clone, Copy)]
struct Place {
    block: u32,
    node: usize,
}

// Editing.
impl Package {
    /// Sets an option to a text; whether that changed anything. UCI has no empty texts: an empty `value` removes the option.
    /// The line keeps its place, layout and comment; a new option comes last in its section.
    pub fn set(&mut self, id: SectionId, option: &str, value: &str) -> Result<bool, EditError> {
        check_name(option)?;
        check_value(value)?;
        let section = self.section(id).ok_or(EditError::NoSection)?;
        if value.is_empty() {
            return Ok(self.remove(id, option));
        }
        if section.get(option) == Some(value) {
            return Ok(false);
        }
        match self.places(id, option).split_last() {
            None => {
                let after = self.last_line(id).ok_or(EditError::NoSection)?;
                self.insert_line(after, NodeKind::Option, option, value)?;
            }
            Some((&last, others)) => {
                self.rewrite(last, NodeKind::Option, option.as_bytes(), value.as_bytes())?;
                self.delete_lines(others)?;
            }
        }
        self.changed = true;
        Ok(true)
    }

    /// Makes an option a list of these items; whether that changed anything. No items: removes it. Lines of items that stay are not touched.
    pub fn set_list(&mut self, id: SectionId, option: &str, items: &[&str]) -> Result<bool, EditError> {
        check_name(option)?;
        for item in items {
            check_value(item)?;
        }
        let section = self.section(id).ok_or(EditError::NoSection)?;
        if items.is_empty() {
            return Ok(self.remove(id, option));
        }
        if matches!(section.value(option), Some(OptionValue::List(present)) if present == items) {
            return Ok(false);
        }
        let places = self.places(id, option);
        let keeps = |place: Option<&Place>, item: Option<&&str>| {
            place
                .and_then(|&place| self.node(place))
                .zip(item)
                .is_some_and(|(node, &item)| node.kind == NodeKind::List && self.str(node.second) == item)
        };
        // What is the same at both ends stays; between them lines are turned to the new items as far as they go.
        let most = places.len().min(items.len());
        let head = (0..most).take_while(|&i| keeps(places.get(i), items.get(i))).count();
        let tail =
            (1..=most - head).take_while(|&i| keeps(places.get(places.len() - i), items.get(items.len() - i))).count();
        let old = places.get(head..places.len() - tail).unwrap_or_default();
        let new = items.get(head..items.len() - tail).unwrap_or_default();

        for (&place, item) in old.iter().zip(new) {
            self.rewrite(place, NodeKind::List, option.as_bytes(), item.as_bytes())?;
        }
        let used = old.len().min(new.len());
        let mut after = match (head + used).checked_sub(1).and_then(|i| places.get(i)) {
            Some(&place) => place,
            // Nothing stays before the new items: they come before what stays after them, or last.
            None => match places.first() {
                Some(first) => Place { block: first.block, node: first.node.saturating_sub(1) },
                None => self.last_line(id).ok_or(EditError::NoSection)?,
            },
        };
        if new.len() > used {
            for item in new.iter().skip(used) {
                after = self.insert_line(after, NodeKind::List, option, item)?;
            }
        } else {
            self.delete_lines(old.get(used..).unwrap_or_default())?;
        }
        self.changed = true;
        Ok(true)
    }

    /// Removes an option, text or list; whether it was there.
    pub fn remove(&mut self, id: SectionId, option: &str) -> bool {
        let there = self.section(id).is_some_and(|section| section.value(option).is_some());
        if there {
            let places = self.places(id, option);
            self.changed |= self.delete_lines(&places).is_ok();
        }
        there
    }

    /// Adds a section at the end of the file, anonymous without a name.
    pub fn add_section(&mut self, kind: &str, name: Option<&str>) -> Result<SectionId, EditError> {
        if !parse::is_kind(kind.as_bytes()) {
            return Err(EditError::Kind);
        }
        if let Some(name) = name {
            self.check_new_name(name)?;
        }
        self.close_before(self.order.len())?;
        let mut nodes = Vec::new();
        if self.needs_blank_line() {
            let bytes = self.append(b"\n")?;
            nodes.push(Node::trivia(bytes, Ending::Closed));
        }
        let header = self.new_line(NodeKind::Config, kind.as_bytes(), name.unwrap_or_default().as_bytes())?;
        nodes.push(header);
        let section = self.open_section(header);
        self.push_block(section, nodes);
        self.changed = true;
        Ok(SectionId(section))
    }

    /// Removes a section with all its lines and the comments between them; whether it was there. Comments above and below it stay.
    pub fn remove_section(&mut self, id: SectionId) -> bool {
        if self.section(id).is_none() {
            return false;
        }
        for index in self.chain(id.0).collect::<Vec<_>>() {
            let Some(position) = self.order.iter().position(|&block| block == index) else { continue };
            if self.close_before(position).is_err() {
                return false;
            }
            self.strip_tail(position);
            let nodes =
                self.blocks.get_mut(index as usize).map(|block| std::mem::take(&mut block.nodes)).unwrap_or_default();
            let above = nodes.into_iter().take_while(|node| node.kind == NodeKind::Trivia);
            let kept: Vec<Node> = above.filter(|node| self.bytes(node.bytes).contains(&b'#')).collect();
            self.order.remove(position);
            self.extend_block(position.saturating_sub(1), kept);
        }
        if let Some(entry) = self.sections.get_mut(id.0 as usize) {
            entry.block = NONE;
        }
        self.names.remove(id.0);
        self.changed = true;
        true
    }

    /// Gives a section a new name, an anonymous one its first; whether that changed anything.
    pub fn rename_section(&mut self, id: SectionId, name: &str) -> Result<bool, EditError> {
        if self.section(id).ok_or(EditError::NoSection)?.name() == Some(name) {
            return Ok(false);
        }
        self.check_new_name(name)?;
        for index in self.chain(id.0).collect::<Vec<_>>() {
            let nodes = self.block(index).map(|block| block.nodes.as_slice()).unwrap_or_default();
            let Some(place) = nodes.iter().position(|node| node.kind == NodeKind::Config) else { continue };
            let Some(header) = nodes.get(place).copied() else { continue };
            let kind = self.bytes(header.first).to_vec();
            self.rewrite(Place { block: index, node: place }, NodeKind::Config, &kind, name.as_bytes())?;
        }
        let header = self.block(self.sections.get(id.0 as usize).map_or(NONE, |entry| entry.block));
        let span = header
            .and_then(|block| block.nodes.iter().find(|node| node.kind == NodeKind::Config))
            .map(|node| node.second);
        if let (Some(entry), Some(span)) = (self.sections.get_mut(id.0 as usize), span) {
            entry.name = span;
        }
        self.names.remove(id.0);
        self.names.insert(name, id.0);
        self.changed = true;
        Ok(true)
    }

    /// Moves a section, with the comment right above it, before another one or, without that, to the end; whether that changed the order.
    pub fn move_section(&mut self, id: SectionId, before: Option<SectionId>) -> bool {
        if self.section(id).is_none() || before.is_some_and(|before| before == id || self.section(before).is_none()) {
            return false;
        }
        let follower = self.sections().skip_while(|section| section.id != id).nth(1).map(Section::id);
        if follower == before {
            return false;
        }
        let chain: Vec<u32> = self.chain(id.0).collect();
        for &index in &chain {
            let Some(position) = self.order.iter().position(|&block| block == index) else { continue };
            // What is before and after the block must not flow together, nor the block with what it comes to.
            if self.close_before(position).is_err() || self.close_before(position + 1).is_err() {
                return false;
            }
            self.strip_tail(position);
            self.order.remove(position);
        }
        let target = before.and_then(|before| self.sections.get(before.0 as usize)).map_or(NONE, |entry| entry.block);
        let position = self.order.iter().position(|&block| block == target).unwrap_or(self.order.len());
        // It may be left out of order for an instant only: closing can fail when the text is at its limit.
        let closed = self.close_before(position);
        self.order.splice(position..position, chain);
        self.changed = true;
        closed.is_ok()
    }

    fn check_new_name(&self, name: &str) -> Result<(), EditError> {
        check_name(name)?;
        if self.lookup(name).is_some() { Err(EditError::NameTaken) } else { Ok(()) }
    }

    /// The lines of an option, in the order in which they count.
    fn places(&self, id: SectionId, option: &str) -> Vec<Place> {
        let mut places = Vec::new();
        for index in self.chain(id.0) {
            for (i, node) in
                self.block(index).map(|block| block.nodes.as_slice()).unwrap_or_default().iter().enumerate()
            {
                if matches!(node.kind, NodeKind::Option | NodeKind::List) && self.str(node.first) == option {
                    places.push(Place { block: index, node: i });
                }
            }
        }
        places
    }

    /// The last option of a section, or its `config` line.
    fn last_line(&self, id: SectionId) -> Option<Place> {
        let block = self.sections.get(id.0 as usize)?.last;
        let node = self.block(block)?.nodes.iter().rposition(|node| node.kind != NodeKind::Trivia)?;
        Some(Place { block, node })
    }

    fn append(&mut self, bytes: &[u8]) -> Result<Span, EditError> {
        let start = u32::try_from(self.text.len()).map_err(|_| EditError::TooLarge)?;
        let len = u32::try_from(bytes.len()).map_err(|_| EditError::TooLarge)?;
        // Half of what the numbers could hold: sums of them need no further checks.
        if start.checked_add(len).is_none_or(|end| end > u32::MAX / 2) {
            return Err(EditError::TooLarge);
        }
        self.text.extend_from_slice(bytes);
        Ok(Span { start, len })
    }

    /// A new node with these bytes for a statement.
    fn new_node(&mut self, kind: NodeKind, bytes: &[u8], first: &[u8], second: &[u8]) -> Result<Node, EditError> {
        let bytes = self.append(bytes)?;
        let first = self.append(first)?;
        let second = self.append(second)?;
        Ok(Node { bytes, first, second, kind, ending: Ending::Closed })
    }

    fn new_line(&mut self, kind: NodeKind, first: &[u8], second: &[u8]) -> Result<Node, EditError> {
        let line = write::line(kind.keyword(), first, second);
        self.new_node(kind, &line, first, second)
    }

    fn replace(&mut self, at: Place, node: Node) {
        if let Some(old) = self.blocks.get_mut(at.block as usize).and_then(|block| block.nodes.get_mut(at.node)) {
            *old = node;
        }
    }

    /// Turns a line to another second argument, and to another keyword if need be.
    fn rewrite(&mut self, at: Place, kind: NodeKind, first: &[u8], second: &[u8]) -> Result<(), EditError> {
        let Some(&old) = self.node(at) else { return Ok(()) };
        let spliced = if old.kind == kind && old.ending != Ending::Shared {
            write::spliced(self.bytes(old.bytes), second)
        } else {
            None
        };
        let node = match spliced {
            Some(line) => self.new_node(kind, &line, first, second)?,
            None => self.new_line(kind, first, second)?,
        };
        self.replace(at, node);
        Ok(())
    }

    /// Adds a line after another one, and says where it is.
    fn insert_line(&mut self, after: Place, kind: NodeKind, name: &str, value: &str) -> Result<Place, EditError> {
        self.close(after)?;
        let node = self.new_line(kind, name.as_bytes(), value.as_bytes())?;
        let at = Place { block: after.block, node: after.node + 1 };
        if let Some(block) = self.blocks.get_mut(at.block as usize) {
            block.nodes.insert(at.node.min(block.nodes.len()), node);
        }
        Ok(at)
    }

    /// Takes lines away; `places` are in their order.
    fn delete_lines(&mut self, places: &[Place]) -> Result<(), EditError> {
        for &place in places.iter().rev() {
            if let Some(above) = place.node.checked_sub(1) {
                self.close_shared(Place { block: place.block, node: above })?;
            }
            if let Some(block) = self.blocks.get_mut(place.block as usize) {
                block.nodes.remove(place.node);
            }
        }
        Ok(())
    }

    /// Sees to it that what comes after a node is on a line of its own.
    fn close(&mut self, at: Place) -> Result<(), EditError> {
        let Some(&node) = self.node(at) else { return Ok(()) };
        if node.ending == Ending::Closed {
            return Ok(());
        }
        let old = self.bytes(node.bytes);
        let (first, second) = (self.bytes(node.first).to_vec(), self.bytes(node.second).to_vec());
        let line = match node.kind {
            NodeKind::Trivia => [old, b"\n"].concat(),
            _ => {
                write::closed(old, &first, &second).unwrap_or_else(|| write::line(node.kind.keyword(), &first, &second))
            }
        };
        let node = self.new_node(node.kind, &line, &first, &second)?;
        self.replace(at, node);
        Ok(())
    }

    fn close_shared(&mut self, at: Place) -> Result<(), EditError> {
        match self.node(at) {
            Some(node) if node.ending == Ending::Shared => self.close(at),
            _ => Ok(()),
        }
    }

    /// Sees to it that the block at this position of the order starts on a line of its own.
    fn close_before(&mut self, position: usize) -> Result<(), EditError> {
        match self.last_before(position) {
            Some(place) => self.close(place),
            None => Ok(()),
        }
    }

    fn last_before(&self, position: usize) -> Option<Place> {
        self.order.iter().take(position).rev().find_map(|&index| {
            let last = self.block(index)?.nodes.len().checked_sub(1)?;
            Some(Place { block: index, node: last })
        })
    }

    fn needs_blank_line(&self) -> bool {
        let last = self.last_before(self.order.len()).and_then(|place| self.node(place));
        last.is_some_and(|node| {
            let bytes = self.bytes(node.bytes);
            !(bytes.ends_with(b"\n\n") || (node.kind == NodeKind::Trivia && bytes == b"\n"))
        })
    }

    /// Moves what follows the last option of a block to the block before it, where it stays when this one goes.
    fn strip_tail(&mut self, position: usize) {
        let Some(block) = self.order.get(position).and_then(|&index| self.blocks.get_mut(index as usize)) else {
            return;
        };
        let kept = block.nodes.iter().rposition(|node| node.kind != NodeKind::Trivia).map_or(0, |last| last + 1);
        let tail = block.nodes.split_off(kept);
        self.extend_block(position.saturating_sub(1), tail);
    }

    fn extend_block(&mut self, position: usize, nodes: Vec<Node>) {
        if let Some(block) = self.order.get(position).and_then(|&index| self.blocks.get_mut(index as usize)) {
            block.nodes.extend(nodes);
        }
    }

    /// A new section without a block as yet.
    fn open_section(&mut self, header: Node) -> u32 {
        let index = self.sections.len() as u32;
        let hash = generated_hash(self.bytes(header.first));
        self.sections.push(Entry { kind: header.first, name: header.second, block: NONE, last: NONE, hash });
        if header.second.len > 0 {
            let Self { names, text, .. } = self;
            let name = text.get(header.second.start as usize..).and_then(|rest| rest.get(..header.second.len as usize));
            names.insert(name.and_then(|name| std::str::from_utf8(name).ok()).unwrap_or_default(), index);
        }
        index
    }

    /// Adds a block at the end, after the other blocks of its section.
    fn push_block(&mut self, section: u32, nodes: Vec<Node>) {
        let index = self.blocks.len() as u32;
        if let Some(entry) = self.sections.get_mut(section as usize) {
            if let Some(last) = self.blocks.get_mut(entry.last as usize) {
                last.next = index;
            } else {
                entry.block = index;
            }
            entry.last = index;
        }
        self.blocks.push(Block { section, next: NONE, nodes });
        self.order.push(index);
    }
}

fn check_name(name: &str) -> Result<(), EditError> {
    if parse::is_name(name.as_bytes()) { Ok(()) } else { Err(EditError::Name) }
}

fn check_value(value: &str) -> Result<(), EditError> {
    if value.contains('\0') { Err(EditError::Value) } else { Ok(()) }
}

/// The hash in the names that libuci makes for anonymous sections.
fn generated_hash(kind: &[u8]) -> u16 {
    kind.iter().fold(5381_u16, |hash, &byte| hash.wrapping_mul(33).wrapping_add(u16::from(byte)))
}

impl Node {
    fn trivia(bytes: Span, ending: Ending) -> Self {
        Self { bytes, first: Span::default(), second: Span::default(), kind: NodeKind::Trivia, ending }
    }
}

/// Finds sections by name without a second copy of the names.
#[derive(Clone, Default)]
struct Names {
    hasher: RandomState,
    sections: HashMap<u64, u32>,
    /// Sections whose hash another name had first.
    others: Vec<u32>,
}

impl Names {
    fn get(&self, name: &str, is_named: impl Fn(u32) -> bool) -> Option<u32> {
        let first = self.sections.get(&self.hasher.hash_one(name)).copied().filter(|&index| is_named(index));
        first.or_else(|| self.others.iter().copied().find(|&index| is_named(index)))
    }

    fn insert(&mut self, name: &str, section: u32) {
        if *self.sections.entry(self.hasher.hash_one(name)).or_insert(section) != section {
            self.others.push(section);
        }
    }

    fn remove(&mut self, section: u32) {
        self.sections.retain(|_, &mut other| other != section);
        self.others.retain(|&other| other != section);
    }
}

/// Builds a package from its text.
struct Loader<'p> {
    package: &'p mut Package,
    cursor: Cursor,
    /// The section that options belong to.
    section: u32,
    /// How much of the text belongs to nodes.
    done: usize,
    /// The last statement of the present line.
    last: Option<Place>,
}

impl<'p> Loader<'p> {
    fn new(package: &'p mut Package) -> Self {
        Self { package, cursor: Cursor::default(), section: NONE, done: 0, last: None }
    }

    fn run(mut self) {
        loop {
            let line_start = self.cursor.line_end();
            if !self.scan(|scanner| scanner.begin_line()) {
                break;
            }
            let line = self.cursor.line();
            self.last = None;
            let mut in_section = self.section != NONE;
            while let Some(result) = self.scan(|scanner| scanner.statement(in_section)) {
                match result {
                    Ok(statement) => self.take(&statement, line, line_start),
                    Err(reason) => {
                        self.package.problem(line, reason);
                        break;
                    }
                }
                in_section = self.section != NONE;
            }
            self.end_line();
        }
        let open = !self.package.base().is_empty() && !self.package.base().ends_with(b"\n");
        let rest = self.trivia(self.done, self.package.base, if open { Ending::Open } else { Ending::Closed });
        self.push(rest);
        if let Some(nul) = self.package.base().iter().position(|&byte| byte == 0) {
            let before = self.package.base().iter().take(nul).filter(|&&byte| byte == b'\n').count();
            self.package.problem(before + 1, "NUL byte");
        }
        self.package.text.shrink_to_fit();
        for block in &mut self.package.blocks {
            block.nodes.shrink_to_fit();
        }
    }

    /// Lets a scanner do something at the place reached.
    fn scan<T>(&mut self, what: impl FnOnce(&mut Scanner<'_>) -> T) -> T {
        let mut scanner = Scanner::resume(self.package.base(), self.cursor);
        let result = what(&mut scanner);
        self.cursor = scanner.cursor();
        result
    }

    fn take(&mut self, statement: &Statement, line: usize, line_start: usize) {
        if let Some(complaint) = statement.complaint {
            self.package.problem(line, complaint);
        }
        let kind = match statement.keyword {
            // A file holds one package, so the line means nothing; it stays where it is.
            Keyword::Package => return,
            Keyword::Config => NodeKind::Config,
            Keyword::Option => NodeKind::Option,
            Keyword::List => NodeKind::List,
        };
        let start = match self.last {
            Some(place) => {
                self.end_node(place, self.done, Ending::Shared);
                self.done
            }
            None => line_start,
        };
        let node = Node {
            bytes: span(start, self.cursor.position()),
            first: self.intern(&statement.first),
            second: self.intern(&statement.second),
            kind,
            ending: Ending::Closed,
        };
        if kind == NodeKind::Config {
            let above = self.heading(start);
            let rest = self.trivia(self.done, above, Ending::Closed);
            self.push(rest);
            let mut nodes: Vec<Node> = self.trivia(above, start, Ending::Closed).into_iter().collect();
            nodes.push(node);
            self.open(node, line);
            self.package.push_block(self.section, nodes);
        } else {
            let above = self.trivia(self.done, start, Ending::Closed);
            self.push(above);
            self.push(Some(node));
        }
        self.done = self.cursor.position();
        self.last = self.package.last_before(self.package.order.len());
    }

    /// Finds the section of a `config` line, or makes it.
    fn open(&mut self, header: Node, line: usize) {
        let name = self.package.str(header.second);
        let known = if name.is_empty() { None } else { self.package.lookup(name) };
        let Some(section) = known else {
            self.section = self.package.open_section(header);
            return;
        };
        self.section = section;
        let other_kind =
            self.package.section(SectionId(section)).map(Section::kind) != Some(self.package.str(header.first));
        if other_kind {
            self.package.problem(line, "section of another type has the same name");
        }
        if let Some(entry) = self.package.sections.get_mut(section as usize) {
            entry.kind = header.first;
        }
    }

    fn end_line(&mut self) {
        let Some(place) = self.last else { return };
        let end = self.cursor.line_end();
        let closed = !self.cursor.starved() && self.package.base().get(..end).is_some_and(|read| read.ends_with(b"\n"));
        self.end_node(place, end, if closed { Ending::Closed } else { Ending::Open });
        self.done = end;
    }

    fn end_node(&mut self, at: Place, end: usize, ending: Ending) {
        if let Some(node) =
            self.package.blocks.get_mut(at.block as usize).and_then(|block| block.nodes.get_mut(at.node))
        {
            node.bytes = span(node.bytes.start as usize, end);
            node.ending = ending;
        }
    }

    fn trivia(&self, start: usize, end: usize, ending: Ending) -> Option<Node> {
        (start < end).then(|| Node::trivia(span(start, end), ending))
    }

    /// Adds to the block reached.
    fn push(&mut self, node: Option<Node>) {
        self.package.extend_block(self.package.order.len().saturating_sub(1), node.into_iter().collect());
    }

    /// Where the comment lines right above `end`, and the blank lines above them, start.
    fn heading(&self, end: usize) -> usize {
        let text = self.package.base();
        let mut start = end;
        let mut comments = true;
        while start > self.done {
            let above = text.get(self.done..start - 1).unwrap_or_default();
            let line_start =
                above.iter().rposition(|&byte| byte == b'\n').map_or(self.done, |newline| self.done + newline + 1);
            match text.get(line_start..start).unwrap_or_default().trim_ascii_start() {
                [] => comments = false,
                [b'#', ..] if comments => {}
                _ => break,
            }
            start = line_start;
        }
        start
    }

    fn intern(&mut self, word: &Word) -> Span {
        let text = self.package.base();
        let lossy = match word.value() {
            Ok(range) => match std::str::from_utf8(word.bytes(text)) {
                Ok(_) => return span(range.start, range.end),
                Err(_) => String::from_utf8_lossy(word.bytes(text)).into_owned(),
            },
            Err(decoded) => String::from_utf8_lossy(decoded).into_owned(),
        };
        let start = self.package.text.len();
        self.package.text.extend_from_slice(lossy.as_bytes());
        span(start, self.package.text.len())
    }
}

/// Texts are limited so that these numbers suffice.
fn span(start: usize, end: usize) -> Span {
    Span { start: start as u32, len: (end - start) as u32 }
}
