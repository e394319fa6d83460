//! The RPCs on deployment units (TR-069a6 A.4.1.10, A.4.2.3, A.4.2.4).
//!
//! The schema makes each operation and each result an element `Operations` or `Results` of its own, the kind of operation being its
//! `xsi:type`. Many treat them as arrays instead, with the structures as members; both are read.

use super::fields::{Decoder, Failure, Record, Step, missing};
use super::parameters::kind;
use super::transfers::fault_struct;
use crate::soap::rpc::{DuOperation, DuResult, Message};
use crate::xml::reader::Element;

/// Reads the message just opened when it is one of this group.
pub(super) fn message(d: &mut Decoder, name: &str) -> Step<Option<Message>> {
    let mut record = Record::default();
    Ok(Some(match name {
        "ChangeDUState" => {
            let (mut operations, mut seen) = (Vec::new(), false);
            while let Some(element) = d.child()? {
                match element.local() {
                    "Operations" => {
                        seen = true;
                        read_operations(d, &element, &mut operations)?;
                    }
                    _ => record.take(d, &element, &["CommandKey"])?,
                }
            }
            if !seen {
                return Err(missing("Operations"));
            }
            Message::ChangeDuState { operations, command_key: record.optional("CommandKey") }
        }
        "DUStateChangeComplete" | "AutonomousDUStateChangeComplete" => {
            let mut results = Vec::new();
            while let Some(element) = d.child()? {
                match element.local() {
                    "Results" => read_results(d, &mut results)?,
                    _ => record.take(d, &element, &["CommandKey"])?,
                }
            }
            if name == "DUStateChangeComplete" {
                Message::DuStateChangeComplete { results, command_key: record.optional("CommandKey") }
            } else {
                Message::AutonomousDuStateChangeComplete { results }
            }
        }
        _ => return Ok(None),
    }))
}

const OPERATION: &[&str] = &["URL", "UUID", "Username", "Password", "ExecutionEnvRef", "Version"];

/// One `Operations` element: itself an operation, or an array of them.
fn read_operations(d: &mut Decoder, element: &Element, all: &mut Vec<DuOperation>) -> Step<()> {
    let mut own = Record::default();
    let mut members = false;
    while let Some(child) = d.child()? {
        if child.local().ends_with("OpStruct") {
            members = true;
            let record = d.record(OPERATION)?;
            all.push(operation(child.local(), record)?);
        } else {
            own.take(d, &child, OPERATION)?;
        }
    }
    match kind(element) {
        Some(kind) if !members && kind.ends_with("OpStruct") => all.push(operation(&kind, own)?),
        _ if !members && !own.is_empty() => return Err(missing("the type of Operations")),
        _ => {}
    }
    Ok(())
}

fn operation(kind: &str, mut record: Record) -> Step<DuOperation> {
    Ok(match kind {
        "InstallOpStruct" => DuOperation::Install {
            url: record.name("URL")?,
            uuid: record.optional("UUID"),
            username: record.optional("Username"),
            password: record.optional("Password"),
            exec_env: record.optional("ExecutionEnvRef"),
        },
        "UpdateOpStruct" => DuOperation::Update {
            uuid: record.optional("UUID"),
            version: record.optional("Version"),
            url: record.optional("URL"),
            username: record.optional("Username"),
            password: record.optional("Password"),
        },
        "UninstallOpStruct" => DuOperation::Uninstall {
            uuid: record.string("UUID")?,
            version: record.optional("Version"),
            exec_env: record.optional("ExecutionEnvRef"),
        },
        _ => return Err(Failure::Arguments("an operation of unknown type".to_owned())),
    })
}

const RESULT: &[&str] = &[
    "UUID",
    "DeploymentUnitRef",
    "Version",
    "CurrentState",
    "Resolved",
    "ExecutionUnitRefList",
    "StartTime",
    "CompleteTime",
    "OperationPerformed",
];

/// One `Results` element: itself a result, or an array of them.
fn read_results(d: &mut Decoder, all: &mut Vec<DuResult>) -> Step<()> {
    let (mut own, mut fault, mut members) = (Record::default(), None, false);
    while let Some(child) = d.child()? {
        match child.local() {
            "OpResultStruct" | "AutonOpResultStruct" => {
                members = true;
                let (mut record, mut fault) = (Record::default(), None);
                while let Some(field) = d.child()? {
                    match field.local() {
                        "Fault" => fault = Some(fault_struct(d)?),
                        _ => record.take(d, &field, RESULT)?,
                    }
                }
                all.push(result(record, fault)?);
            }
            "Fault" => fault = Some(fault_struct(d)?),
            _ => own.take(d, &child, RESULT)?,
        }
    }
    if !members && !own.is_empty() {
        all.push(result(own, fault)?);
    }
    Ok(())
}

fn result(mut record: Record, fault: Option<(u16, String)>) -> Step<DuResult> {
    let (fault_code, fault_string) = fault.ok_or_else(|| missing("Fault"))?;
    Ok(DuResult {
        uuid: record.string("UUID")?,
        deployment_unit: record.optional("DeploymentUnitRef"),
        version: record.optional("Version"),
        state: record.name("CurrentState")?,
        resolved: record.boolean("Resolved")?,
        execution_units: record.optional("ExecutionUnitRefList"),
        start_time: record.optional("StartTime"),
        complete_time: record.optional("CompleteTime"),
        fault_code,
        fault_string,
        operation: record.optional("OperationPerformed"),
    })
}
