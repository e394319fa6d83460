//! What one request sees and changes.
//!
//! A [`Context`] reads each UCI package, file, ubus call and program at most once, however many parameters come from it. Writes are staged in
//! the packages that it holds, so that everything which is read afterwards shows the end state; nothing leaves it before `Context::commit`.

mod rows;
mod staged;
#[cfg(feature = "xmpp")]
mod xmpp;

pub(in crate::model) use staged::set_section_option;
#[cfg(feature = "xmpp")]
pub use xmpp::{XmppFacts, XmppState};

use std::any::Any;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value as Json;

use crate::error::{Error, Fault, Result};
use crate::model::alias::Hints;
use crate::model::fleeting::{Fleeting, Wish};
use crate::model::registry::{FutureNames, Registry};
use crate::model::tree::{NodeId, ROOT, Schema};
use crate::platform::ubus::UbusError;
use crate::platform::uci::{Package, SectionId};
use crate::platform::{InterfaceAddress, Program, System};
use crate::sorted::{Map, Set};

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
    /// `Device.ManagementServer.UDPConnectionRequestAddress`
    pub udp_connection_request_address: String,
    /// `Device.ManagementServer.NATDetected`
    pub nat_detected: bool,
    /// Whether the clock is known to be right (INTERFACE.md, marks).
    pub clock_known: bool,
    /// The XMPP connection that is kept.
    #[cfg(feature = "xmpp")]
    pub xmpp: Arc<XmppFacts>,
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
    pub packages: Set<String>,
    /// Programs to be run.
    pub programs: Set<Vec<String>>,
    /// Tests to be started or ended, by the paths of their objects.
    pub tests: Map<String, Wish>,
}

impl Effects {
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

type Kept<T> = Map<String, std::result::Result<T, String>>;

/// What one request sees and changes.
pub struct Context {
    system: Arc<dyn System>,
    schema: Arc<Schema>,
    registry: Arc<Mutex<Registry>>,
    facts: Arc<Facts>,
    fleeting: Arc<Fleeting>,
    root: Rc<Row>,
    packages: Kept<Package>,
    files: Kept<Rc<str>>,
    directories: Kept<Rc<[String]>>,
    replies: Kept<Rc<Json>>,
    programs: Kept<Rc<str>>,
    memos: Map<&'static str, Rc<dyn Any>>,
    addresses: Option<Rc<[InterfaceAddress]>>,
    names: Map<String, FutureNames>,
    tables: Map<NodeId, (Rc<Row>, Rc<[Entry]>)>,
    /// The paths of rows of tables in other tables, by key.
    places: Map<NodeId, Rc<Map<String, String>>>,
    own: Map<String, Option<String>>,
    added: Vec<(String, u32)>,
    forgotten: Vec<(String, u32, Option<&'static str>)>,
    moved: Vec<(String, String, u32)>,
    values: Map<String, String>,
    /// Files that get a new content, with their modes.
    replacements: Map<String, (u32, String)>,
    actions: Vec<Vec<String>>,
    effects: Effects,
    /// Programs and ubus objects that gave no answer in time: they are not waited for again.
    silent: Set<String>,
    /// Where in the array of a ubus reply the last row was found.
    pub(in crate::model) last_item: usize,
    /// Where rows were found by their aliases.
    pub(in crate::model) aliases: Hints,
}

impl Context {
    pub(in crate::model) fn new(
        system: Arc<dyn System>,
        schema: Arc<Schema>,
        registry: Arc<Mutex<Registry>>,
        facts: Arc<Facts>,
        fleeting: Arc<Fleeting>,
    ) -> Self {
        Self {
            system,
            schema,
            registry,
            facts,
            fleeting,
            root: Rc::new(Row { node: ROOT, number: 0, id: RowId::Root, parent: None }),
            packages: Kept::new(),
            files: Kept::new(),
            directories: Kept::new(),
            replies: Kept::new(),
            programs: Kept::new(),
            memos: Map::new(),
            addresses: None,
            names: Map::new(),
            tables: Map::new(),
            places: Map::new(),
            own: Map::new(),
            added: Vec::new(),
            forgotten: Vec::new(),
            moved: Vec::new(),
            values: Map::new(),
            replacements: Map::new(),
            actions: Vec::new(),
            effects: Effects::default(),
            silent: Set::new(),
            last_item: 0,
            aliases: Hints::new(),
        }
    }

    /// A context of its own over the same router, with nothing read or staged.
    #[must_use]
    pub fn again(&self) -> Self {
        let (facts, fleeting) = (self.facts.clone(), self.fleeting.clone());
        Self::new(self.system.clone(), self.schema.clone(), self.registry.clone(), facts, fleeting)
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

    /// The values that last only as long as the process.
    #[must_use]
    pub fn fleeting(&self) -> &Fleeting {
        &self.fleeting
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
    pub fn registry_attribute(&self, name: &str) -> Option<crate::model::attributes::Attribute> {
        self.registry().attribute(name).cloned()
    }

    pub(in crate::model) fn registry(&self) -> MutexGuard<'_, Registry> {
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
            Some(Err(reason)) => Err(Error::other(reason.clone())),
            None => Err(Error::other("the package is not there")),
        }
    }

    /// A UCI package, to be edited.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub fn package_mut(&mut self, name: &str) -> Result<&mut Package> {
        self.forget_rows();
        self.options_mut(name)
    }

    /// A UCI package of which only options are to be edited, and names given to sections that are known by them already. A request that
    /// sets many values of a large table does not list it again for each.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub(super) fn options_mut(&mut self, name: &str) -> Result<&mut Package> {
        // Sections are recognised as they are in the file: what is staged may never get there.
        self.name_sections(name)?;
        // What was made from the package may change with it.
        self.memos.clear();
        self.places.clear();
        let schema = &self.schema;
        self.tables.retain(|node, _| schema.node(*node).table().is_some_and(|table| table.rows.stand()));
        match self.packages.get_mut(name) {
            Some(Ok(package)) => Ok(package),
            _ => Err(Error::other("the package is not there")),
        }
    }

    /// What was listed may be different from now on.
    fn forget_rows(&mut self) {
        self.tables.clear();
        self.places.clear();
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
                true => Err(Error::other(format!("{program} did not end in time before"))),
                false => self.run(argv),
            };
            if text.as_ref().is_err_and(Error::is_timeout) {
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
            Some(status) => Err(Error::other(format!("{name} ended with status {status}"))),
            None => Err(Error::other(format!("{name} was ended by a signal"))),
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
}

fn kept<T: Clone>(kept: &Kept<T>, key: &str) -> Result<T> {
    match kept.get(key) {
        Some(Ok(value)) => Ok(value.clone()),
        Some(Err(reason)) => Err(Error::other(reason.clone())),
        None => Err(Error::other("nothing was read")),
    }
}
