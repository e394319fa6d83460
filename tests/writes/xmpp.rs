//! XMPP connections, which the agent keeps itself.

use super::{Group, Write, write};

pub const GROUP: Group = Group {
    prepare: |_| {},
    add: &["Device.XMPP.Connection.", "Device.XMPP.Connection.1.Server."],
    writes: WRITES,
};

const WRITES: &[Write] = &[
    write("Device.XMPP.Connection.1.Username", "cpe", &[]),
    write("Device.XMPP.Connection.1.Password", "secret", &[]).reads(""),
    write("Device.XMPP.Connection.1.Domain", "xmpp.example", &[]),
    write("Device.XMPP.Connection.1.Resource", "router", &[]),
    write("Device.XMPP.Connection.1.ServerConnectAlgorithm", "ServerTable", &[]),
    write("Device.XMPP.Connection.1.KeepAliveInterval", "60", &[]),
    write("Device.XMPP.Connection.1.ServerConnectAttempts", "3", &[]),
    write("Device.XMPP.Connection.1.ServerRetryInitialInterval", "5", &[]),
    write("Device.XMPP.Connection.1.ServerRetryIntervalMultiplier", "1000", &[]),
    write("Device.XMPP.Connection.1.ServerRetryMaxInterval", "600", &[]),
    write("Device.XMPP.Connection.1.UseTLS", "true", &[]),
    write("Device.XMPP.Connection.1.Server.1.Priority", "1", &[]),
    write("Device.XMPP.Connection.1.Server.1.Weight", "5", &[]),
    write("Device.XMPP.Connection.1.Server.1.ServerAddress", "127.0.0.1", &[]),
    write("Device.XMPP.Connection.1.Server.1.Port", "9", &[]),
    write("Device.XMPP.Connection.1.Server.1.Enable", "true", &[]),
    write("Device.XMPP.Connection.1.Enable", "true", &[]),
    write("Device.ManagementServer.ConnReqAllowedJabberIDs", "acs@xmpp.example,acs@xmpp.example/one", &[]),
    write("Device.ManagementServer.ConnReqXMPPConnection", "Device.XMPP.Connection.1", &[]),
];
