//! The UDP echo server of UDPEchoConfig (TR-143 A.1): a socket in the poll loop of the daemon around [`Responder`].

use std::io::{self, IoSlice, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::libc::{in_pktinfo, in6_pktinfo};
use nix::sys::socket::{
    self, AddressFamily, ControlMessage, ControlMessageOwned, MsgFlags, SockFlag, SockType, SockaddrStorage, recvmsg,
    sendmsg, sockopt,
};

use super::echo::{Counters, Responder};
use crate::error::{Error, Result};

/// The longest packet that IP carries, in bytes.
const LONGEST: usize = 65_535;
/// How many packets are taken in one turn, so that the daemon gets to its other work.
const MOST_IN_A_TURN: usize = 64;

/// The parameters of UDPEchoConfig.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// The device on which packets are heard; `None` for all of them.
    pub device: Option<String>,
    /// SourceIPAddress: the only one that is answered.
    pub source: IpAddr,
    /// UDPPort, from 1.
    pub port: u16,
    /// EchoPlusEnabled
    pub plus: bool,
}

/// The server; it goes with this value.
pub struct EchoServer {
    socket: OwnedFd,
    responder: Responder,
    buffer: Vec<u8>,
}

/// The address that a packet was sent to, for the answer to come from.
#[derive(Clone, Copy)]
enum Own {
    V4(in_pktinfo),
    V6(in6_pktinfo),
}

impl Own {
    /// Whether a packet was for this router alone.
    fn is_unicast(&self) -> bool {
        match self {
            // The two differ for a broadcast and a multicast.
            Self::V4(info) => info.ipi_addr.s_addr == info.ipi_spec_dst.s_addr,
            Self::V6(info) => !Ipv6Addr::from(info.ipi6_addr.s6_addr).is_multicast(),
        }
    }
}

impl EchoServer {
    /// Listens, and goes on counting from here.
    ///
    /// # Errors
    /// When the port is taken, or there is no such device.
    pub fn bind(settings: &Settings, counters: Counters) -> Result<Self> {
        let socket = listen(settings).map_err(Error::io(format!("listen for UDP echo on port {}", settings.port)))?;
        let responder = Responder::new(settings.source, settings.port, settings.plus, counters);
        Ok(Self { socket, responder, buffer: vec![0; LONGEST] })
    }

    /// What is to be polled for reading.
    #[must_use]
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// The counters.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.responder.counters()
    }

    /// Answers what has come, without waiting. `clock` is the monotonic time.
    pub fn handle(&mut self, clock: &dyn Fn() -> Duration) {
        for _ in 0..MOST_IN_A_TURN {
            let Some((length, peer, own)) = self.receive() else { return };
            let Some(packet) = self.buffer.get_mut(..length) else { continue };
            let now = clock();
            if !self.responder.answer(peer, own.is_unicast(), packet, now) {
                continue;
            }
            self.responder.reply_at(packet, clock());
            match reply(&self.socket, packet, peer, own) {
                Ok(()) => self.responder.responded(packet),
                Err(errno) => {
                    log::debug!("UDP echo to {peer}: {errno}");
                    self.responder.failed();
                }
            }
        }
    }

    /// The next packet: its length, where it is from, and where to; `None` when there is none.
    fn receive(&mut self) -> Option<(usize, SocketAddr, Own)> {
        let mut control = nix::cmsg_space!(in6_pktinfo);
        loop {
            let mut pieces = [IoSliceMut::new(&mut self.buffer)];
            let flags = MsgFlags::MSG_DONTWAIT;
            let message =
                match recvmsg::<SockaddrStorage>(self.socket.as_raw_fd(), &mut pieces, Some(&mut control), flags) {
                    Ok(message) => message,
                    Err(Errno::EINTR) => continue,
                    // Also what ICMP says of an earlier answer: there may be more, but the next turn is at once.
                    Err(_) => return None,
                };
            let own = message.cmsgs().ok().and_then(|mut messages| {
                messages.find_map(|message| match message {
                    ControlMessageOwned::Ipv4PacketInfo(info) => Some(Own::V4(info)),
                    ControlMessageOwned::Ipv6PacketInfo(info) => Some(Own::V6(info)),
                    _ => None,
                })
            });
            let peer = message.address.as_ref().and_then(address);
            if let (Some(peer), Some(own)) = (peer, own) {
                return Some((message.bytes, peer, own));
            }
        }
    }
}

fn listen(settings: &Settings) -> io::Result<OwnedFd> {
    let v6 = settings.source.is_ipv6();
    let family = if v6 { AddressFamily::Inet6 } else { AddressFamily::Inet };
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let socket = socket::socket(family, SockType::Datagram, flags, None)?;
    if let Some(device) = &settings.device {
        socket::setsockopt(&socket, sockopt::BindToDevice, &device.into())?;
    }
    let any = if v6 {
        socket::setsockopt(&socket, sockopt::Ipv6V6Only, &true)?;
        socket::setsockopt(&socket, sockopt::Ipv6RecvPacketInfo, &true)?;
        IpAddr::V6(Ipv6Addr::UNSPECIFIED)
    } else {
        socket::setsockopt(&socket, sockopt::Ipv4PacketInfo, &true)?;
        IpAddr::V4(Ipv4Addr::UNSPECIFIED)
    };
    socket::bind(socket.as_raw_fd(), &SockaddrStorage::from(SocketAddr::new(any, settings.port)))?;
    Ok(socket)
}

fn address(storage: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = storage.as_sockaddr_in().map(|address| SocketAddr::from((address.ip(), address.port())));
    v4.or_else(|| storage.as_sockaddr_in6().map(|address| SocketAddr::V6((*address).into())))
}

/// Sends a packet from the address that its request was sent to.
fn reply(socket: &OwnedFd, packet: &[u8], peer: SocketAddr, own: Own) -> nix::Result<()> {
    let pieces = [IoSlice::new(packet)];
    let to = SockaddrStorage::from(peer);
    let control = match &own {
        Own::V4(info) => ControlMessage::Ipv4PacketInfo(info),
        Own::V6(info) => ControlMessage::Ipv6PacketInfo(info),
    };
    sendmsg(socket.as_raw_fd(), &pieces, &[control], MsgFlags::MSG_DONTWAIT, Some(&to)).map(drop)
}
