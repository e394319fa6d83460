//! What one request sees and changes.
//!
//! A [`Context`] reads each UCI package, file, ubus call and program at most once, however many parameters come from it. Writes are staged in
//! the packages that it holds, so that everything which is read afterwards shows the end state; nothing leaves it before `Context::commit`.

use std::any::Any;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value as Json;

use super::registry::{FutureNames, Registry};
use super::schema::Rows;
use super::tree::{NodeId, ROOT, Schema};
use crate::error::{Error, Fault, Result};
use crate::platform::ubus::UbusError;
use crate::platform::uci::{CommitError, OptionValue, Package, Section, SectionId};
use crate::platform::{InterfaceAddress, Program, System};

/// The longest file that a value is taken from, in bytes.
const FILE_LIMIT: usize = 1 << 20;

/// How long a program may take, and how much it may print, in bytes.
const PROGRAM_DEADLINE: Duration = Duration::from_secs(10);
const PROGRAM_LIMIT: usize = 1 << 20;

/// What the daemon tells the model of itself.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// `Device.ManagementServer.ConnectionRequestURL`
    pub connection_request_url: String,
    /// Whether the clock is known to be right (INTERFACE.md, marks).
    pub clock_known: bool,
    /// The configuration of the agent when the daemon read it last.
    pub interface: String,
    /// The address of `interface`.
    pub address: Option<IpAddr>,
}

/// A row of a table, with the rows around it. What is no table has the row of the nearest table around it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    node: NodeId,
    number: u32,
    id: RowId,
    parent: Option<Rc<Row>>,
}

/// What a row stands for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RowId {
    /// No row: the root.
    Root,
    /// A section of the UCI package of its table.
    Section(SectionId),
    /// Something with a key.
    Key(Rc<str>),
}

/// A row in the list of its table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// The instance number, from 1.
    pub number: u32,
    /// What it stands for.
    pub id: RowId,
}

impl Row {
    /// A row of a table from the list of its rows.
    #[must_use]
    pub fn new(node: NodeId, around: &Rc<Self>, entry: &Entry) -> Rc<Self> {
        Rc::new(Self { node, number: entry.number, id: entry.id.clone(), parent: Some(around.clone()) })
    }

    /// The table it is a row of.
    #[must_use]
    pub fn node(&self) -> NodeId {
        self.node
    }

    /// The instance number; 0 for the root.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.number
    }

    /// What it stands for.
    #[must_use]
    pub fn id(&self) -> &RowId {
        &self.id
    }

    /// The row around it.
    #[must_use]
    pub fn parent(&self) -> Option<&Rc<Self>> {
        self.parent.as_ref()
    }
}

/// What has to be done after a commit, each once.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Effects {
    /// UCI packages that were written.
    pub packages: BTreeSet<String>,
    /// Programs to be run.
    pub programs: BTreeSet<Vec<String>>,
}

impl Effects {
    /// Adds what another request asks for.
    pub fn join(&mut self, other: Self) {
        self.packages.extend(other.packages);
        self.programs.extend(other.programs);
    }

    /// Whether a service has to be told before the change takes effect. The agent's own configuration takes effect at once.
    #[must_use]
    pub fn take_time(&self) -> bool {
        !self.programs.is_empty() || self.packages.iter().any(|package| package != "cwmpd")
    }
}

/// Why a commit did not happen.
#[derive(Debug)]
pub enum CommitFailure {
    /// Somebody else changed a file in between: do the request again.
    Again,
    /// It could not be written; everything is as it was.
    Fault(Fault),
}

type Kept<T> = BTreeMap<String, std::result::Result<T, String>>;

