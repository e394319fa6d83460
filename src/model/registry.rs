//! What the model remembers for ever: instance numbers, values of the agent's own, and attributes.
//!
//! An instance number belongs to what a row *is*: the name of a UCI section, a device, a MAC address (its key), and is never given to
//! something else (CONFORMANCE P-62). A section without a name is known by the name that it gets as soon as the agent writes to it;
//! until then it is recognised by its content, so that numbers survive when others insert, remove or reorder sections.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::attributes::Attribute;
use crate::platform::uci::{OptionValue, Package, Section, SectionId};

/// Rows that are gone are remembered up to this number in each table; beyond it the oldest are forgotten.
const GONE: usize = 256;

/// More unnamed sections than this are matched by their order alone, so that a broken file cannot cost minutes.
const COMPARED: usize = 200;

/// What the model remembers. It is saved as it is; see [`Registry::take_dirty`].
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Registry {
    /// By the path of the table with the instance numbers around it, such as `Device.IP.Interface.1.IPv4Address.`.
    tables: BTreeMap<String, Numbers>,
    /// By package.
    anonymous: BTreeMap<String, Anonymous>,
    /// The agent's own values, by the full name of the parameter.
    own: BTreeMap<String, String>,
    /// Attributes that differ from the parameter's own, by the full name of the parameter.
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

/// A section that has no name yet, as it was when it was last seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Unnamed {
    /// The number in its future name.
    name: u32,
    kind: Box<str>,
    /// A hash for each option with its value, in the order of the file.
    options: Vec<u32>,
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
        if let Some(&number) = self.tables.get(table).and_then(|numbers| numbers.by_key.get(key)) {
            return number;
        }
        let numbers = self.tables.entry(String::from(table)).or_default();
        // Four thousand million rows are never made; should it happen, the last number is given twice rather than the daemon stopped.
        numbers.last = numbers.last.saturating_add(1);
        numbers.by_key.insert(Box::from(key), numbers.last);
        self.dirty = true;
        numbers.last
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

    /// Forgets a row that the ACS deleted, with everything below it; its number stays used.
    pub fn forget(&mut self, table: &str, number: u32) {
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

    /// Forgets the rows that went longest ago when too many are gone. `seen` are the numbers of the rows that are there.
    pub fn prune(&mut self, table: &str, seen: &BTreeSet<u32>) {
        let Some(numbers) = self.tables.get_mut(table) else { return };
        let Some(excess) = numbers.by_key.len().checked_sub(seen.len().saturating_add(GONE)) else { return };
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
        let anonymous = self.anonymous.entry(String::from(package.name())).or_default();
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
    pub fn name_sections(&mut self, package: &Package) -> BTreeMap<SectionId, String> {
        let found: Vec<(SectionId, Unnamed)> = package
            .sections()
            .filter(|section| section.name().is_none())
            .map(|section| (section.id(), Unnamed::of(section)))
            .collect();
        let before = self.anonymous.get(package.name());
        if found.is_empty() && before.is_none_or(|before| before.sections.is_empty()) {
            return BTreeMap::new();
        }
        let mut anonymous = before.cloned().unwrap_or_default();
        let known = anonymous.recognise(&found, |name| package.find(&section_name(name)).is_some());
        // A file that is half read must not make the rest of it forgotten.
        let complete = package.problems().is_empty();
        let mut sections: Vec<Unnamed> = Vec::with_capacity(found.len());
        let mut names = BTreeMap::new();
        for ((id, mut section), name) in found.into_iter().zip(known) {
            section.name = name;
            names.insert(id, section_name(name));
            sections.push(section);
        }
        if !complete {
            let kept = anonymous.sections.iter().filter(|old| !sections.iter().any(|new| new.name == old.name));
            let kept: Vec<Unnamed> = kept.cloned().collect();
            sections.extend(kept);
        }
        if sections != anonymous.sections {
            anonymous.sections = sections;
            self.anonymous.insert(String::from(package.name()), anonymous);
            self.dirty = true;
        }
        names
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

impl Anonymous {
    /// Finds, for each section that is there now, the number that it had: first those that are the same to the letter, in order, then the most alike.
    fn recognise(&mut self, found: &[(SectionId, Unnamed)], taken: impl Fn(u32) -> bool) -> Vec<u32> {
        let mut left: Vec<Option<&Unnamed>> = self.sections.iter().map(Some).collect();
        let mut names: Vec<Option<u32>> = vec![None; found.len()];
        for (name, (_, section)) in names.iter_mut().zip(found) {
            let same = left
                .iter_mut()
                .find(|old| old.is_some_and(|old| old.kind == section.kind && old.options == section.options));
            *name = same.and_then(Option::take).map(|old| old.name);
        }
        let missing = names.iter().filter(|name| name.is_none()).count();
        for least in [3_usize, 2, 1] {
            if missing > COMPARED {
                break;
            }
            // Those that share most of their options first, so that a near twin does not take the number of another.
            for (name, (_, section)) in names.iter_mut().zip(found).filter(|(name, _)| name.is_none()) {
                let alike = left.iter_mut().find(|old| old.is_some_and(|old| old.likeness(section) >= least));
                *name = alike.and_then(Option::take).map(|old| old.name);
            }
        }
        names
            .into_iter()
            .map(|name| {
                name.unwrap_or_else(|| {
                    loop {
                        self.last = self.last.saturating_add(1);
                        if !taken(self.last) || self.last == u32::MAX {
                            return self.last;
                        }
                    }
                })
            })
            .collect()
    }
}

impl Unnamed {
    fn of(section: Section<'_>) -> Self {
        let options = section
            .options()
            .map(|(name, value)| {
                let mut hash = Hash32::new();
                hash.add(name);
                match value {
                    OptionValue::Text(text) => hash.add(text),
                    OptionValue::List(items) => items.iter().for_each(|item| hash.add(item)),
                }
                hash.0
            })
            .collect();
        Self { name: 0, kind: Box::from(section.kind()), options }
    }

    /// 3: at least three quarters of the options are the same; 2: at least half; 1: at least a third; 0: less, or of another type.
    fn likeness(&self, other: &Self) -> usize {
        if self.kind != other.kind {
            return 0;
        }
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
struct Hash32(u32);

impl Hash32 {
    fn new() -> Self {
        Self(0x811c_9dc5)
    }

    fn add(&mut self, text: &str) {
        for byte in text.bytes().chain([0]) {
            self.0 = (self.0 ^ u32::from(byte)).wrapping_mul(0x0100_0193);
        }
    }
}
