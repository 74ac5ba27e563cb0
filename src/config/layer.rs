//! One layer of the configuration: values from one origin, made sure to be known keys of the right kind
//! before they are merged.

use std::collections::BTreeMap;

use figment::value::{Dict, Map, Value};
use figment::{Error, Metadata, Profile, Provider};

use super::error::{ConfigError, Origin};
use super::schema::{Kind, Schema};
use super::suggest::closest;

/// Values from one origin.
#[derive(Debug)]
pub(crate) struct Layer {
    pub(crate) origin: Origin,
    pub(crate) values: Dict,
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.origin.to_string())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        Ok(Profile::Default.collect(self.values.clone()))
    }
}

impl Layer {
    /// A layer of a single value.
    pub(crate) fn single(origin: Origin, key: &str, value: Value) -> Self {
        let mut values = Dict::new();
        set(&mut values, key, value);
        Self { origin, values }
    }

    /// The layer without what cannot be taken; that is reported to `errors`. The keys that remain get
    /// their origin.
    pub(crate) fn checked(
        self,
        schema: &Schema,
        origins: &mut BTreeMap<String, Origin>,
        errors: &mut Vec<ConfigError>,
    ) -> Self {
        let mut walk = Walk { schema, origin: &self.origin, origins, errors };
        let values = walk.section("", self.values);
        Self { origin: self.origin, values }
    }
}

/// Puts `value` at the dotted `key`, making the sections on the way.
pub(crate) fn set(values: &mut Dict, key: &str, value: Value) {
    let Some((first, rest)) = key.split_once('.') else {
        values.insert(key.to_owned(), value);
        return;
    };
    let mut inner = values.remove(first).and_then(Value::into_dict).unwrap_or_default();
    set(&mut inner, rest, value);
    values.insert(first.to_owned(), inner.into());
}

struct Walk<'a> {
    schema: &'a Schema,
    origin: &'a Origin,
    origins: &'a mut BTreeMap<String, Origin>,
    errors: &'a mut Vec<ConfigError>,
}

impl Walk<'_> {
    fn section(&mut self, path: &str, values: Dict) -> Dict {
        values.into_iter().filter_map(|(name, value)| self.entry(path, name, value)).collect()
    }

    /// One entry of the section at `path`, or nothing if it cannot be taken.
    fn entry(&mut self, path: &str, name: String, value: Value) -> Option<(String, Value)> {
        let key = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        // A name that is empty or has a dot in it (both need quotes in TOML) is not a path.
        let is_plain = !name.is_empty() && !name.contains('.');
        let known = self.schema.default_of(&key).filter(|_| is_plain);
        let Some(default) = known else {
            let what = if value.as_dict().is_some() { "section" } else { "key" };
            let problem = format!("is not a {what} that Voicera knows");
            self.refuse(&key, problem, self.suggestion(&key, &name));
            return None;
        };
        if default.as_dict().is_some() {
            return match value {
                Value::Dict(_, inner) => Some((name, self.section(&key, inner).into())),
                other => {
                    let fix = format!("write a line [{key}] and its keys below it");
                    self.refuse(&key, format!("is {}, but it is a section", described(&other)), fix);
                    None
                }
            };
        }
        let kind = self.schema.kind_of(&key)?;
        if !kind.takes(&value) {
            let problem = format!("is {}, but this key takes another kind of value", described(&value));
            self.refuse(&key, problem, self.right_kind(kind, &value));
            return None;
        }
        self.origins.insert(key, self.origin.clone());
        Some((name, value))
    }

    fn refuse(&mut self, key: &str, problem: String, fix: String) {
        self.errors.push(ConfigError { key: key.to_owned(), origin: self.origin.clone(), problem, fix });
    }

    fn right_kind(&self, kind: Kind, value: &Value) -> String {
        // What TOML calls an integer is signed.
        let count = value.to_i128().filter(|count| *count >= 0);
        match (self.origin, kind) {
            (_, Kind::Span) if let Some(count) = count => {
                format!("write it with its unit, such as \"{count}s\" or \"{count}ms\"")
            }
            (Origin::Variable(_), Kind::List) => "write a,b,c or [\"a\", \"b\"]".to_owned(),
            (Origin::Variable(_), Kind::Switch) => "write true or false".to_owned(),
            _ => format!("write {}", kind.example()),
        }
    }

    fn suggestion(&self, key: &str, name: &str) -> String {
        let sections = self.schema.sections();
        if let Some(known) = closest(key, self.schema.keys().chain(sections)) {
            return format!("did you mean {known}?");
        }
        // The right key in the wrong section, or in none.
        let moved = closest(name, self.schema.keys().map(last_part))
            .and_then(|close| self.schema.keys().find(|known| last_part(known) == close));
        match moved {
            Some(known) => format!("did you mean {known}?"),
            None => "take it out; docs/CONFIGURATION.md lists every key".to_owned(),
        }
    }
}

/// `listen` of `server.listen`.
fn last_part(key: &str) -> &str {
    key.rsplit_once('.').map_or(key, |(_, last)| last)
}

/// What kind of thing a value is, never the value itself: it may be a secret in the wrong place.
fn described(value: &Value) -> &'static str {
    match value {
        Value::String(..) | Value::Char(..) => "text",
        Value::Bool(..) => "a truth value",
        Value::Num(_, number) if number.to_f64().is_some() => "a number with decimals",
        Value::Num(..) => "a whole number",
        Value::Empty(..) => "nothing",
        Value::Dict(..) => "a section",
        Value::Array(_, items) if items.iter().all(|item| item.as_str().is_some()) => "a list",
        Value::Array(..) => "a list of other things than texts",
    }
}
