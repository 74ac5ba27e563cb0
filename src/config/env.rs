//! The layer of `VOICERA_*` variables.

use std::collections::BTreeMap;
use std::path::Path;

use figment::providers::{Format, Toml};
use figment::value::{Dict, Value};

use super::error::{ConfigError, Origin, Refusal};
use super::layer::Layer;
use super::schema::{Kind, SECRETS, Schema, variable_of};
use super::suggest::closest;
use crate::kit::files::{self, Unread};

const PREFIX: &str = "VOICERA_";

/// Read by the command line itself, so not configuration.
const OF_THE_COMMAND_LINE: [&str; 3] = ["VOICERA_API_KEY", "VOICERA_SERVER", "VOICERA_CONFIG"];

/// The largest file that a `_FILE` variable may name, in bytes: keys are short, so a larger one is a mistake.
pub(crate) const MAX_SECRET_BYTES: u64 = 64 * 1024;

/// One layer a variable, so that each value knows which one it came from. Relative paths in `_FILE`
/// variables start at `working_dir`.
pub(crate) fn layers(
    env: &BTreeMap<String, String>,
    working_dir: &Path,
    schema: &Schema,
    errors: &mut Vec<ConfigError>,
) -> Vec<Layer> {
    let mut layers = Vec::new();
    for (name, text) in env.iter().filter(|(name, _)| is_ours(name)) {
        match read(name, text, env, working_dir, schema) {
            Ok(Some((key, value))) => layers.push(Layer::single(Origin::Variable(name.clone()), &key, value)),
            Ok(None) => {}
            Err(Refusal { problem, fix }) => errors.push(ConfigError {
                key: name.clone(),
                origin: Origin::Variable(name.clone()),
                problem,
                fix,
            }),
        }
    }
    layers
}

/// Whether a variable by this name is meant as configuration.
pub(crate) fn is_ours(name: &str) -> bool {
    name.strip_prefix(PREFIX).is_some_and(|rest| !is_service_link(rest))
        && !OF_THE_COMMAND_LINE.contains(&name)
}

/// Whether Kubernetes may have put the variable there: it announces a service named `voicera` or
/// `voicera-users` to every pod, as `VOICERA_SERVICE_HOST`,
/// `VOICERA_USERS_PORT_3002_TCP_ADDR` and so on.
fn is_service_link(rest: &str) -> bool {
    let rest = format!("_{rest}");
    // Every key of ours has two underscores together; a service's name cannot.
    if rest.contains("__") {
        return false;
    }
    rest.ends_with("_SERVICE_HOST")
        || rest.ends_with("_SERVICE_PORT")
        || rest.contains("_SERVICE_PORT_")
        || rest.ends_with("_PORT")
        || rest.split_once("_PORT_").is_some_and(|(_, tail)| {
            let mut parts = tail.split('_');
            parts.next().is_some_and(|port| port.parse::<u16>().is_ok())
                && matches!(parts.next(), Some("TCP" | "UDP" | "SCTP"))
        })
}

fn read(
    name: &str,
    text: &str,
    env: &BTreeMap<String, String>,
    working_dir: &Path,
    schema: &Schema,
) -> Result<Option<(String, Value)>, Refusal> {
    if let Some(secret) = SECRETS.into_iter().find(|key| name == format!("{}_FILE", variable_of(key))) {
        let direct = variable_of(secret);
        if env.get(&direct).is_some_and(|text| !text.is_empty()) {
            let problem = format!("{direct} is set too, and only one of them can count");
            return Err(Refusal::new(problem, "unset one of the two"));
        }
        return read_secret(&working_dir.join(text)).map(|value| Some((secret.to_owned(), value.into())));
    }
    let Some(key) = schema.keys().find(|key| variable_of(key) == name) else {
        return Err(unknown(name, schema));
    };
    let by_file = SECRETS.contains(&key) && env.contains_key(&format!("{name}_FILE"));
    if by_file && text.is_empty() {
        return Ok(None);
    }
    let kind = schema.kind_of(key).unwrap_or(Kind::Text);
    Ok(Some((key.to_owned(), parse(text, kind))))
}

fn unknown(name: &str, schema: &Schema) -> Refusal {
    let known: Vec<String> = schema
        .keys()
        .map(variable_of)
        .chain(SECRETS.iter().map(|key| format!("{}_FILE", variable_of(key))))
        .collect();
    // VOICERA_LISTEN leaves out the section.
    let sectionless = format!("__{}", name.strip_prefix(PREFIX).unwrap_or(name));
    let fix = closest(&name.to_ascii_uppercase(), known.iter().map(String::as_str))
        .or_else(|| known.iter().map(String::as_str).find(|variable| variable.ends_with(&sectionless)))
        .map_or_else(
            || "unset it; docs/CONFIGURATION.md lists every variable".to_owned(),
            |variable| format!("did you mean {variable}?"),
        );
    Refusal::new("is not a variable that Voicera knows", fix)
}

/// The value of a variable. What cannot be of the right kind stays text, which the layer then refuses.
fn parse(text: &str, kind: Kind) -> Value {
    let trimmed = text.trim();
    let parsed = match kind {
        Kind::Text | Kind::Span => None,
        Kind::Integer => trimmed.replace('_', "").parse::<i64>().ok().map(Value::from),
        Kind::Decimal => trimmed.parse::<f64>().ok().map(Value::from),
        Kind::Switch => match trimmed.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Some(true.into()),
            "false" | "0" | "no" | "off" => Some(false.into()),
            _ => None,
        },
        Kind::List if trimmed.starts_with('[') => toml_list(trimmed),
        Kind::List => {
            let items = trimmed.split(',').map(str::trim).filter(|item| !item.is_empty());
            Some(items.map(Value::from).collect::<Vec<_>>().into())
        }
    };
    parsed.unwrap_or_else(|| Value::from(text))
}

fn toml_list(text: &str) -> Option<Value> {
    let mut values: Dict = Toml::from_str(&format!("list = {text}")).ok()?;
    // Text after the bracket could be further keys: then it was not a list.
    let list = values.remove("list").filter(|_| values.is_empty())?;
    list.as_array().is_some().then_some(list)
}

fn read_secret(path: &Path) -> Result<String, Refusal> {
    let shown = path.display();
    let bytes = files::read(path, MAX_SECRET_BYTES).map_err(|unread| match unread {
        Unread::Io(_) => {
            Refusal::new(format!("{shown} {unread}"), "name a file that the user of this process may read")
        }
        Unread::TooLarge(_) => Refusal::new(
            format!("{shown} is larger than 64 KiB"),
            "name the file that holds the secret and nothing else",
        ),
    })?;
    let text = String::from_utf8(bytes).map_err(|_| {
        Refusal::new(format!("{shown} is not text"), "write the secret into it as UTF-8 text")
    })?;
    let secret =
        text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
    if secret.is_empty() {
        return Err(Refusal::new(
            format!("{shown} is empty"),
            "write the secret into it, or unset the variable",
        ));
    }
    Ok(secret.to_owned())
}
