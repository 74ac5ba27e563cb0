//! Answers of other programs' workers, who take commands from the same queue: `docs/QUEUE.md` says what
//! they return. Read leniently; only what is wrong in a way that cannot be mended is refused.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::kit::language::is_language_tag;
use crate::voice::api::{CommandResult, Entity, NONE, Source, StageTimes};
use crate::voice::command::Utterance;

/// An answer as JSON, in bytes, at most.
const LONGEST: usize = 64 * 1024;
/// The name of an intent or an entity, in bytes, at most.
const LONGEST_NAME: usize = 128;
/// Entities of one answer at most.
const ENTITIES: usize = 64;

/// What a worker returns; all of it may be left out.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Answer {
    intent: Option<String>,
    confidence: Option<f32>,
    language: Option<String>,
    entities: Vec<Piece>,
    reply: Option<String>,
    degraded: bool,
    llm_model: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Piece {
    entity: String,
    value: Value,
    #[serde(default)]
    text: String,
    start: Option<usize>,
    end: Option<usize>,
    confidence: Option<f32>,
    role: Option<String>,
    group: Option<String>,
}

/// The result that a worker's return value says.
///
/// # Errors
/// What is wrong with it.
pub fn read(
    value: &str,
    utterance: &Utterance,
    model_version: String,
    now: Timestamp,
) -> Result<CommandResult, String> {
    if value.len() > LONGEST {
        return Err(format!("it is longer than {LONGEST} bytes"));
    }
    let mut json = serde_json::Deserializer::from_str(value);
    let answer: Answer = serde_path_to_error::deserialize(&mut json)
        .map_err(|error| format!("unexpected type or value at {}", error.path()))?;
    let intent = answer.intent.filter(|intent| !intent.is_empty()).unwrap_or_else(|| NONE.to_owned());
    if intent.len() > LONGEST_NAME || answer.entities.iter().any(|piece| piece.entity.len() > LONGEST_NAME) {
        return Err(format!("a name is longer than {LONGEST_NAME} bytes"));
    }
    if answer.entities.len() > ENTITIES {
        return Err(format!("it has more than {ENTITIES} entities"));
    }
    let said = answer.language.or_else(|| utterance.language.clone());
    let language = said.filter(|tag| is_language_tag(tag)).unwrap_or_else(|| "und".to_owned());
    let share = |said: Option<f32>| said.filter(|share| share.is_finite()).unwrap_or(1.0).clamp(0.0, 1.0);
    let took = now.duration_since(utterance.accepted_at);
    Ok(CommandResult {
        intent,
        confidence: share(answer.confidence),
        language,
        entities: answer
            .entities
            .into_iter()
            .map(|piece| Entity {
                entity: piece.entity,
                value: piece.value,
                text: piece.text,
                start: piece.start,
                end: piece.end,
                confidence: share(piece.confidence),
                role: piece.role,
                group: piece.group,
            })
            .collect(),
        reply: answer.reply,
        source: Source::Worker,
        degraded: answer.degraded,
        model_version,
        llm_model: answer.llm_model,
        processing_time_ms: took.as_secs_f64().max(0.0) * 1e3,
        stages: StageTimes::default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(value: &str) -> Result<CommandResult, String> {
        let accepted_at: Timestamp = "2026-11-23T08:00:00Z".parse().unwrap();
        let utterance = Utterance {
            text: "remind me tomorrow".to_owned(),
            language: Some("en".to_owned()),
            session_id: None,
            context: Value::Null,
            accepted_at,
        };
        read(value, &utterance, "v".to_owned(), "2026-11-23T08:00:02Z".parse().unwrap())
    }

    #[test]
    fn what_a_worker_leaves_out_has_a_meaning() {
        for nothing in ["{}", r#"{"somethingElse": [1]}"#] {
            let result = answer(nothing).unwrap();
            assert_eq!((result.intent.as_str(), result.language.as_str()), (NONE, "en"));
            assert_eq!((result.source, result.degraded, result.reply), (Source::Worker, false, None));
            assert!((result.processing_time_ms - 2_000.0).abs() < 1.0);
        }
    }

    #[test]
    fn all_that_it_says_is_kept() {
        let said = r#"{"intent":"set_reminder","confidence":7,"language":"de","reply":"Gern.",
                       "entities":[{"entity":"date","value":"2026-11-24","text":"tomorrow","start":10,"end":18}]}"#;
        let result = answer(said).unwrap();
        assert_eq!((result.intent.as_str(), result.language.as_str()), ("set_reminder", "de"));
        assert!((result.confidence - 1.0).abs() < f32::EPSILON, "no share is more than all");
        assert_eq!(result.reply.as_deref(), Some("Gern."));
        assert_eq!((result.entities[0].start, result.entities[0].end), (Some(10), Some(18)));
    }

    #[test]
    fn what_cannot_be_an_answer_is_refused_with_the_place_and_without_the_words() {
        for (value, wanted) in [
            ("null", "."),
            (r#""just words""#, "."),
            (r#"{"intent": {"private": 1}}"#, "intent"),
            (r#"{"entities": [{"entity": "date"}]}"#, "entities[0]"),
        ] {
            let wrong = answer(value).unwrap_err();
            assert!(wrong.ends_with(&format!("at {wanted}")), "{value}: {wrong}");
            assert!(!wrong.contains("private") && !wrong.contains("just"), "{wrong}");
        }
        let long = format!(r#"{{"reply":"{}"}}"#, "a".repeat(LONGEST));
        assert!(answer(&long).unwrap_err().contains("longer than"));
        let named = format!(r#"{{"intent":"{}"}}"#, "a".repeat(LONGEST_NAME + 1));
        assert!(answer(&named).unwrap_err().contains("name"));
    }
}
