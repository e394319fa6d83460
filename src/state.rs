//! What survives a reboot: versioned JSON files in one directory, replaced in one step, and written only when something has changed.
//!
//! A file is `{"version":1,"state":...}`. One that cannot be read is set aside and not lost: `state.json.bad` where it is damaged,
//! `state.json.newer` where a newer release of the agent wrote it. What that means is for the caller to say; it is never a reason for a
//! `0 BOOTSTRAP` by itself.

use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::json;
use crate::platform::files;
use crate::sorted::Map;

/// The version of the files that this release writes.
const VERSION: u32 = 1;

/// The longest file that is read, in bytes. Larger ones are not ours.
const LIMIT: usize = 32 << 20;

/// How long a lock is waited for, and how often it is tried.
const LOCK_WAIT: Duration = Duration::from_secs(1);
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// Brings the state in a file of an older version up to the present one, given the name of the file and its version.
pub type Migrate = fn(name: &str, version: u32, state: Value) -> Result<Value, String>;

/// A state and where it came from.
#[derive(Debug)]
pub struct Loaded<T> {
    /// The state; the default one unless it was read.
    pub value: T,
    /// Where it came from.
    pub was: Was,
}

/// Where a state came from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Was {
    /// There was no file.
    Fresh,
    /// It was read.
    Read,
    /// There was a file that could not be used, for this reason. It has another name now.
    SetAside(String),
}

/// The state files of one directory.
#[derive(Debug)]
pub struct Store {
    directory: PathBuf,
    version: u32,
    migrate: Migrate,
    /// What each file holds, as its hash, so that the same content is not written again.
    written: Map<String, [u8; 32]>,
    /// Nothing is written any more.
    given_up: bool,
}

/// As long as it lives no other process uses the state.
#[derive(Debug)]
pub struct Lock {
    _directory: Flock<File>,
}

#[derive(Serialize)]
struct Document<T> {
    version: u32,
    state: T,
}

