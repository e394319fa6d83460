//! The two kinds of things that go wrong: a [`Fault`] is told to the ACS, an [`Error`] to the person who runs the router.

use std::fmt;
use std::io;
use std::ops::Deref;

/// A fault code of TR-069a6 A.5: 9000 to 9032 and 9800 to 9899 from the CPE, 8000 to 8006 and 8800 to 8899 from the ACS.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FaultCode(pub u16);

impl FaultCode {
    /// The RPC is not supported.
    pub const METHOD_NOT_SUPPORTED: Self = Self(9000);
    /// The request is refused without a further reason.
    pub const REQUEST_DENIED: Self = Self(9001);
    /// Something failed inside the CPE.
    pub const INTERNAL_ERROR: Self = Self(9002);
    /// The arguments of the RPC are wrong.
    pub const INVALID_ARGUMENTS: Self = Self(9003);
    /// A table, a queue or the memory is full.
    pub const RESOURCES_EXCEEDED: Self = Self(9004);
    /// No parameter or object has this name.
    pub const INVALID_PARAMETER_NAME: Self = Self(9005);
    /// The value is not of the parameter's type.
    pub const INVALID_PARAMETER_TYPE: Self = Self(9006);
    /// The value is outside what the parameter takes.
    pub const INVALID_PARAMETER_VALUE: Self = Self(9007);
    /// The parameter is read-only.
    pub const NON_WRITABLE_PARAMETER: Self = Self(9008);
    /// Active notification is refused for this parameter.
    pub const NOTIFICATION_REQUEST_REJECTED: Self = Self(9009);
    /// ACS: the request should be sent again.
    pub const RETRY_REQUEST: Self = Self(8005);
    /// ACS: it does not speak this version of CWMP.
    pub const UNSUPPORTED_CWMP_VERSION: Self = Self(8006);

    /// Whether the SOAP fault says that the sender of the request is to blame (CONFORMANCE X-20).
    #[must_use]
    pub fn is_client(self) -> bool {
        matches!(self.0, 9003 | 9005..=9008 | 9021 | 9022 | 9026 | 9028..=9030 | 9032)
    }

    /// The usual text for this code.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self.0 {
            9000 => "Method not supported",
            9001 => "Request denied",
            9002 => "Internal error",
            9003 => "Invalid arguments",
            9004 => "Resources exceeded",
            9005 => "Invalid parameter name",
            9006 => "Invalid parameter type",
            9007 => "Invalid parameter value",
            9008 => "Attempt to set a non-writable parameter",
            9009 => "Notification request rejected",
            9010 => "File transfer failure",
            9011 => "Upload failure",
            9012 => "File transfer server authentication failure",
            9013 => "Unsupported protocol for file transfer",
            9014 => "File transfer failure: unable to join multicast group",
            9015 => "File transfer failure: unable to contact file server",
            9016 => "File transfer failure: unable to access file",
            9017 => "File transfer failure: unable to complete download",
            9018 => "File transfer failure: file corrupted",
            9019 => "File transfer failure: file authentication failure",
            9020 => "File transfer failure: unable to complete download within specified time windows",
            9021 => "Cancelation of file transfer not permitted",
            8000 => "Method not supported by the ACS",
            8001 => "Request denied by the ACS",
            8002 => "Internal error of the ACS",
            8003 => "Invalid arguments to the ACS",
            8004 => "Resources of the ACS exceeded",
            8005 => "Retry request",
            8006 => "CWMP version not supported by the ACS",
            _ => "Fault",
        }
    }
}

impl fmt::Display for FaultCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What the ACS is told when a request cannot be carried out (TR-069a6 A.5).
///
/// It is one pointer wide, because it stands in the result of nearly every function of the data model, and moving a wide one through every
/// `?` was a third of the program. Its parts are read through it: `fault.code`, `fault.text`.
pub struct Fault(Box<Cause>);

/// What a [`Fault`] and an [`Error`] point to: the same, so that a `?` that makes a fault of an error, of which nearly every function of the data
/// model has several, takes no code at all.
#[derive(Debug)]
struct Cause {
    parts: FaultParts,
    /// What the operating system said, where a file, socket or program could not be used.
    os: Option<io::Error>,
}

/// What a [`Fault`] says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FaultParts {
    /// The CWMP fault code.
    pub code: FaultCode,
    /// A text for a person at the ACS; never a secret.
    pub text: String,
    /// Every bad entry of a SetParameterValues, in the order of the request; empty for all other RPCs.
    pub parameters: Vec<ParameterFault>,
}

impl Deref for Fault {
    type Target = FaultParts;

    fn deref(&self) -> &FaultParts {
        &self.0.parts
    }
}

