//! Tests of the network (TR-181 2.17 Device.IP.Diagnostics. and others, TR-143), run by the daemon for the ACS and by `cwmpd diagnose`.
//!
//! A [`Kind`] is a test: the object of the data model that it belongs to, and a function that carries it out from beginning to end on a
//! thread of its own. To add one:
//!
//! 1. Its table in `device/`, an object with `state` and the inputs (`rw` with `own(default)`: inputs survive a reboot, TR-069a6 A.3.2.1),
//!    and its results, each `ro` with `fleeting(initial)`. Tables of results have `Rows::Fleeting`. Nothing else is needed there: what
//!    DiagnosticsState takes and what a written input does is the same for all.
//! 2. Its function, which gets a [`Test`]: the inputs by name ([`Test::text`], [`Test::number`]), the [`Way`] that packets take (Interface,
//!    ProtocolVersion, DSCP), and waits that end when the test is cancelled or takes too long ([`Test::wait`], [`Test::pause`]; the
//!    error goes up with `?`, and nobody sees the results then). It says how far it is with [`Test::tell`], which a person at
//!    the command line reads. What it gives is a [`Report`], or a [`Trouble`] with one of the states `Error_...` of the object.
//! 3. A line in [`KINDS`], and one in `cli/diagnose` for the command line.
//!
//! The daemon does the rest (`daemon::agent::diagnostics`): `Requested` starts the test when the session is over, any written input and
//! `Canceled` end it, the report goes into the model under the path of the object, and the ACS is told with `8 DIAGNOSTICS COMPLETE`.
//! A test that takes too long ends with [`OTHER`] and what it has found out by then ([`Test::in_time`]).
//! No more than one test runs at a time, of whatever kind (SECURITY S21). Results are kept until the next run or the
//! reboot; a restart of the agent ends the test that is running, and this is what the ACS hears of it then.

mod ask;
pub mod icmp;
mod name_lookup;
mod neighbors;
mod ping;
mod self_test;
mod server_selection;
#[cfg(feature = "speed-tests")]
pub mod speed;
mod trace_route;
mod way;

pub use way::{Version, Way};

use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::acs::Cancel;
use crate::platform::live::Live;

/// A test that was carried out.
pub const COMPLETE: &str = "Complete";
/// The name of the host has no address.
pub const CANNOT_RESOLVE: &str = "Error_CannotResolveHostName";
/// There is no way to the host.
pub const NO_ROUTE: &str = "Error_NoRouteToHost";
/// The router is at fault.
pub const INTERNAL: &str = "Error_Internal";
/// Anything else.
pub const OTHER: &str = "Error_Other";

/// No test takes longer than this, whatever its inputs say (SECURITY S21).
pub const LONGEST: Duration = Duration::from_secs(600);

/// A kind of test.
pub struct Kind {
    /// Its object: `Device.IP.Diagnostics.IPPing.`
    pub path: &'static str,
    /// Carries it out.
    pub run: fn(&Test<'_>) -> Result<Report, Trouble>,
}

/// Every kind.
pub static KINDS: &[&Kind] = &[
    &ping::PING,
    &trace_route::TRACE_ROUTE,
    &server_selection::SERVER_SELECTION,
    &name_lookup::NAME_LOOKUP,
    &neighbors::NEIGHBORS,
    &self_test::SELF_TEST,
    #[cfg(feature = "speed-tests")]
    &speed::DOWNLOAD,
    #[cfg(feature = "speed-tests")]
    &speed::UPLOAD,
    #[cfg(feature = "speed-tests")]
    &speed::UDP_ECHO,
];

/// The kind of an object.
#[must_use]
pub fn kind(path: &str) -> Option<&'static Kind> {
    KINDS.iter().copied().find(|kind| kind.path == path)
}

/// A test as it runs.
pub struct Test<'a> {
    inputs: &'a [(String, String)],
    /// The router.
    pub live: &'a Live,
    /// Ends the test.
    pub cancel: &'a Cancel,
    told: &'a dyn Fn(&str),
    end: Instant,
}

/// Why a test has not been carried out.
#[derive(Debug)]
pub struct Trouble {
    /// One of the states of its object.
    pub state: &'static str,
    /// For a person.
    pub text: String,
}

impl Trouble {
    /// With a text for a person.
    #[must_use]
    pub fn new(state: &'static str, text: impl Into<String>) -> Self {
        Self { state, text: text.into() }
    }

    /// What the system said when something was tried.
    #[must_use]
    pub fn io(what: &str, error: &std::io::Error) -> Self {
        use std::io::ErrorKind::{HostUnreachable, NetworkUnreachable};
        let state = match error.kind() {
            HostUnreachable | NetworkUnreachable => NO_ROUTE,
            _ => OTHER,
        };
        Self::new(state, format!("{what}: {error}"))
    }

