//! `Device.DeviceInfo.FirmwareImage.{i}.`: the images of a board that keeps more than one, through the program of its integrator
//! ([`crate::platform::firmware_images`], docs/firmware.md).

use std::rc::Rc;

use crate::error::{Fault, Result};
use crate::model::access::truth;
use crate::model::context::{Context, Row};
use crate::model::schema::{Object, Rows, Table, Text, alias, always, get, get_set, ro, rw};
use crate::model::value::{BOOLEAN, STRING};
use crate::platform::firmware_images::{Image, PROGRAM, are_known, parse};

/// The table.
pub(super) const TABLE: &str = "Device.DeviceInfo.FirmwareImage.";

/// TR-181 2.17 Device.DeviceInfo.FirmwareImage.{i}.; a row is known by the name of its place.
pub static FIRMWARE_IMAGE: Object = Object::table(
    "Device.DeviceInfo.FirmwareImage.{i}.",
    Table::new(Rows::Keys(|cx, _| Ok(images(cx)?.iter().map(|image| image.name.clone()).collect())))
        .keys(&[always(&["Name"])]),
    &[
        alias(),
        ro("Name", STRING.lengths(&[(0, 64)]), get(|cx, row| Ok(Text::Owned(cx.key(row)?)))),
        ro("Version", STRING.lengths(&[(0, 64)]), get(|cx, row| Ok(Text::Owned(image(cx, row)?.version)))),
        rw("Available", BOOLEAN, get_set(|cx, row| Ok(truth(is_available(cx, row)?)), set_available)),
        ro(
            "Status",
            STRING.values(&[
                "NoImage",
                "Active",
                "Downloading",
                "Validating",
                "Available",
                "DownloadFailed",
                "ValidationFailed",
                "InstallationFailed",
                "ActivationFailed",
            ]),
            get(status),
        ),
        ro("BootFailureLog", STRING, get(|cx, row| Ok(Text::Owned(image(cx, row)?.failure)))),
    ],
)
.check(check);

/// What the board has, asked once a request; none where nobody knows, or where the program fails: that is for the log, not a reason to answer
/// nothing else.
fn images(cx: &mut Context) -> Result<Rc<Vec<Image>>> {
    cx.memo("firmware images", |cx| {
        if !are_known(cx.system().as_ref()) {
            return Ok(Vec::new());
        }
        let list = cx.program(&[PROGRAM, "list"]).map_err(|error| error.to_string());
        let images = list.and_then(|list| parse(&list).map_err(|error| format!("{PROGRAM} list: {error}")));
        Ok(images.unwrap_or_else(|reason| {
            log::warn!("the images of the board are not known: {reason}");
            Vec::new()
        }))
    })
}

fn image(cx: &mut Context, row: &Row) -> Result<Image> {
    let name = cx.key(row)?;
    Ok(images(cx)?.iter().find(|image| image.name == name).cloned().unwrap_or_default())
}

/// The path of the image that runs.
pub(super) fn active(cx: &mut Context, _: &Row) -> Result<Text> {
    path_of(cx, |image| image.active)
}

/// The path of the image that the next boot starts, with what is staged.
pub(super) fn boot(cx: &mut Context, _: &Row) -> Result<Text> {
    match staged_boot(cx) {
        Some(name) => path_of(cx, |image| image.name == name),
        None => path_of(cx, |image| image.boot),
    }
}

fn path_of(cx: &mut Context, wanted: impl Fn(&Image) -> bool) -> Result<Text> {
    let name = images(cx)?.iter().find(|image| wanted(image)).map(|image| image.name.clone());
    let path = name.and_then(|name| cx.path_of_key(TABLE, &name));
    Ok(path.map_or(Text::Borrowed(""), Text::Owned))
}

/// The image that this request makes the next one.
fn staged_boot(cx: &Context) -> Option<String> {
    let calls = cx.staged_programs().iter().rev();
    let mut names = calls.filter_map(|argv| match argv.as_slice() {
        [program, action, name] if program == PROGRAM && action == "activate" => Some(name.clone()),
        _ => None,
    });
    names.next()
}

/// Makes an image the one to boot; the router goes on with the one that runs.
pub(super) fn set_boot(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    if boot(cx, row)? == value {
        return Ok(());
    }
    let images = images(cx)?;
    let chosen = images.iter().find(|image| cx.path_of_key(TABLE, &image.name).as_deref() == Some(value));
    let Some(chosen) = chosen else { return Err(Fault::value("one of the images has to be started")) };
    cx.stage_program(vec![String::from(PROGRAM), String::from("activate"), chosen.name.clone()]);
    Ok(())
}

/// Judges [`set_boot`] when everything of the request is staged.
pub(super) fn check_boot(cx: &mut Context, _: &Row) -> Result<(), (&'static str, Fault)> {
    const BLAMED: &str = "BootFirmwareImage";
    let Some(name) = staged_boot(cx) else { return Ok(()) };
    let usable = images(cx).map(|images| {
        let path = cx.path_of_key(TABLE, &name);
        let image = images.iter().find(|image| image.name == name);
        image.zip(path).is_some_and(|(image, path)| image.available && !is_withdrawn(cx, &path, &image.version))
    });
    match usable {
        Ok(true) => Ok(()),
        Ok(false) => Err((BLAMED, Fault::value("this image is not available"))),
        Err(error) => Err((BLAMED, error.into())),
    }
}

/// The ACS can take an image out of use; that holds for the version that is there then, not for another that is stored in its place later.
fn is_withdrawn(cx: &Context, path: &str, version: &str) -> bool {
    cx.own(&format!("{path}.Available")).as_deref() == Some(version)
}

fn is_available(cx: &mut Context, row: &Row) -> Result<bool> {
    let image = image(cx, row)?;
    Ok(image.available && !is_withdrawn(cx, &format!("{TABLE}{}", row.number()), &image.version))
}

fn set_available(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let image = image(cx, row)?;
    let name = format!("{TABLE}{}.Available", row.number());
    match (value, image.available) {
        ("true", true) => cx.set_own(&name, None),
        ("true", false) => return Err(Fault::value("the board has no image here that it could start")),
        (_, true) => cx.set_own(&name, Some(&image.version)),
        (_, false) => {}
    }
    Ok(())
}

/// What runs, and what the next boot starts, stays in use.
fn check(cx: &mut Context, row: &Row) -> Result<(), (&'static str, Fault)> {
    const BLAMED: &str = "Available";
    let judge = |cx: &mut Context| -> Result<bool> {
        let image = image(cx, row)?;
        let boots = staged_boot(cx).map_or(image.boot, |name| name == image.name);
        Ok(is_available(cx, row)? || !image.available || !boots && !image.active)
    };
    match judge(cx) {
        Ok(true) => Ok(()),
        Ok(false) => {
            Err((BLAMED, Fault::value("the image that runs and the one that the next boot starts stay in use")))
        }
        Err(error) => Err((BLAMED, error.into())),
    }
}

fn status(cx: &mut Context, row: &Row) -> Result<Text> {
    let image = image(cx, row)?;
    Ok(Text::Borrowed(match image {
        Image { active: true, .. } => "Active",
        Image { failure, .. } if !failure.is_empty() => "ActivationFailed",
        Image { available: true, .. } => "Available",
        Image { version, .. } if version.is_empty() => "NoImage",
        _ => "ValidationFailed",
    }))
}
