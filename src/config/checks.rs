//! What the `validate` of each section reports to.

use std::fmt::Display;
use std::ops::RangeInclusive;

use super::secret::{MASK, Secret};
use super::span::Span;

/// A broken rule, before it is known where the values came from.
#[derive(Debug)]
pub(crate) struct Broken {
    /// The keys that the rule is about; the first is the one to change.
    pub(crate) keys: Vec<String>,
    pub(crate) problem: String,
    pub(crate) fix: String,
}

/// Collects the broken rules of one section; `section` is in front of every key.
#[derive(Debug)]
pub(crate) struct Checks<'a> {
    section: &'static str,
    broken: &'a mut Vec<Broken>,
}

impl<'a> Checks<'a> {
    pub(crate) fn new(section: &'static str, broken: &'a mut Vec<Broken>) -> Self {
        Self { section, broken }
    }

    /// The same for a section inside this one, by its full name.
    pub(crate) fn nested(&mut self, section: &'static str) -> Checks<'_> {
        Checks { section, broken: self.broken }
    }

    /// Reports that `key` is wrong.
    pub(crate) fn refuse(&mut self, key: &str, problem: impl Into<String>, fix: impl Into<String>) {
        let keys = vec![format!("{}.{key}", self.section)];
        self.broken.push(Broken { keys, problem: problem.into(), fix: fix.into() });
    }

    /// Holds a rule between two keys of this section.
    pub(crate) fn pair(&mut self, holds: bool, keys: [&str; 2], problem: impl Into<String>, fix: &str) {
        if !holds {
            let keys = keys.iter().map(|key| format!("{}.{key}", self.section)).collect();
            self.broken.push(Broken { keys, problem: problem.into(), fix: fix.to_owned() });
        }
    }

    /// A value must lie within a range; the unit is for the message.
    #[allow(clippy::needless_pass_by_value)]
    pub(crate) fn range<T: PartialOrd + Display>(&mut self, key: &str, value: T, range: RangeInclusive<T>) {
        // Written so that a NaN, which compares with nothing, is out of every range.
        if !range.contains(&value) {
            let (low, high) = (range.start(), range.end());
            let problem = if value < *low {
                format!("{value} is below the smallest value, {low}")
            } else if value > *high {
                format!("{value} is above the largest value, {high}")
            } else {
                format!("{value} is not a number")
            };
            self.refuse(key, problem, format!("use a value from {low} to {high}"));
        }
    }

    /// A span from `low` to `high` seconds, the one thing that most spans need.
    pub(crate) fn secs(&mut self, key: &str, value: Span, range: RangeInclusive<u64>) {
        self.range(key, value, Span::from_secs(*range.start())..=Span::from_secs(*range.end()));
    }

    /// A span from `low` to `high` milliseconds.
    pub(crate) fn millis(&mut self, key: &str, value: Span, range: RangeInclusive<u64>) {
        self.range(key, value, Span::from_millis(*range.start())..=Span::from_millis(*range.end()));
    }

    /// A secret that is sent in a header: visible ASCII, and not the mask of `voicera config show`.
    pub(crate) fn secret(&mut self, key: &str, secret: &Secret) {
        let text = secret.expose();
        if text == MASK {
            self.refuse(
                key,
                "is the mask that `voicera config show` prints in place of a secret",
                "set the secret itself, best through a variable ending in _FILE",
            );
        } else if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            self.refuse(
                key,
                "holds a space, a control character or a character outside ASCII",
                "look for a stray blank or line break in it; a key is sent in an HTTP header",
            );
        } else if text.len() > 8192 {
            self.refuse(key, "is longer than 8192 bytes", "check that this is the key and not another file");
        }
    }
}
