//! The protocol, free of IO: no sockets, files, clocks or random numbers; time and randomness come in as arguments.
//!
//! [`plan`] says when a session is due, [`events`] and [`inform`] what its Inform carries, [`session`] what is said in it and [`retry`] how long
//! to wait after it failed. [`schedule`] and [`notify`] find out what has come to be told, [`version`] in which version of CWMP.

pub mod answers;
pub mod events;
pub mod handlers;
pub mod inform;
pub mod notify;
pub mod plan;
pub mod retry;
pub mod schedule;
pub mod session;
pub mod version;
