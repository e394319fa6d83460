//! What the guard keeps: the router as it was before a change of the ACS that could cut it off ([`crate::cwmp::guard`] says for how long).
//!
//! ```text
//!   STATE_DIR/guard/config/NETWORK   former content of UCI packages
//!   STATE_DIR/guard/model.json       what the model remembered: instance numbers, own values, ParameterKey, attributes
//!   STATE_DIR/guard/acs.json         what waited for the former ACS, when the change was to another one
//!   STATE_DIR/guard/guard.json       which packages there are, and how long the change has had; written last, removed first
//! ```
//!
//! Everything is on the disk before the change is, so that a power cut at any moment leaves a router that can go back. Until the ACS is reached
//! again the first copies stay: they are the last state that it has confirmed.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::config::{Config, PACKAGE};
use crate::cwmp::guard::Trial;
use crate::error::{Error, Fault, FaultCode, Result};
use crate::model::context::Effects;
use crate::model::guard::Change;
use crate::model::registry::Registry;
use crate::platform::live::Live;
use crate::platform::uci::{CommitError, MAX_LEN, Package};
use crate::platform::{System, files, rpcd};
use crate::sorted::Set;
use crate::state::{Store, Was};

const INDEX: &str = "guard.json";
const MODEL: &str = "model.json";
const ACS: &str = "acs.json";
const COPIES: &str = "config";

/// Packages with which every change counts. The others that decide about the way to the ACS are looked into: see [`cuts`].
const NETWORK: [&str; 2] = ["network", "firewall"];

/// The agent's own values that switch parts of the network.
const OWN: [&str; 2] = ["Device.Ethernet.", "Device.IP."];

/// How often files are put back again because somebody else changed one in between.
const TRIES: u32 = 5;

/// What is kept, and for how long.
#[derive(Serialize, Deserialize)]
struct Kept {
    packages: Set<String>,
    /// The transfers whose files are the change, or a part of it.
    #[serde(default)]
    transfers: Set<u32>,
    trial: Trial,
}

/// Keeps what has to come back.
pub struct Guard {
    live: Arc<Live>,
    /// On this machine.
    directory: PathBuf,
    kept: Option<Kept>,
    /// The copies of the request that is being carried out: it may still fail, or begin again from newer files.
    new: Set<String>,
    /// There was nothing kept before this request.
    first: bool,
}

/// The guard, shared by the model, which asks it, and the agent.
#[derive(Clone)]
pub struct SharedGuard(Arc<Mutex<Guard>>);

impl SharedGuard {
    /// Takes up what was kept before a restart. `state_dir` is that of the configuration, on this machine.
    #[must_use]
    pub fn open(live: Arc<Live>, state_dir: PathBuf) -> Self {
        let mut guard = Guard { live, directory: state_dir.join("guard"), kept: None, new: Set::new(), first: false };
        if guard.directory.exists() {
            if guard.directory.join(INDEX).exists() {
                guard.kept = guard.load::<Option<Kept>>(INDEX).flatten();
            } else {
                // The power went before all was kept, or while it was let go.
                guard.discard();
            }
        }
        Self(Arc::new(Mutex::new(guard)))
    }

    /// The guard, for as short as can be.
    pub fn lock(&self) -> MutexGuard<'_, Guard> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// For [`crate::model::Model::set_guard`].
    #[must_use]
    pub fn asked_by_model(&self) -> crate::model::guard::Guard {
        let guard = self.clone();
        Box::new(move |change| guard.lock().before(change))
    }
}

impl Guard {
    /// Before a change of the ACS: refuses what rpcd would overwrite, and keeps what may have to come back.
    ///
    /// # Errors
    /// 9001 while a change that was made elsewhere may still be put back; 9002 when the former files cannot be kept, so that there would be no
    /// way back.
    fn before(&mut self, change: &Change<'_>) -> Result<(), Fault> {
        self.admit(change, self.kept.is_some() || cuts(change), None)
    }

