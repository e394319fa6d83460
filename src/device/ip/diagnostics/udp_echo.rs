//! `Device.IP.Diagnostics.UDPEchoConfig.` and `UDPEchoDiagnostics.` (TR-143): the router answers UDP echo, and asks for it.

use std::net::IpAddr;

use crate::device::firewall::{EchoHole, let_udp_echo_in};
use crate::device::ip::interface::INTERFACES;
use crate::device::probe::{ADDRESS_USED, BLOCK, DSCP, HOST, PROTOCOL_VERSION, REPETITIONS, TIMEOUT, number, state};
use crate::error::Fault;
use crate::model::context::{Context, Row};
use crate::model::format::IP_ADDRESS;
use crate::model::schema::{Notification, Object, Parameter, Rows, Table, constant, count, fleeting, own, ro, rw};
use crate::model::value::{BOOLEAN, DATE_TIME, STRING, UNKNOWN_TIME, UNSIGNED_INT};

/// The object of the server.
pub const UDP_ECHO_CONFIG: &str = "Device.IP.Diagnostics.UDPEchoConfig.";

const CAN_DENY: Notification = Notification::CanDeny;

/// A counter of the server; the daemon keeps it.
const fn counter(name: &'static str) -> Parameter {
    number(name).notification(CAN_DENY)
}

/// TR-181 2.17 Device.IP.Diagnostics.UDPEchoConfig. The server is the daemon's; the firewall has a rule of its own for it.
pub static CONFIG: Object = Object::single(
    UDP_ECHO_CONFIG,
    &[
        rw("Enable", BOOLEAN, own("false")),
        rw("Interface", STRING.weak(&[]).lengths(&[(0, 256)]), own("")),
        // Nobody is answered as long as this is empty, or the port is 0.
        rw("SourceIPAddress", IP_ADDRESS, own("")),
        rw("UDPPort", UNSIGNED_INT.ranges(&[(0, 65_535)]), own("0")),
        rw("EchoPlusEnabled", BOOLEAN, own("false")),
        ro("EchoPlusSupported", BOOLEAN, constant("true")),
        counter("PacketsReceived"),
        counter("PacketsResponded"),
        counter("BytesReceived"),
        counter("BytesResponded"),
        ro("TimeFirstPacketReceived", DATE_TIME, fleeting(UNKNOWN_TIME)).notification(CAN_DENY),
        ro("TimeLastPacketReceived", DATE_TIME, fleeting(UNKNOWN_TIME)).notification(CAN_DENY),
    ],
)
.check(open_firewall);

/// TR-181 2.17 Device.IP.Diagnostics.UDPEchoDiagnostics.
pub static DIAGNOSTICS: Object = Object::single(
    "Device.IP.Diagnostics.UDPEchoDiagnostics.",
    &[
        state(&[
            "Requested",
            "Canceled",
            "None",
            "Complete",
            "Error_CannotResolveHostName",
            "Error_Internal",
            "Error_Other",
        ])
        .notification(CAN_DENY),
        rw("Interface", STRING.strong(&[INTERFACES]).lengths(&[(0, 256)]), own("")),
        rw("Host", HOST, own("")).notification(CAN_DENY),
        rw("Port", UNSIGNED_INT.ranges(&[(1, 65_535)]), own("7")).notification(CAN_DENY),
        rw("NumberOfRepetitions", REPETITIONS, own("1")).notification(CAN_DENY),
        rw("Timeout", TIMEOUT, own("5000")).notification(CAN_DENY),
        rw("DataBlockSize", BLOCK, own("24")).notification(CAN_DENY),
        DSCP.notification(CAN_DENY),
        rw("InterTransmissionTime", UNSIGNED_INT.ranges(&[(1, 65_535)]), own("1000")).notification(CAN_DENY),
        PROTOCOL_VERSION,
        ADDRESS_USED,
        number("SuccessCount"),
        number("FailureCount"),
        number("AverageResponseTime"),
        number("MinimumResponseTime"),
        number("MaximumResponseTime"),
        rw("EnableIndividualPacketResults", BOOLEAN, own("false")).notification(CAN_DENY),
        ro("IndividualPacketResultNumberOfEntries", UNSIGNED_INT, count("IndividualPacketResult")),
        ro("UDPEchoDiagnosticsMaxResults", UNSIGNED_INT.ranges(&[(1, i64::MAX)]), constant("100")),
    ],
);

/// TR-181 2.17 Device.IP.Diagnostics.UDPEchoDiagnostics.IndividualPacketResult.{i}.
pub static PACKET: Object = Object::table(
    "Device.IP.Diagnostics.UDPEchoDiagnostics.IndividualPacketResult.{i}.",
    Table::new(Rows::Fleeting),
    &[
        ro("PacketSuccess", BOOLEAN, fleeting("false")),
        ro("PacketSendTime", DATE_TIME, fleeting(UNKNOWN_TIME)),
        ro("PacketReceiveTime", DATE_TIME, fleeting(UNKNOWN_TIME)),
        number("TestGenSN"),
        number("TestRespSN"),
        number("TestRespRcvTimeStamp"),
        number("TestRespReplyTimeStamp"),
        number("TestRespReplyFailureCount"),
    ],
);

/// What the server is to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EchoWish {
    /// The name of the logical interface on which packets are heard; empty for all of them.
    pub interface: String,
    /// The only address that is answered.
    pub source: IpAddr,
    /// 1 to 65535
    pub port: u16,
    /// Whether the fields of UDPEchoPlus are filled in.
    pub plus: bool,
}

impl EchoWish {
    /// What the parameters say; nothing while the server is switched off, or not complete.
    #[must_use]
    pub fn read(cx: &mut Context) -> Option<Self> {
        let own = |cx: &Context, name: &str| cx.own(&format!("{UDP_ECHO_CONFIG}{name}")).unwrap_or_default();
        if own(cx, "Enable") != "true" {
            return None;
        }
        let source = own(cx, "SourceIPAddress").parse().ok()?;
        let port = own(cx, "UDPPort").parse().ok().filter(|port| *port > 0)?;
        let path = own(cx, "Interface");
        let interface = match path.as_str() {
            "" => path,
            path => {
                let row = cx.row_of_path(INTERFACES, path)?;
                cx.key(&row).ok()?
            }
        };
        Some(Self { interface, source, port, plus: own(cx, "EchoPlusEnabled") == "true" })
    }
}

/// Lets the packets of the one address that is answered through the firewall, as long as it is, and refuses a reference to anything but an
/// interface (TR-181 2.17 UDPEchoConfig.Interface).
fn open_firewall(cx: &mut Context, _: &Row) -> Result<(), (&'static str, Fault)> {
    let path = cx.own(&format!("{UDP_ECHO_CONFIG}Interface")).unwrap_or_default();
    if !path.is_empty() && cx.row_of_path(INTERFACES, &path).is_none() {
        return Err(("Interface", Fault::value(format!("{path} is no IP interface"))));
    }
    let wish = EchoWish::read(cx);
    let hole = wish.map(|wish| EchoHole { interface: wish.interface, source: wish.source, port: wish.port });
    let_udp_echo_in(cx, hole.as_ref()).map_err(|fault| ("Enable", fault))
}
