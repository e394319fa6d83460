//! What the model remembers for ever: instance numbers, values of the agent's own, and attributes.
//!
//! An instance number belongs to what a row *is*: the name of a UCI section, a device, a MAC address (its key), and is never given to
//! something else (CONFORMANCE P-62). A section without a name is known by the name that it gets as soon as the agent writes to it;
//! until then it is recognised by its content, so that numbers survive when others insert, remove or reorder sections.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::attributes::Attribute;
use crate::platform::uci::{OptionValue, Package, Section, SectionId};
use crate::sorted::{Map, Set};

/// Rows that are gone are remembered up to this number in each table; beyond it the oldest are forgotten.
const GONE: usize = 256;

/// More unnamed sections than this are matched by their order alone, so that a broken file cannot cost minutes.
const COMPARED: usize = 200;

/// What the model remembers. It is saved as it is; see [`Registry::take_dirty`].
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Registry {
    /// By the path of the table with the instance numbers around it, such as `Device.IP.Interface.1.IPv4Address.`. A tree, because tables in
    /// thousands of rows come one by one, in no order.
    tables: BTreeMap<String, Numbers>,
    /// By package.
    anonymous: Map<String, Anonymous>,
    /// The agent's own values, by the full name of the parameter.
    own: Map<String, String>,
    /// Attributes that differ from the parameter's own, by the full name of the parameter. A tree, because all of them may come one by one.
    attributes: BTreeMap<String, Attribute>,
    #[serde(skip)]
    dirty: bool,
}

/// The instance numbers of a table.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Numbers {
    /// The greatest number that was ever given.
    last: u32,
    /// A tree, because thousands of rows come one by one, `cwmp_10` after `cwmp_9`.
    by_key: BTreeMap<Box<str>, u32>,
}

/// The sections of a package that have no name yet.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Anonymous {
    /// The greatest number in a name that was ever given.
    last: u32,
    sections: Vec<Unnamed>,
}

/// A section that has no name yet, as it was when it was last seen. There may be thousands, so little is kept of each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Unnamed {
    /// The number in its future name.
    name: u32,
    /// A hash of its type and all of its options.
    whole: u32,
    /// A short hash of the type with each option and its value, in the order of the file.
    options: Box<[u16]>,
}

/// What the sections of a package that have no name are known by.
#[derive(Debug, Default)]
pub struct FutureNames(Vec<(SectionId, u32)>);

impl FutureNames {
    /// The name that a section will get.
    #[must_use]
    pub fn get(&self, id: SectionId) -> Option<String> {
        let index = self.0.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        self.0.get(index).map(|(_, number)| section_name(*number))
    }
}

impl Registry {
    /// Whether something has changed since this was last asked.
    pub fn take_dirty(&mut self) -> bool {
        std::mem::take(&mut self.dirty)
    }

    /// Says that the last change could not be saved.
    pub fn mark_dirty(&mut self) {
        self.dirty = true;
    }

    /// The instance number for a key, a new one if it has none yet.
    pub fn number(&mut self, table: &str, key: &str) -> u32 {
        if let Some(number) = self.known_number(table, key) {
            return number;
        }
        let numbers = self.tables.entry(String::from(table)).or_default();
        // Four thousand million rows are never made; should it happen, the last number is given twice rather than the daemon stopped.
        numbers.last = numbers.last.saturating_add(1);
        numbers.by_key.insert(Box::from(key), numbers.last);
        self.dirty = true;
        numbers.last
    }

    /// The instance number that a key has already.
    #[must_use]
    pub fn known_number(&self, table: &str, key: &str) -> Option<u32> {
        self.tables.get(table)?.by_key.get(key).copied()
    }

    /// The key that has an instance number.
    #[must_use]
    pub fn key(&self, table: &str, number: u32) -> Option<&str> {
        let numbers = self.tables.get(table)?;
        numbers.by_key.iter().find(|(_, n)| **n == number).map(|(key, _)| key.as_ref())
    }

