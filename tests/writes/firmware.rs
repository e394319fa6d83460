//! A board with two images.

use super::common::images;
use super::{Group, Write, write};

pub const GROUP: Group = Group { prepare: images::install, add: &[], writes: WRITES };

const WRITES: &[Write] = &[
    write("Device.DeviceInfo.FirmwareImage.2.Available", "false", &[]),
    write("Device.DeviceInfo.FirmwareImage.2.Available", "true", &[]),
    write("Device.DeviceInfo.BootFirmwareImage", "Device.DeviceInfo.FirmwareImage.2", &[]),
    write("Device.DeviceInfo.BootFirmwareImage", "Device.DeviceInfo.FirmwareImage.1", &[]),
];
