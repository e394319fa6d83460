//! What the command line does with the data model, in the daemon or without one.

use serde::{Deserialize, Serialize};

use crate::cwmp::answers::Answers;
use crate::error::Fault;
use crate::model::Model;
use crate::model::context::Context;
use crate::model::transaction::{Assignment, Written};
use crate::model::tree::{Target, resolve};
use crate::soap::body::{Item, Items};

/// A command of the command line, one line of JSON on the control socket.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Command {
    /// Values.
    Get {
        /// Parameters and partial paths.
        names: Vec<String>,
    },
    /// New values, all or nothing.
    Set {
        /// Names with values.
        values: Vec<(String, String)>,
    },
    /// Names with access and type.
    Names {
        /// A partial path, a parameter, or nothing for all.
        path: String,
        /// Only what is directly below.
        next_level: bool,
    },
    /// A new row.
    Add {
        /// The table.
        object: String,
    },
    /// A row less.
    Del {
        /// The row.
        object: String,
    },
    /// A session now.
    Inform {
        /// The event that it carries.
        event: String,
    },
    /// The state of the daemon.
    Status,
    /// The messages of sessions as they happen.
    Trace,
}

/// A line of the answer to a [`Command`]; the last one is `Done` or `Failed`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reply {
    /// A parameter with its value.
    Value {
        /// The full name.
        name: String,
        /// The value; empty for a secret.
        value: String,
        /// The type, as in XML Schema.
        #[serde(rename = "type")]
        kind: String,
    },
    /// A name.
    Name {
        /// The full name of a parameter, or the path of an object.
        name: String,
        /// What the ACS may do: set it, add a row to it, delete it.
        writable: bool,
        /// The type, as in XML Schema, or `object`.
        #[serde(rename = "type")]
        kind: String,
    },
    /// A new row.
    Added {
        /// Its instance number.
        instance: u32,
    },
    /// The state of the daemon.
    Status(Box<super::status::Status>),
    /// A message.
    Message {
        /// With a line that says which way it goes.
        text: String,
    },
    /// Done.
    Done,
    /// Refused or failed.
    Failed {
        /// The fault code of CWMP where there is one.
        code: Option<u16>,
        /// Why, in one line.
        text: String,
    },
}

/// What a command has done to the model, with its answer still to be told.
pub enum Done {
    /// A command that only reads needs nothing but its own context: it goes on while others use the model.
    Read(Box<Context>),
    /// Something was written.
    Written(Written),
    /// A row was added.
    Added(u32, Written),
}

/// Carries out what a command does to the model.
///
/// # Errors
/// Why it was refused.
pub fn carry_out(model: &mut Model, command: &Command) -> Result<Done, Fault> {
    Ok(match command {
        Command::Get { .. } | Command::Names { .. } => Done::Read(Box::new(model.context())),
        Command::Set { values } => {
            let assignment =
                |(name, value): &(String, String)| Assignment { name: name.clone(), kind: None, value: value.clone() };
            let assignments: Vec<_> = values.iter().map(assignment).collect();
            Done::Written(model.set_values(&assignments, None)?)
        }
        Command::Add { object } => {
            let (instance, written) = model.add_object(object, None)?;
            Done::Added(instance, written)
        }
        Command::Del { object } => Done::Written(model.delete_object(object, None)?),
        Command::Inform { .. } | Command::Status | Command::Trace => {
            return Err(Fault::internal("the daemon is not running: start it with /etc/init.d/cwmpd start"));
        }
    })
}

impl Done {
    /// What was written, if anything.
    #[must_use]
    pub fn written(&self) -> Option<&Written> {
        match self {
            Self::Written(written) | Self::Added(_, written) => Some(written),
            Self::Read(_) => None,
        }
    }

    /// Tells the answer but for its last line. Instance numbers that were told are to be saved afterwards ([`Model::save`]).
    ///
    /// # Errors
    /// Why a command that reads was refused.
    pub fn tell(self, command: &Command, tell: &mut dyn FnMut(Reply)) -> Result<(), Fault> {
        match (self, command) {
            (Self::Read(context), Command::Get { names }) => tell_values(Answers::values(*context, names)?, tell),
            (Self::Read(context), Command::Names { path, next_level }) => {
                let mut types = context.again();
                tell_names(Answers::names(*context, path, *next_level)?, &mut types, tell);
            }
            (Self::Added(instance, _), _) => tell(Reply::Added { instance }),
            (Self::Written(_) | Self::Read(_), _) => {}
        }
        Ok(())
    }
}

fn tell_values(mut answers: Answers, tell: &mut dyn FnMut(Reply)) {
    while answers.next(&mut |item| {
        if let Item::Value { name, kind, value } = item {
            tell(Reply::Value { name: name.into(), value: value.into(), kind: kind.into() });
        }
    }) {}
}

fn tell_names(mut answers: Answers, types: &mut Context, tell: &mut dyn FnMut(Reply)) {
    while answers.next(&mut |item| {
        if let Item::Name { name, writable } = item {
            let kind = match resolve(types, name).as_deref() {
                Ok([Target::Parameter(_, _, parameter), ..]) => parameter.value.xsd(),
                _ => "object",
            };
            tell(Reply::Name { name: name.into(), writable, kind: kind.into() });
        }
    }) {}
}

/// A fault as the last line of an answer.
#[must_use]
pub fn failed(fault: &Fault) -> Reply {
    let mut text = fault.text.clone();
    for parameter in &fault.parameters {
        text = format!("{text}; {} {}: {}", parameter.code, parameter.name, parameter.text);
    }
    Reply::Failed { code: Some(fault.code.0), text }
}