    /// Before settings are restored from the file of a transfer: they may be any.
    ///
    /// # Errors
    /// As for other changes.
    pub fn before_restore(&mut self, transfer: u32, registry: &Registry) -> Result<(), Fault> {
        let names = self.live.list_dir("/etc/config").map_err(Error::io("read /etc/config"))?;
        // What is no package is not restored as one, and what is broken could not be put back.
        let packages = names.iter().filter_map(|name| self.live.load_package(name).ok());
        let packages: Vec<Package> = packages.filter(|package| package.problems().is_empty()).collect();
        let packages: Vec<(&Package, &Package)> = packages.iter().map(|package| (package, package)).collect();
        // Who restores it tells the services himself.
        let effects = Effects::default();
        let change = Change { packages: &packages, own: &[], registry, effects: &effects };
        let admitted = self.admit(&change, true, Some(transfer));
        if admitted.is_err() {
            self.settle(false);
        }
        admitted
    }

    fn admit(&mut self, change: &Change<'_>, guarded: bool, transfer: Option<u32>) -> Result<(), Fault> {
        let names: Vec<&str> = change.packages.iter().map(|(former, _)| former.name()).collect();
        if let Some(package) = rpcd::pending(self.live.as_ref(), &names) {
            let text = format!("{package} was just changed on the router itself, and that is not confirmed yet");
            return Err(Fault::new(FaultCode::REQUEST_DENIED, text));
        }
        let timeout = Config::load(self.live.as_ref()).0.cpe.rollback_timeout;
        if timeout == 0 || !guarded {
            return Ok(());
        }
        self.keep(change, timeout, transfer).map_err(|error| {
            log::error!("the change of the ACS is refused, since there would be no way back: {error}");
            Fault::internal("the former configuration cannot be kept, so that there would be no way back")
        })
    }

    fn keep(&mut self, change: &Change<'_>, timeout: u32, transfer: Option<u32>) -> Result<()> {
        let mut store = Store::open(&self.directory)?;
        if self.kept.is_none() {
            // What an earlier guard may have left there means nothing.
            store.remove(ACS)?;
            store.save(MODEL, change.registry)?;
            self.first = true;
        }
        let kept = self.kept.get_or_insert_with(|| Kept {
            packages: Set::new(),
            transfers: Set::new(),
            trial: Trial::new(timeout),
        });
        let more = transfer.is_some_and(|id| kept.transfers.insert(id));
        for (former, _) in change.packages {
            let name = former.name();
            if !kept.packages.contains(name) || self.new.contains(name) {
                write_copy(&self.directory, former)?;
                kept.packages.insert(String::from(name));
                self.new.insert(String::from(name));
            }
        }
        if self.first || more || !self.new.is_empty() { store.save(INDEX, &self.kept) } else { Ok(()) }
    }

    /// A request of the ACS has been carried out; `written` says whether it came to a change.
    pub fn settle(&mut self, written: bool) {
        let new = std::mem::take(&mut self.new);
        let first = std::mem::take(&mut self.first);
        if written {
            if let Some(kept) = &mut self.kept {
                kept.trial.changed();
            }
        } else if first {
            self.discard();
        } else if !new.is_empty() {
            if let Some(kept) = &mut self.kept {
                kept.packages.retain(|package| !new.contains(package));
            }
            self.note();
        }
    }

    /// The trial of what is kept.
    pub fn trial(&mut self) -> Option<&mut Trial> {
        self.kept.as_mut().map(|kept| &mut kept.trial)
    }

    /// The packages that would come back.
    #[must_use]
    pub fn packages(&self) -> Set<String> {
        self.kept.as_ref().map(|kept| kept.packages.clone()).unwrap_or_default()
    }

    /// The transfers that brought a part of the change.
    #[must_use]
    pub fn transfers(&self) -> Set<u32> {
        self.kept.as_ref().map(|kept| kept.transfers.clone()).unwrap_or_default()
    }

    /// Whether it is the change that has taken the URL of the ACS away: then that is out of reach as after any other change.
    #[must_use]
    pub fn took_url(&self) -> bool {
        self.former_config().is_some_and(|former| !former.acs.url.is_empty())
    }

    /// Whether it is the change that has switched the guard off: settings from a file need not say anything of it.
    #[must_use]
    pub fn is_off_by_file(&self) -> bool {
        !self.transfers().is_empty() && self.former_config().is_some_and(|former| former.cpe.rollback_timeout > 0)
    }

    /// The agent's own settings that would come back.
    fn former_config(&self) -> Option<Config> {
        self.kept.as_ref().filter(|kept| kept.packages.contains(PACKAGE))?;
        let copy = files::read(&self.directory.join(COPIES).join(PACKAGE), MAX_LEN).ok()?;
        Some(Config::from_package(&Package::parse(PACKAGE, &copy)).0)
    }

