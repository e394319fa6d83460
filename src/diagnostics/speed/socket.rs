//! Sockets of the tests: over which device, by which version of IP, and how their packets are marked.

use std::ffi::OsString;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::socket::{self, AddressFamily, SockFlag, SockType, SockaddrStorage, sockopt};

use super::meter::Carried;
use crate::acs::{Cancel, Resolve, SystemResolver, addresses};
use crate::platform::System;

/// How long the name servers have.
const RESOLVE: Duration = Duration::from_secs(15);

/// ProtocolVersion of a test.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum IpVersion {
    /// Whichever the name has an address of.
    #[default]
    Any,
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl IpVersion {
    /// As TR-181 has it; what is not known is `Any`.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match text {
            "IPv4" => Self::V4,
            "IPv6" => Self::V6,
            _ => Self::Any,
        }
    }

    fn has(self, address: IpAddr) -> bool {
        match self {
            Self::Any => true,
            Self::V4 => address.is_ipv4(),
            Self::V6 => address.is_ipv6(),
        }
    }
}

/// How the packets of a test leave.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Way {
    /// The device that they leave over; `None` where the routes say.
    pub device: Option<String>,
    /// The version of IP.
    pub version: IpVersion,
    /// The differentiated services codepoint, 0 to 63.
    pub dscp: u8,
    /// The priority on Ethernet, 0 to 7; `None` leaves it to the kernel.
    pub priority: Option<u8>,
}

impl Way {
    /// The addresses of a host that this way leads to; none where its name is not known, and `None` after a cancel.
    #[must_use]
    pub fn resolve(&self, host: &str, port: u16, cancel: &Cancel) -> Option<Vec<SocketAddr>> {
        let resolver: Arc<dyn Resolve> = Arc::new(SystemResolver);
        let found = addresses(&resolver, (host, port), RESOLVE, cancel);
        if cancel.is_cancelled() {
            return None;
        }
        let mut found = found.inspect_err(|error| log::info!("{error}")).unwrap_or_default();
        found.retain(|address| self.version.has(address.ip()));
        Some(found)
    }

    /// A socket that never blocks, for an address of this family, bound to the device and marked.
    ///
    /// # Errors
    /// When there is no such device, or the system has no room.
    pub fn socket(&self, v6: bool, kind: SockType) -> io::Result<OwnedFd> {
        let family = if v6 { AddressFamily::Inet6 } else { AddressFamily::Inet };
        let socket = socket::socket(family, kind, SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC, None)?;
        if let Some(device) = &self.device {
            socket::setsockopt(&socket, sockopt::BindToDevice, &OsString::from(device))?;
        }
        let tos = i32::from(self.dscp) << 2;
        if v6 {
            socket::setsockopt(&socket, sockopt::Ipv6TClass, &tos)?;
        } else {
            socket::setsockopt(&socket, sockopt::Ipv4Tos, &tos)?;
        }
        // After the codepoint, from which the kernel takes a priority of its own.
        if let Some(priority) = self.priority {
            socket::setsockopt(&socket, sockopt::Priority, &i32::from(priority))?;
        }
        Ok(socket)
    }
}

/// Begins to connect; the socket is writable when that has come to an end.
///
/// # Errors
/// When the kernel refuses at once: no route, no such address.
pub fn connect(socket: &OwnedFd, address: SocketAddr) -> io::Result<()> {
    match socket::connect(socket.as_raw_fd(), &SockaddrStorage::from(address)) {
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
