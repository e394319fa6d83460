//! What lives as long as the process: the model, the events, the plans, and what is saved of them.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::standalone::{self, Standalone};
use super::status::{SessionRecord, Status};
use super::{Options, random};
use crate::acs::{self, SystemResolver};
use crate::config::{Compression, Config, PACKAGE};
use crate::connreq::url::{configured_path, connection_request_url, random_path};
use crate::cwmp::answers::values_of;
use crate::cwmp::events::{EventCode, Queue};
use crate::cwmp::handlers::{Abilities, Consequence};
use crate::cwmp::inform::{self, Contents, InformParameter};
use crate::cwmp::notify::{Notification, Told, Watched};
use crate::cwmp::plan::{Demand, Interface, Plan, Planner, Reason, Settings};
use crate::cwmp::retry::Retry;
use crate::cwmp::schedule::{Periodic, PeriodicSettings, Scheduled};
use crate::cwmp::session::{Acknowledged, Outcome, SessionConfig};
use crate::cwmp::version::{Offer, Version};
use crate::error::{Error, Result};
use crate::model::Model;
use crate::model::attributes::AttributeChange;
use crate::model::context::{Context, Effects, Facts};
use crate::model::transaction::Written;
use crate::platform::clock::{ClockCheck, boot_id};
use crate::platform::live::Live;
use crate::platform::net::{InterfaceState, interface_state};
use crate::platform::uci::{self, EditError};
use crate::platform::{System, power};
use crate::soap::rpc::{DeviceId, Inform};
use crate::state::{Loaded, Store, Was};
use crate::time::{Now, PosixTz, UtcTime};

/// The files of the state besides the registry of the model.
const STATE: &str = "state.json";
const TOLD: &str = "told.json";

/// The last good time is saved this often, along with something else if possible: flash wears out.
const GOOD_TIME: u64 = 24 * 3600;

/// After a failed save it is tried again this much later.
const SAVE_AGAIN: Duration = Duration::from_secs(60);

/// The files that a commit has replaced are let go of this much later.
const RELEASE: Duration = Duration::from_secs(6);

/// Changes come in bursts; they are looked at this long after the first.
const SETTLE: Duration = Duration::from_millis(500);

/// What is saved in `state.json`.
#[derive(Clone, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
struct Saved {
    /// By which a reboot is told from a restart of the daemon.
    boot_id: String,
    /// The ACS that had its BOOTSTRAP, or has it waiting.
    acs_url: String,
    /// The path of the connection request URL.
    path: String,
    events: Queue,
    scheduled: Scheduled,
    /// What was promised to the ACS and is not done yet.
    promised: Promised,
    /// Seconds since 1970.
    last_good_time: u64,
}

/// What was promised to the ACS, and is done when the session is over (CONFORMANCE L-12, P-07).
#[derive(Clone, Default, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Promised {
    /// UCI packages whose services have to hear of a change.
    packages: BTreeSet<String>,
    /// Programs to be run.
    programs: BTreeSet<Vec<String>>,
    /// A reboot.
    reboot: bool,
    /// The factory state.
    factory_reset: bool,
}

