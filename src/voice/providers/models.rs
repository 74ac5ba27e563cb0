//! What was learnt about each model: that it is gone, or how it wants to be asked.
//!
//! Both are forgotten after a while, so that neither a mistake nor a repair on the other side needs a
//! restart here.

use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::attempt::Refusal;
use super::settings::SchemaMode;

/// How long a model that is gone is not asked.
const GONE_FOR: SignedDuration = SignedDuration::from_mins(10);

/// How long a model is asked in a lesser dialect.
const DIALECT_FOR: SignedDuration = SignedDuration::from_hours(1);

/// How the shape of the output is asked for, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Schema,
    Object,
    /// Not at all: the prompt alone describes it.
    Text,
}

/// Which of the optional parameters a model accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dialect {
    pub(super) format: Format,
    pub(super) temperature: bool,
    /// `max_tokens`, for servers that do not know `max_completion_tokens`.
    pub(super) old_token_limit: bool,
}

impl Dialect {
    pub(super) const fn first(mode: SchemaMode) -> Self {
        let format = match mode {
            SchemaMode::JsonSchema | SchemaMode::Auto => Format::Schema,
            SchemaMode::JsonObject => Format::Object,
        };
        Self { format, temperature: true, old_token_limit: false }
    }

    /// The dialect to try after `refusal`, if that names a parameter which can be done without.
    /// Each step gives something up, so a model is asked five times at most.
    pub(super) fn after(self, refusal: &Refusal, mode: SchemaMode) -> Option<Self> {
        if refusal.rejects("max_completion_tokens") && !self.old_token_limit {
            return Some(Self { old_token_limit: true, ..self });
        }
        if refusal.rejects_format() && mode == SchemaMode::Auto {
            return match self.format {
                Format::Schema => Some(Self { format: Format::Object, ..self }),
                Format::Object => Some(Self { format: Format::Text, ..self }),
                Format::Text => None,
            };
        }
        (refusal.rejects("temperature") && self.temperature).then_some(Self { temperature: false, ..self })
    }
}

/// The configured models, in order of preference, and what is remembered of each.
#[derive(Debug)]
pub(super) struct Models {
    names: Vec<String>,
    mode: SchemaMode,
    memory: Mutex<Vec<Memory>>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Memory {
    gone_until: Option<Timestamp>,
    dialect: Option<(Dialect, Timestamp)>,
}

impl Models {
    pub(super) fn new(names: Vec<String>, mode: SchemaMode) -> Self {
        let memory = Mutex::new(vec![Memory::default(); names.len()]);
        Self { names, mode, memory }
    }

    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    pub(super) const fn mode(&self) -> SchemaMode {
        self.mode
    }

    /// The models not known to be gone, in order.
    pub(super) fn alive(&self, now: Timestamp) -> Vec<usize> {
        let memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let alive = |memory: &Memory| memory.gone_until.is_none_or(|until| until <= now);
        memory.iter().enumerate().filter(|(_, memory)| alive(memory)).map(|(index, _)| index).collect()
    }

    pub(super) fn gone(&self, index: usize, now: Timestamp) {
        let until = now.saturating_add(GONE_FOR).unwrap_or(Timestamp::MAX);
        self.remember(index, |memory| memory.gone_until = Some(until));
    }

    /// How to ask a model.
    pub(super) fn dialect(&self, index: usize, now: Timestamp) -> Dialect {
        let memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let learnt = memory.get(index).and_then(|memory| memory.dialect);
        learnt
            .filter(|(_, until)| *until > now)
            .map_or_else(|| Dialect::first(self.mode), |(dialect, _)| dialect)
    }

    pub(super) fn speaks(&self, index: usize, dialect: Dialect, now: Timestamp) {
        let until = now.saturating_add(DIALECT_FOR).unwrap_or(Timestamp::MAX);
        self.remember(index, |memory| memory.dialect = Some((dialect, until)));
    }

    fn remember(&self, index: usize, what: impl FnOnce(&mut Memory)) {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(memory) = memory.get_mut(index) {
            what(memory);
        }
    }
}
