//! Sockets of the tests, and what the device under them has carried.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::socket::{SockType, SockaddrStorage, connect as connect_socket, setsockopt, sockopt};

use super::meter::Carried;
use crate::diagnostics::{Trouble, Way};
use crate::platform::System;

/// A TCP socket that goes this way, with its packets marked for Ethernet (EthernetPriority, where VLANs carry it).
///
/// # Errors
/// When it cannot be made, or not go this way.
pub fn tcp(way: &Way, target: IpAddr, priority: u32) -> Result<OwnedFd, Trouble> {
    let socket = way.socket(target, SockType::Stream, None)?;
    if priority > 0 {
        let priority = i32::try_from(priority.min(7)).unwrap_or(0);
        // After the codepoint, from which the kernel takes a priority of its own.
        setsockopt(&socket, sockopt::Priority, &priority)
            .map_err(|errno| Trouble::io("set the priority", &errno.into()))?;
    }
    Ok(socket)
}

/// Begins to connect; the socket is writable when that has come to an end.
///
/// # Errors
/// When the kernel refuses at once: no route, no such address.
pub fn connect(socket: &OwnedFd, address: SocketAddr) -> io::Result<()> {
    match connect_socket(socket.as_raw_fd(), &SockaddrStorage::from(address)) {
        Ok(()) | Err(Errno::EINPROGRESS | Errno::EINTR) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}

/// The device that has this address.
#[must_use]
pub fn device_of(system: &dyn System, address: IpAddr) -> Option<String> {
    system.addresses().into_iter().find(|entry| entry.address == address).map(|entry| entry.interface)
}

/// What a device has carried; zero where nobody counts.
#[must_use]
pub fn carried(system: &dyn System, device: &str) -> Carried {
    let read = |counter: &str| {
        let text = system.read_file(&format!("/sys/class/net/{device}/statistics/{counter}"), 64).unwrap_or_default();
        std::str::from_utf8(&text).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0)
    };
    Carried { received: read("rx_bytes"), sent: read("tx_bytes") }
}
