//! Files: where a path of the router lies on this machine, reading with a limit, and replacing in one step.
//!
//! Beneath a root directory other than `/`, absolute symbolic links mean that directory, as they would after a `chroot`:
//! `/etc/resolv.conf -> /tmp/resolv.conf` stays inside.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};

use nix::fcntl::OFlag;

/// How many symbolic links one path may go through, as in the kernel.
const LINKS: usize = 40;

/// Where a path of the router lies. Every component may be a link but the last one, if `follow` is not set.
///
/// # Errors
/// `InvalidInput` for a path that is not absolute or contains `..`, whoever wrote it; `FilesystemLoop` for links without end.
pub fn resolve(root: &Path, path: &str, follow: bool) -> io::Result<PathBuf> {
    let wanted = Path::new(path);
    let plain = wanted.components().all(|component| matches!(component, Component::RootDir | Component::Normal(_)));
    if !wanted.is_absolute() || !plain || path.contains('\0') {
        return Err(io::Error::new(ErrorKind::InvalidInput, "not an absolute path without `..`"));
    }
    if root == Path::new("/") {
        return Ok(wanted.to_path_buf());
    }
    // What is still to be walked, the next component last.
    let mut ahead: Vec<OsString> = Vec::new();
    push_reversed(&mut ahead, wanted);
    // What has been walked, beneath the root.
    let mut walked = PathBuf::new();
    let mut links = 0;
    while let Some(name) = ahead.pop() {
        if name == ".." {
            walked.pop();
            continue;
        }
        let here = root.join(&walked).join(&name);
        let is_last = ahead.is_empty();
        let target = if is_last && !follow { None } else { fs::read_link(&here).ok() };
        let Some(target) = target else {
            walked.push(name);
            continue;
        };
        links += 1;
        if links > LINKS {
            return Err(io::Error::from(nix::errno::Errno::ELOOP));
        }
        if target.is_absolute() {
            walked.clear();
        }
        push_reversed(&mut ahead, &target);
    }
    Ok(root.join(walked))
}

fn push_reversed(ahead: &mut Vec<OsString>, path: &Path) {
    for component in path.components().rev() {
        match component {
            Component::Normal(name) => ahead.push(name.to_owned()),
            Component::ParentDir => ahead.push(OsString::from("..")),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
}

/// Opens a regular file. Nothing else is ever opened, since that alone can do harm: a FIFO waits, a watchdog starts.
fn open_regular(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    check_regular(&fs::metadata(path)?)?;
    let file = options.custom_flags(OFlag::O_NONBLOCK.bits()).open(path)?;
    check_regular(&file.metadata()?)?;
    Ok(file)
}

fn check_regular(metadata: &fs::Metadata) -> io::Result<()> {
    if metadata.is_file() { Ok(()) } else { Err(io::Error::new(ErrorKind::InvalidInput, "not a regular file")) }
}

/// The whole of a regular file of at most `limit` bytes; never waits.
///
/// # Errors
/// `FileTooLarge` for a longer one, `InvalidInput` for a directory, FIFO, socket or device.
pub fn read(path: &Path, limit: usize) -> io::Result<Vec<u8>> {
    let file = open_regular(path, OpenOptions::new().read(true))?;
    let mut content = Vec::new();
    // Files of procfs and sysfs tell no useful size, so the limit counts what is read.
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    file.take(most).read_to_end(&mut content)?;
    if content.len() > limit {
        return Err(io::Error::from(ErrorKind::FileTooLarge));
    }
    Ok(content)
}

/// Writes into an existing regular file with one `write`, as sysfs wants it.
///
/// # Errors
/// As the system says; `WriteZero` when only a part was taken.
pub fn write_in_place(path: &Path, data: &[u8]) -> io::Result<()> {
    let mut file = open_regular(path, OpenOptions::new().write(true).truncate(true))?;
    if file.write(data)? == data.len() { Ok(()) } else { Err(io::Error::from(ErrorKind::WriteZero)) }
}

/// Replaces or makes a file in one step: a reader sees the old content or the new, and so does the next boot after a power cut.
/// `write` is given the new file, which has `mode` from its first byte. Only one writer of a path at a time.
///
/// # Errors
/// As the system says, such as `StorageFull` or `ReadOnlyFilesystem`. The file is then as it was, and nothing else is left behind.
pub fn replace(path: &Path, mode: u32, write: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::Error::new(ErrorKind::InvalidInput, "not the path of a file"));
    };
    let temporary = directory.join(temporary_name(name));
    let written = write_temporary(&temporary, mode, write).and_then(|()| fs::rename(&temporary, path));
    if let Err(error) = written {
        // The first error is the one to tell.
        let _ = fs::remove_file(&temporary);
        return Err(error);
    }
    File::open(directory)?.sync_all()
}

