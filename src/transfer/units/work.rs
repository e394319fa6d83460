//! An operation on a deployment unit, carried out with the router's own package manager (TR-069a6 A.4.1.10, Annex H).
//!
//! A URL is a package to be fetched, or the mere name of a package in the feeds of the router. Whether a package must be signed is for the package
//! manager to say: apk wants it, opkg looks at the signature of the feeds only.

use std::path::Path;
use std::time::Duration;

use super::{Kind, Operation, Unit};
use crate::acs::{Cancel, Settings, TlsSessions, Url};
use crate::error::{Fault, FaultCode};
use crate::platform::live::Live;
use crate::platform::packages::{Manager, is_name};
use crate::platform::{Program, System};
use crate::transfer::fetch::{self, Remote};
use crate::transfer::{Progress, Trouble, code, place};

/// How long a package manager may take: a slow line, a slow flash.
const DEADLINE: Duration = Duration::from_secs(600);

/// What is read of what it says, in bytes.
const OUTPUT: usize = 256 << 10;

/// The longest URL of an operation, in characters (TR-069a6 A.4.1.10).
const LONGEST_URL: usize = 1024;

/// The faults of operations (TR-069a6 A.5.1).
const UUID_FORMAT: FaultCode = FaultCode(9022);
const UNKNOWN_ENVIRONMENT: FaultCode = FaultCode(9023);
const MISMATCH: FaultCode = FaultCode(9025);
const DUPLICATE: FaultCode = FaultCode(9026);
const NO_ROOM: FaultCode = FaultCode(9027);
const UNKNOWN_UNIT: FaultCode = FaultCode(9028);
const STATE: FaultCode = FaultCode(9029);
const DOWNGRADE: FaultCode = FaultCode(9030);
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
/// 9000 on a router without a package manager.
pub fn check(live: &Live) -> Result<(), Fault> {
    match Manager::of(live) {
        Some(_) => Ok(()),
        None => Err(Fault::new(FaultCode::METHOD_NOT_SUPPORTED, "this router has no package manager")),
    }
}

/// Carries out an operation. With `again` a former attempt may already have done it, which is a success then.
///
/// # Errors
/// With the codes of DUStateChangeComplete (TR-069a6 A.5.1).
pub fn carry_out(tools: &Tools<'_>, operation: &Operation, again: bool) -> Result<Unit, Trouble> {
    let manager = Manager::of(tools.live).ok_or_else(|| denied("this router has no package manager"))?;
    if !operation.uuid.is_empty() && !is_uuid(&operation.uuid) {
        return Err(Trouble::new(UUID_FORMAT, "the UUID is none"));
    }
    if !operation.exec_env.is_empty() && !tools.catalog.has_environment(&operation.exec_env) {
        return Err(Trouble::new(UNKNOWN_ENVIRONMENT, "there is no such execution environment"));
    }
    match operation.kind {
        Kind::Install => install(tools, manager, operation, again),
        Kind::Update if operation.uuid.is_empty() && operation.url.is_empty() => update_all(tools, manager),
        Kind::Update => update(tools, manager, operation, again),
        Kind::Uninstall => uninstall(tools, manager, operation, again),
    }
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
    let source = Source::of(&operation.url)?;
    let name = source.bring(tools, manager, operation, &before, "install")?;
    let after = tools.catalog.installed();
    let found = after.iter().find(|installed| installed.name == name);
    let was = before.iter().find(|installed| installed.name == name);
    match (was, found) {
        (Some(was), Some(found)) if was.unit.version == found.unit.version && !again => Err(duplicate(&name)),
        (_, Some(_)) => {
            tools.catalog.remember(&name, &operation.uuid, &operation.url, Kind::Install);
            Ok(unit_of(tools, &name))
        }
        (_, None) => Err(denied(format!("{name} is not installed, though the package manager has not complained"))),
    }
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
    let name = Source::of(url)?.bring(tools, manager, operation, &before, "upgrade")?;
    if name != unit.name {
        return Err(Trouble::new(MISMATCH, format!("what is there is {name}, and not {}", unit.name)));
    }
    let after = unit_of(tools, &name);
    if after.version == unit.unit.version && !again {
        return Err(Trouble::new(SAME_VERSION, format!("{name} already has the version {}", after.version)));
    }
    tools.catalog.remember(&name, "", &operation.url, Kind::Update);
    Ok(unit_of(tools, &name))
}

