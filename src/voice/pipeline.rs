//! A command's way from text to answer: cache, trained model, language model, in that order.
//!
//! Never fails and never invents: a tier that fails leaves the answer to the tier before it and
//! marks it `degraded`; below the threshold the intent is `none`.

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use tokio::time::Instant;

use crate::kit::cache::Found;
use crate::kit::clock::SharedClock;
use crate::kit::ids::{Entropy, UserId};
use crate::kit::queue::Progress;
use crate::nlu::{Context, Parse};
use crate::voice::api::{CommandResult, Entity, NONE, Source, StageTimes};
use crate::voice::cache::{AnswerCache, Answered, key_of};
use crate::voice::command::Utterance;
use crate::voice::metrics;
use crate::voice::models::{Known, Models};
use crate::voice::providers::{Answer, AnswerEntity, Provider, ProviderError, Question};

/// The skill packs' name for what is said when nothing was understood.
const DEFAULT_RESPONSE: &str = "default";

/// Who answers first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The trained model; the language model where it is unsure or has nothing to say.
    LocalFirst,
    /// The language model; the trained one where it fails.
    LlmFirst,
    /// The trained model alone.
    LocalOnly,
}

/// The language model and what it is told.
#[derive(Debug)]
pub struct Llm {
    /// The server.
    pub provider: Provider,
    /// The longest that one question may take.
    pub deadline: Duration,
}

/// What the pipeline is made of.
#[derive(Debug)]
pub struct PipelineParts {
    /// The trained model in use.
    pub models: Arc<Models>,
    /// The language model, when one is configured.
    pub llm: Option<Llm>,
    /// Earlier answers, unless switched off.
    pub cache: Option<AnswerCache>,
    /// Who answers first.
    pub mode: Mode,
    /// The confidence below which the intent is `none`; the trained one unless given.
    pub threshold: Option<f32>,
    /// The language of a command whose own can't be told.
    pub default_language: String,
    /// The zone in which "tomorrow" is meant.
    pub timezone: TimeZone,
    /// The time.
    pub clock: SharedClock,
    /// Picks among the variants of a response.
    pub entropy: Entropy,
}

/// Answers commands.
#[derive(Debug)]
pub struct Pipeline {
    parts: PipelineParts,
}

impl Pipeline {
    /// A pipeline of `parts`.
    pub fn new(parts: PipelineParts) -> Self {
        Self { parts }
    }

    /// The trained model in use, and its successors.
    pub fn models(&self) -> &Models {
        &self.parts.models
    }

    /// The language model, if one is configured.
    pub fn llm(&self) -> Option<&Llm> {
        self.parts.llm.as_ref()
    }

    /// Answers `utterance`, said by `owner`.
    pub async fn answer(&self, owner: UserId, utterance: &Utterance, progress: &Progress) -> CommandResult {
        let begun = self.parts.clock.now();
        let known = self.parts.models.current();
        let (mut result, fresh) = match &self.parts.cache {
            Some(cache) => {
                let key = key_of(owner, utterance, known.model.version());
                let found = cache.get_or(key, self.understand(&known, utterance, progress)).await;
                let Found { value, fresh } = found;
                metrics::cache(fresh);
                (Arc::unwrap_or_clone(value), fresh)
            }
            None => (self.understand(&known, utterance, progress).await.result, true),
        };
        if !fresh {
            result.source = Source::Cache;
            result.stages = StageTimes::default();
        }
        let since = |start: jiff::Timestamp, end: jiff::Timestamp| {
            end.duration_since(start).as_secs_f64().max(0.0) * 1e3
        };
        result.stages.queue_ms = rounded(since(utterance.accepted_at, begun));
        result.processing_time_ms = rounded(since(utterance.accepted_at, self.parts.clock.now()));
        metrics::answered(&result, known.language_label(&result.language));
        result
    }

    async fn understand(&self, known: &Known, utterance: &Utterance, progress: &Progress) -> Answered {
        let started = Instant::now();
        let context = Context {
            now: self.parts.clock.now().to_zoned(self.parts.timezone.clone()),
            language: utterance.language.clone(),
        };
        let parse = known.model.parse(&utterance.text, &context);
        let mut local = self.local_result(known, &utterance.text, parse);
        local.result.stages.local_ms = Some(millis(started));
        progress.set(50);

        let settled = match self.parts.mode {
            Mode::LocalOnly => true,
            Mode::LocalFirst => local.result.intent != NONE && local.result.reply.is_some(),
            Mode::LlmFirst => false,
        };
        let Some(llm) = self.parts.llm.as_ref().filter(|_| !settled) else { return local };

        let started = Instant::now();
        let asked = self.ask(llm, known, utterance, &local.result, context).await;
        let llm_ms = Some(millis(started));
        let mut answered = match asked {
            Ok(answer) => from_llm(&utterance.text, local, answer),
            Err(error) => {
                tracing::warn!(error = error.code(), detail = %error, "the language model failed; the trained model answers");
                local.result.degraded = true;
                Answered { repeatable: false, ..local }
            }
        };
        answered.result.stages.llm_ms = llm_ms;
        answered
    }

