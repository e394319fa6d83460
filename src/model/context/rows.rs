//! Rows of tables: which there are, their numbers, and the sections and keys behind them.

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::PoisonError;

use super::{Context, Entry, Row, RowId};
use crate::error::{Error, Fault, Result};
use crate::model::schema::Rows;
use crate::model::tree::{NodeId, ROOT};
use crate::model::value::is_number;
use crate::platform::uci::{Section, SectionId};
use crate::sorted::Map;

impl Context {
    /// The rows of a table inside the row around it.
    ///
    /// # Errors
    /// When where they come from cannot be read.
    pub fn rows(&mut self, node: NodeId, around: &Rc<Row>) -> Result<Rc<[Entry]>> {
        if let Some((parent, rows)) = self.tables.get(&node) {
            if parent == around {
                return Ok(rows.clone());
            }
        }
        let rows = self.list_rows(node, around)?;
        // Only the rows inside one row are kept, so that memory does not grow with the tree; they are listed once a pass all the same.
        self.tables.insert(node, (around.clone(), rows.clone()));
        Ok(rows)
    }

    /// The row of a table with an instance number.
    ///
    /// # Errors
    /// As [`Context::rows`].
    pub fn row(&mut self, node: NodeId, around: &Rc<Row>, number: u32) -> Result<Option<Rc<Row>>> {
        let rows = self.rows(node, around)?;
        Ok(entry_of(&rows, number).map(|entry| Row::new(node, around, entry)))
    }

    fn list_rows(&mut self, node: NodeId, around: &Rc<Row>) -> Result<Rc<[Entry]>> {
        let schema = self.schema.clone();
        let Some(table) = schema.node(node).table() else { return Ok(Rc::from([])) };
        let path = schema.path(node, around);
        let mut rows = match table.rows {
            Rows::Sections { package, kind, filter } => {
                let sections = self.package(package)?.sections();
                let ids: Vec<_> = sections
                    .filter(|s| s.kind() == kind && filter.is_none_or(|filter| filter(s)))
                    .map(|s| s.id())
                    .collect();
                self.number_sections(package, &path, ids)?
            }
            Rows::SomeSections { package, list } => {
                let ids = list(self, around)?;
                self.number_sections(package, &path, ids)?
            }
            Rows::SectionsAndKeys { package, list, keys } => {
                let (ids, keys) = (list(self, around)?, keys(self, around)?);
                let mut rows = self.number_sections(package, &path, ids)?;
                rows.extend(self.number_keys(&path, keys));
                rows
            }
            Rows::Keys(list) => {
                let keys = list(self, around)?;
                self.number_keys(&path, keys)
            }
            Rows::Numbered(list) => {
                let mut numbers = list(self, around)?;
                numbers.retain(|number| *number != 0);
                numbers.sort_unstable();
                numbers.dedup();
                let key = |number: u32| RowId::Key(Rc::from(number.to_string()));
                numbers.into_iter().map(|number| Entry { number, id: key(number) }).collect()
            }
            Rows::Fleeting => {
                let key = |number: u32| RowId::Key(Rc::from(number.to_string()));
                (1..=self.fleeting.rows(&path)).map(|number| Entry { number, id: key(number) }).collect()
            }
            Rows::Own => {
                let mut numbers = self.registry().own_rows(&path);
                numbers.extend(self.added.iter().filter(|(table, _)| *table == path).map(|(_, number)| *number));
                numbers
                    .retain(|number| !self.forgotten.iter().any(|(table, gone, _)| *table == path && gone == number));
                let key = |number: u32| RowId::Key(Rc::from(number.to_string()));
                numbers.into_iter().map(|number| Entry { number, id: key(number) }).collect()
            }
            Rows::Vendor(rows) => match crate::model::vendor::list(self, around, rows)? {
                crate::model::vendor::Found::Sections(package, ids) => self.number_sections(package, &path, ids)?,
                crate::model::vendor::Found::Keys(keys) => self.number_keys(&path, keys),
            },
        };
        rows.sort_unstable_by_key(|entry| entry.number);
        if !matches!(table.rows, Rows::Numbered(_) | Rows::Fleeting | Rows::Own) {
            self.registry().prune(&path, rows.len(), || rows.iter().map(|entry| entry.number).collect());
        }
        Ok(Rc::from(rows))
    }

