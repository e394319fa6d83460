//! The subnet of an interface, from which the addresses of a pool count.

use std::net::Ipv4Addr;

use crate::device::net;
use crate::error::Result;
use crate::model::context::Context;
use crate::model::format::{mask_of_prefix, prefix_of_mask};

/// An IPv4 address with the length of its prefix.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Subnet {
    /// The address of the router itself.
    pub address: Ipv4Addr,
    /// Bits, 0 to 32.
    pub prefix: u8,
}

impl Subnet {
    /// The subnet mask.
    #[must_use]
    pub fn mask(&self) -> u32 {
        u32::from(mask_of_prefix(self.prefix))
    }

    /// The address of the subnet.
    #[must_use]
    pub fn network(&self) -> u32 {
        u32::from(self.address) & self.mask()
    }

    /// The address of all hosts.
    #[must_use]
    pub fn broadcast(&self) -> u32 {
        self.network() | !self.mask()
    }

    /// Whether an address is in the subnet.
    #[must_use]
    pub fn contains(&self, address: Ipv4Addr) -> bool {
        u32::from(address) & self.mask() == self.network()
    }

    /// Whether an address can be that of a host in the subnet.
    #[must_use]
    pub fn has_host(&self, address: Ipv4Addr) -> bool {
        let number = u32::from(address);
        self.contains(address) && (self.prefix >= 31 || (number != self.network() && number != self.broadcast()))
    }
}

/// The subnet of a logical interface: as configured, with what the request has staged, else as netifd has it now.
///
/// # Errors
/// When the configuration of the network cannot be read.
pub fn subnet(cx: &mut Context, interface: &str) -> Result<Option<Subnet>> {
    let section = cx.package("network")?.find(interface);
    if let Some(section) = section.filter(|section| section.get("proto") == Some("static")) {
        let addresses = section.list("ipaddr");
        let first = addresses.iter().flat_map(|item| item.split_ascii_whitespace()).next().unwrap_or_default();
        let (address, prefix) = match first.split_once('/') {
            Some((address, prefix)) => (address, prefix.parse().ok().or_else(|| prefix_of_mask(prefix))),
            None => (first, section.get("netmask").and_then(prefix_of_mask)),
        };
        let prefix = prefix.filter(|prefix| *prefix <= 32);
        return Ok(address.parse().ok().zip(prefix).map(|(address, prefix)| Subnet { address, prefix }));
    }
    let interfaces = net::interfaces(cx)?;
    let first = net::items(interfaces.get(interface), "ipv4-address").first();
    Ok(first.and_then(|first| {
        let address = net::text(first, "address")?.parse().ok()?;
        let prefix = u8::try_from(first.get("mask")?.as_u64()?).ok().filter(|prefix| *prefix <= 32)?;
        Some(Subnet { address, prefix })
    }))
}
