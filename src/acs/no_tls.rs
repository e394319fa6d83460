//! Stands in for TLS in a build without it: an https URL is a clear error.

use super::error::{PostError, PostErrorKind};
use super::settings::Settings;
use super::wire::Wire;
use std::io::{self, Read, Write};
use std::path::Path;

/// What is kept between sessions: nothing in a build without TLS.
#[derive(Clone, Default, Debug)]
pub struct TlsSessions(());

/// No connection is of this kind.
#[derive(Debug)]
pub(super) enum TlsStream {}

impl TlsSessions {
    pub(super) fn connect(&self, _: &Settings, _: &str, _: Wire) -> Result<TlsStream, PostError> {
        Err(PostError::new(PostErrorKind::Tls, "this cwmpd is built without TLS: it can only use an http URL"))
    }
}

impl TlsStream {
    pub(super) fn wire(&mut self) -> &mut Wire {
        match *self {}
    }

    pub(super) fn close(&mut self) {
        match *self {}
    }
}

impl Read for TlsStream {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        match *self {}
    }
}

impl Write for TlsStream {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        match *self {}
    }

    fn flush(&mut self) -> io::Result<()> {
        match *self {}
    }
}

pub(super) fn explain(_: &io::Error, _: &Path) -> Option<PostError> {
    None
}
