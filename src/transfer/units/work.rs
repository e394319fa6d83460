//! An operation on a deployment unit, carried out with the router's own package manager (TR-069a6 A.4.1.10, Annex H).
//!
//! A URL is a package to be fetched, or the mere name of a package in the feeds of the router. Whether a package must be signed is for the package
//! manager to say: apk wants it, opkg looks at the signature of the feeds only.

use std::path::Path;

use super::manager::{World, asked_for, remove, run};
use super::{Ending, Kind, Operation, Unit};
use crate::acs::{Cancel, Settings, TlsSessions, Url};
use crate::error::{Fault, FaultCode};
use crate::model::format::is_uuid;
use crate::platform::live::Live;
use crate::platform::packages::{Manager, is_name};
use crate::transfer::fetch::{self, Remote};
use crate::transfer::{Progress, Trouble, code, place};

/// The longest URL of an operation, in characters (TR-069a6 A.4.1.10).
const LONGEST_URL: usize = 1024;

/// The longest Username and Password, in characters.
const LONGEST_CREDENTIAL: usize = 256;

/// The faults of operations (TR-069a6 A.5.1).
const UUID_FORMAT: FaultCode = FaultCode(9022);
const UNKNOWN_ENVIRONMENT: FaultCode = FaultCode(9023);
pub(super) const MISMATCH: FaultCode = FaultCode(9025);
const DUPLICATE: FaultCode = FaultCode(9026);
pub(super) const NO_ROOM: FaultCode = FaultCode(9027);
const UNKNOWN_UNIT: FaultCode = FaultCode(9028);
pub(super) const STATE: FaultCode = FaultCode(9029);
pub(super) const DOWNGRADE: FaultCode = FaultCode(9030);
const SAME_VERSION: FaultCode = FaultCode(9032);

/// Packages without which the router or the agent does not go on.
const VITAL: &[&str] = &[
    "apk",
    "base-files",
    "busybox",
    "cwmpd",
    "fstools",
    "kernel",
    "libc",
    "musl",
    "netifd",
    "opkg",
    "procd",
    "ubox",
    "ubus",
    "ubusd",
    "uci",
];

/// An installed package as the model shows it.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Installed {
    /// Its name.
    pub name: String,
    /// What the model has of it.
    pub unit: Unit,
    /// From where the ACS has installed it.
    pub url: String,
}

/// The model, as operations see it.
pub trait Catalog {
    /// What is installed now.
    fn installed(&self) -> Vec<Installed>;

    /// Whether there is an execution environment with this path.
    fn has_environment(&self, path: &str) -> bool;

    /// Keeps what the ACS said of a package that is installed now; an empty text is nothing said.
    fn remember(&self, name: &str, uuid: &str, url: &str, kind: Kind);
}

/// What an operation works with.
pub struct Tools<'a> {
    /// The router.
    pub live: &'a Live,
    /// How to connect.
    pub settings: &'a Settings,
    /// TLS sessions.
    pub sessions: &'a TlsSessions,
    /// Ends a download.
    pub cancel: &'a Cancel,
    /// The model.
    pub catalog: &'a dyn Catalog,
    /// Hears how far a download is.
    pub progress: Progress<'a>,
}

/// Checks a request before any of it is carried out.
///
/// # Errors
/// 9001 on a router without a package manager.
pub fn check(live: &Live) -> Result<(), Fault> {
    match Manager::of(live) {
        Some(_) => Ok(()),
        None => Err(Fault::new(FaultCode::REQUEST_DENIED, "this router has no package manager")),
    }
}

/// Carries out an operation. With `again` a former attempt may already have done it, which is a success then. An Update of everything has an ending for
/// each deployment unit, anything else has one; what fails has one of the codes of DUStateChangeComplete (TR-069a6 A.5.1).
pub fn carry_out(tools: &Tools<'_>, operation: &Operation, again: bool) -> Vec<Ending> {
    if operation.kind == Kind::Update && operation.uuid.is_empty() && operation.url.is_empty() {
        return update_all(tools);
    }
    let result = checked(tools, operation).and_then(|manager| match operation.kind {
        Kind::Install => install(tools, manager, operation, again),
        Kind::Update => update(tools, manager, operation, again),
        Kind::Uninstall => uninstall(tools, manager, operation, again),
    });
    vec![match result {
        Ok(unit) => Ending { unit, trouble: None },
        Err(trouble) => Ending::failed(operation, for_unit(trouble)),
    }]
}

