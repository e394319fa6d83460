//! The requests of the ACS: each carried out on the model, with what must happen once the session is over (TR-069a6 A.3.2, A.4.1).

mod transfers;

pub use transfers::Transfers;

use super::answers::Answers;
use crate::error::{Fault, FaultCode};
use crate::model::Model;
use crate::model::attributes::{AttributeChange, Switched};
use crate::model::context::Context;
use crate::model::transaction::{Assignment, Written};
use crate::soap::body::Body;
use crate::soap::rpc::{Envelope, Header, Message, Namespace, ParameterValue, SetAttributes, SoapFault};

/// The requests that work, as GetRPCMethods lists them (CONFORMANCE G-02).
pub const METHODS: &[&str] = &[
    "GetRPCMethods",
    "SetParameterValues",
    "GetParameterValues",
    "GetParameterNames",
    "SetParameterAttributes",
    "GetParameterAttributes",
    "AddObject",
    "DeleteObject",
    "Reboot",
    "FactoryReset",
    "ScheduleInform",
    "Download",
    "Upload",
    "ScheduleDownload",
    "CancelTransfer",
    "GetQueuedTransfers",
    "GetAllQueuedTransfers",
];

/// A CommandKey has at most this many characters (TR-069a6 A.3.2.7).
const LONGEST_KEY: usize = 32;

/// What the router cannot do.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Abilities {
    /// Whether there is a way back to the factory state.
    pub factory_reset: bool,
    /// How many more ScheduleInform there is room for.
    pub schedule_informs: usize,
}

/// What a request leads to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Consequence {
    /// Nothing but the answer.
    None,
    /// The model was written to.
    Written(Written),
    /// The notification of these parameters is another one.
    Notifying(Vec<Switched>),
    /// A reboot, once the session is over (CONFORMANCE Q-01).
    Reboot {
        /// Comes back with `M Reboot`.
        command_key: String,
    },
    /// The factory state, once the session is over (CONFORMANCE Q-03).
    FactoryReset,
    /// A session at a later time (CONFORMANCE Q-05).
    ScheduleInform {
        /// At least 1.
        delay_seconds: u32,
        /// Comes back with `M ScheduleInform`.
        command_key: String,
    },
    /// The queue of transfers is another one.
    Transfers,
}

/// A request whose effect on the model is done, with its answer still to be made.
pub struct Begun(State);

enum State {
    /// A request that only reads needs nothing but its own context: it goes on while others use the model.
    Read(Box<Context>, Message),
    Done(Result<Message, Fault>),
}

/// The answer to a request.
pub struct Handled {
    /// The answer.
    pub body: Body,
    /// The fault that the answer says, for the log.
    pub fault: Option<Fault>,
}

/// Carries out what a request does to the model. The consequence has to be dealt with, or noted, before the answer is posted.
#[must_use]
pub fn begin(
    model: &mut Model,
    abilities: Abilities,
    transfers: Option<&mut dyn Transfers>,
    request: Message,
) -> (Begun, Consequence) {
    let state = match request {
        Message::GetParameterValues { .. }
        | Message::GetParameterNames { .. }
        | Message::GetParameterAttributes { .. } => State::Read(Box::new(model.context()), request),
        request => match carry_out(model, abilities, transfers, request) {
            Ok((message, consequence)) => return (Begun(State::Done(Ok(message))), consequence),
            Err(fault) => State::Done(Err(fault)),
        },
    };
    (Begun(state), Consequence::None)
}

impl Begun {
    /// Makes the answer. Instance numbers that it tells are to be saved afterwards ([`Model::save`]) and before it is posted.
    #[must_use]
    pub fn finish(self, id: Option<String>, namespace: Namespace) -> Handled {
        let header = Header { id, ..Header::default() };
        let done = match self.0 {
            State::Done(done) => done,
            State::Read(context, request) => match read(*context, request) {
                Ok(answers) => {
                    let body = Body::list(answers.kind(), namespace, &header, Box::new(answers));
                    return Handled { body, fault: None };
                }
                Err(fault) => Err(fault),
            },
        };
        let fault = done.as_ref().err().cloned();
        let message = done.unwrap_or_else(|fault| Message::Fault(SoapFault::Cwmp(fault)));
        Handled { body: Body::message(&Envelope { namespace, header, body: Some(message) }), fault }
    }
}

