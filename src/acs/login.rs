//! How the agent proves who it is (TR-069a6 3.4.5): nothing before a challenge, Digest rather than Basic, and after a good answer
//! the same credentials with each further request of the session.

use super::error::{PostError, PostErrorKind};
use crate::auth::{basic, digest};
use crate::url::Url;

/// How often a POST is answered anew because the ACS calls the nonce stale.
const MOST_STALE: u8 = 2;
/// The longest of a challenge's texts, in bytes: all of them must fit into the head of a request.
const LONGEST_TEXT: usize = 1024;

/// What one server of the session has asked for.
#[derive(Default)]
pub(super) struct Login {
    answer: Option<Answer>,
    /// How many challenges of the current POST were answered.
    answered: u8,
}

enum Answer {
    Digest { challenge: digest::Challenge, nc: u32, cnonce: String },
    Basic,
}

impl Login {
    /// A new POST begins.
    pub(super) fn begin(&mut self) {
        self.answered = 0;
    }

    /// The session goes on at another server: it gets nothing that it did not ask for itself.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// Whether the next request carries the password as it is.
    pub(super) fn is_basic(&self) -> bool {
        matches!(self.answer, Some(Answer::Basic))
    }

    /// The `Authorization` header of the next request, once the server has asked for one.
    pub(super) fn authorization(&mut self, credentials: (&str, &str), method: &str, url: &Url) -> Option<String> {
        match self.answer.as_mut()? {
            Answer::Basic => Some(basic::authorization(credentials.0, credentials.1)),
            Answer::Digest { challenge, nc, cnonce } => {
                *nc = nc.saturating_add(1);
                Some(digest::answer(challenge, credentials, (method, &url.target), *nc, cnonce).to_header())
            }
        }
    }

    /// Takes the `WWW-Authenticate` headers of a 401. `basic_allowed` says why Basic must not be used, if so.
    pub(super) fn challenged(
        &mut self,
        headers: &[&str],
        username: &str,
        basic_allowed: Result<(), &str>,
    ) -> Result<(), PostError> {
        let refuse = |text: &str| Err(PostError::new(PostErrorKind::Unauthorized, text));
        if username.is_empty() {
            return refuse("the ACS asks for credentials, and there is no username");
        }
        let challenge = headers.iter().flat_map(|header| digest::parse_challenges(header)).find(fits);
        let stale = challenge.as_ref().is_some_and(|challenge| challenge.stale);
        if self.answered > 0 && !(stale && self.answered <= MOST_STALE) {
            self.answer = None;
            return refuse("the ACS refuses the username or the password");
        }
        self.answer = match challenge {
            Some(challenge) => {
                if !username.is_ascii() || !challenge.realm.is_ascii() {
                    return refuse("Digest with a username or realm beyond ASCII is not supported");
                }
                Some(Answer::Digest { challenge, nc: 0, cnonce: cnonce()? })
            }
            None if headers.iter().any(|header| basic::is_offered(header)) => {
                if let Err(reason) = basic_allowed {
                    return refuse(reason);
                }
                if username.contains(':') {
                    return refuse("the ACS asks for Basic, and a username with a colon cannot be sent that way");
                }
                Some(Answer::Basic)
            }
            None => {
                return refuse(
                    "the ACS asks for credentials in a way that is not supported (not Digest with MD5 or SHA-256, not Basic)",
                );
            }
        };
        self.answered = self.answered.saturating_add(1);
        Ok(())
    }

    /// Takes an `Authentication-Info` header. A `-sess` key stays bound to the nonce of its challenge (RFC 7616 3.4.2), so there the
    /// next nonce is left to the next challenge.
    pub(super) fn informed(&mut self, header: &str) {
        if let (Some(Answer::Digest { challenge, nc, .. }), Some(next)) = (&mut self.answer, digest::next_nonce(header))
        {
            let session = challenge.algorithm.is_some_and(digest::Algorithm::is_session);
            if !session && next != challenge.nonce && next.len() <= LONGEST_TEXT {
                challenge.nonce = next;
                *nc = 0;
            }
        }
    }
}

fn fits(challenge: &digest::Challenge) -> bool {
    let texts = [Some(&challenge.realm), Some(&challenge.nonce), challenge.opaque.as_ref()];
    texts.into_iter().flatten().all(|text| text.len() <= LONGEST_TEXT && !text.contains(char::is_control))
}

fn cnonce() -> Result<String, PostError> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|error| {
        PostError::new(PostErrorKind::Unauthorized, format!("no random numbers for Digest: {error}"))
    })?;
    Ok(u128::from_ne_bytes(random).to_string())
}