fn checked(tools: &Tools<'_>, operation: &Operation) -> Result<Manager, Trouble> {
    if !operation.uuid.is_empty() && !is_uuid(&operation.uuid) {
        return Err(Trouble::new(UUID_FORMAT, "the UUID is none"));
    }
    if !operation.exec_env.is_empty() && !tools.catalog.has_environment(&operation.exec_env) {
        return Err(Trouble::new(UNKNOWN_ENVIRONMENT, "there is no such execution environment"));
    }
    if [&operation.username, &operation.password].iter().any(|text| text.chars().count() > LONGEST_CREDENTIAL) {
        let text = format!("Username or Password has more than {LONGEST_CREDENTIAL} characters");
        return Err(Trouble::new(FaultCode::INVALID_ARGUMENTS, text));
    }
    manager_of(tools)
}

fn manager_of(tools: &Tools<'_>) -> Result<Manager, Trouble> {
    Manager::of(tools.live).ok_or_else(|| denied("this router has no package manager"))
}

fn install(tools: &Tools<'_>, manager: Manager, operation: &Operation, again: bool) -> Result<Unit, Trouble> {
    if operation.url.is_empty() {
        return Err(Trouble::new(FaultCode::INVALID_ARGUMENTS, "there is no URL"));
    }
    let before = tools.catalog.installed();
    let known = |installed: &&Installed| {
        !operation.uuid.is_empty() && installed.unit.uuid.eq_ignore_ascii_case(&operation.uuid)
    };
    if let Some(there) = before.iter().find(known) {
        return if again { Ok(there.unit.clone()) } else { Err(duplicate(&there.name)) };
    }
    let brought = Source::of(&operation.url)?.bring(tools, manager, operation, &before);
    // What is there is newer: it is there all the same.
    let brought = brought.map_err(|trouble| match trouble.code {
        DOWNGRADE => Trouble { code: DUPLICATE, ..trouble },
        _ => trouble,
    })?;
    let after = tools.catalog.installed();
    if after.iter().all(|installed| is_in(&before, installed)) && !again {
        return Err(duplicate(brought.as_deref().unwrap_or("this package")));
    }
    let Some(found) = after.iter().find(|installed| Some(&installed.name) == brought.as_ref()) else {
        return Err(denied("it is not installed, though the package manager has not complained"));
    };
    tools.catalog.remember(&found.name, &operation.uuid, &operation.url, Kind::Install);
    Ok(unit_of(tools, &found.name))
}

fn update(tools: &Tools<'_>, manager: Manager, operation: &Operation, again: bool) -> Result<Unit, Trouble> {
    let before = tools.catalog.installed();
    let by_uuid = |installed: &&Installed| installed.unit.uuid.eq_ignore_ascii_case(&operation.uuid);
    let by_url = |installed: &&Installed| installed.url == operation.url;
    let found = if operation.uuid.is_empty() { before.iter().find(by_url) } else { before.iter().find(by_uuid) };
    let Some(unit) = found else { return Err(Trouble::new(UNKNOWN_UNIT, "there is no such deployment unit")) };
    if !operation.version.is_empty() && operation.version != unit.unit.version && !again {
        let text = format!("{} has the version {}", unit.name, unit.unit.version);
        return Err(Trouble::new(UNKNOWN_UNIT, text));
    }
    let url = match (operation.url.as_str(), unit.url.as_str()) {
        ("", "") => unit.name.as_str(),
        ("", kept) => kept,
        (given, _) => given,
    };
    let source = Source::of(url)?;
    let mismatch = |name: &str| Trouble::new(MISMATCH, format!("what is there is {name}, and not {}", unit.name));
    if let Source::Name(name) = source {
        if name != unit.name {
            return Err(mismatch(name));
        }
    }
    let brought = source.bring(tools, manager, operation, &before)?;
    let after = tools.catalog.installed();
    let changed = after.iter().any(|installed| !is_in(&before, installed));
    match brought.filter(|_| changed) {
        None if again => {}
        None => {
            return Err(Trouble::new(
                SAME_VERSION,
                format!("{} has the version {} already", unit.name, unit.unit.version),
            ));
        }
        Some(name) if name == unit.name => {}
        Some(name) => {
            if !before.iter().any(|installed| installed.name == name) {
                if let Err(trouble) = remove(tools.live, manager, &name) {
                    log::warn!("{name} stays: {trouble}");
                }
            }
            return Err(mismatch(&name));
        }
    }
    tools.catalog.remember(&unit.name, "", &operation.url, Kind::Update);
    Ok(unit_of(tools, &unit.name))
}