    /// The instance numbers of a table whose rows only the agent has.
    #[must_use]
    pub fn own_rows(&self, table: &str) -> Vec<u32> {
        self.tables.get(table).map(|numbers| numbers.by_key.values().copied().collect()).unwrap_or_default()
    }

    /// Adds a row to a table whose rows only the agent has.
    pub fn add_own_row(&mut self, table: &str, number: u32) {
        let numbers = self.tables.entry(String::from(table)).or_default();
        numbers.last = numbers.last.max(number);
        numbers.by_key.insert(number.to_string().into_boxed_str(), number);
        self.dirty = true;
    }

    /// The number that the next row of a table will have.
    #[must_use]
    pub fn next_number(&self, table: &str) -> u32 {
        self.tables.get(table).map_or(0, |numbers| numbers.last).saturating_add(1)
    }

    /// Forgets a row that the ACS deleted, with everything below it; its number stays used. `package` is that of its section, if it has one.
    pub fn forget(&mut self, table: &str, number: u32, package: Option<&str>) {
        let key = self.key(table, number).map(String::from);
        if let (Some(key), Some(anonymous)) = (key, package.and_then(|package| self.anonymous.get_mut(package))) {
            // Its twin, if there is one, must not be taken for it.
            anonymous.sections.retain(|section| section_name(section.name) != key);
        }
        if let Some(numbers) = self.tables.get_mut(table) {
            numbers.by_key.retain(|_, n| *n != number);
        }
        self.forget_below(&format!("{table}{number}."));
        self.dirty = true;
    }

    /// Gives an instance number to another key, because what the row stands for has moved there.
    pub fn move_row(&mut self, table: &str, key: &str, number: u32) {
        let numbers = self.tables.entry(String::from(table)).or_default();
        numbers.by_key.retain(|_, n| *n != number);
        numbers.by_key.insert(Box::from(key), number);
        self.dirty = true;
    }

    fn forget_below(&mut self, row: &str) {
        self.tables.retain(|path, _| !path.starts_with(row));
        self.own.retain(|name, _| !name.starts_with(row));
        self.attributes.retain(|name, _| !name.starts_with(row));
    }

    /// Forgets the rows that went longest ago when too many are gone. `seen` tells the numbers of the rows that are there, and there are `count`.
    pub fn prune(&mut self, table: &str, count: usize, seen: impl FnOnce() -> Set<u32>) {
        let Some(numbers) = self.tables.get_mut(table) else { return };
        let Some(excess) = numbers.by_key.len().checked_sub(count.saturating_add(GONE)) else { return };
        let seen = seen();
        let mut gone: Vec<u32> = numbers.by_key.values().copied().filter(|number| !seen.contains(number)).collect();
        gone.sort_unstable();
        gone.truncate(excess);
        if !gone.is_empty() {
            numbers.by_key.retain(|_, number| gone.binary_search(number).is_err());
            for number in gone {
                self.forget_below(&format!("{table}{number}."));
            }
            self.dirty = true;
        }
    }

    /// A name that no section of the package has or had.
    pub fn new_section_name(&mut self, package: &Package) -> String {
        let anonymous = self.anonymous.get_or_default(String::from(package.name()));
        loop {
            anonymous.last = anonymous.last.saturating_add(1);
            self.dirty = true;
            let name = section_name(anonymous.last);
            if package.find(&name).is_none() || anonymous.last == u32::MAX {
                return name;
            }
        }
    }

