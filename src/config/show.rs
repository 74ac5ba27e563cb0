//! The effective configuration as text: TOML that can be read back, or JSON for programs.

use std::fmt::Write;

use serde_json::{Value, json};

use super::error::printable;
use super::load::Loaded;
use super::schema::Schema;

/// Wider entries do not push the origins of all others to the right.
const WIDEST: usize = 60;

impl Loaded {
    /// TOML with the origin of each value as a comment, secrets masked.
    ///
    /// # Errors
    ///
    /// If a value cannot be written as text, which those of [`super::Config::load`] can.
    pub fn to_toml(&self) -> Result<String, serde_json::Error> {
        let values = serde_json::to_value(&self.config)?;
        let entries: Vec<(&str, String)> = Schema::embedded()
            .keys()
            .map(|key| {
                let value = values.pointer(&format!("/{}", key.replace('.', "/")));
                let name = key.rsplit_once('.').map_or(key, |(_, name)| name);
                (key, format!("{name} = {}", value.map(literal).unwrap_or_default()))
            })
            .collect();
        let widths = entries.iter().map(|(_, entry)| entry.chars().count());
        let column = widths.filter(|width| *width <= WIDEST).max().unwrap_or_default();

        let mut text = String::new();
        let mut current = "";
        for (key, entry) in &entries {
            let section = key.rsplit_once('.').map_or("", |(section, _)| section);
            if section != current {
                let gap = if current.is_empty() { "" } else { "\n" };
                // Writing to a string does not fail.
                let _ = writeln!(text, "{gap}[{section}]");
                current = section;
            }
            let origin = printable(&self.origins.of(key).to_string());
            let _ = writeln!(text, "{entry:column$}  # {origin}");
        }
        Ok(text)
    }

    /// `{"config": {section: {key: value}}, "origins": {"section.key": {"kind", "name"}}}`, secrets masked.
    ///
    /// # Errors
    ///
    /// If a value or the name of an origin cannot be written as JSON, such as a path that is not Unicode.
    pub fn to_json(&self) -> Result<Value, serde_json::Error> {
        let origins = Schema::embedded()
            .keys()
            .map(|key| Ok((key.to_owned(), serde_json::to_value(self.origins.of(key))?)))
            .collect::<Result<serde_json::Map<_, _>, serde_json::Error>>()?;
        Ok(json!({ "config": serde_json::to_value(&self.config)?, "origins": origins }))
    }
}

/// A value as TOML writes it. Numbers and switches look the same in JSON.
fn literal(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        Value::Array(items) => format!("[{}]", items.iter().map(literal).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}

/// A basic string of TOML 1.0: everything that it may not hold bare is escaped.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
