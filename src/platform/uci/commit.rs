//! Packages from and to the disk, beside other programs that use libuci.
//!
//! A commit of libuci locks the file (`flock` on its inode), reads it again, writes a temporary file `.NAME.uci-XXXXXX`, *unlocks*, and renames
//! the temporary file over the first one. Whoever waited for the lock then holds an inode that is no longer the file. So here:
//!
//! * a lock counts only if the path still leads to the inode that is locked;
//! * while a temporary file of libuci is there, its rename is still to come, and is waited for;
//! * before an inode that was replaced is unlocked, it gets the new content, since libuci reads its own lock's inode and would write the old one back;
//! * and it stays known for a while, to be locked by the next commit as well: one who waited for it may be about to write.
//!
//! Changes that others have pending in `/tmp/.uci` are theirs; nothing here reads or touches them.

use std::fmt;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg, OFlag};
use nix::unistd::{Gid, Uid, fchown};

use super::package::Package;
use super::parse;
use crate::error::{Error, Result};
use crate::sorted::Set;

/// The longest file that is read or written, in bytes.
pub const MAX_LEN: usize = 8 << 20;

/// How long the lock of another program is waited for.
const LOCK_WAIT: Duration = Duration::from_secs(10);

/// How long a rename of libuci is waited for, once its file is written.
const RENAME_WAIT: Duration = Duration::from_secs(1);

/// A temporary file of libuci older than this was left behind.
const LEFT_BEHIND: Duration = Duration::from_secs(60);

/// Between two looks at a lock that another program holds.
const PAUSE: Duration = Duration::from_millis(2);

/// How long, and how many for each package, replaced inodes stay known.
const REPLACED_AGE: Duration = Duration::from_secs(5);
const REPLACED_MAX: usize = 4;

/// Packages that hold secrets: nobody but root may read them, whatever mode the file had.
const SECRET: [&str; 1] = ["cwmpd"];

/// Why packages could not be written.
#[derive(Debug)]
pub enum CommitError {
    /// Somebody else has changed this package since it was read. Nothing was written; read it again and repeat the edit.
    Changed(String),
    /// It could not be written; everything is as it was.
    Failed(Error),
}

impl fmt::Display for CommitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed(package) => write!(f, "UCI package {package} was changed by another program meanwhile"),
            Self::Failed(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for CommitError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Changed(_) => None,
            Self::Failed(error) => Some(error),
        }
    }
}

impl From<Error> for CommitError {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Reads the package `name` of this directory as it is committed. One that does not exist is empty.
///
/// # Errors
/// A name that is not one of a package; a file that cannot be read, is not a regular file or is longer than [`MAX_LEN`]; a lock that is
/// not given back within 10 seconds.
pub fn load(dir: &Path, name: &str) -> Result<Package> {
    check_name(name)?;
    read(&dir.join(name), name)
}

/// Reads the package `name` from a file of its own, wherever that lies; a commit writes it there.
///
/// # Errors
/// As [`load`].
pub fn load_file(path: &Path, name: &str) -> Result<Package> {
    check_name(name)?;
    let mut package = read(path, name)?;
    package.set_place(path.to_path_buf());
    Ok(package)
}

fn read(path: &Path, name: &str) -> Result<Package> {
    let failed = || Error::io(format!("read {}", path.display()));
    let text = match Locked::open(path, Access::Read) {
        Ok(locked) => locked.read().map_err(failed())?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(failed()(error)),
    };
    Ok(Package::from_vec(name, text))
}

/// Writes the changed ones of these packages into this directory, all or none; they count as unchanged then.
///
/// The file keeps its mode and owner; a new one gets mode 0600, and `cwmpd` always does. A missing directory is made.
///
/// # Errors
/// [`CommitError::Changed`] when a file is no longer what was read; [`CommitError::Failed`] for a package with syntax errors, and whatever
/// keeps a file from being written (a full or read-only disk, a lock that is not given back within 10 seconds). Nothing has changed then.
pub fn commit(dir: &Path, packages: &mut [&mut Package]) -> Result<(), CommitError> {
    commit_watched(dir, packages, &|_, _| Ok(()))
}

/// What a commit does to the disk, in this order for several packages: all of one kind before the next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Step {
    Write,
    Keep,
    Rename,
    Sync,
}

