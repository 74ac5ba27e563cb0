//! From merged packs to a model: each language by itself.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::data::{Example, LanguagePack, OUT_OF_SCOPE, TrainingData, hex};
use super::entity::{Language, LexiconBuilder, PASSES, Patterns, Tagged, learn};
use super::intent::{Labelled, fit};
use super::model::{LanguageModel, Stored};
use super::response::ResponseTemplate;
use super::rng::Rng;
use super::template::{self, Examples, Templates};
use super::text::Text;
use super::types::{IntentSummary, Progress, Stage, TrainError, TrainOptions};

/// Raised whenever the same data would give a model that answers otherwise.
pub const ENGINE: u32 = 4;
const MAX_INTENTS: usize = 4096;
/// Example sentences of each intent that a model keeps to suggest.
const SUGGESTED: usize = 5;
/// Example sentences that stand for an intent in its summary.
const SAMPLES: usize = 3;

/// What there is in one language.
struct Pack<'a> {
    language: &'a str,
    /// As someone wrote it.
    written: &'a LanguagePack,
    /// With some sentences of its templates.
    learned: Cow<'a, LanguagePack>,
}

impl Pack<'_> {
    /// The intents that can be answered, with their sentences: those that someone wrote, where there
    /// are any.
    fn shown(&self) -> impl Iterator<Item = (&String, &BTreeSet<Example>)> {
        let answered = self.learned.intents.iter().filter(|(name, _)| *name != OUT_OF_SCOPE);
        answered.map(|(name, examples)| {
            let written = self.written.intents.get(name).filter(|examples| !examples.is_empty());
            (name, written.unwrap_or(examples))
        })
    }
}

pub(super) fn train(
    data: &TrainingData,
    options: &TrainOptions,
    progress: &mut dyn FnMut(Progress),
) -> Result<Stored, TrainError> {
    let packs: Vec<Pack<'_>> = data
        .packs()
        .map(|(language, written)| Pack { language, written, learned: with_samples(written) })
        .filter(|pack| has_examples(&pack.learned))
        .collect();
    if packs.is_empty() {
        return Err(TrainError::Empty);
    }
    let mut models = Vec::with_capacity(packs.len());
    for pack in &packs {
        if pack.learned.intents.len() > MAX_INTENTS {
            return Err(TrainError::TooManyIntents(pack.learned.intents.len()));
        }
        models.push(train_language(pack, options, progress));
    }
    Ok(Stored {
        version: version(data, options),
        languages: packs.iter().map(|pack| pack.language.to_owned()).collect(),
        intents: summaries(&packs),
        models,
    })
}

/// The pack with some sentences of its templates among its examples.
fn with_samples(pack: &LanguagePack) -> Cow<'_, LanguagePack> {
    if pack.templates.is_empty() {
        return Cow::Borrowed(pack);
    }
    let mut pack = pack.clone();
    for (intent, templates) in &pack.templates {
        let drawn = templates.iter().flat_map(|template| template::sample(template, &pack.lookups));
        pack.intents.entry(intent.clone()).or_default().extend(drawn);
    }
    Cow::Owned(pack)
}

fn has_examples(pack: &LanguagePack) -> bool {
    pack.intents.iter().any(|(name, examples)| name != OUT_OF_SCOPE && !examples.is_empty())
}

fn version(data: &TrainingData, options: &TrainOptions) -> String {
    let identity = format!("{}/{ENGINE}/{options:?}", data.fingerprint());
    hex(&Sha256::digest(identity)).chars().take(16).collect()
}

