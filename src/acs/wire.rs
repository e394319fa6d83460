//! A TCP connection whose every wait has a deadline and can be cancelled.

use super::cancel::Cancel;
use super::error::{PostError, PostErrorKind};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{self, AddressFamily, SockFlag, SockType, SockaddrStorage, sockopt};
use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

/// The connection. Its socket never blocks; waiting is done here.
#[derive(Debug)]
pub(super) struct Wire {
    stream: TcpStream,
    cancel: Cancel,
    /// Until when reads and writes wait; `None`: they do not wait, and say [`io::ErrorKind::WouldBlock`].
    pub(super) deadline: Option<Instant>,
}

impl Wire {
    /// Connects to the first of the addresses that answers. The addresses that are left share the time that is left, so that a dead one
    /// does not use it up.
    pub(super) fn connect(
        addresses: &[SocketAddr],
        timeout: Duration,
        device: Option<&str>,
        cancel: &Cancel,
    ) -> Result<Self, PostError> {
        let end = Instant::now() + timeout;
        let mut failures = Vec::new();
        for (left, address) in (1..=addresses.len()).rev().zip(addresses) {
            let time = end.saturating_duration_since(Instant::now());
            let share = time / u32::try_from(left).unwrap_or(u32::MAX);
            match Self::connect_to(*address, Instant::now() + share, device, cancel) {
                Ok(wire) => return Ok(wire),
                Err(_) if cancel.is_cancelled() => return Err(PostError::cancelled()),
                Err(error) if error.kind() == io::ErrorKind::TimedOut => failures.push(format!("{address}: no answer")),
                Err(error) => failures.push(format!("{address}: {error}")),
            }
        }
        let text = format!("cannot connect to the ACS: {}", failures.join(", "));
        Err(PostError::new(PostErrorKind::Unreachable, text))
    }

    fn connect_to(address: SocketAddr, deadline: Instant, device: Option<&str>, cancel: &Cancel) -> io::Result<Self> {
        let family = if address.is_ipv6() { AddressFamily::Inet6 } else { AddressFamily::Inet };
        let socket = socket::socket(family, SockType::Stream, SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC, None)?;
        if let Some(device) = device {
            socket::setsockopt(&socket, sockopt::BindToDevice, &OsString::from(device))
                .map_err(|error| io::Error::other(format!("cannot bind to device {device}: {error}")))?;
        }
        let connected = socket::connect(std::os::fd::AsRawFd::as_raw_fd(&socket), &SockaddrStorage::from(address));
        let wire = Self { stream: TcpStream::from(socket), cancel: cancel.clone(), deadline: Some(deadline) };
        match connected {
            Ok(()) => {}
            Err(Errno::EINPROGRESS | Errno::EINTR) => {
                wire.wait(PollFlags::POLLOUT)?;
                if let Some(error) = wire.stream.take_error()? {
                    return Err(error);
                }
            }
            Err(error) => return Err(error.into()),
        }
        wire.stream.set_nodelay(true)?;
        Ok(wire)
    }

    /// The address of this end.
    pub(super) fn local_address(&self) -> Option<SocketAddr> {
        self.stream.local_addr().ok()
    }

    fn wait(&self, events: PollFlags) -> io::Result<()> {
        let deadline = self.deadline.ok_or(io::ErrorKind::WouldBlock)?;
        loop {
            if self.cancel.is_cancelled() {
                return Err(io::Error::other("cancelled"));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            // Rounded up, so that the last wait is not a busy one.
            let timeout = PollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX);
            let mut descriptors =
                [PollFd::new(self.stream.as_fd(), events), PollFd::new(self.cancel.event(), PollFlags::POLLIN)];
            match poll(&mut descriptors, timeout) {
                Ok(_) | Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
            let [socket, _] = descriptors;
            if socket.any().unwrap_or(true) {
                return Ok(());
            }
        }
    }

    /// Runs an operation on the socket as often as it takes.
    fn retry(
        &self,
        events: PollFlags,
        mut operation: impl FnMut(&TcpStream) -> io::Result<usize>,
    ) -> io::Result<usize> {
        loop {
            match operation(&self.stream) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.wait(events)?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                done => return done,
            }
        }
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.retry(PollFlags::POLLIN, |mut stream| stream.read(buffer))
    }
}

impl Write for Wire {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.retry(PollFlags::POLLOUT, |mut stream| stream.write(buffer))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
