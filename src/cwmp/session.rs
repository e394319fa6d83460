//! One session with the ACS as a state machine (TR-069a6 3.7).
//!
//! ```text
//!                start
//!                  | Post(Inform)
//!                  v
//!   8005: same  +----------+  anything but an InformResponse
//!   Inform +--->|  Inform  |-----------------------------------------> Close(Failed)
//!   again  +----+----------+
//!                  | InformResponse: acknowledged
//!                  v
//!           own requests left?  <--------------------------------------------+
//!            | yes        | no, or the ACS holds them                        |
//!            | Post       | PostEmpty                                        |
//!            v            v                                                  |
//!      +---------+   +---------+  request: Handle, its answer is posted      |
//!      | Request |   |  Serve  |<------------------+                         |
//!      +---------+   +---------+-------------------+                         |
//!            |            |  empty answer                                    |
//!            | response:  +--- before the last empty POST of ours -----------+
//!            | acknowl.   |
//!            +----------->|  (own requests left? as above)                   |
//!                         +--- after it --------------------------> Close(Complete)
//! ```
//!
//! The last empty POST is the one that was sent while the ACS did not hold requests: it says that the CPE has none left. An answer
//! that does not fit its state, an HTTP error and a lost connection lead to `Close(Failed)` from everywhere. After `Handle` the
//! driver posts the answer itself, streamed if it is big, and reports what comes back; the machine need not see it.

use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use crate::cwmp::handlers::METHODS;
use crate::cwmp::version::Version;
use crate::error::{Fault, FaultCode};
use crate::soap::rpc::{Envelope, Header, Inform, Message, Namespace, SoapFault};
use crate::soap::version::supported_versions;
use crate::soap::{DecodeError, ErrorKind};

/// How often one request is sent again because the ACS answered 8005, before the session counts as failed.
const GREATEST_REPEATS: u32 = 5;
/// The ACS does not support the method (TR-069a6 A.5.2).
const UNKNOWN_TO_ACS: FaultCode = FaultCode(8000);

/// What a session begins with.
#[derive(Clone, Debug)]
pub struct SessionConfig {
    /// The highest version offered.
    pub version: Version,
    /// The Inform.
    pub inform: Inform,
    /// What the CPE has to tell or ask after it, in this order.
    pub own_requests: Vec<OwnRequest>,
    /// What the ids of our requests begin with; a number follows.
    pub id_prefix: String,
    /// The SessionTimeout header of the Inform in seconds, if the CPE needs longer than usual (CONFORMANCE L-13).
    pub session_timeout: Option<u32>,
}

/// A request of the CPE other than the Inform.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OwnRequest {
    /// By which the driver knows it again.
    pub key: String,
    /// TransferComplete, AutonomousTransferComplete, DUStateChangeComplete, AutonomousDUStateChangeComplete, RequestDownload, Kicked or
    /// GetRPCMethods.
    pub message: Message,
}

/// What came back for a POST. Challenges and redirects stay inside the HTTP client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Received {
    /// An answer without an envelope to read: with an empty body, or with a status other than 2xx.
    Http {
        /// The status.
        status: u16,
        /// The `Retry-After` header.
        retry_after: Option<Duration>,
    },
    /// A message.
    Envelope(Envelope),
    /// A body with status 2xx that could not be read.
    Undecodable(DecodeError),
    /// No answer: no connection, TLS or HTTP authentication failed, the connection was lost, the time was up. The text says what happened.
    Lost(String),
}

/// What the driver has to do: first save what was acknowledged, then act.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// What the ACS has taken; to be taken off the queues and saved before anything goes out.
    pub acknowledged: Vec<Acknowledged>,
    /// What comes next.
    pub action: Action,
}

