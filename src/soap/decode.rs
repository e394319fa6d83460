//! From the bytes of a peer to an [`Envelope`] (TR-069a6 3.5; CONFORMANCE ).
//!
//! Names are told apart by namespace and local name, never by prefix. What real ACSs do is taken where its meaning is clear: children
//! of an RPC in any order, qualified or not; array types that are missing or wrong; elements that nobody knows; white space around
//! names and numbers. What a request cannot do without is an error that names it, so that it can be answered with fault 9003.

mod fields;
mod parameters;
mod transfers;
mod units;

use std::fmt;

use self::fields::{Decoder, Failure, Step};
use super::ENVELOPE;
use super::rpc::{Envelope, Header, Message, Namespace, SoapFault};
use crate::error::{Fault, FaultCode, ParameterFault};
use crate::xml::reader::{self, Element, Event, Reader};

/// The actor that every receiver is.
const ACTOR_NEXT: &str = "http://schemas.xmlsoap.org/soap/actor/next";

/// Why a message could not be taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DecodeError {
    /// What is wrong with it.
    pub kind: ErrorKind,
    /// The `cwmp:ID` of the message, when reading got that far.
    pub id: Option<String>,
}

/// The kinds of [`DecodeError`]. No text quotes a value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ErrorKind {
    /// Not well-formed, not allowed or too large; the text says where and why (CONFORMANCE ).
    NotXml(String),
    /// The fault that GenieACS sends, whose element has two colons in its name: to be taken as "method not supported" (INTEROP 13).
    MalformedFault,
    /// XML, but no SOAP envelope with a body; the text says what is there instead.
    NoEnvelope(String),
    /// An envelope of another version of SOAP, with its namespace.
    EnvelopeVersion(String),
    /// A header block that has to be understood and is not known: its local name (CONFORMANCE X-11). Not that of a response or fault, which
    /// is one with [`Arguments`](Self::Arguments) that are no good.
    MustUnderstand(String),
    /// An argument is missing or is not of its type. To a request the answer is fault 9003.
    Arguments {
        /// The local name of the message.
        method: String,
        /// Which argument, and what is wrong with it.
        reason: String,
    },
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ErrorKind::NotXml(reason) => write!(f, "not well-formed: {reason}"),
            ErrorKind::MalformedFault => f.write_str("a fault that is not well-formed"),
            ErrorKind::NoEnvelope(reason) => write!(f, "no SOAP envelope: {reason}"),
            ErrorKind::EnvelopeVersion(uri) => write!(f, "envelope of another SOAP version: {uri}"),
            ErrorKind::MustUnderstand(name) => write!(f, "header {name} has to be understood and is not known"),
            ErrorKind::Arguments { method, reason } => write!(f, "{method}: {reason}"),
        }
    }
}

impl std::error::Error for DecodeError {}

/// Reads a message of at most `limit` bytes.
///
/// # Errors
/// See [`ErrorKind`].
pub fn decode(bytes: &[u8], limit: usize) -> Result<Envelope, DecodeError> {
    let mut document = Document::default();
    match Reader::new(bytes, limit).map_err(Failure::from).and_then(|reader| document.read(&mut Decoder::new(reader))) {
        Ok(()) => {}
        Err(Failure::Xml(_)) if document.in_body && bytes.windows(12).any(|part| part == b":Body:Fault>") => {
            return Err(document.error(ErrorKind::MalformedFault));
        }
        Err(Failure::Xml(error)) => return Err(document.error(ErrorKind::NotXml(error.to_string()))),
        Err(Failure::Envelope(kind)) => return Err(document.error(kind)),
        Err(Failure::Arguments(reason)) => {
            let method = std::mem::take(&mut document.method);
            return Err(document.error(ErrorKind::Arguments { method, reason }));
        }
    }
    if let Some(name) = document.not_understood.take() {
        let method = std::mem::take(&mut document.method);
        // What is an answer itself gets none, not even this one (CONFORMANCE X-13).
        let kind = if method.ends_with("Response") || method == "Fault" {
            ErrorKind::Arguments { method, reason: format!("header {name} has to be understood and is not known") }
        } else {
            ErrorKind::MustUnderstand(name)
        };
        return Err(document.error(kind));
    }
    Ok(Envelope {
        namespace: document.namespace.or(document.declared).unwrap_or(Namespace::Cwmp10),
        header: document.header,
        body: document.body,
    })
}

