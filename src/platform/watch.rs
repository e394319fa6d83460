//! Learning of changes made behind the agent's back, by events and not by looking again and again.
//!
//! [`Watch`] is three descriptors for a poll loop: inotify for files, rtnetlink for links and addresses, and the bus for interfaces, Wi-Fi clients
//! and leases. None needs a privilege, and the agent goes on without one that the system does not give.

use std::ffi::OsStr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::time::Duration;

use nix::errno::Errno;
use nix::libc;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, InotifyEvent, WatchDescriptor};
use nix::sys::socket::{AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recv, socket};

use super::clock;
use super::files;
use super::live::Live;
use super::ubus::events::Listener;

use crate::sorted::Set;

/// The directory of the packages, and where it lies.
const CONFIG: &str = "/etc/config";

/// A new name in a directory, or one that is gone.
const NAMES: AddWatchFlags = AddWatchFlags::IN_CREATE
    .union(AddWatchFlags::IN_MOVED_TO)
    .union(AddWatchFlags::IN_MOVED_FROM)
    .union(AddWatchFlags::IN_DELETE);

/// The directory that is watched is itself gone.
const GONE: AddWatchFlags = AddWatchFlags::IN_DELETE_SELF.union(AddWatchFlags::IN_MOVE_SELF);

/// The messages of the kernel that are listened to: links, and addresses of both families.
const GROUPS: u32 = (libc::RTMGRP_LINK | libc::RTMGRP_IPV4_IFADDR | libc::RTMGRP_IPV6_IFADDR) as u32;

/// How many times each descriptor is read in one go, so that a flood of events cannot hold the poll loop.
const READS: usize = 64;

/// What has changed since it was last asked.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Changes {
    /// UCI packages that were written, made or deleted, by the agent itself too.
    pub packages: Set<String>,
    /// Events were lost, or `/etc/config` is another directory now: any package and any file may have changed.
    pub everything: bool,
    /// Those of the files given to [`Watch::new`] that changed.
    pub files: Set<String>,
    /// A link or a logical interface went up or down, came or went, or an address did.
    pub network: bool,
    /// A Wi-Fi client or a DHCP lease came or went.
    pub clients: bool,
}

impl Changes {
    /// Whether nothing has changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What a watch descriptor stands for.
enum Watched {
    /// `/etc/config`
    Config,
    /// A directory in which a file is watched, and whether it is the one that `/etc/config` lies in.
    Directory { above_config: bool },
    /// One of the files, by its place in the list.
    File(usize),
}

/// The descriptors, and what they watch.
pub struct Watch {
    root: PathBuf,
    files: Vec<String>,
    inotify: Option<Inotify>,
    watched: Vec<(WatchDescriptor, Watched)>,
    netlink: Option<OwnedFd>,
    bus: Listener,
}

impl Watch {
    /// Watches `/etc/config`, the network, the bus, and these files of the router, which need not exist yet though their directories do.
    #[must_use]
    pub fn new(live: &Live, files: &[&str]) -> Self {
        let inotify = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC)
            .inspect_err(|error| log::warn!("changes of files go unnoticed: no inotify: {error}"))
            .ok();
        let netlink = open_netlink()
            .inspect_err(|error| log::warn!("changes of addresses go unnoticed: no netlink: {error}"))
            .ok();
        let files = files.iter().map(|&file| file.to_owned()).collect();
        let (root, bus) = (live.root().to_path_buf(), Listener::new(live.root()));
        let mut watch = Self { root, files, inotify, watched: Vec::new(), netlink, bus };
        watch.add_all();
        watch
    }