    /// Saves how the trial stands. Should that fail, a restart gives the change more time than it should have.
    pub fn note(&mut self) {
        let saved = Store::open(&self.directory).and_then(|mut store| store.save(INDEX, &self.kept));
        if let Err(error) = saved {
            log::error!("how long the change of the ACS has had is not saved: {error}");
        }
    }

    /// Keeps what waited for the former ACS, unless there is one before it already.
    pub fn keep_acs(&mut self, former: &impl Serialize) {
        if self.kept.is_none() || self.directory.join(ACS).exists() {
            return;
        }
        if let Err(error) = Store::open(&self.directory).and_then(|mut store| store.save(ACS, former)) {
            log::error!("what waited for the former ACS is not kept: {error}");
        }
    }

    /// What waited for the former ACS, if the change was to another one.
    #[must_use]
    pub fn former_acs<T: DeserializeOwned + Default>(&self) -> Option<T> {
        self.load(ACS)
    }

    /// What the model remembered.
    #[must_use]
    pub fn registry(&self) -> Option<Registry> {
        self.load(MODEL)
    }

    /// The state in a file, if there is one and it can be read.
    fn load<T: DeserializeOwned + Default>(&self, name: &str) -> Option<T> {
        let loaded = Store::open(&self.directory).map(|mut store| store.load::<T>(name));
        match loaded.map(|loaded| (loaded.value, loaded.was)) {
            Ok((value, Was::Read)) => Some(value),
            Ok((_, Was::Fresh)) => None,
            Ok((_, Was::SetAside(reason))) => {
                log::error!("{reason}");
                None
            }
            Err(error) => {
                log::error!("{error}");
                None
            }
        }
    }

    /// Whether anything is not as it was.
    #[must_use]
    pub fn is_changed(&self, registry: &Registry) -> bool {
        let same = self.registry().is_none_or(|former| registry.has_same_values(&former));
        !same || self.undone().map_or(true, |undone| !undone.is_empty())
    }

    /// Puts the former files back, all of them or none.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn put_back(&self) -> Result<()> {
        for _ in 0..TRIES {
            let mut undone = self.undone()?;
            let mut undone: Vec<&mut Package> = undone.iter_mut().collect();
            match self.live.commit_packages(&mut undone) {
                Ok(()) => return Ok(()),
                Err(CommitError::Failed(error)) => return Err(error),
                Err(CommitError::Changed(_)) => {}
            }
        }
        Err(Error::other("the configuration is being changed by somebody else all the time"))
    }

    /// The packages that are not as they were, as they are to be written.
    fn undone(&self) -> Result<Vec<Package>> {
        let mut undone = Vec::new();
        for name in self.packages() {
            let current = self.live.load_package(&name)?;
            match files::read(&self.directory.join(COPIES).join(&name), MAX_LEN) {
                Ok(bytes) if bytes == current.to_bytes() => {}
                Ok(bytes) => undone.push(Package::parse(&name, &bytes).in_place_of(&current)),
                // The others are better than nothing.
                Err(error) => log::error!("there is no copy of {name} to be put back: {error}"),
            }
        }
        Ok(undone)
    }

    /// Lets go of everything that is kept.
    pub fn discard(&mut self) {
        self.kept = None;
        let removed = Store::open(&self.directory).and_then(|mut store| store.remove(INDEX));
        let removed = removed.and_then(|()| {
            fs::remove_dir_all(&self.directory).map_err(Error::io(format!("remove {}", self.directory.display())))
        });
        if let Err(error) = removed {
            log::error!("former files stay: {error}");
        }
    }
}

fn write_copy(directory: &Path, former: &Package) -> Result<()> {
    let copies = directory.join(COPIES);
    let path = copies.join(former.name());
    let failed = || Error::io(format!("write {}", path.display()));
    fs::create_dir_all(&copies).map_err(failed())?;
    let bytes = former.to_bytes();
    files::replace(&path, 0o600, &mut |out: &mut dyn Write| out.write_all(&bytes)).map_err(failed())
}