/// What the ACS has answered for good.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Acknowledged {
    /// The Inform, with its events and values.
    Inform,
    /// An own request.
    Request {
        /// That of the [`OwnRequest`].
        key: String,
        /// The response.
        response: Message,
    },
    /// An own request that the ACS will not take now or later, so that it must not be sent again.
    Refused {
        /// That of the [`OwnRequest`].
        key: String,
        /// What the ACS said.
        reason: String,
    },
}

/// What the driver has to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// Post this and report what comes back.
    Post(Rc<Envelope>),
    /// Post an empty body and report what comes back.
    PostEmpty,
    /// Carry out this request of the ACS, post the answer or fault (see [`answer`]) and report what comes back.
    Handle {
        /// Goes into the answer unchanged (CONFORMANCE X-08).
        id: Option<String>,
        /// The namespace to answer in.
        namespace: Namespace,
        /// The request; one that nobody knows gets 9000 (CONFORMANCE X-14).
        request: Message,
    },
    /// Close the connection. Only now are things done that would have broken the session (CONFORMANCE L-12).
    Close(Outcome),
}

/// How a session ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Properly.
    Complete,
    /// Otherwise: it is tried again (CONFORMANCE R-06).
    Failed(Failure),
}

/// Why a session failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// One line for a person, without control characters.
    pub reason: String,
    /// Whether the ACS does not know this version of CWMP, so that a lower one should be offered (CONFORMANCE V-05).
    pub lower_version: bool,
    /// How long the ACS asks to be left alone.
    pub retry_after: Option<Duration>,
}

/// What the machine waits for.
#[derive(Clone, PartialEq, Eq, Debug)]
enum State {
    /// The InformResponse.
    Inform,
    /// The response to the own request at the front of the queue.
    Request,
    /// A request of the ACS, or its empty answer.
    Serve,
    /// Nothing.
    Closed(Outcome),
}

/// A session that is under way.
#[derive(Clone, Debug)]
pub struct Session {
    state: State,
    version: Version,
    /// Those that have not been sent.
    own_requests: VecDeque<OwnRequest>,
    id_prefix: String,
    last_id: u32,
    /// The own request that waits for its response.
    sent: Rc<Envelope>,
    /// That of the [`OwnRequest`].
    key: String,
    repeats: u32,
    /// Whether the ACS holds our requests (CONFORMANCE X-09).
    held: bool,
    /// Whether we have said that we have no more requests (CONFORMANCE L-04).
    finished: bool,
    /// The first own request that is still to be told, because the ACS answered it with a fault (CONFORMANCE L-10).
    untold: Option<String>,
}

/// An answer to a request of the ACS, as [`Action::Handle`] described it.
#[must_use]
pub fn answer(id: Option<String>, namespace: Namespace, body: Message) -> Envelope {
    Envelope { namespace, header: Header { id, ..Header::default() }, body: Some(body) }
}

impl Session {
    /// Begins a session; the step is the Inform.
    #[must_use]
    pub fn start(config: SessionConfig) -> (Self, Step) {
        let header = Header {
            id: Some(format!("{}1", config.id_prefix)),
            session_timeout: config.session_timeout,
            supported_versions: Some(supported_versions(config.version.text())),
            ..Header::default()
        };
        let body = Some(Message::Inform(Box::new(config.inform)));
        let inform = Rc::new(Envelope { namespace: config.version.namespace(), header, body });
        let session = Self {
            state: State::Inform,
            version: config.version,
            own_requests: config.own_requests.into(),
            id_prefix: config.id_prefix,
            last_id: 1,
            sent: Rc::clone(&inform),
            key: String::new(),
            repeats: 0,
            held: false,
            finished: false,
            untold: None,
        };
        (session, Step { acknowledged: Vec::new(), action: Action::Post(inform) })
    }

