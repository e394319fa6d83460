//! A file that is on its way: what has come of it, and how to ask for the rest.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;
use nix::sys::statvfs::fstatvfs;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::fetch::Remote;
use super::{Trouble, code};
use crate::acs::Checksum;
use crate::json;
use crate::platform::files;

/// What must stay free of the file system for everybody else, in bytes.
const RESERVE: u64 = 512 * 1024;

/// How often the space is looked at while the length of the file is not known, in bytes.
const LOOK: u64 = 1 << 20;

/// The longest note, in bytes.
const LONGEST_NOTE: usize = 1024;

/// What lies beside the file: where it came from, and what the server knows it by.
#[derive(Serialize, Deserialize)]
struct Note {
    /// A hash, since a URL may hold a secret.
    from: String,
    validator: String,
}

/// The file, private from its first byte.
pub(super) struct Part {
    path: PathBuf,
    from: String,
    file: File,
    length: u64,
    validator: Option<String>,
}

impl Part {
    /// Goes on with what is there of the same URL, or begins anew.
    pub(super) fn open(path: &Path, from: &Remote) -> Result<Self, Trouble> {
        let from = fingerprint(from);
        let note = files::read(&note_path(path), LONGEST_NOTE).ok();
        let note = note.and_then(|text| json::read::<Note>(&text).ok()).filter(|note| note.from == from);
        if let Some((note, (file, length))) = note.and_then(|note| Some((note, reopen(path).ok()?))) {
            return Ok(Self { path: path.to_owned(), from, file, length, validator: Some(note.validator) });
        }
        remove(path);
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path);
        let file = file.map_err(|error| broken(&error))?;
        Ok(Self { path: path.to_owned(), from, file, length: 0, validator: None })
    }

    /// How many bytes have come.
    pub(super) fn len(&self) -> u64 {
        self.length
    }

    /// What to ask for: from which byte on, and of which file. `None`: all of it.
    pub(super) fn rest(&self) -> Option<(u64, &str)> {
        self.validator.as_deref().filter(|_| self.length > 0).map(|validator| (self.length, validator))
    }

    /// Whether the server has said what the file is known by.
    pub(super) fn can_resume(&self) -> bool {
        self.validator.is_some()
    }

    /// Begins again with a file that is known by this.
    pub(super) fn restart(&mut self, validator: Option<String>) -> Result<(), Trouble> {
        self.file.set_len(0).and_then(|()| self.file.seek(SeekFrom::Start(0))).map_err(|error| broken(&error))?;
        self.length = 0;
        self.validator = validator;
        let note = note_path(&self.path);
        let Some(validator) = self.validator.clone() else {
            let _ = fs::remove_file(note);
            return Ok(());
        };
        let text = json::bytes(&Note { from: self.from.clone(), validator });
        files::replace(&note, 0o600, &mut |out| out.write_all(&text)).map_err(|error| broken(&error))
    }

    /// Whether what is still to come fits; of a file of unknown length anything fits at first.
    pub(super) fn check_space(&self, expected: Option<u64>) -> Result<(), Trouble> {
        let Some(space) = self.space() else { return Ok(()) };
        let wanted = expected.unwrap_or(0).saturating_sub(self.length);
        if space >= wanted.saturating_add(RESERVE) {
            return Ok(());
        }
        let text = format!("there is no space for the file: {wanted} bytes are to come, and {space} are free");
        Err(Trouble::new(code::FAILED, text))
    }

    /// The bytes that are free; `None` where the system does not say.
    fn space(&self) -> Option<u64> {
        let system = fstatvfs(&self.file).ok()?;
        Some(wide(system.blocks_available()).saturating_mul(wide(system.fragment_size())))
    }

    /// Adds what has come.
    pub(super) fn append(&mut self, piece: &[u8]) -> Result<(), Trouble> {
        self.file.write_all(piece).map_err(|error| broken(&error))?;
        let before = self.length;
        self.length = before.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
        if before / LOOK != self.length / LOOK { self.check_space(None) } else { Ok(()) }
    }

    /// Whether all of it is what the server says.
    pub(super) fn fits(&mut self, checksum: &Checksum) -> Result<bool, Trouble> {
        self.file.seek(SeekFrom::Start(0)).and_then(|_| checksum.fits(&mut self.file)).map_err(|error| broken(&error))
    }

    /// All of it is there: returns its length.
    pub(super) fn complete(self) -> Result<u64, Trouble> {
        self.file.sync_all().map_err(|error| broken(&error))?;
        let _ = fs::remove_file(note_path(&self.path));
        Ok(self.length)
    }

    /// Takes it away.
    pub(super) fn discard(self) {
        remove(&self.path);
    }
}

/// Takes away the file and what lies beside it; there may be nothing.
pub(super) fn remove(path: &Path) {
    for path in [path, &note_path(path)] {
        match fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                log::warn!("cannot remove {}: {error}", path.display());
            }
            _ => {}
        }
    }
}

/// Opens what is there if it can only be the agent's own.
fn reopen(path: &Path) -> io::Result<(File, u64)> {
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags((OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK).bits())
        .open(path)?;
    let found = file.metadata()?;
    if !found.is_file() || found.nlink() != 1 || found.mode() & 0o077 != 0 {
        return Err(ErrorKind::PermissionDenied.into());
    }
    let length = file.seek(SeekFrom::End(0))?;
    Ok((file, length))
}

/// These numbers have 32 bits on some systems.
pub(super) fn wide(number: impl Into<u64>) -> u64 {
    number.into()
}

fn fingerprint(from: &Remote) -> String {
    let mut hash = Sha256::new();
    hash.update(from.url);
    hash.update("\n");
    hash.update(from.username);
    hash.finalize().iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn note_path(path: &Path) -> PathBuf {
    path.with_extension("note")
}

fn broken(error: &io::Error) -> Trouble {
    let text = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => String::from("there is no space for the file"),
        _ => format!("cannot keep the file: {error}"),
    };
    Trouble::new(code::FAILED, text)
}
