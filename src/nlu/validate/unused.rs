//! What stands in the data and leads nowhere: tables, patterns, synonyms, responses.

use std::collections::{BTreeMap, BTreeSet};

use super::annotations::said;
use super::{Check, Entry, Findings, Place, Sentence, quoted};
use crate::nlu::data::{Item, OUT_OF_SCOPE};
use crate::nlu::text::normalise;

/// Where each name stands first.
type Places<'a> = BTreeMap<&'a str, Place>;

#[derive(Default)]
struct Defined<'a> {
    lookups: Places<'a>,
    regexes: Places<'a>,
    /// Canonical value, with all ways to say it.
    synonyms: BTreeMap<&'a str, (Option<Place>, BTreeSet<String>)>,
    responses: Places<'a>,
    /// Intents that have some.
    templates: Places<'a>,
    /// Lookup tables that templates take values from.
    taken: BTreeSet<&'a str>,
    /// Normalised values of all tables.
    values: BTreeSet<String>,
}

pub(super) fn check(sentences: &[Sentence<'_>], entries: &[Entry<'_>], findings: &mut Findings<'_>) {
    let defined = defined(entries);
    let annotations = || {
        sentences
            .iter()
            .flat_map(|sentence| sentence.example.annotations.iter().map(move |found| (sentence, found)))
    };
    let mut types: BTreeSet<&str> = annotations().map(|(_, found)| found.entity.as_str()).collect();
    types.extend(&defined.taken);
    let kinds = [
        (Check::UnusedLookup, "lookup table", &defined.lookups),
        (Check::UnusedRegex, "regex", &defined.regexes),
    ];
    for (check, kind, places) in kinds {
        for (entity, place) in places.iter().filter(|(entity, _)| !types.contains(*entity)) {
            let message = format!("the {kind} of {entity} finds an entity that no sentence annotates");
            let fix = "Annotate it in examples, so that intents expect it, or check the spelling of the name";
            findings.add(check, *place, message, fix);
        }
    }
    if !defined.synonyms.is_empty() {
        let mut known: BTreeSet<String> =
            annotations().map(|(sentence, found)| said(sentence, found)).collect();
        known.extend(annotations().filter_map(|(_, found)| found.value.as_deref()).map(normalise));
        known.extend(defined.values.iter().cloned());
        synonyms(&defined, &known, findings);
    }
    responses(sentences, &defined, findings);
}

fn defined<'a>(entries: &[Entry<'a>]) -> Defined<'a> {
    let mut defined = Defined::default();
    for entry in entries {
        match entry.item {
            Item::Example { .. } => {}
            Item::Template { intent, lookups, .. } => {
                defined.templates.entry(intent).or_insert(entry.place);
                defined.taken.extend(lookups.iter().map(String::as_str));
            }
            Item::Lookup { entity, value } => {
                defined.lookups.entry(entity).or_insert(entry.place);
                defined.values.insert(normalise(value));
            }
            Item::Regex { entity, .. } => {
                defined.regexes.entry(entity).or_insert(entry.place);
            }
            Item::Synonym { value, variant } => {
                let (place, ways) = defined.synonyms.entry(value).or_default();
                place.get_or_insert(entry.place);
                ways.extend([normalise(value), normalise(variant)]);
            }
            Item::Response { intent, .. } => {
                defined.responses.entry(intent).or_insert(entry.place);
            }
        }
    }
    defined
}

fn synonyms(defined: &Defined<'_>, known: &BTreeSet<String>, findings: &mut Findings<'_>) {
    for (value, (place, ways)) in &defined.synonyms {
        if let Some(place) = place
            && ways.is_disjoint(known)
        {
            let message =
                format!("synonym {} is of a value that no sentence and no lookup table has", quoted(value));
            let fix = "Annotate one of its variants in an example, or check the spelling";
            findings.add(Check::UnusedSynonym, *place, message, fix);
        }
    }
}

fn responses(sentences: &[Sentence<'_>], defined: &Defined<'_>, findings: &mut Findings<'_>) {
    let responses = &defined.responses;
    // Data of an application that answers for itself has no responses at all.
    if responses.is_empty() {
        return;
    }
    let mut intents = defined.templates.clone();
    intents.remove(OUT_OF_SCOPE);
    for sentence in sentences.iter().filter(|sentence| sentence.intent != OUT_OF_SCOPE) {
        intents.entry(sentence.intent).or_insert(sentence.place);
    }
    for (intent, place) in responses.iter().filter(|(intent, _)| !intents.contains_key(*intent)) {
        let message = format!("utter_{intent} answers an intent that has no sentence");
        let fix = "Add sentences of the intent, or check the spelling of the name";
        findings.add(Check::ResponseWithoutIntent, *place, message, fix);
    }
    for (intent, place) in intents.iter().filter(|(intent, _)| !responses.contains_key(*intent)) {
        let message = format!("intent {intent} has no response, though others have one");
        let fix = format!("Add \"utter_{intent}:\" under \"responses:\"");
        findings.add(Check::IntentWithoutResponse, *place, message, &fix);
    }
}
