//! The way to the ACS: an HTTP client with TLS, authentication, cookies and redirects (TR-069a6 3.3, 3.4).
//!
//! A session has one [`Client`], which posts one message after the other:
//!
//! ```text
//!            ┌──────────────── 401: answer the challenge ────────────────┐
//!            ▼                                                           │
//! post ─> head and cookies ─> one connection, kept ─> status ────────────┤
//!            ▲                 (resolve, TCP, TLS)       │               │
//!            └─── 301 302 307 308: go there instead ─────┘               └─> Reply
//! ```
//!
//! Redirects, challenges, cookies and connections that the ACS closed stay inside. What comes out is a [`Reply`], or a
//! [`PostError`] that says in one line why there is none.
//!
//! Files go over the same machinery with GET and PUT, through a [`FileClient`] for each transfer, and what is no HTTP at all over a `Channel`.

mod cancel;
#[cfg(feature = "xmpp")]
mod channel;
mod checksum;
mod client;
mod connector;
mod cookies;
mod date;
mod error;
mod file;
mod login;
mod resolve;
mod settings;
mod talk;
#[cfg(feature = "tls")]
mod tls;
#[cfg(not(feature = "tls"))]
#[path = "no_tls.rs"]
mod tls;
mod wire;

pub use crate::url::{BadUrl, LONGEST_URL, Url};
pub use cancel::Cancel;
#[cfg(feature = "xmpp")]
pub use channel::Channel;
pub use checksum::Checksum;
pub use client::{Client, Reply, Request};
pub use error::{PostError, PostErrorKind};
pub use file::{FileClient, Incoming};
pub use resolve::{Resolve, SystemResolver, addresses};
pub use settings::{Compression, Settings};
pub use talk::Body;
pub use tls::TlsSessions;