impl Promised {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Everything that lives as long as the process.
pub struct Agent {
    options: Options,
    live: Arc<Live>,
    /// The data model.
    pub model: Model,
    config: Config,
    store: Arc<Mutex<Store>>,
    saved: Saved,
    told: Told,
    clock: ClockCheck,
    interface: InterfaceState,
    planner: Planner,
    retry: Retry,
    offer: Offer,
    periodic: Periodic,
    /// The operator wants a session at once.
    asked: bool,
    /// The parameters of the Inform under way.
    sent: Vec<crate::soap::rpc::ParameterValue>,
    sessions: u32,
    record: Option<SessionRecord>,
    /// What the listener refused last, in words.
    pub last_refusal: String,
    started: Duration,
    look_at: Option<Duration>,
    save_at: Option<Duration>,
    release_at: Option<Duration>,
    listening_port: Option<u16>,
    switches: Switches,
}

/// Settings that have no option in the configuration: they live in the model.
#[derive(Clone, Copy, Debug)]
struct Switches {
    /// HTTPConnectionRequestEnable
    connection_requests: bool,
    /// DefaultActiveNotificationThrottle
    throttle: Duration,
}

impl Switches {
    fn read(context: &mut Context) -> Self {
        let mut read = |name: &str| {
            let values = values_of(context, &format!("Device.ManagementServer.{name}"));
            values.into_iter().next().map(|value| value.value.text)
        };
        Self {
            connection_requests: read("HTTPConnectionRequestEnable").is_none_or(|value| value == "true"),
            throttle: read("DefaultActiveNotificationThrottle")
                .and_then(|value| value.parse().ok())
                .map_or(Duration::ZERO, Duration::from_secs),
        }
    }
}

/// What a session begins with.
pub struct Start {
    /// For the HTTP client.
    pub settings: acs::Settings,
    /// For the state machine.
    pub session: SessionConfig,
    /// How our bodies are packed.
    pub compression: Compression,
    /// What is taken from the ACS in one message, in bytes.
    pub max_envelope: usize,
}

impl Agent {
    /// Takes up the state of the last time, and finds out what has happened since.
    ///
    /// # Errors
    /// When another daemon has the state, or its directory cannot be used.
    pub fn open(options: &Options, live: Arc<Live>) -> Result<(Self, crate::state::Lock)> {
        let Standalone { config, model, store, lock, fresh, clock, .. } = Standalone::open_with(options, live.clone())?;
        let (saved, was, told) = {
            let mut store = store.lock().unwrap_or_else(PoisonError::into_inner);
            let Loaded { value: saved, was } = store.load::<Saved>(STATE);
            let Loaded { value: told, was: was_told } = store.load::<Told>(TOLD);
            if let Was::SetAside(reason) = &was_told {
                log::error!("{reason}");
            }
            (saved, was, told)
        };
        let clock = clock.not_before(saved.last_good_time);
        let interface = interface_state(live.as_ref(), &config.cpe.interface);
        let started = live.monotonic();
        let switches = Switches::read(&mut model.context());
        let mut agent = Self {
            switches,
            options: options.clone(),
            periodic: Periodic::new(periodic_settings(&config), look(live.as_ref(), &clock), random()),
            offer: Offer::new(version(&config)),
            planner: Planner::new(reachable(&interface), Duration::ZERO),
            live,
            model,
            config,
            store,
            saved,
            told,
            clock,
            interface,
            retry: Retry::default(),
            asked: false,
            sent: Vec::new(),
            sessions: 0,
            record: None,
            last_refusal: String::new(),
            started,
            look_at: None,
            save_at: None,
            release_at: None,
            listening_port: None,
        };
        agent.take_up(&was, fresh);
        Ok((agent, lock))
    }

    fn take_up(&mut self, was: &Was, fresh: bool) {
        if let Was::SetAside(reason) = was {
            log::error!("{reason}");
            // A state that cannot be read is no reason to believe that the ACS has never heard of us (INTERFACE.md, marks).
            self.saved.acs_url.clone_from(&self.config.acs.url);
        }
        let boot_id = boot_id(self.live.as_ref()).unwrap_or_default();
        let same_boot = self.saved.boot_id == boot_id && !boot_id.is_empty();
        if !same_boot {
            self.saved.boot_id = boot_id;
            self.saved.events.on_boot();
            // A reboot brings everything that was written into effect, and is what was promised.
            self.saved.promised = Promised { factory_reset: self.saved.promised.factory_reset, ..Promised::default() };
            if self.config.cpe.start_delay > 0 {
                let milliseconds = u64::from(self.config.cpe.start_delay).saturating_mul(1000);
                let wait = milliseconds.saturating_mul(u64::from(random())) / u64::from(u32::MAX);
                let until = self.started.saturating_add(Duration::from_millis(wait));
                let interface = reachable(&self.interface);
                self.planner = Planner::new(interface, until);
            }
        }
        self.saved.scheduled.restore(same_boot, self.now());
        // An ACS may take the credentials away later on; they are made on the first start only.
        if self.saved.path.is_empty() {
            let mut bytes = [0; 16];
            super::fill_random(&mut bytes);
            self.saved.path = random_path(bytes);
            self.make_credentials();
        }
        if fresh && matches!(was, Was::Fresh) {
            self.set_first_attributes();
        }
        self.look_for_bootstrap();
        self.refresh_facts();
        // What changed over the reboot is looked for when the port is open and the connection request URL is known (CONFORMANCE N-08).
        self.look_soon();
        self.save();
    }

