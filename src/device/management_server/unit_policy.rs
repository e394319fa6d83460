//! `Device.ManagementServer.DUStateChangeComplPolicy.`: which changes of software modules that it has not asked for the ACS hears of.

use crate::model::schema::{Object, own, rw};
use crate::model::value::{BOOLEAN, STRING};

/// TR-181 2.17 Device.ManagementServer.DUStateChangeComplPolicy. What fails for somebody else leaves no trace, so there are only successes to tell.
pub static POLICY: Object = Object::single(
    "Device.ManagementServer.DUStateChangeComplPolicy.",
    &[
        rw("Enable", BOOLEAN, own("false")),
        rw("OperationTypeFilter", STRING.values(&["Install", "Update", "Uninstall"]).list(), own("")),
        rw("ResultTypeFilter", STRING.values(&["Success", "Failure", "Both"]), own("Both")),
        rw(
            "FaultCodeFilter",
            STRING
                .values(&[
                    "9001", "9003", "9012", "9013", "9015", "9016", "9017", "9018", "9022", "9023", "9024", "9025",
                    "9026", "9027", "9028", "9029", "9030", "9031", "9032",
                ])
                .list(),
            own(""),
        ),
    ],
);
