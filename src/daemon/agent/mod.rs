//! What lives as long as the process: the model, the events, the plans, and what is saved of them.

#[cfg(feature = "manageable-devices")]
mod devices;
#[cfg(feature = "diagnostics")]
mod diagnostics;
#[cfg(feature = "discovery")]
pub mod discovery;
mod guard;
#[cfg(feature = "lightweight")]
mod lightweight;
mod line;
mod report;
mod requests;
mod saved;
mod sessions;
mod timed;
mod transfers;
mod tries;
#[cfg(feature = "stun")]
mod udp;
#[cfg(feature = "speed-tests")]
mod udp_echo;
mod units;
mod values;
mod written;
#[cfg(feature = "xmpp")]
mod xmpp;

#[cfg(feature = "diagnostics")]
pub use diagnostics::TestJob;
#[cfg(feature = "lightweight")]
pub use lightweight::Mail;
pub use saved::{Promised, apply, keep_promise};
pub use sessions::Start;
#[cfg(feature = "bulk-data")]
pub use timed::BulkJob;
pub use transfers::Job;
pub use units::UnitJob;
#[cfg(feature = "xmpp")]
pub use xmpp::{Found, Target};

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use self::line::Line;
use self::saved::{STATE, Saved, TOLD, TRANSFERS};
use self::transfers::{Transfers, UnderWay};
use super::guard::SharedGuard;
use super::standalone::{self, Standalone};
use super::status::SessionRecord;
use super::{Options, random};
use crate::config::{Config, PACKAGE};
use crate::connreq::http::Refusal;
use crate::connreq::url::{configured_path, connection_request_url, random_path};
use crate::cwmp::answers::text_of;
use crate::cwmp::events::EventCode;
use crate::cwmp::notify::Told;
use crate::cwmp::plan::{Interface, Planner};
use crate::cwmp::retry::Retry;
use crate::cwmp::schedule::{Periodic, PeriodicSettings};
use crate::cwmp::version::{Offer, Version};
use crate::error::{Error, Result};
use crate::model::Model;
use crate::model::attributes::AttributeChange;
use crate::model::context::{Context, Facts};
use crate::platform::System;
use crate::platform::clock::{ClockCheck, boot_id};
use crate::platform::live::Live;
use crate::platform::net::{InterfaceState, interface_state};
use crate::platform::uci::{self, EditError};
use crate::soap::rpc::ParameterValue;
use crate::sorted::Set;
use crate::state::{Loaded, Store, Was};
use crate::time::{Now, UtcTime};

/// Whoever replaces the settings without a rename is through with it in this time.
const WRITING: Duration = Duration::from_secs(2);

/// Everything that lives as long as the process.
pub struct Agent {
    options: Options,
    live: Arc<Live>,
    /// The data model.
    pub model: Model,
    config: Config,
    store: Arc<Mutex<Store>>,
    guard: SharedGuard,
    saved: Saved,
    told: Told,
    #[cfg(feature = "lightweight")]
    lightweight: lightweight::Lightweight,
    #[cfg(feature = "xmpp")]
    xmpp: xmpp::Xmpp,
    #[cfg(feature = "discovery")]
    discovery: discovery::Discovery,
    #[cfg(feature = "manageable-devices")]
    devices: devices::Devices,
    #[cfg(feature = "stun")]
    udp: udp::Udp,
    clock: ClockCheck,
    /// What the clocks showed when the one on the wall was last set: the time since the boot, and the time of day.
    clocks: (Duration, SystemTime),
    interface: InterfaceState,
    planner: Planner,
    retry: Retry,
    offer: Offer,
    periodic: Periodic,
    /// The operator wants a session at once.
    asked: bool,
    /// The parameters of the Inform under way.
    sent: Vec<ParameterValue>,
    sessions: u32,
    record: Option<SessionRecord>,
    /// What the listener refused last.
    pub refused: Option<Refusal>,
    /// What was refused over XMPP last, in words.
    last_refusal: String,
    started: Duration,
    look_at: Option<Duration>,
    /// When the settings are read that somebody was just writing.
    reload_at: Option<Duration>,
    save_at: Option<Duration>,
    release_at: Option<Duration>,
    /// No session before this time.
    quiet_until: Option<Duration>,
    /// When the time of a row that the ACS gave a time is over.
    expiry_at: Option<Duration>,
    /// The programs of the last upkeep, and when they are run again if they are still called for.
    tried: (Set<Vec<String>>, Duration),
    listening_port: Option<u16>,
    switches: Switches,
    transfers: Transfers,
    /// The request whose operation a worker has, and what ends that.
    unit_under_way: Option<units::UnitUnderWay>,
    /// The transfer that a worker has.
    under_way: Option<UnderWay>,
    /// Before this time the network may not be complete yet.
    network_at: Option<Duration>,
    line: Line,
    #[cfg(feature = "diagnostics")]
    tests: diagnostics::Tests,
    #[cfg(any(feature = "heartbeat", feature = "bulk-data", feature = "periodic-statistics"))]
    timed: timed::Timed,
    #[cfg(feature = "speed-tests")]
    udp_echo: Option<crate::diagnostics::speed::server::Settings>,
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
        let mut read = |name: &str| text_of(context, &format!("Device.ManagementServer.{name}"));
        Self {
            connection_requests: read("HTTPConnectionRequestEnable").is_none_or(|value| value == "true"),
            throttle: read("DefaultActiveNotificationThrottle")
                .and_then(|value| value.parse().ok())
                .map_or(Duration::ZERO, Duration::from_secs),
        }
    }
}

