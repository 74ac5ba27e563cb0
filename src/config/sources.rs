//! Where configuration is read from, given from outside: nothing in here looks at the process itself
//! except [`Sources::of_process`].

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use figment::providers::{Format, Toml};
use figment::value::{Dict, Value};

use super::env;
use super::error::{ConfigError, Origin};
use super::layer::Layer;
use super::schema::Schema;
use super::server::Role;
use crate::kit::files::{self, Unread};

/// The file that is read if none is named and it is there.
pub const DEFAULT_FILE: &str = "voicera.toml";

/// The largest configuration file, in bytes.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// The options of the command line that set keys. What is not given stays as the other layers have it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flags {
    /// `--role`
    pub role: Option<String>,
    /// `--listen`
    pub listen: Option<String>,
    /// `--data-dir`
    pub data_dir: Option<PathBuf>,
    /// `--skills`, any number of times; together they replace the list of the other layers.
    pub skills: Vec<PathBuf>,
}

/// Everything that configuration depends on.
#[derive(Debug, Clone)]
pub struct Sources {
    /// The file of `--config`; it must exist. Without it, [`DEFAULT_FILE`] is read if it is there.
    pub file: Option<PathBuf>,
    /// Where relative paths start.
    pub working_dir: PathBuf,
    /// The environment.
    pub env: BTreeMap<String, String>,
    /// Variables of the environment that are not Unicode.
    pub not_unicode: Vec<String>,
    /// The options of the command line.
    pub flags: Flags,
    /// The modules that this binary was built with.
    pub modules: Vec<Role>,
}

impl Sources {
    /// What this process was given: its environment and working directory, a `--config` file and flags.
    pub fn of_process(file: Option<PathBuf>, flags: Flags) -> Self {
        let mut env = BTreeMap::new();
        let mut not_unicode = Vec::new();
        for (name, value) in std::env::vars_os() {
            match (name.into_string(), value.into_string()) {
                (Ok(name), Ok(value)) => drop(env.insert(name, value)),
                (Ok(name), Err(_)) => not_unicode.push(name),
                (Err(name), _) => not_unicode.push(name.to_string_lossy().into_owned()),
            }
        }
        let working_dir = std::env::current_dir().unwrap_or_default();
        Self { file, working_dir, env, not_unicode, flags, modules: Role::compiled_in() }
    }

    /// No file, no variables, no flags: the defaults alone, of a binary with every module. For tests.
    pub fn none_in(working_dir: impl Into<PathBuf>) -> Self {
        Self {
            file: None,
            working_dir: working_dir.into(),
            env: BTreeMap::new(),
            not_unicode: Vec::new(),
            flags: Flags::default(),
            modules: Role::MODULES.to_vec(),
        }
    }

    /// The layers over the defaults, weakest first.
    pub(super) fn layers(&self, schema: &Schema, errors: &mut Vec<ConfigError>) -> Vec<Layer> {
        let mut layers: Vec<Layer> = self.file_layer(errors).into_iter().collect();
        for name in self.not_unicode.iter().filter(|name| env::is_ours(name)) {
            errors.push(ConfigError {
                key: name.clone(),
                origin: Origin::Variable(name.clone()),
                problem: "is not Unicode text".to_owned(),
                fix: "write it as UTF-8".to_owned(),
            });
        }
        layers.extend(env::layers(&self.env, &self.working_dir, schema, errors));
        layers.extend(self.flags.layers(errors));
        layers
    }

    fn file_layer(&self, errors: &mut Vec<ConfigError>) -> Option<Layer> {
        let named = self.file.as_deref().filter(|path| !path.as_os_str().is_empty());
        let path = named.unwrap_or(Path::new(DEFAULT_FILE));
        let origin = Origin::File(path.to_owned());
        let mut refuse = |problem: String, fix: &str| {
            errors.push(ConfigError {
                key: path.display().to_string(),
                origin: origin.clone(),
                problem,
                fix: fix.to_owned(),
            });
        };
        let bytes = match files::read(&self.working_dir.join(path), MAX_FILE_BYTES) {
            Ok(bytes) => bytes,
            Err(Unread::Io(error)) if error.kind() == ErrorKind::NotFound && named.is_none() => return None,
            Err(unread @ Unread::Io(_)) => {
                refuse(unread.to_string(), "name a file that is there and may be read");
                return None;
            }
            Err(Unread::TooLarge(_)) => {
                refuse("is larger than 1 MiB".to_owned(), "check that this is a configuration file");
                return None;
            }
        };
        let Ok(text) = String::from_utf8(bytes) else {
            refuse("is not UTF-8 text".to_owned(), "save it as UTF-8");
            return None;
        };
        match Toml::from_str::<Dict>(&text) {
            Ok(values) => Some(Layer { origin, values }),
            Err(error) => {
                // Not the whole message of the parser: it quotes the line, which may hold a secret.
                let place = error.span().map(|span| position(&text, span.start)).unwrap_or_default();
                refuse(format!("{place}{}", error.message()), "correct the TOML at that place");
                None
            }
        }
    }
}

fn position(text: &str, offset: usize) -> String {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
    format!("line {line}, column {column}: ")
}

impl Flags {
    fn layers(&self, errors: &mut Vec<ConfigError>) -> Vec<Layer> {
        let mut layers = Vec::new();
        let mut add = |flag: &str, key: &str, value: Option<Value>| {
            let origin = Origin::Flag(flag.to_owned());
            match value {
                Some(value) => layers.push(Layer::single(origin, key, value)),
                None => errors.push(ConfigError {
                    key: key.to_owned(),
                    origin,
                    problem: "is not Unicode text".to_owned(),
                    fix: "use a path in UTF-8".to_owned(),
                }),
            }
        };
        let path = |path: &PathBuf| path.to_str().map(Value::from);
        if let Some(role) = &self.role {
            add("--role", "server.role", Some(Value::from(role.as_str())));
        }
        if let Some(listen) = &self.listen {
            add("--listen", "server.listen", Some(Value::from(listen.as_str())));
        }
        if let Some(data_dir) = &self.data_dir {
            add("--data-dir", "server.data_dir", path(data_dir));
        }
        if !self.skills.is_empty() {
            let skills: Option<Vec<Value>> = self.skills.iter().map(path).collect();
            add("--skills", "voice.skills", skills.map(Value::from));
        }
        layers
    }
}
