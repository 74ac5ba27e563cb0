//! Secrets that cannot be printed by accident.

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What stands where a secret would be.
pub const MASK: &str = "********";

/// A secret setting. `Debug` and serialisation show only whether it is set; empty means that it is not.
#[derive(Clone, Default)]
pub struct Secret(SecretString);

impl Secret {
    /// Whether there is a secret at all.
    pub fn is_set(&self) -> bool {
        !self.expose().is_empty()
    }

    /// The secret in clear, for the one call that sends it.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// The secret in the type that other libraries take.
    pub fn as_secret(&self) -> &SecretString {
        &self.0
    }

    fn masked(&self) -> &'static str {
        if self.is_set() { MASK } else { "" }
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.is_set() { MASK } else { "unset" })
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.masked())
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_shows_only_that_it_is_set() {
        let secret = Secret::from("gsk-very-secret");
        assert_eq!(format!("{secret:?}"), MASK);
        assert_eq!(serde_json::to_string(&secret).unwrap(), format!("\"{MASK}\""));
        assert_eq!(secret.expose(), "gsk-very-secret");
        assert_eq!(format!("{:?}", Secret::default()), "unset");
        assert_eq!(serde_json::to_string(&Secret::default()).unwrap(), "\"\"");
    }
}
