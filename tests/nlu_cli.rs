//! `voicera nlu`: training, testing, asking and checking on the command line.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::command::{run, run_with};

const SKILLS: &str = r#"version: "3.1"
language: en
nlu:
- intent: greet
  examples: |
    - hello
    - hi there
    - good morning
    - hey you
    - good evening to you
- intent: study
  examples: |
    - help me with [algebra](subject)
    - teach me [art](subject) please
    - explain [physics](subject) to me
    - i need help in [music](subject)
    - can we study [history](subject)
    - start a [maths](subject:mathematics) lesson
- intent: oos
  examples: |
    - book a flight to rome
    - order a large pizza
    - who won the match
    - sell my shares
    - what is the price of gold
"#;

fn home() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("skills.yml"), SKILLS).unwrap();
    home
}

fn train(home: &Path) {
    run(home, &["nlu", "train", "--data", "skills.yml", "--out", "model.vnlu"]).expect(0);
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn training_says_what_it_learned_from_and_the_same_data_gives_the_same_model() {
    let home = home();
    let out = run(home.path(), &["nlu", "train", "--data", "skills.yml", "--out", "a.vnlu"]).expect(0).out;
    for says in ["version ", "languages  en", "intents    2", "examples   16", "a.vnlu"] {
        assert!(out.contains(says), "{says}: {out}");
    }
    fs::create_dir(home.path().join("folder")).unwrap();
    fs::rename(home.path().join("skills.yml"), home.path().join("folder/s.yaml")).unwrap();
    run(home.path(), &["nlu", "train", "--data", "folder", "--out", "b.vnlu"]).expect(0);
    let model = |name: &str| {
        let bytes = fs::read(home.path().join(name)).unwrap();
        let line = bytes.iter().position(|byte| *byte == b'\n').unwrap();
        assert!(bytes.starts_with(b"voicera-model {"));
        bytes[line..].to_vec()
    };
    assert_eq!(model("a.vnlu"), model("b.vnlu"));
}

#[test]
fn a_model_can_be_trained_from_a_part_of_the_data_to_see_how_much_is_enough() {
    let home = home();
    let train = |name: &str, seed: &str| {
        let arguments = ["--per-intent", "3", "--seed", seed, "--data", "skills.yml", "--out", name];
        let out = run(home.path(), &[&["nlu", "train"], &arguments[..]].concat()).expect(0).out;
        assert!(out.contains("examples   9"), "{out}");
        out.lines().next().unwrap_or_default().to_owned()
    };
    assert_eq!(train("a.vnlu", "1"), train("b.vnlu", "1"));
    assert_ne!(train("a.vnlu", "1"), train("b.vnlu", "2"));
    run(home.path(), &["nlu", "train", "--seed", "2", "--data", "skills.yml", "--out", "a.vnlu"]).expect(2);
}

#[test]
fn a_test_prints_a_table_and_writes_a_report() {
    let home = home();
    train(home.path());
    let arguments =
        ["nlu", "test", "--model", "model.vnlu", "--data", "skills.yml", "--report", "report.json"];
    let out = run(home.path(), &arguments).expect(0).out;
    for says in ["16 sentences: 11 in scope, 5 out of scope", "intent accuracy", "100.00 %", "subject"] {
        assert!(out.contains(says), "{says}: {out}");
    }
    let report = json(&fs::read_to_string(home.path().join("report.json")).unwrap());
    for pointer in [
        "/intent/accuracy",
        "/intent/macro_f1",
        "/oos/auroc",
        "/oos/recall",
        "/oos/in_scope_accuracy",
        "/entities/micro_f1",
        "/exact_match",
        "/calibration/ece",
        "/train_seconds",
        "/parse_us/p50",
        "/parse_us/p99",
        "/model_bytes",
    ] {
        assert!(report.pointer(pointer).is_some_and(Value::is_number), "{pointer}: {report}");
    }
    assert_eq!(report["n"], 16);
    assert_eq!(report["intent"]["accuracy"], 1.0);
    assert_eq!(report["model_bytes"], fs::metadata(home.path().join("model.vnlu")).unwrap().len());
}

#[test]
fn a_report_can_take_the_place_of_the_table() {
    let home = home();
    train(home.path());
    let arguments = ["nlu", "test", "--model", "model.vnlu", "--data", "skills.yml", "--report", "-"];
    assert_eq!(json(&run(home.path(), &arguments).expect(0).out)["n"], 16);
}

#[test]
fn a_parse_has_the_shape_that_rasa_gives() {
    let home = home();
    train(home.path());
    let reply = json(
        &run(home.path(), &["nlu", "parse", "--model", "model.vnlu", "Start a maths lesson"]).expect(0).out,
    );
    assert_eq!(reply["text"], "Start a maths lesson");
    assert_eq!(reply["intent"]["name"], "study");
    assert!(reply["intent"]["confidence"].as_f64().unwrap() > 0.9);
    assert_eq!(reply["intent_ranking"][0]["name"], "study");
    let entity = &reply["entities"][0];
    assert_eq!((&entity["entity"], &entity["value"]), (&"subject".into(), &"mathematics".into()));
    assert_eq!((&entity["start"], &entity["end"]), (&8.into(), &13.into()));
    assert!(entity["extractor"].is_string() && entity["confidence_entity"].is_number());
}

#[test]
fn out_of_scope_has_a_null_name() {
    let home = home();
    train(home.path());
    let reply = json(
        &run(home.path(), &["nlu", "parse", "--model", "model.vnlu", "book a flight to rome"]).expect(0).out,
    );
    assert_eq!(reply["intent"]["name"], Value::Null);
    assert_eq!(reply["intent"]["confidence"], 0.0);
}

#[test]
fn many_sentences_are_answered_one_a_line() {
    let home = home();
    train(home.path());
    let input = "hello\n\n  good morning \n";
    let ended = run_with(home.path(), &["nlu", "parse", "--model", "model.vnlu", "-"], &[], input).expect(0);
    let texts: Vec<Value> = ended.out.lines().map(|line| json(line)["text"].clone()).collect();
    assert_eq!(texts, ["hello", "good morning"]);
    fs::write(home.path().join("lines.txt"), input).unwrap();
    let from_file =
        run(home.path(), &["nlu", "parse", "--model", "model.vnlu", "--file", "lines.txt"]).expect(0);
    assert_eq!(from_file.out, ended.out);
}

#[test]
fn tomorrow_counts_from_the_time_that_was_given() {
    let home = home();
    train(home.path());
    let now = "2028-02-28T23:00[Europe/Berlin]";
    let arguments = ["nlu", "parse", "--model", "model.vnlu", "--now", now, "study history tomorrow"];
    let reply = json(&run(home.path(), &arguments).expect(0).out);
    let entities = reply["entities"].as_array().unwrap();
    assert!(entities.iter().any(|entity| entity["value"] == "2028-02-29"), "{reply}");
}

#[test]
fn validation_names_file_and_line_and_fails_on_errors() {
    let home = home();
    run(home.path(), &["nlu", "validate", "--data", "skills.yml"]).expect(0);
    let more = "nlu:\n- intent: music\n  examples: |\n    - Hello!\n    - play something\n";
    fs::write(home.path().join("more.yml"), more).unwrap();
    let ended =
        run(home.path(), &["nlu", "validate", "--data", "skills.yml", "--data", "more.yml"]).expect(1);
    assert!(
        ended.out.contains(
            "more.yml:4: error: \"Hello!\" is a sentence of music here and of greet at skills.yml:6"
        ),
        "{}",
        ended.out
    );
    assert!(
        ended.out.contains("more.yml:4: warning: intent music has 2 different sentences"),
        "{}",
        ended.out
    );
    assert!(ended.err.contains("1 error, 1 warning, 0 hints"), "{}", ended.err);
}

#[test]
fn strict_validation_fails_on_warnings_and_json_is_for_programs() {
    let home = home();
    let text = SKILLS.replace("    - hello\n", "");
    fs::write(home.path().join("thin.yml"), text).unwrap();
    run(home.path(), &["nlu", "validate", "--data", "thin.yml"]).expect(0);
    let ended = run(home.path(), &["nlu", "validate", "--data", "thin.yml", "--strict", "--json"]).expect(1);
    let found = json(&ended.out);
    assert_eq!((&found["errors"], &found["warnings"]), (&0.into(), &1.into()));
    let finding = &found["findings"][0];
    assert_eq!(finding["check"], "few_examples");
    assert_eq!(
        (&finding["level"], &finding["source"], &finding["line"]),
        (&"warning".into(), &"thin.yml".into(), &6.into())
    );
}

#[test]
fn what_cannot_be_used_is_explained() {
    let home = home();
    train(home.path());
    fs::write(home.path().join("bad.yml"), "nlu:\n- intent: a\n  examples: |\n    - [x](\n").unwrap();
    fs::write(home.path().join("empty.yml"), "version: \"3.1\"\n").unwrap();
    fs::create_dir(home.path().join("nothing")).unwrap();
    let model = fs::read(home.path().join("model.vnlu")).unwrap();
    let bare = model.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    let mut other = model[bare..].to_vec();
    other[4] = 200;
    fs::write(home.path().join("other.vnlu"), other).unwrap();
    fs::write(home.path().join("cut.vnlu"), &model[..model.len() - 7]).unwrap();
    let cases: [(&[&str], i32, &str); 12] = [
        (&["train", "--out", "m"], 2, "--data"),
        (&["train", "--data", "gone.yml", "--out", "m"], 2, "gone.yml"),
        (&["train", "--data", "bad.yml", "--out", "m"], 2, "bad.yml:4"),
        (&["train", "--data", "empty.yml", "--out", "m"], 2, "no example sentence"),
        (&["train", "--data", "nothing", "--out", "m"], 2, "holds no .yml"),
        (&["train", "--data", "skills.yml", "--language", "12", "--out", "m"], 2, "--language"),
        (&["train", "--data", "skills.yml", "--out", "gone/m"], 1, "gone/m"),
        (&["test", "--model", "gone.vnlu", "--data", "skills.yml"], 2, "voicera nlu train"),
        (&["test", "--model", "skills.yml", "--data", "skills.yml"], 1, "not a Voicera model"),
        (&["parse", "--model", "other.vnlu", "hello"], 1, "format 200"),
        (&["parse", "--model", "cut.vnlu", "hello"], 1, "damaged"),
        (&["validate", "--data", "gone.yml"], 2, "gone.yml"),
    ];
    for (arguments, status, says) in cases {
        let ended = run(home.path(), &[&["nlu"], arguments].concat());
        assert_eq!(ended.status, status, "{arguments:?}: {ended:#?}");
        assert!(ended.err.contains(says), "{arguments:?}: {ended:#?}");
        assert_eq!(ended.out, "", "{arguments:?}");
    }
    assert!(!home.path().join("m").exists());
}

#[test]
fn every_command_explains_itself_with_an_example() {
    let home = home();
    for command in ["train", "test", "parse", "validate"] {
        let help = run(home.path(), &["nlu", command, "--help"]).expect(0).out;
        assert!(help.contains(&format!("voicera nlu {command} --")), "{command}: {help}");
        assert!(help.contains("Exit status"), "{command}: {help}");
    }
}
