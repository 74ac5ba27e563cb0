//! Secrets that are made up here: API keys, refresh tokens, tokens that are good once.
//!
//! 256 random bits behind a prefix that says what it is. Only the SHA-256 is kept: nobody guesses
//! 256 bits, so a slow hash would protect nothing more.

use std::fmt::Write as _;

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::kit::ids::Entropy;
use crate::users::store::Hash;

/// What a refresh token begins with.
pub const REFRESH_PREFIX: &str = "vr_";
/// What a token that is good once begins with.
pub const ONE_TIME_PREFIX: &str = "vo_";

/// A secret: the prefix, then the bits in hexadecimal.
pub fn written(prefix: &str, bits: &[u8; 32]) -> SecretString {
    let mut secret = String::with_capacity(prefix.len() + 64);
    secret.push_str(prefix);
    for byte in bits {
        // Writing to a string cannot fail.
        let _ = write!(secret, "{byte:02x}");
    }
    SecretString::from(secret)
}

/// A fresh one.
pub fn fresh(prefix: &str, entropy: &Entropy) -> SecretString {
    written(prefix, &entropy.bytes())
}

/// What is kept of it.
pub fn hash(secret: &SecretString) -> Hash {
    hash_of(secret.expose_secret())
}

/// The same, of what a client presented.
pub fn hash_of(text: &str) -> Hash {
    Sha256::digest(text.as_bytes()).into()
}