    /// The user name and password of connection requests, made on the first start and written into the configuration (SECURITY S16).
    fn make_credentials(&mut self) {
        if !self.config.cpe.username.is_empty() && !self.config.cpe.password.0.is_empty() {
            return;
        }
        let mut username = self.config.cpe.username.clone();
        let mut password = self.config.cpe.password.0.clone();
        if username.is_empty() {
            username = self.device_id().serial_number;
            username = format!("cwmpd-{}", username.replace(|c: char| !c.is_ascii_alphanumeric(), ""));
        }
        if password.is_empty() {
            let mut bytes = [0; 16];
            super::fill_random(&mut bytes);
            password = random_path(bytes);
        }
        let written = standalone::edit(self.live.as_ref(), PACKAGE, &mut |package| {
            let id = match package.find("cpe") {
                Some(section) => section.id(),
                None => package.add_section("cpe", Some("cpe")).map_err(other)?,
            };
            package.set(id, "username", &username).map_err(other)?;
            package.set(id, "password", &password).map_err(other)?;
            Ok(())
        });
        if let Err(error) = written {
            log::error!(
                "the credentials of connection requests are not saved, and are others after the next start: {error}"
            );
        }
        self.config.cpe.username = username;
        self.config.cpe.password.0 = password;
    }

    /// Sets the attributes that the configuration has for the first boot.
    fn set_first_attributes(&mut self) {
        for notify in self.config.notify.clone() {
            let change = AttributeChange {
                name: notify.parameter.clone(),
                notification: Some(notify.notification.into()),
                access_list: None,
            };
            match self.model.set_attributes(&[change]) {
                Ok(names) => self.watch(&names),
                Err(fault) => log::warn!("notification of {} is not set: {fault}", notify.parameter),
            }
        }
    }

    /// One look at the clocks.
    #[must_use]
    pub fn now(&self) -> Now {
        look(self.live.as_ref(), &self.clock)
    }

    /// The router.
    #[must_use]
    pub fn live(&self) -> &Arc<Live> {
        &self.live
    }

    /// The settings.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The path, user name and password of connection requests.
    #[must_use]
    pub fn access(&self) -> (String, String, String) {
        (self.path(), self.config.cpe.username.clone(), self.config.cpe.password.0.clone())
    }

    /// Whether a connection request to this local address is answered (CONFORMANCE C-13).
    #[must_use]
    pub fn serves(&self, local: IpAddr) -> bool {
        !self.config.cpe.listen_address.is_empty() || self.interface.addresses.contains(&local)
    }

    fn path(&self) -> String {
        if self.config.cpe.path.is_empty() {
            return self.saved.path.clone();
        }
        configured_path(&self.config.cpe.path).unwrap_or_else(|_| self.saved.path.clone())
    }

    /// Says on which port connection requests are heard; `None` for none. The URL follows.
    pub fn listening(&mut self, port: Option<u16>) {
        if self.listening_port != port {
            self.listening_port = port;
            self.refresh_facts();
            self.look_soon();
        }
    }

    /// Whether connection requests are to be heard.
    #[must_use]
    pub fn should_listen(&self) -> bool {
        let switched_on = self.config.cpe.enable && self.switches.connection_requests;
        // What switches it off takes effect after its session (CONFORMANCE S-05).
        switched_on || (self.planner.in_session() && self.listening_port.is_some())
    }

    // Changes from outside.

    /// Reads the configuration again.
    pub fn reload(&mut self) {
        let (config, problems) = Config::load(self.live.as_ref());
        for problem in problems {
            log::warn!("{problem}");
        }
        if self.options.log_level.is_none() {
            log::set_max_level(config.cpe.log_level);
        }
        let version_changed = config.acs.cwmp_version != self.config.acs.cwmp_version;
        self.config = config;
        if version_changed {
            self.offer = Offer::new(version(&self.config));
        }
        let now = self.now();
        self.periodic.configure(periodic_settings(&self.config), now, random());
        self.look_for_bootstrap();
        self.network_changed();
    }

    /// An address or a link of the kernel has changed, or what `interface` means.
    pub fn network_changed(&mut self) {
        self.interface = interface_state(self.live.as_ref(), &self.config.cpe.interface);
        self.planner.interface(reachable(&self.interface));
        self.refresh_facts();
        self.look_soon();
    }

