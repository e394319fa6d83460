//! Values that are in no configuration: the states and results of tests, samples, and counters of the agent's own. They last only as long as the
//! process, but for those that the daemon hands to the next one.
//!
//! A [`super::context::Context`] has them as they were when it was made, so that both passes over a large answer see the same.

use crate::error::Fault;
use crate::sorted::Map;

/// The last part of the name of the parameter that starts a test.
pub const STATE: &str = "DiagnosticsState";

/// What the ACS writes to start a test, and what its state is until it ends.
pub const REQUESTED: &str = "Requested";
/// What the ACS writes to end a test early.
pub const CANCELED: &str = "Canceled";
/// The state of a test that nobody has asked for, or whose inputs have changed since.
pub const NONE: &str = "None";

/// Values that last only as long as the process.
#[derive(Clone, Debug, Default)]
pub struct Fleeting {
    /// By the full name of the parameter; the number of rows of a table by its path.
    values: Map<String, String>,
    /// Whether somebody carries out tests: not when the command line has the model for itself.
    pub runs_tests: bool,
}

impl Fleeting {
    /// A value, if there is one.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// Sets the value of a parameter, or the number of rows of a table (its path, such as `Device.IP.Diagnostics.TraceRoute.RouteHops.`).
    pub fn set(&mut self, name: String, value: String) {
        self.values.insert(name, value);
    }

    /// How many rows a table has: they are numbered from 1.
    #[must_use]
    pub fn rows(&self, table: &str) -> u32 {
        self.get(table).and_then(|rows| rows.parse().ok()).unwrap_or(0)
    }

    /// Everything below an object, by full names.
    pub fn below<'a>(&'a self, object: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> + 'a {
        let values = self.values.iter().filter(move |(name, _)| name.starts_with(object));
        values.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Takes away everything below an object.
    pub fn clear(&mut self, object: &str) {
        self.keep_only(&mut |name| !name.starts_with(object));
    }

    /// Takes away what is not to be kept.
    pub fn keep_only(&mut self, keep: &mut dyn FnMut(&str) -> bool) {
        self.values.retain(|name, _| keep(name));
    }
}

/// What the ACS wants of a test.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wish {
    /// It is to run, from the beginning where it is running.
    Run,
    /// It is to end now, without a result.
    Stop,
}

/// What it means when this is written to the state of a test (CONFORMANCE G-10).
///
/// # Errors
/// 9007 for anything but `Requested`, and for `Canceled` where nothing is to be ended; 9002 where nobody carries out tests.
pub(super) fn wish(fleeting: &Fleeting, name: &str, value: &str) -> Result<Wish, Fault> {
    if !fleeting.runs_tests {
        return Err(Fault::internal("the daemon is not running: use cwmpd diagnose"));
    }
    match value {
        REQUESTED => Ok(Wish::Run),
        CANCELED if fleeting.get(name) == Some(REQUESTED) => Ok(Wish::Stop),
        CANCELED => Err(Fault::value("there is no test to be canceled")),
        _ => Err(Fault::value("only Requested and Canceled can be written")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "Device.IP.Diagnostics.IPPing.DiagnosticsState";

    fn codes(fleeting: &Fleeting) -> Vec<Result<Wish, u16>> {
        let values = [REQUESTED, CANCELED, NONE, "Complete", ""];
        values.iter().map(|value| wish(fleeting, NAME, value).map_err(|fault| fault.code.0)).collect()
    }

    #[test]
    fn g10_a_test_is_requested_and_a_running_one_canceled() {
        let mut fleeting = Fleeting { runs_tests: true, ..Fleeting::default() };
        assert_eq!(codes(&fleeting), [Ok(Wish::Run), Err(9007), Err(9007), Err(9007), Err(9007)]);
        fleeting.set(NAME.into(), REQUESTED.into());
        assert_eq!(codes(&fleeting), [Ok(Wish::Run), Ok(Wish::Stop), Err(9007), Err(9007), Err(9007)]);
        fleeting.set(NAME.into(), "Complete".into());
        assert_eq!(codes(&fleeting)[1], Err(9007));
        fleeting.runs_tests = false;
        assert_eq!(codes(&fleeting)[0], Err(9002));
    }

    #[test]
    fn rows_go_with_their_object() {
        let mut fleeting = Fleeting::default();
        assert_eq!(fleeting.rows("Device.T.R."), 0);
        fleeting.set("Device.T.R.".into(), "2".into());
        fleeting.set("Device.T.R.1.X".into(), "x".into());
        fleeting.set("Device.U.X".into(), "u".into());
        assert_eq!(fleeting.rows("Device.T.R."), 2);
        let below: Vec<_> = fleeting.below("Device.T.").collect();
        assert_eq!(below, [("Device.T.R.", "2"), ("Device.T.R.1.X", "x")]);
        fleeting.clear("Device.T.");
        assert_eq!((fleeting.rows("Device.T.R."), fleeting.get("Device.T.R.1.X")), (0, None));
        assert_eq!(fleeting.get("Device.U.X"), Some("u"));
    }
}
