//! What takes services or the whole router down for a moment: reboot, factory reset, reloads.

use std::io::ErrorKind;
use std::time::Duration;

use super::{Program, System};
use crate::error::{Error, Result};

const REBOOT: &str = "/sbin/reboot";
const FIRSTBOOT: &str = "/sbin/firstboot";
const RELOAD_CONFIG: &str = "/sbin/reload_config";
const WIFI: &str = "/sbin/wifi";

/// Writes firmware, and keeps and restores settings.
pub const SYSUPGRADE: &str = "/sbin/sysupgrade";

/// How long a service may take to reload.
const RELOAD: Duration = Duration::from_secs(60);

/// How long a flash may take to be erased.
const ERASE: Duration = Duration::from_secs(300);

/// The most that such a program may write to standard output, in bytes.
const OUTPUT: usize = 1 << 18;

/// What a service is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// To read its configuration again.
    Reload,
    /// To stop and start.
    Restart,
}

/// Which programs bring the committed changes of a package into effect, where `reload_config` is missing.
const SERVICES: &[(&str, &[(&str, Action)])] = &[
    ("network", &[("network", Action::Reload)]),
    ("dhcp", &[("dnsmasq", Action::Reload), ("odhcpd", Action::Reload)]),
    ("firewall", &[("firewall", Action::Reload)]),
    (
        "system",
        &[("system", Action::Reload), ("sysntpd", Action::Restart), ("log", Action::Restart), ("led", Action::Restart)],
    ),
    // Only a start makes a client of its own for what has been enabled.
    ("ddns", &[("ddns", Action::Restart)]),
];

/// The packages whose init scripts ask procd for nothing, so that `reload_config` does nothing for them.
const UNHEARD: &[&str] = &["ddns"];

/// Starts a reboot and returns before it happens.
///
/// # Errors
/// When the program is missing or fails.
pub fn reboot(system: &dyn System) -> Result<()> {
    succeed(system, &[REBOOT], RELOAD)
}

/// Whether the router has a way back to the state of the factory; without one FactoryReset is 9002 (TR-069a6 A.4.1.6).
pub fn can_factory_reset(system: &dyn System) -> bool {
    exists(system, FIRSTBOOT)
}

/// Whether the router can write firmware and restore settings.
pub fn has_sysupgrade(system: &dyn System) -> bool {
    exists(system, SYSUPGRADE)
}

/// Throws away all settings and starts a reboot; `erased` is called in between, when nothing can bring the settings back any more. Returns only if that
/// fails, or just before the reboot.
///
/// # Errors
/// When the router cannot do it; it has then not been rebooted.
pub fn factory_reset(system: &dyn System, erased: &dyn Fn()) -> Result<()> {
    if !can_factory_reset(system) {
        return Err(Error::other(format!("this router cannot be reset: there is no {FIRSTBOOT}")));
    }
    succeed(system, &[FIRSTBOOT, "-y"], ERASE)?;
    erased();
    reboot(system)
}

/// Reloads or restarts one service through its init script.
///
/// # Errors
/// When there is no such service, or it fails.
pub fn service(system: &dyn System, name: &str, action: Action) -> Result<()> {
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) {
        return Err(Error::other(format!("{name:?} is not the name of a service")));
    }
    let script = format!("/etc/init.d/{name}");
    let action = match action {
        Action::Reload => "reload",
        Action::Restart => "restart",
    };
    succeed(system, &[&script, action], RELOAD)
}

/// Brings changes of Wi-Fi into effect; clients lose their connection for a moment.
///
/// # Errors
/// When the program is missing or fails.
pub fn wifi_reload(system: &dyn System) -> Result<()> {
    succeed(system, &[WIFI, "reload"], RELOAD)
}

/// Brings the committed changes of these packages into effect, each service once.
///
/// OpenWrt's `reload_config` finds what has changed and tells procd, which reloads whatever asked to hear of it. Where it is missing,
/// and for services that do not ask, the init scripts are called.
///
/// # Errors
/// All that failed; the rest has been done.
pub fn apply(system: &dyn System, packages: &[&str]) -> Result<(), Vec<Error>> {
    let mut errors = Vec::new();
    if packages.is_empty() {
        return Ok(());
    }
    if exists(system, RELOAD_CONFIG) {
        errors.extend(succeed(system, &[RELOAD_CONFIG], RELOAD).err());
        for package in packages.iter().filter(|package| UNHEARD.contains(*package)) {
            errors.extend(apply_one(system, package));
        }
    } else {
        for package in packages {
            errors.extend(apply_one(system, package));
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

/// Runs a program that brings a change into effect.
///
/// # Errors
/// When it is missing or fails.
pub fn run(system: &dyn System, argv: &[&str]) -> Result<()> {
    succeed(system, argv, RELOAD)
}

fn apply_one(system: &dyn System, package: &str) -> Vec<Error> {
    if package == "wireless" {
        return wifi_reload(system).err().into_iter().collect();
    }
    let own = [(package, Action::Reload)];
    let known = SERVICES.iter().find(|(name, _)| *name == package).map(|(_, services)| *services);
    // A service that is not installed has nothing to reload.
    known
        .unwrap_or(&own)
        .iter()
        .filter(|(name, _)| exists(system, &format!("/etc/init.d/{name}")))
        .filter_map(|(name, action)| service(system, name, *action).err())
        .collect()
}

fn exists(system: &dyn System, path: &str) -> bool {
    !matches!(system.file_info(path), Err(error) if error.kind() == ErrorKind::NotFound)
}

/// Runs a program whose output does not matter, and demands that it ends with 0.
fn succeed(system: &dyn System, argv: &[&str], deadline: Duration) -> Result<()> {
    let output = system.run(&Program { argv, input: b"", deadline, limit: OUTPUT })?;
    if output.status == Some(0) {
        return Ok(());
    }
    let reason = String::from_utf8_lossy(&output.stderr);
    let line = reason.lines().next().unwrap_or_default().trim();
    let how = output
        .status
        .map_or_else(|| "was ended by a signal".to_owned(), |status| format!("ended with status {status}"));
    let colon = if line.is_empty() { "" } else { ": " };
    Err(Error::other(format!("{} {how}{colon}{line}", argv.join(" "))))
}
