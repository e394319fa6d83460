//! The sockets of connection requests over UDP: that of the requests, which is there all the time, and a second one while it is tried how long NAT
//! keeps a way open (TR-069a6 G.2.1.1). The poll loop waits for them.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::sync::Arc;

use nix::sys::socket::{self, AddressFamily, SockFlag, SockType, SockaddrStorage, sockopt};

use super::agent::Agent;
use super::{MEDIUM_STACK, Shared, thread};
use crate::acs::{Resolve, SystemResolver};
use crate::connreq::udp::binding::Port;
use crate::connreq::udp::request::LONGEST;

/// So many datagrams of a socket are taken in one turn, so that the daemon gets to its other work.
const MOST: usize = 64;

/// The sockets.
#[derive(Default)]
pub struct Udp {
    primary: Option<(UdpSocket, SocketAddr)>,
    secondary: Option<UdpSocket>,
}

impl Udp {
    /// What [`Self::turn`] waits for besides the agent's deadline.
    pub fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let primary = self.primary.as_ref().map(|(socket, _)| socket);
        primary.into_iter().chain(&self.secondary).map(AsFd::as_fd)
    }

    /// Does all that can be done without waiting.
    pub fn turn(&mut self, shared: &Arc<Shared>) {
        let mut agent = shared.lock();
        self.open(&mut agent);
        if let Some((socket, _)) = &self.primary {
            if let Err(error) = receive(socket, Port::Primary, &mut agent) {
                self.primary = None;
                agent.udp_opened(Err(error));
            }
        }
        if let Some(socket) = &self.secondary {
            if receive(socket, Port::Secondary, &mut agent).is_err() {
                self.secondary = None;
            }
        }
        if let Some(server) = agent.stun_server() {
            match server.0.parse::<IpAddr>() {
                Ok(address) => agent.stun_resolved(&server, &Ok(vec![SocketAddr::new(address, server.1)])),
                Err(_) => {
                    drop(agent);
                    resolve(shared, server);
                    agent = shared.lock();
                }
            }
        }
        let (out, trying) = agent.poll_udp();
        for datagram in out {
            let socket = match datagram.by {
                Port::Primary => self.primary.as_ref().map(|(socket, _)| socket),
                Port::Secondary => self.second(),
            };
            let sent = socket.map(|socket| socket.send_to(&datagram.bytes, datagram.to));
            if let Some(Err(error)) = sent {
                // It is sent again; when that is of no use either, the server has not answered.
                log::debug!("a datagram to {} is not sent: {error}", datagram.to);
            }
        }
        if !trying {
            self.secondary = None;
        }
    }

    /// Opens the port where it is wanted now.
    fn open(&mut self, agent: &mut Agent) {
        let place = agent.udp_place();
        if place == self.primary.as_ref().map(|(_, place)| *place) {
            return;
        }
        self.primary = None;
        self.secondary = None;
        let opened = place.map(|place| bind(place).map(|socket| (socket, place))).transpose();
        agent.udp_opened(opened.map(|opened| {
            self.primary = opened;
            place
        }));
    }

    fn second(&mut self) -> Option<&UdpSocket> {
        if self.secondary.is_none() {
            let (_, place) = self.primary.as_ref()?;
            let opened = bind(SocketAddr::new(place.ip(), 0));
            self.secondary = opened.inspect_err(|error| log::debug!("no second port: {error}")).ok();
        }
        self.secondary.as_ref()
    }
}

/// The address may be one that the system gets in a moment.
fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    let family = if address.is_ipv6() { AddressFamily::Inet6 } else { AddressFamily::Inet };
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let socket = socket::socket(family, SockType::Datagram, flags, None)?;
    // Without it the address has to be there already.
    let _ = socket::setsockopt(&socket, sockopt::IpFreebind, &true);
    socket::bind(socket.as_raw_fd(), &SockaddrStorage::from(address))?;
    Ok(socket.into())
}

/// Hands what has come to the agent.
fn receive(socket: &UdpSocket, by: Port, agent: &mut Agent) -> io::Result<()> {
    // Longer datagrams are cut off, and then too long for a request.
    let mut buffer = [0; LONGEST + 1];
    for _ in 0..MOST {
        match socket.recv_from(&mut buffer) {
            Ok((length, from)) => agent.udp_received(by, from, buffer.get(..length).unwrap_or_default()),
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock => break,
                ErrorKind::Interrupted | ErrorKind::ConnectionRefused => {}
                _ => return Err(error),
            },
        }
    }
    Ok(())
}

/// Looks for the addresses of the server, on a thread that may wait for a name server.
fn resolve(shared: &Arc<Shared>, server: (String, u16)) {
    let (found_by, asked) = (shared.clone(), server.clone());
    let work = move || {
        let found = SystemResolver.resolve(&asked.0, asked.1);
        found_by.lock().stun_resolved(&asked, &found);
        found_by.wake();
    };
    if let Err(error) = thread("stun", MEDIUM_STACK, Box::new(work)) {
        shared.lock().stun_resolved(&server, &Err(error));
    }
}