/// What one request sees and changes.
pub struct Context {
    system: Arc<dyn System>,
    schema: Arc<Schema>,
    registry: Arc<Mutex<Registry>>,
    facts: Arc<Facts>,
    root: Rc<Row>,
    packages: Kept<Package>,
    files: Kept<Rc<str>>,
    directories: Kept<Rc<[String]>>,
    replies: Kept<Rc<Json>>,
    programs: Kept<Rc<str>>,
    memos: BTreeMap<&'static str, Rc<dyn Any>>,
    addresses: Option<Rc<[InterfaceAddress]>>,
    names: BTreeMap<String, FutureNames>,
    tables: BTreeMap<NodeId, (Rc<Row>, Rc<[Entry]>)>,
    own: BTreeMap<String, Option<String>>,
    added: Vec<(String, u32)>,
    forgotten: Vec<(String, u32, Option<&'static str>)>,
    moved: Vec<(String, String, u32)>,
    values: BTreeMap<String, String>,
    actions: Vec<Vec<String>>,
    effects: Effects,
    /// Programs and ubus objects that gave no answer in time: they are not waited for again.
    silent: BTreeSet<String>,
    /// Where in the array of a ubus reply the last row was found.
    pub(super) last_item: usize,
}

impl Context {
    pub(super) fn new(
        system: Arc<dyn System>,
        schema: Arc<Schema>,
        registry: Arc<Mutex<Registry>>,
        facts: Arc<Facts>,
    ) -> Self {
        Self {
            system,
            schema,
            registry,
            facts,
            root: Rc::new(Row { node: ROOT, number: 0, id: RowId::Root, parent: None }),
            packages: Kept::new(),
            files: Kept::new(),
            directories: Kept::new(),
            replies: Kept::new(),
            programs: Kept::new(),
            memos: BTreeMap::new(),
            addresses: None,
            names: BTreeMap::new(),
            tables: BTreeMap::new(),
            own: BTreeMap::new(),
            added: Vec::new(),
            forgotten: Vec::new(),
            moved: Vec::new(),
            values: BTreeMap::new(),
            actions: Vec::new(),
            effects: Effects::default(),
            silent: BTreeSet::new(),
            last_item: 0,
        }
    }

    /// The schema.
    #[must_use]
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// What the daemon tells of itself.
    #[must_use]
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The router.
    #[must_use]
    pub fn system(&self) -> &Arc<dyn System> {
        &self.system
    }

    /// The row that is no row.
    #[must_use]
    pub fn root(&self) -> Rc<Row> {
        self.root.clone()
    }

    /// The attributes that were set for a parameter.
    #[must_use]
    pub fn registry_attribute(&self, name: &str) -> Option<super::attributes::Attribute> {
        self.registry().attribute(name).cloned()
    }

    pub(super) fn registry(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // What is read, each once.

    /// A UCI package, with what is staged.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub fn package(&mut self, name: &str) -> Result<&Package> {
        if !self.packages.contains_key(name) {
            let package = self.system.load_package(name).map_err(|error| error.to_string());
            self.packages.insert(String::from(name), package);
        }
        match self.packages.get(name) {
            Some(Ok(package)) => Ok(package),
            Some(Err(reason)) => Err(Error::Other(reason.clone())),
            None => Err(Error::other("the package is not there")),
        }
    }

    /// A UCI package, to be edited.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub fn package_mut(&mut self, name: &str) -> Result<&mut Package> {
        // Sections are recognised as they are in the file: what is staged may never get there.
        self.name_sections(name)?;
        // What was made from the package may change with it.
        self.memos.clear();
        self.tables.clear();
        match self.packages.get_mut(name) {
            Some(Ok(package)) => Ok(package),
            _ => Err(Error::other("the package is not there")),
        }
    }

    /// The text of a file, without the white space and NULs at its ends.
    ///
    /// # Errors
    /// When it cannot be read, or is longer than 1 MiB.
    pub fn file(&mut self, path: &str) -> Result<Rc<str>> {
        if !self.files.contains_key(path) {
            let text = match self.system.read_file(path, FILE_LIMIT) {
                // Texts of the device tree end with a NUL.
                Ok(bytes) => {
                    Ok(Rc::from(String::from_utf8_lossy(&bytes).trim_matches(|c: char| c.is_whitespace() || c == '\0')))
                }
                Err(error) => Err(format!("cannot read {path}: {error}")),
            };
            self.files.insert(String::from(path), text);
        }
        kept(&self.files, path)
    }

    /// The names in a directory, sorted; none where there is no directory.
    pub fn directory(&mut self, path: &str) -> Rc<[String]> {
        if !self.directories.contains_key(path) {
            let names = self.system.list_dir(path).unwrap_or_default();
            self.directories.insert(String::from(path), Ok(Rc::from(names)));
        }
        kept(&self.directories, path).unwrap_or_else(|_| Rc::from([]))
    }