/// What is known of a message while it is read.
#[derive(Default)]
struct Document {
    header: Header,
    not_understood: Option<String>,
    /// The namespace of the message, else that of a header block.
    namespace: Option<Namespace>,
    /// A namespace that the envelope declares; used when nothing is in it.
    declared: Option<Namespace>,
    in_body: bool,
    method: String,
    body: Option<Message>,
}

impl Document {
    fn error(self, kind: ErrorKind) -> DecodeError {
        DecodeError { kind, id: self.header.id }
    }

    fn read(&mut self, d: &mut Decoder) -> Step<()> {
        let root = d.root()?;
        let complaint = match root.namespace() {
            Some(ENVELOPE) if root.local() == "Envelope" => None,
            Some(uri) if root.local() == "Envelope" => Some(ErrorKind::EnvelopeVersion(uri.to_owned())),
            _ => Some(ErrorKind::NoEnvelope(format!("the root element is {}", root.local()))),
        };
        if let Some(kind) = complaint {
            return Err(Failure::Envelope(kind));
        }
        self.declared = Namespace::ALL.into_iter().rev().find(|namespace| root.declares(namespace.uri()));
        let mut seen_body = false;
        let mut result = Ok(());
        while let Some(part) = d.child()? {
            match part.local() {
                "Header" => self.read_header(d)?,
                "Body" if !seen_body && part.namespace().is_none_or(|uri| uri == ENVELOPE) => {
                    seen_body = true;
                    self.in_body = true;
                    result = self.read_body(d);
                    if result.is_err() {
                        break;
                    }
                    self.in_body = false;
                }
                _ => d.skip()?,
            }
        }
        // Bad arguments only count when the document is sound to its end.
        if !matches!(result, Err(Failure::Xml(_))) {
            d.finish()?;
        }
        if result.is_ok() && !seen_body {
            return Err(Failure::Envelope(ErrorKind::NoEnvelope("no Body".to_owned())));
        }
        result
    }

    fn read_header(&mut self, d: &mut Decoder) -> Step<()> {
        while let Some(block) = d.child()? {
            let namespace = block.namespace().and_then(Namespace::from_uri);
            let known = namespace.is_some() || block.namespace().is_none();
            match block.local() {
                "ID" if known => {
                    self.namespace = self.namespace.or(namespace);
                    self.header.id = Some(d.text()?);
                }
                "HoldRequests" if known => self.header.hold_requests = fields::boolean(&d.text()?).unwrap_or(false),
                // Obsolete (CONFORMANCE X-10).
                "NoMoreRequests" if known => d.skip()?,
                "SessionTimeout" if known => self.header.session_timeout = d.text()?.trim().parse().ok(),
                "SupportedCWMPVersions" if known => self.header.supported_versions = Some(d.trimmed()?),
                "UseCWMPVersion" if known => self.header.use_version = Some(d.trimmed()?),
                name => {
                    if must_understand(&block) {
                        self.not_understood.get_or_insert_with(|| name.to_owned());
                    }
                    d.skip()?;
                }
            }
        }
        Ok(())
    }

    fn read_body(&mut self, d: &mut Decoder) -> Step<()> {
        while let Some(element) = d.child()? {
            if self.body.is_some() {
                d.skip()?;
                continue;
            }
            if self.method.is_empty() {
                self.method = element.local().to_owned();
            }
            if self.not_understood.is_some() {
                d.skip()?;
                continue;
            }
            let uri = element.namespace();
            let namespace = uri.and_then(Namespace::from_uri);
            self.namespace = namespace.or(self.namespace);
            self.body = Some(if element.local() == "Fault" && (uri.is_none() || uri == Some(ENVELOPE)) {
                Message::Fault(self.soap_fault(d)?)
            } else if namespace.is_some() || uri.is_none() {
                message(d, element.local())?
            } else {
                d.skip()?;
                Message::Unknown(element.local().to_owned())
            });
        }
        Ok(())
    }

