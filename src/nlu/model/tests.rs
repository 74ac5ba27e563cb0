mod built_in;
mod hostile;

use std::sync::LazyLock;

use super::super::Extractor;
use super::*;

const PACK: &str = r#"
version: "3.1"
nlu:
- intent: lights
  examples: |
    - turn on the light in the [kitchen](room)
    - switch the lamp off in the [living room](room)
    - make the [bedroom](room) brighter
    - lights out please
    - dim the lights to half
- intent: music
  examples: |
    - play some jazz
    - i want to hear a song
    - put on music by [mozart](artist)
    - play [queen](artist) loudly
    - next track please
- intent: travel
  examples: |
    - a ticket from [rome](city) to [oslo]{"entity": "city", "role": "destination"}
    - how do i get to [oslo]{"entity": "city", "role": "destination"}
    - book a train to paris
    - when does the bus leave
- intent: oos
  examples: |
    - what is the meaning of life
    - who won the election
- synonym: living room
  examples: |
    - lounge
- lookup: room
  examples: |
    - kitchen
    - living room
    - attic
- regex: code
  examples: |
    - \b[A-Z]{2}-\d{3}\b
responses:
  utter_lights:
  - text: "The {room} it is."
  - text: "Done."
"#;

fn data() -> TrainingData {
    TrainingData::parse_yaml("pack.yml", PACK).unwrap()
}

static MODEL: LazyLock<Model> =
    LazyLock::new(|| Model::train(&data(), &TrainOptions::default(), &mut |_| {}).unwrap());

fn context() -> Context {
    Context::new("2027-03-10T09:00:00+01:00[+01:00]".parse().unwrap())
}

fn parse(text: &str) -> Parse {
    MODEL.parse(text, &context())
}

#[test]
fn an_utterance_gets_its_intent_and_entities() {
    let parse = parse("Turn on the light in the Attic tomorrow");
    assert_eq!(parse.language, "en");
    assert_eq!(parse.intent.as_deref(), Some("lights"));
    assert_eq!(parse.ranking.first().map(|ranked| ranked.intent.as_str()), Some("lights"));
    let found: Vec<_> =
        parse.entities.iter().map(|e| (e.entity.as_str(), e.text.as_str(), e.extractor)).collect();
    assert_eq!(found, [("room", "Attic", Extractor::Lookup), ("date", "tomorrow", Extractor::Builtin)]);
    assert!(parse.time_dependent);
}

#[test]
fn a_training_sentence_is_nearly_certain() {
    let parse = parse("PLAY SOME JAZZ!!");
    assert_eq!(parse.intent.as_deref(), Some("music"));
    assert!(parse.confidence > 0.99);
    assert!(!parse.time_dependent);
}

#[test]
fn a_negative_and_gibberish_have_no_intent() {
    for text in ["who won the election", "zxqv 0xdeadbeef", "", "   ", "\0\0", "🦀🦀🦀", "何ですか"]
    {
        let parse = parse(text);
        assert_eq!(parse.intent, None, "{text}");
        assert!(parse.ranking.iter().all(|ranked| ranked.intent != "oos"));
    }
}

#[test]
fn a_synonym_gives_the_canonical_value() {
    let parse = parse("make the lounge brighter");
    assert_eq!(
        parse.entities.first().map(|e| (e.text.as_str(), &e.value)),
        Some(("lounge", &"living room".into()))
    );
}

#[test]
fn a_regex_extracts() {
    let parse = parse("é turn on light ab-123 please");
    assert_eq!(
        parse.entities.first().map(|e| (e.entity.as_str(), e.text.as_str(), e.start)),
        Some(("code", "ab-123", 16))
    );
}

#[test]
fn the_callers_language_wins() {
    let hinted =
        |tag: &str| MODEL.parse("play some jazz", &Context { language: Some(tag.into()), ..context() });
    assert_eq!(hinted("en-US").intent.as_deref(), Some("music"));
    assert_eq!(hinted("en-US").language_confidence, 1.0);
    assert_eq!(hinted("de").language, "de");
    assert_eq!(hinted("de").intent, None);
    assert_eq!(hinted("auto").intent.as_deref(), Some("music"));
}

