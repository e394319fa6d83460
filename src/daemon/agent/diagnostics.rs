//! Tests of the network: what the ACS has asked for, and what came out of it (CONFORMANCE G-10 to G-14). The work is done by
//! [`super::super::diagnostics`].

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Agent;
use crate::acs::Cancel;
use crate::cwmp::answers::values_of;
use crate::cwmp::events::EventCode;
use crate::diagnostics::{INTERNAL, KINDS, Kind, Report, kind};
use crate::error::Error;
use crate::model::context::Context;
use crate::model::fleeting::{Fleeting, NONE, REQUESTED, STATE, Wish};
use crate::model::transaction::Written;
use crate::platform::live::Live;
use crate::sorted::Map;
use crate::state::{Loaded, Store, Was};

/// Where lies what the next process takes up: in memory, because a reboot is the end of it anyway (CONFORMANCE G-13).
const DIRECTORY: &str = "/var/run/cwmpd";
const FILE: &str = "tests.json";

/// A test that was asked for.
struct Order {
    kind: &'static Kind,
    number: u32,
    /// The ACS is told of its end.
    by_acs: bool,
    /// Ends it; nothing as long as it waits.
    running: Option<Cancel>,
}

/// Everything about tests that lives as long as the process, but for the results.
#[derive(Default)]
pub(super) struct Tests {
    orders: Vec<Order>,
    last: u32,
    store: Option<Store>,
}

/// What the next process takes up.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Kept {
    /// That of the boot in which it counts.
    boot_id: String,
    /// States and results, as the model has them.
    values: Map<String, String>,
    orders: Vec<KeptOrder>,
}

/// A test that was asked for, and has not ended.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct KeptOrder {
    /// The object of its kind.
    path: String,
    by_acs: bool,
    begun: bool,
}

/// What a worker needs for a test.
pub struct TestJob {
    /// The kind of test.
    pub kind: &'static Kind,
    /// Which run it is.
    pub number: u32,
    /// The inputs, by the last part of their names.
    pub inputs: Vec<(String, String)>,
    /// Ends it.
    pub cancel: Cancel,
    /// The router.
    pub live: Arc<Live>,
}

impl Tests {
    /// Takes an order away, and ends its test if it is running; whether there was one.
    fn stop(&mut self, kind: &Kind) -> bool {
        let Some(index) = self.orders.iter().position(|order| order.kind.path == kind.path) else { return false };
        let order = self.orders.remove(index);
        if let Some(cancel) = order.running {
            log::info!("{} is ended early", kind.path);
            cancel.cancel();
        }
        true
    }

    /// The next process takes up nothing.
    pub(super) fn forget(&mut self) {
        if let Some(Err(error)) = self.store.as_mut().map(Store::give_up) {
            log::warn!("a test may be told of after the factory reset: {error}");
        }
    }
}

impl Agent {
    /// Takes up the tests of an earlier process of this boot: what has ended keeps its results, what waited goes on waiting, and what ran has ended
    /// with the process.
    pub(super) fn take_up_tests(&mut self) {
        let directory = self.live.host_path(DIRECTORY).map_err(Error::io("find /var/run"));
        let mut store = match directory.and_then(|directory| Store::open(&directory)) {
            Ok(store) => store,
            Err(error) => {
                log::warn!("a restart of the agent will lose what tests have found out: {error}");
                return;
            }
        };
        let Loaded { value: kept, was } = store.load::<Kept>(FILE);
        self.tests.store = Some(store);
        if let Was::SetAside(reason) = was {
            log::warn!("{reason}");
        }
        if kept.boot_id.is_empty() || kept.boot_id != self.saved.boot_id {
            return;
        }
        for (name, value) in kept.values {
            if KINDS.iter().any(|kind| name.starts_with(kind.path)) {
                self.model.fleeting().set(name, value);
            }
        }
        let mut ended = Vec::new();
        for KeptOrder { path, by_acs, begun } in kept.orders {
            let Some(kind) = kind(&path) else { continue };
            let number = self.order_test(kind, by_acs);
            ended.extend(begun.then_some(number));
        }
        for number in ended {
            self.end_test(number, None);
        }
    }

    /// A test waits from now on.
    fn order_test(&mut self, kind: &'static Kind, by_acs: bool) -> u32 {
        self.tests.last = self.tests.last.wrapping_add(1);
        let number = self.tests.last;
        self.tests.orders.push(Order { kind, number, by_acs, running: None });
        self.set_state(kind, REQUESTED);
        number
    }

