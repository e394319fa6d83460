//! An archive of settings, as `sysupgrade -b` makes it (tar in gzip): looked through before anything of it is used, and written anew without
//! what must not be restored. What is handed on is only what was looked at.

use std::fmt;
use std::io::{self, ErrorKind, Read, Write};

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;

use crate::platform::uci;

/// The blocks of tar, in bytes.
const BLOCK: usize = 512;

/// The most that an archive may be unpacked, in bytes, and the most files in it.
const LARGEST: u64 = 64 << 20;
const MOST_MEMBERS: usize = 20_000;

/// The longest name, and the longest extended header, in bytes.
const LONGEST_NAME: usize = 4096;

/// Where the packages of UCI lie in it.
const CONFIG: &str = "etc/config/";

/// Why an archive cannot be used.
#[derive(Debug)]
pub enum Failure {
    /// What is wrong with it, in one line.
    Bad(String),
    /// The copy could not be written.
    Write(io::Error),
}

fn bad<T>(text: impl fmt::Display) -> Result<T, Failure> {
    Err(Failure::Bad(text.to_string()))
}

/// Copies an archive without the members that `keep` does not want, and returns the packages of UCI in it. Names come to `keep` without
/// `./`. Refused is all that could be written elsewhere than where it seems to: absolute names, `..`, links, devices; a package that does not
/// parse; and an archive that is damaged or cut off.
///
/// # Errors
/// See [`Failure`]; what has been written by then is no archive.
pub fn copy(from: &mut dyn Read, to: &mut dyn Write, keep: &dyn Fn(&str) -> bool) -> Result<Vec<String>, Failure> {
    let mut source = Source { reader: MultiGzDecoder::new(from), left: LARGEST };
    let mut out = GzEncoder::new(to, Compression::fast());
    let mut packages = Vec::new();
    let mut extended = Extended::default();
    for _ in 0..MOST_MEMBERS {
        let mut header = [0; BLOCK];
        source.block(&mut header)?;
        if header.iter().all(|&byte| byte == 0) {
            source.drain()?;
            out.write_all(&[0; 2 * BLOCK]).and_then(|()| out.finish().map(drop)).map_err(Failure::Write)?;
            return Ok(packages);
        }
        let member = Member::read(&header)?;
        if matches!(member.kind, b'L' | b'x') {
            extended.add(&header, &member, &mut source)?;
            continue;
        }
        let extended = std::mem::take(&mut extended);
        let name = plain_name(extended.name.as_deref().unwrap_or(&member.name))?;
        let is_directory = member.kind == b'5' || name.ends_with('/');
        let kept = keep(&name);
        match member.kind {
            0 | b'0' | b'5' | b'7' => {}
            b'1' | b'2' if kept => return bad(format!("{name} is a link")),
            _ if kept => return bad(format!("{name} is not a file")),
            _ => {}
        }
        if is_directory && member.size > 0 {
            return bad(format!("{name} is a directory with a content"));
        }
        if kept {
            out.write_all(&extended.raw).and_then(|()| out.write_all(&header)).map_err(Failure::Write)?;
        }
        let package = name.strip_prefix(CONFIG).filter(|package| kept && !is_directory && is_package(package));
        let mut content = Vec::new();
        if package.is_some() && member.size > uci::MAX_LEN as u64 {
            return bad(format!("{name} is too long"));
        }
        source.content(member.size, &mut |piece, padding| {
            if package.is_some() {
                content.extend_from_slice(piece);
            }
            if kept { out.write_all(piece).and_then(|()| out.write_all(padding)) } else { Ok(()) }
        })?;
        if let Some(package) = package {
            if let Some(problem) = uci::Package::parse(package, &content).problems().first() {
                return bad(format!("{name}, line {}: {}", problem.line, problem.reason));
            }
            packages.push(package.to_owned());
        }
    }
    bad("it holds too many files")
}

/// As in the directory of packages: editors and package managers leave other files there.
pub(super) fn is_package(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// The name without `./`; a directory may end with a slash.
fn plain_name(name: &[u8]) -> Result<String, Failure> {
    let Ok(name) = std::str::from_utf8(name) else { return bad("a name in it is not UTF-8") };
    if name.is_empty() || name.starts_with('/') || name.contains(char::is_control) {
        return bad(format!("{name:?} is not a name beneath the root"));
    }
    // More than one slash is as good as one to tar, and a name that is written in another way is still that file.
    let parts: Vec<&str> = name.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    if parts.contains(&"..") {
        return bad(format!("{name:?} leads out of its directory"));
    }
    let end = if name.ends_with('/') && !parts.is_empty() { "/" } else { "" };
    Ok(parts.join("/") + end)
}

/// Takes a piece of a content, and the padding after it.
type Take<'t> = dyn FnMut(&[u8], &[u8]) -> io::Result<()> + 't;

/// The unpacked bytes.
struct Source<'a> {
    reader: MultiGzDecoder<&'a mut dyn Read>,
    /// How many more are taken.
    left: u64,
}

