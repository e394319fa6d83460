//! The fault codes of transfers (TR-069a6 A.5.1), by what they are used for here (CONFORMANCE F-14).

use crate::error::FaultCode;

/// Anything that has no code of its own.
pub const FAILED: FaultCode = FaultCode(9010);
/// The same for an Upload.
pub const UPLOAD_FAILED: FaultCode = FaultCode(9011);
/// The server wants other credentials, or refuses those that it got.
pub const LOGIN: FaultCode = FaultCode(9012);
/// The URL is of a protocol that is not supported; told at once and never in a TransferComplete.
pub const PROTOCOL: FaultCode = FaultCode(9013);
/// No connection: the name is unknown, nothing answers, or TLS fails. A certificate that is not good counts here too, and not as 9012, so
/// that 9012 always means: look at Username and Password.
pub const CONTACT: FaultCode = FaultCode(9015);
/// The server answers, and does not have the file or does not give it out.
pub const ACCESS: FaultCode = FaultCode(9016);
/// The transfer began and was cut off, or stalled.
pub const INCOMPLETE: FaultCode = FaultCode(9017);
/// All of it came, and it is not what it should be: its size, its checksum, its format.
pub const CORRUPTED: FaultCode = FaultCode(9018);
/// Its signature is missing or not good.
pub const UNSIGNED: FaultCode = FaultCode(9019);
/// It was not done within the time windows of its ScheduleDownload.
pub const TOO_LATE: FaultCode = FaultCode(9020);
/// What is under way cannot be taken back; only the answer to a CancelTransfer.
pub const PAST_CANCELLING: FaultCode = FaultCode(9021);