/// Updates everything that the ACS has installed.
fn update_all(tools: &Tools<'_>) -> Vec<Ending> {
    let ours: Vec<Installed> =
        tools.catalog.installed().into_iter().filter(|installed| !installed.url.is_empty()).collect();
    let each = |installed: Installed| {
        let operation = Operation { kind: Kind::Update, uuid: installed.unit.uuid.clone(), ..Operation::default() };
        // What is the newest already is no failure here.
        match manager_of(tools).and_then(|manager| update(tools, manager, &operation, true)) {
            Ok(unit) => Ending { unit, trouble: None },
            Err(trouble) => Ending { unit: installed.unit, trouble: Some(for_unit(trouble)) },
        }
    };
    if ours.is_empty() {
        let trouble = Trouble::new(UNKNOWN_UNIT, "the ACS has installed nothing that could be updated");
        return vec![Ending { unit: Unit::default(), trouble: Some(trouble) }];
    }
    ours.into_iter().map(each).collect()
}

fn uninstall(tools: &Tools<'_>, manager: Manager, operation: &Operation, again: bool) -> Result<Unit, Trouble> {
    let before = tools.catalog.installed();
    let found = before.iter().find(|installed| {
        installed.unit.uuid.eq_ignore_ascii_case(&operation.uuid)
            && (operation.version.is_empty() || operation.version == installed.unit.version)
    });
    let Some(installed) = found else {
        if again {
            return Ok(Unit { uuid: operation.uuid.clone(), version: operation.version.clone(), ..Unit::default() });
        }
        return Err(Trouble::new(UNKNOWN_UNIT, "there is no such deployment unit"));
    };
    let name = installed.name.as_str();
    // Without the driver of its switch nobody reaches the router.
    if VITAL.contains(&name) || name.starts_with("kmod-") && name.contains("switch") {
        return Err(denied(format!("the router does not go on without {name}")));
    }
    let world = World::before(tools.live, manager);
    let removed = remove(tools.live, manager, name);
    if tools.catalog.installed().iter().any(|installed| installed.name == name) {
        world.put_back();
        removed?;
        return Err(Trouble::new(STATE, format!("{name} is still there: others need it")));
    }
    removed?;
    Ok(Unit { path: String::new(), execution_units: String::new(), ..installed.unit.clone() })
}