    /// The test was ended early: nobody hears of it.
    fn cancelled() -> Self {
        Self::new(OTHER, "canceled")
    }
}

/// What came out of a test.
#[derive(Debug, PartialEq, Eq)]
pub struct Report {
    /// The state that it ends in: [`COMPLETE`], or an error that has results all the same.
    pub state: &'static str,
    /// Names below the object of the test, such as `SuccessCount` and `RouteHops.1.Host`, and the number of rows of a table under its name
    /// with a dot, `RouteHops.`; each with its value.
    pub values: Vec<(String, String)>,
}

impl Report {
    /// Without results yet.
    #[must_use]
    pub fn new() -> Self {
        Self { state: COMPLETE, values: Vec::new() }
    }

    /// Adds a result.
    pub fn set(&mut self, name: &str, value: impl ToString) {
        self.values.push((name.into(), value.to_string()));
    }

    /// Adds the rows of a table, each with the values of these parameters.
    pub fn table(&mut self, table: &str, parameters: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
        let mut number = 0_u32;
        for row in rows {
            number = number.saturating_add(1);
            for (parameter, value) in parameters.iter().zip(row) {
                self.values.push((format!("{table}.{number}.{parameter}"), value));
            }
        }
        self.values.push((format!("{table}."), number.to_string()));
    }

    /// A result, empty where there is none.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.values.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }
}

impl Default for Report {
    fn default() -> Self {
        Self::new()
    }
}

impl<'a> Test<'a> {
    /// A test that begins now. `inputs` are the parameters of its object by their last names; `Interface` is the name of a logical interface
    /// or device, empty for the way of the routing. `told` hears of its progress, a line at a time.
    #[must_use]
    pub fn new(inputs: &'a [(String, String)], live: &'a Live, cancel: &'a Cancel, told: &'a dyn Fn(&str)) -> Self {
        let now = Instant::now();
        Self { inputs, live, cancel, told, end: now.checked_add(LONGEST).unwrap_or(now) }
    }

    /// An input; empty where there is none.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.inputs.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// An input that is a number; 0 where there is none.
    #[must_use]
    pub fn number(&self, name: &str) -> u32 {
        self.text(name).parse().unwrap_or(0)
    }

    /// An input that is a time in milliseconds.
    #[must_use]
    pub fn milliseconds(&self, name: &str) -> Duration {
        Duration::from_millis(self.number(name).into())
    }

    /// Says how far it is, in one line.
    pub fn tell(&self, line: &str) {
        (self.told)(line);
    }

    /// The addresses of a host, in the order in which they are to be tried: all of the version that is wanted. An address needs no resolver.
    ///
    /// # Errors
    /// [`CANNOT_RESOLVE`], or that the test is over.
    pub fn resolve(&self, host: &str, port: u16, version: Version) -> Result<Vec<SocketAddr>, Trouble> {
        way::resolve(self, host, port, version)
    }

    /// Fails when the test is to end.
    ///
    /// # Errors
    /// That it was cancelled, or takes too long.
    pub fn goes_on(&self) -> Result<(), Trouble> {
        if self.cancel.is_cancelled() {
            return Err(Trouble::cancelled());
        }
        if Instant::now() >= self.end {
            return Err(Trouble::new(OTHER, format!("it took more than {} s", LONGEST.as_secs())));
        }
        Ok(())
    }

    /// What came of a step of the test; `None` when there is no time left for it: then what was found out so far is what there is to tell.
    ///
    /// # Errors
    /// That of the step, such as that the test was cancelled.
    pub fn in_time<T>(&self, step: Result<T, Trouble>) -> Result<Option<T>, Trouble> {
        match step {
            Ok(done) => Ok(Some(done)),
            Err(_) if !self.cancel.is_cancelled() && Instant::now() >= self.end => {
                self.tell(&format!("it ends here: it took more than {} s", LONGEST.as_secs()));
                Ok(None)
            }
            Err(trouble) => Err(trouble),
        }
    }

    /// Waits until one of these happens to a descriptor (or an error does), and says whether it did before `until`.
    ///
    /// # Errors
    /// That the test is over.
    pub fn wait(&self, descriptor: BorrowedFd<'_>, events: PollFlags, until: Instant) -> Result<bool, Trouble> {
        loop {
            self.goes_on()?;
            let left = until.min(self.end).saturating_duration_since(Instant::now());
            let timeout = PollTimeout::try_from(round_up(left)).unwrap_or(PollTimeout::MAX);
            let mut polled = [PollFd::new(self.cancel.event(), PollFlags::POLLIN), PollFd::new(descriptor, events)];
            // An interrupted wait goes on.
            let _ = poll(&mut polled, timeout);
            self.goes_on()?;
            if polled.get(1).and_then(PollFd::any) == Some(true) {
                return Ok(true);
            }
            if Instant::now() >= until {
                return Ok(false);
            }
        }
    }

