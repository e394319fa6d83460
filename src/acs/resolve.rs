//! From a host's name to addresses, within a deadline and in a random order (TR-069a6 3.1; CONFORMANCE T-28).

use super::cancel::Cancel;
use super::error::{PostError, PostErrorKind};
use std::fmt::Debug;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

/// How names become addresses.
pub trait Resolve: Debug + Send + Sync {
    /// All addresses of a name, in any order. May block; it is called on a thread of its own.
    ///
    /// # Errors
    /// When the name is not known or nobody could be asked.
    fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>>;
}

/// The resolver of the system.
#[derive(Clone, Copy, Default, Debug)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        Ok((host, port).to_socket_addrs()?.collect())
    }
}

/// More are not tried.
const MOST_ADDRESSES: usize = 16;
/// What a resolver of the C library needs at most, with room to spare; the default would be 2 MiB.
const STACK: usize = 256 * 1024;
/// How often a wait for the resolver looks whether it was cancelled.
const LOOK: Duration = Duration::from_millis(250);

/// The addresses to try, one after the other, in a random order. An address needs no resolver.
///
/// # Errors
/// When the name is not known, nobody could be asked within `timeout`, or the wait was cancelled.
pub fn addresses(
    resolver: &Arc<dyn Resolve>,
    (host, port): (&str, u16),
    timeout: Duration,
    cancel: &Cancel,
) -> Result<Vec<SocketAddr>, PostError> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let unreachable = |text: String| PostError::new(PostErrorKind::Unreachable, text);
    let (sender, receiver) = mpsc::channel();
    let (asked, name) = (Arc::clone(resolver), host.to_owned());
    // A thread that is given up goes on until the resolver gives up, and its answer is dropped. Its work is of the type that the other threads have.
    let work: Box<dyn FnOnce() + Send> = Box::new(move || drop(sender.send(asked.resolve(&name, port))));
    thread::Builder::new()
        .name("resolve".into())
        .stack_size(STACK)
        .spawn(work)
        .map_err(|error| unreachable(format!("cannot start a thread to resolve {host}: {error}")))?;
    let end = Instant::now() + timeout;
    let answer = loop {
        if cancel.is_cancelled() {
            return Err(PostError::cancelled());
        }
        let left = end.saturating_duration_since(Instant::now());
        match receiver.recv_timeout(left.min(LOOK)) {
            Ok(answer) => break answer,
            Err(mpsc::RecvTimeoutError::Timeout) if left > LOOK => {}
            Err(_) => {
                return Err(unreachable(format!("no name server told the address of {host} in time")));
            }
        }
    };
    let mut found = answer.map_err(|error| unreachable(format!("cannot resolve {host}: {error}")))?;
    shuffle(&mut found);
    found.truncate(MOST_ADDRESSES);
    if found.is_empty() {
        return Err(unreachable(format!("{host} has no address")));
    }
    Ok(found)
}

/// Without random numbers the order of the resolver is as good as any.
fn shuffle(addresses: &mut [SocketAddr]) {
    let mut random = [0; 64];
    if getrandom::fill(&mut random).is_err() {
        return;
    }
    let last = addresses.len().min(random.len() / 2);
    for (place, bytes) in (0..last).zip(random.chunks_exact(2)) {
        let number = bytes.iter().fold(0, |number, byte| number * 256 + usize::from(*byte));
        addresses.swap(place, place + number % (addresses.len() - place));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Fixed(Vec<SocketAddr>);

    impl Resolve for Fixed {
        fn resolve(&self, _: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
            Ok(self.0.iter().map(|address| SocketAddr::new(address.ip(), port)).collect())
        }
    }

    fn ask(addresses_known: usize) -> Vec<SocketAddr> {
        let known =
            (1..=addresses_known).map(|i| SocketAddr::from(([192, 0, 2, u8::try_from(i).unwrap()], 0))).collect();
        let resolver: Arc<dyn Resolve> = Arc::new(Fixed(known));
        addresses(&resolver, ("acs", 80), Duration::from_secs(5), &Cancel::new().unwrap()).unwrap()
    }

    #[test]
    fn t28_the_first_of_several_addresses_is_a_random_one() {
        let mut firsts: Vec<_> = (0..200).map(|_| ask(3)[0]).collect();
        firsts.sort();
        firsts.dedup();
        assert_eq!(firsts.len(), 3);
        let mut all = ask(3);
        all.sort();
        assert_eq!(all.len(), 3, "each once");
        assert_eq!(ask(100).len(), MOST_ADDRESSES);
    }

    #[test]
    fn an_address_needs_no_resolver() {
        let resolver: Arc<dyn Resolve> = Arc::new(Fixed(Vec::new()));
        let cancel = Cancel::new().unwrap();
        let ask = |host| addresses(&resolver, (host, 80), Duration::from_secs(5), &cancel);
        assert_eq!(ask("2001:db8::1").unwrap(), ["[2001:db8::1]:80".parse().unwrap()]);
        assert_eq!(ask("acs").unwrap_err().kind, PostErrorKind::Unreachable);
        cancel.cancel();
        assert_eq!(ask("acs").unwrap_err().kind, PostErrorKind::Cancelled);
    }
}
