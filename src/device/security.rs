//! `Device.Security.Certificate.{i}.`: the certificates that the agent itself uses, and those that lie one by one in `/etc/ssl/certs`.
//!
//! The bundle of all public CAs (`ca-certificates.crt`) is left out: more than a hundred rows that nobody on this router has chosen.

mod certificate;

use std::fmt::Write as _;
use std::rc::Rc;
use std::time::SystemTime;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use sha2::{Digest, Sha256};

use certificate::Certificate;

use crate::error::{Fault, Result};
use crate::model::context::{Context, Row};
use crate::model::schema::{Object, Rows, Table, Text, always, count, get, get_set, ro, rw};
use crate::model::value::{BOOLEAN, DATE_TIME, STRING, Type, UNKNOWN_TIME, UNSIGNED_INT};
use crate::sorted::Map;
use crate::time::UtcTime;

const DIRECTORY: &str = "/etc/ssl/certs";
const BUNDLE: &str = "ca-certificates.crt";
/// The most certificates taken from one file, and in all.
const MOST_IN_FILE: usize = 16;
const MOST: usize = 256;

const NAME: Type = STRING.lengths(&[(0, 256)]);

/// TR-181 2.17 Device.Security.
pub static SECURITY: Object =
    Object::single("Device.Security.", &[ro("CertificateNumberOfEntries", UNSIGNED_INT, count("Certificate"))]);

/// TR-181 2.17 Device.Security.Certificate.{i}.; a certificate is known by its hash.
pub static CERTIFICATE: Object = Object::table(
    "Device.Security.Certificate.{i}.",
    Table::new(Rows::Keys(|cx, _| Ok(found(cx)?.keys().to_vec()))).keys(&[always(&["SerialNumber", "Issuer"])]),
    &[
        rw("Enable", BOOLEAN, get_set(|_, _| Ok(Text::Borrowed("true")), set_enable)),
        ro("LastModif", DATE_TIME, get(|cx, row| read(cx, row, |found| &found.changed))),
        ro("SerialNumber", STRING.lengths(&[(0, 64)]), get(|cx, row| read(cx, row, |found| &found.serial))),
        ro("Issuer", NAME, get(|cx, row| read(cx, row, |found| &found.issuer))),
        ro("NotBefore", DATE_TIME, get(|cx, row| read(cx, row, |found| &found.not_before))),
        ro("NotAfter", DATE_TIME, get(|cx, row| read(cx, row, |found| &found.not_after))),
        ro("Subject", NAME, get(|cx, row| read(cx, row, |found| &found.subject))),
        ro("SubjectAlt", STRING.list_within((0, u32::MAX), 256), get(|cx, row| read(cx, row, |found| &found.names))),
        ro("SignatureAlgorithm", NAME, get(|cx, row| read(cx, row, |found| &found.algorithm))),
    ],
);

/// The objects of this file.
pub static OBJECTS: &[&Object] = &[&SECURITY, &CERTIFICATE];

/// A certificate as the parameters tell it.
struct Found {
    changed: String,
    serial: String,
    issuer: String,
    subject: String,
    names: String,
    not_before: String,
    not_after: String,
    algorithm: String,
}

/// All certificates, read once a request; what is no certificate is passed over.
fn found(cx: &mut Context) -> Result<Rc<Map<String, Found>>> {
    cx.memo("certificates", |cx| {
        let acs = cx.package("cwmpd")?.find("acs");
        let option = |name| acs.and_then(|acs| acs.get(name)).filter(|path| path.starts_with('/')).map(String::from);
        let mut files: Vec<String> = [option("client_cert"), option("ca_file")].into_iter().flatten().collect();
        let is_one = |name: &&String| (name.ends_with(".crt") || name.ends_with(".pem")) && name.as_str() != BUNDLE;
        files.extend(cx.directory(DIRECTORY).iter().filter(is_one).map(|name| format!("{DIRECTORY}/{name}")));
        files.retain(|file| !file.ends_with(&format!("/{BUNDLE}")));
        let mut all = Map::new();
        for file in files {
            let Ok(text) = cx.file(&file) else { continue };
            let changed = cx.system().file_info(&file).ok().map(|info| time(info.modified));
            for der in CertificateDer::pem_slice_iter(text.as_bytes()).take(MOST_IN_FILE).flatten() {
                if all.len() >= MOST {
                    break;
                }
                let Some(certificate) = Certificate::read(&der) else { continue };
                let changed = changed.clone().unwrap_or_else(|| UNKNOWN_TIME.into());
                all.get_or_insert_with(hash(&der), || Found::new(certificate, changed));
            }
        }
        Ok(all)
    })
}

impl Found {
    fn new(certificate: Certificate, changed: String) -> Self {
        let date = |date: Option<UtcTime>| date.map_or_else(|| UNKNOWN_TIME.into(), |date| date.to_string());
        Self {
            changed,
            serial: short(&certificate.serial, 64),
            issuer: short(&certificate.issuer, 256),
            subject: short(&certificate.subject, 256),
            names: alternative_names(&certificate.names),
            not_before: date(certificate.not_before),
            not_after: date(certificate.not_after),
            algorithm: certificate.algorithm,
        }
    }
}

/// The names and addresses, as many as fit; blanks and commas in them are percent-encoded (CONFORMANCE J-03).
fn alternative_names(names: &[String]) -> String {
    let mut list = String::new();
    for name in names {
        let item = name.replace('%', "%25").replace(',', "%2C").replace(char::is_whitespace, "%20");
        let comma = usize::from(!list.is_empty());
        if list.chars().count().saturating_add(item.chars().count()).saturating_add(comma) > 256 {
            break;
        }
        if comma == 1 {
            list.push(',');
        }
        list.push_str(&item);
    }
    list
}

fn hash(der: &CertificateDer<'_>) -> String {
    Sha256::digest(der).iter().take(16).fold(String::new(), |mut text, byte| {
        // Writing into a text does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn time(time: SystemTime) -> String {
    UtcTime::from(time).whole_seconds().to_string()
}

fn short(text: &str, characters: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(characters).collect()
}

fn read(cx: &mut Context, row: &Row, field: fn(&Found) -> &String) -> Result<Text> {
    let key = cx.key(row)?;
    Ok(found(cx)?.get(&key).map_or(Text::Borrowed(""), |found| Text::Owned(field(found).clone())))
}

fn set_enable(_: &mut Context, _: &Row, value: &str) -> Result<(), Fault> {
    match value {
        "true" => Ok(()),
        _ => Err(Fault::value("a certificate counts for as long as its file is there")),
    }
}
