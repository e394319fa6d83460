//! The directory in which files on their way lie: nobody else can look into it or put anything there (SECURITY S4, S19).

use std::fs::{self, DirBuilder, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::unistd::geteuid;

use super::{Trouble, code};
use crate::platform::live::Live;

/// Beneath `/tmp`, because `sysupgrade` takes its image from there; in memory on every router.
const PLACE: &str = "/tmp/cwmpd";

/// Finds or makes the directory, and returns where it lies on this machine.
///
/// # Errors
/// 9010 where somebody else has made it, or it cannot be made.
pub fn private_directory(live: &Live) -> Result<PathBuf, Trouble> {
    let found = live.host_path("/tmp").and_then(|tmp| {
        let place = tmp.join("cwmpd");
        make(&place).map(|()| place)
    });
    found.map_err(|error| Trouble::new(code::FAILED, format!("cannot use {PLACE} for files on their way: {error}")))
}

fn make(place: &Path) -> io::Result<()> {
    let create = || DirBuilder::new().mode(0o700).create(place);
    let mut made = create();
    // A router always has a /tmp; the directory of somebody who tries the agent out need not.
    let missing = matches!(&made, Err(error) if error.kind() == ErrorKind::NotFound);
    if let Some(tmp) = place.parent().filter(|_| missing) {
        DirBuilder::new().recursive(true).mode(0o1777).create(tmp)?;
        made = create();
    }
    match made {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    // Without following a link: it would be somebody else's.
    let found = fs::symlink_metadata(place)?;
    if !found.is_dir() || found.uid() != geteuid().as_raw() {
        return Err(io::Error::new(ErrorKind::PermissionDenied, "it is not a directory of the agent's own"));
    }
    if found.mode() & 0o777 != 0o700 {
        fs::set_permissions(place, Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// What the router calls a file that lies here on this machine: what its programs are told.
///
/// # Errors
/// 9002 for a file outside the root.
pub(super) fn router_path(live: &Live, file: &Path) -> Result<String, Trouble> {
    let inside = file.strip_prefix(live.root()).ok().and_then(Path::to_str);
    let inside = inside.filter(|path| !path.is_empty());
    inside.map(|path| format!("/{path}")).ok_or_else(|| {
        Trouble::new(crate::error::FaultCode::INTERNAL_ERROR, "the file does not lie where programs can find it")
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_root_needs_no_tmp_of_its_own() {
        let root = tempfile::tempdir().unwrap();
        let place = private_directory(&Live::new(root.path()).unwrap()).unwrap();
        assert_eq!(place, root.path().canonicalize().unwrap().join("tmp/cwmpd"));
        assert_eq!(fs::metadata(&place).unwrap().mode() & 0o777, 0o700);
    }

    #[test]
    fn the_directory_is_private_whatever_was_there() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("tmp")).unwrap();
        let live = Live::new(root.path()).unwrap();
        let place = private_directory(&live).unwrap();
        assert_eq!(fs::metadata(&place).unwrap().mode() & 0o777, 0o700);
        fs::set_permissions(&place, Permissions::from_mode(0o777)).unwrap();
        private_directory(&live).unwrap();
        assert_eq!(fs::metadata(&place).unwrap().mode() & 0o777, 0o700);
        assert_eq!(router_path(&live, &place.join("x")).unwrap(), "/tmp/cwmpd/x");
        assert!(router_path(&live, Path::new("/elsewhere/x")).is_err());

        fs::remove_dir(&place).unwrap();
        fs::create_dir(root.path().join("other")).unwrap();
        symlink(root.path().join("other"), &place).unwrap();
        assert_eq!(private_directory(&live).unwrap_err().code, code::FAILED);
    }
}
