//! Certificates of a test's own: an authority that nobody else knows, and a server that it vouches for.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};
use tempfile::TempDir;

/// Files in the format of PEM.
#[derive(Debug)]
pub struct Certificates {
    folder: TempDir,
}

impl Certificates {
    /// For a server at 127.0.0.1.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut authority = named("an authority", []);
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let authority = CertifiedIssuer::self_signed(authority, key()).expect("a certificate");
        let server_key = key();
        let server = named("a server", ["127.0.0.1".to_owned(), "localhost".to_owned()])
            .signed_by(&server_key, &authority)
            .expect("a certificate");
        write(&folder.path().join("authority.pem"), &[("CERTIFICATE", authority.der())]);
        let key = server_key.serialize_der();
        write(&folder.path().join("server.pem"), &[("CERTIFICATE", server.der()), ("PRIVATE KEY", &key)]);
        Self { folder }
    }

    /// The authority's certificate.
    pub fn authority(&self) -> String {
        shown(&self.folder.path().join("authority.pem"))
    }

    /// The server's certificate and its key.
    pub fn server(&self) -> String {
        shown(&self.folder.path().join("server.pem"))
    }
}

fn key() -> KeyPair {
    KeyPair::generate().expect("a key")
}

fn named<const N: usize>(name: &str, addresses: [String; N]) -> CertificateParams {
    let mut params = CertificateParams::new(addresses).expect("addresses");
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

fn write(file: &Path, parts: &[(&str, &[u8])]) {
    let mut text = String::new();
    for (label, der) in parts {
        let base64 = STANDARD.encode(der);
        let lines = base64.as_bytes().chunks(64).map(String::from_utf8_lossy).collect::<Vec<_>>();
        text +=
            &["-----BEGIN ", label, "-----\n", &lines.join("\n"), "\n-----END ", label, "-----\n"].concat();
    }
    std::fs::write(file, text).expect("the folder can be written");
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
