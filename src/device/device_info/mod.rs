//! `Device.DeviceInfo.`: who the device is, and how it is.

mod files;
mod firmware_image;
pub(super) mod memory;
mod network_properties;
mod process;
mod supported_data_model;
mod temperature;

use std::rc::Rc;

use crate::error::Result;
use crate::model::access::read;
use crate::model::context::{Context, Row};
use crate::model::format::HOST_NAME;
use crate::model::schema::{Notification, Object, Text, count, get, get_set, own, ro, rw, uci};
use crate::model::tree::{Target, resolve};
use crate::model::value::{DATE_TIME, Format, STRING, Type, UNKNOWN_TIME, UNSIGNED_INT};
use crate::platform::identity::{Identity, Overrides};

/// Where the time of the first use is kept. The daemon sets it once, when the clock is known for the first time.
pub const FIRST_USE_DATE: &str = "Device.DeviceInfo.FirstUseDate";

const NAME: Type = STRING.lengths(&[(0, 64)]);
const OUI: Format = Format {
    name: "six upper-case hexadecimal digits",
    check: |text| text.len() == 6 && text.bytes().all(|b| b.is_ascii_digit() || (b'A'..=b'F').contains(&b)),
};

/// TR-181 2.17 Device.DeviceInfo.
pub static DEVICE_INFO: Object = Object::single(
    "Device.DeviceInfo.",
    &[
        ro("Manufacturer", NAME, get(|cx, _| identity(cx, |identity| &identity.manufacturer))),
        ro(
            "ManufacturerOUI",
            STRING.lengths(&[(6, 6)]).format(OUI),
            get(|cx, _| identity(cx, |identity| &identity.manufacturer_oui)),
        ),
        ro("ModelName", NAME, get(|cx, _| identity(cx, |identity| &identity.model_name))),
        ro("ModelNumber", NAME, get(|cx, _| identity(cx, |identity| &identity.model_number))),
        ro("Description", STRING.lengths(&[(0, 256)]), get(|cx, _| identity(cx, |identity| &identity.description))),
        ro("ProductClass", NAME, get(|cx, _| identity(cx, |identity| &identity.product_class))),
        ro("SerialNumber", NAME, get(|cx, _| identity(cx, |identity| &identity.serial_number))),
        ro("HardwareVersion", NAME, get(|cx, _| identity(cx, |identity| &identity.hardware_version))).forced_inform(),
        ro("SoftwareVersion", NAME, get(|cx, _| identity(cx, |identity| &identity.software_version)))
            .forced_inform()
            .notification(Notification::ForceEnabled),
        rw("ProvisioningCode", NAME, uci("cwmpd.cpe=cpe.provisioning_code"))
            .forced_inform()
            .notification(Notification::ForceEnabled),
        ro("UpTime", UNSIGNED_INT, get(up_time)).notification(Notification::CanDeny),
        ro("FirstUseDate", DATE_TIME, own(UNKNOWN_TIME)),
        rw("HostName", STRING.lengths(&[(0, 255)]).format(HOST_NAME), uci("system.@system[0].hostname")),
        ro("ActiveFirmwareImage", STRING.strong(&[firmware_image::TABLE]), get(firmware_image::active)),
        rw(
            "BootFirmwareImage",
            STRING.strong(&[firmware_image::TABLE]),
            get_set(firmware_image::boot, firmware_image::set_boot),
        ),
        ro("FirmwareImageNumberOfEntries", UNSIGNED_INT, count("FirmwareImage")),
        ro("VendorConfigFileNumberOfEntries", UNSIGNED_INT, count("VendorConfigFile")),
        ro("VendorLogFileNumberOfEntries", UNSIGNED_INT, count("VendorLogFile")),
        ro("SupportedDataModelNumberOfEntries", UNSIGNED_INT, count("SupportedDataModel")),
    ],
)
.check(firmware_image::check_boot);

/// The objects of this directory.
pub static OBJECTS: &[&Object] = &[
    &DEVICE_INFO,
    &firmware_image::FIRMWARE_IMAGE,
    &files::VENDOR_CONFIG_FILE,
    &files::VENDOR_LOG_FILE,
    &memory::MEMORY_STATUS,
    &process::PROCESS_STATUS,
    &process::PROCESS,
    &network_properties::NETWORK_PROPERTIES,
    &temperature::TEMPERATURE_STATUS,
    &temperature::TEMPERATURE_SENSOR,
    &supported_data_model::SUPPORTED_DATA_MODEL,
];

/// Who the device is, found once a request. The Inform's DeviceId has to say the same (CONFORMANCE I-01).
///
/// # Errors
/// When `/etc/config/cwmpd` is there and cannot be read.
pub fn who(cx: &mut Context) -> Result<Rc<Identity>> {
    cx.memo("identity", |cx| {
        let device = cx.package("cwmpd")?.find("device");
        let set = |option| device.and_then(|device| device.get(option)).map(String::from).unwrap_or_default();
        let overrides = Overrides {
            manufacturer: set("manufacturer"),
            manufacturer_oui: set("manufacturer_oui"),
            product_class: set("product_class"),
            serial_number: set("serial_number"),
            hardware_version: set("hardware_version"),
            software_version: set("software_version"),
            model_name: set("model_name"),
            description: set("description"),
        };
        Ok(Identity::discover(cx.system().as_ref(), &overrides))
    })
}

/// Who the device is to the ACS. A vendor's file may have replaced what its name is made of (CONFORMANCE T-17), and the DeviceId of an Inform says what
/// DeviceInfo says.
///
/// # Errors
/// When the configuration cannot be read.
pub fn shown(cx: &mut Context) -> Result<Identity> {
    let mut shown = (*who(cx)?).clone();
    for (name, field) in [
        ("ManufacturerOUI", &mut shown.manufacturer_oui),
        ("ProductClass", &mut shown.product_class),
        ("SerialNumber", &mut shown.serial_number),
    ] {
        let found = resolve(cx, &format!("Device.DeviceInfo.{name}")).ok();
        if let Some([Target::Parameter(node, row, parameter)]) = found.as_deref() {
            *field = read(cx, *node, row, parameter).map(Text::into_owned).unwrap_or_default();
        }
    }
    Ok(shown)
}

fn identity(cx: &mut Context, field: fn(&Identity) -> &str) -> Result<Text> {
    Ok(Text::Owned(String::from(field(who(cx)?.as_ref()))))
}

/// Whole seconds from `/proc/uptime`, else from the clock of the kernel: what GetParameterNames lists can always be read (INTEROP 25). The same
/// in every pass over a request.
fn up_time(cx: &mut Context, _: &Row) -> Result<Text> {
    let seconds = cx.memo("up_time", |cx| {
        let told = cx.file("/proc/uptime").ok().and_then(|text| text.split(['.', ' ']).next()?.parse::<u32>().ok());
        Ok(told.unwrap_or_else(|| u32::try_from(cx.system().monotonic().as_secs()).unwrap_or(u32::MAX)))
    })?;
    Ok(Text::Owned(seconds.to_string()))
}
