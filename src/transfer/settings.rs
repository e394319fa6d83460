//! The configuration in and out: as the archive of `sysupgrade -b` and as the text of `uci export` (CONFORMANCE F-13).
//!
//! A restore that does not parse changes nothing. The state of the agent is not part of what is restored: its queue and its instance numbers
//! are those of now.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use flate2::read::MultiGzDecoder;
use nix::sys::statvfs::statvfs;

use super::archive::{self, Failure};
use super::part::wide;
use super::place::router_path;
use super::{Trouble, code};
use crate::config::Config;
use crate::error::FaultCode;
use crate::platform::live::Live;
use crate::platform::power::{self, SYSUPGRADE};
use crate::platform::uci::{self, CommitError, Package};
use crate::platform::{Program, System};

/// How every file of gzip begins.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The longest text of UCI, in bytes.
const LONGEST_TEXT: u64 = 4 << 20;

/// How long `sysupgrade` may take to pack or unpack settings.
const PACK: Duration = Duration::from_secs(120);

/// What `sysupgrade` may say, in bytes.
const OUTPUT: usize = 64 * 1024;

/// How often a commit is tried when others write at the same time.
const TRIES: u32 = 5;

/// Where packages lie.
const CONFIG: &str = "/etc/config";

/// Restores settings, and tells the services.
pub(super) fn restore(live: &Live, file: &Path) -> Result<(), Trouble> {
    let unreadable = |error| Trouble::new(code::FAILED, format!("cannot read the file: {error}"));
    let mut start = Vec::new();
    File::open(file).and_then(|file| file.take(2).read_to_end(&mut start)).map_err(unreadable)?;
    let packages = if start == GZIP {
        restore_archive(live, file)?
    } else {
        let mut text = Vec::new();
        let length = File::open(file).and_then(|file| file.take(LONGEST_TEXT + 1).read_to_end(&mut text));
        if length.map_err(unreadable)? as u64 > LONGEST_TEXT {
            return Err(Trouble::new(code::CORRUPTED, "the file is neither an archive nor a short enough text of UCI"));
        }
        restore_text(live, &text)?
    };
    log::warn!("restored the settings of {}", packages.join(", "));
    let packages: Vec<&str> = packages.iter().map(String::as_str).collect();
    // What is restored stays restored; a service that does not reload is for the log.
    for error in power::apply(live, &packages).err().unwrap_or_default() {
        log::error!("after a restore: {error}");
    }
    Ok(())
}

/// Hands the archive on to `sysupgrade -r`, once it was looked through, and without the agent's own state.
fn restore_archive(live: &Live, file: &Path) -> Result<Vec<String>, Trouble> {
    let copy = file.with_extension("restore");
    let restored = copy_archive(live, file, &copy).and_then(|packages| {
        check_room(live, &copy)?;
        run(live, &[SYSUPGRADE, "-r", &router_path(live, &copy)?], code::FAILED)?;
        // sysupgrade leaves that to whoever restarts the router next.
        nix::unistd::sync();
        Ok(packages)
    });
    let _ = fs::remove_file(&copy);
    restored
}

/// That there is room for all of an archive. `tar` takes a file away before it writes the new one: with the flash full in the middle of it, the
/// router would be left with half of its settings.
fn check_room(live: &Live, archive: &Path) -> Result<(), Trouble> {
    let failed = |error| Trouble::new(code::FAILED, format!("cannot look for room for the settings: {error}"));
    let mut unpacked = MultiGzDecoder::new(File::open(archive).map_err(failed)?);
    let wanted = io::copy(&mut unpacked, &mut io::sink()).map_err(failed)?;
    let etc = live.host_path("/etc").and_then(|etc| Ok(statvfs(&etc)?)).map_err(failed)?;
    let free = wide(etc.blocks_available()).saturating_mul(wide(etc.fragment_size()));
    match free >= wanted {
        true => Ok(()),
        false => {
            let text = format!("there is no space for the settings: they may take {wanted} bytes, and {free} are free");
            Err(Trouble::new(code::FAILED, text))
        }
    }
}

fn copy_archive(live: &Live, file: &Path, copy: &Path) -> Result<Vec<String>, Trouble> {
    let state = Config::load(live).0.cpe.state_dir;
    copy_kept(file, copy, &|name| match inside(&state, name) {
        // Model files of the user are settings.
        Some(inside) => inside.is_empty() || inside.starts_with("model.d/"),
        None => name != "etc/cwmpd.upgrading",
    })
}