impl Source<'_> {
    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), Failure> {
        let length = buffer.len() as u64;
        let Some(left) = self.left.checked_sub(length) else { return bad("it is too large") };
        self.left = left;
        self.reader.read_exact(buffer).or_else(|error| match error.kind() {
            ErrorKind::UnexpectedEof => bad("it is cut off"),
            _ => bad("it is damaged"),
        })
    }

    fn block(&mut self, block: &mut [u8; BLOCK]) -> Result<(), Failure> {
        self.fill(block)
    }

    /// The content of a member in pieces, the last one with the padding that follows it.
    fn content(&mut self, size: u64, take: &mut Take<'_>) -> Result<(), Failure> {
        let mut buffer = [0; 16 * BLOCK];
        let mut left = size;
        while left > 0 {
            let piece = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
            let padded = piece.div_ceil(BLOCK) * BLOCK;
            let Some(blocks) = buffer.get_mut(..padded) else { return bad("it is damaged") };
            self.fill(blocks)?;
            let (content, padding) = blocks.split_at(piece);
            take(content, padding).map_err(Failure::Write)?;
            left -= piece as u64;
        }
        Ok(())
    }

    /// Reads on to the checksum.
    fn drain(&mut self) -> Result<(), Failure> {
        let mut buffer = [0; BLOCK];
        loop {
            match self.reader.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(amount) => {
                    let Some(left) = self.left.checked_sub(amount as u64) else { return bad("it is too large") };
                    self.left = left;
                }
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return bad("it is cut off"),
                Err(_) => return bad("it is damaged"),
            }
        }
    }
}

/// What a header says.
struct Member {
    name: Vec<u8>,
    size: u64,
    kind: u8,
}

impl Member {
    fn read(header: &[u8; BLOCK]) -> Result<Self, Failure> {
        let field = |start: usize, length: usize| header.get(start..start + length).unwrap_or_default();
        // The checksum counts its own field as blanks.
        let sum =
            header.iter().enumerate().map(|(i, &byte)| if (148..156).contains(&i) { 32 } else { u64::from(byte) });
        if number(field(148, 8)) != Some(sum.sum()) {
            return bad("it is not an archive of sysupgrade, or damaged");
        }
        let Some(size) = number(field(124, 12)) else { return bad("a file in it is too large") };
        let (name, prefix) = (text(field(0, 100)), text(field(345, 155)));
        let name = match (prefix, field(257, 6)) {
            ([], _) => name.to_vec(),
            (prefix, b"ustar\0") => [prefix, b"/", name].concat(),
            _ => return bad("a name in it is of a form that is not known"),
        };
        Ok(Self { name, size, kind: field(156, 1).first().copied().unwrap_or_default() })
    }
}

/// What stands before a member whose name does not fit its header.
#[derive(Default)]
struct Extended {
    /// As it was read.
    raw: Vec<u8>,
    name: Option<Vec<u8>>,
}

impl Extended {
    fn add(&mut self, header: &[u8; BLOCK], member: &Member, source: &mut Source<'_>) -> Result<(), Failure> {
        if member.size > LONGEST_NAME as u64 || self.raw.len() > 2 * LONGEST_NAME {
            return bad("a name in it is too long");
        }
        self.raw.extend_from_slice(header);
        let mut content = Vec::new();
        let raw = &mut self.raw;
        source.content(member.size, &mut |piece, padding| {
            content.extend_from_slice(piece);
            raw.extend_from_slice(piece);
            raw.extend_from_slice(padding);
            Ok(())
        })?;
        if member.kind == b'L' {
            self.name = Some(text(&content).to_vec());
        } else if let Some(path) = pax_path(&content)? {
            self.name = Some(path);
        }
        Ok(())
    }
}

