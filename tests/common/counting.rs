//! A router that counts what is read of it.

#![allow(dead_code, missing_docs)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

use std::collections::BTreeMap;
use std::io;
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use cwmpd::error::Result;
use cwmpd::platform::live::Live;
use cwmpd::platform::ubus::UbusError;
use cwmpd::platform::uci::{CommitError, Package};
use cwmpd::platform::{FileInfo, InterfaceAddress, Output, Program, System};
use serde_json::Value;

/// The router, and how often each thing was asked of it.
pub struct Counting {
    live: Live,
    reads: Mutex<BTreeMap<String, u32>>,
}

impl Counting {
    pub fn new(live: Live) -> Self {
        Self { live, reads: Mutex::default() }
    }

    fn count(&self, what: String) {
        *self.reads.lock().unwrap().entry(what).or_default() += 1;
    }

    /// What was read since this was last asked, as `package network`, `file /proc/uptime`, `ubus OBJECT METHOD ARGUMENTS`, `program PATH`,
    /// `directory /sys/class/net`, `link PATH`.
    pub fn take(&self) -> BTreeMap<String, u32> {
        std::mem::take(&mut *self.reads.lock().unwrap())
    }

    /// How many programs were started.
    pub fn started(&self) -> u32 {
        self.live.started()
    }
}

impl System for Counting {
    fn read_file(&self, path: &str, limit: usize) -> io::Result<Vec<u8>> {
        self.count(format!("file {path}"));
        self.live.read_file(path, limit)
    }

    fn write_value(&self, path: &str, data: &[u8]) -> io::Result<()> {
        self.live.write_value(path, data)
    }

    fn replace_file(&self, path: &str, mode: u32, data: &[u8]) -> io::Result<()> {
        self.live.replace_file(path, mode, data)
    }

    fn list_dir(&self, path: &str) -> io::Result<Vec<String>> {
        self.count(format!("directory {path}"));
        self.live.list_dir(path)
    }

    fn read_link(&self, path: &str) -> io::Result<String> {
        self.count(format!("link {path}"));
        self.live.read_link(path)
    }

    fn file_info(&self, path: &str) -> io::Result<FileInfo> {
        self.live.file_info(path)
    }

    fn load_package(&self, name: &str) -> Result<Package> {
        self.count(format!("package {name}"));
        self.live.load_package(name)
    }

    fn commit_packages(&self, packages: &mut [&mut Package]) -> std::result::Result<(), CommitError> {
        self.live.commit_packages(packages)
    }

    fn ubus_call(&self, object: &str, method: &str, arguments: &Value) -> std::result::Result<Value, UbusError> {
        self.count(format!("ubus {object} {method} {arguments}"));
        self.live.ubus_call(object, method, arguments)
    }

    fn run(&self, program: &Program<'_>) -> Result<Output> {
        self.count(format!("program {}", program.argv.join(" ")));
        self.live.run(program)
    }

    fn addresses(&self) -> Vec<InterfaceAddress> {
        self.live.addresses()
    }

    fn wall_clock(&self) -> SystemTime {
        self.live.wall_clock()
    }

    fn monotonic(&self) -> Duration {
        self.live.monotonic()
    }
}