/// Whether a change could cut the way to the ACS.
fn cuts(change: &Change<'_>) -> bool {
    let own = |name: &&str| OWN.iter().any(|object| name.starts_with(object)) && !name.ends_with(".Alias");
    change.own.iter().any(own)
        || change.packages.iter().any(|(former, new)| match former.name() {
            name if NETWORK.contains(&name) => true,
            // Only what is itself a client of another network can be the way to the ACS.
            "wireless" => is_uplink(former) || is_uplink(new),
            // The router asks its own server for the name of the ACS.
            "dhcp" => differ(former, new, "dnsmasq", &|_| true),
            PACKAGE => {
                differ(former, new, "acs", &|option| !option.starts_with("periodic_") && !option.starts_with("retry_"))
            }
            _ => false,
        })
}

fn is_uplink(wireless: &Package) -> bool {
    let interfaces = wireless.sections().filter(|section| section.kind() == "wifi-iface");
    interfaces.into_iter().any(|section| !matches!(section.get("mode"), Some("ap") | None))
}

/// Whether sections of a type have other options, of those that count.
fn differ(former: &Package, new: &Package, kind: &str, counts: &dyn Fn(&str) -> bool) -> bool {
    let options = |package| -> Vec<_> {
        let sections = Package::sections(package).filter(|section| section.kind() == kind);
        let options = sections.map(|section| section.options().filter(|(name, _)| counts(name)).collect::<Vec<_>>());
        options.collect()
    };
    options(former) != options(new)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, text: &str) -> Package {
        Package::parse(name, text.as_bytes())
    }

    fn cuts_off(name: &str, former: &str, new: &str) -> bool {
        let (former, new) = (package(name, former), package(name, new));
        let (registry, effects) = (Registry::default(), Effects::default());
        cuts(&Change { packages: &[(&former, &new)], own: &[], registry: &registry, effects: &effects })
    }

    #[test]
    fn network_and_firewall_always_count_and_the_rest_seldom() {
        assert!(cuts_off("network", "config interface 'lan'\n", "config interface 'wan'\n"));
        assert!(cuts_off("firewall", "", "config rule\n"));
        assert!(!cuts_off("system", "", "config system\n"));
    }

    #[test]
    fn wireless_counts_where_it_can_be_the_way_to_the_acs() {
        let ap = "config wifi-iface 'a'\n\toption mode 'ap'\n";
        let client = "config wifi-iface 'a'\n\toption mode 'sta'\n";
        assert!(!cuts_off("wireless", ap, "config wifi-iface 'a'\n\toption mode 'ap'\n\toption ssid 'x'\n"));
        assert!(cuts_off("wireless", ap, client));
        assert!(cuts_off("wireless", client, ap));
    }

    #[test]
    fn of_the_agents_own_settings_the_way_to_the_acs_counts() {
        let with = |option: &str| format!("config acs 'acs'\n\toption url 'http://a/'\n\toption {option} '7'\n");
        for option in ["url", "username", "password", "ca_file", "client_key", "verify", "compression"] {
            assert!(cuts_off(PACKAGE, "config acs 'acs'\n\toption url 'http://a/'\n", &with(option)), "{option}");
        }
        for option in ["periodic_interval", "retry_min_wait"] {
            assert!(!cuts_off(PACKAGE, "config acs 'acs'\n\toption url 'http://a/'\n", &with(option)), "{option}");
        }
        assert!(!cuts_off(PACKAGE, "config cpe 'cpe'\n", "config cpe 'cpe'\n\toption username 'x'\n"));
    }

    #[test]
    fn the_routers_own_name_server_counts_and_leases_do_not() {
        assert!(cuts_off("dhcp", "config dnsmasq\n", "config dnsmasq\n\toption port '0'\n"));
        assert!(!cuts_off("dhcp", "config dnsmasq\nconfig host\n", "config dnsmasq\nconfig host\n\toption ip '1'\n"));
    }

    #[test]
    fn own_switches_of_the_network_count() {
        let (registry, effects) = (Registry::default(), Effects::default());
        let own = |name| cuts(&Change { packages: &[], own: &[name], registry: &registry, effects: &effects });
        assert!(own("Device.Ethernet.Interface.5.Enable"));
        assert!(own("Device.IP.IPv6Enable"));
        assert!(!own("Device.Ethernet.Interface.5.Alias"));
        assert!(!own("Device.ManagementServer.ParameterKey"));
    }
}
