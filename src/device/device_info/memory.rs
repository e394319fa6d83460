//! `Device.DeviceInfo.MemoryStatus.`

use crate::error::Result;
use crate::model::context::Context;
use crate::model::schema::{Notification, Object, Text, get, ro};
use crate::model::value::UNSIGNED_INT;

/// TR-181 2.17 Device.DeviceInfo.MemoryStatus.; in KiB of 1024 bytes, as `/proc/meminfo` has them (CONFORMANCE J-12).
pub static MEMORY_STATUS: Object = Object::single(
    "Device.DeviceInfo.MemoryStatus.",
    &[
        ro("Total", UNSIGNED_INT, get(|cx, _| meminfo(cx, &["MemTotal"]))),
        // What programs could get, caches given back; kernels before 3.14 say only what lies idle.
        ro("Free", UNSIGNED_INT, get(|cx, _| meminfo(cx, &["MemAvailable", "MemFree"])))
            .notification(Notification::CanDeny),
    ],
);

/// 0 where the kernel says nothing: what GetParameterNames lists can always be read (INTEROP 25).
fn meminfo(cx: &mut Context, names: &[&str]) -> Result<Text> {
    Ok(Text::Owned(kibibytes(cx, names).ok().flatten().unwrap_or(0).to_string()))
}

/// The first of these lines of `/proc/meminfo` that is there.
pub(in crate::device) fn kibibytes(cx: &mut Context, names: &[&str]) -> Result<Option<u32>> {
    let text = cx.file("/proc/meminfo")?;
    let value = |name: &&str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        line.split_ascii_whitespace().next()?.parse::<u32>().ok()
    };
    Ok(names.iter().find_map(value))
}
