//! From sources to a configuration that can be relied on.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use figment::Figment;
use figment::error::{Actual, Kind as ErrorKind};
use figment::value::{Dict, Value};

use super::Config;
use super::checks::{Broken, Checks};
use super::error::{ConfigError, ConfigErrors, Origin, Origins, Refusal};
use super::layer::set;
use super::rules;
use super::schema::Schema;
use super::sources::Sources;

/// A configuration in which everything was found to be right.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The values.
    pub config: Config,
    /// Where each came from.
    pub origins: Origins,
}

impl Config {
    /// Reads the layers, the later ones winning: defaults, file, variables, flags.
    ///
    /// # Errors
    ///
    /// Everything that is wrong, all at once: files that cannot be read, unknown keys and variables,
    /// values of the wrong kind or out of range, and values that do not go together.
    pub fn load(sources: &Sources) -> Result<Loaded, ConfigErrors> {
        let schema = Schema::embedded();
        let mut errors = Vec::new();
        let (config, origins) = read(sources, schema, &mut errors);
        if let Some(config) = &config {
            let mut broken = Vec::new();
            config.validate(&mut broken);
            rules::check(config, sources, &mut broken);
            report(broken, &origins, &mut errors);
        }
        match config {
            Some(config) if errors.is_empty() => Ok(Loaded { config, origins }),
            _ => {
                errors.sort_by_key(|error| place(&error.key, schema));
                Err(ConfigErrors(errors))
            }
        }
    }

    /// `server.data_dir` alone, whatever is wrong with the other values: for a command that only looks for
    /// a file in there.
    pub fn data_dir(sources: &Sources) -> PathBuf {
        let (config, _) = read(sources, Schema::embedded(), &mut Vec::new());
        config.unwrap_or_default().server.data_dir
    }

    /// What each section says of itself.
    fn validate(&self, broken: &mut Vec<Broken>) {
        self.server.validate(Checks::new("server", broken));
        self.storage.validate(Checks::new("storage", broken));
        self.redis.validate(Checks::new("redis", broken));
        self.gateway.validate(Checks::new("gateway", broken));
        self.peers.validate(Checks::new("peers", broken));
        self.users.validate(Checks::new("users", broken));
        self.voice.validate(Checks::new("voice", broken));
        self.llm.validate(Checks::new("llm", broken));
        self.analytics.validate(Checks::new("analytics", broken));
        self.telemetry.validate(Checks::new("telemetry", broken));
    }
}

/// The values of all layers that can be taken, and where each came from. What cannot is reported to `errors`.
fn read(sources: &Sources, schema: &Schema, errors: &mut Vec<ConfigError>) -> (Option<Config>, Origins) {
    let mut by_key = BTreeMap::new();
    let mut read: Vec<Origin> = Vec::new();
    let mut figment = Figment::from(schema.layer());
    for layer in sources.layers(schema, errors) {
        read.push(layer.origin.clone());
        figment = figment.merge(layer.checked(schema, &mut by_key, errors));
    }
    let origins = Origins { by_key, read };
    let config = extract(&figment, schema, &origins, errors);
    (config, origins)
}

/// The merged values as structs. A value that a struct refuses is reported and replaced by its default,
/// so that the next one is seen too.
fn extract(
    figment: &Figment,
    schema: &Schema,
    origins: &Origins,
    errors: &mut Vec<ConfigError>,
) -> Option<Config> {
    let mut give_up = |error: &figment::Error| {
        errors.push(ConfigError {
            key: error.path.join("."),
            origin: Origin::Default,
            problem: refusal(&error.kind).problem,
            fix: "this is a fault of the binary, not of its configuration: please report it".to_owned(),
        });
    };
    let mut values: Dict = figment.extract().map_err(|error| give_up(&error)).ok()?;
    let mut refused = Vec::new();
    // Each round settles one key for good, so there are no more rounds than keys.
    for _ in 0..=schema.keys().count() {
        let error = match Value::from(values.clone()).deserialize::<Config>() {
            Ok(config) => {
                errors.append(&mut refused);
                return Some(config);
            }
            Err(error) => error,
        };
        let key = (1..=error.path.len()).map(|length| error.path[..length].join("."));
        let known = key.into_iter().find_map(|key| Some((schema.position(&key)?, key)));
        let Some((key, default)) = known.and_then(|(_, key)| Some((key.clone(), schema.default_of(&key)?)))
        else {
            give_up(&error);
            break;
        };
        let Refusal { problem, fix } = refusal(&error.kind);
        refused.push(ConfigError { key: key.clone(), origin: origins.of(&key).clone(), problem, fix });
        set(&mut values, &key, default.clone());
    }
    errors.append(&mut refused);
    None
}

fn refusal(kind: &ErrorKind) -> Refusal {
    let number = |number: &dyn std::fmt::Display, negative: bool| {
        let (what, fix) = if negative {
            ("is negative", "use a number of zero or more")
        } else {
            ("is too large", "use a smaller number")
        };
        Refusal::new(format!("{number} {what}"), fix)
    };
    match kind {
        ErrorKind::Message(message) => Refusal::from_serde(message),
        ErrorKind::InvalidValue(Actual::Signed(value), _) => number(value, *value < 0),
        ErrorKind::InvalidValue(Actual::Unsigned(value), _) => number(value, false),
        other => Refusal::from_serde(&other.to_string()),
    }
}

/// Reports broken rules, except those about keys that are wrong already: what such a rule saw was the
/// default in their place.
fn report(broken: Vec<Broken>, origins: &Origins, errors: &mut Vec<ConfigError>) {
    let mut wrong: BTreeSet<String> = errors.iter().map(|error| error.key.clone()).collect();
    for Broken { keys, problem, fix } in broken {
        if keys.iter().any(|key| wrong.contains(key)) {
            continue;
        }
        // Of two values that do not go together, the one that somebody set is the one to look at.
        let set = keys.iter().find(|key| *origins.of(key) != Origin::Default);
        if let Some(key) = set.or(keys.first()).cloned() {
            errors.push(ConfigError { origin: origins.of(&key).clone(), key: key.clone(), problem, fix });
            wrong.insert(key);
        }
    }
}

/// Files and variables first, then by section as in the documentation, unknown keys behind their section.
fn place(key: &str, schema: &Schema) -> (usize, usize) {
    if let Some(position) = schema.position(key) {
        return (position + 1, 0);
    }
    let section = key.rsplit_once('.').map_or(key, |(section, _)| section);
    let inside = |known: &str| known.strip_prefix(section).is_some_and(|rest| rest.starts_with('.'));
    let last = schema.keys().enumerate().filter(|(_, known)| inside(known)).map(|(at, _)| at).last();
    last.map_or((0, 0), |position| (position + 1, 1))
}
