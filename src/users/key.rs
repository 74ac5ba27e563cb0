//! API keys: how they are made.

use std::fmt::Write as _;

use secrecy::SecretString;

use crate::kit::ids::Entropy;

/// What every key begins with, so that scanners and people recognise one.
pub const PREFIX: &str = "vk_";

/// A fresh key: the prefix and 256 random bits in hexadecimal.
pub fn fresh(entropy: &Entropy) -> SecretString {
    let mut key = String::with_capacity(PREFIX.len() + 64);
    key.push_str(PREFIX);
    for byte in entropy.bytes::<32>() {
        // Writing to a string cannot fail.
        let _ = write!(key, "{byte:02x}");
    }
    SecretString::from(key)
}
