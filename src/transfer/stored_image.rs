//! An image that is stored and not started: into the place of a board that is not in use, by the program of its integrator
//! (TR-069a6 A.4.1.5, `6 Stored Firmware Image`; docs/firmware.md).

use std::path::Path;
use std::time::Duration;

use super::place::router_path;
use super::{Trouble, code};
use crate::platform::firmware_images::PROGRAM;
use crate::platform::live::Live;
use crate::platform::{Program, System};

/// How long the flash may take. What is half written then is in no use.
const WRITE: Duration = Duration::from_secs(600);

/// What the program may say, in bytes.
const OUTPUT: usize = 64 * 1024;

/// The longest text that is told of it, in characters.
const LONGEST_TEXT: usize = 200;

/// The exit status for an image that is damaged, or for another board.
const UNUSABLE: i32 = 2;

/// And for one without a signature that the board trusts.
const UNSIGNED: i32 = 3;

/// Has an image judged and stored.
pub(super) fn store(live: &Live, file: &Path) -> Result<(), Trouble> {
    let image = router_path(live, file)?;
    let program = Program { argv: &[PROGRAM, "store", &image], input: b"", deadline: WRITE, limit: OUTPUT };
    let output = live.run(&program).map_err(|error| Trouble::new(code::FAILED, error.to_string()))?;
    let code = match output.status {
        Some(0) => {
            log::warn!("stored a firmware image beside the one that runs");
            return Ok(());
        }
        Some(UNUSABLE) => code::CORRUPTED,
        Some(UNSIGNED) => code::UNSIGNED,
        _ => code::FAILED,
    };
    let said = String::from_utf8_lossy(&output.stderr);
    let line = said.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("it does not say why");
    let line: String = line.chars().filter(|c| !c.is_control()).take(LONGEST_TEXT).collect();
    Err(Trouble::new(code, format!("the image was not stored: {line}")))
}
