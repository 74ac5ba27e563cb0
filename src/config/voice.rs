//! `[voice]`: commands, their queue, their cache and their understanding.

use std::path::PathBuf;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::checks::Checks;
use super::choice::choice;
use super::span::Span;
use crate::kit::language::is_language_tag;

/// `[voice]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Voice {
    /// Folders or files with training data, beside the built-in pack.
    pub skills: Vec<PathBuf>,
    /// Whether the built-in pack is part of the model.
    pub builtin_skills: bool,
    /// The longest command, in characters.
    pub max_text_chars: usize,
    /// The largest `context` of a command, in bytes of JSON.
    pub max_context_bytes: usize,
    /// The longest `Prefer: wait`.
    pub max_wait: Span,
    /// The language of a command that names none and whose own cannot be told.
    pub default_language: String,
    /// The IANA time zone in which "tomorrow" is meant.
    pub timezone: String,
    /// `[voice.queue]`
    pub queue: Queue,
    /// `[voice.cache]`
    pub cache: Cache,
    /// `[voice.understanding]`
    pub understanding: Understanding,
}

impl Default for Voice {
    fn default() -> Self {
        Self {
            skills: Vec::new(),
            builtin_skills: true,
            max_text_chars: 2000,
            max_context_bytes: 16 * 1024,
            max_wait: Span::from_secs(30),
            default_language: "en".to_owned(),
            timezone: "UTC".to_owned(),
            queue: Queue::default(),
            cache: Cache::default(),
            understanding: Understanding::default(),
        }
    }
}

impl Voice {
    /// The time zone of [`Voice::timezone`]; UTC should the zone have vanished since it was validated.
    pub fn time_zone(&self) -> TimeZone {
        TimeZone::get(&self.timezone).unwrap_or(TimeZone::UTC)
    }

    pub(super) fn validate(&self, mut checks: Checks<'_>) {
        if self.skills.iter().any(|path| path.as_os_str().is_empty()) {
            checks.refuse("skills", "has an empty entry", "name a folder or file, or leave the entry out");
        }
        checks.pair(
            self.builtin_skills || !self.skills.is_empty(),
            ["builtin_skills", "skills"],
            "voice.builtin_skills is false and voice.skills is empty, which leaves nothing to understand",
            "set voice.builtin_skills to true, or name your own training data in voice.skills",
        );
        checks.range("max_text_chars", self.max_text_chars, 1..=100_000);
        checks.range("max_context_bytes", self.max_context_bytes, 0..=1024 * 1024);
        checks.secs("max_wait", self.max_wait, 0..=300);
        if !is_language_tag(&self.default_language) {
            checks.refuse(
                "default_language",
                format!("{:?} is not a language code", self.default_language),
                "use an ISO 639 code, such as \"en\", or a BCP 47 tag, such as \"pt-BR\"",
            );
        }
        if TimeZone::get(&self.timezone).is_err() {
            checks.refuse(
                "timezone",
                format!("{:?} is not a time zone that this machine knows", self.timezone),
                "use an IANA name, such as \"UTC\" or \"Europe/Berlin\", and see that tzdata is installed",
            );
        }
        self.queue.validate(checks.nested("voice.queue"));
        self.cache.validate(checks.nested("voice.cache"));
        self.understanding.validate(checks.nested("voice.understanding"));
    }
}

choice! {
    /// Where jobs are kept.
    QueueKind {
        /// In a file of the data folder.
        Sqlite = "sqlite",
        /// On the Redis of `[redis]`, as BullMQ keeps them: Node workers and Bull Board see them, too.
        Bullmq = "bullmq",
    }
}

/// `[voice.queue]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Queue {
    /// Where jobs are kept.
    pub kind: QueueKind,
    /// What the names of BullMQ's keys begin with.
    pub prefix: String,
    /// How many jobs are worked on at a time.
    pub concurrency: usize,
    /// How long a worker holds a job before another may take it.
    pub lease: Span,
    /// How often a job is tried before it is a dead letter.
    pub max_attempts: u32,
    /// The wait before the second attempt.
    pub backoff_initial: Span,
    /// The longest wait between two attempts.
    pub backoff_max: Span,
    /// How many jobs may wait before new ones are turned away.
    pub max_waiting: u64,
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            kind: QueueKind::Sqlite,
            prefix: "bull".to_owned(),
            concurrency: 64,
            lease: Span::from_secs(8),
            max_attempts: 5,
            backoff_initial: Span::from_secs(1),
            backoff_max: Span::from_secs(300),
            max_waiting: 200_000,
        }
    }
}

impl Queue {
    fn validate(&self, mut checks: Checks<'_>) {
        let name = self.prefix.as_bytes();
        // The braces are a cluster's: all keys of one tag are on one node.
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.{}".contains(byte);
        if name.is_empty() || name.len() > 40 || !name.iter().all(plain) {
            checks.refuse(
                "prefix",
                format!("{:?} cannot begin the names of keys", self.prefix),
                "use 1 to 40 letters, digits, \"_\", \"-\" and \".\", in braces for a Redis cluster: \"{bull}\"",
            );
        }
        checks.range("concurrency", self.concurrency, 1..=4096);
        checks.secs("lease", self.lease, 1..=3600);
        checks.range("max_attempts", self.max_attempts, 1..=100);
        checks.millis("backoff_initial", self.backoff_initial, 1..=3_600_000);
        checks.millis("backoff_max", self.backoff_max, 1..=86_400_000);
        checks.range("max_waiting", self.max_waiting, 1..=100_000_000);
        checks.pair(
            self.backoff_initial <= self.backoff_max,
            ["backoff_initial", "backoff_max"],
            format!(
                "voice.queue.backoff_initial ({}) is longer than voice.queue.backoff_max ({})",
                self.backoff_initial, self.backoff_max
            ),
            "lower voice.queue.backoff_initial, or raise voice.queue.backoff_max",
        );
    }
}

/// `[voice.cache]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cache {
    /// Whether answers are remembered.
    pub enabled: bool,
    /// How many answers are remembered.
    pub entries: u64,
    /// For how long.
    pub ttl: Span,
}

impl Default for Cache {
    fn default() -> Self {
        Self { enabled: true, entries: 10_000, ttl: Span::from_secs(600) }
    }
}

impl Cache {
    fn validate(&self, mut checks: Checks<'_>) {
        checks.range("entries", self.entries, 1..=10_000_000);
        checks.secs("ttl", self.ttl, 1..=86_400);
    }
}

choice! {
    /// Who answers first.
    Mode {
        /// The local model; the LLM where it is unsure.
        LocalFirst = "local_first",
        /// The LLM; the local model where it fails.
        LlmFirst = "llm_first",
        /// The local model alone: no command leaves this machine.
        LocalOnly = "local_only",
    }
}

/// `[voice.understanding]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Understanding {
    /// Who answers first.
    pub mode: Mode,
    /// The confidence under which the intent is `none`; 0.0 leaves it to training.
    pub threshold: f64,
}

impl Default for Understanding {
    fn default() -> Self {
        Self { mode: Mode::LocalFirst, threshold: 0.0 }
    }
}

impl Understanding {
    /// The threshold that stands in for the trained one, if any does.
    pub fn threshold_override(&self) -> Option<f64> {
        (self.threshold > 0.0).then_some(self.threshold)
    }

    fn validate(&self, mut checks: Checks<'_>) {
        checks.range("threshold", self.threshold, 0.0..=1.0);
    }
}