/// [`commit`] with somebody who can make any step fail.
fn commit_watched(
    dir: &Path,
    packages: &mut [&mut Package],
    watch: &dyn Fn(Step, &str) -> io::Result<()>,
) -> Result<(), CommitError> {
    let mut names = Set::new();
    for package in packages.iter() {
        check_name(package.name())?;
        if !names.insert(package.name().to_owned()) {
            return Err(Error::other(format!("UCI package {} twice in one commit", package.name())).into());
        }
    }
    let mut changed: Vec<(&mut &mut Package, Vec<u8>)> = Vec::new();
    for package in packages.iter_mut().filter(|package| package.is_changed()) {
        let bytes = check(dir, package)?;
        if bytes == package.base() {
            package.rebase(bytes);
        } else {
            changed.push((package, bytes));
        }
    }
    if changed.is_empty() {
        return Ok(());
    }
    // Everybody takes locks in the same order.
    changed.sort_by(|(a, _), (b, _)| a.name().cmp(b.name()));
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(dir)
        .map_err(Error::io(format!("make {}", dir.display())))?;

    let mut targets = Vec::new();
    for (package, bytes) in &changed {
        targets.push(Target::lock(dir, package, bytes)?);
    }
    for target in &mut targets {
        watch(Step::Write, target.name).and_then(|()| target.prepare()).map_err(target.failed("write"))?;
    }
    for target in &mut targets {
        watch(Step::Keep, target.name).and_then(|()| target.keep()).map_err(target.failed("keep a copy of"))?;
    }
    let replaced = replace_all(&mut targets, watch);
    if replaced.is_err() {
        for target in targets.iter_mut().rev() {
            target.restore();
        }
    }
    drop(targets);
    replaced?;
    for (package, bytes) in changed {
        package.rebase(bytes);
    }
    Ok(())
}

fn replace_all(targets: &mut [Target<'_>], watch: &dyn Fn(Step, &str) -> io::Result<()>) -> Result<(), CommitError> {
    for target in targets.iter_mut() {
        watch(Step::Rename, target.name).and_then(|()| target.replace()).map_err(target.failed("replace"))?;
    }
    for target in targets.iter_mut() {
        watch(Step::Sync, target.name).and_then(|()| target.sync_dir()).map_err(target.failed("replace"))?;
    }
    for target in targets.iter_mut() {
        target.finish();
    }
    Ok(())
}

/// The bytes of a package, if they can be written and would read back as what is meant.
fn check(dir: &Path, package: &Package) -> Result<Vec<u8>> {
    let path = package.place(dir).display().to_string();
    if let Some(problem) = package.problems().first() {
        let reason = format!("not written while it has a syntax error: {}", problem.reason);
        return Err(Error::file(path, problem.line, reason));
    }
    let bytes = package.to_bytes();
    if bytes.len() > MAX_LEN {
        return Err(Error::file(path, 0, format!("would be longer than {MAX_LEN} bytes")));
    }
    let back = Package::parse(package.name(), &bytes);
    if !back.problems().is_empty() || !package.same_values(&back) {
        return Err(Error::file(path, 0, "not written, since it would not read back as it was meant".to_owned()));
    }
    Ok(bytes)
}

fn check_name(name: &str) -> Result<()> {
    if parse::is_kind(name.as_bytes()) && !name.contains('/') && !name.starts_with('.') {
        Ok(())
    } else {
        Err(Error::other(format!("not the name of a UCI package: {name:?}")))
    }
}

/// A file on its way from one content to another.
struct Target<'p> {
    name: &'p str,
    former: &'p [u8],
    bytes: &'p [u8],
    /// Where it is reached.
    path: PathBuf,
    /// Where it is: `path` may be a symbolic link.
    real: PathBuf,
    /// Locked: the file as it was, and earlier ones of it that somebody may still hold.
    old: Locked,
    older: Vec<Locked>,
    /// Whether the file was made by this commit.
    made: bool,
    new: Option<Locked>,
    temporary: Option<Temporary>,
    kept: Option<Temporary>,
    replaced: bool,
    finished: bool,
}

