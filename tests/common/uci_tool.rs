//! The real `uci` program, for tests that compare with it.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

/// The path of the real `uci`, built on first use by `tests/tools/uci/build.sh`. Where it cannot be built (no gcc, no crates), says so and gives
/// `None`: the test is skipped. With `CWMPD_CI=1` that is a failure.
///
/// Use it as `uci -c CONFDIR -t SAVEDIR ...`; without `-t` it writes pending changes to `/tmp/.uci`.
pub fn real_uci() -> Option<PathBuf> {
    static TOOL: OnceLock<Option<PathBuf>> = OnceLock::new();
    TOOL.get_or_init(|| built("uci", "uci")).clone()
}

/// A program that `tests/tools/DIRECTORY/build.sh` makes, or none; see [`real_uci`].
pub fn built(directory: &str, program: &str) -> Option<PathBuf> {
    let out = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{program}-tool"));
    let script = format!("{}/tests/tools/{directory}/build.sh", env!("CARGO_MANIFEST_DIR"));
    let reason = match Command::new(script).arg(&out).output() {
        Ok(output) if output.status.success() => return Some(out.join(program)),
        Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
        Err(error) => error.to_string(),
    };
    assert!(std::env::var_os("CWMPD_CI").is_none_or(|ci| ci != "1"), "the real {program} cannot be built: {reason}");
    println!("skipped: the real {program} cannot be built: {reason}");
    None
}