fn write_temporary(path: &Path, mode: u32, write: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    // One is left over when the power went between its making and its renaming.
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600 & mode).open(path)?;
    let mut buffered = BufWriter::new(&file);
    write(&mut buffered)?;
    buffered.flush()?;
    drop(buffered);
    // The umask has no say in this.
    file.set_permissions(fs::Permissions::from_mode(mode))?;
    file.sync_all()
}

/// Starts with a dot, so that nobody takes it for a configuration file.
fn temporary_name(name: &OsStr) -> OsString {
    let mut temporary = OsString::from(".");
    temporary.push(name);
    temporary.push(".cwmpd-new");
    temporary
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    use super::*;

    fn tree() -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir_all(directory.path().join("etc")).unwrap();
        fs::create_dir_all(directory.path().join("tmp/run")).unwrap();
        fs::write(directory.path().join("tmp/resolv.conf"), "inside").unwrap();
        directory
    }

    #[test]
    fn absolute_links_stay_beneath_the_root() {
        let root = tree();
        symlink("/tmp/resolv.conf", root.path().join("etc/resolv.conf")).unwrap();
        symlink("/tmp", root.path().join("var")).unwrap();
        symlink("../../../../tmp", root.path().join("etc/up")).unwrap();
        assert_eq!(read(&resolve(root.path(), "/etc/resolv.conf", true).unwrap(), 100).unwrap(), b"inside");
        assert_eq!(resolve(root.path(), "/var/run/new", true).unwrap(), root.path().join("tmp/run/new"));
        assert_eq!(resolve(root.path(), "/etc/up/x", true).unwrap(), root.path().join("tmp/x"));
        assert_eq!(resolve(root.path(), "/etc/resolv.conf", false).unwrap(), root.path().join("etc/resolv.conf"));
        assert_eq!(resolve(Path::new("/"), "/etc/hosts", true).unwrap(), Path::new("/etc/hosts"));
    }

    #[test]
    fn no_path_leaves_the_root() {
        let root = tree();
        for path in ["/../etc/passwd", "/etc/../../x", "etc/hosts", "", "/etc/\0x"] {
            assert_eq!(resolve(root.path(), path, true).unwrap_err().kind(), ErrorKind::InvalidInput, "{path}");
            assert_eq!(resolve(Path::new("/"), path, true).unwrap_err().kind(), ErrorKind::InvalidInput, "{path}");
        }
        symlink("/b", root.path().join("a")).unwrap();
        symlink("/a", root.path().join("b")).unwrap();
        assert!(resolve(root.path(), "/a", true).is_err());
    }

    #[test]
    fn only_regular_files_up_to_the_limit_are_read() {
        let root = tree();
        let file = root.path().join("tmp/resolv.conf");
        assert_eq!(read(&file, 6).unwrap(), b"inside");
        assert_eq!(read(&file, 5).unwrap_err().kind(), ErrorKind::FileTooLarge);
        let fifo = root.path().join("fifo");
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let _socket = UnixListener::bind(root.path().join("socket")).unwrap();
        for path in [fifo.as_path(), &root.path().join("socket"), root.path(), Path::new("/dev/null")] {
            assert_eq!(read(path, 10).unwrap_err().kind(), ErrorKind::InvalidInput, "{}", path.display());
            assert!(write_in_place(path, b"1").is_err(), "{}", path.display());
        }
        assert_eq!(write_in_place(&root.path().join("tmp/none"), b"1").unwrap_err().kind(), ErrorKind::NotFound);
    }

    #[test]
    fn a_failed_replacement_leaves_the_old_file_and_nothing_else() {
        let root = tree();
        let file = root.path().join("tmp/resolv.conf");
        let failure = replace(&file, 0o600, &mut |out| {
            out.write_all(b"half")?;
            Err(io::Error::from(ErrorKind::StorageFull))
        });
        assert_eq!(failure.unwrap_err().kind(), ErrorKind::StorageFull);
        assert_eq!(fs::read(&file).unwrap(), b"inside");
        assert_eq!(fs::read_dir(root.path().join("tmp")).unwrap().count(), 2);

        fs::write(root.path().join("tmp/.resolv.conf.cwmpd-new"), "left over").unwrap();
        replace(&file, 0o640, &mut |out| out.write_all(b"new")).unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(fs::read_dir(root.path().join("tmp")).unwrap().count(), 2);
    }
}