/// The path in an extended header of POSIX: records of `length keyword=value`, each with a newline. What else would change how the
/// member is read is refused.
fn pax_path(mut records: &[u8]) -> Result<Option<Vec<u8>>, Failure> {
    let strange = "an extended header in it is of a form that is not known";
    let mut path = None;
    while !records.is_empty() {
        let digits = records.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let length = records.get(..digits).and_then(|text| std::str::from_utf8(text).ok()?.parse::<usize>().ok());
        let Some((record, rest)) = length.and_then(|length| records.split_at_checked(length)) else {
            return bad(strange);
        };
        let Some(record) = record.get(digits + 1..).and_then(|record| record.strip_suffix(b"\n")) else {
            return bad(strange);
        };
        let equals = record.iter().position(|&byte| byte == b'=').unwrap_or(record.len());
        match record.split_at(equals) {
            (b"path", [_, value @ ..]) => path = Some(value.to_vec()),
            (b"mtime" | b"atime" | b"ctime" | b"uid" | b"gid" | b"uname" | b"gname" | b"comment", _) => {}
            _ => return bad(strange),
        }
        records = rest;
    }
    Ok(path)
}

/// Up to the first NUL.
fn text(field: &[u8]) -> &[u8] {
    field.split(|&byte| byte == 0).next().unwrap_or_default()
}

/// Octal digits, with blanks or NULs around them.
fn number(field: &[u8]) -> Option<u64> {
    let digits = field.trim_ascii_start();
    let end = digits.iter().position(|byte| matches!(byte, 0 | b' ')).unwrap_or(digits.len());
    let (digits, rest) = digits.split_at(end);
    if !rest.iter().all(|byte| matches!(byte, 0 | b' ')) || !digits.iter().all(|byte| (b'0'..=b'7').contains(byte)) {
        return None;
    }
    digits.iter().try_fold(0_u64, |sum, digit| sum.checked_mul(8)?.checked_add(u64::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(tar: &[u8]) -> Vec<u8> {
        let mut out = GzEncoder::new(Vec::new(), Compression::fast());
        out.write_all(tar).unwrap();
        out.finish().unwrap()
    }

    fn copied(tar: &[u8]) -> Result<(Vec<u8>, Vec<String>), Failure> {
        let mut out = Vec::new();
        let packages = copy(&mut packed(tar).as_slice(), &mut out, &|_| true)?;
        Ok((out, packages))
    }

    /// A header with a right checksum.
    fn sealed(mut header: [u8; BLOCK]) -> [u8; BLOCK] {
        header[148..156].copy_from_slice(b"        ");
        let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        header
    }

    fn header(name: &str, size: usize) -> [u8; BLOCK] {
        let mut header = [0; BLOCK];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[124..136].copy_from_slice(format!("{size:011o}\0").as_bytes());
        header[156] = b'0';
        header[257..265].copy_from_slice(b"ustar\x0000");
        sealed(header)
    }

    /// Whatever a header says: it is refused, or what comes out is taken again and means the same.
    #[test]
    fn f13_any_byte_of_a_header_may_be_anything() {
        let content = [&b"config a\n"[..], &[0; BLOCK - 9]].concat();
        let good = header("etc/config/network", 9);
        let mut taken = 0;
        for place in 0..BLOCK {
            for byte in [0, b'/', b'.', b'1', b'7', b'L', b'x', 0x80, 0xff] {
                let mut changed = good;
                changed[place] = byte;
                let tar = [&sealed(changed)[..], &content, &[0; 2 * BLOCK]].concat();
                if let Ok((out, packages)) = copied(&tar) {
                    taken += 1;
                    let again = copy(&mut out.as_slice(), &mut io::sink(), &|name| {
                        assert!(!name.starts_with('/') && !name.split('/').any(|part| part == ".."), "{name}");
                        true
                    });
                    assert_eq!(again.unwrap(), packages);
                }
            }
        }
        assert!(taken > 100, "{taken}");
    }

    #[test]
    fn f13_a_long_name_may_stand_in_two_fields() {
        let mut with_prefix = header("network", 0);
        with_prefix[345..355].copy_from_slice(b"etc/config");
        assert_eq!(copied(&[&sealed(with_prefix)[..], &[0; 2 * BLOCK]].concat()).unwrap().1, ["network"]);
        with_prefix[345..355].copy_from_slice(b"../config\0");
        assert!(copied(&[&sealed(with_prefix)[..], &[0; 2 * BLOCK]].concat()).is_err());
        // Before POSIX that field meant something else.
        with_prefix[257..265].copy_from_slice(b"ustar  \0");
        assert!(copied(&[&sealed(with_prefix)[..], &[0; 2 * BLOCK]].concat()).is_err());
    }
}
