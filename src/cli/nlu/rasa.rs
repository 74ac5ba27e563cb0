//! A parse in the shape of Rasa's reply to `POST /model/parse`, so that its clients read it.
//!
//! Without an intent the name is `null` and the confidence 0, as Rasa has it for a message that it
//! finds no intent in; the ranking still tells the candidates. `language` is in addition.

use serde::Serialize;

use crate::nlu::{Entity, Extractor, Parse};

/// The reply.
#[derive(Debug, Serialize)]
pub(super) struct Reply<'a> {
    text: &'a str,
    intent: Intent<'a>,
    entities: Vec<FoundEntity<'a>>,
    intent_ranking: Vec<Intent<'a>>,
    language: &'a str,
}

#[derive(Debug, Serialize)]
struct Intent<'a> {
    name: Option<&'a str>,
    confidence: f32,
}

#[derive(Debug, Serialize)]
struct FoundEntity<'a> {
    entity: &'a str,
    /// Code points, as Python counts.
    start: usize,
    end: usize,
    confidence_entity: f32,
    value: &'a serde_json::Value,
    extractor: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<&'a str>,
}

impl<'a> Reply<'a> {
    pub(super) fn new(text: &'a str, parse: &'a Parse) -> Self {
        let name = parse.intent.as_deref();
        Self {
            text,
            intent: Intent { name, confidence: if name.is_some() { parse.confidence } else { 0.0 } },
            entities: parse.entities.iter().map(entity).collect(),
            intent_ranking: parse
                .ranking
                .iter()
                .map(|ranked| Intent { name: Some(&ranked.intent), confidence: ranked.confidence })
                .collect(),
            language: &parse.language,
        }
    }
}

fn entity(found: &Entity) -> FoundEntity<'_> {
    FoundEntity {
        entity: &found.entity,
        start: found.start,
        end: found.end,
        confidence_entity: found.confidence,
        value: &found.value,
        extractor: match found.extractor {
            Extractor::Builtin => "builtin",
            Extractor::Lookup => "lookup",
            Extractor::Regex => "regex",
            Extractor::Model => "model",
            Extractor::Template => "template",
        },
        role: found.role.as_deref(),
        group: found.group.as_deref(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nlu::Ranked;
    use serde_json::json;

    fn parse(intent: Option<&str>) -> Parse {
        Parse {
            language: "en".into(),
            language_confidence: 1.0,
            intent: intent.map(str::to_owned),
            confidence: 0.75,
            in_scope: 0.5,
            ranking: vec![Ranked { intent: "travel".into(), confidence: 0.75 }],
            entities: vec![Entity {
                entity: "city".into(),
                start: 5,
                end: 9,
                text: "Köln".into(),
                value: "CGN".into(),
                confidence: 0.5,
                role: Some("departure".into()),
                group: None,
                extractor: Extractor::Model,
            }],
            time_dependent: false,
        }
    }

    #[test]
    fn a_reply_has_rasas_keys() {
        let parse = parse(Some("travel"));
        assert_eq!(
            serde_json::to_value(Reply::new("from Köln", &parse)).unwrap(),
            json!({
                "text": "from Köln",
                "intent": {"name": "travel", "confidence": 0.75},
                "entities": [{
                    "entity": "city", "start": 5, "end": 9, "confidence_entity": 0.5,
                    "value": "CGN", "extractor": "model", "role": "departure",
                }],
                "intent_ranking": [{"name": "travel", "confidence": 0.75}],
                "language": "en",
            })
        );
    }

    #[test]
    fn no_intent_is_a_null_name_with_confidence_zero() {
        let parse = parse(None);
        let reply = serde_json::to_value(Reply::new("from Köln", &parse)).unwrap();
        assert_eq!(reply["intent"], json!({"name": null, "confidence": 0.0}));
        assert_eq!(reply["intent_ranking"][0]["name"], "travel");
    }
}