    /// The clock was set.
    pub fn clock_changed(&mut self) {
        let now = self.now();
        self.saved.scheduled.clock_known(now);
        self.refresh_facts();
        self.poll_timers();
    }

    /// Looks at the values shortly.
    pub fn look_soon(&mut self) {
        if self.look_at.is_none() {
            self.look_at = Some(self.live.monotonic().saturating_add(SETTLE));
        }
    }

    fn refresh_facts(&mut self) {
        let cpe = &self.config.cpe;
        let listen: Option<IpAddr> = cpe.listen_address.parse().ok();
        let listen = listen.filter(|address| !address.is_unspecified());
        let address = listen.or_else(|| self.interface.addresses.first().copied());
        let url = match (self.listening_port, address) {
            (Some(port), Some(address)) => connection_request_url(address, port, &self.path()),
            _ => String::new(),
        };
        self.switches = Switches::read(&mut self.model.context());
        let clock_known = self.now().utc.is_some();
        self.model.set_facts(Facts {
            connection_request_url: url,
            clock_known,
            interface: cpe.interface.clone(),
            address,
        });
    }

    /// Another URL of the ACS, from wherever it came, is another ACS (CONFORMANCE B-01, B-03). Not while a session is running.
    fn look_for_bootstrap(&mut self) {
        let url = &self.config.acs.url;
        if self.planner.in_session() || url.is_empty() || *url == self.saved.acs_url {
            return;
        }
        let first = self.saved.acs_url.is_empty();
        self.saved.acs_url.clone_from(url);
        self.saved.events.bootstrap();
        self.saved.scheduled.clear();
        self.told.clear();
        self.offer.acs_changed();
        self.planner.end_wait();
        if !first {
            self.model.registry().clear_attributes();
            if let Err(error) = self.model.save() {
                log::error!("the attributes for the former ACS are not forgotten: {error}");
            }
            self.set_first_attributes();
        }
        log::info!("the ACS is another one: 0 BOOTSTRAP");
        self.save();
    }

    // Values.

    /// Compares the values that are watched with what the ACS was told last, and says which have changed.
    pub fn look_at_values(&mut self) -> Vec<String> {
        self.look_at = None;
        let mut context = self.model.context();
        let watched = self.model.notified(&mut context);
        let values: Vec<(String, String, Notification)> = watched
            .into_iter()
            .filter_map(|(name, notification)| {
                let notification = Notification::from_number(notification.into())?;
                let value = values_of(&mut context, &name).into_iter().next()?;
                Some((name, value.value.text, notification))
            })
            .collect();
        let mut all =
            values.iter().map(|(name, value, notification)| Watched { name, value, notification: *notification });
        let changes = self.told.compare(&mut all);
        self.saved.events.set_value_change(changes.active);
        changes.names
    }

    /// From now on these values are watched; what they are now is no change (CONFORMANCE N-09).
    fn watch(&mut self, names: &[String]) {
        let mut context = self.model.context();
        for name in names {
            if let Some(value) = values_of(&mut context, name).into_iter().next() {
                self.told.watch(name, &value.value.text);
            }
        }
    }

    /// Something was written by the command line: others than the ACS, so that the ACS hears of it (CONFORMANCE N-04).
    pub fn written_locally(&mut self, written: &Written) {
        self.release_at = Some(self.live.monotonic().saturating_add(RELEASE));
        if written.effects.packages.contains(PACKAGE) {
            self.reload();
        }
        self.refresh_facts();
        self.look_soon();
    }

    // Sessions.

    /// When to start the next session.
    #[must_use]
    pub fn plan(&self) -> Plan {
        let settings = Settings {
            enable: self.config.cpe.enable,
            url: !self.config.acs.url.is_empty(),
            throttle: self.switches.throttle,
        };
        self.planner.plan(self.live.monotonic(), settings, Demand::of(&self.saved.events, self.asked))
    }

    /// When something is to be done besides sessions.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Duration> {
        let own = [self.look_at, self.save_at, self.release_at];
        [self.periodic.due(), self.saved.scheduled.due()].into_iter().chain(own).flatten().min()
    }

