//! Certificates for tests, made on the spot: a CA, what it signs, and rustls servers that show it.

// Each test file uses a part of it.
#![allow(dead_code)]

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use std::sync::Arc;

/// 2020-01-01 and 2030-01-01, between which the certificates are valid, in seconds since 1970.
pub const NOT_BEFORE: u64 = 1_577_836_800;
pub const NOT_AFTER: u64 = 1_893_456_000;

/// A certificate authority.
pub struct Ca(CertifiedIssuer<'static, KeyPair>);

/// A certificate with what it takes to use it.
pub struct Identity {
    /// Itself first.
    pub chain: Vec<CertificateDer<'static>>,
    pub key: KeyPair,
}

fn params(name: &str, years: (i32, i32)) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(years.0, 1, 1);
    params.not_after = date_time_ymd(years.1, 1, 1);
    params
}

fn ca_params(name: &str, years: (i32, i32)) -> CertificateParams {
    let mut params = params(name, years);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    params
}

impl Ca {
    /// A root, valid from 2020 to 2030.
    pub fn new(name: &str) -> Self {
        Self(CertifiedIssuer::self_signed(ca_params(name, (2020, 2030)), KeyPair::generate().unwrap()).unwrap())
    }

    /// A CA below this one, valid from the first of these years to the last.
    pub fn intermediate(&self, name: &str, years: (i32, i32)) -> Self {
        Self(CertifiedIssuer::signed_by(ca_params(name, years), KeyPair::generate().unwrap(), &self.0).unwrap())
    }

    /// Its certificate as a PEM file has it.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// Its certificate.
    pub fn der(&self) -> CertificateDer<'static> {
        self.0.der().clone()
    }

    /// A certificate for these names or addresses in the subjectAltName, valid from 2020 to 2030.
    pub fn issue(&self, names: &[&str]) -> Identity {
        self.issue_for(names, "acs.example.com", (2020, 2030))
    }

    /// The same with a common name and years of its own.
    pub fn issue_for(&self, names: &[&str], common_name: &str, years: (i32, i32)) -> Identity {
        let key = KeyPair::generate().unwrap();
        let mut params = params(common_name, years);
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        params.subject_alt_names = CertificateParams::new(names).unwrap().subject_alt_names;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = params.signed_by(&key, &self.0).unwrap();
        Identity { chain: vec![certificate.der().clone()], key }
    }
}

impl Identity {
    /// A certificate that vouches for itself and is marked as one of a CA, as `openssl req -x509` makes it, valid from 2020 to 2030.
    pub fn of_itself(names: &[&str]) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = ca_params("acs.example.com", (2020, 2030));
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        params.subject_alt_names = CertificateParams::new(names).unwrap().subject_alt_names;
        let certificate = params.self_signed(&key).unwrap();
        Self { chain: vec![certificate.der().clone()], key }
    }

    fn private_key(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.key.serialize_der()).into()
    }

    /// The certificate as a PEM file has it.
    pub fn pem(&self) -> String {
        use std::fmt::Write;
        let mut text = String::new();
        for certificate in &self.chain {
            let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, certificate);
            write!(text, "-----BEGIN CERTIFICATE-----\n{encoded}\n-----END CERTIFICATE-----\n").unwrap();
        }
        text
    }

    /// What a server needs to show this certificate; with a CA it demands one of it from the client.
    pub fn server(&self, clients: Option<&Ca>) -> Arc<ServerConfig> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder =
            ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions().unwrap();
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(ca) => {
                let mut roots = RootCertStore::empty();
                roots.add(ca.der()).unwrap();
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
                builder.with_client_cert_verifier(verifier)
            }
        };
        Arc::new(builder.with_single_cert(self.chain.clone(), self.private_key()).unwrap())
    }
}
