//! A language's vocabulary made ready: a number for each word, and its phrases as tries.

use std::collections::HashMap;

use jiff::civil::Weekday;

use super::guard::Guarded;
use super::lang::neutral;
use super::rules::{Trie, expand};
use super::tense::Tense;
use super::tongue::{Part, Rules, Section, Tongue, Unit};
use super::unspaced::{self, GLUED, Lexicon};
use crate::nlu::text::Text;

/// A word of a language, or [`UNKNOWN`].
pub(super) type Id = u16;

/// Every word that the vocabulary lacks.
pub(super) const UNKNOWN: Id = 0;

/// The ends of an utterance and any number, in the contexts of guards.
pub(super) const START: Id = 1;
pub(super) const END: Id = 2;
pub(super) const DIGITS: Id = 3;

/// A word that begins no phrase where it stands.
pub(super) const SILENT: Id = 5;

/// A number that is written as one word but not listed: "zweitausenddreihundert".
pub(super) const COMPOUND: Id = 4;

/// What a word can mean.
// The flags are independent of each other.
#[allow(clippy::struct_excessive_bools)]
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Entry {
    pub number: Option<f64>,
    pub one: bool,
    pub ordinal: Option<u32>,
    pub weekday: Option<Weekday>,
    pub plural: Option<Weekday>,
    pub part: Option<Part>,
    pub month: Option<i32>,
    /// The year before the first of an era.
    pub era: Option<i32>,
    pub unit: Option<Unit>,
    pub glued_unit: Option<Unit>,
    pub measure: Option<&'static str>,
    pub currency: Option<&'static str>,
    /// Two of a unit.
    pub dual: Option<Unit>,
    /// What it adds to the number behind it.
    pub shift: Option<f64>,
    pub tense: Option<Tense>,
    pub prefix: bool,
    pub minus: bool,
    pub clause: bool,
    pub guarded: bool,
}

/// A language, ready to read.
#[derive(Debug)]
pub(super) struct Grammar {
    pub tongue: &'static Tongue,
    pub ids: HashMap<Box<str>, Id, Fnv>,
    pub entries: Vec<Entry>,
    pub guards: Vec<Guarded>,
    pub tens_links: Vec<Vec<Id>>,
    pub hundreds_links: Vec<Vec<Id>>,
    pub scale_links: Vec<Vec<Id>>,
    pub point: Vec<Vec<Id>>,
    pub and_half: Vec<Vec<Id>>,
    pub and: Vec<Vec<Id>>,
    pub moment_links: Vec<Vec<Id>>,
    pub weekday_tail: Vec<Vec<Id>>,
    pub long_months: Vec<(Vec<Id>, i32)>,
    pub ordinal_dot: Vec<Id>,
    pub ordinal_suffixes: Vec<Id>,
    pub anchors: Vec<Id>,
    pub before_date: Vec<Id>,
    pub part: Trie,
    pub duration: Trie,
    pub time: Trie,
    pub edge: Trie,
    pub date: Trie,
    pub interval: Trie,
    pub recurrence: Trie,
    pub quantity: Trie,
    pub part_links: Vec<Vec<Id>>,
    /// Of a language without spaces.
    pub unspaced: Option<Lexicon>,
}

/// FNV-1a: the words are the program's own, so no one can choose them to collide.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Fnv;

/// Its state.
#[derive(Debug)]
pub(super) struct FnvState(u64);

impl std::hash::BuildHasher for Fnv {
    type Hasher = FnvState;

    fn build_hasher(&self) -> FnvState {
        FnvState(0xcbf2_9ce4_8422_2325)
    }
}