    /// TR-069a6 3.5, CONFORMANCE X-12.
    fn soap_fault(&mut self, d: &mut Decoder) -> Step<SoapFault> {
        let (mut code, mut string, mut cwmp) = (String::new(), String::new(), None);
        while let Some(element) = d.child()? {
            match element.local() {
                "faultcode" => code = fields::local_name(&d.text()?).to_owned(),
                "faultstring" => string = d.text()?,
                "detail" => {
                    while let Some(inner) = d.child()? {
                        if inner.local() == "Fault" && cwmp.is_none() {
                            self.namespace = inner.namespace().and_then(Namespace::from_uri).or(self.namespace);
                            cwmp = cwmp_fault(d)?;
                        } else {
                            d.skip()?;
                        }
                    }
                }
                _ => d.skip()?,
            }
        }
        Ok(cwmp.map_or_else(|| SoapFault::Plain(code, string), SoapFault::Cwmp))
    }
}

/// Whether a header block has to be understood, by us (SOAP 1.1 4.2.3; the prefix is free).
fn must_understand(block: &Element) -> bool {
    let demanded = block.attribute(ENVELOPE, "mustUnderstand").and_then(fields::boolean).unwrap_or(false);
    demanded && block.attribute(ENVELOPE, "actor").is_none_or(|actor| actor.is_empty() || actor == ACTOR_NEXT)
}

/// The `cwmp:Fault` just opened; `None` when its code is no number.
fn cwmp_fault(d: &mut Decoder) -> Step<Option<Fault>> {
    let (mut code, mut text, mut parameters) = (None, String::new(), Vec::new());
    while let Some(element) = d.child()? {
        match element.local() {
            "FaultCode" => code = d.text()?.trim().parse().ok(),
            "FaultString" => text = d.text()?,
            "SetParameterValuesFault" => {
                let mut record = d.record(&["ParameterName", "FaultCode", "FaultString"])?;
                parameters.push(ParameterFault {
                    name: record.name("ParameterName")?,
                    code: FaultCode(record.number("FaultCode")?),
                    text: record.optional("FaultString"),
                });
            }
            _ => d.skip()?,
        }
    }
    Ok(code.map(|code| Fault::new(FaultCode(code), text).with_parameters(parameters)))
}

/// The message whose element was just opened, by its local name.
fn message(d: &mut Decoder, name: &str) -> Step<Message> {
    if let Some(message) = parameters::message(d, name)? {
        return Ok(message);
    }
    if let Some(message) = transfers::message(d, name)? {
        return Ok(message);
    }
    if let Some(message) = units::message(d, name)? {
        return Ok(message);
    }
    let empty = match name {
        // Some put the CWMP fault straight into the body.
        "Fault" => {
            let fault = cwmp_fault(d)?.ok_or_else(|| Failure::Arguments("FaultCode is missing".to_owned()))?;
            return Ok(Message::Fault(SoapFault::Cwmp(fault)));
        }
        "GetRPCMethods" => Message::GetRpcMethods,
        "SetParameterAttributesResponse" => Message::SetParameterAttributesResponse,
        "RebootResponse" => Message::RebootResponse,
        "FactoryReset" => Message::FactoryReset,
        "FactoryResetResponse" => Message::FactoryResetResponse,
        "ScheduleInformResponse" => Message::ScheduleInformResponse,
        "ScheduleDownloadResponse" => Message::ScheduleDownloadResponse,
        "CancelTransferResponse" => Message::CancelTransferResponse,
        "GetQueuedTransfers" => Message::GetQueuedTransfers,
        "GetAllQueuedTransfers" => Message::GetAllQueuedTransfers,
        "ChangeDUStateResponse" => Message::ChangeDuStateResponse,
        "SetVouchersResponse" => Message::SetVouchersResponse,
        "GetOptionsResponse" => Message::GetOptionsResponse,
        "TransferCompleteResponse" => Message::TransferCompleteResponse,
        "AutonomousTransferCompleteResponse" => Message::AutonomousTransferCompleteResponse,
        "RequestDownloadResponse" => Message::RequestDownloadResponse,
        "DUStateChangeCompleteResponse" => Message::DuStateChangeCompleteResponse,
        "AutonomousDUStateChangeCompleteResponse" => Message::AutonomousDuStateChangeCompleteResponse,
        _ => Message::Unknown(name.to_owned()),
    };
    d.skip()?;
    Ok(empty)
}

impl From<reader::Error> for Failure {
    fn from(error: reader::Error) -> Self {
        Self::Xml(error)
    }
}

impl Decoder<'_> {
    /// The root element; there always is one or an error.
    fn root(&mut self) -> Step<Element> {
        match self.next()? {
            Event::Start(element) => Ok(element),
            _ => Err(Failure::Envelope(ErrorKind::NoEnvelope("no element".to_owned()))),
        }
    }
}
