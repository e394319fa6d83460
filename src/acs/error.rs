//! Why a POST did not bring a reply.

use std::fmt;

/// What kind of failure it was. Each ends the session as failed (CONFORMANCE R-09), except [`Cancelled`](Self::Cancelled), after which there is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PostErrorKind {
    /// The URL, the credentials or another setting cannot be used.
    Settings,
    /// The name is unknown, nothing answers at its addresses, or the connection broke.
    Unreachable,
    /// TLS could not be set up: certificates, names, versions.
    Tls,
    /// The ACS took too long.
    Timeout,
    /// The reply is larger than allowed.
    TooLarge,
    /// More than five redirects in a row (CONFORMANCE T-10).
    TooManyRedirects,
    /// A redirect that must not be followed, such as from https to http (CONFORMANCE T-21).
    Redirect,
    /// The ACS wants credentials that are not there, refuses those that are, or wants them in a way that is not safe.
    Unauthorized,
    /// What came back is not HTTP as it should be.
    Protocol,
    /// The body to be sent could not be read.
    Body,
    /// [`Cancel::cancel`](super::Cancel::cancel) was called.
    Cancelled,
}

/// A failed POST: its kind, and one line for a person that says what failed and, where it helps, what to do. Never a secret.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PostError {
    /// What to decide by.
    pub kind: PostErrorKind,
    text: String,
    contact: bool,
}

impl PostError {
    /// An error with its text; control characters, which may come from the peer, become blanks.
    #[must_use]
    pub fn new(kind: PostErrorKind, text: impl Into<String>) -> Self {
        let text: String = text.into();
        Self { kind, text: text.replace(char::is_control, " "), contact: false }
    }

    /// Whether there was a connection, TLS and all, and the failure came after that.
    #[must_use]
    pub fn had_contact(&self) -> bool {
        self.contact
    }

    pub(super) fn after_contact(self) -> Self {
        Self { contact: true, ..self }
    }

    /// The same about another peer, such as "the file server": everything below speaks of the ACS.
    pub(super) fn of(self, peer: &str) -> Self {
        Self { text: self.text.replace("the ACS", peer), ..self }
    }

    pub(super) fn of_file_server(self) -> Self {
        self.of("the file server")
    }

    pub(super) fn cancelled() -> Self {
        Self::new(PostErrorKind::Cancelled, "the session was cancelled")
    }
}

impl fmt::Display for PostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for PostError {}