    /// Does what is due.
    pub fn poll_timers(&mut self) {
        let now = self.now();
        if self.periodic.poll(now, random()) {
            self.saved.events.add(EventCode::Periodic);
        }
        for key in self.saved.scheduled.poll(now) {
            if self.saved.events.add_multiple(EventCode::MScheduleInform, &key).is_err() {
                log::error!("too many events wait: a ScheduleInform is lost");
            }
        }
        if self.look_at.is_some_and(|at| at <= now.monotonic) {
            self.look_at_values();
        }
        if self.save_at.is_some_and(|at| at <= now.monotonic) || self.must_save() {
            self.save();
        }
        if self.release_at.is_some_and(|at| at <= now.monotonic) {
            self.release_at = None;
            uci::release_replaced();
        }
    }

    fn must_save(&self) -> bool {
        let changed =
            self.saved.events.must_persist() || self.saved.scheduled.must_persist() || self.told.must_persist();
        changed && self.save_at.is_none()
    }

    /// The ACS has sent a connection request.
    pub fn connection_requested(&mut self, peer: IpAddr) {
        log::info!("connection request from {peer}");
        self.saved.events.add(EventCode::ConnectionRequest);
    }

    /// A session is asked for on the command line; returns its number.
    ///
    /// # Errors
    /// Why there can be none.
    pub fn request_session(&mut self, event: EventCode) -> std::result::Result<u32, String> {
        if self.config.acs.url.is_empty() {
            return Err("there is no URL of an ACS: set cwmpd.acs.url".into());
        }
        if !self.config.cpe.enable {
            return Err("sessions are switched off: cwmpd.cpe.enable is 0".into());
        }
        if event.is_multiple() {
            self.saved.events.add_multiple(event, "").map_err(|code| code.text().to_string())?;
        } else {
            self.saved.events.add(event);
        }
        self.asked = true;
        Ok(self.sessions.saturating_add(1))
    }

    /// The session with this number, or a later one, if it is over.
    #[must_use]
    pub fn ended_session(&self, number: u32) -> Option<SessionRecord> {
        self.record.as_ref().filter(|record| record.number >= number && !record.ended.is_empty()).cloned()
    }

    /// Begins a session: everything that its Inform tells is looked up now.
    #[must_use]
    pub fn begin_session(&mut self, reason: Reason) -> Start {
        let retrying = self.retry.count() > 0;
        let changed = if self.saved.events.only_heartbeat(retrying) { Vec::new() } else { self.look_at_values() };
        self.saved.events.set_value_change(!changed.is_empty());
        self.asked = false;
        self.planner.session_started();
        let events = self.saved.events.for_inform(retrying);
        self.sessions = self.sessions.saturating_add(1);
        let codes: Vec<String> = events.iter().map(|event| event.code.clone()).collect();
        log::info!("session {} begins: {}", self.sessions, codes.join(", "));
        let mut record = SessionRecord {
            number: self.sessions,
            started: self.clock_text(),
            events: codes,
            ..SessionRecord::default()
        };
        record.step(match reason {
            Reason::Asked => "begins because it was asked for",
            Reason::Retry => "begins because the last one failed",
            Reason::Event => "begins because of an event",
            Reason::ValueChange => "begins because a value has changed",
        });
        self.record = Some(record);
        self.save();
        let inform = self.inform(events, &changed);
        self.sent.clone_from(&inform.parameters);
        if let Err(error) = self.model.save() {
            log::warn!("instance numbers are not saved yet: {error}");
        }
        let mut id = [0; 4];
        super::fill_random(&mut id);
        Start {
            settings: self.acs_settings(),
            session: SessionConfig {
                version: self.offer.current(),
                inform,
                own_requests: Vec::new(),
                id_prefix: format!("{:08x}-", u32::from_be_bytes(id)),
                session_timeout: None,
            },
            compression: self.config.acs.compression,
            max_envelope: usize::try_from(self.config.acs.max_envelope).unwrap_or(usize::MAX),
        }
    }

    fn inform(&mut self, events: Vec<crate::soap::rpc::Event>, changed: &[String]) -> Inform {
        let device_id = self.device_id();
        let now = self.now().utc;
        let mut context = self.model.context();
        let rows = inform_parameters(&mut context);
        let zone = values_of(&mut context, "Device.Time.LocalTimeZone").into_iter().next();
        let zone = zone.and_then(|zone| PosixTz::parse(&zone.value.text)).unwrap_or(PosixTz::UTC);
        let contents = Contents {
            device_id,
            events,
            now,
            zone: &zone,
            retry_count: self.retry.count(),
            changed,
            rows: &rows,
            extra: &self.config.inform,
        };
        inform::assemble(contents, &mut crate::cwmp::answers::Reader(&mut context))
    }