impl Store {
    /// The files in this directory, which is made where it is missing, and closed to everybody but its owner.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn open(directory: &Path) -> Result<Self> {
        Self::with_version(directory, VERSION, |name, version, _| {
            Err(format!("{name} has the unknown version {version}"))
        })
    }

    /// As [`Store::open`], for files of this version, with a way up from each older one.
    ///
    /// # Errors
    /// When the directory cannot be made.
    pub fn with_version(directory: &Path, version: u32, migrate: Migrate) -> Result<Self> {
        let shown = directory.display();
        DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(Error::io(format!("make {shown}")))?;
        let mode = fs::metadata(directory).map_err(Error::io(format!("look at {shown}")))?.permissions().mode();
        if mode & 0o077 != 0 {
            if let Err(error) = fs::set_permissions(directory, fs::Permissions::from_mode(mode & 0o700)) {
                log::warn!("{shown} stays open to other users: {error}");
            }
        }
        Ok(Self { directory: directory.to_path_buf(), version, migrate, written: Map::new(), given_up: false })
    }

    /// Keeps every other process away from this state. The lock goes with the process, however it ends.
    ///
    /// # Errors
    /// When another process has it, with a text for the person who started this one.
    pub fn lock(&self) -> Result<Lock> {
        let shown = self.directory.display();
        // The directory itself is locked: so it works on a read-only disk, and leaves no file behind.
        let mut directory = File::open(&self.directory).map_err(Error::io(format!("open {shown}")))?;
        let deadline = Instant::now() + LOCK_WAIT;
        loop {
            match Flock::lock(directory, FlockArg::LockExclusiveNonblock) {
                Ok(directory) => return Ok(Lock { _directory: directory }),
                // A program that was just being started when its parent was killed has the lock for a moment longer.
                Err((same, Errno::EAGAIN)) if Instant::now() < deadline => {
                    directory = same;
                    std::thread::sleep(LOCK_PAUSE);
                }
                Err((_, Errno::EAGAIN)) => {
                    return Err(Error::other(format!("another cwmpd is already running with the state in {shown}")));
                }
                Err((_, errno)) => return Err(Error::io(format!("lock {shown}"))(errno.into())),
            }
        }
    }

    /// Reads a state, or sets aside a file that cannot be used and begins with the default. So it stays until a state is saved: one that was set
    /// aside before the power went was there all the same.
    pub fn load<T: DeserializeOwned + Default>(&mut self, name: &str) -> Loaded<T> {
        let path = self.path(name);
        self.written.remove(name);
        let read = match files::read(&path, LIMIT) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let aside = [Aside::Bad, Aside::Newer].map(|aside| aside_path(&path, aside));
                let was = match aside.iter().find(|other| other.exists()) {
                    Some(other) => Was::SetAside(format!("{} is missing since it became {}", name, other.display())),
                    None => Was::Fresh,
                };
                return Loaded { value: T::default(), was };
            }
            Err(error) => Err((Aside::Bad, format!("it cannot be read: {error}"))),
            Ok(content) => self.decode(name, &content),
        };
        match read {
            Ok(value) => Loaded { value, was: Was::Read },
            Err((aside, reason)) => {
                Loaded { value: T::default(), was: Was::SetAside(set_aside(&path, aside, &reason)) }
            }
        }
    }

    /// Writes a state, if it is not what the file holds already. After an error the file is as it was.
    ///
    /// # Errors
    /// When the disk is full, read-only or broken.
    pub fn save<T: Serialize + ?Sized>(&mut self, name: &str, state: &T) -> Result<()> {
        if self.given_up {
            return Ok(());
        }
        let path = self.path(name);
        let what = || format!("write {}", path.display());
        let document = Document { version: self.version, state };
        let mut hasher = Hasher(Sha256::new());
        json::write(&mut hasher, &document).map_err(|error| Error::io(what())(error.into()))?;
        let hash = hasher.0.finalize().into();
        // Somebody may have taken the file away.
        if self.written.get(name) == Some(&hash) && path.exists() {
            return Ok(());
        }
        // Whatever happens below, it is no longer certain what the file holds.
        self.written.remove(name);
        files::replace(&path, 0o600, &mut |out: &mut dyn Write| Ok(json::write(out, &document)?))
            .map_err(Error::io(what()))?;
        self.written.insert(name.to_owned(), hash);
        Ok(())
    }

    /// Takes a state away, so that also the next boot finds none. One that is not there is no error.
    ///
    /// # Errors
    /// When the disk is read-only or broken.
    pub fn remove(&mut self, name: &str) -> Result<()> {
        let path = self.path(name);
        self.written.remove(name);
        let removed = match fs::remove_file(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
            Ok(()) => File::open(&self.directory).and_then(|directory| directory.sync_all()),
        };
        removed.map_err(Error::io(format!("remove {}", path.display())))
    }

    /// Takes all states away, those that were set aside as well, and writes none any more: the router has gone back to the state of the factory, and
    /// what is saved after that would be there when it comes up (CONFORMANCE Q-03, Q-04).
    ///
    /// # Errors
    /// When the disk is read-only or broken.
    pub fn give_up(&mut self) -> Result<()> {
        self.given_up = true;
        self.written = Map::new();
        let what = || format!("empty {}", self.directory.display());
        let entries = match fs::read_dir(&self.directory) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            entries => entries.map_err(Error::io(what()))?,
        };
        let is_state = |name: &str| [".json", ".json.bad", ".json.newer"].iter().any(|end| name.ends_with(end));
        for entry in entries.flatten() {
            if entry.file_name().to_str().is_some_and(is_state) {
                fs::remove_file(entry.path()).map_err(Error::io(what()))?;
            }
        }
        File::open(&self.directory).and_then(|directory| directory.sync_all()).map_err(Error::io(what()))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    fn decode<T: DeserializeOwned>(&mut self, name: &str, content: &[u8]) -> Result<T, (Aside, String)> {
        let damaged = |error: json::Wrong| (Aside::Bad, format!("it is damaged: {error}"));
        let mut document = json::value(content).map_err(damaged)?;
        let version = document.get("version").and_then(Value::as_u64).and_then(|version| u32::try_from(version).ok());
        let version = version.ok_or_else(|| (Aside::Bad, String::from("it is damaged: it has no version")))?;
        let state = document.get_mut("state").map(Value::take).unwrap_or_default();
        if version > self.version {
            return Err((
                Aside::Newer,
                format!("a newer cwmpd wrote it (version {version}, known is {})", self.version),
            ));
        }
        if version == self.version {
            let state = json::from_value(&state).map_err(damaged)?;
            self.written.insert(name.to_owned(), Sha256::digest(content).into());
            return Ok(state);
        }
        let state = (self.migrate)(name, version, state).map_err(|reason| (Aside::Bad, reason))?;
        json::from_value(&state).map_err(damaged)
    }
}

