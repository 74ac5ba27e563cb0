//! What nobody's browser sends.

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use webauthn_rs::prelude::PublicKeyCredential;

use super::{Device, ada};
use crate::kit::error::Code;
use crate::users::local::access::passkeys::LONGEST;
use crate::users::local::tests::somebody::{EMAIL, ORIGIN, PASSWORD, Somebody};

/// A number below `below`.
fn draw(below: usize) -> usize {
    let mut bytes = [0; 8];
    SystemRandom::new().fill(&mut bytes).unwrap();
    usize::try_from(u64::from_le_bytes(bytes) % below as u64).unwrap()
}

/// A text or a string of bytes as CBOR: `kind` is the major type, in the upper three bits.
fn cbor(kind: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    [&[kind | 0x19], length.as_slice(), content].concat()
}

/// Attestation objects of each kind that the library reads, none of them right.
fn attestations(data: &[u8]) -> Vec<Vec<u8>> {
    let (text, bytes) = (|text: &str| cbor(0x60, text.as_bytes()), |bytes: &[u8]| cbor(0x40, bytes));
    let fields: Vec<Vec<u8>> = vec![
        [text("alg"), vec![0x26]].concat(),
        [text("sig"), bytes(&[7; 70])].concat(),
        [text("x5c"), vec![0x81], bytes(&[0x30; 300])].concat(),
        [text("ver"), text("2.0")].concat(),
        [text("certInfo"), bytes(&[0xff; 120])].concat(),
        [text("pubArea"), bytes(&[0; 120])].concat(),
        [text("response"), bytes(b"{}")].concat(),
    ];
    let object = |format: &str, chosen: usize| {
        let chosen_fields: Vec<_> = (0..fields.len()).filter(|at| chosen >> at & 1 == 1).collect();
        let mut object = [vec![0xa3], text("fmt"), text(format), text("attStmt")].concat();
        object.push(0xa0 | u8::try_from(chosen_fields.len()).unwrap());
        for at in chosen_fields {
            object.extend(&fields[at]);
        }
        [object, text("authData"), bytes(data)].concat()
    };
    let formats = ["none", "packed", "tpm", "fido-u2f", "apple", "android-key", "android-safetynet"];
    formats.iter().flat_map(|format| (0..128).map(|chosen| object(format, chosen))).collect()
}

#[tokio::test]
async fn no_broken_answer_makes_a_panic() {
    let stage = Somebody::set().await;
    let ada = stage.somebody(EMAIL, Some(PASSWORD), "password").await;
    let account = stage.store.login(ada.user_id).await.unwrap().unwrap().account;
    let (options, state) = stage.keys().party.creation(&account, vec![]).unwrap();
    let options = serde_json::to_value(&options).unwrap();
    let device = Device::at(ORIGIN);
    let whole = device.attestation_object("example.org");
    let taken = |object: &[u8]| {
        let answer = device.answer_to_creation(&options["publicKey"], object);
        stage.keys().party.created(&serde_json::from_value(answer).unwrap(), &state).is_ok()
    };
    assert!(taken(&whole));
    assert!((0..whole.len()).all(|end| !taken(&whole[..end])));
    // Arrays, maps, texts and bytes that say they are endless, and nesting without end.
    for head in [0x9b, 0xbb, 0x7b, 0x5b] {
        assert!(!taken(&[head, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]));
    }
    for nested in [0x81, 0xa1, 0xc1, 0x9f, 0xbf] {
        assert!(!taken(&vec![nested; LONGEST]));
    }
    // The authenticator data is what follows the 31 bytes of everything else.
    let kinds = attestations(&whole[31..]);
    let good = kinds.iter().filter(|object| taken(object)).count();
    assert_eq!(good, 128, "those of the format `none`, which says nothing");
    for at in 0..3000 {
        let mut broken = if at % 2 == 0 { whole.clone() } else { kinds[draw(kinds.len())].clone() };
        for _ in 0..=draw(4) {
            let at = draw(broken.len());
            broken[at] = u8::try_from(draw(256)).unwrap();
        }
        taken(&broken);
    }
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_not_read() {
    let stage = Somebody::set().await;
    let (ada, mut device) = ada(&stage).await;
    let (options, token) = stage.asked_to_create(&ada).await;
    let long = device.answer_to_creation(&options["publicKey"], &vec![0x80; LONGEST]);
    assert!(stage.try_add(&ada, &token, long).await.unwrap_err().to_string().contains("longer"));
    let (options, token) = stage.asked_to_answer().await;
    let mut answer = device.answer(&options);
    answer["response"]["signature"] = json!(URL_SAFE_NO_PAD.encode(vec![0; LONGEST]));
    assert_eq!(stage.try_log_in(&token, answer).await.unwrap_err().code(), Code::Unauthorized);
}

#[tokio::test]
async fn no_broken_log_in_makes_a_panic() {
    let stage = Somebody::set().await;
    let ada = stage.somebody(EMAIL, Some(PASSWORD), "password").await;
    let account = stage.store.login(ada.user_id).await.unwrap().unwrap().account;
    let party = &stage.keys().party;
    let (options, state) = party.creation(&account, vec![]).unwrap();
    let mut device = Device::at(ORIGIN);
    let answer = device.create(&serde_json::to_value(&options).unwrap());
    let passkey = party.created(&serde_json::from_value(answer).unwrap(), &state).unwrap();

    let (options, state) = party.request().unwrap();
    let whole = device.answer(&serde_json::to_value(&options).unwrap());
    let taken = |answer: &Value| {
        let answer: PublicKeyCredential = serde_json::from_value(answer.clone()).unwrap();
        party.answered(&answer, state.clone(), &passkey).is_ok()
    };
    assert!(taken(&whole));
    for at in 0..1500 {
        let field = ["authenticatorData", "signature", "clientDataJSON"][at % 3];
        let mut broken = whole.clone();
        let mut bytes = URL_SAFE_NO_PAD.decode(whole["response"][field].as_str().unwrap()).unwrap();
        match draw(3) {
            0 => bytes.truncate(draw(bytes.len())),
            1 => bytes.extend([0xff; 40]),
            _ => {
                let at = draw(bytes.len());
                bytes[at] ^= 1 << draw(8);
            }
        }
        broken["response"][field] = json!(URL_SAFE_NO_PAD.encode(bytes));
        assert!(!taken(&broken), "{field}: {broken}");
    }
}