    /// Who we are: what DeviceInfo says (CONFORMANCE I-01).
    fn device_id(&self) -> DeviceId {
        let mut context = self.model.context();
        let mut read = |name: &str| {
            let values = values_of(&mut context, &format!("Device.DeviceInfo.{name}"));
            values.into_iter().next().map(|value| value.value.text).unwrap_or_default()
        };
        DeviceId {
            manufacturer: read("Manufacturer"),
            oui: read("ManufacturerOUI"),
            product_class: read("ProductClass"),
            serial_number: read("SerialNumber"),
        }
    }

    fn acs_settings(&self) -> acs::Settings {
        let acs = &self.config.acs;
        let host = |path: &str| self.live.host_path(path).unwrap_or_else(|_| path.into());
        let optional = |path: &str| (!path.is_empty()).then(|| host(path));
        if !acs.verify && acs.url.starts_with("https") {
            log::warn!("the certificate of the ACS is not verified: cwmpd.acs.verify is 0");
        }
        let username = if acs.username == "auto" {
            standalone::identity(self.live.as_ref(), &self.config).unique_name()
        } else {
            acs.username.clone()
        };
        acs::Settings {
            url: acs.url.clone(),
            username,
            password: acs.password.0.clone(),
            ca_file: host(&acs.ca_file),
            client_cert: optional(&acs.client_cert),
            client_key: optional(&acs.client_key),
            verify: acs.verify,
            timeout: Duration::from_secs(acs.http_timeout.into()),
            basic_over_http: acs.basic_over_http,
            max_envelope: usize::try_from(acs.max_envelope).unwrap_or(usize::MAX),
            compression: match acs.compression {
                Compression::None => acs::Compression::None,
                Compression::Gzip => acs::Compression::Gzip,
                Compression::Deflate => acs::Compression::Deflate,
            },
            resolver: Arc::new(SystemResolver),
            clock: self.now().utc.and_then(|utc| u64::try_from(utc.seconds()).ok()),
            bind_device: None,
            user_agent: concat!("cwmpd/", env!("CARGO_PKG_VERSION")).into(),
        }
    }

    /// Notes a step of the session for `cwmpd status --last`.
    pub fn step(&mut self, text: impl Into<String>) {
        if let Some(record) = &mut self.record {
            record.step(text);
        }
    }

    /// The ACS has answered for good: taken off the queue and saved, before anything else goes out (CONFORMANCE E-02, R-10).
    pub fn acknowledged(&mut self, acknowledged: &Acknowledged) {
        if *acknowledged == Acknowledged::Inform {
            self.saved.events.acknowledge_inform();
            let sent = std::mem::take(&mut self.sent);
            self.told.acknowledge(&sent);
            self.save();
        }
    }

    /// What the router can do just now.
    #[must_use]
    pub fn abilities(&self) -> Abilities {
        Abilities {
            factory_reset: power::can_factory_reset(self.live.as_ref()),
            schedule_informs: self.saved.scheduled.room(),
        }
    }

    /// A request of the ACS has been carried out: what it leads to is noted and saved before the answer goes out.
    pub fn promise(&mut self, consequence: Consequence) {
        match consequence {
            Consequence::None => return,
            Consequence::Written(written) => {
                if written.effects.packages.contains(PACKAGE) {
                    self.reload();
                }
                let mut context = self.model.context();
                for name in &written.names {
                    if let Some(value) = values_of(&mut context, name).into_iter().next() {
                        self.told.set_by_acs(name, &value.value.text);
                    }
                }
                self.promise_effects(written.effects);
                self.refresh_facts();
                self.look_soon();
            }
            Consequence::Notifying(names) => self.watch(&names),
            Consequence::Reboot { command_key } => {
                self.saved.promised.reboot = true;
                if self.saved.events.add_at_next_boot(EventCode::MReboot, &command_key).is_err() {
                    log::error!("too many events wait: an M Reboot is lost");
                }
            }
            Consequence::FactoryReset => self.saved.promised.factory_reset = true,
            Consequence::ScheduleInform { delay_seconds, command_key } => {
                let now = self.now();
                if let Err(fault) = self.saved.scheduled.add(delay_seconds, &command_key, now) {
                    log::error!("a ScheduleInform is lost: {fault}");
                }
            }
        }
        self.save();
    }

