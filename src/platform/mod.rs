//! The system underneath: files, UCI, ubus, programs, addresses and clocks.
//!
//! [`System`] is all that the data model sees of the router. [`live`] is the real one, below a root directory; tests may bring their own.

pub mod clock;
pub mod exec;
pub mod files;
pub mod firmware_images;
pub mod identity;
pub mod live;
pub mod net;
pub mod packages;
pub mod power;
pub mod rpcd;
pub mod ubus;
pub mod uci;
pub mod watch;

use std::io;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use crate::error::Result;

/// What the agent needs of a router. Paths are those of the router (`/etc/config/network`), wherever its root lies.
pub trait System: Send + Sync {
    /// The whole of a file, if it is no longer than `limit` bytes; a longer one is an error of kind `FileTooLarge`.
    fn read_file(&self, path: &str, limit: usize) -> io::Result<Vec<u8>>;

    /// Writes a value into an existing file of sysfs or procfs, in place and in one write.
    fn write_value(&self, path: &str, data: &[u8]) -> io::Result<()>;

    /// Replaces or makes a file of the agent, atomically, with this mode, and synced to the disk.
    fn replace_file(&self, path: &str, mode: u32, data: &[u8]) -> io::Result<()>;

    /// The names in a directory, sorted.
    fn list_dir(&self, path: &str) -> io::Result<Vec<String>>;

    /// Where a symbolic link leads, unresolved.
    fn read_link(&self, path: &str) -> io::Result<String>;

    /// Size in bytes and time of the last change of a file or directory.
    fn file_info(&self, path: &str) -> io::Result<FileInfo>;

    /// A UCI package as it is committed, without the pending changes of others. One that does not exist is empty.
    fn load_package(&self, name: &str) -> Result<uci::Package>;

    /// Writes the changed ones of these packages: all of them, or none.
    fn commit_packages(&self, packages: &mut [&mut uci::Package]) -> Result<(), uci::CommitError>;

    /// A ubus call; the answer is a JSON object (an empty one for a call that returns nothing).
    fn ubus_call(
        &self,
        object: &str,
        method: &str,
        arguments: &serde_json::Value,
    ) -> Result<serde_json::Value, ubus::UbusError>;

    /// Runs a program directly, never through a shell, and waits for its end. In the error, `NotFound` means that there is no such
    /// program, `TimedOut` that it was killed at its deadline, and `FileTooLarge` that it wrote more than its limit.
    fn run(&self, program: &Program<'_>) -> Result<Output>;

    /// The addresses of the network interfaces of the kernel.
    fn addresses(&self) -> Vec<InterfaceAddress>;

    /// The clock on the wall, right or wrong.
    fn wall_clock(&self) -> SystemTime;

    /// Time since the boot of the kernel; never goes back.
    fn monotonic(&self) -> Duration;
}

/// What [`System::file_info`] tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FileInfo {
    /// Bytes.
    pub size: u64,
    /// The last change.
    pub modified: SystemTime,
    /// Whether it is a directory.
    pub directory: bool,
    /// Who may do what with it, as `chmod` counts it: `0o600`.
    pub mode: u32,
}

/// A program to be run.
#[derive(Clone, Copy, Debug)]
pub struct Program<'a> {
    /// The absolute path on the router and the arguments, each passed on as it is.
    pub argv: &'a [&'a str],
    /// What it reads on standard input.
    pub input: &'a [u8],
    /// When it is killed.
    pub deadline: Duration,
    /// How many bytes of standard output are taken; more is an error.
    pub limit: usize,
}

/// How a program ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Output {
    /// The exit status; `None` when a signal ended it.
    pub status: Option<i32>,
    /// What it wrote to standard output.
    pub stdout: Vec<u8>,
    /// The beginning of what it wrote to standard error.
    pub stderr: Vec<u8>,
}

/// An address of a network interface.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InterfaceAddress {
    /// The kernel's name of the interface, such as `br-lan`.
    pub interface: String,
    /// The address.
    pub address: IpAddr,
    /// The length of its prefix in bits.
    pub prefix: u8,
}