impl<'p> Target<'p> {
    fn lock(dir: &Path, package: &'p Package, bytes: &'p [u8]) -> Result<Self, CommitError> {
        let path = package.place(dir);
        let failed = |error| Error::io(format!("lock {} for writing", path.display()))(error);
        let deadline = Instant::now() + LOCK_WAIT;
        loop {
            let made = match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
                Ok(_) => true,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => false,
                Err(error) => return Err(failed(error).into()),
            };
            let old = match Locked::open(&path, Access::Write) {
                // Gone again, unless it is a symbolic link to nowhere.
                Err(error) if error.kind() == io::ErrorKind::NotFound && path.symlink_metadata().is_err() => {
                    if Instant::now() < deadline {
                        continue;
                    }
                    return Err(failed(error).into());
                }
                opened => opened.map_err(failed)?,
            };
            let older = lock_replaced(&path, deadline).map_err(failed)?;
            await_renames(&path);
            if !old.is_at(&path) && Instant::now() < deadline {
                continue;
            }
            let real = fs::canonicalize(&path).map_err(failed)?;
            let target = Self {
                name: package.name(),
                former: package.base(),
                bytes,
                path,
                real,
                old,
                older,
                made,
                new: None,
                temporary: None,
                kept: None,
                replaced: false,
                finished: false,
            };
            return match target.old.read() {
                Ok(present) if present == target.former => Ok(target),
                Ok(_) => Err(CommitError::Changed(package.name().to_owned())),
                Err(error) => Err(target.failed("read")(error).into()),
            };
        }
    }

    fn failed(&self, what: &str) -> impl FnOnce(io::Error) -> Error + use<> {
        Error::io(format!("{what} {}", self.path.display()))
    }

    /// Writes the new file beside the old one, ready to take its place.
    fn prepare(&mut self) -> io::Result<()> {
        // Under the lock nobody else has one: what is there was left behind by a power cut.
        for name in temporaries(self.real.parent(), &format!(".{}.cwmpd-", self.name)) {
            fs::remove_file(self.real.with_file_name(name))?;
        }
        let metadata = self.old.file().metadata()?;
        let mut mode = metadata.mode() & 0o7777;
        if SECRET.contains(&self.name) {
            mode = 0o600;
        }
        let temporary = Temporary(self.real.with_file_name(format!(".{}.cwmpd-new", self.name)));
        let mut file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&temporary.0)?;
        self.temporary = Some(temporary);
        file.write_all(self.bytes)?;
        let made = file.metadata()?;
        if (made.uid(), made.gid()) != (metadata.uid(), metadata.gid()) {
            fchown(&file, Some(Uid::from_raw(metadata.uid())), Some(Gid::from_raw(metadata.gid())))?;
        }
        file.set_permissions(Permissions::from_mode(mode))?;
        file.sync_all()?;
        // Locked before it can be found, so that nobody builds on it while it may still be taken back.
        self.new = Some(Locked::take(file, Access::Write, Instant::now() + LOCK_WAIT)?);
        Ok(())
    }

    /// Keeps the old file under another name, to come back if the transaction fails later on.
    fn keep(&mut self) -> io::Result<()> {
        let kept = Temporary(self.real.with_file_name(format!(".{}.cwmpd-old", self.name)));
        if fs::hard_link(&self.real, &kept.0).is_err() {
            // Not every filesystem has hard links.
            fs::copy(&self.real, &kept.0)?;
            File::open(&kept.0)?.sync_all()?;
        }
        self.kept = Some(kept);
        Ok(())
    }

    fn replace(&mut self) -> io::Result<()> {
        if let Some(temporary) = &self.temporary {
            fs::rename(&temporary.0, &self.real)?;
            self.replaced = true;
        }
        Ok(())
    }

    fn sync_dir(&self) -> io::Result<()> {
        match self.real.parent() {
            Some(dir) => File::open(dir)?.sync_all(),
            None => Ok(()),
        }
    }

    /// Puts the former file back.
    fn restore(&mut self) {
        if !self.replaced {
            return;
        }
        let Some(kept) = &self.kept else { return };
        match fs::rename(&kept.0, &self.real) {
            Ok(()) => {
                if let Some(new) = &self.new {
                    new.supersede(self.former);
                }
                self.replaced = false;
            }
            Err(error) => log::error!("cannot put back {}: {error}", self.path.display()),
        }
        if let Err(error) = self.sync_dir() {
            log::error!("cannot sync the directory of {}: {error}", self.path.display());
        }
    }

    /// Whoever waits for a replaced inode finds there what the file now holds.
    fn finish(&mut self) {
        self.finished = true;
        for locked in self.older.iter().chain([&self.old]) {
            locked.supersede(self.bytes);
        }
        remember_replaced(&self.path, &self.old);
    }
}

