//! The installation's own secret: what must not be read out of a stolen database is sealed with it.
//!
//! AES-256-GCM, one key a purpose, each derived with HMAC-SHA-256. Losing the secret loses the second
//! factors and signing keys that it sealed; stealing the database without it gains none of them.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use secrecy::{ExposeSecret, SecretSlice};

use crate::kit::ids::Entropy;

/// What something is sealed or derived for; the one does not open the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The seed of a signing key.
    SigningKey,
    /// The secret of a second factor.
    Totp,
    /// What a one-time token carries.
    Payload,
    /// The successor of a refresh token.
    Refresh,
    /// The token of a known device.
    Device,
}

impl Purpose {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::SigningKey => b"voicera signing key 1",
            Self::Totp => b"voicera totp 1",
            Self::Payload => b"voicera one-time payload 1",
            Self::Refresh => b"voicera refresh token 1",
            Self::Device => b"voicera device token 1",
        }
    }
}

/// The secret.
pub struct Seal {
    secret: SecretSlice<u8>,
    entropy: Entropy,
}

/// Sealed bytes that this installation's secret does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "sealed with another secret than this installation's: restore the file `seal-key` of the data folder, or users.seal_key"
)]
pub struct NotOurs;

impl Seal {
    /// A seal with 32 or more secret bytes.
    pub fn new(secret: Vec<u8>, entropy: Entropy) -> Self {
        Self { secret: secret.into(), entropy }
    }

    /// 32 bytes that only this installation can make of `parts`.
    pub fn derive(&self, purpose: Purpose, parts: &[&[u8]]) -> [u8; 32] {
        let own = hmac::sign(&hmac_key(self.secret.expose_secret()), purpose.label());
        let mut context = hmac::Context::with_key(&hmac_key(own.as_ref()));
        for part in parts {
            // With its length in front, so that no two lists of parts read alike.
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        first_32(context.sign().as_ref())
    }

    /// Seals `clear` for `purpose`, bound to `owner`: it opens for that one alone.
    pub fn seal(&self, purpose: Purpose, owner: &[u8], clear: &[u8]) -> Result<Vec<u8>, NotOurs> {
        let nonce: [u8; NONCE_LEN] = self.entropy.bytes();
        let mut bytes = clear.to_vec();
        self.cipher(purpose)?
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(owner), &mut bytes)
            .map_err(|_| NotOurs)?;
        Ok([nonce.as_slice(), &bytes].concat())
    }

    /// Opens what [`Seal::seal`] made.
    ///
    /// # Errors
    /// [`NotOurs`].
    pub fn open(&self, purpose: Purpose, owner: &[u8], sealed: &[u8]) -> Result<Vec<u8>, NotOurs> {
        let (nonce, rest) = sealed.split_at_checked(NONCE_LEN).ok_or(NotOurs)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| NotOurs)?;
        let mut bytes = rest.to_vec();
        let clear =
            self.cipher(purpose)?.open_in_place(nonce, Aad::from(owner), &mut bytes).map_err(|_| NotOurs)?;
        Ok(clear.to_vec())
    }

    fn cipher(&self, purpose: Purpose) -> Result<LessSafeKey, NotOurs> {
        let key = self.derive(purpose, &[b"seal"]);
        UnboundKey::new(&AES_256_GCM, &key).map(LessSafeKey::new).map_err(|_| NotOurs)
    }
}

fn hmac_key(bytes: &[u8]) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, bytes)
}

fn first_32(bytes: &[u8]) -> [u8; 32] {
    let mut first = [0; 32];
    // A tag of HMAC-SHA-256 is 32 bytes long.
    first.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    first
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seal(secret: u8) -> Seal {
        Seal::new(vec![secret; 32], Entropy::seeded(1))
    }

    #[test]
    fn what_is_sealed_opens_for_its_owner_and_purpose_alone() {
        let sealed = seal(1).seal(Purpose::Totp, b"ada", b"secret").unwrap();
        assert_eq!(seal(1).open(Purpose::Totp, b"ada", &sealed).unwrap(), b"secret");
        assert_eq!(seal(1).open(Purpose::Totp, b"bob", &sealed), Err(NotOurs));
        assert_eq!(seal(1).open(Purpose::SigningKey, b"ada", &sealed), Err(NotOurs));
        assert_eq!(seal(2).open(Purpose::Totp, b"ada", &sealed), Err(NotOurs));
        for length in 0..sealed.len() {
            assert_eq!(seal(1).open(Purpose::Totp, b"ada", &sealed[..length]), Err(NotOurs));
        }
    }

    #[test]
    fn the_same_thing_never_looks_the_same_twice() {
        let seal = seal(1);
        assert_ne!(
            seal.seal(Purpose::Totp, b"", b"x").unwrap(),
            seal.seal(Purpose::Totp, b"", b"x").unwrap()
        );
    }

    #[test]
    fn what_is_derived_depends_on_every_part_and_on_where_they_end() {
        let seal = seal(1);
        let of = |parts: &[&[u8]]| seal.derive(Purpose::Refresh, parts);
        assert_eq!(of(&[b"ab", b"c"]), of(&[b"ab", b"c"]));
        assert_ne!(of(&[b"ab", b"c"]), of(&[b"a", b"bc"]));
        assert_ne!(of(&[b"ab"]), seal.derive(Purpose::Totp, &[b"ab"]));
    }
}
