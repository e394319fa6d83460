//! The work on software modules: one operation after the other on a thread of its own, beside the sessions that come meanwhile (CONFORMANCE Q-07).

use std::sync::Arc;

use super::Shared;
use super::agent::UnitJob;
use super::progress::now_and_then;
use crate::cwmp::answers::values_of;
use crate::transfer::units::Kind;
use crate::transfer::units::work::{Catalog, Installed, Tools, carry_out};

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
    let progress = now_and_then(format!("ChangeDUState {}", job.id), |done, total| {
        shared.lock().unit_progress(job.id, done, total)
    });
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
