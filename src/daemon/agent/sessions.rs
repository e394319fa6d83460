//! Sessions, from the decision to have one to what becomes of it.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::super::standalone;
use super::super::status::SessionRecord;
use super::super::{fill_random, random};
use super::Agent;
use super::transfers::{ACTIVE_IMAGE, BOOT_IMAGE, Orders};
use crate::acs::{self, SystemResolver};
use crate::config::{Compression, PACKAGE};
use crate::cwmp::answers::{Reader, text_of, told_by_instance_mode, values_of};
use crate::cwmp::events::EventCode;
use crate::cwmp::handlers::{Abilities, Begun, Consequence, begin};
use crate::cwmp::inform::{self, Contents, InformParameter};
use crate::cwmp::plan::{Demand, Plan, Reason, Settings};
use crate::cwmp::session::{Failure, Outcome, SessionConfig};
use crate::model::context::Context;
use crate::model::transaction::PARAMETER_KEY;
use crate::platform::identity::Identity;
use crate::platform::{System, power};
use crate::soap::rpc::{DeviceId, Event, Inform, Message};
use crate::time::PosixTz;

/// How long the agent rests when the system is short of something.
const REST: Duration = Duration::from_secs(10);

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
    /// When to start the next session.
    #[must_use]
    pub fn plan(&self) -> Plan {
        let settings = Settings {
            enable: self.config.cpe.enable,
            url: !self.config.acs.url.is_empty(),
            throttle: self.switches.throttle,
        };
        let now = self.live.monotonic();
        if let Some(until) = self.quiet_until.filter(|until| *until > now) {
            return Plan::At(until);
        }
        self.planner.plan(now, settings, Demand::of(&self.saved.events, self.asked))
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
    pub fn request_session(&mut self, event: EventCode) -> Result<u32, String> {
        if self.config.acs.url.is_empty() {
            return Err("there is no URL of an ACS: set cwmpd.acs.url".into());
        }
        if !self.config.cpe.enable {
            return Err("sessions are switched off: cwmpd.cpe.enable is 0".into());
        }
        if event == EventCode::RequestDownload && self.acs_lacks("RequestDownload") {
            return Err("the ACS does not list RequestDownload among its methods".into());
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

    /// The session that is running, or the last one.
    #[must_use]
    pub fn session_record(&self) -> Option<&SessionRecord> {
        self.record.as_ref()
    }

    /// Begins a session: everything that its Inform tells is looked up now.
    #[must_use]
    pub fn begin_session(&mut self, reason: Reason) -> Start {
        let retrying = self.retry.count() > 0;
        // A change that was taken back since the session was decided on, or that somebody asked to tell, is its event all the same: only a retry
        // may have none (CONFORMANCE I-02, N-06).
        let alone = !retrying && self.saved.events.iter().all(|(code, _)| *code == EventCode::ValueChange);
        let changed = if self.saved.events.only_heartbeat(retrying) { Vec::new() } else { self.look_at_values() };
        self.saved.events.set_value_change(alone || !changed.is_empty());
        self.agree_events(false);
        self.asked = false;
        self.planner.session_started();
        self.note_tries(self.retry.count().saturating_add(1));
        self.guard_session();
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
        let own_requests = self.own_requests(&events);
        let mut inform = self.inform(events, &changed);
        // A heartbeat tells of no change, also where it carries the parameter for another reason: `4 VALUE CHANGE` is still to come (H-02).
        let heartbeat = inform.events.iter().any(|event| event.code == EventCode::Heartbeat.text());
        self.sent = if heartbeat { Vec::new() } else { inform.parameters.clone() };
        told_by_instance_mode(&mut self.model.context(), &mut inform.parameters);
        self.save_model();
        let mut id = [0; 4];
        fill_random(&mut id);
        Start {
            settings: self.acs_settings(),
            session: SessionConfig {
                version: self.offer.current(),
                inform,
                own_requests,
                id_prefix: format!("{:08x}-", u32::from_be_bytes(id)),
                session_timeout: None,
            },
            compression: self.config.acs.compression,
            max_envelope: usize::try_from(self.config.acs.max_envelope).unwrap_or(usize::MAX),
        }
    }

    fn inform(&mut self, events: Vec<Event>, changed: &[String]) -> Inform {
        let device_id = self.device_id();
        let now = self.now().utc;
        let mut context = self.model.context();
        let rows = inform_parameters(&mut context);
        let zone = text_of(&mut context, "Device.Time.LocalTimeZone");
        let zone = zone.and_then(|zone| PosixTz::parse(&zone)).unwrap_or(PosixTz::UTC);
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
        inform::assemble(contents, &mut Reader(&mut context))
    }

    /// Who we are: what DeviceInfo says (CONFORMANCE I-01).
    pub(super) fn device_id(&self) -> DeviceId {
        let mut context = self.model.context();
        let mut read = |name: &str| text_of(&mut context, &format!("Device.DeviceInfo.{name}")).unwrap_or_default();
        DeviceId {
            manufacturer: read("Manufacturer"),
            oui: read("ManufacturerOUI"),
            product_class: read("ProductClass"),
            serial_number: read("SerialNumber"),
        }
    }

    /// The user name towards the ACS: `auto` is made of what the DeviceId says (CONFORMANCE T-17).
    pub(super) fn acs_username(&self) -> String {
        let found = standalone::identity(self.live.as_ref(), &self.config);
        if self.config.acs.username != "auto" {
            // A vendor's file may start a program for each of them.
            return self.config.acs_username(&found);
        }
        let DeviceId { oui, product_class, serial_number, .. } = self.device_id();
        self.config.acs_username(&Identity { manufacturer_oui: oui, product_class, serial_number, ..found })
    }

    pub(super) fn acs_settings(&self) -> acs::Settings {
        let acs = &self.config.acs;
        let host = |path: &str| self.live.host_path(path).unwrap_or_else(|_| path.into());
        let optional = |path: &str| (!path.is_empty()).then(|| host(path));
        // Whatever the URL looks like: a redirect or the URL of a file may lead to https as well.
        if !acs.verify {
            log::warn!("the certificate of the ACS is not verified: cwmpd.acs.verify is 0");
        }
        let ca_file = &acs.ca_file;
        #[cfg(feature = "discovery")]
        let ca_file = self.discovered_ca_file().unwrap_or(ca_file);
        acs::Settings {
            url: acs.url.clone(),
            username: self.acs_username(),
            password: acs.password.0.clone(),
            ca_file: host(ca_file),
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

    /// Carries out a request of the ACS. What it leads to is noted and saved before the answer can go out.
    pub fn begin_request(&mut self, request: Message) -> Begun {
        let abilities = Abilities {
            factory_reset: power::can_factory_reset(self.live.as_ref()),
            schedule_informs: self.saved.scheduled.room(),
        };
        let now = self.now();
        let mut orders = Orders::new(&mut self.transfers, &self.live, now);
        let (begun, consequence) = begin(&mut self.model, abilities, Some(&mut orders), request);
        let cancelled = orders.cancelled();
        self.stop_transfers(&cancelled);
        self.promise(consequence);
        self.written_is_promised();
        begun
    }

    /// What a request has led to is noted and saved before the answer goes out.
    fn promise(&mut self, consequence: Consequence) {
        self.settle_guard(matches!(consequence, Consequence::Written(_)));
        match consequence {
            Consequence::None => return,
            Consequence::Written(written) => {
                #[cfg(feature = "diagnostics")]
                self.tests_written(&written, true);
                #[cfg(feature = "discovery")]
                self.set_by_others(&written.names);
                if written.effects.packages.contains(PACKAGE) {
                    self.reload();
                }
                let mut context = self.model.context();
                // The ParameterKey came with the request as well.
                for name in written.names.iter().map(String::as_str).chain([PARAMETER_KEY]) {
                    if let Some(value) = text_of(&mut context, name) {
                        self.told.set_by_acs(name, &value);
                        if name == BOOT_IMAGE {
                            // The one that runs is not chosen: what else comes to its place is the work of others.
                            let runs = text_of(&mut context, ACTIVE_IMAGE).is_some_and(|active| active == value);
                            self.transfers.autonomous.choose(if runs { "" } else { &value });
                        }
                        #[cfg(feature = "lightweight")]
                        self.lightweight.set_by_acs(name, &value);
                    }
                }
                self.promise_effects(written.effects);
                self.refresh_facts();
                self.timed_written(&written.names);
                self.look_soon();
            }
            Consequence::Transfers => {}
            Consequence::Notifying(switched) => self.watch(&switched),
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

    /// Ends a session.
    pub fn end_session(&mut self, outcome: &Outcome) {
        let complete = *outcome == Outcome::Complete;
        self.saved.events.session_ended(complete);
        #[cfg(feature = "discovery")]
        self.session_shows_acs(complete);
        self.transfers.queue.session_ended();
        let wait = match outcome {
            Outcome::Complete => {
                self.retry.succeeded();
                self.note_tries(0);
                self.network_at = None;
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

    /// Has no session for a while, because the system is short of something.
    pub fn rest(&mut self) {
        self.quiet_until = Some(self.live.monotonic().saturating_add(REST));
    }

    /// Ends a session whose worker is gone.
    pub fn abandon_session(&mut self) {
        if self.planner.in_session() {
            let reason = String::from("an internal error");
            self.end_session(&Outcome::Failed(Failure { reason, lower_version: false, retry_after: None }));
        }
    }

    /// Whether a session is running.
    #[must_use]
    pub fn in_session(&self) -> bool {
        self.planner.in_session()
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
