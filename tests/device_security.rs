//! The certificates that the agent uses, made here with dates and names of their own.
#![cfg(feature = "ring")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

#[path = "common/model.rs"]
mod model;
#[path = "common/root.rs"]
mod root;

use model::Router;
use rcgen::{CertificateParams, DnType, KeyPair, SerialNumber, date_time_ymd};

const TABLE: &str = "Device.Security.Certificate.";

fn certificate(name: &str, names: &[&str], serial: u64) -> String {
    let names: Vec<String> = names.iter().map(|name| String::from(*name)).collect();
    let mut parameters = CertificateParams::new(names).unwrap();
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters.distinguished_name.push(DnType::OrganizationName, "Example, Inc.");
    parameters.serial_number = Some(SerialNumber::from(serial));
    parameters.not_before = date_time_ymd(2024, 2, 29);
    parameters.not_after = date_time_ymd(2051, 1, 1);
    parameters.self_signed(&KeyPair::generate().unwrap()).unwrap().pem()
}

fn with(files: &[(&str, &str)]) -> Router {
    let router = Router::new();
    if router.root.at("/etc/ssl/certs").exists() {
        router.root.remove("/etc/ssl/certs");
    }
    for (path, text) in files {
        router.root.write(path, text);
    }
    router.root.replace(
        "/etc/config/cwmpd",
        "config acs 'acs'",
        "config acs 'acs'\n\toption client_cert '/etc/cwmpd/client.pem'\n\toption ca_file '/etc/cwmpd/ca.pem'",
    );
    router
}

#[test]
fn certificates_of_the_agent_and_of_the_directory() {
    let client = certificate("00005E-router-1", &["router.example", "192.0.2.1", "2001:db8::1"], 4711);
    let ca = certificate("ISP CA", &[], 1);
    let own = certificate("company", &[], 2);
    let router = with(&[
        ("/etc/cwmpd/client.pem", &client),
        ("/etc/cwmpd/ca.pem", &format!("# two\n{ca}\n{client}")),
        ("/etc/ssl/certs/company.crt", &own),
        ("/etc/ssl/certs/ca-certificates.crt", &certificate("public", &[], 3)),
        ("/etc/ssl/certs/rubbish.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        ("/etc/ssl/certs/other.txt", &certificate("other", &[], 5)),
    ]);
    assert_eq!(router.get("Device.Security.CertificateNumberOfEntries"), "3", "each once, and no bundle");
    let subjects: Vec<String> = (1..=3).map(|row| router.get(&format!("{TABLE}{row}.Subject"))).collect();
    let row = subjects.iter().position(|subject| subject.contains("00005E-router-1")).unwrap() + 1;
    let get = |name: &str| router.get(&format!("{TABLE}{row}.{name}"));
    assert!(get("Subject").contains("O=Example\\, Inc."), "{}", get("Subject"));
    assert_eq!(get("Issuer"), get("Subject"));
    assert_eq!(get("SerialNumber"), "12:67");
    assert_eq!(get("NotBefore"), "2024-02-29T00:00:00Z");
    assert_eq!(get("NotAfter"), "2051-01-01T00:00:00Z");
    assert_eq!(get("SubjectAlt"), "router.example,192.0.2.1,2001:db8::1");
    assert_eq!(get("SignatureAlgorithm"), "ecdsa-with-SHA256");
    assert_ne!(get("LastModif"), "0001-01-01T00:00:00Z");
    assert_eq!(get("Enable"), "true");
    router.set(&[(&format!("{TABLE}{row}.Enable"), "true")]).unwrap();
    router.refused(&[(&format!("{TABLE}{row}.Enable"), "false")]);
    // Another file in its place is another certificate, and another row.
    router.root.write("/etc/ssl/certs/company.crt", certificate("company", &[], 6));
    let rows: Vec<String> = router.values(TABLE).into_iter().map(|(name, _)| name).collect();
    assert!(rows.iter().any(|name| name.starts_with(&format!("{TABLE}4."))), "{rows:?}");
}

#[test]
fn long_names_are_cut_at_an_item() {
    let long: Vec<String> = (0..20).map(|number| format!("host-{number:02}.a-rather-long-domain.example")).collect();
    let names: Vec<&str> = long.iter().map(String::as_str).collect();
    let router = with(&[("/etc/cwmpd/client.pem", &certificate("many", &names, 9))]);
    let list = router.get(&format!("{TABLE}1.SubjectAlt"));
    assert!(list.len() <= 256 && list.ends_with(".example"), "{list}");
}