    /// Goes on with what came back for the last POST.
    pub fn received(&mut self, received: Received) -> Step {
        let received = match received {
            Received::Http { status, retry_after } if !(200..300).contains(&status) => {
                return self.http_error(status, retry_after);
            }
            Received::Lost(reason) => return self.fail(&format!("{}: {reason}", self.waiting_for())),
            // A fault that is no XML, which an ACS sends for what it does not know, is as good as one that says so.
            Received::Undecodable(DecodeError { kind: ErrorKind::MalformedFault, id }) => {
                let fault = Message::Fault(SoapFault::Cwmp(Fault::from(UNKNOWN_TO_ACS)));
                Received::Envelope(answer(id, self.version.namespace(), fault))
            }
            received => received,
        };
        // An answer without the header, and an empty answer, end the holding (TR-069a6 3.7.1.3).
        self.held = matches!(&received, Received::Envelope(envelope) if envelope.header.hold_requests);
        match self.state.clone() {
            State::Inform => self.in_inform(received),
            State::Request => self.in_request(received),
            State::Serve => self.in_serve(received),
            State::Closed(outcome) => Step { acknowledged: Vec::new(), action: Action::Close(outcome) },
        }
    }

    /// The version agreed upon; before the InformResponse the one offered.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// What the session waits for, for a person.
    #[must_use]
    pub fn waiting_for(&self) -> &'static str {
        match self.state {
            State::Inform => "waiting for the InformResponse",
            State::Request => "waiting for the response to a request of the CPE",
            State::Serve if self.finished => "waiting for requests of the ACS",
            State::Serve => "waiting for the ACS",
            State::Closed(_) => "after the end of the session",
        }
    }

    fn in_inform(&mut self, received: Received) -> Step {
        let envelope = match received {
            Received::Envelope(envelope) => envelope,
            Received::Undecodable(error) => return self.unreadable(&error),
            _ => return self.fail("the ACS answered the Inform with nothing"),
        };
        match envelope.body {
            Some(Message::InformResponse { .. }) => {
                let named = envelope.header.use_version.as_deref().and_then(Version::parse);
                let agreed = named.unwrap_or_else(|| Version::of_namespace(envelope.namespace));
                self.version = agreed.min(self.version);
                self.repeats = 0;
                self.next_turn(vec![Acknowledged::Inform])
            }
            Some(Message::Fault(fault)) if is_retry(&fault) => self.repeat(),
            Some(Message::Fault(fault)) => {
                let lower_version = match &fault {
                    SoapFault::Cwmp(fault) => fault.code == FaultCode::UNSUPPORTED_CWMP_VERSION,
                    SoapFault::Plain(code, _) => code == "VersionMismatch",
                };
                let reason = format!("the ACS answered the Inform with {}", describe(&fault));
                self.close(Failure { lower_version, ..failure(&reason) })
            }
            _ => self.fail("the ACS answered the Inform with something else than an InformResponse"),
        }
    }

    fn in_request(&mut self, received: Received) -> Step {
        let sent = Rc::clone(&self.sent);
        let Some(request) = &sent.body else {
            return self.fail("no request of the CPE was under way");
        };
        let (key, optional) = (self.key.clone(), is_optional(request));
        let asks_for_methods = matches!(request, Message::GetRpcMethods);
        match received {
            Received::Envelope(Envelope { body: Some(Message::Fault(fault)), .. }) => {
                if is_retry(&fault) {
                    return self.repeat();
                }
                let reason = describe(&fault);
                if asks_for_methods {
                    return self.told_methods(Acknowledged::Refused { key, reason }, &[]);
                }
                if optional || is_unknown_to_acs(&fault) && is_autonomous(request) {
                    return self.told(Acknowledged::Refused { key, reason });
                }
                self.untold.get_or_insert(reason);
                self.next_turn(Vec::new())
            }
            Received::Envelope(Envelope { body: Some(Message::GetRpcMethodsResponse(methods)), .. })
                if asks_for_methods =>
            {
                let response = Message::GetRpcMethodsResponse(methods.clone());
                self.told_methods(Acknowledged::Request { key, response }, &methods)
            }
            Received::Envelope(Envelope { body: Some(response), .. }) if answers(request, &response) => {
                self.told(Acknowledged::Request { key, response })
            }
            Received::Undecodable(error) => self.unreadable(&error),
            Received::Http { .. } => self.fail("the ACS answered a request of the CPE with nothing"),
            _ => self.fail("the ACS did not answer a request of the CPE with its response"),
        }
    }

    fn in_serve(&mut self, received: Received) -> Step {
        match received {
            Received::Envelope(Envelope { body: Some(body), header, .. }) => {
                if is_answer(&body) {
                    // CONFORMANCE X-13: never a fault as the answer to a response or a fault.
                    return self.fail("the ACS sent a response or a fault that answers nothing");
                }
                let namespace = self.version.namespace();
                Step { acknowledged: Vec::new(), action: Action::Handle { id: header.id, namespace, request: body } }
            }
            Received::Undecodable(error) => match refusal(&error.kind) {
                Some(fault) => {
                    let fault = answer(error.id, self.version.namespace(), Message::Fault(fault));
                    Step { acknowledged: Vec::new(), action: Action::Post(Rc::new(fault)) }
                }
                None => self.unreadable(&error),
            },
            // An empty answer; an envelope with an empty body says no more than that.
            _ if self.finished => match self.untold.take() {
                None => self.end(Outcome::Complete),
                Some(reason) => self.fail(&format!("the ACS answered a request of the CPE with {reason}")),
            },
            _ => self.next_turn(Vec::new()),
        }
    }

    /// It is our turn: an own request, or the empty POST that hands the turn to the ACS (CONFORMANCE L-03, L-04, X-09).
    fn next_turn(&mut self, mut acknowledged: Vec<Acknowledged>) -> Step {
        let namespace = self.version.namespace();
        // CONFORMANCE V-07: an older ACS is not sent what it cannot know.
        while let Some(request) = self.own_requests.front().filter(|request| request.message.since() > namespace) {
            let reason =
                format!("the ACS speaks CWMP {}, which has no {}", self.version.text(), request.message.name());
            acknowledged.push(Acknowledged::Refused { key: request.key.clone(), reason });
            self.own_requests.pop_front();
        }
        let next = if self.held || self.finished { None } else { self.own_requests.pop_front() };
        let action = match next {
            Some(OwnRequest { key, message }) => {
                self.last_id = self.last_id.saturating_add(1);
                let header = Header { id: Some(format!("{}{}", self.id_prefix, self.last_id)), ..Header::default() };
                self.sent = Rc::new(Envelope { namespace, header, body: Some(message) });
                self.key = key;
                self.state = State::Request;
                Action::Post(Rc::clone(&self.sent))
            }
            None => {
                self.finished |= !self.held;
                self.state = State::Serve;
                Action::PostEmpty
            }
        };
        Step { acknowledged, action }
    }

    fn told(&mut self, acknowledged: Acknowledged) -> Step {
        self.repeats = 0;
        self.next_turn(vec![acknowledged])
    }

    /// The ACS has said which methods it has: what it need not have, and has not, is not tried (CONFORMANCE G-03).
    fn told_methods(&mut self, first: Acknowledged, methods: &[String]) -> Step {
        self.repeats = 0;
        let mut acknowledged = vec![first];
        self.own_requests.retain(|request| {
            let name = request.message.name();
            let listed = methods.iter().any(|method| method == name);
            let stays = listed || !(is_optional(&request.message) || is_autonomous(&request.message));
            if !stays {
                let reason = format!("the ACS does not list {name} among its methods");
                acknowledged.push(Acknowledged::Refused { key: request.key.clone(), reason });
            }
            stays
        });
        self.next_turn(acknowledged)
    }

    /// The same request again, because the ACS asked for it (CONFORMANCE L-09, L-10).
    fn repeat(&mut self) -> Step {
        if self.repeats >= GREATEST_REPEATS {
            return self.fail(&format!("the ACS answered the same request {} times with 8005", self.repeats + 1));
        }
        self.repeats += 1;
        Step { acknowledged: Vec::new(), action: Action::Post(Rc::clone(&self.sent)) }
    }

    fn http_error(&mut self, status: u16, retry_after: Option<Duration>) -> Step {
        let reason = format!("{}: HTTP status {status}", self.waiting_for());
        let lower_version = self.state == State::Inform && status == 400;
        self.close(Failure { lower_version, retry_after, ..failure(&reason) })
    }

    fn unreadable(&mut self, error: &DecodeError) -> Step {
        self.fail(&format!("{}: the answer cannot be read: {error}", self.waiting_for()))
    }

    fn fail(&mut self, reason: &str) -> Step {
        self.close(failure(reason))
    }

    fn close(&mut self, failure: Failure) -> Step {
        self.end(Outcome::Failed(failure))
    }

    /// The first end stays.
    fn end(&mut self, outcome: Outcome) -> Step {
        let outcome = match &self.state {
            State::Closed(first) => first.clone(),
            _ => outcome,
        };
        self.state = State::Closed(outcome.clone());
        Step { acknowledged: Vec::new(), action: Action::Close(outcome) }
    }
}

