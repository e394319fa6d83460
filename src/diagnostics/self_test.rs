//! SelfTestDiagnostics: whether the router has what the agent needs (TR-181 2.17 Device.SelfTestDiagnostics.).

use std::fs;
use std::io::Write as _;
use std::path::Path;

use nix::sys::statvfs::statvfs;

use super::{Kind, Report, Test, Trouble};
use crate::config::Config;
use crate::platform::System;

/// The test.
pub static SELF_TEST: Kind = Kind { path: "Device.SelfTestDiagnostics.", run };

/// Less memory than this, in KiB, is too little for a session over TLS.
const LEAST_MEMORY: u64 = 4096;

/// Less room than this, in KiB, is too little for the state.
const LEAST_STORAGE: u64 = 64;

/// The longest text that Results may have, in bytes.
const LONGEST: usize = 1000;

/// Something that is looked at: what there is, or what is wrong.
type Check = fn(&Test<'_>) -> Result<String, String>;

const CHECKS: &[(&str, Check)] =
    &[("state", state), ("storage", storage), ("memory", memory), ("configuration", configuration)];

/// The text begins with PASS or FAIL, as TR-181 wants it, and has a line for each check.
fn run(test: &Test<'_>) -> Result<Report, Trouble> {
    let (mut good, mut lines) = (true, String::new());
    for (name, check) in CHECKS {
        test.goes_on()?;
        let line = match check(test) {
            Ok(text) => format!("{name}: ok, {text}"),
            Err(text) => {
                good = false;
                format!("{name}: FAILED, {text}")
            }
        };
        test.tell(&line);
        lines.push('\n');
        lines.push_str(&line);
    }
    let mut text = format!("{}{lines}", if good { "PASS" } else { "FAIL" });
    while text.len() > LONGEST {
        text.pop();
    }
    let mut report = Report::new();
    report.set("Results", text);
    Ok(report)
}

fn state_directory(test: &Test<'_>) -> Result<std::path::PathBuf, String> {
    let (config, _) = Config::load(test.live);
    test.live.host_path(&config.cpe.state_dir).map_err(|error| format!("{}: {error}", config.cpe.state_dir))
}

/// What is written is read back from the disk.
fn state(test: &Test<'_>) -> Result<String, String> {
    let directory = state_directory(test)?;
    let file = directory.join(format!("self-test.{}", std::process::id()));
    let written = write_and_read(&file);
    // It is there only where it could be written.
    let _ = fs::remove_file(&file);
    written.map(|()| String::from("what is written can be read")).map_err(|error| error.to_string())
}

fn write_and_read(path: &Path) -> std::io::Result<()> {
    const CONTENT: &[u8] = b"written by the self test\n";
    let mut file = fs::File::create(path)?;
    file.write_all(CONTENT)?;
    file.sync_all()?;
    drop(file);
    match fs::read(path)? == CONTENT {
        true => Ok(()),
        false => Err(std::io::Error::other("what was written reads differently")),
    }
}

fn storage(test: &Test<'_>) -> Result<String, String> {
    let stat = statvfs(&state_directory(test)?).map_err(|errno| errno.to_string())?;
    // Their widths depend on the C library.
    #[allow(clippy::useless_conversion)]
    let (blocks, size) = (u64::from(stat.blocks_available()), u64::from(stat.fragment_size()));
    enough(blocks.saturating_mul(size) / 1024, LEAST_STORAGE)
}

fn memory(test: &Test<'_>) -> Result<String, String> {
    let text = test.live.read_file("/proc/meminfo", 65_536).map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&text);
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    let free = line.and_then(|line| line.split_ascii_whitespace().next()?.parse().ok());
    enough(free.ok_or("the kernel does not say how much there is")?, LEAST_MEMORY)
}

fn enough(free: u64, least: u64) -> Result<String, String> {
    let text = format!("{free} KiB are free");
    if free < least { Err(text) } else { Ok(text) }
}

/// Every package of UCI can be read, and that of the agent has no mistakes.
fn configuration(test: &Test<'_>) -> Result<String, String> {
    let names = test.live.list_dir("/etc/config").map_err(|error| error.to_string())?;
    let packages = names
        .iter()
        .filter(|name| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'));
    let mut count = 0_u32;
    for name in packages {
        test.live.load_package(name).map_err(|error| error.to_string())?;
        count = count.saturating_add(1);
    }
    let (_, problems) = Config::load(test.live);
    match problems.iter().find(|problem| !problem.warning) {
        Some(problem) => Err(problem.to_string()),
        None => Ok(format!("{count} packages")),
    }
}
