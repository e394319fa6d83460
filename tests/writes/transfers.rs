//! What the ACS wants to hear of transfers that it has not asked for. The agent keeps it itself.

use super::{Group, Write, write};

pub const GROUP: Group = Group { prepare: |_| {}, add: &[], writes: WRITES };

const WRITES: &[Write] = &[
    write("Device.ManagementServer.AutonomousTransferCompletePolicy.Enable", "true", &[]),
    write("Device.ManagementServer.AutonomousTransferCompletePolicy.TransferTypeFilter", "Upload", &[]),
    write("Device.ManagementServer.AutonomousTransferCompletePolicy.ResultTypeFilter", "Failure", &[]),
    write(
        "Device.ManagementServer.AutonomousTransferCompletePolicy.FileTypeFilter",
        "1 Firmware Upgrade Image,X 00005E Splash Screen",
        &[],
    ),
    write("Device.ManagementServer.DUStateChangeComplPolicy.Enable", "true", &[]),
    write("Device.ManagementServer.DUStateChangeComplPolicy.OperationTypeFilter", "Install,Update", &[]),
    write("Device.ManagementServer.DUStateChangeComplPolicy.ResultTypeFilter", "Success", &[]),
    write("Device.ManagementServer.DUStateChangeComplPolicy.FaultCodeFilter", "9001,9016", &[]),
];
