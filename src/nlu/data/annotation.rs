//! The inline markup of an example: `[value](entity)`, `[value](entity:canonical)` and
//! `[value]{"entity": "…", "role": "…", "group": "…", "value": "…"}`.
//!
//! Square brackets that neither `(` nor `{` follows are ordinary text.

use serde_json::Value;

use super::{Annotation, Example};

/// Splits one marked-up line into plain text and annotations.
///
/// The error is a sentence that says what is wrong with the markup.
pub(super) fn parse(line: &str) -> Result<Example, String> {
    let mut text = String::with_capacity(line.len());
    let mut length = 0;
    let mut annotations = Vec::new();
    let mut rest = line;
    // Where the next "]" stands. Each is looked for once, however many "[" stand before it.
    let mut close = 0;
    while let Some(open) = rest.find('[') {
        let (before, tail) = rest.split_at(open);
        push(&mut text, &mut length, before);
        let here = line.len() - tail.len();
        if close <= here {
            close = tail.find(']').map_or(line.len(), |found| here + found);
        }
        if let Some((value, label, after)) = annotated(tail, close - here)? {
            let start = length;
            push(&mut text, &mut length, value);
            annotations.push(Annotation { start, end: length, ..label });
            rest = after;
        } else {
            push(&mut text, &mut length, "[");
            rest = tail.get(1..).unwrap_or_default();
        }
    }
    push(&mut text, &mut length, rest);
    Ok(trimmed(&text, annotations))
}

fn push(text: &mut String, length: &mut usize, part: &str) {
    text.push_str(part);
    *length += part.chars().count();
}

/// Drops white space around the sentence and moves the annotations along.
fn trimmed(text: &str, annotations: Vec<Annotation>) -> Example {
    let cut = text.chars().take_while(|c| c.is_whitespace()).count();
    let text = text.trim().to_owned();
    let length = text.chars().count();
    let annotations = annotations
        .into_iter()
        .map(|annotation| Annotation {
            start: annotation.start.saturating_sub(cut),
            end: annotation.end.saturating_sub(cut).min(length),
            ..annotation
        })
        .filter(|annotation| annotation.start < annotation.end)
        .collect();
    Example { text, annotations }
}

type Labelled<'a> = (&'a str, Annotation, &'a str);

/// `tail` starts with `[`, and has its first `]` at `close`, if it has one. The value, its label and
/// what follows, or `None` when this is text.
fn annotated(tail: &str, close: usize) -> Result<Option<Labelled<'_>>, String> {
    let (Some(value), Some(after)) = (tail.get(1..close), tail.get(close + 1..)) else {
        return Ok(None);
    };
    if value.trim().is_empty() {
        return Ok(None);
    }
    match after.chars().next() {
        Some('(') => {
            let (label, rest) = after
                .get(1..)
                .and_then(|inner| inner.split_once(')'))
                .ok_or_else(|| format!("the entity of [{value}] has no closing \")\""))?;
            let (entity, synonym) = match label.split_once(':') {
                Some((entity, synonym)) => (entity, Some(synonym.trim().to_owned())),
                None => (label, None),
            };
            let label = named(value, entity.trim(), synonym, None, None)?;
            Ok(Some((value, label, rest)))
        }
        Some('{') => {
            let (json, rest) = json_prefix(value, after)?;
            Ok(Some((value, from_json(value, &json)?, rest)))
        }
        Some('[') if after.get(1..).is_some_and(|inner| inner.trim_start().starts_with('{')) => {
            let (json, rest) = json_prefix(value, after)?;
            let Value::Array(items) = json else {
                return Ok(None);
            };
            // One stretch has one type here: the first of a list of readings counts.
            let label = items.first().map(|item| from_json(value, item)).transpose()?;
            Ok(label.map(|label| (value, label, rest)))
        }
        _ => Ok(None),
    }
}

fn json_prefix<'a>(value: &str, after: &'a str) -> Result<(Value, &'a str), String> {
    let mut stream = serde_json::Deserializer::from_str(after).into_iter::<Value>();
    match stream.next() {
        Some(Ok(json)) => {
            let rest = after.get(stream.byte_offset()..).unwrap_or_default();
            Ok((json, rest))
        }
        _ => Err(format!("what follows [{value}] is not valid JSON")),
    }
}

fn from_json(text: &str, json: &Value) -> Result<Annotation, String> {
    let field = |name: &str| -> Result<Option<String>, String> {
        match json.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(found)) => Ok(Some(found.clone())),
            Some(Value::Number(found)) => Ok(Some(found.to_string())),
            Some(_) => Err(format!("\"{name}\" of [{text}] must be a string")),
        }
    };
    let entity = field("entity")?.unwrap_or_default();
    named(text, &entity, field("value")?, field("role")?, field("group")?)
}

fn named(
    text: &str,
    entity: &str,
    value: Option<String>,
    role: Option<String>,
    group: Option<String>,
) -> Result<Annotation, String> {
    if entity.is_empty() {
        return Err(format!("[{text}] names no entity"));
    }
    Ok(Annotation { start: 0, end: 0, entity: entity.to_owned(), value, role, group })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entities(line: &str) -> Vec<(usize, usize, String, Option<String>)> {
        parse(line).unwrap().annotations.into_iter().map(|a| (a.start, a.end, a.entity, a.value)).collect()
    }

    #[test]
    fn the_short_form_names_an_entity() {
        let example = parse("help with [algebra](subject) now").unwrap();
        assert_eq!(example.text, "help with algebra now");
        assert_eq!(entities("help with [algebra](subject) now"), [(10, 17, "subject".into(), None)]);
    }

    #[test]
    fn a_colon_gives_the_canonical_value() {
        assert_eq!(
            entities("[maths](subject:mathematics)"),
            [(0, 5, "subject".into(), Some("mathematics".into()))]
        );
    }

    #[test]
    fn the_long_form_takes_role_group_and_value() {
        let example =
            parse(r#"from [Köln]{"entity": "city", "role": "departure", "group": "1", "value": "CGN"} on"#)
                .unwrap();
        assert_eq!(example.text, "from Köln on");
        let annotation = example.annotations.first().unwrap();
        assert_eq!((annotation.start, annotation.end), (5, 9));
        assert_eq!(annotation.role.as_deref(), Some("departure"));
        assert_eq!(annotation.group.as_deref(), Some("1"));
        assert_eq!(annotation.value.as_deref(), Some("CGN"));
    }

    #[test]
    fn the_first_closing_bracket_ends_a_value() {
        assert_eq!(parse("[[[ a ] b").unwrap().text, "[[[ a ] b");
        assert_eq!(
            entities("a ] [b [c](d) e] [f](g)"),
            [(4, 8, "d".into(), None), (12, 13, "g".into(), None)]
        );
    }

    #[test]
    fn brackets_without_an_entity_are_text() {
        assert_eq!(parse("press [enter] twice").unwrap().text, "press [enter] twice");
        assert_eq!(parse("a [ b").unwrap().text, "a [ b");
    }

    #[test]
    fn broken_markup_is_an_error() {
        for line in ["[a](", "[a]()", "[a]{\"entity\"", "[a]{}", "[a]{\"entity\": []}"] {
            assert!(parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn offsets_follow_the_trimmed_sentence() {
        assert_eq!(entities("  [é](x) "), [(0, 1, "x".into(), None)]);
    }
}
