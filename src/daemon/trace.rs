//! The messages of sessions as they happen, for `cwmpd trace`, with secrets masked.

use std::io::Read;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};

use crate::model::context::Context;
use crate::model::tree::{Target, resolve};
use crate::soap::body::Body;
use crate::soap::encode::encode;
use crate::soap::rpc::{DuOperation, Envelope, Message};

/// How many messages wait for a reader that is slow; more are left out for it.
const WAITING: usize = 64;

/// A longer message of ours is cut, in bytes.
const LONGEST: u64 = 1 << 20;

/// What stands in the place of a secret.
const MASK: &str = "********";

/// Those who follow.
#[derive(Debug, Default)]
pub struct Trace {
    followers: Mutex<Vec<SyncSender<String>>>,
}

impl Trace {
    /// Follows from now on.
    pub fn follow(&self) -> Receiver<String> {
        let (sender, receiver) = sync_channel(WAITING);
        self.followers.lock().unwrap_or_else(PoisonError::into_inner).push(sender);
        receiver
    }

    /// Whether anybody follows, so that a text is worth making.
    pub fn is_followed(&self) -> bool {
        !self.followers.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Tells everybody who follows.
    pub fn tell(&self, text: &str) {
        let mut followers = self.followers.lock().unwrap_or_else(PoisonError::into_inner);
        followers.retain(|follower| {
            !matches!(follower.try_send(String::from(text)), Err(std::sync::mpsc::TrySendError::Disconnected(_)))
        });
    }

    /// A body that is about to be sent. Our own messages never hold a secret: what is hidden reads as an empty string.
    pub fn sending(&self, body: &mut Body) {
        if self.is_followed() {
            let mut bytes = Vec::new();
            let text = match body.take_some(LONGEST, &mut bytes) {
                Ok(()) => String::from_utf8_lossy(&bytes).into_owned(),
                Err(error) => format!("(a message that could not be made: {error})"),
            };
            self.tell(&format!("--> to the ACS, {} bytes\n{text}\n", body.len()));
        }
    }

    /// A message that has come; only worth making when somebody follows.
    pub fn received(&self, context: &mut Context, mut envelope: Envelope) {
        if let Some(message) = &mut envelope.body {
            mask(context, message);
        }
        self.tell(&format!("<-- from the ACS\n{}\n", String::from_utf8_lossy(&encode(&envelope))));
    }
}

fn mask(context: &mut Context, message: &mut Message) {
    let hide = |text: &mut String| {
        if !text.is_empty() {
            *text = String::from(MASK);
        }
    };
    match message {
        Message::SetParameterValues { parameters, .. } => {
            for parameter in parameters {
                let plain = match resolve(context, &parameter.name).as_deref() {
                    Ok([Target::Parameter(_, _, found)]) => !found.hidden,
                    // What is no parameter may be a secret with a wrong name.
                    _ => false,
                };
                if plain {
                    hide_credentials(&mut parameter.value.text);
                } else {
                    hide(&mut parameter.value.text);
                }
            }
        }
        Message::Download(download) => {
            hide(&mut download.password);
            hide_credentials(&mut download.url);
        }
        Message::Upload(upload) => {
            hide(&mut upload.password);
            hide_credentials(&mut upload.url);
        }
        Message::ScheduleDownload(download) => {
            hide(&mut download.password);
            hide_credentials(&mut download.url);
        }
        Message::ChangeDuState { operations, .. } => {
            for operation in operations {
                match operation {
                    DuOperation::Install { url, password, .. } | DuOperation::Update { url, password, .. } => {
                        hide(password);
                        hide_credentials(url);
                    }
                    DuOperation::Uninstall { .. } => {}
                }
            }
        }
        _ => {}
    }
}

/// Masks what stands before the host of a URL. One with credentials is refused, but they are secrets all the same.
fn hide_credentials(url: &mut String) {
    let Some((scheme, rest)) = url.split_once("://") else { return };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let at = rest.get(..end).and_then(|authority| authority.rfind('@'));
    if let Some(host) = at.and_then(|at| rest.get(at..)) {
        *url = format!("{scheme}://{MASK}{host}");
    }
}

impl Body {
    /// The first bytes; afterwards the body is at its beginning again.
    fn take_some(&mut self, limit: u64, bytes: &mut Vec<u8>) -> std::io::Result<()> {
        self.rewind();
        let read = self.by_ref().take(limit).read_to_end(bytes);
        self.rewind();
        read.map(|_| ())
    }
}