/// Updates everything that the ACS has installed; the result is that of the last one.
fn update_all(tools: &Tools<'_>, manager: Manager) -> Result<Unit, Trouble> {
    let ours: Vec<Installed> =
        tools.catalog.installed().into_iter().filter(|installed| !installed.url.is_empty()).collect();
    let mut result = Err(Trouble::new(UNKNOWN_UNIT, "the ACS has installed nothing that could be updated"));
    for installed in ours {
        let operation = Operation {
            kind: Kind::Update,
            uuid: installed.unit.uuid.clone(),
            url: String::new(),
            version: String::new(),
            username: String::new(),
            password: String::new(),
            exec_env: String::new(),
        };
        // What is the newest already is no failure here.
        match update(tools, manager, &operation, true) {
            Ok(unit) => result = Ok(unit),
            Err(trouble) => return Err(trouble),
        }
    }
    result
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
    if VITAL.contains(&name) || name.starts_with("kmod-") && name.contains("switch") {
        return Err(denied(format!("the router does not go on without {name}")));
    }
    let verb = if manager == Manager::Opkg { "remove" } else { "del" };
    run(tools.live, manager, &[verb, name])?;
    if tools.catalog.installed().iter().any(|installed| installed.name == name) {
        return Err(Trouble::new(STATE, format!("{name} is still there: others need it")));
    }
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

    /// Has the package manager take it, and says which package it was. `verb` is that of opkg.
    fn bring(
        &self,
        tools: &Tools<'_>,
        manager: Manager,
        operation: &Operation,
        before: &[Installed],
        verb: &str,
    ) -> Result<String, Trouble> {
        match self {
            Self::Name(name) => {
                // Feeds that cannot be reached make the next step fail, which says it better.
                if let Err(trouble) = run(tools.live, manager, &["update"]) {
                    log::warn!("the lists of packages are not up to date: {trouble}");
                }
                match (manager, verb) {
                    (Manager::Opkg, verb) => run(tools.live, manager, &[verb, name])?,
                    (Manager::Apk, "upgrade") => run(tools.live, manager, &["add", "--upgrade", name])?,
                    (Manager::Apk, _) => run(tools.live, manager, &["add", name])?,
                }
                Ok(String::from(*name))
            }
            Self::File(url) => {
                let suffix = if manager == Manager::Opkg { "ipk" } else { "apk" };
                let file = place::private_directory(tools.live)?.join(format!("unit.{suffix}"));
                let done = self.fetch_and_take(tools, manager, operation, url, &file);
                fetch::discard(&file);
                done?;
                Ok(which(url, before, &tools.catalog.installed()))
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
        fetch::download(tools.settings, tools.sessions, tools.cancel, &remote, 0, file, tools.progress)
            .map_err(for_unit)?;
        let path = place::router_path(tools.live, file)?;
        run(tools.live, manager, &[if manager == Manager::Opkg { "install" } else { "add" }, &path])
    }
}

/// The package that a file has brought: among those that are new or changed (its dependencies are, too) the one whose name the file begins with; else,
/// when nothing has changed, what was there already by that name.
fn which(url: &str, before: &[Installed], after: &[Installed]) -> String {
    let file = url.rsplit('/').next().unwrap_or_default();
    let file = file.split(['?', '#']).next().unwrap_or_default();
    let is_old = |installed: &&Installed| {
        before.iter().any(|old| old.name == installed.name && old.unit.version == installed.unit.version)
    };
    let changed: Vec<&Installed> = after.iter().filter(|installed| !is_old(installed)).collect();
    let named = |all: &mut dyn Iterator<Item = &Installed>| {
        let fits = all.filter(|installed| {
            file.strip_prefix(&installed.name).is_some_and(|rest| rest.starts_with(['_', '-', '.']))
        });
        fits.max_by_key(|installed| installed.name.len()).map(|installed| installed.name.clone())
    };
    named(&mut changed.iter().copied())
        .or_else(|| changed.first().map(|installed| installed.name.clone()))
        .or_else(|| named(&mut after.iter()))
        .unwrap_or_else(|| String::from(file))
}

fn unit_of(tools: &Tools<'_>, name: &str) -> Unit {
    let found = tools.catalog.installed().into_iter().find(|installed| installed.name == name);
    found.map(|installed| installed.unit).unwrap_or_default()
}

/// Runs the package manager; what it complains of becomes a fault.
fn run(live: &Live, manager: Manager, arguments: &[&str]) -> Result<(), Trouble> {
    let mut argv = vec![manager.program()];
    argv.extend(arguments);
    let output = live
        .run(&Program { argv: &argv, input: b"", deadline: DEADLINE, limit: OUTPUT })
        .map_err(|error| denied(error.to_string()))?;
    let said = [output.stdout.as_slice(), b"\n", output.stderr.as_slice()].concat();
    let said = String::from_utf8_lossy(&said);
    let lower = said.to_ascii_lowercase();
    // opkg says this and ends with 0.
    if lower.contains("not downgrading package") {
        return Err(Trouble::new(DOWNGRADE, last_words(&said)));
    }
    if output.status == Some(0) {
        return Ok(());
    }
    const REASONS: &[(&str, FaultCode)] = &[
        ("only have", NO_ROOM),
        ("no space left", NO_ROOM),
        ("unknown package", code::ACCESS),
        ("no such package", code::ACCESS),
        ("unable to select packages", code::ACCESS),
        ("depended upon by", STATE),
        ("required by", STATE),
        ("untrusted signature", code::CORRUPTED),
        ("bad archive", code::CORRUPTED),
        ("malformed package", code::CORRUPTED),
        ("incompatible with the architectures", MISMATCH),
        ("uninstallable", MISMATCH),
        ("could not fetch", code::CONTACT),
        ("failed to download", code::CONTACT),
        ("wget returned", code::CONTACT),
    ];
    let reason = REASONS.iter().find(|(words, _)| lower.contains(words)).map(|(_, code)| *code);
    Err(Trouble::new(reason.unwrap_or(FaultCode::REQUEST_DENIED), last_words(&said)))
}

/// The last line that says something, without the marks that opkg puts before it.
fn last_words(said: &str) -> String {
    let line = said.lines().rev().map(|line| line.trim_start_matches([' ', '*'])).find(|line| !line.trim().is_empty());
    line.unwrap_or("the package manager failed").chars().filter(|c| !c.is_control()).take(200).collect()
}

/// A fault of a download as an operation may have it.
fn for_unit(trouble: Trouble) -> Trouble {
    match trouble.code {
        code::FAILED | FaultCode::INTERNAL_ERROR => Trouble { code: code::INCOMPLETE, ..trouble },
        _ => trouble,
    }
}

fn is_uuid(text: &str) -> bool {
    let digits = text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit());
    digits && text.split('-').map(str::len).eq([8, 4, 4, 4, 12])
}

fn duplicate(name: &str) -> Trouble {
    Trouble::new(DUPLICATE, format!("{name} is installed already"))
}

fn denied(text: impl Into<String>) -> Trouble {
    Trouble::new(FaultCode::REQUEST_DENIED, text)
}