    /// The descriptors to be polled for reading.
    #[must_use]
    pub fn descriptors(&self) -> Vec<BorrowedFd<'_>> {
        let inotify = self.inotify.as_ref().map(AsFd::as_fd);
        inotify.into_iter().chain(self.netlink.as_ref().map(AsFd::as_fd)).chain(self.bus.descriptor()).collect()
    }

    /// The bus, to put an object on it and to tell events.
    pub fn bus(&mut self) -> &mut Listener {
        &mut self.bus
    }

    /// To be polled for writing, where something waits to be sent.
    #[must_use]
    pub fn backlog(&self) -> Option<BorrowedFd<'_>> {
        self.bus.backlog()
    }

    /// When to call [`Watch::read`] even if nothing comes, in time since the boot: the bus is not there, and is looked for again.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Duration> {
        self.bus.next_deadline()
    }

    /// What has changed since the last call; never waits.
    pub fn read(&mut self) -> Changes {
        let mut changes = Changes::default();
        for _ in 0..READS {
            let events = self.inotify.as_ref().map(Inotify::read_events);
            let Some(Ok(events)) = events else { break };
            for event in events {
                self.take_event(&event, &mut changes);
            }
        }
        changes.network = self.netlink.as_ref().is_some_and(network_changed);
        let heard = self.bus.read(clock::since_boot());
        changes.network |= heard.interfaces;
        changes.clients |= heard.clients;
        changes
    }

    fn take_event(&mut self, event: &InotifyEvent, changes: &mut Changes) {
        if event.mask.contains(AddWatchFlags::IN_Q_OVERFLOW) {
            changes.everything = true;
            self.add_all();
            return;
        }
        let Some(place) = self.watched.iter().position(|(descriptor, _)| *descriptor == event.wd) else { return };
        let Some((_, watched)) = self.watched.get(place) else { return };
        let gone = event.mask.intersects(GONE);
        match watched {
            Watched::Config if gone => {
                changes.everything = true;
                self.forget(event);
                self.add_all();
            }
            Watched::Config => changes.packages.extend(event.name.as_deref().and_then(package)),
            Watched::Directory { above_config } => {
                let Some(name) = event.name.as_deref().and_then(OsStr::to_str) else { return };
                let known = changes.files.len();
                changes.files.extend(self.files.iter().filter(|file| file.rsplit('/').next() == Some(name)).cloned());
                let config = *above_config && name == "config";
                changes.everything |= config;
                if config || changes.files.len() > known {
                    self.add_all();
                }
            }
            Watched::File(index) => {
                changes.files.extend(self.files.get(*index).cloned());
                if gone {
                    self.forget(event);
                    self.add_all();
                }
            }
        }
        // The kernel has already taken this watch away.
        if event.mask.contains(AddWatchFlags::IN_IGNORED) {
            self.watched.retain(|(descriptor, _)| *descriptor != event.wd);
        }
    }

    /// Takes away a watch whose file or directory has another name now, or none.
    fn forget(&mut self, event: &InotifyEvent) {
        if let Some(inotify) = &self.inotify {
            let _ = inotify.rm_watch(event.wd);
        }
        self.watched.retain(|(descriptor, _)| *descriptor != event.wd);
    }

    /// Watches whatever exists now. The kernel gives the same descriptor again for what is watched already.
    fn add_all(&mut self) {
        let written = AddWatchFlags::IN_CLOSE_WRITE;
        self.add(parent(CONFIG), NAMES, Watched::Directory { above_config: true });
        self.add(CONFIG.to_owned(), NAMES | written | GONE | AddWatchFlags::IN_ONLYDIR, Watched::Config);
        for (index, file) in self.files.clone().into_iter().enumerate() {
            self.add(parent(&file), NAMES, Watched::Directory { above_config: false });
            // dnsmasq keeps its leases open for years, so that nobody sees them closed.
            self.add(file, AddWatchFlags::IN_MODIFY | written | GONE, Watched::File(index));
        }
    }

    fn add(&mut self, path: String, mask: AddWatchFlags, watched: Watched) {
        let (Some(inotify), Ok(host)) = (&self.inotify, files::resolve(&self.root, &path, true)) else { return };
        match inotify.add_watch(&host, mask) {
            Ok(descriptor) if self.watched.iter().any(|(known, _)| *known == descriptor) => {}
            Ok(descriptor) => self.watched.push((descriptor, watched)),
            Err(Errno::ENOENT) => {}
            Err(error) => log::warn!("changes of {path} go unnoticed: {error}"),
        }
    }
}

fn parent(path: &str) -> String {
    path.rsplit_once('/').map_or("/", |(parent, _)| if parent.is_empty() { "/" } else { parent }).to_owned()
}

/// The package whose file has this name; temporary files of writers and editors are none.
fn package(name: &OsStr) -> Option<String> {
    let name = name.to_str()?;
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    plain.then(|| name.to_owned())
}

/// A socket that hears of links and addresses (rtnetlink(7)).
fn open_netlink() -> nix::Result<OwnedFd> {
    let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
    let netlink = socket(AddressFamily::Netlink, SockType::Raw, flags, SockProtocol::NetlinkRoute)?;
    bind(netlink.as_raw_fd(), &NetlinkAddr::new(0, GROUPS))?;
    Ok(netlink)
}

/// Empties the socket. Which link or address it was does not matter: whoever wants to know reads them all.
fn network_changed(netlink: &OwnedFd) -> bool {
    let mut changed = false;
    // What does not fit is cut off by the kernel, and not missed.
    let mut buffer = [0; 256];
    for _ in 0..READS {
        match recv(netlink.as_raw_fd(), &mut buffer, MsgFlags::empty()) {
            Ok(length) => changed |= length > 0,
            // Messages were lost, so there were some.
            Err(Errno::ENOBUFS) => changed = true,
            Err(Errno::EINTR) => {}
            Err(_) => break,
        }
    }
    changed
}
