//! The work on transfers: one thread fetches or sends files, one after the other, beside the sessions; a file is applied between two sessions, in the
//! place of one, because it may take down what a session needs (CONFORMANCE F-18, F-26, L-12).

use std::sync::Arc;

use super::Shared;
use super::agent::Job;
use super::progress::now_and_then;
use crate::error::Fault;
use crate::transfer::{Trouble, apply, code, fetch};

/// Fetches or sends the file of a transfer.
pub fn run(shared: &Arc<Shared>, job: &Job) {
    let result = transfer(shared, job);
    // What SIGTERM has ended goes on after the next start.
    let result = if shared.stopping() { None } else { Some(result) };
    shared.lock().end_transfer(job.id, result);
}

/// Applies a file that is here.
pub fn apply(shared: &Arc<Shared>, id: u32) {
    let Some((request, file, live)) = shared.lock().begin_applying(id) else { return };
    let kind = apply::check_file_type(&live, &request.file_type).map_err(trouble);
    let result = kind.and_then(|kind| apply::apply(&live, kind, &file, &request.target_file_name));
    shared.lock().applied(id, result);
}

fn transfer(shared: &Arc<Shared>, job: &Job) -> Result<(), Trouble> {
    let Job { id, request, file, cancel, settings, live } = job;
    let progress =
        now_and_then(format!("transfer {id}"), |done, total| shared.lock().transfer_progress(*id, done, total));
    let remote = fetch::Remote { url: &request.url, username: &request.username, password: &request.password };
    if request.method.is_download() {
        fetch::download(settings, &shared.tls, cancel, &remote, request.file_size, file, &progress)?;
        return Ok(());
    }
    let kind = apply::check_upload_type(live, &request.file_type).map_err(trouble)?;
    apply::collect(live, kind, file)?;
    let mut body = fetch::FileBody::open(file)
        .map_err(|error| Trouble::new(code::UPLOAD_FAILED, format!("cannot read the file: {error}")))?;
    fetch::upload(settings, &shared.tls, cancel, &remote, &mut body, &progress)
}

/// What was good when the request came is not any more.
fn trouble(fault: Fault) -> Trouble {
    Trouble::new(fault.code, fault.into_text())
}
