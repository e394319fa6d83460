//! The work on software modules: one operation after the other on a thread of its own, beside the sessions that come meanwhile (CONFORMANCE Q-07).

use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Shared;
use super::agent::UnitJob;
use crate::cwmp::answers::values_of;
use crate::transfer::units::Kind;
use crate::transfer::units::work::{Catalog, Installed, Tools, carry_out};

/// How often it is noted for `cwmpd status` how far a download is, and how often it is logged.
const NOTE: Duration = Duration::from_millis(250);
const LOG: Duration = Duration::from_secs(10);

/// The model behind its lock, which nobody holds while a package manager works.
struct Modules<'a>(&'a Shared);

impl Catalog for Modules<'_> {
    fn installed(&self) -> Vec<Installed> {
        self.0.lock().installed_units()
    }

    fn has_environment(&self, path: &str) -> bool {
        let mut context = self.0.lock().model.context();
        path.starts_with("Device.SoftwareModules.ExecEnv.")
            && !values_of(&mut context, &format!("{path}.Name")).is_empty()
    }

    fn remember(&self, name: &str, uuid: &str, url: &str, kind: Kind) {
        self.0.lock().remember_unit(name, uuid, url, kind);
    }
}

/// Carries out an operation.
pub fn run(shared: &Arc<Shared>, job: &UnitJob) {
    let noted = Cell::new(Instant::now());
    let logged = Cell::new(Instant::now());
    let progress = |done: u64, total: Option<u64>| {
        if noted.get().elapsed() < NOTE {
            return;
        }
        noted.set(Instant::now());
        shared.lock().unit_progress(job.id, done, total);
        if logged.get().elapsed() >= LOG {
            logged.set(Instant::now());
            match total {
                Some(total) => log::info!("ChangeDUState {}: {done} of {total} bytes", job.id),
                None => log::info!("ChangeDUState {}: {done} bytes", job.id),
            }
        }
    };
    let tools = Tools {
        live: &job.live,
        settings: &job.settings,
        sessions: &shared.tls,
        cancel: &job.cancel,
        catalog: &Modules(shared),
        progress: &progress,
    };
    let endings = carry_out(&tools, &job.operation, job.again);
    // What SIGTERM has ended is carried out after the next start.
    let endings = if shared.stopping() { None } else { Some(endings) };
    shared.lock().end_unit(job.id, endings);
}
