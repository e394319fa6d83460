//! What the tables of tests share: they are carried out by `crate::diagnostics`, wherever they lie in the tree.

use super::ip::interface::INTERFACES;
use crate::model::schema::{Notification, Parameter, Source, fleeting, own, ro, rw};
use crate::model::value::{STRING, Type, UNSIGNED_INT};

/// A host by its name or address.
pub const HOST: Type = STRING.lengths(&[(0, 256)]);
/// What a test costs the router and its neighbours is limited (SECURITY S21): what is asked for is done, or refused at once.
pub const REPETITIONS: Type = UNSIGNED_INT.ranges(&[(1, 1000)]);
/// Milliseconds.
pub const TIMEOUT: Type = UNSIGNED_INT.ranges(&[(1, 60_000)]);
/// Bytes.
pub const BLOCK: Type = UNSIGNED_INT.ranges(&[(1, 65_535)]);
/// An address of either kind.
pub const ADDRESS: Type = STRING.lengths(&[(0, 45)]);

/// `Interface`: the row of a logical interface, or nothing for the way of the routing.
pub const INTERFACE: Parameter = rw("Interface", STRING.weak(&[INTERFACES]).lengths(&[(0, 256)]), own(""));
/// `ProtocolVersion`
pub const PROTOCOL_VERSION: Parameter = rw("ProtocolVersion", STRING.values(&["Any", "IPv4", "IPv6"]), own("Any"));
/// `DSCP`
pub const DSCP: Parameter = rw("DSCP", UNSIGNED_INT.ranges(&[(0, 63)]), own("0"));
/// `IPAddressUsed`
pub const ADDRESS_USED: Parameter = ro("IPAddressUsed", ADDRESS, fleeting(""));

/// `DiagnosticsState` with its values, of which the first two, `Requested` and `Canceled`, can be written (CONFORMANCE G-10).
#[must_use]
pub const fn state(values: &'static [&'static str]) -> Parameter {
    let (_, read_only) = values.split_at(2);
    rw("DiagnosticsState", STRING.values(values).not_written(read_only), Source::Test)
}

/// A number that a test finds out; 0 before.
#[must_use]
pub const fn number(name: &'static str) -> Parameter {
    ro(name, UNSIGNED_INT, fleeting("0"))
}

/// The same, of which active notification is refused.
#[must_use]
pub const fn busy_number(name: &'static str) -> Parameter {
    number(name).notification(Notification::CanDeny)
}