impl Agent {
    /// Takes up the state of the last time, and finds out what has happened since.
    ///
    /// # Errors
    /// When another daemon has the state, or its directory cannot be used.
    pub fn open(options: &Options, live: Arc<Live>) -> Result<(Self, crate::state::Lock)> {
        let Standalone { config, mut model, store, lock, clock, .. } = Standalone::open_with(options, live.clone())?;
        let (saved, was, told, transfers) = {
            let mut store = store.lock().unwrap_or_else(PoisonError::into_inner);
            let Loaded { value: saved, was } = store.load::<Saved>(STATE);
            let Loaded { value: told, was: was_told } = store.load::<Told>(TOLD);
            let Loaded { value: transfers, was: were_transfers } = store.load::<Transfers>(TRANSFERS);
            for was in [&was_told, &were_transfers] {
                if let Was::SetAside(reason) = was {
                    log::error!("{reason}");
                }
            }
            (saved, was, told, transfers)
        };
        #[cfg(feature = "lightweight")]
        let lightweight = lightweight::Lightweight::open(&mut store.lock().unwrap_or_else(PoisonError::into_inner));
        #[cfg(feature = "stun")]
        let udp = udp::Udp::new(&saved.udp_seen);
        let state_dir = live.host_path(&config.cpe.state_dir);
        let guard = SharedGuard::open(live.clone(), state_dir.map_err(Error::io("find the state"))?);
        model.set_guard(written::noting(guard.asked_by_model(), live.clone()));
        model.fleeting().runs_tests = cfg!(feature = "diagnostics");
        let clock = clock.not_before(saved.last_good_time);
        let interface = interface_state(live.as_ref(), &config.cpe.interface);
        let started = live.monotonic();
        let clocks = (started, live.wall_clock());
        let switches = Switches::read(&mut model.context());
        #[cfg(feature = "discovery")]
        let discovery = discovery::Discovery::open(&live);
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
            guard,
            saved,
            told,
            #[cfg(feature = "lightweight")]
            lightweight,
            #[cfg(feature = "xmpp")]
            xmpp: xmpp::Xmpp::default(),
            #[cfg(feature = "discovery")]
            discovery,
            #[cfg(feature = "manageable-devices")]
            devices: devices::Devices::default(),
            #[cfg(feature = "stun")]
            udp,
            clock,
            clocks,
            interface,
            retry: Retry::default(),
            asked: false,
            sent: Vec::new(),
            sessions: 0,
            record: None,
            refused: None,
            last_refusal: String::new(),
            started,
            look_at: None,
            reload_at: None,
            save_at: None,
            release_at: None,
            expiry_at: None,
            tried: Default::default(),
            quiet_until: None,
            listening_port: None,
            transfers,
            unit_under_way: None,
            under_way: None,
            network_at: None,
            line: Line::default(),
            #[cfg(feature = "diagnostics")]
            tests: diagnostics::Tests::default(),
            #[cfg(any(feature = "heartbeat", feature = "bulk-data", feature = "periodic-statistics"))]
            timed: timed::Timed::default(),
            #[cfg(feature = "speed-tests")]
            udp_echo: None,
        };
        agent.take_up(&was);
        Ok((agent, lock))
    }

    fn take_up(&mut self, was: &Was) {
        if let Was::SetAside(reason) = was {
            log::error!("{reason}");
            // A state that cannot be read is no reason to believe that the ACS has never heard of us (INTERFACE.md, marks).
            self.saved.acs_url.clone_from(&self.config.acs.url);
        }
        let boot_id = boot_id(self.live.as_ref()).unwrap_or_default();
        // Where nothing tells boots apart, nothing says that this is another one (INTERFACE.md: only when it changed).
        let same_boot = self.saved.boot_id == boot_id && (!boot_id.is_empty() || *was == Was::Read);
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
        if same_boot {
            self.take_up_tries();
            self.take_up_written();
        }
        #[cfg(feature = "scheduled-reboot")]
        if !same_boot {
            self.reboot_happened();
        }
        self.saved.scheduled.restore(same_boot, self.now());
        self.take_up_transfers(same_boot);
        // An ACS may take the credentials away later on; they are made on the first start only.
        if self.saved.path.is_empty() {
            let mut bytes = [0; 16];
            super::fill_random(&mut bytes);
            self.saved.path = random_path(bytes);
            self.saved.credentials_due = true;
        }
        self.make_identity();
        // The command line may have made the memory of the model before, but no attributes: those come from here and from the ACS.
        if matches!(was, Was::Fresh) && self.model.registry().attributes().is_empty() {
            self.set_first_attributes();
        }
        self.take_up_guard(same_boot);
        #[cfg(feature = "manageable-devices")]
        self.announce_gateway();
        #[cfg(feature = "discovery")]
        self.discover();
        self.take_up_timed();
        #[cfg(feature = "diagnostics")]
        self.take_up_tests();
        self.look_for_bootstrap();
        self.refresh_facts();
        // What changed over the reboot is looked for when the port is open and the connection request URL is known (CONFORMANCE N-08).
        self.look_soon();
        self.save();
        self.written_is_promised();
    }

    /// Makes what the configuration has to have and does not: on the first start, and once it can be written where it could not be then.
    fn make_identity(&mut self) {
        if self.saved.credentials_due {
            self.make_serial_number();
            self.make_credentials();
        }
    }

    /// The user name and password of connection requests, made on the first start and written into the configuration (SECURITY S16).
    fn make_credentials(&mut self) {
        self.saved.credentials_due = false;
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
            self.saved.credentials_due = true;
            log::error!(
                "the credentials of connection requests are not saved, and others are made once they can be: {error}"
            );
        }
        self.config.cpe.username = username;
        self.config.cpe.password.0 = password;
    }

    /// A serial number for a router that has none, and no address to make one of: no ACS takes an empty one. It is made on the first start and written
    /// into the configuration, so that it stays what it is (CONFORMANCE I-01).
    fn make_serial_number(&mut self) {
        if !self.device_id().serial_number.is_empty() {
            return;
        }
        let mut bytes = [0; 8];
        super::fill_random(&mut bytes);
        let number = format!("{:016X}", u64::from_be_bytes(bytes));
        let written = standalone::edit(self.live.as_ref(), PACKAGE, &mut |package| {
            let id = match package.find("device") {
                Some(section) => section.id(),
                None => package.add_section("device", Some("device")).map_err(other)?,
            };
            package.set(id, "serial_number", &number).map_err(other)?;
            Ok(())
        });
        match written {
            Ok(()) => {
                log::warn!("this router has no serial number: cwmpd.device.serial_number is {number} from now on");
                self.config.device.serial_number = number;
            }
            Err(error) => log::error!("this router has no serial number, and cannot be given one: {error}"),
        }
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
                Ok(switched) => self.watch(&switched),
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
        let monotonic = self.live.monotonic();
        // `tar` takes a file away before it writes the new one. What stands there meanwhile are no settings: without a URL and with the defaults
        // for all else DHCP could name another ACS, for good.
        if self.transfers.queue.is_applying() {
            self.reload_at = None;
            return;
        }
        let put_off = !self.config.acs.url.is_empty() && self.has_no_settings();
        if put_off && self.reload_at.is_none_or(|at| at > monotonic) {
            self.reload_at = self.reload_at.or(Some(monotonic.saturating_add(WRITING)));
            return;
        }
        self.reload_at = None;
        let (config, problems) = Config::load(self.live.as_ref());
        for problem in problems {
            log::warn!("{problem}");
        }
        if self.options.log_level.is_none() {
            log::set_max_level(config.cpe.log_level);
        }
        let version_changed = config.acs.cwmp_version != self.config.acs.cwmp_version;
        self.config = config;
        if self.saved.credentials_due {
            self.make_identity();
            self.save();
        }
        if version_changed {
            self.offer = Offer::new(version(&self.config));
        }
        let now = self.now();
        self.periodic.configure(periodic_settings(&self.config), now, random());
        #[cfg(feature = "manageable-devices")]
        self.announce_gateway();
        self.look_for_bootstrap();
        self.network_changed();
    }

    /// Whether the file of the settings is not there, or empty.
    fn has_no_settings(&self) -> bool {
        self.live.load_package(PACKAGE).is_ok_and(|package| package.sections().next().is_none())
    }

    /// An address or a link of the kernel has changed, or what `interface` means.
    pub fn network_changed(&mut self) {
        self.interface = interface_state(self.live.as_ref(), &self.config.cpe.interface);
        self.planner.interface(reachable(&self.interface));
        #[cfg(feature = "discovery")]
        self.discover();
        self.refresh_facts();
        self.look_soon();
    }

    /// The clock was set.
    pub fn clock_changed(&mut self) {
        self.heed_set_back();
        let now = self.now();
        self.saved.scheduled.clock_known(now);
        self.transfers.queue.clock_known(now);
        self.refresh_facts();
        // Ends of leases and of rules are times of day: how long they are away was reckoned by the clock as it was.
        self.expiry_at = Some(now.monotonic);
        self.poll_timers();
    }

    /// Forgets the time that is left of a clock that was ahead: a single wrong answer of a time server would make the right time unknown over every
    /// boot, for as many years as it was off.
    fn heed_set_back(&mut self) {
        let (monotonic, wall) = (self.live.monotonic(), self.live.wall_clock());
        let (then, shown) = std::mem::replace(&mut self.clocks, (monotonic, wall));
        let expected = shown.checked_add(monotonic.saturating_sub(then)).unwrap_or(shown);
        let Some(clock) = self.clock.set_back(expected, wall) else { return };
        self.clock = clock;
        let seconds = wall.duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
        if seconds < self.saved.last_good_time {
            log::info!("the clock was ahead, and is set back");
            self.saved.last_good_time = seconds;
            self.save();
        }
    }

    fn refresh_facts(&mut self) {
        self.switches = Switches::read(&mut self.model.context());
        let cpe = &self.config.cpe;
        let listen: Option<IpAddr> = cpe.listen_address.parse().ok();
        let listen = listen.filter(|address| !address.is_unspecified());
        let address = listen.or_else(|| self.interface.addresses.first().copied());
        // The port is open until the end of the session that switches requests off; what it reads is what counts from then on (CONFORMANCE C-15).
        let port = self.listening_port.filter(|_| self.switches.connection_requests);
        let url = match (port, address) {
            (Some(port), Some(address)) => connection_request_url(address, port, &self.path()),
            _ => String::new(),
        };
        #[cfg(feature = "lightweight")]
        self.configure_lightweight();
        self.configure_timed();
        #[cfg(feature = "speed-tests")]
        self.configure_udp_echo();
        let clock_known = self.now().utc.is_some();
        #[cfg(feature = "xmpp")]
        self.configure_xmpp();
        let facts = Facts {
            connection_request_url: url,
            clock_known,
            #[cfg(feature = "xmpp")]
            xmpp: self.xmpp.facts(),
            ..Facts::default()
        };
        #[cfg(feature = "stun")]
        let facts = self.facts_of_udp(facts);
        self.model.set_facts(facts);
    }

    /// Another URL of the ACS, from wherever it came, is another ACS (CONFORMANCE B-01, B-03). Not while a session is running.
    fn look_for_bootstrap(&mut self) {
        let url = &self.config.acs.url;
        if self.planner.in_session() || url.is_empty() || *url == self.saved.acs_url {
            return;
        }
        self.keep_former_acs();
        let first = self.saved.acs_url.is_empty();
        self.saved.acs_url.clone_from(url);
        self.saved.events.bootstrap();
        self.saved.scheduled.clear();
        self.clear_transfers();
        self.told.clear();
        #[cfg(feature = "lightweight")]
        self.lightweight.forget();
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

    /// When something is to be done besides sessions.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Duration> {
        let own = [self.look_at, self.reload_at, self.save_at, self.release_at, self.expiry_at];
        let own = own.into_iter().chain([self.guard_due(), self.transfer_deadline()]);
        let own = [self.periodic.due(), self.saved.scheduled.due(), self.timed_deadline()].into_iter().chain(own);
        #[cfg(feature = "lightweight")]
        let own = own.chain([self.lightweight.next_deadline()]);
        #[cfg(feature = "discovery")]
        let own = own.chain([self.discovery.due()]);
        #[cfg(feature = "manageable-devices")]
        let own = own.chain([self.devices.due()]);
        #[cfg(feature = "stun")]
        let own = own.chain([self.udp.next_deadline()]);
        own.flatten().min()
    }

    /// Does what is due.
    pub fn poll_timers(&mut self) {
        let now = self.now();
        self.poll_timed(now);
        if self.periodic.poll(now, random()) {
            self.saved.events.add(EventCode::Periodic);
        }
        for key in self.saved.scheduled.poll(now) {
            if self.saved.events.add_multiple(EventCode::MScheduleInform, &key).is_err() {
                log::error!("too many events wait: a ScheduleInform is lost");
            }
        }
        #[cfg(feature = "lightweight")]
        self.poll_lightweight(now);
        #[cfg(feature = "discovery")]
        self.poll_discovery(now.monotonic);
        #[cfg(feature = "manageable-devices")]
        self.poll_devices(now.monotonic);
        self.poll_transfers();
        if self.reload_at.is_some_and(|at| at <= now.monotonic) {
            self.reload();
        }
        if self.look_at.is_some_and(|at| at <= now.monotonic) {
            self.look_at_values();
            self.look_at_units();
            self.upkeep();
        }
        if self.expiry_at.is_some_and(|at| at <= now.monotonic) {
            self.upkeep();
        }
        self.poll_guard();
        if self.save_at.is_some_and(|at| at <= now.monotonic) || self.must_save() {
            self.save();
        }
        if self.release_at.is_some_and(|at| at <= now.monotonic) {
            self.release_at = None;
            uci::release_replaced();
        }
    }

    fn clock_text(&self) -> String {
        UtcTime::from(self.live.wall_clock()).whole_seconds().to_string()
    }
}