fn train_language(
    whole: &Pack<'_>,
    options: &TrainOptions,
    progress: &mut dyn FnMut(Progress),
) -> LanguageModel {
    let (language, pack) = (whole.language, whole.learned.as_ref());
    let classes: Vec<String> = pack.intents.keys().filter(|name| *name != OUT_OF_SCOPE).cloned().collect();
    let mut items: Vec<Labelled> = Vec::new();
    for (name, examples) in &pack.intents {
        let class = classes.iter().position(|class| class == name).unwrap_or(classes.len());
        items.extend(examples.iter().map(|example| Labelled { text: Text::new(&example.text), class }));
    }
    let expected =
        classes.iter().map(|class| entity_types(pack.intents.get(class).into_iter().flatten())).collect();
    let literal = templates(pack, &classes);
    let classifier = fit(classes, &items, options, progress);

    progress(Progress { stage: Stage::Entities, done: 0, total: PASSES });
    let mut lexicon = LexiconBuilder::default();
    for (variant, value) in &pack.synonyms {
        lexicon.synonym(variant, value);
    }
    for (entity, values) in &pack.lookups {
        lexicon.table(entity, values);
    }
    for example in pack.intents.values().flatten() {
        lexicon.example(example);
    }
    let examples = pack.intents.values().flatten();
    let tagged: Vec<Tagged<'_>> = items
        .iter()
        .zip(examples)
        .map(|(item, example)| Tagged { text: &item.text, example, class: item.class })
        .collect();
    let (spoken, mut done) = (Language::of(language), 0);
    let learned =
        learn(&tagged, classifier.classes.len(), spoken, lexicon.synonyms(), options.seed, &mut || {
            done += 1;
            progress(Progress { stage: Stage::Entities, done, total: PASSES });
        });
    let synonyms = lexicon.synonyms().clone();
    let lexicon = lexicon.build(language, items.iter().map(|item| &item.text));
    let patterns = pack
        .regexes
        .iter()
        .flat_map(|(entity, sources)| sources.iter().map(move |source| (entity.clone(), source.clone())));
    progress(Progress { stage: Stage::Entities, done: PASSES, total: PASSES });
    LanguageModel {
        templates: Templates::new(literal.into_iter(), &pack.lookups, &synonyms),
        examples: Examples::new(tagged.iter().map(|item| (item.text, item.example)), &synonyms),
        classifier,
        lexicon,
        patterns: Patterns::new(patterns),
        tagger: learned,
        expected,
        suggestions: suggestions(whole, options.seed),
        responses: responses(pack),
    }
}

/// The templates of the intents that can be answered, with the class of each.
fn templates(pack: &LanguagePack, classes: &[String]) -> Vec<(u16, template::Piece)> {
    pack.templates
        .iter()
        .filter_map(|(intent, templates)| {
            let class = u16::try_from(classes.iter().position(|class| class == intent)?).ok()?;
            Some(templates.iter().filter_map(move |text| Some((class, template::parse(text).ok()?))))
        })
        .flatten()
        .collect()
}

fn entity_types<'a>(examples: impl Iterator<Item = &'a Example>) -> Vec<String> {
    let names: BTreeSet<&String> =
        examples.flat_map(|example| &example.annotations).map(|found| &found.entity).collect();
    names.into_iter().cloned().collect()
}

/// A sentence of every intent in turn, each intent's in a shuffled order.
fn suggestions(pack: &Pack<'_>, seed: u64) -> Vec<String> {
    let mut rng = Rng::new(seed);
    let mut by_turn: Vec<Vec<String>> = vec![Vec::new(); SUGGESTED];
    for (_, examples) in pack.shown() {
        let mut texts: Vec<&String> = examples.iter().map(|example| &example.text).collect();
        rng.shuffle(&mut texts);
        for (turn, text) in by_turn.iter_mut().zip(texts) {
            turn.push(text.clone());
        }
    }
    by_turn.into_iter().flatten().collect()
}

fn responses(pack: &LanguagePack) -> BTreeMap<String, Vec<ResponseTemplate>> {
    pack.responses
        .iter()
        .map(|(intent, texts)| (intent.clone(), texts.iter().cloned().map(ResponseTemplate::new).collect()))
        .collect()
}

/// A few sentences from all over the list: its neighbours are much alike.
fn spread(examples: &BTreeSet<Example>) -> Vec<String> {
    let step = examples.len().div_ceil(SAMPLES).max(1);
    examples.iter().step_by(step).map(|example| example.text.clone()).collect()
}

fn summaries(packs: &[Pack<'_>]) -> Vec<IntentSummary> {
    let mut summaries: BTreeMap<&str, IntentSummary> = BTreeMap::new();
    let mut entities: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for pack in packs {
        for (name, examples) in pack.shown() {
            let summary = summaries.entry(name).or_insert_with(|| IntentSummary {
                name: name.clone(),
                languages: Vec::new(),
                examples: 0,
                entities: Vec::new(),
                samples: spread(examples),
            });
            summary.languages.push(pack.language.to_owned());
            summary.examples += pack.written.intents.get(name).map_or(0, BTreeSet::len)
                + pack.written.templates.get(name).map_or(0, BTreeSet::len);
            // Templates have entities, too.
            let learned = pack.learned.intents.get(name).into_iter().flatten();
            entities.entry(name).or_default().extend(entity_types(learned));
        }
    }
    for (name, summary) in &mut summaries {
        summary.entities = entities.remove(name).unwrap_or_default().into_iter().collect();
    }
    summaries.into_values().collect()
}
