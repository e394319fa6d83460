//! Ending the waits of a session from another thread.

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::eventfd::{EfdFlags, EventFd};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Ends every wait for the ACS at once and for good, so that SIGTERM ends the daemon in time. Clones are the same switch.
#[derive(Clone, Debug)]
pub struct Cancel(Arc<Switch>);

#[derive(Debug)]
struct Switch {
    flag: AtomicBool,
    /// Readable from the moment of cancelling: polled next to the socket.
    event: EventFd,
}

impl Cancel {
    /// A switch that is not thrown yet.
    ///
    /// # Errors
    /// When there are no file descriptors left.
    pub fn new() -> io::Result<Self> {
        let event = EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?;
        Ok(Self(Arc::new(Switch { flag: AtomicBool::new(false), event })))
    }

    /// Throws the switch.
    pub fn cancel(&self) {
        self.0.flag.store(true, Ordering::SeqCst);
        // The only failure is a counter that is full, and then it is readable already.
        let _ = self.0.event.write(1);
    }

    /// Whether the switch was thrown.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.flag.load(Ordering::SeqCst)
    }

    /// Waits this long, or until the switch is thrown.
    pub fn wait(&self, time: Duration) {
        let end = Instant::now() + time;
        while !self.is_cancelled() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            let timeout = PollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX);
            // An interrupted wait goes on.
            let _ = poll(&mut [PollFd::new(self.event(), PollFlags::POLLIN)], timeout);
        }
    }

    /// What is readable as soon as the switch is thrown, to be polled.
    #[must_use]
    pub fn event(&self) -> BorrowedFd<'_> {
        self.0.event.as_fd()
    }
}
