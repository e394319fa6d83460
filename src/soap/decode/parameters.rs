//! Inform and the RPCs on parameters and objects (TR-069a6 A.3.1, A.3.2.1 to A.3.2.7, A.3.3.1), Reboot and ScheduleInform.

use super::fields::{Decoder, Record, Step, local_name, missing, names};
use crate::soap::rpc::{
    DeviceId, Event, Inform, Message, ParameterAttribute, ParameterInfo, ParameterValue, SetAttributes, Value,
};
use crate::xml::reader::Element;

const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// Reads the message just opened when it is one of this group.
pub(super) fn message(d: &mut Decoder, name: &str) -> Step<Option<Message>> {
    Ok(Some(match name {
        "GetRPCMethodsResponse" => Message::GetRpcMethodsResponse(list(d, "MethodList", names)?),
        "SetParameterValues" => {
            let (mut list, mut record) = (None, Record::default());
            while let Some(element) = d.child()? {
                match element.local() {
                    "ParameterList" => list = Some(items(d, value)?),
                    _ => record.take(d, &element, &["ParameterKey"])?,
                }
            }
            Message::SetParameterValues {
                parameters: list.ok_or_else(|| missing("ParameterList"))?,
                parameter_key: record.optional("ParameterKey"),
            }
        }
        "SetParameterValuesResponse" => Message::SetParameterValuesResponse { status: status(d)? },
        "GetParameterValues" => Message::GetParameterValues { names: list(d, "ParameterNames", names)? },
        "GetParameterValuesResponse" => {
            Message::GetParameterValuesResponse(list(d, "ParameterList", |d| items(d, value))?)
        }
        "GetParameterNames" => {
            let mut record = d.record(&["ParameterPath", "NextLevel"])?;
            Message::GetParameterNames { path: record.name("ParameterPath")?, next_level: record.boolean("NextLevel")? }
        }
        "GetParameterNamesResponse" => {
            Message::GetParameterNamesResponse(list(d, "ParameterList", |d| items(d, info))?)
        }
        "SetParameterAttributes" => {
            Message::SetParameterAttributes(list(d, "ParameterList", |d| items(d, set_attributes))?)
        }
        "GetParameterAttributes" => Message::GetParameterAttributes { names: list(d, "ParameterNames", names)? },
        "GetParameterAttributesResponse" => {
            Message::GetParameterAttributesResponse(list(d, "ParameterList", |d| items(d, attributes))?)
        }
        "AddObject" => {
            let (object_name, parameter_key) = object(d)?;
            Message::AddObject { object_name, parameter_key }
        }
        "AddObjectResponse" => {
            let mut record = d.record(&["InstanceNumber", "Status"])?;
            Message::AddObjectResponse {
                instance_number: record.number("InstanceNumber")?,
                status: record.number("Status")?,
            }
        }
        "DeleteObject" => {
            let (object_name, parameter_key) = object(d)?;
            Message::DeleteObject { object_name, parameter_key }
        }
        "DeleteObjectResponse" => Message::DeleteObjectResponse { status: status(d)? },
        "Reboot" => Message::Reboot { command_key: d.record(&["CommandKey"])?.optional("CommandKey") },
        "ScheduleInform" => {
            let mut record = d.record(&["DelaySeconds", "CommandKey"])?;
            Message::ScheduleInform {
                delay_seconds: record.number("DelaySeconds")?,
                command_key: record.optional("CommandKey"),
            }
        }
        "Inform" => Message::Inform(Box::new(inform(d)?)),
        // Its only argument means nothing to the CPE, which always sends one envelope.
        "InformResponse" => {
            let max_envelopes = d.record(&["MaxEnvelopes"])?.number_or_zero("MaxEnvelopes").unwrap_or(0u32);
            Message::InformResponse { max_envelopes: max_envelopes.max(1) }
        }
        _ => return Ok(None),
    }))
}

/// The one list of a message; other children are passed over.
pub(super) fn list<T>(
    d: &mut Decoder,
    name: &'static str,
    read: impl Fn(&mut Decoder) -> Step<Vec<T>>,
) -> Step<Vec<T>> {
    let mut all = None;
    while let Some(element) = d.child()? {
        if element.local() == name && all.is_none() {
            all = Some(read(d)?);
        } else {
            d.skip()?;
        }
    }
    all.ok_or_else(|| missing(name))
}