#[test]
fn a_language_is_told_by_its_words() {
    let mut both = data();
    both.merge(TrainingData::parse_yaml("de.yml", "language: de\nnlu:\n- intent: music\n  examples: |\n    - spiel etwas musik\n    - ich möchte jazz hören\n- intent: lights\n  examples: |\n    - mach das licht an\n    - licht aus bitte\n").unwrap());
    let model = Model::train(&both, &TrainOptions::default(), &mut |_| {}).unwrap();
    assert_eq!(model.languages(), ["de", "en"]);
    let parse = model.parse("mach das licht aus", &context());
    assert_eq!((parse.language.as_str(), parse.intent.as_deref()), ("de", Some("lights")));
    assert_eq!(model.parse("play a jazz song", &context()).language, "en");
    let music = model.intents().into_iter().find(|intent| intent.name == "music").unwrap();
    assert_eq!((music.languages, music.examples), (vec!["de".to_owned(), "en".to_owned()], 7));
}

#[test]
fn a_model_survives_its_bytes() {
    let bytes = MODEL.to_bytes();
    let read = Model::from_bytes(&bytes).unwrap();
    assert_eq!(read.version(), MODEL.version());
    assert_eq!(read.to_bytes(), bytes);
    for text in ["turn on the attic light AB-123", "play queen", "what"] {
        assert_eq!(read.parse(text, &context()), parse(text));
    }
}

#[test]
fn one_seed_gives_one_model() {
    let again = Model::train(&data(), &TrainOptions::default(), &mut |_| {}).unwrap();
    assert_eq!(again.to_bytes(), MODEL.to_bytes());
    let other =
        Model::train(&data(), &TrainOptions { seed: 2, ..TrainOptions::default() }, &mut |_| {}).unwrap();
    assert_ne!(other.version(), MODEL.version());
}

#[test]
fn foreign_bytes_are_refused_with_the_reason() {
    assert_eq!(Model::from_bytes(b"").unwrap_err(), ModelError::NotAModel);
    assert_eq!(Model::from_bytes(&[0; 100]).unwrap_err(), ModelError::NotAModel);
    let mut bytes = MODEL.to_bytes();
    *bytes.last_mut().unwrap() ^= 1;
    assert_eq!(Model::from_bytes(&bytes).unwrap_err(), ModelError::Damaged);
    bytes[4] = 99;
    assert!(matches!(Model::from_bytes(&bytes).unwrap_err(), ModelError::Version { found: 99, .. }));
}

#[test]
fn nothing_to_learn_from_is_an_error() {
    let train = |data: &TrainingData| Model::train(data, &TrainOptions::default(), &mut |_| {});
    assert_eq!(train(&TrainingData::default()).unwrap_err(), TrainError::Empty);
    let only_negatives =
        TrainingData::parse_yaml("x", "nlu:\n- intent: oos\n  examples: |\n    - hm\n").unwrap();
    assert_eq!(train(&only_negatives).unwrap_err(), TrainError::Empty);
}

#[test]
fn the_smallest_pack_trains() {
    let one = TrainingData::parse_yaml("x", "nlu:\n- intent: a\n  examples: |\n    - hello there\n").unwrap();
    let model = Model::train(&one, &TrainOptions::default(), &mut |_| {}).unwrap();
    assert_eq!(model.parse("hello there", &context()).intent.as_deref(), Some("a"));
    assert_eq!(model.parse("rhubarb", &context()).intent, None);
}