fn failure(reason: &str) -> Failure {
    let printable = reason.chars().map(|character| if character.is_control() { ' ' } else { character });
    Failure { reason: printable.take(300).collect(), lower_version: false, retry_after: None }
}

fn describe(fault: &SoapFault) -> String {
    match fault {
        SoapFault::Cwmp(fault) => format!("fault {} ({})", fault.code, fault.text),
        SoapFault::Plain(code, text) => format!("SOAP fault {code} ({text})"),
    }
}

fn is_retry(fault: &SoapFault) -> bool {
    matches!(fault, SoapFault::Cwmp(fault) if fault.code == FaultCode::RETRY_REQUEST)
}

fn is_unknown_to_acs(fault: &SoapFault) -> bool {
    matches!(fault, SoapFault::Cwmp(fault) if fault.code == UNKNOWN_TO_ACS)
}

/// The fault for a request that could not be read; none for what is no request, or nothing that can be answered (CONFORMANCE X-11, X-13, X-15).
fn refusal(error: &ErrorKind) -> Option<SoapFault> {
    match error {
        ErrorKind::Arguments { method, reason } if !method.ends_with("Response") && method != "Fault" => {
            // What is not carried out anyway is refused for that, whatever its arguments are (CONFORMANCE G-02).
            let fault = match METHODS.contains(&method.as_str()) {
                true => Fault::arguments(reason.as_str()),
                false => Fault::from(FaultCode::METHOD_NOT_SUPPORTED),
            };
            Some(SoapFault::Cwmp(fault))
        }
        ErrorKind::MustUnderstand(name) => {
            Some(SoapFault::Plain("MustUnderstand".into(), format!("the header {name} is not known")))
        }
        _ => None,
    }
}

/// Requests whose delivery the standard leaves free; a refusal is the end of them (CONFORMANCE G-03).
fn is_optional(request: &Message) -> bool {
    matches!(request, Message::GetRpcMethods | Message::RequestDownload { .. } | Message::Kicked { .. })
}

/// Requests that an ACS need not know, which only then need not be delivered.
fn is_autonomous(request: &Message) -> bool {
    matches!(request, Message::AutonomousTransferComplete(_) | Message::AutonomousDuStateChangeComplete { .. })
}

fn answers(request: &Message, response: &Message) -> bool {
    response.name().strip_suffix("Response") == Some(request.name())
}

/// Whether a message is a response or a fault, known or not.
fn is_answer(message: &Message) -> bool {
    matches!(message, Message::Fault(_)) || message.name().ends_with("Response")
}

#[cfg(test)]
mod tests;
