//! `Device.ManagementServer.InformParameter.{i}.`: what the ACS wants to see in every Inform (CONFORMANCE I-05).

use crate::error::Fault;
use crate::model::access::full_name;
use crate::model::alias::{in_brackets, parts};
use crate::model::context::{Context, Row};
use crate::model::format::PARAMETER_NAME;
use crate::model::schema::{Object, Rows, Table, alias, functional, own, rw};
use crate::model::value::{BOOLEAN, Format, STRING, is_number};

/// An event as an Inform has it, other than `4 VALUE CHANGE`, whose Inform carries what has changed.
const EVENT: Format = Format { name: "event code such as 2 PERIODIC, and not 4 VALUE CHANGE", check: is_event };

/// TR-181 2.17 Device.ManagementServer.InformParameter.{i}.
pub static INFORM_PARAMETER: Object = Object::table(
    "Device.ManagementServer.InformParameter.{i}.",
    Table::new(Rows::Own).writable(&[]).keys(&[functional(&["ParameterName"])]).enabled_by("Enable").at_most(64),
    &[
        rw("Enable", BOOLEAN, own("false")).default("false"),
        alias(),
        rw("ParameterName", STRING.lengths(&[(0, 256)]).format(PARAMETER_NAME), own("")).default(""),
        rw("EventList", STRING.format(EVENT).list(), own("")).default(""),
    ],
)
.check(check);

/// What every Inform carries anyway must not be named again.
fn check(cx: &mut Context, row: &Row) -> Result<(), (&'static str, Fault)> {
    let name = full_name(cx, row.node(), row, "ParameterName");
    let Some(name) = cx.own(&name) else { return Ok(()) };
    let (path, parameter) = name.rsplit_once('.').unwrap_or_default();
    // Instance numbers, aliases and wildcards do not matter to what the name means.
    let path: Vec<&str> =
        parts(path).filter(|part| *part != "*" && !is_number(part) && in_brackets(part).is_none()).collect();
    let schema = cx.schema().clone();
    let node = schema.find(&format!("{}.", path.join(".")));
    match node.and_then(|node| schema.node(node).parameter(parameter)) {
        Some(parameter) if parameter.forced_inform => {
            Err(("ParameterName", Fault::value("every Inform has this parameter already")))
        }
        _ => Ok(()),
    }
}

fn is_event(text: &str) -> bool {
    let Some((code, name)) = text.split_once(' ') else { return false };
    let named = !name.is_empty() && name.chars().all(|c| c.is_ascii_graphic() || c == ' ');
    let known = matches!(code, "M" | "X") || (code.len() <= 2 && code.bytes().all(|b| b.is_ascii_digit()));
    named && !code.is_empty() && known && code != "4"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i05_events_are_named_as_in_an_inform_and_value_change_is_not_taken() {
        for event in ["0 BOOTSTRAP", "6 CONNECTION REQUEST", "14 HEARTBEAT", "M Reboot", "X 00005E Something"] {
            assert!(is_event(event), "{event}");
        }
        for event in ["4 VALUE CHANGE", "BOOT", "", "1", "1 ", "123 X"] {
            assert!(!is_event(event), "{event}");
        }
    }
}
