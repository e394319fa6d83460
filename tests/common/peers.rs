//! Other people's programs, which tests run beside the agent or compare it with.

use std::path::Path;
use std::process::Child;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Whether a program is installed, by its name or its path. Where it is not, a line says that the test is skipped.
///
/// # Panics
/// When `CWMPD_CI` is set and it is missing.
pub fn installed(program: &str) -> bool {
    let places = std::env::var_os("PATH").unwrap_or_default();
    // Those of the administrator are not in everybody's PATH.
    let more = ["/usr/sbin", "/sbin"].map(Path::new);
    let mut places = std::env::split_paths(&places).collect::<Vec<_>>();
    places.extend(more.map(Path::to_path_buf));
    let found = places.iter().any(|place| place.join(program).exists());
    assert!(found || std::env::var_os("CWMPD_CI").is_none(), "{program} is not installed");
    if !found {
        eprintln!("skipped: {program} is not installed");
    }
    found
}

/// A program that runs as long as this value lives.
pub struct Peer(pub Child);

impl Peer {
    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.0.id()).unwrap()), signal).unwrap();
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