/// The members of the array just opened. The array type is not looked at (CONFORMANCE X-07).
pub(super) fn items<T>(d: &mut Decoder, read: fn(&mut Decoder) -> Step<T>) -> Step<Vec<T>> {
    let mut all = Vec::new();
    while d.child()?.is_some() {
        all.push(read(d)?);
    }
    Ok(all)
}

fn value(d: &mut Decoder) -> Step<ParameterValue> {
    let (mut name, mut value) = (None, None);
    while let Some(element) = d.child()? {
        match element.local() {
            "Name" => name = Some(d.trimmed()?),
            "Value" => value = Some(Value { kind: kind(&element), text: d.text()? }),
            _ => d.skip()?,
        }
    }
    Ok(ParameterValue { name: name.ok_or_else(|| missing("Name"))?, value: value.ok_or_else(|| missing("Value"))? })
}

/// The type of a value (CONFORMANCE ): `xsi:type`, else an attribute `type` of any namespace. `null`, which some send for
/// a type that they do not know, is none.
pub(super) fn kind(element: &Element) -> Option<String> {
    let text = element.attribute(XSI, "type").or_else(|| element.any_attribute("type"))?;
    match local_name(text) {
        "" | "null" => None,
        "base64" => Some("base64Binary".to_owned()),
        kind => Some(kind.to_owned()),
    }
}

fn info(d: &mut Decoder) -> Step<ParameterInfo> {
    let mut record = d.record(&["Name", "Writable"])?;
    Ok(ParameterInfo { name: record.name("Name")?, writable: record.boolean("Writable")? })
}

fn set_attributes(d: &mut Decoder) -> Step<SetAttributes> {
    const FIELDS: &[&str] = &["Name", "NotificationChange", "Notification", "AccessListChange"];
    let (mut access_list, mut record) = (None, Record::default());
    while let Some(element) = d.child()? {
        match element.local() {
            "AccessList" => access_list = Some(names(d)?),
            _ => record.take(d, &element, FIELDS)?,
        }
    }
    let name = record.name("Name")?;
    let notification_change = record.boolean("NotificationChange")?;
    // GenieACS leaves the element empty when it does not count.
    let notification = if notification_change {
        record.number("Notification")?
    } else {
        record.number_or_zero("Notification").unwrap_or(0)
    };
    let access_list_change = record.boolean("AccessListChange")?;
    if access_list_change && access_list.is_none() {
        return Err(missing("AccessList"));
    }
    Ok(SetAttributes {
        name,
        notification_change,
        notification,
        access_list_change,
        access_list: access_list.unwrap_or_default(),
    })
}

fn attributes(d: &mut Decoder) -> Step<ParameterAttribute> {
    let (mut access_list, mut record) = (Vec::new(), Record::default());
    while let Some(element) = d.child()? {
        match element.local() {
            "AccessList" => access_list = names(d)?,
            _ => record.take(d, &element, &["Name", "Notification"])?,
        }
    }
    Ok(ParameterAttribute { name: record.name("Name")?, notification: record.number("Notification")?, access_list })
}

fn object(d: &mut Decoder) -> Step<(String, String)> {
    let mut record = d.record(&["ObjectName", "ParameterKey"])?;
    Ok((record.name("ObjectName")?, record.optional("ParameterKey")))
}

fn status(d: &mut Decoder) -> Step<u8> {
    d.record(&["Status"])?.number("Status")
}

fn inform(d: &mut Decoder) -> Step<Inform> {
    let (mut inform, mut record, mut device) = (Inform::default(), Record::default(), None);
    while let Some(element) = d.child()? {
        match element.local() {
            "DeviceId" => device = Some(d.record(&["Manufacturer", "OUI", "ProductClass", "SerialNumber"])?),
            "Event" => inform.events = items(d, event)?,
            "ParameterList" => inform.parameters = items(d, value)?,
            _ => record.take(d, &element, &["CurrentTime", "RetryCount"])?,
        }
    }
    let mut device = device.ok_or_else(|| missing("DeviceId"))?;
    inform.device_id = DeviceId {
        manufacturer: device.optional("Manufacturer"),
        oui: device.optional("OUI"),
        product_class: device.optional("ProductClass"),
        serial_number: device.string("SerialNumber")?,
    };
    inform.current_time = record.optional("CurrentTime");
    inform.retry_count = record.number_or_zero("RetryCount")?;
    Ok(inform)
}

fn event(d: &mut Decoder) -> Step<Event> {
    let mut record = d.record(&["EventCode", "CommandKey"])?;
    Ok(Event { code: record.name("EventCode")?, command_key: record.optional("CommandKey") })
}