    /// What the sections without a name are known by: recognised from last time, or new.
    pub fn name_sections(&mut self, package: &Package) -> FutureNames {
        let before = self.anonymous.get(package.name()).map_or(&[][..], |before| &before.sections);
        let mut names = Vec::new();
        if is_same(before, package, &mut names) {
            return FutureNames(names);
        }
        let mut anonymous = self.anonymous.remove(package.name()).unwrap_or_default();
        let mut sections: Vec<Unnamed> = unnamed(package).map(Unnamed::of).collect();
        sections.shrink_to_fit();
        anonymous.recognise(&mut sections, |name| package.find(&section_name(name)).is_some());
        names.clear();
        names.extend(unnamed(package).zip(&sections).map(|(section, known)| (section.id(), known.name)));
        names.sort_unstable();
        // A file that is half read must not make the rest of it forgotten.
        if !package.problems().is_empty() {
            let found: Set<u32> = sections.iter().map(|section| section.name).collect();
            sections.extend(anonymous.sections.iter().filter(|old| !found.contains(&old.name)).cloned());
        }
        self.dirty |= sections != anonymous.sections;
        anonymous.sections = sections;
        self.anonymous.insert(String::from(package.name()), anonymous);
        FutureNames(names)
    }

    /// A value of the agent's own.
    #[must_use]
    pub fn own(&self, name: &str) -> Option<&str> {
        self.own.get(name).map(String::as_str)
    }

    /// The names and values of the agent's own that begin with a text.
    pub fn own_below(&self, prefix: &str) -> impl Iterator<Item = (&str, &str)> {
        self.own.iter().filter(move |(name, _)| name.starts_with(prefix)).map(|(n, v)| (n.as_str(), v.as_str()))
    }

    /// Sets a value of the agent's own, or takes it away.
    pub fn set_own(&mut self, name: &str, value: Option<String>) {
        let changed = match value {
            None => self.own.remove(name).is_some(),
            Some(value) if self.own.get(name) == Some(&value) => false,
            Some(value) => {
                self.own.insert(String::from(name), value);
                true
            }
        };
        self.dirty |= changed;
    }

    /// Remembers what it did at a former time, when what has been made since is undone. A number that was given since stays used.
    pub fn go_back(&mut self, former: Self) {
        let since = std::mem::replace(self, former);
        for (table, numbers) in since.tables {
            let before = self.tables.entry(table).or_default();
            before.last = before.last.max(numbers.last);
        }
        for (package, anonymous) in since.anonymous {
            let before = self.anonymous.get_or_default(package);
            before.last = before.last.max(anonymous.last);
        }
        self.dirty = true;
    }

    /// Whether both hold the same values and attributes, whatever rows they know.
    #[must_use]
    pub fn has_same_values(&self, other: &Self) -> bool {
        self.own == other.own && self.attributes == other.attributes
    }

    /// The attributes that were set for a parameter.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.get(name)
    }

    /// All attributes that were set, by parameter.
    #[must_use]
    pub fn attributes(&self) -> &BTreeMap<String, Attribute> {
        &self.attributes
    }

    /// Sets the attributes of a parameter, or takes them away.
    pub fn set_attribute(&mut self, name: &str, attribute: Option<Attribute>) {
        let changed = match attribute {
            None => self.attributes.remove(name).is_some(),
            Some(attribute) if self.attributes.get(name) == Some(&attribute) => false,
            Some(attribute) => {
                self.attributes.insert(String::from(name), attribute);
                true
            }
        };
        self.dirty |= changed;
    }

    /// Forgets all attributes, as a new ACS expects (CONFORMANCE P-56).
    pub fn clear_attributes(&mut self) {
        self.dirty |= !self.attributes.is_empty();
        self.attributes.clear();
    }
}

/// The sections of a package that have no name, in the order of the file.
fn unnamed(package: &Package) -> impl Iterator<Item = Section<'_>> {
    package.sections().filter(|section| section.name().is_none())
}

/// Whether all sections are as they were last time, in the same order. Tells their names, sorted by their ids, if they are.
fn is_same(before: &[Unnamed], package: &Package, names: &mut Vec<(SectionId, u32)>) -> bool {
    let mut before = before.iter();
    for section in unnamed(package) {
        match before.next().filter(|old| old.is_same(&Unnamed::of(section))) {
            Some(old) => names.push((section.id(), old.name)),
            None => return false,
        }
    }
    names.sort_unstable();
    before.next().is_none()
}