    /// The reply to a ubus call.
    ///
    /// # Errors
    /// When there is no ubus, no such object or method, or no answer in time.
    pub fn ubus(&mut self, object: &str, method: &str, arguments: &Json) -> Result<Rc<Json>> {
        let call = format!("{object} {method} {arguments}");
        if !self.replies.contains_key(&call) {
            let reply = match self.silent.contains(object) {
                true => Err(UbusError::TimedOut),
                false => self.system.ubus_call(object, method, arguments),
            };
            if let Err(UbusError::TimedOut) = reply {
                self.silent.insert(String::from(object));
            }
            self.replies.insert(call.clone(), reply.map(Rc::new).map_err(|error| error.to_string()));
        }
        kept(&self.replies, &call)
    }

    /// What a program prints, without the white space at its ends.
    ///
    /// # Errors
    /// When it cannot be run, does not end in 10 s, prints more than 1 MiB, or its exit status is not 0.
    pub fn program(&mut self, argv: &[&str]) -> Result<Rc<str>> {
        let call = argv.join("\0");
        if !self.programs.contains_key(&call) {
            let program = argv.first().copied().unwrap_or_default();
            let text = match self.silent.contains(program) {
                true => Err(Error::Other(format!("{program} did not end in time before"))),
                false => self.run(argv),
            };
            if matches!(&text, Err(Error::Io(_, error)) if error.kind() == std::io::ErrorKind::TimedOut) {
                self.silent.insert(String::from(program));
            }
            let text = text.map(Rc::from).map_err(|error| error.to_string());
            self.programs.insert(call.clone(), text);
        }
        kept(&self.programs, &call)
    }

    /// Runs a program now, every time.
    ///
    /// # Errors
    /// As [`Context::program`].
    pub fn run(&self, argv: &[&str]) -> Result<String> {
        let name = argv.first().copied().unwrap_or_default();
        let program = Program { argv, input: &[], deadline: PROGRAM_DEADLINE, limit: PROGRAM_LIMIT };
        let output = self.system.run(&program)?;
        match output.status {
            Some(0) => Ok(String::from(String::from_utf8_lossy(&output.stdout).trim())),
            Some(status) => Err(Error::Other(format!("{name} ended with status {status}"))),
            None => Err(Error::Other(format!("{name} was ended by a signal"))),
        }
    }

    /// The addresses of the kernel.
    pub fn addresses(&mut self) -> Rc<[InterfaceAddress]> {
        self.addresses.get_or_insert_with(|| Rc::from(self.system.addresses())).clone()
    }

