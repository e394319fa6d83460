//! The real router, or the sample of one that lies beneath a directory.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use nix::ifaddrs::getifaddrs;
use nix::sys::socket::SockaddrStorage;
use serde_json::Value;

use super::exec::Runner;
use super::ubus::{Ubus, UbusError};
use super::{FileInfo, InterfaceAddress, Output, Program, System, clock, files, uci};
use crate::error::{Error, Result};

/// Where the configuration lies.
const CONFIG: &str = "/etc/config";

/// The package of the agent itself.
const OWN_PACKAGE: &str = "cwmpd";

/// How many names of a directory are looked at.
const NAMES: usize = 65_536;

/// A system beneath a root directory: every path, and every program, is that directory's own. Clocks and the addresses of the kernel
/// are those of this machine (or network namespace) in any case.
pub struct Live {
    root: PathBuf,
    /// The file of the package `cwmpd`, where it is not in its place.
    config: Option<PathBuf>,
    runner: Runner,
    ubus: Ubus,
    /// Held while a file is replaced, since there is one temporary file for each.
    replacing: Mutex<()>,
}

impl Live {
    /// The system beneath this directory; `/` is the live one.
    ///
    /// # Errors
    /// When it is not a directory.
    pub fn new(root: &Path) -> Result<Self> {
        let shown = root.display();
        let root = fs::canonicalize(root).map_err(Error::io(format!("use {shown} as the root")))?;
        if !root.is_dir() {
            return Err(Error::other(format!("cannot use {shown} as the root: not a directory")));
        }
        Ok(Self { runner: Runner::new(&root), ubus: Ubus::default(), replacing: Mutex::new(()), config: None, root })
    }

    /// Takes the package `cwmpd` from another file than `/etc/config/cwmpd`: one beneath the root, or else of this machine.
    ///
    /// # Errors
    /// When it is neither.
    pub fn use_config(&mut self, file: &Path) -> Result<()> {
        let shown = file.display();
        let beneath = file.to_str().and_then(|path| self.host_path(path).ok()).filter(|path| path.is_file());
        let path = match beneath {
            Some(path) => path,
            None => fs::canonicalize(file).map_err(Error::io(format!("use {shown} as the configuration")))?,
        };
        self.config = Some(path);
        Ok(())
    }

    /// The directory that is the root.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where a path of the router lies on this machine, all links followed: for sockets and watches.
    ///
    /// # Errors
    /// `InvalidInput` when it is not absolute or contains `..`.
    pub fn host_path(&self, path: &str) -> io::Result<PathBuf> {
        files::resolve(&self.root, path, true)
    }

    /// Starts a program that must not be disturbed, such as one that writes firmware. See [`Runner::launch`].
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn launch(&self, argv: &[&str], output: fs::File) -> Result<Child> {
        let name = argv.first().copied().unwrap_or_default();
        self.runner.launch(argv, output).map_err(Error::io(format!("run {name}")))
    }

    /// How many programs have been started, those behind ubus calls included.
    #[must_use]
    pub fn started(&self) -> u32 {
        self.runner.started()
    }
}

impl System for Live {
    fn read_file(&self, path: &str, limit: usize) -> io::Result<Vec<u8>> {
        files::read(&self.host_path(path)?, limit)
    }

    fn write_value(&self, path: &str, data: &[u8]) -> io::Result<()> {
        files::write_in_place(&self.host_path(path)?, data)
    }

    fn replace_file(&self, path: &str, mode: u32, data: &[u8]) -> io::Result<()> {
        let path = self.host_path(path)?;
        let _one_at_a_time = self.replacing.lock().unwrap_or_else(PoisonError::into_inner);
        files::replace(&path, mode, &mut |out: &mut dyn Write| out.write_all(data))
    }

    fn list_dir(&self, path: &str) -> io::Result<Vec<String>> {
        let entries = fs::read_dir(self.host_path(path)?)?.take(NAMES);
        let mut names = Vec::new();
        for entry in entries {
            // No name that matters to the agent is anything but UTF-8.
            if let Ok(name) = entry?.file_name().into_string() {
                names.push(name);
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    fn read_link(&self, path: &str) -> io::Result<String> {
        let target = fs::read_link(files::resolve(&self.root, path, false)?)?;
        target.into_os_string().into_string().map_err(|_| io::Error::from(ErrorKind::InvalidData))
    }

    fn file_info(&self, path: &str) -> io::Result<FileInfo> {
        let metadata = fs::metadata(self.host_path(path)?)?;
        let mode = metadata.permissions().mode() & 0o7777;
        Ok(FileInfo { size: metadata.len(), modified: metadata.modified()?, directory: metadata.is_dir(), mode })
    }

    fn load_package(&self, name: &str) -> Result<uci::Package> {
        if let Some(file) = self.config.as_deref().filter(|_| name == OWN_PACKAGE) {
            return uci::load_file(file, name);
        }
        let directory = self.host_path(CONFIG).map_err(Error::io("find /etc/config"))?;
        uci::load(&directory, name)
    }

    fn commit_packages(&self, packages: &mut [&mut uci::Package]) -> Result<(), uci::CommitError> {
        let directory =
            self.host_path(CONFIG).map_err(|error| uci::CommitError::Failed(Error::io("find /etc/config")(error)))?;
        uci::commit(&directory, packages)
    }

    fn ubus_call(&self, object: &str, method: &str, arguments: &Value) -> Result<Value, UbusError> {
        self.ubus.call(&self.runner, object, method, arguments)
    }

    fn run(&self, program: &Program<'_>) -> Result<Output> {
        let name = program.argv.first().copied().unwrap_or_default();
        self.runner.run(program).map_err(Error::io(format!("run {name}")))
    }

    fn addresses(&self) -> Vec<InterfaceAddress> {
        let Ok(all) = getifaddrs() else { return Vec::new() };
        all.filter_map(|entry| {
            let address = entry.address.as_ref().and_then(ip)?;
            let prefix = entry.netmask.as_ref().and_then(ip).map_or(0, prefix);
            Some(InterfaceAddress { interface: entry.interface_name, address, prefix })
        })
        .collect()
    }

    fn wall_clock(&self) -> SystemTime {
        SystemTime::now()
    }

    fn monotonic(&self) -> Duration {
        clock::since_boot()
    }
}

fn ip(address: &SockaddrStorage) -> Option<IpAddr> {
    let v4 = address.as_sockaddr_in().map(|address| IpAddr::V4(address.ip()));
    v4.or_else(|| address.as_sockaddr_in6().map(|address| IpAddr::V6(address.ip())))
}

/// The number of bits set in a mask; at most 128.
fn prefix(mask: IpAddr) -> u8 {
    let ones = match mask {
        IpAddr::V4(mask) => mask.to_bits().count_ones(),
        IpAddr::V6(mask) => mask.to_bits().count_ones(),
    };
    u8::try_from(ones).unwrap_or(128)
}