/// Makes an archive of the agent's own configuration and state, for an image that begins without other settings.
pub(super) fn own_archive(live: &Live, into: &Path) -> Result<(), Trouble> {
    let state = Config::load(live).0.cpe.state_dir;
    let all = into.with_extension("all");
    let made = back_up(live, &all)
        .and_then(|_| copy_kept(&all, into, &|name| name == "etc/config/cwmpd" || inside(&state, name).is_some()));
    let _ = fs::remove_file(&all);
    made.map(drop).map_err(|trouble| Trouble::new(code::FAILED, trouble.text))
}

/// The rest of a name in an archive beneath a directory of the router.
fn inside<'n>(directory: &str, name: &'n str) -> Option<&'n str> {
    name.strip_prefix(directory.trim_matches('/'))?.strip_prefix('/')
}

fn copy_kept(file: &Path, copy: &Path, keep: &dyn Fn(&str) -> bool) -> Result<Vec<String>, Trouble> {
    let failed = |error| Trouble::new(code::FAILED, format!("cannot copy the archive: {error}"));
    let mut from = BufReader::new(File::open(file).map_err(failed)?);
    let mut to = BufWriter::new(new_file(copy).map_err(failed)?);
    let packages = archive::copy(&mut from, &mut to, keep).map_err(|failure| match failure {
        Failure::Bad(reason) => Trouble::new(code::CORRUPTED, format!("the archive is refused: {reason}")),
        Failure::Write(error) => failed(error),
    })?;
    to.flush().map_err(failed)?;
    Ok(packages)
}

/// Puts each package of the text in the place of what it was; other packages stay. All or nothing.
fn restore_text(live: &Live, text: &[u8]) -> Result<Vec<String>, Trouble> {
    let new = uci::split_export(text).map_err(|problem| {
        let text = format!("the file is not a text of UCI: line {}: {}", problem.line, problem.reason);
        Trouble::new(code::CORRUPTED, text)
    })?;
    let failed = |text: String| Trouble::new(FaultCode::INTERNAL_ERROR, text);
    for _ in 0..TRIES {
        let mut changed = Vec::new();
        for package in &new {
            let current = live.load_package(package.name()).map_err(|error| failed(error.to_string()))?;
            changed.extend(uci::replacing(&current, package));
        }
        match live.commit_packages(&mut changed.iter_mut().collect::<Vec<_>>()) {
            Ok(()) => return Ok(changed.iter().map(|package| package.name().to_owned()).collect()),
            Err(CommitError::Changed(_)) => {}
            Err(error) => return Err(failed(error.to_string())),
        }
    }
    Err(failed(String::from("other programs change the settings all the time")))
}

/// Makes the archive of `sysupgrade -b`.
pub(super) fn back_up(live: &Live, into: &Path) -> Result<u64, Trouble> {
    let failed = |error| Trouble::new(code::UPLOAD_FAILED, format!("cannot make the archive: {error}"));
    // It is private before anything is in it.
    drop(new_file(into).map_err(failed)?);
    run(live, &[SYSUPGRADE, "-b", &router_path(live, into)?], code::UPLOAD_FAILED)?;
    match fs::metadata(into).map_err(failed)?.len() {
        0 => Err(Trouble::new(code::UPLOAD_FAILED, "sysupgrade -b made no archive")),
        length => Ok(length),
    }
}

/// Writes all packages as `uci export` does.
pub(super) fn export(live: &Live, into: &Path) -> Result<u64, Trouble> {
    let failed = |text: String| Trouble::new(code::UPLOAD_FAILED, text);
    let names = live.list_dir(CONFIG).map_err(|error| failed(format!("cannot read {CONFIG}: {error}")))?;
    let mut out = Vec::new();
    for name in names.iter().filter(|name| archive::is_package(name)) {
        let package: Package = live.load_package(name).map_err(|error| failed(error.to_string()))?;
        if let Some(problem) = package.problems().first() {
            return Err(failed(format!("{CONFIG}/{name}:{}: {}", problem.line, problem.reason)));
        }
        uci::export(&package, &mut out);
    }
    let written = new_file(into).and_then(|mut file| file.write_all(&out));
    written.map_err(|error| failed(format!("cannot write the file: {error}")))?;
    Ok(out.len() as u64)
}

fn run(live: &Live, argv: &[&str], code: FaultCode) -> Result<(), Trouble> {
    let output = live.run(&Program { argv, input: b"", deadline: PACK, limit: OUTPUT });
    let output = output.map_err(|error| Trouble::new(code, error.to_string()))?;
    if output.status == Some(0) {
        return Ok(());
    }
    let reason = String::from_utf8_lossy(&output.stderr);
    let line = reason.lines().next().unwrap_or_default().trim();
    Err(Trouble::new(code, format!("{} failed: {line}", argv.get(..2).unwrap_or_default().join(" "))))
}

/// A private file that was not there before.
pub(super) fn new_file(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => OpenOptions::new().append(true).create_new(true).mode(0o600).open(path),
    }
}
