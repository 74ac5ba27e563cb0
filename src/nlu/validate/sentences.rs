//! Whole sentences: said twice, meant twice, or too few.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::templates::Templates;
use super::{Check, Findings, Place, Sentence, quoted};
use crate::nlu::data::Annotation;
use crate::nlu::text::{Text, normalise, sentence_key};

/// An intent with fewer distinct sentences is not learned well.
const FEWEST: usize = 5;

/// The first time that a sentence stands under an intent.
struct First<'a> {
    intent: &'a str,
    annotations: &'a [Annotation],
    place: Place,
}

pub(super) fn check<'a>(sentences: &[Sentence<'a>], templates: &Templates<'a>, findings: &mut Findings<'_>) {
    let mut seen: HashMap<String, Vec<First<'_>>> = HashMap::new();
    let mut intents: BTreeMap<&str, (Place, BTreeSet<String>)> = BTreeMap::new();
    for sentence in sentences {
        let key = key(&sentence.example.text);
        let (_, distinct) =
            intents.entry(sentence.intent).or_insert_with(|| (sentence.place, BTreeSet::new()));
        distinct.insert(key.clone());
        let before = seen.entry(key).or_default();
        if let Some(first) = before.iter().find(|first| first.intent == sentence.intent) {
            repeated(sentence, first, findings);
            continue;
        }
        if let Some(other) = before.first() {
            let message = format!(
                "{} is a sentence of {} here and of {} at {}",
                quoted(&sentence.example.text),
                sentence.intent,
                other.intent,
                findings.at(other.place)
            );
            let fix = "Keep it under one of them, or say what makes the difference";
            findings.add(Check::ConflictingIntents, sentence.place, message, fix);
        }
        before.push(First {
            intent: sentence.intent,
            annotations: &sentence.example.annotations,
            place: sentence.place,
        });
    }
    let mut counts: BTreeMap<&str, (Place, usize)> = templates.clone();
    for (intent, (place, distinct)) in intents {
        let (first, count) = counts.entry(intent).or_insert((place, 0));
        if (place.document, place.line) < (first.document, first.line) {
            *first = place;
        }
        *count = count.saturating_add(distinct.len());
    }
    for (intent, (place, count)) in counts {
        if count < FEWEST {
            let noun = if count == 1 { "sentence" } else { "different sentences" };
            let message = format!("intent {intent} has {count} {noun}");
            findings.add(Check::FewExamples, place, message, "Write at least 5, better 10 or more");
        }
    }
}

fn repeated(sentence: &Sentence<'_>, first: &First<'_>, findings: &mut Findings<'_>) {
    let text = quoted(&sentence.example.text);
    let (intent, at) = (sentence.intent, findings.at(first.place));
    // Spans may differ by a comma; what is said of them may not.
    let same = sentence.example.annotations.iter().map(meaning).eq(first.annotations.iter().map(meaning));
    let (check, message, fix) = if same {
        let message = format!("{text} already is a sentence of {intent} at {at}");
        (Check::DuplicateSentence, message, "Delete one, or say it in another way")
    } else {
        let message = format!("{text} is annotated differently at {at}");
        (Check::ConflictingAnnotations, message, "Annotate both alike, or delete one")
    };
    findings.add(check, sentence.place, message, fix);
}

type Meaning<'a> = (&'a str, usize, Option<&'a str>, Option<&'a str>, Option<&'a str>);

fn meaning(annotation: &Annotation) -> Meaning<'_> {
    (
        &annotation.entity,
        annotation.end - annotation.start.min(annotation.end),
        annotation.value.as_deref(),
        annotation.role.as_deref(),
        annotation.group.as_deref(),
    )
}

/// What makes two sentences one to the model: neither case nor punctuation tells them apart.
fn key(text: &str) -> String {
    let key = sentence_key(&Text::new(text));
    if key.is_empty() { normalise(text) } else { key }
}
