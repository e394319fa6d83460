//! When lightweight notifications are sent, and what they tell (TR-069a6 Annex M; CONFORMANCE N-10, N-11).

use std::time::Duration;

use super::super::fill_random;
use super::{Agent, look};
use crate::acs::Url;
use crate::cwmp::answers::{text_of, told_by_instance_mode, values_of};
use crate::cwmp::lightweight::{PORT, Sender, messages};
use crate::cwmp::notify::{Changes, Told, Watched, Way};
use crate::cwmp::schedule::{Periodic, PeriodicSettings};
use crate::error::Result;
use crate::model::context::Context;
use crate::platform::System;
use crate::soap::rpc::ParameterValue;
use crate::state::{Loaded, Store, Was};
use crate::time::{Now, UtcTime};

/// The file of what was told.
const FILE: &str = "lightweight.json";

/// What could not be sent is tried again this much later.
const AGAIN: Duration = Duration::from_secs(60);

/// The parameters that say whether, when and where.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Settings {
    host: String,
    port: u16,
    trigger: PeriodicSettings,
}

impl Settings {
    /// `None` while lightweight notifications are switched off.
    fn read(context: &mut Context, acs: &str) -> Option<Self> {
        let mut read = |name: &str| text_of(context, &format!("Device.ManagementServer.{name}")).unwrap_or_default();
        if !read("LightweightNotificationProtocolsUsed").split(',').any(|protocol| protocol == "UDP") {
            return None;
        }
        let host = match read("UDPLightweightNotificationHost") {
            host if host.is_empty() => Url::parse(acs).ok()?.host,
            host => host,
        };
        let port = read("UDPLightweightNotificationPort").parse().unwrap_or(PORT);
        let interval = read("LightweightNotificationTriggerInterval").parse().unwrap_or(0);
        let time = UtcTime::parse(&read("LightweightNotificationTriggerTime")).unwrap_or(UtcTime::UNKNOWN);
        Some(Self { host, port, trigger: PeriodicSettings { enable: interval > 0, interval, time } })
    }

    fn authority(&self) -> String {
        match self.host.contains(':') {
            true => format!("[{}]:{}", self.host, self.port),
            false => format!("{}:{}", self.host, self.port),
        }
    }
}

/// Datagrams that wait for somebody who sends them.
pub struct Mail {
    /// A name or an address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Each a message.
    pub messages: Vec<Vec<u8>>,
}

/// Everything about lightweight notifications that lives as long as the process.
pub(super) struct Lightweight {
    told: Told,
    settings: Option<Settings>,
    trigger: Periodic,
    /// What has changed.
    waiting: Changes,
    /// The trigger has come, so that passive changes are told too.
    triggered: bool,
    /// What is being sent.
    under_way: Option<Vec<ParameterValue>>,
    again_at: Option<Duration>,
}

impl Lightweight {
    pub(super) fn open(store: &mut Store) -> Self {
        let Loaded { value: told, was } = store.load::<Told>(FILE);
        if let Was::SetAside(reason) = was {
            log::error!("{reason}");
        }
        let trigger = Periodic::never();
        let waiting = Changes::default();
        Self { told, settings: None, trigger, waiting, triggered: false, under_way: None, again_at: None }
    }

    /// Saves what was told; a router that tells nothing has no file.
    pub(super) fn save(&mut self, store: &mut Store) -> Result<()> {
        if self.told.must_persist() {
            store.save(FILE, &self.told)?;
            self.told.persisted();
        }
        Ok(())
    }

    pub(super) fn must_persist(&self) -> bool {
        self.told.must_persist()
    }

    pub(super) fn next_deadline(&self) -> Option<Duration> {
        let again = self.is_due().then(|| self.again_at.unwrap_or(Duration::ZERO));
        [self.trigger.due(), again].into_iter().flatten().min()
    }

    fn is_due(&self) -> bool {
        let waiting = !self.waiting.names.is_empty();
        self.settings.is_some() && waiting && (self.waiting.active || self.triggered) && self.under_way.is_none()
    }

