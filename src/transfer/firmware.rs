//! Firmware: tried by `sysupgrade -T`, written by `sysupgrade`, and known to run by what is left in `/etc` after the boot
//! (TR-069a6 A.4.1.5; CONFORMANCE F-11, F-12).
//!
//! Two files tell how far it came, whenever the power goes:
//!
//! ```text
//!                         KEPT     MARK
//! image tried             absent   absent    never began: the old image runs
//! MARK written            absent   present   never began
//! KEPT written            present  present   sysupgrade may run; in a later boot: it failed, the old image runs
//! new image               present  absent    sysupgrade keeps the one and not the other: the new image runs
//! ```

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::apply::Applied;
use super::place::router_path;
use super::{Trouble, code, settings};
use crate::config::Config;
use crate::error::FaultCode;
use crate::json;
use crate::platform::live::Live;
use crate::platform::power::SYSUPGRADE;
use crate::platform::{Program, System, clock, files};

/// Outside every keep list: a new image begins without it.
const MARK: &str = "/etc/cwmpd.upgrading";

/// In the directory of the state, which every upgrade keeps.
const KEPT: &str = "upgrading.json";

/// How long `sysupgrade -T` may take.
const TRY: Duration = Duration::from_secs(180);

/// How long `sysupgrade` is watched, and how often. It is never killed: it may be writing the flash.
const WATCH: Duration = Duration::from_secs(180);
const LOOK: Duration = Duration::from_millis(50);

/// When the router should have gone down after `sysupgrade` began.
const PATIENCE: Duration = Duration::from_secs(900);

/// The most that is read of what `sysupgrade` says, in bytes.
const OUTPUT: usize = 64 * 1024;

/// The longest text that is told of it, in characters.
const LONGEST_TEXT: usize = 200;

/// What `sysupgrade` says when it hands over to procd. Its exit status means nothing then, since procd ends everything, the bus too.
const COMMENCING: &str = "Commencing upgrade";

/// How its hint for a person at a shell begins: what the line before it says could be overridden.
const HINT: &str = "Use sysupgrade -F";

/// When `sysupgrade` began; the same in both files.
#[derive(Serialize, Deserialize)]
struct Begin {
    /// The boot in which it did.
    boot: Option<String>,
    /// And how long after it, in seconds.
    uptime: u64,
}

/// Tries an image, and has it written; `option keep_settings` says with which settings it begins.
pub(super) fn install(live: &Live, file: &Path) -> Result<Applied, Trouble> {
    let image = router_path(live, file)?;
    try_image(live, &image)?;
    forget(live);
    let kept = kept_path(live);
    let begin = Begin { boot: clock::boot_id(live), uptime: live.monotonic().as_secs() };
    let text = json::bytes(&begin);
    let written = live
        .replace_file(MARK, 0o600, &text)
        .and_then(|()| files::replace(&kept, 0o600, &mut |out| out.write_all(&text)));
    if let Err(error) = written {
        forget(live);
        return Err(Trouble::new(code::FAILED, format!("cannot note that an upgrade begins: {error}")));
    }
    log::warn!("writes new firmware: the router restarts");
    let ended = begin_upgrade(live, &image, file);
    if ended.is_err() {
        forget(live);
    }
    ended.map(|()| Applied::Restart)
}

/// Asks `sysupgrade` whether it would take the image: its format, its metadata, the board, and signatures where they are demanded.
fn try_image(live: &Live, image: &str) -> Result<(), Trouble> {
    let program = Program { argv: &[SYSUPGRADE, "-T", image], input: b"", deadline: TRY, limit: OUTPUT };
    let output = live.run(&program).map_err(|error| {
        let text = match error.is_timeout() {
            true => String::from("sysupgrade did not judge the image in time"),
            false => error.to_string(),
        };
        Trouble::new(code::FAILED, text)
    })?;
    if output.status == Some(0) {
        return Ok(());
    }
    let said = [output.stdout, b"\n".to_vec(), output.stderr].concat();
    // A signal, such as that of a router out of memory, says nothing of the image.
    let code = if output.status.is_some() { code::CORRUPTED } else { code::FAILED };
    Err(verdict(&String::from_utf8_lossy(&said), code))
}