/// Why a file is set aside.
#[derive(Clone, Copy)]
enum Aside {
    Bad,
    Newer,
}

/// The other name of a file.
fn aside_path(path: &Path, aside: Aside) -> PathBuf {
    let mut other = path.as_os_str().to_owned();
    other.push(match aside {
        Aside::Bad => ".bad",
        Aside::Newer => ".newer",
    });
    PathBuf::from(other)
}

/// Gives the file another name, and tells it together with the reason. The last one of its kind is kept.
fn set_aside(path: &Path, aside: Aside, reason: &str) -> String {
    let other = aside_path(path, aside);
    match fs::rename(path, &other) {
        Ok(()) => format!("{} is now {}: {reason}", path.display(), other.display()),
        Err(error) => format!("{}: {reason} (and it cannot be set aside: {error})", path.display()),
    }
}

/// Hashes what is written to it.
struct Hasher(Sha256);

impl Write for Hasher {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.0.update(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Serialize, Deserialize, Default, PartialEq, Debug)]
    struct Sample {
        events: Vec<String>,
        counter: u32,
    }

    fn sample() -> Sample {
        Sample { events: vec!["1 BOOT".to_owned()], counter: 7 }
    }

    fn inode(path: &Path) -> u64 {
        use std::os::unix::fs::MetadataExt;
        fs::metadata(path).unwrap().ino()
    }

    #[test]
    fn a_state_comes_back_after_a_restart() {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().join("etc/cwmpd");
        let mut store = Store::open(&place).unwrap();
        assert_eq!(store.load::<Sample>("state.json").was, Was::Fresh);
        store.save("state.json", &sample()).unwrap();
        assert_eq!(fs::metadata(&place).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(fs::metadata(place.join("state.json")).unwrap().permissions().mode() & 0o777, 0o600);
        let loaded = Store::open(&place).unwrap().load::<Sample>("state.json");
        assert_eq!((loaded.value, loaded.was), (sample(), Was::Read));
    }

    #[test]
    fn the_same_state_is_not_written_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state.json");
        let mut store = Store::open(directory.path()).unwrap();
        store.save("state.json", &sample()).unwrap();
        let first = inode(&path);
        store.save("state.json", &sample()).unwrap();
        let mut again = Store::open(directory.path()).unwrap();
        let read = again.load::<Sample>("state.json").value;
        again.save("state.json", &read).unwrap();
        assert_eq!(inode(&path), first);
        again.save("state.json", &Sample { counter: 8, ..read }).unwrap();
        assert!(fs::read_to_string(&path).unwrap().contains("8"));
        fs::remove_file(&path).unwrap();
        again.save("state.json", &Sample { counter: 8, ..sample() }).unwrap();
        assert!(path.exists());
        for _ in 0..2 {
            again.remove("state.json").unwrap();
            assert_eq!(again.load::<Sample>("state.json").was, Was::Fresh);
        }
        again.save("state.json", &Sample { counter: 8, ..sample() }).unwrap();
        assert!(path.exists());
    }

    #[test]
    fn q03_a_state_that_was_given_up_does_not_come_back() {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().join("cwmpd");
        let mut store = Store::open(&place).unwrap();
        fs::create_dir(place.join("model.d")).unwrap();
        for name in ["state.json", "other.json", "state.json.bad", "client.pem"] {
            fs::write(place.join(name), b"x").unwrap();
        }
        store.give_up().unwrap();
        store.save("state.json", &sample()).unwrap();
        let mut left: Vec<_> = fs::read_dir(&place).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["client.pem", "model.d"]);
        assert_eq!(store.load::<Sample>("state.json").was, Was::Fresh);
        fs::remove_dir_all(&place).unwrap();
        store.give_up().unwrap();
        store.save("state.json", &sample()).unwrap();
        assert!(!place.exists());
    }

    #[test]
    fn a_damaged_file_is_set_aside() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state.json");
        let mut store = Store::open(directory.path()).unwrap();
        store.save("state.json", &sample()).unwrap();
        let whole = fs::read(&path).unwrap();
        for torn in
            [&whole[..whole.len() / 2], b"", b"\0\0\0\0", b"[]", br#"{"version":1,"state":5}"#, br#"{"version":-1}"#]
        {
            fs::write(&path, torn).unwrap();
            let loaded = store.load::<Sample>("state.json");
            assert_eq!(loaded.value, Sample::default());
            assert!(
                matches!(&loaded.was, Was::SetAside(reason) if reason.contains("state.json.bad")),
                "{:?}",
                loaded.was
            );
            assert_eq!(fs::read(directory.path().join("state.json.bad")).unwrap(), torn);
            assert!(!path.exists());
        }
        store.save("state.json", &sample()).unwrap();
        assert_eq!(fs::read(&path).unwrap(), whole);
    }

    #[test]
    fn a_file_of_a_newer_version_is_set_aside_unharmed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state.json");
        let newer = br#"{"version":9,"state":{"events":{"in":"another form"}},"more":1}"#;
        fs::write(&path, newer).unwrap();
        let mut store = Store::open(directory.path()).unwrap();
        let loaded = store.load::<Sample>("state.json");
        assert!(
            matches!(&loaded.was, Was::SetAside(reason) if reason.contains("state.json.newer")),
            "{:?}",
            loaded.was
        );
        store.save("state.json", &loaded.value).unwrap();
        assert_eq!(fs::read(directory.path().join("state.json.newer")).unwrap(), newer);
    }

    #[test]
    fn a_file_that_was_set_aside_is_not_forgotten_before_another_is_saved() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("state.json"), br#"{"version":9,"state":1}"#).unwrap();
        // The power goes before anything is saved.
        for _ in 0..2 {
            let loaded = Store::open(directory.path()).unwrap().load::<Sample>("state.json");
            assert!(matches!(&loaded.was, Was::SetAside(reason) if reason.contains("state.json.newer")), "{loaded:?}");
        }
        let mut store = Store::open(directory.path()).unwrap();
        store.save("state.json", &sample()).unwrap();
        assert_eq!(store.load::<Sample>("state.json").was, Was::Read);
    }

    #[test]
    fn an_older_version_is_brought_up_to_date() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("state.json"), br#"{"version":1,"state":["1 BOOT"]}"#).unwrap();
        let mut store = Store::with_version(directory.path(), 2, |_, version, state| match version {
            1 => Ok(serde_json::json!({"events": state, "counter": 7})),
            _ => Err("too old".to_owned()),
        })
        .unwrap();
        let loaded = store.load::<Sample>("state.json");
        assert_eq!((loaded.value, loaded.was), (sample(), Was::Read));
        store.save("state.json", &sample()).unwrap();
        assert!(fs::read_to_string(directory.path().join("state.json")).unwrap().starts_with(r#"{"version":2,"#));
    }

    #[test]
    fn a_second_user_of_the_state_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).unwrap();
        let lock = store.lock().unwrap();
        let error = Store::open(directory.path()).unwrap().lock().unwrap_err().to_string();
        assert!(error.contains("another cwmpd is already running"), "{error}");
        drop(lock);
        Store::open(directory.path()).unwrap().lock().unwrap();
    }

    #[test]
    fn a_save_that_fails_loses_nothing() {
        // As on a full disk, no new file can be made; what a write that fails half-way leaves is tested with `files::replace`.
        let directory = tempfile::tempdir().unwrap();
        let mut store = Store::open(directory.path()).unwrap();
        store.save("state.json", &sample()).unwrap();
        let in_the_way = directory.path().join(".state.json.cwmpd-new");
        fs::create_dir(&in_the_way).unwrap();
        let changed = Sample { counter: 8, ..sample() };
        let error = store.save("state.json", &changed).unwrap_err();
        assert!(error.to_string().contains("cannot write"), "{error}");
        assert_eq!(Store::open(directory.path()).unwrap().load::<Sample>("state.json").value, sample());
        // With room again, the same state goes out: the failure is not taken for a success.
        fs::remove_dir(in_the_way).unwrap();
        store.save("state.json", &changed).unwrap();
        assert_eq!(Store::open(directory.path()).unwrap().load::<Sample>("state.json").value, changed);
    }
}