    /// As [`Self::wait`], for something that can be read.
    ///
    /// # Errors
    /// That the test is over.
    pub fn wait_readable(&self, socket: &impl AsFd, until: Instant) -> Result<bool, Trouble> {
        self.wait(socket.as_fd(), PollFlags::POLLIN, until)
    }

    /// Does nothing for a while.
    ///
    /// # Errors
    /// That the test is over.
    pub fn pause(&self, time: Duration) -> Result<(), Trouble> {
        self.cancel.wait(time.min(self.end.saturating_duration_since(Instant::now())));
        self.goes_on()
    }
}

/// poll counts milliseconds.
fn round_up(time: Duration) -> Duration {
    if time.subsec_nanos() % 1_000_000 == 0 { time } else { time.saturating_add(Duration::from_millis(1)) }
}

/// Microseconds, as far as a parameter can hold them.
fn micros(time: Duration) -> u32 {
    u32::try_from(time.as_micros()).unwrap_or(u32::MAX)
}

/// Milliseconds, rounded; what took less than one took one, since 0 means that there was no answer.
fn millis(micros: u32) -> u32 {
    if micros == 0 { 0 } else { (micros.saturating_add(500) / 1000).max(1) }
}

/// The least, mean and greatest of some times in microseconds; zeros where there are none.
fn spread(times: &[u32]) -> (u32, u32, u32) {
    let sum: u64 = times.iter().copied().map(u64::from).sum();
    let mean = sum.checked_div(u64::try_from(times.len()).unwrap_or(u64::MAX)).unwrap_or(0);
    let (least, greatest) = (times.iter().min(), times.iter().max());
    (least.copied().unwrap_or(0), u32::try_from(mean).unwrap_or(u32::MAX), greatest.copied().unwrap_or(0))
}

/// An address as a parameter has it: one of IPv4 that came over a socket of IPv6 is one of IPv4.
fn address_text(address: IpAddr) -> String {
    address.to_canonical().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rounded_and_never_lost() {
        assert_eq!([0, 1, 499, 1499, 1500, u32::MAX].map(millis), [0, 1, 1, 1, 2, 4_294_967]);
        assert_eq!(spread(&[]), (0, 0, 0));
        assert_eq!(spread(&[5, 1, 3]), (1, 3, 5));
        assert_eq!(spread(&[u32::MAX; 3]).1, u32::MAX);
    }

    #[test]
    fn a_table_has_its_rows_and_their_number() {
        let mut report = Report::new();
        report.table("Rows", &["A", "B"], [vec!["1".into(), "2".into()], vec!["3".into(), "4".into()]]);
        assert_eq!((report.get("Rows.2.B"), report.get("Rows.")), ("4", "2"));
        report.table("None", &["A"], []);
        assert_eq!(report.get("None."), "0");
    }

    #[cfg(feature = "speed-tests")]
    #[test]
    fn s21_a_test_that_takes_too_long_ends_with_what_it_has_found_out() {
        // Nobody answers.
        let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = silent.local_addr().unwrap().port().to_string();
        let inputs = [
            ("Host", "127.0.0.1"),
            ("Port", port.as_str()),
            ("NumberOfRepetitions", "1000"),
            ("Timeout", "20"),
            ("InterTransmissionTime", "20"),
            ("DataBlockSize", "24"),
            ("EnableIndividualPacketResults", "true"),
        ]
        .map(|(name, value)| (String::from(name), String::from(value)));
        let directory = tempfile::tempdir().unwrap();
        let live = Live::new(directory.path()).unwrap();
        let cancel = Cancel::new().unwrap();
        let mut test = Test::new(&inputs, &live, &cancel, &|_| {});
        test.end = Instant::now() + Duration::from_secs(1);
        let report = (speed::UDP_ECHO.run)(&test).unwrap();
        assert_eq!((report.state, report.get("SuccessCount")), (OTHER, "0"));
        let failures: u32 = report.get("FailureCount").parse().unwrap();
        assert!((1..=100).contains(&failures), "{failures}");
        assert_eq!(report.get("IndividualPacketResult."), failures.to_string());
        // One that was cancelled tells nothing, late as it is.
        cancel.cancel();
        assert!((speed::UDP_ECHO.run)(&test).is_err());
    }
}
