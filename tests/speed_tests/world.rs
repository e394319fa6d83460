//! The router and the internet, and tests that are run straight from the library.

use std::time::Duration;

use cwmpd::acs::Cancel;
use cwmpd::diagnostics::{Report, Test, Trouble, kind};
use cwmpd::platform::live::Live;

use crate::common::netns::Netns;

/// The addresses of the router and of the server.
pub const ROUTER: &str = "198.51.100.2";
pub const SERVER: &str = "198.51.100.1";
pub const SERVER_V6: &str = "2001:db8:51::1";

pub const DOWNLOAD: &str = "Device.IP.Diagnostics.DownloadDiagnostics.";
pub const UPLOAD: &str = "Device.IP.Diagnostics.UploadDiagnostics.";
pub const ECHO: &str = "Device.IP.Diagnostics.UDPEchoDiagnostics.";

/// Two networks with a cable.
pub struct World {
    pub router: Netns,
    pub internet: Netns,
}

impl World {
    /// `None` where the tests may not make networks; they have said so.
    pub fn new() -> Option<Self> {
        let (router, internet) = (Netns::new()?, Netns::new()?);
        router.connect("wan", &internet, "isp");
        router.ip(&format!("address add {ROUTER}/24 dev wan"));
        router.ip("address add 2001:db8:51::2/64 dev wan nodad");
        internet.ip(&format!("address add {SERVER}/24 dev isp"));
        internet.ip(&format!("address add {SERVER_V6}/64 dev isp nodad"));
        Some(Self { router, internet })
    }

    /// Runs a test on the router.
    pub fn run(&self, path: &str, inputs: &[(&str, &str)]) -> Result<Report, Trouble> {
        self.router.enter(|| run(path, inputs, &Cancel::new().unwrap()))
    }
}

/// Runs a test here.
pub fn run(path: &str, inputs: &[(&str, &str)], cancel: &Cancel) -> Result<Report, Trouble> {
    let root = tempfile::tempdir().unwrap();
    let live = Live::new(root.path()).unwrap();
    let inputs: Vec<(String, String)> =
        inputs.iter().map(|(name, value)| (String::from(*name), String::from(*value))).collect();
    let test = Test::new(&inputs, &live, cancel, &|_| {});
    (kind(path).unwrap().run)(&test)
}

/// The state of a test that has no result.
pub fn state(result: Result<Report, Trouble>) -> &'static str {
    match result {
        Ok(report) => panic!("{report:?}"),
        Err(trouble) => trouble.state,
    }
}

pub fn number(report: &Report, name: &str) -> u64 {
    report.get(name).parse().unwrap_or_else(|_| panic!("{name}: {:?}", report.get(name)))
}

/// A time of a report, as the time since 1970.
pub fn time(report: &Report, name: &str) -> Duration {
    moment(report.get(name))
}

/// A dateTime with six digits of the second.
pub fn moment(text: &str) -> Duration {
    let (seconds, fraction) = text.trim_end_matches('Z').split_once('.').unwrap_or_else(|| panic!("{text:?}"));
    assert_eq!(fraction.len(), 6, "{text}");
    let seconds = cwmpd::time::UtcTime::parse(seconds).unwrap().seconds();
    Duration::from_secs(seconds.try_into().unwrap()) + Duration::from_micros(fraction.parse().unwrap())
}