fn read(context: Context, request: Message) -> Result<Answers, Fault> {
    let answers = match request {
        Message::GetParameterValues { names } => Answers::values(context, &names),
        Message::GetParameterNames { path, next_level } => Answers::names(context, &path, next_level),
        Message::GetParameterAttributes { names } => Answers::attributes(context, &names),
        _ => Err(FaultCode::METHOD_NOT_SUPPORTED.into()),
    };
    answers.map(Answers::by_instance_mode)
}

fn carry_out(
    model: &mut Model,
    abilities: Abilities,
    transfers: Option<&mut dyn Transfers>,
    request: Message,
) -> Result<(Message, Consequence), Fault> {
    let request = match transfers {
        None => request,
        Some(transfers) => match transfers::carry_out(transfers, request) {
            Ok(done) => return done,
            Err(other) => other,
        },
    };
    Ok(match request {
        Message::GetRpcMethods => {
            let methods = METHODS.iter().copied().map(String::from).collect();
            (Message::GetRpcMethodsResponse(methods), Consequence::None)
        }
        Message::SetParameterValues { parameters, parameter_key } => {
            let assignments: Vec<_> = parameters.into_iter().map(assignment).collect();
            let written = model.set_values(&assignments, Some(&parameter_key))?;
            written_answer(written, |status| Message::SetParameterValuesResponse { status })
        }
        Message::AddObject { object_name, parameter_key } => {
            let (instance_number, written) = model.add_object(&object_name, Some(&parameter_key))?;
            written_answer(written, |status| Message::AddObjectResponse { instance_number, status })
        }
        Message::DeleteObject { object_name, parameter_key } => {
            let written = model.delete_object(&object_name, Some(&parameter_key))?;
            written_answer(written, |status| Message::DeleteObjectResponse { status })
        }
        Message::SetParameterAttributes(changes) => {
            let changes: Vec<_> = changes.into_iter().map(attribute_change).collect();
            let switched = model.set_attributes(&changes)?;
            (Message::SetParameterAttributesResponse, Consequence::Notifying(switched))
        }
        Message::Reboot { command_key } => {
            check_key(&command_key)?;
            (Message::RebootResponse, Consequence::Reboot { command_key })
        }
        Message::FactoryReset => {
            if !abilities.factory_reset {
                return Err(Fault::internal("this router has no way back to its factory state"));
            }
            (Message::FactoryResetResponse, Consequence::FactoryReset)
        }
        Message::ScheduleInform { delay_seconds, command_key } => {
            check_key(&command_key)?;
            if delay_seconds == 0 {
                return Err(Fault::arguments("DelaySeconds must be at least 1"));
            }
            if abilities.schedule_informs == 0 {
                return Err(Fault::internal("too many ScheduleInform are waiting"));
            }
            let consequence = Consequence::ScheduleInform { delay_seconds, command_key };
            (Message::ScheduleInformResponse, consequence)
        }
        _ => return Err(FaultCode::METHOD_NOT_SUPPORTED.into()),
    })
}

/// Status 0: done; 1: stored, and done once the session is over (CONFORMANCE P-06).
fn written_answer(written: Written, response: impl Fn(u8) -> Message) -> (Message, Consequence) {
    let status = u8::from(written.effects.take_time());
    (response(status), Consequence::Written(written))
}

fn assignment(parameter: ParameterValue) -> Assignment {
    Assignment { name: parameter.name, kind: parameter.value.kind, value: parameter.value.text }
}

fn attribute_change(change: SetAttributes) -> AttributeChange {
    AttributeChange {
        name: change.name,
        notification: change.notification_change.then_some(change.notification),
        access_list: change.access_list_change.then_some(change.access_list),
    }
}

fn check_key(key: &str) -> Result<(), Fault> {
    if key.chars().count() > LONGEST_KEY {
        return Err(Fault::arguments("the CommandKey has more than 32 characters"));
    }
    Ok(())
}