    async fn ask(
        &self,
        llm: &Llm,
        known: &Known,
        utterance: &Utterance,
        local: &CommandResult,
        context: Context,
    ) -> Result<Answer, ProviderError> {
        let question = Question {
            text: &utterance.text,
            language: &local.language,
            intents: &known.hints,
            guess: (local.intent != NONE).then_some((local.intent.as_str(), local.confidence)),
            context: &utterance.context,
            now: context.now,
        };
        llm.provider.understand(&question, llm.deadline).await
    }

    fn local_result(&self, known: &Known, text: &str, parse: Parse) -> Answered {
        let intent = match self.parts.threshold {
            None => parse.intent,
            Some(threshold) => {
                parse.ranking.first().filter(|top| top.confidence >= threshold).map(|top| top.intent.clone())
            }
        };
        let language =
            if parse.language.is_empty() { self.parts.default_language.clone() } else { parse.language };
        let pick = u64::from_ne_bytes(self.parts.entropy.bytes());
        let response = intent.as_deref().unwrap_or(DEFAULT_RESPONSE);
        let reply = known.model.respond(response, &language, pick, &parse.entities);
        let result = CommandResult {
            intent: intent.unwrap_or_else(|| NONE.to_owned()),
            confidence: parse.confidence,
            language,
            entities: parse.entities.into_iter().map(Entity::from).collect(),
            reply,
            source: Source::Local,
            degraded: false,
            model_version: known.model.version().to_owned(),
            llm_model: None,
            processing_time_ms: 0.0,
            stages: StageTimes::default(),
        };
        debug_assert!(result.entities.iter().all(|entity| text.contains(&entity.text)));
        Answered { result, repeatable: !parse.time_dependent }
    }
}

/// The language model's answer over what the trained model found.
///
/// Entities of the trained model stay: their values are computed, not worded. The language model
/// adds those that overlap none of them.
fn from_llm(text: &str, local: Answered, answer: Answer) -> Answered {
    let mut entities = local.result.entities;
    for found in answer.entities {
        let found = entity_from_llm(text, found);
        let overlaps = entities.iter().any(|known| match (known.start, known.end, found.start, found.end) {
            (Some(a), Some(b), Some(c), Some(d)) => a < d && c < b,
            _ => known.entity == found.entity && known.text == found.text,
        });
        if !overlaps {
            entities.push(found);
        }
    }
    entities.sort_by_key(|entity| entity.start.unwrap_or(usize::MAX));
    let reply = Some(answer.reply).filter(|reply| !reply.is_empty()).or(local.result.reply);
    let result = CommandResult {
        intent: answer.intent.unwrap_or_else(|| NONE.to_owned()),
        confidence: answer.confidence,
        entities,
        reply,
        source: Source::Llm,
        llm_model: Some(answer.model),
        ..local.result
    };
    Answered { result, repeatable: local.repeatable }
}

fn entity_from_llm(text: &str, found: AnswerEntity) -> Entity {
    let chars = |bytes: usize| text.get(..bytes).map(|before| before.chars().count());
    Entity {
        start: found.span.as_ref().and_then(|span| chars(span.start)),
        end: found.span.as_ref().and_then(|span| chars(span.end)),
        entity: found.entity,
        value: found.value,
        text: found.text,
        // A language model gives no confidence that means anything for a single entity.
        confidence: 0.5,
        role: None,
        group: None,
    }
}

impl From<crate::nlu::Entity> for Entity {
    fn from(entity: crate::nlu::Entity) -> Self {
        Self {
            entity: entity.entity,
            value: entity.value,
            text: entity.text,
            start: Some(entity.start),
            end: Some(entity.end),
            confidence: entity.confidence,
            role: entity.role,
            group: entity.group,
        }
    }
}

fn millis(since: Instant) -> f64 {
    rounded(since.elapsed().as_secs_f64() * 1e3)
}

/// Microseconds are enough for people; the rest is noise in every reply.
fn rounded(millis: f64) -> f64 {
    (millis * 1e3).round() / 1e3
}