    fn number_sections(&mut self, package: &str, path: &str, ids: Vec<SectionId>) -> Result<Vec<Entry>> {
        self.name_sections(package)?;
        let names = self.names.remove(package).unwrap_or_default();
        let registry = self.registry.clone();
        let mut registry = registry.lock().unwrap_or_else(PoisonError::into_inner);
        let mut rows = Vec::with_capacity(ids.len());
        {
            self.package(package)?;
            let Some(Ok(package)) = self.packages.get(package) else { return Ok(rows) };
            for id in ids {
                let name = match package.section(id).and_then(|section| section.name()) {
                    Some(name) => Cow::Borrowed(name),
                    None => match names.get(id) {
                        Some(name) => Cow::Owned(name),
                        None => continue,
                    },
                };
                let number = self.moved_to(path, &name).unwrap_or_else(|| registry.number(path, &name));
                rows.push(Entry { number, id: RowId::Section(id) });
            }
        }
        drop(registry);
        self.names.insert(String::from(package), names);
        Ok(rows)
    }

    /// The number that a section or key has from a row which has moved to it.
    fn moved_to(&self, path: &str, name: &str) -> Option<u32> {
        let moved = self.moved.iter().rev().find(|(table, key, _)| table == path && key == name);
        moved.map(|(_, _, number)| *number)
    }

    fn number_keys(&mut self, path: &str, keys: Vec<String>) -> Vec<Entry> {
        let mut registry = self.registry();
        let mut rows: Vec<Entry> = Vec::with_capacity(keys.len());
        for key in keys {
            let number = self.moved_to(path, &key).unwrap_or_else(|| registry.number(path, &key));
            rows.push(Entry { number, id: RowId::Key(Rc::from(key)) });
        }
        // A key that comes twice is one row.
        rows.sort_by_key(|entry| entry.number);
        rows.dedup_by_key(|entry| entry.number);
        rows
    }

    /// Recognises the sections of a package that have no name, once: as they are before anything is staged, so that a request that comes to nothing
    /// leaves no trace in what is remembered of them.
    pub(super) fn name_sections(&mut self, package: &str) -> Result<()> {
        if !self.names.contains_key(package) {
            let registry = self.registry.clone();
            let found = self.package(package)?;
            let names = registry.lock().unwrap_or_else(PoisonError::into_inner).name_sections(found);
            self.names.insert(String::from(package), names);
        }
        Ok(())
    }

