//! The protocol, free of IO: no sockets, files, clocks or random numbers; time and randomness come in as arguments.
//!
//! [`plan`] says when a session is due, [`events`] and [`inform`] what its Inform carries, [`session`] what is said in it and [`retry`] how long
//! to wait after it failed. [`schedule`] and [`notify`] find out what has come to be told, [`version`] in which version of CWMP. [`guard`] says
//! whether a change of the ACS is kept. Lightweight notifications go another way than sessions (cargo feature `lightweight`).
//! What DHCP says of the ACS is read by `discovery` (cargo feature `discovery`).
//!
//! The life of a session, as its driver leads it:
//!
//! 1. [`plan::Planner::plan`] says `Now`. Unless only a heartbeat waits, [`notify::Told::compare`] finds the changed values, and
//!    [`events::Queue::set_value_change`] hears whether there are any.
//! 2. [`events::Queue::for_inform`], [`inform::assemble`], [`session::Session::start`].
//! 3. For each step: what is acknowledged goes to [`events::Queue::acknowledge_inform`] and [`notify::Told::acknowledge`], or to
//!    [`events::Queue::acknowledge_response`]; where `must_persist` says so the state is saved; then the action is carried out.
//! 4. After `Close`: [`retry::Retry`], [`version::Offer`], [`events::Queue::session_ended`], [`plan::Planner::session_ended`]. The state is saved,
//!    and then comes what would have broken the session.

pub mod answers;
#[cfg(feature = "discovery")]
pub mod discovery;
pub mod events;
pub mod guard;
pub mod handlers;
pub mod inform;
#[cfg(feature = "lightweight")]
pub mod lightweight;
pub mod notify;
pub mod plan;
#[cfg(feature = "scheduled-reboot")]
pub mod reboot;
pub mod retry;
pub mod schedule;
pub mod session;
#[cfg(feature = "heartbeat")]
pub mod standby;
pub mod version;
