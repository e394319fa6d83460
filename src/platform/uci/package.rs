//! A UCI file in memory.
//!
//! The text is kept once, and everything else points into it: a [`Node`] is a line (or the part of a line that is one statement, or several lines of
//! comments), a [`Block`] the nodes from one `config` line to the next. Written one after the other in their order, nodes give the file, byte for byte.
//! An edit appends its new line to the text and turns a node to it, so nothing else moves. Values are not stored beside the lines but read from them
//! as libuci would, which leaves one truth only.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};

use super::parse::Keyword;

mod build;
mod edit;
mod section;

pub use section::Section;

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

/// How often a section can be opened and take options.
const MAX_OPENED: usize = 2;

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
    /// Its file, where that is not the one of its name in the directory of packages.
    place: Option<PathBuf>,
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
            place: None,
        };
        // Decoded words come after the text, at most three times as much.
        if package.base > (u32::MAX / 8) as usize {
            package.text = Vec::new();
            package.base = 0;
            package.problem(0, "too large");
        }
        build::Loader::new(&mut package).run();
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

    /// Its file, where that is not the one of its name in `/etc/config`.
    #[must_use]
    pub fn own_file(&self) -> Option<&Path> {
        self.place.as_deref()
    }

    /// Its file, when the packages are in this directory.
    pub(super) fn place(&self, dir: &Path) -> PathBuf {
        self.place.clone().unwrap_or_else(|| dir.join(&self.name))
    }

    /// Gives it a file of its own.
    pub(super) fn set_place(&mut self, place: PathBuf) {
        self.place = Some(place);
    }

    /// The package as it was read or last committed, without later edits.
    #[must_use]
    pub fn original(&self) -> Self {
        Self { place: self.place.clone(), ..Self::parse(&self.name, self.base()) }
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
        package.place.clone_from(&current.place);
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
            (Some(a), Some(b)) => self.sections().map(|section| section.id().0).find(|&index| index == a || index == b),
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

// Putting together.
impl Package {
    fn last_before(&self, position: usize) -> Option<Place> {
        self.order.iter().take(position).rev().find_map(|&index| {
            let last = self.block(index)?.nodes.len().checked_sub(1)?;
            Some(Place { block: index, node: last })
        })
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

/// Where a node is.
#[derive(Clone, Copy)]
struct Place {
    block: u32,
    node: usize,
}

impl Node {
    fn trivia(bytes: Span, ending: Ending) -> Self {
        Self { bytes, first: Span::default(), second: Span::default(), kind: NodeKind::Trivia, ending }
    }
}

/// The hash in the names that libuci makes for anonymous sections.
fn generated_hash(kind: &[u8]) -> u16 {
    kind.iter().fold(5381_u16, |hash, &byte| hash.wrapping_mul(33).wrapping_add(u16::from(byte)))
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

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) const NETWORK: &str = "\
# The network of this router.
config interface 'lan'
\toption device \"br-lan\"   # a bridge
\tlist dns '1.1.1.1'
\tlist dns 9.9.9.9
# commented out
\toption empty ''

config route
\toption target 10.0.0.0

# The way out.
config interface wan
        option proto dhcp

config route
";

    pub(super) fn package() -> Package {
        let package = Package::parse("network", NETWORK.as_bytes());
        assert_eq!(package.problems(), []);
        assert_eq!(text(&package), NETWORK);
        package
    }

    pub(super) fn text(package: &Package) -> String {
        String::from_utf8(package.to_bytes()).unwrap()
    }

    pub(super) fn id(package: &Package, selector: &str) -> SectionId {
        package.find(selector).unwrap().id()
    }

    #[test]
    fn sections_are_found_by_name_and_by_place() {
        let package = package();
        assert_eq!(package.find("wan").unwrap().get("proto"), Some("dhcp"));
        assert_eq!(package.find("@route[0]").unwrap().get("target"), Some("10.0.0.0"));
        assert_eq!(package.find("@route[-1]").unwrap().get("target"), None);
        assert_eq!(package.find("@[2]").unwrap().name(), Some("wan"));
        assert_eq!(package.find("@route[1]").unwrap().index(), 1);
        let generated = package.find("@route[0]").unwrap().generated_name();
        assert_eq!(package.find(&generated).unwrap().index(), 0);
        for wrong in
            ["", "guest", "@route[2]", "@route[-3]", "@route", "@route[x]", "@nothing[0]", "cfg", "cfg00", "cfgé0000"]
        {
            assert!(package.find(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn values_are_texts_or_lists() {
        let package = package();
        let lan = package.find("lan").unwrap();
        assert_eq!(lan.get("device"), Some("br-lan"));
        assert_eq!(lan.get("dns"), None);
        assert_eq!(lan.list("dns"), ["1.1.1.1", "9.9.9.9"]);
        assert_eq!(lan.list("device"), ["br-lan"]);
        assert_eq!((lan.get("empty"), lan.list("none").len()), (None, 0));
        assert_eq!(lan.options().map(|(name, _)| name).collect::<Vec<_>>(), ["device", "dns"]);
    }

    #[test]
    fn later_lines_win_and_lists_grow() {
        let read = |lines: &str| {
            let package = Package::parse("x", format!("config a\n{lines}").as_bytes());
            let section = package.sections().next().unwrap();
            section.list("o").join("|")
        };
        assert_eq!(read("option o 1\noption o 2\n"), "2");
        assert_eq!(read("option o 1\noption o ''\n"), "1");
        assert_eq!(read("option o 1\nlist o 2\n"), "1|2");
        assert_eq!(read("list o 1\nlist o ''\n"), "1|");
        assert_eq!(read("list o 1\noption o 2\n"), "2");
        assert_eq!(read("list o 1\noption o 2\nlist o 3\n"), "2|3");
    }

    #[test]
    fn problems_name_their_lines_and_cost_no_others() {
        let package = Package::parse(
            "x",
            b"option a b\nconfig s 'x'\nbogus\n\toption a 'b'\n\toption c\td e\nconfig t 'x'\noption f 'g\n",
        );
        let lines: Vec<_> = package.problems().iter().map(|problem| problem.line).collect();
        assert_eq!(lines, [1, 3, 5, 6, 7]);
        let x = package.find("x").unwrap();
        assert_eq!((x.kind(), x.get("a"), x.get("c"), x.get("f")), ("t", Some("b"), Some("d"), None));
        assert!(!Package::parse("x", b"config s\noption a b\0c\n").problems().is_empty());
    }

    #[test]
    fn a_section_can_be_opened_again() {
        let mut package = Package::parse("x", b"config s a\n\toption o 1\nconfig s b\nconfig s a\n\toption p 2\n");
        let a = id(&package, "a");
        assert_eq!(package.sections().count(), 2);
        assert_eq!(
            (package.section(a).unwrap().get("o"), package.section(a).unwrap().get("p")),
            (Some("1"), Some("2"))
        );
        package.set(a, "q", "3").unwrap();
        assert!(text(&package).ends_with("\toption p 2\n\toption q '3'\n"));
        assert!(package.remove_section(a));
        assert_eq!(text(&package), "config s b\n");
    }

    #[test]
    fn bytes_that_are_not_utf8_are_read_and_kept() {
        let mut package = Package::parse("x", b"config s a\n\toption o 'a\xffb'\n\toption p 1\n");
        let a = id(&package, "a");
        assert_eq!(package.section(a).unwrap().get("o"), Some("a\u{fffd}b"));
        package.set(a, "p", "2").unwrap();
        assert_eq!(package.to_bytes(), b"config s a\n\toption o 'a\xffb'\n\toption p '2'\n");
    }

    #[test]
    fn values_are_not_shown() {
        let package = Package::parse("x", b"config s a\n\toption o 'secret'\n");
        assert!(!format!("{package:?} {:?}", package.find("a")).contains("secret"));
    }

    #[test]
    fn a_large_table_is_compact() {
        let mut file = String::new();
        for row in 0..5000 {
            file.push_str(&format!("config row 'r{row}'\n"));
            (0..20).for_each(|column| file.push_str(&format!("\toption column_{column} 'value {row}'\n")));
        }
        let package = Package::parse("x", file.as_bytes());
        let nodes: usize = package.blocks.iter().map(|block| block.nodes.capacity()).sum();
        let size = package.text.capacity() + nodes * size_of::<Node>();
        assert!(size < 2 * file.len() + (64 << 10), "{size} bytes for {}", file.len());
        for row in 0..5000 {
            assert_eq!(
                package.find(&format!("r{row}")).unwrap().get("column_19"),
                Some(format!("value {row}").as_str())
            );
        }
    }
}
