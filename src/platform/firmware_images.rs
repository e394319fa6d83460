//! The images of a board that keeps more than one. OpenWrt has no common way to them, so the integrator of the image provides a program that
//! knows its board (docs/firmware.md); without it the router has one image that nobody names.

use serde::Deserialize;

use super::System;

/// The program: `list`, `activate NAME`, `store FILE`.
pub const PROGRAM: &str = "/usr/libexec/cwmpd/firmware-images";

/// The most images of a board.
const MOST: usize = 16;

/// The longest name and version, in characters (TR-181 2.17 Device.DeviceInfo.FirmwareImage.{i}.).
const LONGEST: usize = 64;

/// The longest reason of a failed start that is told, in characters.
const LONGEST_FAILURE: usize = 1024;

/// A place for an image, as `list` tells it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Image {
    /// What the place is called, for ever.
    pub name: String,
    /// The version of the image in it; empty where there is none.
    pub version: String,
    /// Whether it could be started.
    pub available: bool,
    /// Whether it runs.
    pub active: bool,
    /// Whether the next boot starts it.
    pub boot: bool,
    /// Why its last start failed.
    pub failure: String,
}

/// Whether the board has such a program.
pub fn are_known(system: &dyn System) -> bool {
    system.file_info(PROGRAM).is_ok_and(|info| !info.directory && info.mode & 0o111 != 0)
}

/// What `list` prints. Places without a usable name are left out, and of two with the same name the second.
///
/// # Errors
/// Why it is no list of images.
pub fn parse(list: &str) -> Result<Vec<Image>, crate::json::Wrong> {
    let all: Vec<Image> = crate::json::read(list.as_bytes())?;
    let mut images: Vec<Image> = Vec::new();
    for mut image in all {
        if !is_name(&image.name) || images.iter().any(|known| known.name == image.name) || images.len() == MOST {
            log::warn!("{PROGRAM}: the image {:?} is left out", shown(&image.name, LONGEST));
            continue;
        }
        image.version = shown(&image.version, LONGEST);
        image.failure = shown(&image.failure, LONGEST_FAILURE);
        images.push(image);
    }
    Ok(images)
}

/// It becomes an argument of the program: nothing that could be an option.
fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('-') && shown(name, LONGEST) == name
}

fn shown(text: &str, longest: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(longest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_a_board() {
        let list = r#"[{"name":"a","version":"24.10.4","available":true,"active":true,"boot":true},
            {"name":"b","failure":"no\nroot","other":1}]"#;
        let images = parse(list).unwrap();
        assert_eq!(images.len(), 2);
        assert!(images[0].available && images[0].active && images[0].boot);
        assert_eq!((images[1].available, images[1].failure.as_str()), (false, "noroot"));
        assert_eq!(parse("[]").unwrap(), []);
    }

    #[test]
    fn what_is_no_list() {
        for bad in ["", "{}", "[1]", "[{\"name\":1}]", "[{\"available\":\"yes\"}]", "nothing"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_that_are_left_out() {
        let long = "x".repeat(LONGEST + 1);
        for bad in ["", "-f", "a\\nb", long.as_str()] {
            assert_eq!(parse(&format!("[{{\"name\":\"{bad}\"}}]")).unwrap(), [], "{bad}");
        }
        let many: Vec<String> = (0..40).map(|number| format!("{{\"name\":\"{}\"}}", number / 2)).collect();
        assert_eq!(parse(&format!("[{}]", many.join(","))).unwrap().len(), MOST);
    }
}