#[test]
fn responses_and_suggestions_are_those_of_the_language() {
    let entities = parse("turn on the light in the attic").entities;
    assert_eq!(MODEL.respond("lights", "en", 1, &entities).as_deref(), Some("The attic it is."));
    assert_eq!(MODEL.respond("lights", "en", 1, &[]).as_deref(), Some("Done."));
    assert!(MODEL.response("lights", "de", 0).is_none());
    assert!(MODEL.response("music", "en", 0).is_none());
    assert_eq!(MODEL.suggestions("en", 2).len(), 2);
    assert!(MODEL.suggestions("xx", 2).is_empty());
}

#[test]
fn an_example_has_what_its_author_annotated() {
    let parse = parse("Play QUEEN loudly!");
    let found: Vec<_> =
        parse.entities.iter().map(|e| (e.entity.as_str(), e.text.as_str(), e.extractor)).collect();
    assert_eq!(found, [("artist", "QUEEN", Extractor::Template)]);
}

#[test]
fn a_template_is_understood_as_it_stands_and_learned_from() {
    let mut both = data();
    both.merge(TrainingData::parse_yaml("t.yml", "nlu:\n- intent: cover\n  templates: |\n    - (open|raise) [the] {cover:shade} [in [the] {room}]\n- lookup: cover\n  examples: |\n    - blinds\n    - roller shutter\n- lookup: room\n  examples: |\n    - kitchen\n").unwrap());
    let model = Model::train(&both, &TrainOptions::default(), &mut |_| {}).unwrap();
    let parse = model.parse("Raise the roller shutter in the kitchen.", &context());
    assert_eq!(parse.intent.as_deref(), Some("cover"));
    assert!(parse.confidence > 0.99 && parse.in_scope > 0.99);
    let found: Vec<_> =
        parse.entities.iter().map(|e| (e.entity.as_str(), e.text.as_str(), e.start)).collect();
    assert_eq!(found, [("shade", "roller shutter", 10), ("room", "kitchen", 32)]);
    assert_eq!(model.parse("could you open the blinds", &context()).ranking[0].intent, "cover");
    let read = Model::from_bytes(&model.to_bytes()).unwrap();
    assert_eq!(read.parse("open blinds", &context()), model.parse("open blinds", &context()));
}

#[test]
fn what_templates_say_is_not_shown_as_if_someone_wrote_it() {
    let text = "nlu:\n- intent: written\n  examples: |\n    - stop it\n  templates: |\n    - (halt|cease) [now] {thing}\n- intent: drawn\n  templates: |\n    - (start|begin) [now]\n- lookup: thing\n  examples: |\n    - music\n";
    let data = TrainingData::parse_yaml("t.yml", text).unwrap();
    let model = Model::train(&data, &TrainOptions::default(), &mut |_| {}).unwrap();
    let [drawn, written] = model.intents().try_into().unwrap();
    assert_eq!((written.samples, written.examples), (vec!["stop it".to_owned()], 2));
    assert_eq!(written.entities, ["thing"]);
    assert_eq!((drawn.examples, drawn.samples.len()), (1, 2));
    let suggested = model.suggestions("en", 50);
    assert!(suggested.contains(&"stop it") && suggested.contains(&"begin now"));
    assert!(!suggested.iter().any(|text| text.contains("music")), "{suggested:?}");
}

#[test]
fn a_value_of_a_table_is_found_with_a_slip_in_it() {
    for (text, said, meant) in [
        ("turn on the light in the kichen", "kichen", "kitchen"),
        ("make the livng room brighter", "livng room", "living room"),
        ("dim the lights in the atttic", "atttic", "attic"),
        ("lights out in the louneg", "louneg", "living room"),
    ] {
        let parse = parse(text);
        let found: Vec<_> = parse.entities.iter().map(|e| (e.entity.as_str(), e.text.as_str())).collect();
        assert_eq!(found, [("room", said)], "{text}");
        assert_eq!(parse.entities[0].value, meant, "{text}");
        assert!(parse.entities[0].confidence < 0.9, "{text}");
    }
    for text in ["next trick please", "turn on the light in the kitten box", "a ticket to attica please"] {
        assert!(parse(text).entities.iter().all(|e| e.entity != "room" || e.value == e.text), "{text}");
    }
}