    fn promise_effects(&mut self, effects: Effects) {
        self.release_at = Some(self.live.monotonic().saturating_add(RELEASE));
        let packages = effects.packages.into_iter().filter(|package| package != PACKAGE);
        self.saved.promised.packages.extend(packages);
        self.saved.promised.programs.extend(effects.programs);
    }

    /// Ends a session.
    pub fn end_session(&mut self, outcome: &Outcome) {
        let complete = *outcome == Outcome::Complete;
        self.saved.events.session_ended(complete);
        let wait = match outcome {
            Outcome::Complete => {
                self.retry.succeeded();
                log::info!("session {} ended well", self.sessions);
                None
            }
            Outcome::Failed(failure) => {
                self.retry.failed(failure.retry_after);
                if failure.lower_version {
                    self.offer.refused();
                }
                let acs = &self.config.acs;
                let wait = self.retry.wait(acs.retry_min_wait, acs.retry_multiplier, random());
                log::warn!(
                    "session {} failed: {}; the next try is in {} s",
                    self.sessions,
                    failure.reason,
                    wait.as_secs()
                );
                Some(wait)
            }
        };
        self.planner.session_ended(self.live.monotonic(), wait);
        let ended = self.clock_text();
        if let Some(record) = &mut self.record {
            record.ended = ended;
            record.complete = complete;
            if let Outcome::Failed(failure) = outcome {
                record.reason.clone_from(&failure.reason);
            }
        }
        self.look_for_bootstrap();
        self.look_soon();
        self.save();
    }

    /// What was promised and is to be done now; it is kept until [`Self::kept_promise`] says that it was.
    #[must_use]
    pub fn promised(&self) -> Option<Promised> {
        (!self.saved.promised.is_empty() && !self.planner.in_session()).then(|| self.saved.promised.clone())
    }

    /// What was promised has been done.
    pub fn kept_promise(&mut self, promised: &Promised) {
        let open = &mut self.saved.promised;
        open.packages.retain(|package| !promised.packages.contains(package));
        open.programs.retain(|program| !promised.programs.contains(program));
        open.reboot &= !promised.reboot;
        open.factory_reset &= !promised.factory_reset;
        self.network_changed();
        self.save();
    }

    // State.

    /// Saves what has changed. When that fails it is tried again; nothing is lost before a power cut.
    pub fn save(&mut self) {
        let now = self.now();
        if let Some(seconds) = now.utc.and_then(|utc| u64::try_from(utc.seconds()).ok()) {
            if seconds >= self.saved.last_good_time.saturating_add(GOOD_TIME) {
                self.saved.last_good_time = seconds;
            }
        }
        let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        let saved = store.save(STATE, &self.saved).and_then(|()| store.save(TOLD, &self.told));
        drop(store);
        match saved {
            Ok(()) => {
                self.saved.events.persisted();
                self.saved.scheduled.persisted();
                self.told.persisted();
                self.save_at = None;
            }
            Err(error) => {
                if self.save_at.is_none() {
                    log::error!("the state is not saved, and a power cut would lose it: {error}; it is tried again");
                }
                self.save_at = Some(now.monotonic.saturating_add(SAVE_AGAIN));
            }
        }
    }

    fn clock_text(&self) -> String {
        UtcTime::from(self.live.wall_clock()).whole_seconds().to_string()
    }

    /// Whether a session is running.
    #[must_use]
    pub fn in_session(&self) -> bool {
        self.planner.in_session()
    }

