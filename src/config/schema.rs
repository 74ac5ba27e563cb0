//! What keys there are: read off the embedded `config/default.toml`, which has every one of them.

use std::sync::LazyLock;

use figment::providers::{Format, Toml};
use figment::value::{Dict, Value};

use super::error::Origin;
use super::layer::Layer;
use super::span::Span;

/// The defaults, commented: part of the binary, and the reference for whoever configures it.
pub const DEFAULT_TOML: &str = include_str!("../../config/default.toml");

/// The keys whose values are secrets, and which a variable ending in `_FILE` may therefore set.
pub(crate) const SECRETS: [&str; 6] = [
    "storage.mongodb.url",
    "redis.url",
    "peers.service_key",
    "users.seal_key",
    "users.mail.smtp_url",
    "llm.api_key",
];

/// What kind of value a key takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Span,
    Integer,
    Decimal,
    Switch,
    List,
}

impl Kind {
    fn of(default: &Value) -> Option<Self> {
        match default {
            Value::String(_, text) if text.parse::<Span>().is_ok() => Some(Self::Span),
            Value::String(..) | Value::Char(..) => Some(Self::Text),
            Value::Bool(..) => Some(Self::Switch),
            Value::Num(_, number) if number.to_f64().is_some() => Some(Self::Decimal),
            Value::Num(..) => Some(Self::Integer),
            Value::Array(..) => Some(Self::List),
            Value::Dict(..) | Value::Empty(..) => None,
        }
    }

    /// Whether `value` is of this kind.
    pub(crate) fn takes(self, value: &Value) -> bool {
        match (self, value) {
            (Self::Text | Self::Span, Value::String(..) | Value::Char(..))
            | (Self::Switch, Value::Bool(..))
            // 1 is as good as 1.0.
            | (Self::Decimal, Value::Num(..)) => true,
            (Self::Integer, Value::Num(_, number)) => number.to_f64().is_none(),
            (Self::List, Value::Array(_, items)) => items.iter().all(|item| item.as_str().is_some()),
            _ => false,
        }
    }

    /// What to write, for a message.
    pub(crate) const fn example(self) -> &'static str {
        match self {
            Self::Text => "text in quotes",
            Self::Span => "a span of time in quotes, such as \"30s\"",
            Self::Integer => "a whole number, such as 100",
            Self::Decimal => "a number, such as 0.5",
            Self::Switch => "true or false, without quotes",
            Self::List => "a list of texts, such as [\"a\", \"b\"]",
        }
    }
}

/// Every key with its default.
#[derive(Debug, Default)]
pub(crate) struct Schema {
    defaults: Dict,
    keys: Vec<String>,
}

static EMBEDDED: LazyLock<Schema> = LazyLock::new(|| Schema {
    // Should the embedded file not parse, loading fails with every key missing; a test sees that it does.
    defaults: Toml::from_str(DEFAULT_TOML).unwrap_or_default(),
    keys: keys_in_order(DEFAULT_TOML),
});

impl Schema {
    /// The one of the embedded defaults.
    pub(crate) fn embedded() -> &'static Self {
        &EMBEDDED
    }

    /// Every key in dotted form, in the order of the file.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(String::as_str)
    }

    /// The place of `key` in the file.
    pub(crate) fn position(&self, key: &str) -> Option<usize> {
        self.keys.iter().position(|known| known == key)
    }

    /// The default of `key`.
    pub(crate) fn default_of(&self, key: &str) -> Option<&Value> {
        let (first, rest) = key.split_once('.').unwrap_or((key, ""));
        self.defaults.get(first)?.find_ref(rest)
    }

    /// The kind of value that `key` takes; nothing for a section or an unknown key.
    pub(crate) fn kind_of(&self, key: &str) -> Option<Kind> {
        Kind::of(self.default_of(key)?)
    }

    /// Every section in dotted form.
    pub(crate) fn sections(&self) -> impl Iterator<Item = &str> {
        self.keys().filter_map(|key| Some(key.rsplit_once('.')?.0))
    }

    /// The weakest layer.
    pub(crate) fn layer(&self) -> Layer {
        Layer { origin: Origin::Default, values: self.defaults.clone() }
    }
}

/// The variable that sets `key`.
pub(crate) fn variable_of(key: &str) -> String {
    format!("VOICERA_{}", key.replace('.', "__").to_ascii_uppercase())
}

/// The keys of a TOML text that keeps to one `key = value` a line under `[section]` headers, as ours does.
fn keys_in_order(text: &str) -> Vec<String> {
    let mut section = "";
    let mut keys = Vec::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name;
        } else if let Some((key, _)) = line.split_once(" = ").filter(|_| !line.starts_with('#')) {
            keys.push(format!("{section}.{key}"));
        }
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn leaves(path: &str, value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Dict(_, dict) => dict.iter().for_each(|(key, value)| {
                leaves(&format!("{path}{}{key}", if path.is_empty() { "" } else { "." }), value, found);
            }),
            _ => found.push(path.to_owned()),
        }
    }

    #[test]
    fn the_embedded_file_says_what_the_structs_do() {
        let from_file: Config = Value::from(EMBEDDED.defaults.clone()).deserialize().unwrap();
        let from_code = Value::serialize(Config::default()).unwrap();
        assert_eq!(Value::serialize(from_file).unwrap(), from_code);
    }

    #[test]
    fn every_key_is_found_in_its_order_with_a_kind() {
        let mut found = Vec::new();
        leaves("", &Value::from(EMBEDDED.defaults.clone()), &mut found);
        let mut keys = EMBEDDED.keys.clone();
        assert_eq!(keys.first().map(String::as_str), Some("server.role"));
        keys.sort();
        found.sort();
        assert_eq!(keys, found);
        for key in &keys {
            assert!(EMBEDDED.kind_of(key).is_some(), "{key}");
        }
        assert_eq!(EMBEDDED.kind_of("voice.queue"), None);
        for secret in SECRETS {
            assert_eq!(EMBEDDED.kind_of(secret), Some(Kind::Text));
        }
    }

    #[test]
    fn every_key_is_commented() {
        let mut commented = false;
        for line in DEFAULT_TOML.lines() {
            // One comment may be for several addresses.
            let is_url = line.contains("_url = ") || line.contains("_urls = ");
            assert!(!line.contains(" = ") || line.starts_with('#') || commented || is_url, "{line}");
            commented = line.starts_with('#');
        }
    }
}
