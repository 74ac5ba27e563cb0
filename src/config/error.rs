//! What is wrong with a configuration, said so that it can be put right: the key, where its value came
//! from, what is wrong with it, and the fix. No value of a secret ever gets in here.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "kind", content = "name", rename_all = "lowercase")]
pub enum Origin {
    /// The defaults inside the binary.
    Default,
    /// A configuration file.
    File(PathBuf),
    /// An environment variable, by name.
    Variable(String),
    /// An option of the command line, by name (`--listen`).
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => path.display().fmt(f),
            Self::Variable(name) | Self::Flag(name) => f.write_str(name),
        }
    }
}

/// Where each value of a loaded configuration came from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origins {
    pub(super) by_key: BTreeMap<String, Origin>,
    pub(super) read: Vec<Origin>,
}

impl Origins {
    /// The origin of the value of `key` (`server.listen`).
    pub fn of(&self, key: &str) -> &Origin {
        self.by_key.get(key).unwrap_or(&Origin::Default)
    }

    /// What was read beside the defaults, weakest first: the file, the variables, the flags.
    pub fn read(&self) -> &[Origin] {
        &self.read
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// The key in dotted form, or the file or variable itself if no key could be made out.
    pub key: String,
    /// Where the value came from.
    pub origin: Origin,
    /// What is wrong.
    pub problem: String,
    /// What to do about it.
    pub fix: String,
}

/// Everything that is wrong with a configuration, at least one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigErrors(pub(super) Vec<ConfigError>);

impl ConfigErrors {
    /// One error.
    pub(super) fn of(key: &str, origin: Origin, Refusal { problem, fix }: Refusal) -> Self {
        Self(vec![ConfigError { key: key.to_owned(), origin, problem, fix }])
    }

    /// Each error, in the order of the sections.
    pub fn iter(&self) -> std::slice::Iter<'_, ConfigError> {
        self.0.iter()
    }
}

impl<'a> IntoIterator for &'a ConfigErrors {
    type Item = &'a ConfigError;
    type IntoIter = std::slice::Iter<'a, ConfigError>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => f.write_str("the configuration has an error:")?,
            count => write!(f, "the configuration has {count} errors:")?,
        }
        for error in &self.0 {
            let name = if error.key.is_empty() { "\"\"".to_owned() } else { printable(&error.key) };
            match &error.origin {
                origin if origin.to_string() == error.key => write!(f, "\n\n  {name}")?,
                origin => write!(f, "\n\n  {name} ({})", printable(&origin.to_string()))?,
            }
            write!(f, "\n    wrong: {}\n    fix:   {}", printable(&error.problem), printable(&error.fix))?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

/// `text` without the control characters that could steer the reader's terminal.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// Why one value cannot be taken, before it is known which key it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub(super) problem: String,
    pub(super) fix: String,
}

/// Between the two halves of a refusal while it travels through serde, which knows only one string.
const SEPARATOR: char = '\u{1f}';

impl Refusal {
    pub(super) fn new(problem: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { problem: problem.into(), fix: fix.into() }
    }

    pub(super) fn into_serde<E: serde::de::Error>(self) -> E {
        E::custom(format_args!("{}{SEPARATOR}{}", self.problem, self.fix))
    }

    /// The refusal that [`Refusal::into_serde`] packed, or any other message with a general fix.
    pub(super) fn from_serde(message: &str) -> Self {
        match message.split_once(SEPARATOR) {
            Some((problem, fix)) => Self::new(problem, fix),
            None => Self::new(message, "see docs/CONFIGURATION.md for what this key takes"),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.problem, self.fix)
    }
}

impl std::error::Error for Refusal {}