fn other(error: EditError) -> Error {
    Error::other(error.to_string())
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

/// An agent with this configuration, and what it needs as long as it lives.
#[cfg(test)]
fn sample(config: &str) -> (tempfile::TempDir, crate::state::Lock, Agent) {
    let root = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(root.path().join("etc/config")).unwrap();
    std::fs::write(root.path().join("etc/config/cwmpd"), config).unwrap();
    let live = Arc::new(Live::new(root.path()).unwrap());
    let options = Options { root: root.path().into(), ..Options::default() };
    let (agent, lock) = Agent::open(&options, live).unwrap();
    (root, lock, agent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f13_a_file_that_is_just_being_written_is_no_settings() {
        let (root, _lock, mut agent) = sample("config acs 'acs'\n\toption url 'http://192.0.2.1/'\n");
        let file = root.path().join("etc/config/cwmpd");
        std::fs::remove_file(&file).unwrap();
        agent.reload();
        std::fs::write(&file, "").unwrap();
        agent.reload();
        assert_eq!(agent.config.acs.url, "http://192.0.2.1/");
        assert!(agent.next_deadline().is_some_and(|at| at <= agent.live.monotonic() + WRITING));
        std::fs::write(&file, "config acs 'acs'\n\toption url 'http://192.0.2.2/'\n").unwrap();
        agent.reload();
        assert_eq!((agent.config.acs.url.as_str(), agent.reload_at), ("http://192.0.2.2/", None));
        // Nobody writes for so long: it is really gone.
        std::fs::remove_file(&file).unwrap();
        agent.reload();
        agent.reload_at = Some(Duration::ZERO);
        agent.poll_timers();
        assert_eq!((agent.config.acs.url.as_str(), agent.reload_at), ("", None));
    }

    #[test]
    fn what_is_left_of_a_clock_that_was_ahead_goes_when_it_is_set_back() {
        let (_root, _lock, mut agent) = sample("config acs 'acs'\n");
        let ahead = Duration::from_secs(10 * 365 * 86_400);
        let now = agent.live.wall_clock();
        let seconds = now.duration_since(UNIX_EPOCH).unwrap().as_secs();
        // As if the agent had been started, and its state saved, with a clock that was ten years ahead.
        agent.saved.last_good_time = seconds + ahead.as_secs();
        agent.clock = agent.clock.not_before(agent.saved.last_good_time);
        agent.clocks.1 = now + ahead + Duration::from_secs(60);
        assert!(agent.now().utc.is_none());
        agent.clock_changed();
        assert!(agent.now().utc.is_some());
        let saved = agent.store.lock().unwrap().load::<Saved>(STATE).value;
        assert!((seconds..seconds + 60).contains(&saved.last_good_time), "{}", saved.last_good_time);
        // The same look once more, as when ntpd tells of what the kernel has told already.
        agent.clock_changed();
        assert!(agent.now().utc.is_some());
    }
}
