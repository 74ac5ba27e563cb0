//! Response templates: sentences with `{placeholders}` that entities fill.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::types::Entity;

/// One way to answer an intent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResponseTemplate {
    /// The sentence, with `{entity}` where an entity's value belongs.
    pub text: String,
}

impl ResponseTemplate {
    pub(crate) fn new(text: String) -> Self {
        Self { text }
    }

    /// The placeholders in order of appearance.
    pub fn placeholders(&self) -> impl Iterator<Item = &str> {
        self.parts().filter_map(|part| match part {
            Part::Placeholder(name) => Some(name),
            Part::Text(_) => None,
        })
    }

    /// The sentence with every placeholder filled from `entities`, or `None` when one has no
    /// entity: the caller then tries another variant.
    ///
    /// A placeholder names an entity type or a role. The first such entity fills it: with its
    /// value where that is a string of the pack's own, otherwise with what the user said, since
    /// "tomorrow" reads better than a date.
    pub fn render(&self, entities: &[Entity]) -> Option<String> {
        self.parts().try_fold(String::with_capacity(self.text.len()), |mut out, part| {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Placeholder(name) => {
                    let entity = entities
                        .iter()
                        .find(|entity| entity.entity == name || entity.role.as_deref() == Some(name))?;
                    match (&entity.value, entity.extractor) {
                        (Value::String(value), extractor) if extractor != super::Extractor::Builtin => {
                            out.push_str(value);
                        }
                        _ => out.push_str(&entity.text),
                    }
                }
            }
            Some(out)
        })
    }

    fn parts(&self) -> impl Iterator<Item = Part<'_>> {
        let mut rest = self.text.as_str();
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            if let Some((name, after)) = placeholder(rest) {
                rest = after;
                return Some(Part::Placeholder(name));
            }
            // At least one character, then up to the next brace.
            let end = rest.char_indices().skip(1).find(|(_, c)| *c == '{').map_or(rest.len(), |(at, _)| at);
            let (text, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
            rest = after;
            Some(Part::Text(text))
        })
    }
}

enum Part<'a> {
    Text(&'a str),
    Placeholder(&'a str),
}

fn placeholder(text: &str) -> Option<(&str, &str)> {
    let (name, after) = text.strip_prefix('{')?.split_once('}')?;
    let named = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "_-.".contains(c));
    named.then_some((name, after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nlu::Extractor;

    fn entity(name: &str, text: &str, value: &str, extractor: Extractor) -> Entity {
        Entity {
            entity: name.into(),
            start: 0,
            end: text.chars().count(),
            text: text.into(),
            value: value.into(),
            confidence: 1.0,
            role: None,
            group: None,
            extractor,
        }
    }

    fn render(template: &str, entities: &[Entity]) -> Option<String> {
        ResponseTemplate::new(template.into()).render(entities)
    }

    #[test]
    fn placeholders_are_filled_from_entities() {
        let entities = [
            entity("subject", "maths", "mathematics", Extractor::Lookup),
            entity("date", "tomorrow", "2027-03-14", Extractor::Builtin),
        ];
        assert_eq!(render("{subject} on {date}.", &entities).as_deref(), Some("mathematics on tomorrow."));
    }

    #[test]
    fn a_missing_entity_makes_no_sentence() {
        assert_eq!(render("About {subject}", &[]), None);
    }

    #[test]
    fn a_template_without_placeholders_always_renders() {
        assert_eq!(render("Hello! {} { x } {", &[]).as_deref(), Some("Hello! {} { x } {"));
    }
}
