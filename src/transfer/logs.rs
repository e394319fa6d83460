//! The system log as a file: what `logd` keeps in one, else what it has in memory (TR-181 2.17 Device.DeviceInfo.VendorLogFile.{i}.).

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::settings::new_file;
use super::{Trouble, code};
use crate::platform::live::Live;
use crate::platform::{Program, System};
use crate::time::UtcTime;

/// Prints the log of `logd`.
const LOGREAD: &str = "/sbin/logread";

/// How long that may take.
const READ: Duration = Duration::from_secs(60);

/// The longest log, in bytes.
const LARGEST: u32 = 16 << 20;

const FACILITIES: [&str; 24] = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp",
    "security", "console", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
];
const LEVELS: [&str; 8] = ["emerg", "alert", "crit", "err", "warn", "notice", "info", "debug"];

/// Writes the log into a new file, the oldest line first.
pub(super) fn write(live: &Live, into: &Path) -> Result<u64, Trouble> {
    let failed =
        |error: &dyn std::fmt::Display| Trouble::new(code::UPLOAD_FAILED, format!("cannot read the log: {error}"));
    let mut out = new_file(into).map_err(|error| failed(&error))?;
    if let Some(length) = copy_files(live, &mut out).map_err(|error| failed(&error))? {
        return Ok(length);
    }
    let text = match from_ubus(live) {
        Some(text) => text.into_bytes(),
        None => from_logread(live).map_err(|error| failed(&error))?,
    };
    out.write_all(&text).map_err(|error| failed(&error))?;
    Ok(text.len() as u64)
}

/// The file of `option log_file`, after the one that it took the place of; `None` where there is none.
fn copy_files(live: &Live, out: &mut File) -> io::Result<Option<u64>> {
    let Ok(package) = live.load_package("system") else { return Ok(None) };
    let name = package.find("@system[0]").and_then(|system| system.get("log_file")).unwrap_or_default();
    let open = |name: &str| {
        let path = live.host_path(name).ok()?;
        // Nothing but a file is ever opened: a FIFO would wait.
        path.metadata().is_ok_and(|found| found.is_file()).then(|| File::open(path).ok())?
    };
    let Some(newest) = open(name) else { return Ok(None) };
    let mut length = 0_u64;
    for file in open(&format!("{name}.0")).into_iter().chain([newest]) {
        length = length.saturating_add(io::copy(&mut file.take(LARGEST.into()), out)?);
    }
    Ok(Some(length))
}

/// What `logd` has in memory.
fn from_ubus(live: &Live) -> Option<String> {
    let answer = live.ubus_call("log", "read", &json!({"lines": 0, "stream": false, "oneshot": true})).ok()?;
    let mut text = String::new();
    for line in answer.get("log")?.as_array()? {
        let number = |name: &str| line.get(name).and_then(Value::as_u64).unwrap_or(0);
        let time = UtcTime::new(i64::try_from(number("time") / 1000).unwrap_or(0), 0);
        let priority = usize::try_from(number("priority")).unwrap_or(0);
        let facility = FACILITIES.get(priority >> 3).unwrap_or(&"unknown");
        let level = LEVELS.get(priority & 7).unwrap_or(&"debug");
        let message = line.get("msg").and_then(Value::as_str).unwrap_or_default();
        writeln!(text, "{time} {facility}.{level} {}", message.trim_end()).ok()?;
    }
    Some(text)
}

fn from_logread(live: &Live) -> crate::error::Result<Vec<u8>> {
    let limit = usize::try_from(LARGEST).unwrap_or(usize::MAX);
    let output = live.run(&Program { argv: &[LOGREAD], input: b"", deadline: READ, limit })?;
    if output.status == Some(0) {
        return Ok(output.stdout);
    }
    Err(crate::error::Error::other(format!("{LOGREAD} failed")))
}
