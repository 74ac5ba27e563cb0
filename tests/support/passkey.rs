//! A passkey in software: answers what a page would hand to `navigator.credentials`, as a device does
//! that keeps its keys and verifies its owner. It can also do wrong, to be refused.

#![allow(dead_code, reason = "each test that has it uses a part")]

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

const USER_PRESENT: u8 = 0x01;
const USER_VERIFIED: u8 = 0x04;
const HAS_CREDENTIAL: u8 = 0x40;

/// A passkey, and the browser that it is used in.
pub struct Passkey {
    /// The origin of the page that the browser shows.
    pub origin: String,
    /// Whether the owner is asked for a fingerprint or a PIN.
    pub verifies_user: bool,
    /// How often it has signed, as it says itself; always 0 for one that does not count.
    pub counter: u32,
    /// Whether it counts.
    pub counts: bool,
    /// The id that it has with the site.
    pub id: Vec<u8>,
    user: Option<Vec<u8>>,
    key: EcdsaKeyPair,
}

impl Passkey {
    /// A fresh one, on a page of `origin`.
    pub fn at(origin: &str) -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        // Unlike any other one's: as good as random.
        let id = sha256(key.public_key().as_ref()).to_vec();
        Self { origin: origin.to_owned(), verifies_user: true, counter: 0, counts: true, id, user: None, key }
    }

    /// What `navigator.credentials.create(options)` comes to, as `toJSON()` writes it.
    pub fn create(&mut self, options: &Value) -> Value {
        let options = &options["publicKey"];
        assert_eq!(options["authenticatorSelection"]["residentKey"], "required");
        assert_eq!(options["authenticatorSelection"]["userVerification"], "required");
        assert!(options["pubKeyCredParams"].as_array().unwrap().iter().any(|kind| kind["alg"] == -7));
        self.user = Some(decode(&options["user"]["id"]));
        let data = self.authenticator_data(&options["rp"]["id"], HAS_CREDENTIAL, &self.attested());
        self.answer_to_creation(options, &attestation(&data))
    }

    /// The same around an attestation object that somebody else wrote.
    pub fn answer_to_creation(&self, options: &Value, attestation: &[u8]) -> Value {
        json!({
            "id": encode(&self.id),
            "rawId": encode(&self.id),
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": { "credProps": { "rk": true } },
            "response": {
                "clientDataJSON": encode(&self.client_data("webauthn.create", &options["challenge"])),
                "attestationObject": encode(attestation),
                "transports": ["internal"],
            },
        })
    }

    /// What `navigator.credentials.get(options)` comes to.
    pub fn answer(&mut self, options: &Value) -> Value {
        let options = &options["publicKey"];
        assert_eq!(options["userVerification"], "required");
        if self.counts {
            self.counter += 1;
        }
        let data = self.authenticator_data(&options["rpId"], 0, &[]);
        let client_data = self.client_data("webauthn.get", &options["challenge"]);
        let signed = [data.as_slice(), &sha256(&client_data)].concat();
        let signature = self.key.sign(&SystemRandom::new(), &signed).unwrap();
        json!({
            "id": encode(&self.id),
            "rawId": encode(&self.id),
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
            "response": {
                "clientDataJSON": encode(&client_data),
                "authenticatorData": encode(&data),
                "signature": encode(signature.as_ref()),
                "userHandle": self.user.as_deref().map(encode),
            },
        })
    }

    fn client_data(&self, kind: &str, challenge: &Value) -> Vec<u8> {
        let data = json!({
            "type": kind,
            "challenge": challenge,
            "origin": self.origin,
            "crossOrigin": false,
        });
        data.to_string().into_bytes()
    }

    /// W3C Web Authentication, level 3, §6.1.
    fn authenticator_data(&self, domain: &Value, flags: u8, rest: &[u8]) -> Vec<u8> {
        let verified = if self.verifies_user { USER_VERIFIED } else { 0 };
        let mut data = sha256(domain.as_str().unwrap().as_bytes()).to_vec();
        data.push(USER_PRESENT | verified | flags);
        data.extend(self.counter.to_be_bytes());
        data.extend(rest);
        data
    }

    /// §6.5.1: no model, the id, and the public key as CBOR (RFC 9053 §7.1).
    fn attested(&self) -> Vec<u8> {
        // Uncompressed: 4, x, y.
        let (x, y) = self.key.public_key().as_ref()[1..].split_at(32);
        let mut data = vec![0; 16];
        data.extend(u16::try_from(self.id.len()).unwrap().to_be_bytes());
        data.extend(&self.id);
        // {1: 2 (two coordinates), 3: -7 (ES256), -1: 1 (P-256), -2: x, -3: y}
        data.extend([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20]);
        data.extend(x);
        data.extend([0x22, 0x58, 0x20]);
        data.extend(y);
        data
    }

    /// The attestation object that [`Passkey::create`] would send, for who wants to break it.
    pub fn attestation_object(&self, domain: &str) -> Vec<u8> {
        attestation(&self.authenticator_data(&json!(domain), HAS_CREDENTIAL, &self.attested()))
    }
}

/// §6.5.4, with the format `none`: `{"fmt": "none", "attStmt": {}, "authData": …}`.
fn attestation(data: &[u8]) -> Vec<u8> {
    let mut object = vec![0xa3];
    object.extend(b"\x63fmt\x64none\x67attStmt\xa0\x68authData\x59");
    object.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
    object.extend(data);
    object
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    digest(&SHA256, bytes).as_ref().try_into().unwrap()
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn decode(text: &Value) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text.as_str().unwrap()).unwrap()
}
