//! A root of OpenWrt in which its scripts run: busybox' shell, the real `uci`, and what stands for procd and the rest (`tests/router/`).

#![allow(dead_code, missing_docs)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::uci_tool::real_uci;

/// The root; it goes away with this value.
pub struct OpenWrt {
    directory: tempfile::TempDir,
}

impl OpenWrt {
    /// One without the agent's own files, but with what these words run ([`super::agent::words`]); `None` where the tests may not change their
    /// root, or a tool is missing.
    ///
    /// # Panics
    /// When `CWMPD_CI` is set and there can be none.
    pub fn new(program: &[String]) -> Option<Self> {
        let uci = real_uci()?;
        let directory = tempfile::Builder::new().prefix("cwmpd-openwrt-").tempdir().unwrap();
        let mut make = Command::new(Self::source("tests/router/make.sh"));
        make.arg(directory.path()).arg(uci).args(program);
        let made = make.output().unwrap();
        let router = Self { directory };
        let reason = if made.status.success() {
            let ran = router.command("/bin/true").output().unwrap();
            if ran.status.success() {
                return Some(router);
            }
            ran.stderr
        } else {
            made.stderr
        };
        let reason = String::from_utf8_lossy(&reason).into_owned();
        assert!(std::env::var_os("CWMPD_CI").is_none(), "no root of OpenWrt: {reason}");
        eprintln!("skipped: no root of OpenWrt: {reason}");
        None
    }

    /// One with the files that the package brings.
    pub fn with_files() -> Option<Self> {
        let router = Self::new(&[])?;
        let files = format!("{}/.", Self::source("files").display());
        assert!(Command::new("cp").args(["-R", &files]).arg(router.path()).status().unwrap().success());
        router.ok("chmod 600 /etc/config/cwmpd");
        Some(router)
    }

    /// A file of this repository.
    pub fn source(path: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    pub fn at(&self, path: &str) -> PathBuf {
        self.path().join(path.trim_start_matches('/'))
    }

    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.at(path)).unwrap_or_default()
    }

    pub fn write(&self, path: &str, content: &str) {
        let target = self.at(path);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::write(target, content).unwrap();
    }

    /// A program of the router, started in it with nothing but its path.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("chroot");
        command.arg(self.path()).arg(program).env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        command
    }

    /// Runs a line of the router's shell.
    pub fn sh(&self, line: &str) -> Output {
        self.command("/bin/sh").args(["-c", line]).output().unwrap()
    }

    /// Runs a line that has to succeed and to complain about nothing; gives what it prints.
    pub fn ok(&self, line: &str) -> String {
        let output = self.sh(line);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && errors.is_empty(), "{line}: {errors}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Sources a script of uci-defaults as OpenWrt does, which then takes it away.
    pub fn defaults(&self, script: &str) {
        self.ok(&format!("cd /etc/uci-defaults && ( . ./{script} ) && rm -f {script}"));
    }

    /// The calls of programs so far.
    pub fn calls(&self) -> Vec<String> {
        self.read("/tmp/calls.log").lines().map(str::to_owned).collect()
    }
}