impl Drop for Target<'_> {
    fn drop(&mut self) {
        // Names go before the locks do: the next one to lock uses the same.
        self.temporary = None;
        self.kept = None;
        if self.made && !self.finished && !self.replaced && self.old.is_at(&self.path) {
            let empty = self.old.file().metadata().is_ok_and(|metadata| metadata.len() == 0);
            if empty {
                let _ = fs::remove_file(&self.path);
            }
        }
    }
}

/// A file that goes when this does, unless it has been renamed.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        match fs::remove_file(&self.0) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                log::warn!("cannot remove {}: {error}", self.0.display());
            }
            _ => {}
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    Read,
    Write,
}

/// An open file with the lock that libuci takes on it, until this goes.
enum Locked {
    Flock(Flock<File>),
    /// On a filesystem without locks; libuci goes on without, too.
    Bare(File),
}

impl Locked {
    /// Opens and locks the file that is at `path` when the lock is there.
    fn open(path: &Path, access: Access) -> io::Result<Self> {
        let deadline = Instant::now() + LOCK_WAIT;
        loop {
            // Never waits: a pipe in the place of the file is refused below.
            let file = OpenOptions::new()
                .read(true)
                .write(access == Access::Write)
                .custom_flags(OFlag::O_NONBLOCK.bits())
                .open(path)?;
            if !file.metadata()?.is_file() {
                return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
            }
            let locked = Self::take(file, access, deadline)?;
            if locked.is_at(path) {
                return Ok(locked);
            }
            if Instant::now() >= deadline {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "replaced over and over"));
            }
        }
    }

    fn take(mut file: File, access: Access, deadline: Instant) -> io::Result<Self> {
        let how = match access {
            Access::Read => FlockArg::LockSharedNonblock,
            Access::Write => FlockArg::LockExclusiveNonblock,
        };
        loop {
            let (back, errno) = match Flock::lock(file, how) {
                Ok(locked) => return Ok(Self::Flock(locked)),
                Err(failed) => failed,
            };
            file = back;
            match errno {
                Errno::ENOSYS | Errno::ENOTSUP => return Ok(Self::Bare(file)),
                Errno::EINTR => continue,
                Errno::EWOULDBLOCK if Instant::now() < deadline => std::thread::sleep(PAUSE),
                Errno::EWOULDBLOCK => {
                    return Err(io::Error::new(io::ErrorKind::TimedOut, "another program holds its lock"));
                }
                errno => return Err(errno.into()),
            }
        }
    }

    fn file(&self) -> &File {
        match self {
            Self::Flock(file) => file,
            Self::Bare(file) => file,
        }
    }

    fn is_at(&self, path: &Path) -> bool {
        let identity = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
        let there = fs::metadata(path).map(identity);
        there.is_ok_and(|there| self.file().metadata().map(identity).is_ok_and(|here| here == there))
    }

    fn read(&self) -> io::Result<Vec<u8>> {
        let too_large = || io::Error::new(io::ErrorKind::FileTooLarge, format!("longer than {MAX_LEN} bytes"));
        let len = self.file().metadata()?.len();
        if len > MAX_LEN as u64 {
            return Err(too_large());
        }
        let mut text = Vec::with_capacity(len as usize);
        self.file().take(MAX_LEN as u64 + 1).read_to_end(&mut text)?;
        if text.len() > MAX_LEN { Err(too_large()) } else { Ok(text) }
    }

    /// Gives a file that no path leads to any more the content of its successor.
    fn supersede(&self, bytes: &[u8]) {
        // Until the last byte is right the first one is not: libuci refuses to commit such a file, where it would believe half of one.
        let file = self.file();
        let rewrite = || {
            file.write_all_at(b"!", 0)?;
            file.write_all_at(bytes.get(1..).unwrap_or_default(), 1)?;
            file.set_len(bytes.len() as u64)?;
            file.write_all_at(bytes.get(..1).unwrap_or_default(), 0)
        };
        let done: io::Result<()> = rewrite();
        if let Err(error) = done {
            log::warn!("cannot pass a change on to other programs that wait for the same file: {error}");
        }
    }
}