/// What a URL stands for.
enum Source<'a> {
    /// A package to be fetched.
    File(&'a str),
    /// A package of the feeds.
    Name(&'a str),
}

impl<'a> Source<'a> {
    fn of(url: &'a str) -> Result<Self, Trouble> {
        if is_name(url) {
            return Ok(Self::Name(url));
        }
        if url.chars().count() > LONGEST_URL {
            return Err(Trouble::new(FaultCode::INVALID_ARGUMENTS, format!("the URL is longer than {LONGEST_URL}")));
        }
        let scheme = url.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
        match scheme.as_deref() {
            Some("http" | "https") => {}
            Some(other) => return Err(Trouble::new(code::PROTOCOL, format!("packages cannot be fetched by {other}"))),
            None => return Err(Trouble::new(FaultCode::INVALID_ARGUMENTS, "neither a URL nor the name of a package")),
        }
        let parsed = Url::parse(url).map(drop);
        parsed.map_err(|error| Trouble::new(FaultCode::INVALID_ARGUMENTS, error.to_string()))?;
        Ok(Self::File(url))
    }

    /// Has the package manager take it, and says which package it was, if that can be told.
    fn bring(
        &self,
        tools: &Tools<'_>,
        manager: Manager,
        operation: &Operation,
        before: &[Installed],
    ) -> Result<Option<String>, Trouble> {
        match self {
            Self::Name(name) => {
                // Feeds that cannot be reached make the next step fail, which says it better.
                if let Err(trouble) = run(tools.live, manager, &["update"]) {
                    log::warn!("the lists of packages are not up to date: {trouble}");
                }
                match (manager, operation.kind) {
                    (Manager::Opkg, Kind::Update) => run(tools.live, manager, &["upgrade", name])?,
                    (Manager::Opkg, _) => run(tools.live, manager, &["install", name])?,
                    (Manager::Apk, Kind::Update) => run(tools.live, manager, &["add", "--upgrade", name])?,
                    (Manager::Apk, _) => run(tools.live, manager, &["add", name])?,
                }
                Ok(Some(String::from(*name)))
            }
            Self::File(url) => {
                let suffix = if manager == Manager::Opkg { "ipk" } else { "apk" };
                let file = place::private_directory(tools.live)?.join(format!("unit.{suffix}"));
                let done = self.fetch_and_take(tools, manager, operation, url, &file);
                fetch::discard(&file);
                done?;
                Ok(which(url, before, &tools.catalog.installed(), &asked_for(tools.live, manager)))
            }
        }
    }

    fn fetch_and_take(
        &self,
        tools: &Tools<'_>,
        manager: Manager,
        operation: &Operation,
        url: &str,
        file: &Path,
    ) -> Result<(), Trouble> {
        let remote = Remote { url, username: &operation.username, password: &operation.password };
        fetch::download(tools.settings, tools.sessions, tools.cancel, &remote, 0, file, tools.progress)?;
        let path = place::router_path(tools.live, file)?;
        run(tools.live, manager, &[if manager == Manager::Opkg { "install" } else { "add" }, &path])
    }
}

/// The package that a file has brought: among those that are new or changed (its dependencies are, too) the one whose name the file begins with; where
/// its name says nothing, as behind `?id=7`, the one that was asked for; else, when nothing has changed, what was there already by
/// that name.
fn which(url: &str, before: &[Installed], after: &[Installed], asked_for: &[String]) -> Option<String> {
    let file = url.rsplit('/').next().unwrap_or_default();
    let file = file.split(['?', '#']).next().unwrap_or_default();
    let changed: Vec<&Installed> = after.iter().filter(|installed| !is_in(before, installed)).collect();
    let named = |all: &mut dyn Iterator<Item = &Installed>| {
        let fits = all.filter(|installed| {
            file.strip_prefix(&installed.name).is_some_and(|rest| rest.starts_with(['_', '-', '.']))
        });
        fits.max_by_key(|installed| installed.name.len()).map(|installed| installed.name.clone())
    };
    named(&mut changed.iter().copied())
        .or_else(|| changed.iter().map(|installed| &installed.name).find(|name| asked_for.contains(name)).cloned())
        .or_else(|| changed.first().map(|installed| installed.name.clone()))
        .or_else(|| named(&mut after.iter()))
}

/// Whether this package was there, and in this version.
fn is_in(before: &[Installed], installed: &Installed) -> bool {
    before.iter().any(|old| old.name == installed.name && old.unit.version == installed.unit.version)
}

fn unit_of(tools: &Tools<'_>, name: &str) -> Unit {
    let found = tools.catalog.installed().into_iter().find(|installed| installed.name == name);
    found.map(|installed| installed.unit).unwrap_or_default()
}

/// A fault of a download, or of the place for its file, as an operation may have it.
fn for_unit(trouble: Trouble) -> Trouble {
    match trouble.code {
        code::FAILED | FaultCode::INTERNAL_ERROR => Trouble { code: code::INCOMPLETE, ..trouble },
        _ => trouble,
    }
}

fn duplicate(name: &str) -> Trouble {
    Trouble::new(DUPLICATE, format!("{name} is installed already"))
}

fn denied(text: impl Into<String>) -> Trouble {
    Trouble::new(FaultCode::REQUEST_DENIED, text)
}
