//! The work on tests: each on a thread of its own, which begins when no session is running (CONFORMANCE G-11).

use std::sync::Arc;

use super::agent::TestJob;
use super::{Beside, Shared, start as start_worker};
use crate::diagnostics::{Report, Test};

/// Begins the next of the tests that wait, if none is running.
pub fn start(shared: &Arc<Shared>) {
    if shared.is_busy() {
        return;
    }
    loop {
        let Some(job) = shared.lock().begin_test() else { return };
        let number = job.number;
        let beside = Beside::new(shared, move |agent| agent.end_test(number, None));
        if start_worker("test", Box::new(move || run(&beside.shared, &job))).is_none() {
            shared.lock().end_test(number, None);
        }
    }
}

fn run(shared: &Shared, job: &TestJob) {
    let told = |line: &str| log::debug!("{}: {line}", job.kind.path);
    let test = Test::new(&job.inputs, &job.live, &job.cancel, &told);
    let report = (job.kind.run)(&test).unwrap_or_else(|trouble| {
        log::info!("{}: {}", job.kind.path, trouble.text);
        Report { state: trouble.state, values: Vec::new() }
    });
    shared.lock().end_test(job.number, Some(report));
}