    /// What `cwmpd status` tells.
    #[must_use]
    pub fn status(&self) -> Status {
        let now = self.live.monotonic();
        let next_session = match self.plan() {
            _ if self.planner.in_session() => "after the running one, if there is something to tell".into(),
            Plan::Now(_) => "now".into(),
            Plan::At(at) => format!("in {} s", at.saturating_sub(now).as_secs()),
            Plan::Never => match self.periodic.due() {
                _ if !self.config.cpe.enable => "none: cwmpd.cpe.enable is 0".into(),
                _ if self.config.acs.url.is_empty() => "none: there is no URL of an ACS".into(),
                Some(at) => format!("in {} s, periodic", at.saturating_sub(now).as_secs()),
                None => String::new(),
            },
        };
        let event = |(code, key): (&EventCode, &str)| match key {
            "" => String::from(code.text()),
            key => format!("{} ({key})", code.text()),
        };
        Status {
            version: env!("CARGO_PKG_VERSION").into(),
            uptime: now.saturating_sub(self.started).as_secs(),
            enabled: self.config.cpe.enable,
            acs_url: self.config.acs.url.clone(),
            connection_request_url: self.model.context().facts().connection_request_url.clone(),
            clock_known: self.now().utc.is_some(),
            interface_up: self.interface.up,
            in_session: self.planner.in_session(),
            retry_count: self.retry.count(),
            next_session,
            pending_events: self.saved.events.iter().map(event).collect(),
            last_session: self.record.clone(),
            last_refusal: self.last_refusal.clone(),
            programs_started: self.live.started(),
        }
    }
}

/// Does what was promised. A reboot comes last; nothing else is done before a return to the factory state.
pub fn keep_promise(live: &Live, promised: &Promised) {
    if promised.factory_reset {
        log::info!("going back to the factory state, as the ACS asked");
        if let Err(error) = power::factory_reset(live) {
            log::error!("{error}");
        }
        return;
    }
    apply(live, &promised.packages, &promised.programs);
    if promised.reboot {
        log::info!("rebooting, as the ACS asked");
        if let Err(error) = power::reboot(live) {
            log::error!("{error}");
        }
    }
}

/// Tells the services of changes, each once, and runs programs.
pub fn apply(live: &Live, packages: &BTreeSet<String>, programs: &BTreeSet<Vec<String>>) {
    let packages: Vec<&str> = packages.iter().map(String::as_str).filter(|package| *package != PACKAGE).collect();
    if let Err(errors) = power::apply(live, &packages) {
        for error in errors {
            log::error!("{error}");
        }
    }
    for argv in programs {
        let argv: Vec<&str> = argv.iter().map(String::as_str).collect();
        if let Err(error) = power::run(live, &argv) {
            log::error!("{error}");
        }
    }
}

fn other(error: EditError) -> Error {
    Error::Other(error.to_string())
}

fn look(live: &Live, clock: &ClockCheck) -> Now {
    let wall = live.wall_clock();
    Now { monotonic: live.monotonic(), utc: clock.is_known(wall).then(|| UtcTime::from(wall)) }
}

fn version(config: &Config) -> Version {
    Version::parse(&format!("1.{}", config.acs.cwmp_version.0)).unwrap_or(Version::V1_4)
}

fn periodic_settings(config: &Config) -> PeriodicSettings {
    PeriodicSettings {
        enable: config.acs.periodic_enable,
        interval: config.acs.periodic_interval,
        time: UtcTime::parse(&config.acs.periodic_time).unwrap_or(UtcTime::UNKNOWN),
    }
}

/// Whether there is a way to the ACS, as far as anybody can tell: what nobody is certain of is no reason to wait.
fn reachable(state: &InterfaceState) -> Interface {
    match (state.up, state.certain) {
        (true, _) => Interface::Up,
        (false, true) => Interface::Down,
        (false, false) => Interface::Unknown,
    }
}

fn inform_parameters(context: &mut Context) -> Vec<InformParameter> {
    let mut rows: Vec<(String, InformParameter)> = Vec::new();
    for value in values_of(context, "Device.ManagementServer.InformParameter.") {
        let Some((row, name)) = value.name.rsplit_once('.') else { continue };
        if rows.last().is_none_or(|(last, _)| last != row) {
            let empty = InformParameter { enable: false, name: String::new(), events: Vec::new() };
            rows.push((String::from(row), empty));
        }
        let Some((_, parameter)) = rows.last_mut() else { continue };
        match name {
            "Enable" => parameter.enable = value.value.text == "true",
            "ParameterName" => parameter.name = value.value.text,
            "EventList" => {
                let codes = value.value.text.split(',').filter(|code| !code.is_empty());
                parameter.events = codes.map(String::from).collect();
            }
            _ => {}
        }
    }
    rows.into_iter().map(|(_, row)| row).filter(|row| !row.name.is_empty()).collect()
}