/// Starts `sysupgrade`, and waits until it has handed over or given up.
fn begin_upgrade(live: &Live, image: &str, file: &Path) -> Result<(), Trouble> {
    let mut argv = vec![SYSUPGRADE];
    let own = if Config::load(live).0.cpe.keep_settings {
        String::new()
    } else {
        // Only now, since what tells of this upgrade must be in it.
        let own = file.with_extension("own");
        settings::own_archive(live, &own)?;
        router_path(live, &own)?
    };
    if !own.is_empty() {
        argv.extend(["-f", &own]);
    }
    argv.push(image);
    let failed = |error: &dyn std::fmt::Display| Trouble::new(code::FAILED, format!("cannot run sysupgrade: {error}"));
    let output = file.with_extension("log");
    let log = settings::new_file(&output).map_err(|error| failed(&error))?;
    let child = live.launch(&argv, log).map_err(|error| failed(&error))?;
    let Some(status) = watch(child) else { return Ok(()) };
    let said = files::read(&output, OUTPUT).unwrap_or_default();
    let said = String::from_utf8_lossy(&said);
    // A signal only comes from procd, which ends every process before the flash is written.
    if status.is_none_or(|status| status == 0) || said.contains(COMMENCING) {
        return Ok(());
    }
    Err(verdict(&said, code::FAILED))
}

/// The exit status, `None` in it for the end by a signal; `None` for a program that still runs.
fn watch(mut child: Child) -> Option<Option<i32>> {
    let end = Instant::now() + WATCH;
    while Instant::now() < end {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status.code()),
            Ok(None) => thread::sleep(LOOK),
            Err(_) => return None,
        }
    }
    None
}

/// What `sysupgrade` said about an image that it did not take.
fn verdict(said: &str, other: FaultCode) -> Trouble {
    let lines: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let mut reason = None;
    for (place, line) in lines.iter().enumerate() {
        let lower = line.to_ascii_lowercase();
        let demanded = lines.get(place + 1).is_some_and(|next| next.starts_with(HINT));
        // It misses a signature aloud also where none is demanded; the hint only follows where one is.
        let harmless = lower.contains("signature not present") && !demanded;
        if line.starts_with(HINT) || harmless {
            continue;
        }
        if lower.contains("signature") {
            reason = Some((code::UNSIGNED, *line));
            break;
        }
        // The first line tells most.
        reason = reason.or(Some((other, *line)));
    }
    let (code, line) = reason.unwrap_or((other, "it does not say why"));
    let line: String = line.chars().filter(|c| !c.is_control()).take(LONGEST_TEXT).collect();
    Trouble::new(code, format!("sysupgrade does not take the image: {line}"))
}

/// See [`super::apply::firmware_result`].
pub(super) fn result(live: &Live) -> Option<Result<(), Trouble>> {
    let failed = |text: &str| Some(Err(Trouble::new(code::FAILED, text)));
    let Ok(kept) = files::read(&kept_path(live), OUTPUT) else {
        return failed("the agent ended before the image was written");
    };
    if matches!(live.file_info(MARK), Err(error) if error.kind() == ErrorKind::NotFound) {
        return Some(Ok(()));
    }
    let begin = json::read::<Begin>(&kept).unwrap_or(Begin { boot: None, uptime: u64::MAX });
    let now = live.monotonic().as_secs();
    let same_boot = match (&begin.boot, clock::boot_id(live)) {
        (Some(then), Some(now)) => *then == now,
        _ => now >= begin.uptime,
    };
    if !same_boot {
        return failed("the image was not written: the old one still runs");
    }
    if now.saturating_sub(begin.uptime) < PATIENCE.as_secs() {
        return None;
    }
    failed("sysupgrade did not restart the router")
}

/// See [`super::apply::firmware_forget`].
pub(super) fn forget(live: &Live) {
    let mark = live.host_path(MARK).ok();
    // First what says that an upgrade began: the mark alone means nothing.
    for path in [Some(kept_path(live)), mark].into_iter().flatten() {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                log::warn!("cannot remove {}: {error}", path.display());
            }
            _ => {}
        }
    }
}

fn kept_path(live: &Live) -> PathBuf {
    let state_dir = Config::load(live).0.cpe.state_dir;
    let directory = live.host_path(&state_dir).unwrap_or_else(|_| live.root().join("etc/cwmpd"));
    directory.join(KEPT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f12_the_verdict_is_the_line_that_tells_most() {
        let told = |said: &str| {
            let trouble = verdict(said, code::CORRUPTED);
            (trouble.code.0, trouble.text.rsplit(": ").next().unwrap().to_owned())
        };
        let hint = "Use sysupgrade -F to override this check when downgrading or flashing to vendor firmware";
        assert_eq!(told(&format!("\nImage metadata not present\n{hint}\n")).1, "Image metadata not present");
        let unsigned = format!("Image signature not present\x1b\n{hint}\nImage check failed.\n");
        assert_eq!(told(&unsigned), (9019, String::from("Image signature not present")));
        let invalid = "Image check failed.\nInvalid image signature\n";
        assert_eq!(told(invalid), (9019, String::from("Invalid image signature")));
        let wrong_board = "Image signature not present\nDevice a,b not supported by this image\nImage check failed.";
        assert_eq!(told(wrong_board), (9018, String::from("Device a,b not supported by this image")));
        assert_eq!(told(""), (9018, String::from("it does not say why")));
    }
}