    /// The UCI package of a row of sections.
    #[must_use]
    pub fn package_of(&self, row: &Row) -> Option<&'static str> {
        match self.schema.node(row.node()).table()?.rows {
            Rows::Sections { package, .. }
            | Rows::SomeSections { package, .. }
            | Rows::SectionsAndKeys { package, .. } => Some(package),
            Rows::Vendor(rows) => crate::model::vendor::package_of(rows),
            Rows::Keys(_) | Rows::Numbered(_) | Rows::Fleeting | Rows::Own => None,
        }
    }

    /// Whether a row is no section although its table has sections: it can only be read.
    #[must_use]
    pub fn is_foreign(&self, row: &Row) -> bool {
        matches!(row.id(), RowId::Key(_)) && self.package_of(row).is_some()
    }

    /// The section of a row.
    ///
    /// # Errors
    /// When it is not there (any more).
    pub fn section(&mut self, row: &Row) -> Result<Section<'_>> {
        match (self.package_of(row), row.id()) {
            (Some(package), &RowId::Section(id)) => {
                self.package(package)?.section(id).ok_or_else(|| Error::other("the section is gone"))
            }
            _ => Err(Error::other("the row has no section")),
        }
    }

    /// What a row is known by: the name of its section (or the one that it will get), or its key.
    ///
    /// # Errors
    /// When its section is not there (any more).
    pub fn key(&mut self, row: &Row) -> Result<String> {
        match row.id() {
            RowId::Root => Ok(String::new()),
            RowId::Key(key) => Ok(String::from(key.as_ref())),
            &RowId::Section(id) => {
                let package = self.package_of(row).ok_or_else(|| Error::other("the row has no section"))?;
                self.section_name(package, id)
            }
        }
    }

    /// An option of the section of a row; `None` where it is not there or empty.
    ///
    /// # Errors
    /// When the section is not there (any more).
    pub fn option(&mut self, row: &Row, option: &str) -> Result<Option<String>> {
        Ok(self.section(row)?.get(option).filter(|value| !value.is_empty()).map(String::from))
    }

    /// What a section is known by: its name, or the one that it will get.
    ///
    /// # Errors
    /// When the package cannot be read, or has no such section.
    pub fn section_name(&mut self, package: &str, id: SectionId) -> Result<String> {
        let section = self.package(package)?.section(id).ok_or_else(|| Error::other("the section is gone"))?;
        if let Some(name) = section.name() {
            return Ok(String::from(name));
        }
        self.name_sections(package)?;
        let name = self.names.get(package).and_then(|names| names.get(id));
        name.ok_or_else(|| Error::other("the section has no name"))
    }

    /// The path of a row without its last dot, as a reference has it (CONFORMANCE J-04).
    #[must_use]
    pub fn path_of(&self, row: &Row) -> String {
        let mut path = self.schema.path(row.node(), row);
        path.pop();
        path
    }

    /// Every row of a table, in the order of the rows around it.
    ///
    /// # Errors
    /// As [`Context::rows`].
    pub fn all_rows(&mut self, node: NodeId) -> Result<Vec<Rc<Row>>> {
        let schema = self.schema.clone();
        let mut parent = schema.node(node).parent;
        while parent != ROOT && schema.node(parent).table().is_none() {
            parent = schema.node(parent).parent;
        }
        let outer = if parent == ROOT { vec![self.root()] } else { self.all_rows(parent)? };
        let mut all = Vec::new();
        for around in outer {
            all.extend(self.rows(node, &around)?.iter().map(|entry| Row::new(node, &around, entry)));
        }
        Ok(all)
    }

    /// The path, without its last dot, of the row of a table that is known by a key. The table may lie in another, such as
    /// `Device.Bridging.Bridge.{i}.Port.`; the first row of that key is meant then, whichever row it lies in.
    pub fn path_of_key(&mut self, table: &str, key: &str) -> Option<String> {
        let node = self.schema.find(table)?;
        if table.contains("{i}.") {
            return self.places(node).get(key).cloned();
        }
        let root = self.root();
        // Listing the rows makes their numbers known.
        let rows = self.rows(node, &root).ok()?;
        let number = match self.schema.node(node).table()?.rows {
            Rows::Numbered(_) | Rows::Fleeting | Rows::Own => key.parse().ok()?,
            _ => self.moved_to(table, key).or_else(|| self.registry().known_number(table, key))?,
        };
        entry_of(&rows, number).map(|_| format!("{table}{number}"))
    }

    /// The paths of the rows of a table in another, by key.
    fn places(&mut self, node: NodeId) -> Rc<Map<String, String>> {
        if let Some(places) = self.places.get(&node) {
            return places.clone();
        }
        let mut places = Vec::new();
        for row in self.all_rows(node).unwrap_or_default() {
            if let Ok(key) = self.key(&row) {
                let path = self.path_of(&row);
                places.push((key, path));
            }
        }
        // From the end on, so that the first row of a key is the one that counts.
        let places: Rc<Map<String, String>> = Rc::new(places.into_iter().rev().collect());
        self.places.insert(node, places.clone());
        places
    }

    /// The name of the section of the row that a path stands for; `None` for no path. A section without a name gets one.
    ///
    /// # Errors
    /// 9007 where there is no such row.
    pub fn section_of_path(&mut self, table: &str, path: &str) -> Result<Option<String>, Fault> {
        if path.is_empty() {
            return Ok(None);
        }
        let row = self.row_of_path(table, path).ok_or_else(|| Fault::value(format!("there is no {path}")))?;
        self.name_section(&row).map(Some)
    }

    /// The row of a table that a path stands for, if it is there: `Device.IP.Interface.1` of `Device.IP.Interface.`, or
    /// `Device.Bridging.Bridge.1.Port.2` of `Device.Bridging.Bridge.{i}.Port.`.
    pub fn row_of_path(&mut self, table: &str, path: &str) -> Option<Rc<Row>> {
        let schema = self.schema.clone();
        let (mut node, mut row) = (ROOT, self.root());
        let mut parts = path.trim_end_matches('.').split('.');
        let mut names = table.split_terminator('.').filter(|name| *name != "{i}");
        if parts.next() != names.next() {
            return None;
        }
        for name in names {
            node = schema.child(node, name).filter(|_| parts.next() == Some(name))?;
            if schema.node(node).table().is_some() {
                let number = parts.next().filter(|number| is_number(number))?.parse().ok()?;
                row = self.row(node, &row, number).ok()??;
            }
        }
        (parts.next().is_none() && row.node() == node).then_some(row)
    }
}

/// The row with an instance number, among rows in the order of their numbers.
fn entry_of(rows: &[Entry], number: u32) -> Option<&Entry> {
    rows.binary_search_by_key(&number, |entry| entry.number).ok().and_then(|index| rows.get(index))
}
