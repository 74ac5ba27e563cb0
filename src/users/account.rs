//! Accounts: what is known of a person or a service.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use unicode_normalization::UnicodeNormalization as _;
use utoipa::ToSchema;

use crate::kit::ids::UserId;
use crate::users::api::Preferences;

/// Whose account it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Somebody who logs in.
    Person,
    /// A program: it has API keys and nothing else.
    Service,
}

/// How an account stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It can be used.
    Active,
    /// Put aside by its owner or an administrator.
    Inactive,
    /// The e-mail address is not verified yet.
    Pending,
    /// Locked by an administrator.
    Suspended,
}

macro_rules! stored_words {
    ($type:ident { $($name:ident = $word:literal),* $(,)? }) => {
        impl $type {
            /// The word on the wire and in the store.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// Reads the word; `None` for another.
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$name),)* _ => None }
            }
        }
    };
}

stored_words!(Kind { Person = "person", Service = "service" });
stored_words!(Status {
    Active = "active",
    Inactive = "inactive",
    Pending = "pending",
    Suspended = "suspended",
});

/// An account, as its owner and administrators see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// Its id.
    pub id: UserId,
    /// A person or a service.
    pub kind: Kind,
    /// Its name, for people.
    #[schema(example = "Ada Lovelace")]
    pub name: String,
    /// As it was typed; absent for services and for the first account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "ada@example.org")]
    pub email: Option<String>,
    /// Whether somebody has shown that the address reaches them.
    pub email_verified: bool,
    /// How it stands.
    pub status: Status,
    /// Its role's name.
    #[schema(example = "student")]
    pub role: String,
    /// The institution that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub institution: Option<String>,
    /// The address of a picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar: Option<String>,
    /// What its owner prefers.
    pub preferences: Preferences,
    /// What its owner says about themselves.
    pub profile: Profile,
    /// Whatever clients keep with the account.
    #[schema(value_type = Object)]
    pub metadata: Map<String, Value>,
    /// Whether a second factor is asked for.
    pub second_factor: bool,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
    /// When it was last used, give or take a minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_active: Option<Timestamp>,
    /// Grows with every change; the `ETag`.
    #[serde(skip)]
    pub version: u64,
    /// Grows when what it may do changes.
    #[serde(skip)]
    pub epoch: u64,
}

/// What somebody says about themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Profile {
    /// In their own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bio: Option<String>,
    /// A telephone number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// A postal address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Addresses on the web, by what they are.
    #[serde(skip_serializing_if = "Map::is_empty")]
    #[schema(value_type = Object)]
    pub links: Map<String, Value>,
}

/// An e-mail address: one `@`, something on both sides, no blanks, at most 254 bytes (RFC 5321
/// §4.5.3.1.3). Whether it reaches anybody, only a message can tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    typed: String,
    key: String,
}

/// A text that is no e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an e-mail address such as `ada@example.org`, at most 254 bytes long")]
pub struct NoEmail;

/// A text as it is compared and searched: composed, case folded.
pub fn folded(text: &str) -> String {
    // Folded after composing, and composed again: folding can take a composed character apart. Upper
    // case first, letter by letter, so that ß and SS, and every sigma, are one.
    text.nfc().flat_map(char::to_uppercase).flat_map(char::to_lowercase).nfc().collect()
}

impl Email {
    /// Reads an address.
    ///
    /// # Errors
    /// [`NoEmail`].
    pub fn parse(text: &str) -> Result<Self, NoEmail> {
        let typed: String = text.trim().nfc().collect();
        let (local, domain) = typed.rsplit_once('@').ok_or(NoEmail)?;
        let plain = |part: &str| {
            !part.is_empty()
                && !part.contains('@')
                && part.chars().all(|char| !char.is_whitespace() && !char.is_control())
                && !part.contains(['<', '>', '(', ')', ',', ';', ':', '"', '\\', '[', ']'])
        };
        let dotted = |part: &str| !part.starts_with('.') && !part.ends_with('.') && !part.contains("..");
        if typed.len() > 254 || local.len() > 64 {
            return Err(NoEmail);
        }
        if !(plain(local) && plain(domain) && dotted(local) && dotted(domain)) {
            return Err(NoEmail);
        }
        let key = folded(&typed);
        Ok(Self { typed, key })
    }

    /// As it was typed.
    pub fn as_str(&self) -> &str {
        &self.typed
    }

    /// As it is compared: composed, case folded.
    pub fn key(&self) -> &str {
        &self.key
    }
}

impl Account {
    /// Where messages to its owner go: the address as its owner typed it, not as somebody else did.
    pub fn address(&self) -> Option<Email> {
        self.email.as_deref().and_then(|email| Email::parse(email).ok())
    }
}

impl<'de> Deserialize<'de> for Email {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_that_differ_in_case_or_composition_are_one() {
        let key = |text: &str| Email::parse(text).unwrap().key().to_owned();
        assert_eq!(key("Ada@Example.ORG"), key(" ada@example.org "));
        assert_eq!(key("Jos\u{e9}@example.org"), key("jose\u{301}@EXAMPLE.org"));
        assert_eq!(key("Stra\u{df}e@example.org"), key("STRASSE@EXAMPLE.ORG"));
        assert_eq!(
            key("\u{3c3}\u{3bf}\u{3c6}\u{3cc}\u{3c2}@example.org"),
            key("\u{3a3}\u{39f}\u{3a6}\u{38c}\u{3a3}@example.org")
        );
        assert_eq!(Email::parse("Ada@Example.org").unwrap().as_str(), "Ada@Example.org");
        assert_ne!(key("ada+x@example.org"), key("ada@example.org"));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            "@",
            "a@",
            "@b",
            "a b@c.d",
            "a@b@c",
            "a@b\r\nBcc: x@y.z",
            "a@.b",
            "a..b@c",
            ".a@b",
            "a@b.",
            "Ada <a@b.c>",
            "a,b@c.d",
        ] {
            assert_eq!(Email::parse(text), Err(NoEmail), "{text}");
        }
        assert_eq!(Email::parse(&format!("{}@b.c", "a".repeat(65))), Err(NoEmail));
        assert_eq!(Email::parse(&format!("a@{}", "b".repeat(253))), Err(NoEmail));
    }

    proptest! {
        #[test]
        fn an_address_reads_the_same_from_its_own_key(text in "\\PC{1,12}@\\PC{1,12}") {
            if let Ok(email) = Email::parse(&text) {
                let again = Email::parse(email.key());
                prop_assert_eq!(again.as_ref().map(Email::key), Ok(email.key()));
            }
        }
    }
}
