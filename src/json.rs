//! JSON in and out. Both go one way each, whatever they come from and go to, because every kind of reader and writer that serde_json is given
//! has it make all the code for all the types anew.

use std::io::Write;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Reads a value.
///
/// # Errors
/// When the text is no JSON, or not that of such a value.
pub fn read<T: DeserializeOwned>(text: &[u8]) -> serde_json::Result<T> {
    serde_json::from_slice(text)
}

/// Writes a value in one line, without its end.
///
/// # Errors
/// When it cannot be written there.
pub fn write(out: &mut dyn Write, value: &impl Serialize) -> serde_json::Result<()> {
    serde_json::to_writer(out, value)
}

/// A value in one line; empty when it cannot be one, as a map with keys that are no texts.
pub fn bytes(value: &impl Serialize) -> Vec<u8> {
    let mut bytes = Vec::new();
    match write(&mut bytes, value) {
        Ok(()) => bytes,
        Err(_) => Vec::new(),
    }
}