    /// Keeps what the next process takes up. Where nobody asks for tests there is nothing.
    fn keep_tests(&mut self) {
        let Some(store) = &mut self.tests.store else { return };
        let fleeting: &Fleeting = self.model.fleeting();
        let values = KINDS.iter().flat_map(move |kind| fleeting.below(kind.path));
        let orders = self.tests.orders.iter().map(|order| KeptOrder {
            path: order.kind.path.into(),
            by_acs: order.by_acs,
            begun: order.running.is_some(),
        });
        let kept = Kept {
            boot_id: self.saved.boot_id.clone(),
            values: values.map(|(name, value)| (String::from(name), String::from(value))).collect(),
            orders: orders.collect(),
        };
        if let Err(error) = store.save(FILE, &kept) {
            log::warn!("a restart of the agent would lose a test: {error}");
        }
    }

    /// Looks at what was written: a test is asked for or ended, or has other inputs now, so that its results mean nothing any more.
    pub(super) fn tests_written(&mut self, written: &Written, by_acs: bool) {
        let mut any = false;
        for kind in KINDS {
            match written.effects.tests.get(kind.path) {
                Some(Wish::Run) => {
                    self.tests.stop(kind);
                    self.order_test(kind, by_acs);
                }
                Some(Wish::Stop) => {
                    self.tests.stop(kind);
                    self.set_state(kind, NONE);
                }
                None if written.names.iter().any(|name| is_input(kind, name)) => {
                    self.tests.stop(kind);
                    self.set_state(kind, NONE);
                }
                None => continue,
            }
            any = true;
        }
        if any {
            self.keep_tests();
        }
    }

    fn set_state(&mut self, kind: &Kind, state: &str) {
        self.model.fleeting().set(format!("{}{STATE}", kind.path), state.into());
    }

    /// Gives the next test to a worker, if one waits and may begin.
    pub fn begin_test(&mut self) -> Option<TestJob> {
        // One at a time, in the order in which they were asked for: more would disturb each other (SECURITY S21).
        let running = self.tests.orders.iter().any(|order| order.running.is_some());
        if self.tests.orders.is_empty() || running || self.planner.in_session() {
            return None;
        }
        let cancel = Cancel::new().inspect_err(|error| log::error!("a test has to wait: {error}")).ok()?;
        let order = self.tests.orders.iter_mut().find(|order| order.running.is_none())?;
        order.running = Some(cancel.clone());
        let (kind, number) = (order.kind, order.number);
        log::info!("{} begins", kind.path);
        // What the last run found out is gone (CONFORMANCE G-13).
        self.model.fleeting().clear(kind.path);
        self.set_state(kind, REQUESTED);
        self.keep_tests();
        let inputs = inputs(&mut self.model.context(), kind);
        Some(TestJob { kind, number, inputs, cancel, live: self.live.clone() })
    }

    /// A test has ended, with nothing where its worker is gone. What was ended early or begun anew in between is not heard of any more.
    pub fn end_test(&mut self, number: u32, report: Option<Report>) {
        let tests = &mut self.tests;
        let Some(index) = tests.orders.iter().position(|order| order.number == number) else { return };
        let Order { kind, by_acs, .. } = tests.orders.remove(index);
        let report = report.unwrap_or(Report { state: INTERNAL, values: Vec::new() });
        log::info!("{} ends: {}", kind.path, report.state);
        let fleeting = self.model.fleeting();
        for (name, value) in report.values {
            fleeting.set(format!("{}{name}", kind.path), value);
        }
        self.set_state(kind, report.state);
        if by_acs {
            self.saved.events.add(EventCode::DiagnosticsComplete);
        }
        self.look_soon();
        // The event first: a test without one would be ended again, and an end without its event would never be told.
        self.save();
        self.keep_tests();
    }
}

/// Whether a parameter that was written is an input of a test: one of its object itself, since there are none below.
fn is_input(kind: &Kind, name: &str) -> bool {
    name.strip_prefix(kind.path).is_some_and(|rest| rest != STATE)
}

/// The parameters of the object of a test. The row that its interface is becomes the name of that interface.
fn inputs(context: &mut Context, kind: &Kind) -> Vec<(String, String)> {
    let values = values_of(context, kind.path);
    let input = |value: crate::soap::rpc::ParameterValue| {
        Some((String::from(value.name.strip_prefix(kind.path)?), value.value.text))
    };
    let mut inputs: Vec<(String, String)> = values.into_iter().filter_map(input).collect();
    let interface = inputs.iter_mut().find(|(name, value)| name == "Interface" && !value.is_empty());
    if let Some((_, value)) = interface {
        let row = context.row_of_path(crate::device::ip::interface::INTERFACES, value);
        // A path is no name of an interface: the test says that there is none.
        if let Some(name) = row.and_then(|row| context.key(&row).ok()) {
            *value = name;
        }
    }
    inputs
}
