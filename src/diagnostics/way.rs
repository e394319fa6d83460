//! The way that the packets of a test take: interface, version of IP, DSCP.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use nix::sys::socket::{
    AddressFamily, SockFlag, SockProtocol, SockType, SockaddrStorage, bind, setsockopt, socket, sockopt,
};

use super::{CANNOT_RESOLVE, OTHER, Test, Trouble};
use crate::acs::{PostErrorKind, Resolve, SystemResolver, addresses};
use crate::platform::net::{interface_state, is_link_local};

/// How long a resolver may take.
const RESOLVING: Duration = Duration::from_secs(20);

/// ProtocolVersion.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Version {
    /// Whatever there is.
    Any,
    /// IPv4 only.
    V4,
    /// IPv6 only.
    V6,
}

impl Version {
    /// Reads the parameter ProtocolVersion: `Any`, `IPv4`, `IPv6`.
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

/// The way that the packets of a test take.
#[derive(Clone, Debug)]
pub struct Way {
    /// The device that they leave through; `None` for the way of the routing.
    pub device: Option<String>,
    /// The addresses of the interface, which they come from.
    pub addresses: Vec<IpAddr>,
    /// Which addresses of a host are used.
    pub version: Version,
    /// 0 to 63.
    pub dscp: u32,
}

impl Way {
    /// What the inputs Interface, ProtocolVersion and DSCP say.
    ///
    /// # Errors
    /// When there is no such interface, or it is not up.
    pub fn of(test: &Test<'_>) -> Result<Self, Trouble> {
        let name = test.text("Interface");
        let version = Version::parse(test.text("ProtocolVersion"));
        let mut way = Self { device: None, addresses: Vec::new(), version, dscp: test.number("DSCP").min(63) };
        if !name.is_empty() {
            let state = interface_state(test.live, name);
            way.device = state.device.filter(|_| state.up);
            way.addresses = state.addresses;
            if way.device.is_none() {
                return Err(Trouble::new(OTHER, format!("there is no interface {name}, or it is down")));
            }
        }
        Ok(way)
    }

    /// The addresses of a host that this way leads to, the best first; none is left out for which there is a route.
    ///
    /// # Errors
    /// As [`Test::resolve`]; that there is no route to any of them.
    pub fn target(&self, test: &Test<'_>, host: &str, port: u16) -> Result<SocketAddr, Trouble> {
        let mut last = Trouble::new(CANNOT_RESOLVE, format!("{host} has no address"));
        for address in test.resolve(host, port, self.version)? {
            // Nothing is sent: the kernel says whether there is a route.
            let probe = self.socket(address.ip(), SockType::Datagram, None).and_then(|socket| {
                let known = SocketAddr::new(address.ip(), port.max(1));
                UdpSocket::from(socket).connect(known).map_err(|error| Trouble::io(&format!("reach {host}"), &error))
            });
            match probe {
                Ok(()) => return Ok(address),
                Err(trouble) => last = trouble,
            }
        }
        Err(last)
    }

    /// A socket that goes this way to an address; it is not connected, and never blocks.
    ///
    /// # Errors
    /// When it cannot be made, or not go this way.
    pub fn socket(&self, target: IpAddr, kind: SockType, protocol: Option<SockProtocol>) -> Result<OwnedFd, Trouble> {
        let family = if target.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let made = socket(family, kind, flags, protocol);
        let made = made.map_err(|errno| Trouble::io("make a socket", &errno.into()))?;
        self.lead(&made, target)?;
        Ok(made)
    }

    /// Makes a socket that is not bound yet go this way to an address.
    ///
    /// # Errors
    /// When it cannot.
    pub fn lead(&self, socket: &OwnedFd, target: IpAddr) -> Result<(), Trouble> {
        let failed = |what: &str| {
            let what = String::from(what);
            move |errno: nix::Error| Trouble::io(&what, &errno.into())
        };
        if let Some(device) = self.device.as_ref().filter(|_| !target.is_loopback()) {
            setsockopt(socket, sockopt::BindToDevice, &device.into()).map_err(failed("use the interface"))?;
        }
        if self.dscp > 0 {
            let class = i32::try_from(self.dscp << 2).unwrap_or(0);
            let set = match target {
                IpAddr::V4(_) => setsockopt(socket, sockopt::Ipv4Tos, &class),
                IpAddr::V6(_) => setsockopt(socket, sockopt::Ipv6TClass, &class),
            };
            set.map_err(failed("set the DSCP"))?;
        }
        let fits = |address: &&IpAddr| address.is_ipv4() == target.is_ipv4() && !is_link_local(**address);
        // Among several addresses of IPv6 the kernel chooses better.
        if let Some(address) = self.addresses.iter().find(fits).filter(|_| target.is_ipv4() && !target.is_loopback()) {
            let address = SockaddrStorage::from(SocketAddr::new(*address, 0));
            match bind(socket.as_raw_fd(), &address) {
                // It has gone in between: the device is what counts.
                Ok(()) | Err(nix::Error::EADDRNOTAVAIL) => {}
                Err(errno) => return Err(failed("use the address of the interface")(errno)),
            }
        }
        Ok(())
    }

    /// A UDP socket that goes this way and is connected, so that nothing else is heard on it.
    ///
    /// # Errors
    /// When there is no way.
    pub fn udp(&self, target: SocketAddr) -> Result<UdpSocket, Trouble> {
        let socket = UdpSocket::from(self.socket(target.ip(), SockType::Datagram, None)?);
        socket.connect(target).map_err(|error| Trouble::io(&format!("reach {}", target.ip()), &error))?;
        Ok(socket)
    }

    /// The address that packets to this one come from (IPAddressUsed): nothing is sent to find it out.
    #[must_use]
    pub fn source(&self, target: IpAddr) -> Option<IpAddr> {
        let socket = self.udp(SocketAddr::new(target, 1)).ok()?;
        socket.local_addr().ok().map(|address| address.ip())
    }
}

/// Those of IPv6 first, as RFC 6724 has it; where there is no route to them the next is tried.
pub(super) fn resolve(test: &Test<'_>, host: &str, port: u16, version: Version) -> Result<Vec<SocketAddr>, Trouble> {
    let host = host.trim_matches(['[', ']']);
    if host.is_empty() {
        return Err(Trouble::new(CANNOT_RESOLVE, "no host is named"));
    }
    let resolver: Arc<dyn Resolve> = Arc::new(SystemResolver);
    let found = addresses(&resolver, (host, port), RESOLVING, test.cancel);
    test.goes_on()?;
    let mut found = found.map_err(|error| match error.kind {
        PostErrorKind::Cancelled => Trouble::cancelled(),
        _ => Trouble::new(CANNOT_RESOLVE, error.to_string()),
    })?;
    found.retain(|address| version.has(address.ip()));
    found.sort_by_key(|address| (address.is_ipv4(), is_link_local(address.ip())));
    if found.is_empty() {
        return Err(Trouble::new(CANNOT_RESOLVE, format!("{host} has no address of this version")));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, Ipv6Addr};

    #[test]
    fn versions_are_those_of_the_parameter() {
        assert_eq!(
            ["Any", "IPv4", "IPv6", ""].map(Version::parse),
            [Version::Any, Version::V4, Version::V6, Version::Any]
        );
        let (four, six) = (IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST));
        assert!(Version::Any.has(four) && Version::Any.has(six) && Version::V4.has(four) && !Version::V4.has(six));
        assert!(Version::V6.has(six) && !Version::V6.has(four));
    }
}
