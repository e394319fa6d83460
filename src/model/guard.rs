//! What is asked before a change of the ACS is written.

use super::context::Effects;
use super::registry::Registry;
use crate::error::Fault;
use crate::platform::uci::Package;

/// A change of the ACS that is about to be written: everything is still as it was.
pub struct Change<'a> {
    /// The UCI packages that change: as they are, and as they will be.
    pub packages: &'a [(&'a Package, &'a Package)],
    /// The names of the agent's own values that change.
    pub own: &'a [&'a str],
    /// What the model remembers until now.
    pub registry: &'a Registry,
    /// What has to be done after it.
    pub effects: &'a Effects,
}

/// Is asked before each commit of a change that comes from the ACS, and may refuse it. When somebody else changes a file in between, it is
/// asked again with what that one wrote.
pub type Guard = Box<dyn FnMut(&Change<'_>) -> Result<(), Fault> + Send>;
