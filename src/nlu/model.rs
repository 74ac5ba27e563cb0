//! The trained model: what the rest of Voicera holds and asks.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::data::TrainingData;
use super::entity::{self, Candidate, Clock, Lexicon, Patterns, Tagger, builtin};
use super::intent::{Classifier, Prediction};
use super::language::Likely;
use super::response::ResponseTemplate;
use super::template::{Examples, Templates};
use super::text::Text;
use super::types::{
    Context, Entity, IntentSummary, ModelError, Parse, Progress, Ranked, TrainError, TrainOptions,
};
use super::{codec, data, language, train};

/// A trained model. Immutable; share it behind an `Arc` and replace it whole.
#[derive(Debug, Clone)]
pub struct Model {
    pub(super) stored: Stored,
}

/// All that a model is made of, as it is written to bytes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Stored {
    pub version: String,
    pub languages: Vec<String>,
    pub intents: Vec<IntentSummary>,
    /// In the order of `languages`.
    pub models: Vec<LanguageModel>,
}

/// What is known in one language.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct LanguageModel {
    pub classifier: Classifier,
    pub templates: Templates,
    pub examples: Examples,
    pub lexicon: Lexicon,
    pub patterns: Patterns,
    pub tagger: Tagger,
    /// Entity types annotated in the examples of each class, in alphabetical order.
    pub expected: Vec<Vec<String>>,
    /// Example sentences, an intent each in turn.
    pub suggestions: Vec<String>,
    pub responses: BTreeMap<String, Vec<ResponseTemplate>>,
}

impl LanguageModel {
    pub(super) fn restore(&mut self) -> bool {
        self.expected.len() == self.classifier.classes.len()
            && self.templates.is_sound(self.classifier.classes.len())
            && self.examples.is_sound()
            && self.classifier.restore()
            && self.lexicon.restore()
            && self.patterns.restore()
            && self.tagger.restore(self.classifier.classes.len())
    }

    /// What the intents make of a text, templates first: they say exactly what they understand.
    fn predict(&self, text: &Text) -> Prediction {
        let mut prediction = self.classifier.predict(text);
        if prediction.exact {
            prediction.literal = self.examples.find(text);
        } else if let Some((class, entities)) = self.templates.find(text) {
            prediction.settle(class);
            prediction.literal = Some(entities);
        }
        prediction
    }
}

