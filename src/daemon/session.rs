//! The one session worker: carries out what the state machine says, on a thread of its own, so that the poll loop goes on.

use std::io;
use std::sync::Arc;

use super::Shared;
use super::agent::{Start, keep_promise};
use crate::acs::{Client, PostError, Request};
use crate::config::Compression;
use crate::cwmp::handlers::Handled;
use crate::cwmp::plan::Reason;
use crate::cwmp::session::{Action, Failure, Outcome, Received, Session};
use crate::soap::body::{self, Body};
use crate::soap::decode::decode;
use crate::soap::rpc::Message;

impl crate::acs::Body for Body {
    fn len(&self) -> u64 {
        Body::len(self)
    }

    fn rewind(&mut self) -> io::Result<()> {
        Body::rewind(self);
        Ok(())
    }
}

/// Runs a session from its Inform to what was promised in it.
pub fn run(shared: &Arc<Shared>, reason: Reason) {
    let start = shared.lock().begin_session(reason);
    // Whoever is told of sessions is told now.
    shared.wake();
    let outcome = converse(shared, start);
    shared.lock().end_session(&outcome);
    shared.session_ended();
    shared.wake();
    keep_promises(shared);
}

/// Does what was promised in sessions that are over, also in one that a crash has cut off.
pub fn keep_promises(shared: &Arc<Shared>) {
    let (live, promised) = {
        let agent = shared.lock();
        (agent.live().clone(), agent.promised())
    };
    if let Some(promised) = promised {
        let going_down = keep_promise(&live, &promised, &|| shared.lock().forget_state());
        shared.lock().kept_promise(&promised, going_down);
    }
}

fn converse(shared: &Arc<Shared>, start: Start) -> Outcome {
    let mut client = match Client::new(&start.settings, &shared.tls, &shared.cancel) {
        Ok(client) => client,
        Err(error) => return failed(&error.to_string()),
    };
    let mut way = Way { shared, client: &mut client, compression: start.compression, limit: start.max_envelope };
    let (mut session, mut step) = Session::start(start.session);
    let outcome = loop {
        for acknowledged in &step.acknowledged {
            shared.lock().acknowledged(acknowledged);
        }
        let received = match step.action {
            Action::Post(envelope) => {
                let name = envelope.body.as_ref().map(Message::name).unwrap_or_default();
                way.post(name, Some(Body::message(&envelope)))
            }
            Action::PostEmpty => way.post("an empty message", None),
            Action::Handle { id, namespace, request } => {
                let name = String::from(request.name());
                let begun = shared.lock().begin_request(request);
                let Handled { body, fault } = begun.finish(id, namespace);
                shared.lock().save_model();
                if let Some(fault) = &fault {
                    log::info!("{name} of the ACS is refused: {fault}");
                    way.shared.lock().step(format!("refused: {fault}"));
                }
                way.post(&format!("the answer to {name}"), Some(body))
            }
            Action::Close(outcome) => break outcome,
        };
        step = session.received(received);
    };
    if client.used_basic_without_tls() {
        log::warn!(
            "the password of the ACS went over the network in clear: use https, or set cwmpd.acs.basic_over_http to 0"
        );
    }
    client.close();
    outcome
}

struct Way<'a> {
    shared: &'a Arc<Shared>,
    client: &'a mut Client,
    compression: Compression,
    limit: usize,
}

impl Way<'_> {
    fn post(&mut self, what: &str, body: Option<Body>) -> Received {
        let reply = match body {
            None => {
                self.shared.trace.tell("--> to the ACS, empty\n");
                self.client.post(Request::default())
            }
            Some(mut body) => {
                self.shared.trace.sending(&mut body);
                let (mut body, content_encoding) = match self.compression {
                    Compression::None => (body, None),
                    Compression::Gzip => (body.compressed(body::Compression::Gzip), Some("gzip")),
                    Compression::Deflate => (body.compressed(body::Compression::Deflate), Some("deflate")),
                };
                self.client.post(Request { body: Some(&mut body), content_encoding })
            }
        };
        let received = match reply {
            Err(error) => lost(&error),
            Ok(reply) if reply.body.is_empty() || !(200..300).contains(&reply.status) => {
                Received::Http { status: reply.status, retry_after: reply.retry_after }
            }
            Ok(reply) => match decode(&reply.body, self.limit) {
                Ok(envelope) => {
                    if self.shared.trace.is_followed() {
                        let mut context = self.shared.lock().model.context();
                        // Read again, because what is shown is masked. All that it takes to copy a message would be 6 KB.
                        if let Ok(shown) = decode(&reply.body, self.limit) {
                            self.shared.trace.received(&mut context, shown);
                        }
                    }
                    Received::Envelope(envelope)
                }
                Err(error) => Received::Undecodable(error),
            },
        };
        let answer = match &received {
            Received::Http { status, .. } => format!("an empty answer with status {status}"),
            Received::Envelope(envelope) => {
                envelope.body.as_ref().map_or("an empty envelope", |message| message.name()).to_string()
            }
            Received::Undecodable(error) => format!("a message that cannot be taken: {error}"),
            Received::Lost(reason) => format!("nothing: {reason}"),
        };
        if !matches!(received, Received::Envelope(_)) {
            self.shared.trace.tell(&format!("<-- from the ACS: {answer}\n"));
        }
        self.shared.lock().step(format!("sent {what}; got {answer}"));
        received
    }
}

fn lost(error: &PostError) -> Received {
    Received::Lost(error.to_string())
}

fn failed(reason: &str) -> Outcome {
    Outcome::Failed(Failure { reason: reason.into(), lower_version: false, retry_after: None })
}