impl Anonymous {
    /// Finds, for each section that is there now, the number that it had: first those that are the same to the letter, in order, then the most alike.
    fn recognise(&mut self, found: &mut [Unnamed], taken: impl Fn(u32) -> bool) {
        let mut left: Vec<Option<&Unnamed>> = self.sections.iter().map(Some).collect();
        let mut missing = 0_usize;
        // Most sections come right after the one that was recognised before them.
        let mut next = 0;
        for section in found.iter_mut() {
            let is_same = |old: &Option<&Unnamed>| old.is_some_and(|old| old.is_same(section));
            let (before, after) = left.split_at(next.min(left.len()));
            let place = match after.iter().position(is_same) {
                Some(place) => Some(place.saturating_add(next)),
                None => before.iter().position(is_same),
            };
            match place.and_then(|place| Some((place, left.get_mut(place)?.take()?))) {
                Some((place, old)) => {
                    section.name = old.name;
                    next = place.saturating_add(1);
                }
                None => missing = missing.saturating_add(1),
            }
        }
        for least in [3_usize, 2, 1] {
            if missing > COMPARED {
                break;
            }
            // Those that share most of their options first, so that a near twin does not take the number of another.
            for section in found.iter_mut().filter(|section| section.name == 0) {
                let is_alike = |old: &&mut Option<&Unnamed>| old.is_some_and(|old| old.likeness(section) >= least);
                if let Some(old) = left.iter_mut().find(is_alike).and_then(Option::take) {
                    section.name = old.name;
                }
            }
        }
        for section in found.iter_mut().filter(|section| section.name == 0) {
            section.name = loop {
                self.last = self.last.saturating_add(1);
                if !taken(self.last) || self.last == u32::MAX {
                    break self.last;
                }
            };
        }
    }
}

impl Unnamed {
    fn of(section: Section<'_>) -> Self {
        let mut whole = Hash32::of(section.kind());
        let kind = whole;
        let options = section.options().map(|(name, value)| {
            let mut hash = kind;
            hash.add(name);
            match value {
                OptionValue::Text(text) => hash.add(text),
                OptionValue::List(items) => items.iter().for_each(|item| hash.add(item)),
            }
            whole.add_number(hash.0);
            hash.folded()
        });
        let options = options.collect();
        Self { name: 0, whole: whole.0, options }
    }

    /// Whether its type and options are the same to the letter.
    fn is_same(&self, other: &Self) -> bool {
        self.whole == other.whole && self.options == other.options
    }

    /// 3: at least three quarters of the options are the same; 2: at least half; 1: at least a third; 0: less, or of another type.
    fn likeness(&self, other: &Self) -> usize {
        let shared = self.options.iter().filter(|option| other.options.contains(option)).count();
        let most = self.options.len().max(other.options.len());
        if shared == 0 {
            0
        } else if shared.saturating_mul(4) >= most.saturating_mul(3) {
            3
        } else if shared.saturating_mul(2) >= most {
            2
        } else {
            usize::from(shared.saturating_mul(3) >= most)
        }
    }
}

/// The name of a section that the agent makes, or writes to first.
fn section_name(number: u32) -> String {
    format!("cwmp_{number}")
}

/// FNV-1a of texts with an end after each.
#[derive(Clone, Copy)]
struct Hash32(u32);

impl Hash32 {
    fn of(text: &str) -> Self {
        let mut hash = Self(0x811c_9dc5);
        hash.add(text);
        hash
    }

    fn add(&mut self, text: &str) {
        for byte in text.bytes().chain([0]) {
            self.add_byte(byte);
        }
    }

    fn add_number(&mut self, number: u32) {
        number.to_le_bytes().into_iter().for_each(|byte| self.add_byte(byte));
    }

    fn add_byte(&mut self, byte: u8) {
        self.0 = (self.0 ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    }

    fn folded(self) -> u16 {
        let [a, b, c, d] = self.0.to_le_bytes();
        u16::from_le_bytes([a ^ c, b ^ d])
    }
}