impl Model {
    /// Trains on merged packs. `progress` is called often, from this thread.
    ///
    /// # Errors
    ///
    /// [`TrainError`] when there is nothing to learn from or more than a model can hold.
    pub fn train(
        data: &TrainingData,
        options: &TrainOptions,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Self, TrainError> {
        train::train(data, options, progress).map(|stored| Self { stored })
    }

    /// Understands one utterance. Never fails and never panics; at most
    /// [`MAX_CHARS`](super::MAX_CHARS) code points are looked at.
    pub fn parse(&self, text: &str, context: &Context) -> Parse {
        let hint = context.language.as_deref().and_then(data::primary_tag);
        let normal = Text::new(text);
        let (language, language_confidence, model, prediction) = self.understand(text, &normal, hint);
        let prediction = prediction.unwrap_or_default();

        let ranking: Vec<Ranked> = prediction
            .ranking
            .iter()
            .filter_map(|(class, confidence)| {
                let intent = model?.classifier.classes.get(*class)?.clone();
                Some(Ranked { intent, confidence: *confidence })
            })
            .collect();
        // Entities go with the likeliest intent, also when it is too uncertain to be the answer: a
        // caller who asks back has them already.
        let top = prediction.ranking.first().map(|(class, _)| *class);
        let intent = ranking.first().filter(|_| prediction.within_scope).map(|ranked| ranked.intent.clone());
        let spoken = entity::Language::of(&language);
        let (entities, time_dependent) = entities(
            text,
            &normal,
            model,
            top,
            prediction.literal,
            Clock { now: &context.now, language: spoken },
        );
        Parse {
            language,
            language_confidence,
            intent,
            confidence: prediction.confidence,
            in_scope: prediction.in_scope,
            ranking,
            entities,
            time_dependent,
        }
    }

    /// The language, how sure, its model, and what that makes of the text.
    fn understand(
        &self,
        original: &str,
        normal: &Text,
        hint: Option<String>,
    ) -> (String, f32, Option<&LanguageModel>, Option<Prediction>) {
        let Stored { languages, models, .. } = &self.stored;
        if let Some(hint) = hint {
            let model = languages.iter().position(|known| *known == hint).and_then(|index| models.get(index));
            let prediction = model.map(|model| model.predict(normal));
            return (hint, 1.0, model, prediction);
        }
        let known: Vec<&str> = languages.iter().map(String::as_str).collect();
        let likely = language::likely(original, &known);
        let only = likely.len() == 1;
        let mut total = 0.0;
        let mut best: Option<(f32, usize, Prediction)> = None;
        for Likely { index, weight, share } in likely {
            let Some(model) = models.get(index) else {
                continue;
            };
            let prediction = model.predict(normal);
            let familiar = 1.0 - prediction.unfamiliar;
            let evidence = share
                * (0.02 + weight + 1.5 * familiar * familiar + if prediction.exact { 1.0 } else { 0.0 });
            total += evidence;
            if best.as_ref().is_none_or(|(other, _, _)| evidence > *other) {
                best = Some((evidence, index, prediction));
            }
        }
        match best {
            Some((evidence, index, prediction)) => {
                let confidence = if only { 1.0 - 0.5 * prediction.unfamiliar } else { evidence / total };
                let language = languages.get(index).cloned().unwrap_or_default();
                (language, confidence, models.get(index), Some(prediction))
            }
            // The script belongs to none of the languages: name one, but hardly believe in it.
            None => (languages.first().cloned().unwrap_or_default(), 0.05, None, None),
        }
    }

    /// A short hash of the training data and of what this engine makes of it: models of one
    /// version answer alike.
    pub fn version(&self) -> &str {
        &self.stored.version
    }

    /// BCP-47 primary tags that the model has data for, in alphabetical order.
    pub fn languages(&self) -> &[String] {
        &self.stored.languages
    }

    /// The intents in alphabetical order, without out-of-scope negatives.
    pub fn intents(&self) -> Vec<IntentSummary> {
        self.stored.intents.clone()
    }

    /// Up to `limit` example sentences in plain text, of as many intents as possible; none in a
    /// language that the model does not know.
    pub fn suggestions(&self, language: &str, limit: usize) -> Vec<&str> {
        self.in_language(language)
            .map(|model| model.suggestions.iter().take(limit).map(String::as_str).collect())
            .unwrap_or_default()
    }

    /// A response template of an intent; `pick` chooses among its variants, each `pick` one.
    pub fn response(&self, intent: &str, language: &str, pick: u64) -> Option<&ResponseTemplate> {
        let variants = self.in_language(language)?.responses.get(intent)?;
        let index = pick.checked_rem(variants.len() as u64)?;
        variants.get(usize::try_from(index).ok()?)
    }

    /// A response that the entities can fill. Of the variants that render, one with the most
    /// placeholders, since it says the most; `pick` chooses among equals.
    pub fn respond(&self, intent: &str, language: &str, pick: u64, entities: &[Entity]) -> Option<String> {
        let count = self.in_language(language)?.responses.get(intent)?.len() as u64;
        let mut rendered: Vec<(usize, String)> = (0..count)
            .filter_map(|step| self.response(intent, language, pick.wrapping_add(step)))
            .filter_map(|variant| Some((variant.placeholders().count(), variant.render(entities)?)))
            .collect();
        rendered.sort_by_key(|(placeholders, _)| std::cmp::Reverse(*placeholders));
        rendered.into_iter().next().map(|(_, text)| text)
    }

    fn in_language(&self, language: &str) -> Option<&LanguageModel> {
        let tag = data::primary_tag(language)?;
        let index = self.stored.languages.iter().position(|known| *known == tag)?;
        self.stored.models.get(index)
    }

    /// The model as bytes, with a format number and a checksum.
    pub fn to_bytes(&self) -> Vec<u8> {
        codec::encode(&self.stored)
    }

    /// A model from bytes that [`Model::to_bytes`] made. Takes memory in proportion to the bytes.
    ///
    /// # Errors
    ///
    /// [`ModelError`] for all other bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ModelError> {
        let mut stored: Stored = codec::decode(bytes)?;
        let sound = stored.languages.len() == stored.models.len()
            && stored.models.iter_mut().all(LanguageModel::restore);
        if sound { Ok(Self { stored }) } else { Err(ModelError::Damaged) }
    }
}

fn entities(
    original: &str,
    text: &Text,
    model: Option<&LanguageModel>,
    top: Option<usize>,
    literal: Option<Vec<Candidate>>,
    clock: Clock<'_>,
) -> (Vec<Entity>, bool) {
    let mut candidates = Vec::new();
    builtin::find(text, clock, &mut candidates);
    if let Some(model) = model {
        let builtins = candidates.clone();
        let expected = top.and_then(|class| model.expected.get(class));
        // What a template or an example says leaves nothing to guess; but it does not repeat what
        // lookup tables and regexes find by themselves.
        let guess = literal.is_none();
        let tagged = top.filter(|class| guess && model.tagger.knows(*class));
        if let Some(class) = tagged {
            model.tagger.find(text, class, &builtins, &mut candidates);
        }
        model.patterns.find(original, text, &mut candidates);
        model.lexicon.find(
            text,
            |entity| {
                guess
                    && tagged.is_none()
                    && expected.is_none_or(|names| names.iter().any(|name| name == entity))
            },
            &mut candidates,
        );
        // Where no intent expects an entity its table has to speak for itself.
        let orphan = |entity: &str| !model.expected.iter().flatten().any(|name| name == entity);
        let named = |names: &Vec<String>, entity: &str| names.iter().any(|name| name == entity);
        if guess {
            let here = |entity: &str| expected.is_some_and(|names| named(names, entity)) || orphan(entity);
            model.lexicon.correct(text, here, &mut candidates);
        }
    }
    candidates.extend(literal.into_iter().flatten());
    entity::settle(original, text, candidates)
}

#[cfg(test)]
mod tests;