    /// Another ACS has not been told anything.
    pub(super) fn forget(&mut self) {
        self.told.clear();
        self.waiting = Changes::default();
    }

    pub(super) fn keep_only(&mut self, keep: &mut dyn FnMut(&str) -> bool) {
        self.told.keep_only(keep);
    }

    pub(super) fn watch(&mut self, name: &str, value: &str) {
        self.told.watch(name, value);
    }

    pub(super) fn set_by_acs(&mut self, name: &str, value: &str) {
        self.told.set_by_acs(name, value);
    }

    /// Finds what has changed since it was told last.
    pub(super) fn look<'a>(&mut self, values: &mut dyn Iterator<Item = Watched<'a>>) {
        if self.settings.is_some() {
            self.waiting = self.told.compare(Way::Lightweight, values);
        }
    }
}

impl Agent {
    /// Takes over the parameters.
    pub(super) fn configure_lightweight(&mut self) {
        let settings = Settings::read(&mut self.model.context(), &self.config.acs.url);
        if settings == self.lightweight.settings {
            return;
        }
        let now = look(self.live.as_ref(), &self.clock);
        let lightweight = &mut self.lightweight;
        if settings.is_none() {
            // What changes while nobody is told is no news later on.
            lightweight.forget();
        }
        let trigger = settings.as_ref().map_or(PeriodicSettings::NEVER, |settings| settings.trigger);
        lightweight.trigger.configure(trigger, now, super::random());
        lightweight.again_at = None;
        lightweight.settings = settings;
        self.look_soon();
    }

    /// Looks whether the trigger has come.
    pub(super) fn poll_lightweight(&mut self, now: Now) {
        if self.lightweight.trigger.poll(now, super::random()) {
            self.look_at_values();
            self.lightweight.triggered = !self.lightweight.waiting.names.is_empty();
        }
    }

    /// What is to be sent now. Active changes take passive ones along (CONFORMANCE N-11).
    pub fn lightweight_mail(&mut self) -> Option<Mail> {
        let now = self.now();
        if !self.lightweight.is_due() || self.lightweight.again_at.is_some_and(|at| at > now.monotonic) {
            return None;
        }
        let settings = self.lightweight.settings.clone()?;
        let mut context = self.model.context();
        let mut values: Vec<ParameterValue> =
            self.lightweight.waiting.names.iter().flat_map(|name| values_of(&mut context, name)).collect();
        self.lightweight.under_way = Some(values.clone());
        self.lightweight.triggered = false;
        told_by_instance_mode(&mut context, &mut values);
        let device = self.device_id();
        let username = self.acs_username();
        let sender = Sender {
            device: &device,
            username: &username,
            password: &self.config.acs.password.0,
            authority: &settings.authority(),
            now: now.utc.unwrap_or_else(|| UtcTime::from(self.live.wall_clock())).seconds(),
        };
        let messages = messages(sender, &values, &mut || {
            let mut bytes = [0; 16];
            fill_random(&mut bytes);
            format!("{:032x}", u128::from_be_bytes(bytes))
        });
        Some(Mail { host: settings.host, port: settings.port, messages })
    }

    /// The mail is on its way, or could not be sent.
    pub fn lightweight_sent(&mut self, sent: std::io::Result<()>) {
        let Some(values) = self.lightweight.under_way.take() else { return };
        match sent {
            Ok(()) => {
                log::info!("a lightweight notification tells of {} parameters", values.len());
                self.lightweight.told.acknowledge(&values);
                self.lightweight.waiting = Changes::default();
                self.lightweight.again_at = None;
                self.save();
            }
            Err(error) => {
                log::warn!("a lightweight notification is not sent: {error}");
                self.lightweight.triggered = true;
                self.lightweight.again_at = Some(self.live.monotonic().saturating_add(AGAIN));
            }
        }
        // What has changed meanwhile is still to be told.
        self.look_soon();
    }
}