impl Clone for Fault {
    fn clone(&self) -> Self {
        self.0.parts.clone().into()
    }
}

impl PartialEq for Fault {
    fn eq(&self, other: &Self) -> bool {
        self.0.parts == other.0.parts
    }
}

impl Eq for Fault {}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.parts.fmt(f)
    }
}

impl From<FaultParts> for Fault {
    fn from(parts: FaultParts) -> Self {
        Self(Box::new(Cause { parts, os: None }))
    }
}

/// One `SetParameterValuesFault` (TR-069a6 A.5).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ParameterFault {
    /// ParameterName, spelled as in the request.
    pub name: String,
    /// Why this parameter could not be set.
    pub code: FaultCode,
    /// A text for a person at the ACS; never a secret.
    pub text: String,
}

impl Fault {
    /// A fault with a text of its own.
    #[must_use]
    pub fn new(code: FaultCode, text: impl Into<String>) -> Self {
        FaultParts { code, text: text.into(), parameters: Vec::new() }.into()
    }

    /// What it says, to be taken apart.
    #[must_use]
    pub fn into_parts(self) -> FaultParts {
        self.0.parts
    }

    /// Its text alone.
    #[must_use]
    pub fn into_text(self) -> String {
        self.0.parts.text
    }

    /// The same as the fault of one parameter, with the name as it was sent.
    #[must_use]
    pub fn of(self, name: String) -> ParameterFault {
        let FaultParts { code, text, .. } = self.0.parts;
        ParameterFault { name, code, text }
    }

    /// The same with every bad entry of a SetParameterValues.
    #[must_use]
    pub fn with_parameters(mut self, parameters: Vec<ParameterFault>) -> Self {
        self.0.parts.parameters = parameters;
        self
    }

    /// 9002 with the reason.
    #[must_use]
    pub fn internal(text: impl Into<String>) -> Self {
        Self::new(FaultCode::INTERNAL_ERROR, text)
    }

    /// 9003 with the reason.
    #[must_use]
    pub fn arguments(text: impl Into<String>) -> Self {
        Self::new(FaultCode::INVALID_ARGUMENTS, text)
    }

    /// 9005 with the name that nothing has.
    #[must_use]
    pub fn name(name: &str) -> Self {
        Self::new(FaultCode::INVALID_PARAMETER_NAME, format!("no such parameter or object: {name}"))
    }

    /// 9007 with the reason.
    #[must_use]
    pub fn value(text: impl Into<String>) -> Self {
        Self::new(FaultCode::INVALID_PARAMETER_VALUE, text)
    }
}

impl From<FaultCode> for Fault {
    fn from(code: FaultCode) -> Self {
        Self::new(code, code.text())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.text)?;
        for parameter in &self.parameters {
            write!(f, "; {} {}: {}", parameter.code, parameter.name, parameter.text)?;
        }
        Ok(())
    }
}

impl std::error::Error for Fault {}

/// A failure that concerns the router and not a request of the ACS. Its text says what was tried and, where it is known, what to do.
///
/// One pointer wide, for the reason that [`Fault`] is.
pub struct Error(Box<Cause>);

impl Error {
    fn new(text: String, os: Option<io::Error>) -> Self {
        Self(Box::new(Cause {
            parts: FaultParts { code: FaultCode::INTERNAL_ERROR, text, parameters: Vec::new() },
            os,
        }))
    }

    /// Wraps an operating system error with what was being done, such as `read /etc/config/network`.
    pub fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |error| Self::new(format!("cannot {what}: {error}"), Some(error))
    }

    /// A configuration or model file is wrong. Lines count from 1; 0 where the line is not known.
    #[must_use]
    pub fn file(path: String, line: usize, reason: String) -> Self {
        let text = match line {
            0 => format!("{path}: {reason}"),
            _ => format!("{path}:{line}: {reason}"),
        };
        Self::new(text, None)
    }

    /// An error with just a text, in one line.
    #[must_use]
    pub fn other(text: impl Into<String>) -> Self {
        Self::new(text.into(), None)
    }

    /// What the operating system said, where a file, socket or program could not be used.
    #[must_use]
    pub fn os(&self) -> Option<&io::Error> {
        self.0.os.as_ref()
    }

    /// Whether something did not end in its time.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        self.os().is_some_and(|error| error.kind() == io::ErrorKind::TimedOut)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.parts.text)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.os().map(|error| error as _)
    }
}

/// An internal error is 9002 to the ACS (TR-069a6 A.5.1).
impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self(error.0)
    }
}

/// The result of anything that concerns the router.
pub type Result<T, E = Error> = std::result::Result<T, E>;
