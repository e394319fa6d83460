//! What is done with a file that was fetched, and how one is made that is to be sent, by its FileType (TR-069a6 A.3.2.8, A.4.1.5).

use std::path::Path;

use super::{Trouble, code, firmware, logs, settings, stored_image};
use crate::error::{Fault, FaultCode};
use crate::platform::live::Live;
use crate::platform::{firmware_images, power};

/// What a file is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// An image for `sysupgrade`.
    Firmware,
    /// An image for a place of the board that is not in use; only downloaded, and not started.
    StoredImage,
    /// The configuration. Downloaded: an archive of `sysupgrade -b`, or UCI packages as `uci export` writes them. Uploaded: the archive.
    Settings,
    /// The configuration as `uci export` writes it; only uploaded.
    SettingsText,
    /// The system log; only uploaded.
    Log,
}

/// How far a file has been brought into effect.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Applied {
    /// It is in effect, and services have been told.
    Now,
    /// The router is going down; [`firmware_result`] tells after the boot what has become of it.
    Restart,
}

/// What the FileType of a Download or ScheduleDownload means here (CONFORMANCE F-02).
///
/// # Errors
/// 9003 for a type that is not known, or that this router has no use for: web content, tones, ringers, types of vendors, and, on a
/// board without a program for its images, `6 Stored Firmware Image`, since `sysupgrade` has no way to store an image without running it.
/// 9001 where the router has no `sysupgrade`.
pub fn check_file_type(live: &Live, file_type: &str) -> Result<Kind, Fault> {
    match file_type {
        "1 Firmware Upgrade Image" => with_sysupgrade(live, Kind::Firmware),
        // Without sysupgrade it may still be a text of UCI.
        "3 Vendor Configuration File" => Ok(Kind::Settings),
        "6 Stored Firmware Image" if firmware_images::are_known(live) => Ok(Kind::StoredImage),
        _ => Err(unknown(file_type)),
    }
}

/// What the FileType of an Upload means here (CONFORMANCE F-03). `3 Vendor Configuration File i` is a row of
/// `DeviceInfo.VendorConfigFile.`: 1 the archive, 2 the UCI text; `4 Vendor Log File i` one of `VendorLogFile.`: 1 the system log.
///
/// # Errors
/// 9003 for a type that is not known, and a row that is not there; 9001 for an archive where the router has no `sysupgrade`.
pub fn check_upload_type(live: &Live, file_type: &str) -> Result<Kind, Fault> {
    match file_type {
        "1 Vendor Configuration File" | "3 Vendor Configuration File 1" => with_sysupgrade(live, Kind::Settings),
        "3 Vendor Configuration File 2" => Ok(Kind::SettingsText),
        "2 Vendor Log File" | "4 Vendor Log File 1" => Ok(Kind::Log),
        _ => Err(unknown(file_type)),
    }
}

fn with_sysupgrade(live: &Live, kind: Kind) -> Result<Kind, Fault> {
    if power::has_sysupgrade(live) {
        return Ok(kind);
    }
    Err(Fault::new(FaultCode::REQUEST_DENIED, "this router has no sysupgrade"))
}

fn unknown(file_type: &str) -> Fault {
    // The ACS knows what it wrote; a part of it is enough to find it in a log.
    let shown: String = file_type.chars().take(64).collect();
    Fault::arguments(format!("this FileType is not supported: {shown}"))
}

/// Brings a file into effect. May take minutes. `file` lies in the [private directory](super::place::private_directory) and is left there.
/// TargetFileName only goes into the log: the name of a file on this router is never chosen by others (SECURITY S4, S20).
///
/// # Errors
/// 9018 and 9019 for a file that is not good; nothing has changed then. 9010 and 9002 for what the router could not do.
pub fn apply(live: &Live, kind: Kind, file: &Path, target_name: &str) -> Result<Applied, Trouble> {
    if !target_name.is_empty() {
        log::info!("TargetFileName {target_name:?} is not used");
    }
    match kind {
        Kind::Firmware => firmware::install(live, file),
        Kind::StoredImage => stored_image::store(live, file).map(|()| Applied::Now),
        Kind::Settings => settings::restore(live, file).map(|()| Applied::Now),
        Kind::SettingsText | Kind::Log => Err(Trouble::new(code::FAILED, "such a file cannot be downloaded")),
    }
}

/// Makes the file to be sent, as a new private one at `into`, which lies in the
/// [private directory](super::place::private_directory); returns its length in bytes.
///
/// # Errors
/// 9011 with the reason.
pub fn collect(live: &Live, kind: Kind, into: &Path) -> Result<u64, Trouble> {
    match kind {
        Kind::Settings => settings::back_up(live, into),
        Kind::SettingsText => settings::export(live, into),
        Kind::Log => logs::write(live, into),
        Kind::Firmware | Kind::StoredImage => Err(Trouble::new(code::UPLOAD_FAILED, "firmware cannot be uploaded")),
    }
}

/// What has become of an image for which [`apply`] was called, whatever happened since: for the start of the agent while that transfer has
/// no result yet. `None`: the router is still about to go down; ask again later. The answer stays the same until [`firmware_forget`].
///
/// # Errors
/// 9010 where the old image still runs.
pub fn firmware_result(live: &Live) -> Option<Result<(), Trouble>> {
    firmware::result(live)
}

/// Forgets the last image: to be called once its result is saved, and before a result would be asked for again.
pub fn firmware_forget(live: &Live) {
    firmware::forget(live);
}