impl std::hash::Hasher for FnvState {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

/// No word of a vocabulary is longer.
const LONGEST: usize = 40;

impl Grammar {
    pub(super) fn new(tongue: &'static Tongue) -> Self {
        let mut grammar = Self::empty(tongue);
        grammar.name_words(tongue);
        if let Some(written) = tongue.written {
            for number in 1..1000 {
                for spelling in written(number) {
                    let value = f64::from(number);
                    grammar.add(&spelling, |entry| entry.number = entry.number.or(Some(value)));
                }
            }
        }
        let mut lexicon = tongue.unspaced.map(|spec| {
            grammar.part_links = grammar.phrases(spec.part_links);
            Lexicon::new(&mut grammar, spec)
        });
        for source in [neutral::RULES, tongue.rules] {
            for (section, rules) in source {
                grammar.add_rules(*section, rules);
            }
        }
        grammar.tens_links = grammar.phrases(tongue.tens_links);
        grammar.hundreds_links = grammar.phrases(tongue.hundreds_links);
        grammar.scale_links = grammar.phrases(tongue.scale_links);
        grammar.point = grammar.phrases(tongue.point);
        grammar.and_half = grammar.phrases(tongue.and_half);
        grammar.and = grammar.phrases(tongue.and);
        grammar.moment_links = grammar.phrases(tongue.moment_links);
        if !tongue.weekday_tail.is_empty() {
            let tail = grammar.intern(tongue.weekday_tail);
            let dash = grammar.intern("-");
            grammar.weekday_tail = vec![vec![dash, tail], vec![tail]];
        }
        grammar.long_months =
            tongue.long_months.iter().map(|(month, number)| (grammar.words_of(month), *number)).collect();
        grammar.ordinal_dot = tongue.ordinal_dot.iter().map(|word| grammar.intern(word)).collect();
        grammar.ordinal_suffixes = tongue.ordinal_suffixes.iter().map(|word| grammar.intern(word)).collect();
        grammar.anchors = tongue.anchors.iter().map(|word| grammar.intern(word)).collect();
        grammar.before_date = tongue.before_date.iter().map(|word| grammar.intern(word)).collect();
        grammar.add_guards(tongue);
        grammar.add_unaccented();
        if let Some(lexicon) = &mut lexicon {
            lexicon.note_begins(&grammar);
        }
        grammar.unspaced = lexicon;
        grammar
    }

    fn empty(tongue: &'static Tongue) -> Self {
        let mut grammar = Self {
            tongue,
            ids: HashMap::with_hasher(Fnv),
            entries: vec![Entry::default()],
            guards: Vec::new(),
            tens_links: Vec::new(),
            hundreds_links: Vec::new(),
            scale_links: Vec::new(),
            point: Vec::new(),
            and_half: Vec::new(),
            and: Vec::new(),
            moment_links: Vec::new(),
            weekday_tail: Vec::new(),
            long_months: Vec::new(),
            ordinal_dot: Vec::new(),
            ordinal_suffixes: Vec::new(),
            anchors: Vec::new(),
            before_date: Vec::new(),
            part: Trie::default(),
            duration: Trie::default(),
            time: Trie::default(),
            edge: Trie::default(),
            date: Trie::default(),
            interval: Trie::default(),
            recurrence: Trie::default(),
            quantity: Trie::default(),
            part_links: Vec::new(),
            unspaced: None,
        };
        // The order is that of START, END, DIGITS, COMPOUND and SILENT.
        for mark in ["^", "$", "#", "##", "###"] {
            let id = grammar.fresh(Entry::default());
            grammar.ids.insert(mark.into(), id);
        }
        grammar
    }

    fn name_words(&mut self, tongue: &'static Tongue) {
        for (word, value) in tongue.numbers {
            self.add(word, |entry| entry.number = Some(*value));
        }
        for word in tongue.ones {
            self.add(word, |entry| entry.one = true);
        }
        for word in tongue.minus {
            self.add(word, |entry| entry.minus = true);
        }
        self.add("-", |entry| entry.minus = true);
        for (word, value) in tongue.shifts {
            self.add(word, |entry| entry.shift = Some(*value));
        }
        for (word, tense) in tongue.tenses {
            self.add(word, |entry| entry.tense = Some(*tense));
        }
        for word in tongue.prefixes {
            self.add(word, |entry| entry.prefix = true);
        }
        for word in tongue.whole {
            self.intern(word);
        }
        for (word, value) in tongue.ordinals {
            self.add(word, |entry| entry.ordinal = Some(*value));
        }
        for (word, day) in tongue.weekdays {
            self.add(word, |entry| {
                entry.weekday = Some(*day);
                entry.clause = true;
            });
        }
        for (part, meaning) in tongue.day_parts {
            for (word, day) in tongue.weekdays {
                self.add(&format!("{word}{part}"), |entry| {
                    entry.weekday = Some(*day);
                    entry.part = Some(*meaning);
                    entry.clause = true;
                });
            }
        }
        for (word, day) in tongue.plurals {
            self.add(word, |entry| entry.plural = Some(*day));
        }
        for (word, month) in tongue.months {
            self.add(word, |entry| entry.month = Some(*month));
        }
        for (word, unit) in tongue.units {
            self.add(word, |entry| entry.unit = Some(*unit));
        }
        for (word, unit) in tongue.duals {
            self.add(word, |entry| entry.dual = Some(*unit));
        }
        for (word, unit) in neutral::GLUED_UNITS.iter().chain(tongue.glued_units) {
            self.add(word, |entry| entry.glued_unit = Some(*unit));
        }
        for (word, name) in neutral::MEASURES.iter().chain(tongue.measures) {
            self.add(word, |entry| entry.measure = Some(name));
        }
        for (word, code) in neutral::CURRENCIES.iter().chain(tongue.currencies) {
            self.add(word, |entry| entry.currency = Some(code));
        }
        for (word, before) in tongue.unspaced.map_or(&[][..], |spec| spec.eras) {
            self.add(word, |entry| entry.era = Some(*before));
        }
        for word in tongue.clause {
            self.add(word, |entry| entry.clause = true);
        }
    }

