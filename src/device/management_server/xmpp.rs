//! The parameters of `Device.ManagementServer.` for connection requests over XMPP (TR-069a6 Annex K; CONFORMANCE K-01 to K-04).

use crate::device::xmpp::CONNECTION;
use crate::error::Result;
use crate::model::context::{Context, Row};
use crate::model::schema::{Notification, Object, Text, get, own, ro, rw};
use crate::model::value::STRING;

/// TR-181 2.17 Device.ManagementServer., what XMPP adds to it.
pub static XMPP: Object = Object::single(
    "Device.ManagementServer.",
    &[
        rw("ConnReqXMPPConnection", STRING.strong(&[CONNECTION]), own("")),
        // Everybody may ask as long as this is empty.
        rw("ConnReqAllowedJabberIDs", STRING.lengths(&[(0, 256)]).list_within((0, 32), u32::MAX), own("")),
        ro("ConnReqJabberID", STRING, get(jabber_id)).notification(Notification::ForceDefaultEnabled),
    ],
);

/// ConnReqXMPPConnection as it is stored: the path of the connection that connection requests come over.
pub fn reference(cx: &Context) -> String {
    cx.own("Device.ManagementServer.ConnReqXMPPConnection").unwrap_or_default()
}

/// The JID of that connection, which it keeps while it is being made again (CONFORMANCE K-04).
fn jabber_id(cx: &mut Context, _: &Row) -> Result<Text> {
    let path = reference(cx);
    let enabled = cx.own(&format!("{path}.Enable")).is_some_and(|enable| enable == "true");
    let jid = cx.own(&format!("{path}.JabberID")).filter(|_| enabled);
    Ok(jid.map_or(Text::Borrowed(""), Text::Owned))
}