/// Files that commits of this process have replaced, and that others may still wait for.
static REPLACED: Mutex<Vec<Replaced>> = Mutex::new(Vec::new());

struct Replaced {
    path: PathBuf,
    file: File,
    since: Instant,
}

fn remember_replaced(path: &Path, old: &Locked) {
    let Ok(file) = old.file().try_clone() else { return };
    let mut replaced = REPLACED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let of_path: Vec<Instant> = replaced.iter().filter(|other| other.path == path).map(|other| other.since).collect();
    if let Some(&oldest) = of_path.first().filter(|_| of_path.len() >= REPLACED_MAX) {
        replaced.retain(|other| other.path != path || other.since != oldest);
    }
    replaced.push(Replaced { path: path.to_owned(), file, since: Instant::now() });
}

/// Lets go of files that were replaced more than 5 seconds ago. Until then, or the next commit, they take up space on the disk and keep it from
/// being remounted; so a process that lives on calls this once in the quiet after a commit.
pub fn release_replaced() {
    let mut replaced = REPLACED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    replaced.retain(|other| other.since.elapsed() < REPLACED_AGE);
}

fn lock_replaced(path: &Path, deadline: Instant) -> io::Result<Vec<Locked>> {
    release_replaced();
    let files: Vec<File> = {
        let replaced = REPLACED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        replaced.iter().filter(|other| other.path == path).filter_map(|other| other.file.try_clone().ok()).collect()
    };
    files.into_iter().map(|file| Locked::take(file, Access::Write, deadline)).collect()
}