    pub(super) fn fresh(&mut self, entry: Entry) -> Id {
        let id = Id::try_from(self.entries.len()).unwrap_or(UNKNOWN);
        self.entries.push(entry);
        id
    }

    /// The number of a word, which has one from now on.
    pub(super) fn intern(&mut self, word: &str) -> Id {
        let normal = self.folded(&Text::new(word).normal).into_owned();
        if let Some(id) = self.ids.get(normal.as_str()) {
            return *id;
        }
        let id = self.fresh(Entry::default());
        self.ids.insert(normal.into(), id);
        id
    }

    /// Gives a meaning to a word, or to each of several with spaces between.
    fn add(&mut self, words: &str, change: impl Fn(&mut Entry)) {
        for word in words.split_whitespace() {
            let id = self.intern(word);
            if let Some(entry) = self.entries.get_mut(usize::from(id)) {
                change(entry);
            }
        }
    }

    /// The words of a phrase, cut as an utterance is.
    pub(super) fn words_of(&mut self, phrase: &str) -> Vec<Id> {
        let text = Text::new(phrase);
        if self.tongue.unspaced.is_none() {
            return text.tokens.iter().map(|token| self.intern(text.slice(*token))).collect();
        }
        let mut end = usize::MAX;
        let tokens = unspaced::split(&text).unwrap_or_else(|| text.tokens.clone());
        let glue = |id: Id, glued: bool| if glued { id | GLUED } else { id };
        tokens
            .iter()
            .map(|token| {
                glue(self.intern(text.slice(*token)), std::mem::replace(&mut end, token.end) == token.start)
            })
            .collect()
    }

    fn phrases(&mut self, phrases: &[&str]) -> Vec<Vec<Id>> {
        phrases.iter().map(|phrase| self.words_of(phrase)).collect()
    }

    fn add_rules(&mut self, section: Section, rules: Rules) {
        for (pattern, op) in rules {
            for elements in expand(pattern, &mut |word| self.words_of(word)) {
                let trie = match section {
                    Section::Part => &mut self.part,
                    Section::Duration => &mut self.duration,
                    Section::Time => &mut self.time,
                    Section::Edge => &mut self.edge,
                    Section::Date => &mut self.date,
                    Section::Interval => &mut self.interval,
                    Section::Recurrence => &mut self.recurrence,
                    Section::Quantity => &mut self.quantity,
                };
                trie.insert(&elements, *op);
            }
        }
    }

    pub(super) fn id(&self, word: &str) -> Id {
        if word.len() > LONGEST {
            return UNKNOWN;
        }
        self.ids.get(self.folded(word).as_ref()).copied().unwrap_or(UNKNOWN)
    }

    /// The value of a word with a thousand inside.
    pub(super) fn compound(&self, word: &str) -> Option<f64> {
        if word.len() < 6 || word.len() > 100 {
            return None;
        }
        let below_thousand = |part: &str| {
            let part = part.strip_prefix("und").unwrap_or(part);
            let id = *self.ids.get(part)?;
            self.entry(id).number.filter(|value| (1.0..1000.0).contains(value))
        };
        let inside = self.tongue.thousand_inside.iter().find_map(|inside| word.split_once(inside));
        let (left, right) = inside?;
        let thousands = if left.is_empty() { 1.0 } else { below_thousand(left)? };
        let rest = if right.is_empty() { 0.0 } else { below_thousand(right)? };
        Some(thousands * 1000.0 + rest)
    }

    pub(super) fn entry(&self, id: Id) -> &Entry {
        const NOTHING: &Entry = &Entry {
            number: None,
            one: false,
            ordinal: None,
            weekday: None,
            plural: None,
            part: None,
            month: None,
            era: None,
            unit: None,
            glued_unit: None,
            measure: None,
            currency: None,
            dual: None,
            shift: None,
            tense: None,
            prefix: false,
            minus: false,
            clause: false,
            guarded: false,
        };
        self.entries.get(usize::from(id)).unwrap_or(NOTHING)
    }
}
