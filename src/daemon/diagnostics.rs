//! The work on tests: each on a thread of its own, which begins when no session is running (CONFORMANCE G-11).

use std::sync::Arc;

use super::agent::TestJob;
use super::{STACK, Shared};
use crate::diagnostics::{Report, Test};

/// Gives the test back when its thread ends with a panic.
struct Beside<'a> {
    shared: &'a Shared,
    number: u32,
}

impl Drop for Beside<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.shared.lock().end_test(self.number, None);
        }
        self.shared.wake();
    }
}

/// Begins the tests that wait, as many as may run at a time.
pub fn start(shared: &Arc<Shared>) {
    if shared.is_busy() {
        return;
    }
    loop {
        let Some(job) = shared.lock().begin_test() else { return };
        let (number, for_thread) = (job.number, shared.clone());
        let work = move || run(&for_thread, &job);
        if let Err(error) = std::thread::Builder::new().name("test".into()).stack_size(STACK).spawn(work) {
            log::error!("cannot start a thread: {error}");
            shared.lock().end_test(number, None);
        }
    }
}

fn run(shared: &Shared, job: &TestJob) {
    let beside = Beside { shared, number: job.number };
    let told = |line: &str| log::debug!("{}: {line}", job.kind.path);
    let test = Test::new(&job.inputs, &job.live, &job.cancel, &told);
    let report = (job.kind.run)(&test).unwrap_or_else(|trouble| {
        log::info!("{}: {}", job.kind.path, trouble.text);
        Report { state: trouble.state, values: Vec::new() }
    });
    beside.shared.lock().end_test(job.number, Some(report));
}