    /// Something made from several sources, made once for each key.
    ///
    /// # Errors
    /// Those of `make`.
    pub fn memo<T: 'static>(&mut self, key: &'static str, make: fn(&mut Self) -> Result<T>) -> Result<Rc<T>> {
        if let Some(memo) = self.memos.get(key).cloned().and_then(|memo| memo.downcast().ok()) {
            return Ok(memo);
        }
        let made = Rc::new(make(self)?);
        self.memos.insert(key, made.clone());
        Ok(made)
    }

    // Rows.

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
                let ids: Vec<_> = sections.filter(|s| s.kind() == kind && filter(s)).map(|s| s.id()).collect();
                self.number_sections(package, &path, ids)?
            }
            Rows::SomeSections { package, list } => {
                let ids = list(self, around)?;
                self.number_sections(package, &path, ids)?
            }
            Rows::Keys(list) => {
                let keys = list(self, around)?;
                self.number_keys(&path, keys)
            }
            Rows::Numbered(list) => {
                let numbers: BTreeSet<u32> = list(self, around)?.into_iter().filter(|number| *number != 0).collect();
                let key = |number: u32| RowId::Key(Rc::from(number.to_string()));
                numbers.into_iter().map(|number| Entry { number, id: key(number) }).collect()
            }
            Rows::Own => {
                let mut numbers = self.registry().own_rows(&path);
                numbers.extend(self.added.iter().filter(|(table, _)| *table == path).map(|(_, number)| *number));
                numbers
                    .retain(|number| !self.forgotten.iter().any(|(table, gone, _)| *table == path && gone == number));
                let key = |number: u32| RowId::Key(Rc::from(number.to_string()));
                numbers.into_iter().map(|number| Entry { number, id: key(number) }).collect()
            }
            Rows::Vendor(rows) => match super::vendor::list(self, around, rows)? {
                super::vendor::Found::Sections(package, ids) => self.number_sections(package, &path, ids)?,
                super::vendor::Found::Keys(keys) => self.number_keys(&path, keys),
            },
        };
        rows.sort_unstable_by_key(|entry| entry.number);
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
        registry.prune(path, rows.len(), || rows.iter().map(|entry| entry.number).collect());
        drop(registry);
        self.names.insert(String::from(package), names);
        Ok(rows)
    }

    /// The number that a section has from a row which has moved to it.
    fn moved_to(&self, path: &str, name: &str) -> Option<u32> {
        let moved = self.moved.iter().rev().find(|(table, key, _)| table == path && key == name);
        moved.map(|(_, _, number)| *number)
    }

    fn number_keys(&mut self, path: &str, keys: Vec<String>) -> Vec<Entry> {
        let mut registry = self.registry();
        let mut rows: Vec<Entry> = Vec::with_capacity(keys.len());
        let mut numbers = BTreeSet::new();
        for key in keys {
            let number = registry.number(path, &key);
            if numbers.insert(number) {
                rows.push(Entry { number, id: RowId::Key(Rc::from(key)) });
            }
        }
        registry.prune(path, numbers.len(), || numbers);
        rows
    }

    /// Recognises the sections of a package that have no name, once: as they are before anything is staged, so that a request that comes to nothing
    /// leaves no trace in what is remembered of them.
    fn name_sections(&mut self, package: &str) -> Result<()> {
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
            Rows::Sections { package, .. } | Rows::SomeSections { package, .. } => Some(package),
            Rows::Vendor(rows) => super::vendor::package_of(rows),
            Rows::Keys(_) | Rows::Numbered(_) | Rows::Own => None,
        }
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

    /// The path, without its last dot, of the row of a table (such as `Device.IP.Interface.`) that is known by a key; the table must not lie in
    /// another.
    pub fn path_of_key(&mut self, table: &str, key: &str) -> Option<String> {
        let node = self.schema.find(table)?;
        let root = self.root();
        // Listing the rows makes their numbers known.
        let rows = self.rows(node, &root).ok()?;
        let number = match self.schema.node(node).table()?.rows {
            Rows::Numbered(_) | Rows::Own => key.parse().ok()?,
            _ => self.moved_to(table, key).or_else(|| self.registry().known_number(table, key))?,
        };
        entry_of(&rows, number).map(|_| format!("{table}{number}"))
    }

    /// The row of a table that a path such as `Device.IP.Interface.1` stands for, if it is there.
    pub fn row_of_path(&mut self, table: &str, path: &str) -> Option<Rc<Row>> {
        let number = path.strip_prefix(table)?.trim_end_matches('.').parse().ok()?;
        let node = self.schema.find(table)?;
        let root = self.root();
        self.row(node, &root, number).ok()?
    }

    // What is staged.

    /// Makes sure that the section of a row has a name of its own, before something is written into it or refers to it.
    ///
    /// # Errors
    /// When the section is not there (any more).
    pub fn name_section(&mut self, row: &Row) -> Result<String, Fault> {
        let name = self.key(row)?;
        if let (Some(package), &RowId::Section(id)) = (self.package_of(row), row.id()) {
            if self.section(row)?.name().is_none() {
                let package = self.package_mut(package)?;
                package.rename_section(id, &name).map_err(|error| Fault::internal(error.to_string()))?;
            }
        }
        Ok(name)
    }

    /// Sets an option of the section of a row, or takes it away.
    ///
    /// # Errors
    /// When the section is not there (any more), or UCI cannot hold the value.
    pub fn set_option(&mut self, row: &Row, option: &str, value: Option<&str>) -> Result<(), Fault> {
        // UCI has no empty texts.
        let value = value.filter(|value| !value.is_empty());
        let unchanged = match (self.section(row)?.value(option), value) {
            (None, None) => true,
            (Some(OptionValue::Text(text)), Some(value)) => text == value,
            _ => false,
        };
        if unchanged {
            return Ok(());
        }
        self.name_section(row)?;
        if let (Some(package), &RowId::Section(id)) = (self.package_of(row), row.id()) {
            set_section_option(self.package_mut(package)?, id, option, value)?;
        }
        Ok(())
    }

    /// Sets a list option of the section of a row; an empty list takes it away.
    ///
    /// # Errors
    /// When the section is not there (any more), or UCI cannot hold an item.
    pub fn set_list(&mut self, row: &Row, option: &str, items: &[&str]) -> Result<(), Fault> {
        if self.section(row)?.value(option) == list_value(items) {
            return Ok(());
        }
        self.name_section(row)?;
        if let (Some(package), &RowId::Section(id)) = (self.package_of(row), row.id()) {
            let package = self.package_mut(package)?;
            package.set_list(id, option, items).map_err(|error| Fault::value(error.to_string()))?;
        }
        Ok(())
    }

    /// A name that no section of a package has or had.
    ///
    /// # Errors
    /// When the package cannot be read.
    pub fn new_section_name(&mut self, package: &str) -> Result<String> {
        let registry = self.registry.clone();
        let package = self.package(package)?;
        Ok(registry.lock().unwrap_or_else(PoisonError::into_inner).new_section_name(package))
    }

    /// A new section with a name that nothing else has.
    ///
    /// # Errors
    /// When the package cannot be read, or UCI cannot hold a value.
    pub fn add_section(
        &mut self,
        package: &str,
        kind: &str,
        options: &[(&str, &str)],
    ) -> Result<(SectionId, String), Fault> {
        let name = self.new_section_name(package)?;
        let package = self.package_mut(package)?;
        let id = package.add_section(kind, Some(&name)).map_err(|error| Fault::internal(error.to_string()))?;
        for (option, value) in options {
            set_section_option(package, id, option, Some(value))?;
        }
        Ok((id, name))
    }

    /// A value of the agent's own, with what is staged.
    #[must_use]
    pub fn own(&self, name: &str) -> Option<String> {
        match self.own.get(name) {
            Some(staged) => staged.clone(),
            None => self.registry().own(name).map(String::from),
        }
    }

    /// Sets a value of the agent's own, or takes it away.
    pub fn set_own(&mut self, name: &str, value: Option<&str>) {
        self.tables.clear();
        self.memos.clear();
        self.own.insert(String::from(name), value.map(String::from));
    }

    /// A new row of a table whose rows only the agent has.
    pub(super) fn add_own_row(&mut self, table: &str) -> u32 {
        self.tables.clear();
        let staged = self.added.iter().filter(|(added, _)| added == table).count();
        let number = self.registry().next_number(table).saturating_add(u32::try_from(staged).unwrap_or(u32::MAX));
        self.added.push((String::from(table), number));
        number
    }

    /// Says that a row was deleted by the ACS, so that what is known of it goes too.
    pub(super) fn forget(&mut self, table: &str, row: &Row) {
        self.tables.clear();
        self.forgotten.push((String::from(table), row.number(), self.package_of(row)));
    }

    /// Lets a row of a table of sections stand for another section from now on, with its number and all that belongs to it.
    pub fn move_row(&mut self, row: &Row, section: &str) {
        if let Some(around) = row.parent() {
            let table = self.schema.path(row.node(), around);
            self.tables.clear();
            self.moved.push((table, String::from(section), row.number()));
        }
    }

    /// Stages a value for a file of sysfs or procfs.
    pub(super) fn stage_file(&mut self, path: &str, value: &str) {
        self.files.insert(String::from(path), Ok(Rc::from(value)));
        self.values.insert(String::from(path), String::from(value));
    }

    /// Stages a program that sets a value.
    pub(super) fn stage_program(&mut self, argv: Vec<String>) {
        self.programs.clear();
        self.actions.push(argv);
    }

    /// Runs a program, once, when the request has been answered and its session is over.
    pub fn after(&mut self, argv: &[&str]) {
        self.effects.programs.insert(argv.iter().copied().map(String::from).collect());
    }

    /// Writes everything that is staged: all of it, or nothing. `keep` saves the registry.
    pub(super) fn commit(
        mut self,
        keep: &mut dyn FnMut(&Registry) -> Result<()>,
    ) -> std::result::Result<Effects, CommitFailure> {
        let mut packages = std::mem::take(&mut self.packages);
        let mut changed: Vec<&mut Package> =
            packages.values_mut().filter_map(|kept| kept.as_mut().ok()).filter(|p| p.is_changed()).collect();
        let before: Vec<Package> = changed.iter().map(|package| package.original()).collect();
        self.effects.packages.extend(changed.iter().map(|package| String::from(package.name())));
        self.system.commit_packages(&mut changed).map_err(|error| match error {
            CommitError::Changed(_) => CommitFailure::Again,
            CommitError::Failed(error) => CommitFailure::Fault(error.into()),
        })?;
        let mut written = Vec::new();
        match self.write_outside(&mut written).and_then(|()| self.keep_registry(keep)) {
            Ok(()) => Ok(self.effects),
            Err(fault) => {
                for (path, value) in written {
                    // Nothing more can be done about a value that cannot be put back.
                    let _ = self.system.write_value(&path, &value);
                }
                let mut undone: Vec<Package> =
                    changed.iter().zip(&before).map(|(after, before)| before.in_place_of(after)).collect();
                let mut undone: Vec<&mut Package> = undone.iter_mut().collect();
                Err(CommitFailure::Fault(match self.system.commit_packages(&mut undone) {
                    Ok(()) => fault,
                    Err(_) => Fault::internal(format!("{}; and the configuration could not be put back", fault.text)),
                }))
            }
        }
    }

    /// Writes the values that live in files and behind programs, and notes what was in the files. What a program did stays done, which is why
    /// programs come last.
    fn write_outside(&self, written: &mut Vec<(String, Vec<u8>)>) -> Result<(), Fault> {
        for (path, value) in &self.values {
            let before = self.system.read_file(path, FILE_LIMIT).unwrap_or_default();
            self.system.write_value(path, value.as_bytes()).map_err(Error::io(format!("write {path}")))?;
            written.push((path.clone(), before));
        }
        for argv in &self.actions {
            let argv: Vec<&str> = argv.iter().map(String::as_str).collect();
            self.run(&argv)?;
        }
        Ok(())
    }

    fn keep_registry(&self, keep: &mut dyn FnMut(&Registry) -> Result<()>) -> Result<(), Fault> {
        let mut registry = self.registry();
        let former = registry.clone();
        for (table, number) in &self.added {
            registry.add_own_row(table, *number);
        }
        for (table, number, package) in &self.forgotten {
            registry.forget(table, *number, *package);
        }
        for (table, key, number) in &self.moved {
            registry.move_row(table, key, *number);
        }
        for (name, value) in &self.own {
            registry.set_own(name, value.clone());
        }
        if registry.take_dirty() {
            if let Err(error) = keep(&registry) {
                *registry = former;
                registry.mark_dirty();
                return Err(error.into());
            }
        }
        Ok(())
    }
}

fn kept<T: Clone>(kept: &Kept<T>, key: &str) -> Result<T> {
    match kept.get(key) {
        Some(Ok(value)) => Ok(value.clone()),
        Some(Err(reason)) => Err(Error::Other(reason.clone())),
        None => Err(Error::other("nothing was read")),
    }
}

/// The row with an instance number, among rows in the order of their numbers.
fn entry_of(rows: &[Entry], number: u32) -> Option<&Entry> {
    rows.binary_search_by_key(&number, |entry| entry.number).ok().and_then(|index| rows.get(index))
}

fn list_value<'a>(items: &[&'a str]) -> Option<OptionValue<'a>> {
    (!items.is_empty()).then(|| OptionValue::List(items.to_vec()))
}

pub(super) fn set_section_option(
    package: &mut Package,
    id: SectionId,
    option: &str,
    value: Option<&str>,
) -> Result<(), Fault> {
    match value {
        Some(value) => {
            package.set(id, option, value).map_err(|error| Fault::value(error.to_string()))?;
        }
        None => {
            package.remove(id, option);
        }
    }
    Ok(())
}