/// Waits until libuci has renamed what it has written for this file.
fn await_renames(path: &Path) {
    let (Some(dir), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else { return };
    let prefix = format!(".{name}.uci-");
    let deadline = Instant::now() + RENAME_WAIT;
    let under_way = |name: &String| {
        let modified = fs::metadata(dir.join(name)).and_then(|metadata| metadata.modified());
        // A clock that was set meanwhile makes any age; then it is a file of another time, too.
        modified.is_ok_and(|time| SystemTime::now().duration_since(time).is_ok_and(|age| age < LEFT_BEHIND))
    };
    while Instant::now() < deadline && temporaries(Some(dir), &prefix).iter().any(under_way) {
        std::thread::sleep(PAUSE);
    }
}

fn temporaries(dir: Option<&Path>, prefix: &str) -> Vec<String> {
    let entries = dir.and_then(|dir| fs::read_dir(dir).ok()).into_iter().flatten();
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names.filter(|name| name.starts_with(prefix)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn put(dir: &Path, name: &str, text: &str, mode: u32) {
        fs::write(dir.join(name), text).unwrap();
        fs::set_permissions(dir.join(name), Permissions::from_mode(mode)).unwrap();
    }

    /// Everything in the directory, with content and mode.
    fn all(dir: &Path) -> BTreeMap<String, (String, u32)> {
        let entry = |entry: io::Result<fs::DirEntry>| {
            let path = entry.unwrap().path();
            let mode = path.metadata().unwrap().mode() & 0o7777;
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, (fs::read_to_string(&path).unwrap(), mode))
        };
        fs::read_dir(dir).unwrap().map(entry).collect()
    }

    /// The package with option `o` of its first section set; it gets one if there is none.
    fn edited(dir: &Path, name: &str, value: &str) -> Package {
        let mut package = load(dir, name).unwrap();
        let first = package.sections().next().map(|section| section.id());
        let id = first.unwrap_or_else(|| package.add_section("s", None).unwrap());
        package.set(id, "o", value).unwrap();
        package
    }

    #[test]
    fn what_is_missing_is_empty_and_what_is_not_a_file_an_error() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(load(dir.path(), "none").unwrap().sections().count(), 0);
        assert_eq!(load(&dir.path().join("nowhere"), "none").unwrap().sections().count(), 0);
        fs::create_dir(dir.path().join("directory")).unwrap();
        nix::unistd::mkfifo(&dir.path().join("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        File::create(dir.path().join("huge")).unwrap().set_len(MAX_LEN as u64 + 1).unwrap();
        for (name, reason) in [
            ("directory", "not a regular file"),
            ("pipe", "not a regular file"),
            ("huge", "longer than"),
            ("../x", "not the name"),
        ] {
            let error = load(dir.path(), name).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }

    #[test]
    fn a_new_file_and_its_directory_are_made_and_secrets_stay_secret() {
        let top = tempfile::tempdir().unwrap();
        let dir = top.path().join("etc/config");
        let mut package = edited(&dir, "new", "v");
        commit(&dir, &mut [&mut package]).unwrap();
        assert!(!package.is_changed());
        put(&dir, "open", "config s\n", 0o644);
        put(&dir, "cwmpd", "config s\n", 0o644);
        let (mut open, mut secret) = (edited(&dir, "open", "v"), edited(&dir, "cwmpd", "v"));
        commit(&dir, &mut [&mut open, &mut secret]).unwrap();
        let text = "config s\n\toption o 'v'\n".to_owned();
        let expected = [("cwmpd", 0o600), ("new", 0o600), ("open", 0o644)];
        assert_eq!(all(&dir), expected.map(|(name, mode)| (name.to_owned(), (text.clone(), mode))).into());
    }

    #[test]
    fn only_changed_packages_are_written() {
        let dir = tempfile::tempdir().unwrap();
        put(dir.path(), "a", "config s\n\toption o 'v'\n", 0o644);
        let inode = || dir.path().join("a").metadata().unwrap().ino();
        let before = inode();
        let mut package = load(dir.path(), "a").unwrap();
        commit(dir.path(), &mut [&mut package]).unwrap();
        let id = package.sections().next().unwrap().id();
        assert!(package.set(id, "o", "w").unwrap() && package.set(id, "o", "v").unwrap());
        assert!(package.is_changed());
        commit(dir.path(), &mut [&mut package]).unwrap();
        assert!(!package.is_changed());
        assert_eq!(inode(), before);
    }

    #[test]
    fn a_package_can_be_edited_and_committed_again_and_again() {
        let dir = tempfile::tempdir().unwrap();
        put(dir.path(), "a", "# top\nconfig s 'x' # c\n\toption o \"it's\" # d\n", 0o644);
        let mut package = load(dir.path(), "a").unwrap();
        let id = package.find("x").unwrap().id();
        for value in ["1", "it's", "two words"] {
            assert!(package.set(id, "o", value).unwrap());
            commit(dir.path(), &mut [&mut package]).unwrap();
            assert_eq!(package.section(id).unwrap().get("o"), Some(value));
        }
        assert_eq!(
            fs::read_to_string(dir.path().join("a")).unwrap(),
            "# top\nconfig s 'x' # c\n\toption o 'two words' # d\n"
        );
    }

    #[test]
    fn a_change_by_another_program_is_not_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        for meanwhile in [Some("config s\n\toption o 'theirs'\n"), None] {
            put(dir.path(), "a", "config s\n", 0o644);
            put(dir.path(), "b", "config s\n", 0o644);
            let (mut a, mut b) = (edited(dir.path(), "a", "v"), edited(dir.path(), "b", "v"));
            match meanwhile {
                Some(text) => put(dir.path(), "b", text, 0o644),
                None => fs::remove_file(dir.path().join("b")).unwrap(),
            }
            let before = all(dir.path());
            let refused = commit(dir.path(), &mut [&mut a, &mut b]).unwrap_err();
            assert!(matches!(refused, CommitError::Changed(name) if name == "b"));
            assert_eq!(all(dir.path()), before);
            assert!(a.is_changed() && b.is_changed());
        }
    }

    #[test]
    fn a_file_with_syntax_errors_is_never_written() {
        let dir = tempfile::tempdir().unwrap();
        put(dir.path(), "a", "config s\n\noption b 'open\n", 0o644);
        let mut package = edited(dir.path(), "a", "v");
        let error = commit(dir.path(), &mut [&mut package]).unwrap_err().to_string();
        assert!(error.contains("/a:3: ") && error.contains("quote without an end"), "{error}");
    }

    #[test]
    fn a_failure_at_any_step_leaves_everything_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        put(dir.path(), "a", "config s\n", 0o644);
        put(dir.path(), "c", "config s\n\toption o 'former'\n", 0o640);
        let before = all(dir.path());
        for step in [Step::Write, Step::Keep, Step::Rename, Step::Sync] {
            for at in ["a", "b", "c"] {
                let mut packages = ["c", "b", "a"].map(|name| edited(dir.path(), name, "v"));
                let [c, b, a] = &mut packages;
                let watch = |here: Step, name: &str| match here == step && name == at {
                    true => Err(io::Error::from(io::ErrorKind::StorageFull)),
                    false => Ok(()),
                };
                let error = commit_watched(dir.path(), &mut [a, b, c], &watch).unwrap_err().to_string();
                assert!(error.contains(&format!("/{at}: no storage space")), "{error}");
                let mut after = all(dir.path());
                // A file that was not there comes back as an empty one at most once it has been replaced.
                if after.get("b").is_some_and(|(text, _)| text.is_empty()) {
                    after.remove("b");
                }
                assert_eq!(after, before, "{step:?} of {at}");
                assert!(packages.iter().all(Package::is_changed));
            }
        }
        let mut packages = ["a", "b", "c"].map(|name| edited(dir.path(), name, "v"));
        let [a, b, c] = &mut packages;
        commit(dir.path(), &mut [a, b, c]).unwrap();
        assert_eq!(all(dir.path()).len(), 3);
    }

    #[test]
    fn what_a_power_cut_left_behind_is_cleaned_up_and_other_files_are_not() {
        let dir = tempfile::tempdir().unwrap();
        put(dir.path(), "a", "config s\n", 0o644);
        for left in [".a.cwmpd-new", ".a.cwmpd-old", ".b.cwmpd-new"] {
            put(dir.path(), left, "half", 0o600);
        }
        commit(dir.path(), &mut [&mut edited(dir.path(), "a", "v")]).unwrap();
        assert_eq!(all(dir.path()).into_keys().collect::<Vec<_>>(), [".b.cwmpd-new", "a"]);
    }

    #[test]
    fn a_symbolic_link_stays_one() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("real")).unwrap();
        put(&dir.path().join("real"), "x", "config s\n", 0o644);
        std::os::unix::fs::symlink("real/x", dir.path().join("a")).unwrap();
        commit(dir.path(), &mut [&mut edited(dir.path(), "a", "v")]).unwrap();
        assert!(dir.path().join("a").symlink_metadata().unwrap().is_symlink());
        assert_eq!(fs::read_to_string(dir.path().join("real/x")).unwrap(), "config s\n\toption o 'v'\n");
    }

    #[test]
    fn whoever_waited_for_the_old_file_finds_the_new_content_in_it() {
        let dir = tempfile::tempdir().unwrap();
        put(dir.path(), "a", "config s # longer than what follows it\n\toption o 'a long former value'\n", 0o644);
        let waiting = File::open(dir.path().join("a")).unwrap();
        commit(dir.path(), &mut [&mut edited(dir.path(), "a", "v")]).unwrap();
        let mut text = String::new();
        (&waiting).read_to_string(&mut text).unwrap();
        assert_eq!(text, fs::read_to_string(dir.path().join("a")).unwrap());
    }

    /// A libuci that had opened the file before our first commit and locks it after: it is inside its own commit while we come again.
    #[test]
    fn one_who_came_before_the_last_commit_is_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        put(dir.path(), "a", "config s\n", 0o644);
        let waiting = File::open(&path).unwrap();
        commit(dir.path(), &mut [&mut edited(dir.path(), "a", "1")]).unwrap();
        let theirs = Flock::lock(waiting, FlockArg::LockExclusiveNonblock).unwrap();

        let mut ours = edited(dir.path(), "a", "2");
        let (done, result) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            let dir = dir.path();
            scope.spawn(move || done.send(commit(dir, &mut [&mut ours])).unwrap());
            assert!(result.recv_timeout(Duration::from_millis(100)).is_err(), "did not wait");
            put(dir, ".a.uci-AbCdEf", "config s\n\toption o '1'\n\toption theirs '1'\n", 0o644);
            drop(theirs);
            fs::rename(dir.join(".a.uci-AbCdEf"), &path).unwrap();
            let refused = result.recv_timeout(LOCK_WAIT).unwrap();
            assert!(matches!(refused, Err(CommitError::Changed(_))));
        });
    }
}
