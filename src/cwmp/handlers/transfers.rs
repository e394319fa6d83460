//! The requests that move files (TR-069a6 A.3.2.8, A.4.1.5 to A.4.1.8): what they say is checked here, and done later by [`Transfers`].

use super::{Consequence, check_key};
use crate::error::Fault;
use crate::soap::rpc::{Download, DuOperation, Message, QueuedTransfer, ScheduleDownload, TransferStarted, Upload};
use crate::time::UtcTime;

/// The lengths of TR-069a6 A.3.2.8, in characters. The URL is checked by [`Transfers`], which knows what it can reach.
const LONGEST_FILE_TYPE: usize = 64;
const LONGEST_CREDENTIAL: usize = 256;
const LONGEST_FILE_NAME: usize = 256;

/// Who keeps the queue of transfers. What is taken here is saved before it is answered.
pub trait Transfers {
    /// Queues a Download (CONFORMANCE F-01, F-02).
    ///
    /// # Errors
    /// 9003 for a file type or URL that is no good, 9013 for another protocol, 9004 when the queue is full.
    fn download(&mut self, request: &Download) -> Result<(), Fault>;

    /// Queues a ScheduleDownload (CONFORMANCE F-21).
    ///
    /// # Errors
    /// As [`Self::download`], and 9003 for windows that are no good.
    fn schedule_download(&mut self, request: &ScheduleDownload) -> Result<(), Fault>;

    /// Queues an Upload (CONFORMANCE F-03).
    ///
    /// # Errors
    /// As [`Self::download`].
    fn upload(&mut self, request: &Upload) -> Result<(), Fault>;

    /// Takes off what has this CommandKey (CONFORMANCE F-23).
    ///
    /// # Errors
    /// 9021 when some of it has gone too far.
    fn cancel(&mut self, command_key: &str) -> Result<(), Fault>;

    /// Queues the operations of a ChangeDUState (CONFORMANCE Q-07).
    ///
    /// # Errors
    /// 9001 on a router without a package manager, 9004 when the queue is full.
    fn change_units(&mut self, command_key: &str, operations: Vec<DuOperation>) -> Result<(), Fault>;

    /// What is queued and not told yet, at most 16; with `all` also what the ACS has not asked for (CONFORMANCE F-22).
    fn list(&self, all: bool) -> Vec<QueuedTransfer>;
}

/// Carries out a request of this group; gives any other back.
pub(super) fn carry_out(
    transfers: &mut dyn Transfers,
    request: Message,
) -> Result<Result<(Message, Consequence), Fault>, Message> {
    Ok(match request {
        Message::Download(it) => {
            let taken = check(&it.command_key, &it.file_type, &it.username, &it.password, &it.target_file_name)
                .and_then(|()| transfers.download(&it));
            taken.map(|()| (Message::DownloadResponse(later()), Consequence::Transfers))
        }
        Message::Upload(it) => {
            let taken = check(&it.command_key, &it.file_type, &it.username, &it.password, "")
                .and_then(|()| transfers.upload(&it));
            taken.map(|()| (Message::UploadResponse(later()), Consequence::Transfers))
        }
        Message::ScheduleDownload(it) => {
            let taken = check(&it.command_key, &it.file_type, &it.username, &it.password, &it.target_file_name)
                .and_then(|()| transfers.schedule_download(&it));
            taken.map(|()| (Message::ScheduleDownloadResponse, Consequence::Transfers))
        }
        Message::CancelTransfer { command_key } => {
            let cancelled = check_key(&command_key).and_then(|()| transfers.cancel(&command_key));
            cancelled.map(|()| (Message::CancelTransferResponse, Consequence::Transfers))
        }
        Message::ChangeDuState { operations, command_key } => {
            let taken = check_key(&command_key).and_then(|()| transfers.change_units(&command_key, operations));
            taken.map(|()| (Message::ChangeDuStateResponse, Consequence::Transfers))
        }
        Message::GetQueuedTransfers => {
            Ok((Message::GetQueuedTransfersResponse(transfers.list(false)), Consequence::None))
        }
        Message::GetAllQueuedTransfers => {
            Ok((Message::GetAllQueuedTransfersResponse(transfers.list(true)), Consequence::None))
        }
        request => return Err(request),
    })
}

/// Status 1: everything is done after the session, and told with a TransferComplete (CONFORMANCE F-04, F-05).
fn later() -> TransferStarted {
    let unknown = UtcTime::UNKNOWN.to_string();
    TransferStarted { status: 1, start_time: unknown.clone(), complete_time: unknown }
}

fn check(key: &str, file_type: &str, username: &str, password: &str, target_file_name: &str) -> Result<(), Fault> {
    check_key(key)?;
    let lengths = [
        ("FileType", file_type, LONGEST_FILE_TYPE),
        ("Username", username, LONGEST_CREDENTIAL),
        ("Password", password, LONGEST_CREDENTIAL),
        ("TargetFileName", target_file_name, LONGEST_FILE_NAME),
    ];
    for (name, text, longest) in lengths {
        if text.chars().count() > longest {
            return Err(Fault::arguments(format!("{name} has more than {longest} characters")));
        }
    }
    Ok(())
}
