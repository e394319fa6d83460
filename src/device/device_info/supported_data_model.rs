//! `Device.DeviceInfo.SupportedDataModel.{i}.`: the one data model that there is.

use crate::model::format::UUID;
use crate::model::schema::{Object, Rows, Table, alias, always, constant, ro};
use crate::model::value::STRING;

/// TR-181 2.17 Device.DeviceInfo.SupportedDataModel.{i}.
pub static SUPPORTED_DATA_MODEL: Object = Object::table(
    "Device.DeviceInfo.SupportedDataModel.{i}.",
    Table::new(Rows::Keys(|_, _| Ok(vec![String::from("tr-181")]))).keys(&[always(&["URL"]), always(&["UUID"])]),
    &[
        alias(),
        ro(
            "URL",
            STRING.lengths(&[(0, 2048)]),
            constant("https://www.broadband-forum.org/cwmp/tr-181-2-17-0-cwmp.xml"),
        ),
        // The UUID of that URL (RFC 9562 5.5), so that it is the same on every router.
        ro("UUID", STRING.lengths(&[(36, 36)]).format(UUID), constant("5491f3a8-5ddf-5daf-af16-51848cd64b08")),
        ro("URN", STRING.lengths(&[(0, 256)]), constant("urn:broadband-forum-org:tr-181-2-17-0")),
        ro("Features", STRING.list(), constant("DNSClient,DNSServer,Firewall,IPv6,NAT,Router,Wireless")),
    ],
);
