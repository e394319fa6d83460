//! `Device.SSH.AuthorizedKey.{i}.`: the lines of `/etc/dropbear/authorized_keys`, with which root can log in.
//!
//! A row is known by a hash of its key as it was found. One that the ACS has added, or given another key, is known by a key of its own or the former hash,
//! and the hash of its line lies in the agent's own state.

use std::rc::Rc;

use sha2::{Digest, Sha256};

use crate::device::{own_keys, users};
use crate::error::{Fault, FaultCode, Result};
use crate::model::context::{Context, Row};
use crate::model::schema::{Object, Rows, Table, Text, alias, change, get_set, rw};
use crate::model::value::{Format, STRING};

pub(super) static AUTHORIZED_KEY: Object = Object::table(
    "Device.SSH.AuthorizedKey.{i}.",
    Table::new(Rows::Keys(|cx, _| Ok(keys(cx)))).added_by(add).deleted_by(delete).at_most(64),
    &[
        alias(),
        rw("User", STRING.strong(&[users::USER]).lengths(&[(0, 256)]), change(user, set_user)).default(""),
        rw("Key", STRING.format(KEY), get_set(key, set_key)),
    ],
);

const DIRECTORY: &str = "/etc/dropbear";
const FILE: &str = "/etc/dropbear/authorized_keys";

/// The rows that are not what they are known by.
const ROWS: &str = "ssh.keys";

/// Types of keys that dropbear takes (RFC 4253 6.6 and its successors).
const TYPES: [&str; 8] = [
    "ssh-ed25519",
    "ssh-rsa",
    "ssh-dss",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
];

/// Options before the key could run programs, so that the ACS writes a key and a comment only.
const KEY: Format = Format {
    name: "public key such as `ssh-ed25519 AAAA... comment` on one line",
    check: |text| {
        let mut words = text.split(' ');
        let kind = words.next().unwrap_or_default();
        let blob = words.next().unwrap_or_default();
        let is_blob = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=');
        TYPES.contains(&kind) && blob.len() >= 16 && blob.bytes().all(is_blob) && !text.chars().any(char::is_control)
    },
};

/// The lines that are keys, with their hashes, which are made once a request.
fn lines(cx: &mut Context) -> Rc<Vec<(String, String)>> {
    let lines = cx.memo("authorized keys", |cx| {
        let text = cx.file(FILE).unwrap_or_default();
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        Ok(lines.map(|line| (hash(line), String::from(line))).collect())
    });
    lines.unwrap_or_default()
}

/// Enough of SHA-256 to know a line by.
fn hash(line: &str) -> String {
    use std::fmt::Write;
    Sha256::digest(line.as_bytes()).iter().take(12).fold(String::new(), |mut text, byte| {
        // Writing to a text does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn own(key: &str) -> String {
    format!("{ROWS}.{key}.hash")
}

/// The hash of the line of a row.
fn hash_of(cx: &Context, key: &str) -> String {
    cx.own(&own(key)).unwrap_or_else(|| String::from(key))
}

fn keys(cx: &mut Context) -> Vec<String> {
    let changed = own_keys::list(cx, ROWS);
    let mut keys: Vec<String> = Vec::new();
    for (hash, _) in lines(cx).iter() {
        let owner = changed.iter().find(|key| hash_of(cx, key) == *hash).cloned();
        let key = owner.unwrap_or_else(|| hash.clone());
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    // A new row has no line yet; one whose line somebody else has taken away is gone.
    keys.extend(changed.into_iter().filter(|key| key.starts_with('+') && cx.own(&own(key)).is_none()));
    keys
}

fn line_of(cx: &mut Context, row: &Row) -> Result<Option<String>> {
    let key = cx.key(row)?;
    let hash = hash_of(cx, &key);
    Ok(lines(cx).iter().find(|(known, _)| *known == hash).map(|(_, line)| line.clone()))
}

/// Says that a row without a line is root's.
fn wish(cx: &mut Context, row: &Row) -> Result<String> {
    Ok(format!("{ROWS}.{}.user", cx.key(row)?))
}

/// The keys in the file are root's.
fn user(cx: &mut Context, row: &Row) -> Result<Text> {
    let wish = wish(cx, row)?;
    let is_root = line_of(cx, row)?.is_some() || cx.own(&wish).is_some();
    Ok(if is_root { users::root(cx) } else { Text::Borrowed("") })
}

fn set_user(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    if value != users::root(cx) {
        return Err(Fault::value("the keys are those of root"));
    }
    let wish = wish(cx, row)?;
    cx.set_own(&wish, Some("root"));
    Ok(())
}

fn key(cx: &mut Context, row: &Row) -> Result<Text> {
    Ok(line_of(cx, row)?.map_or(Text::Borrowed(""), Text::Owned))
}

fn set_key(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let before = line_of(cx, row)?;
    if before.as_deref().unwrap_or_default() == value {
        return Ok(());
    }
    if value.is_empty() {
        return Err(Fault::value("delete the row to take the key away"));
    }
    let new = hash(value);
    if lines(cx).iter().any(|(hash, _)| *hash == new) {
        return Err(Fault::value("another row has this key"));
    }
    rewrite(cx, before.as_deref(), Some(value))?;
    let key = cx.key(row)?;
    let mut rows = own_keys::list(cx, ROWS);
    if !rows.contains(&key) {
        rows.push(key.clone());
        own_keys::keep(cx, ROWS, &rows);
    }
    cx.set_own(&own(&key), Some(&new));
    Ok(())
}

/// Puts one line in the place of another one. All other lines stay as they are.
fn rewrite(cx: &mut Context, before: Option<&str>, after: Option<&str>) -> Result<(), Fault> {
    let text = cx.file(FILE).unwrap_or_default();
    let mut lines: Vec<&str> = text.lines().collect();
    let place = before.and_then(|before| lines.iter().position(|line| line.trim() == before));
    match (place, after) {
        (Some(place), Some(after)) => {
            if let Some(line) = lines.get_mut(place) {
                *line = after;
            }
        }
        (Some(place), None) => {
            lines.remove(place);
        }
        (None, Some(after)) => lines.push(after),
        (None, None) => return Ok(()),
    }
    let mut text = lines.join("\n");
    if !text.is_empty() {
        text.push('\n');
    }
    cx.replace_file(FILE, 0o600, text)
}

fn add(cx: &mut Context, _: &Row) -> Result<String, Fault> {
    if !cx.system().file_info(DIRECTORY).is_ok_and(|info| info.directory) {
        return Err(Fault::new(FaultCode::REQUEST_DENIED, "dropbear is not installed"));
    }
    Ok(own_keys::add(cx, ROWS))
}

fn delete(cx: &mut Context, row: &Row) -> Result<(), Fault> {
    let line = line_of(cx, row)?;
    rewrite(cx, line.as_deref(), None)?;
    let key = cx.key(row)?;
    own_keys::remove(cx, ROWS, &key);
    own_keys::set_own(cx, &own(&key), None);
    let wish = wish(cx, row)?;
    own_keys::set_own(cx, &wish, None);
    Ok(())
}
