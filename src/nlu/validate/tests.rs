use proptest::prelude::*;

use super::*;

/// The findings of one document as `line check`, and their messages.
fn found(text: &str) -> Vec<(String, String)> {
    let findings = validate(&[Document::read("a.yml", text)]);
    findings
        .into_iter()
        .map(|finding| {
            assert_eq!(finding.source, "a.yml");
            assert_eq!(finding.level, finding.check.level());
            let check = serde_json::to_value(finding.check).unwrap();
            (format!("{} {}", finding.line, check.as_str().unwrap()), finding.message)
        })
        .collect()
}

/// Enough sentences that nothing else is found.
const FINE: &str =
    "nlu:\n- intent: fine\n  examples: |\n    - one\n    - two\n    - three\n    - four\n    - five\n";

fn intent(name: &str, examples: &[&str]) -> String {
    format!("- intent: {name}\n  examples: |\n    - {}\n", examples.join("\n    - "))
}

fn values(kind: &str, name: &str, examples: &[&str]) -> String {
    intent(name, examples).replace("- intent:", &format!("- {kind}:"))
}

fn templates(name: &str, templates: &[&str]) -> String {
    intent(name, templates).replace("examples:", "templates:")
}

#[test]
fn every_check_finds_its_line() {
    // FINE takes eight lines, so what is added starts at line 9, its first example at line 11.
    let cases: Vec<(&str, String, Vec<&str>)> = vec![
        ("nothing wrong", String::new(), vec![]),
        (
            "one sentence, two intents, whatever its case",
            intent("b", &["Three!", "b1", "b2", "b3", "b4"]),
            vec!["11 conflicting_intents"],
        ),
        (
            "out of scope conflicts too",
            intent("oos", &["o1", "two", "o3", "o4", "o5"]),
            vec!["12 conflicting_intents"],
        ),
        (
            "a sentence twice",
            intent("b", &["b1", "b2", "b1.", "b3", "b4", "b5"]),
            vec!["13 duplicate_sentence"],
        ),
        (
            "annotated in two ways",
            intent("b", &["go [up](way)", "go up", "[a](way)", "[b](way)", "b3", "b4"]),
            vec!["12 conflicting_annotations"],
        ),
        (
            "too few",
            intent("b", &["b1", "b2", "b2", "b3", "b4"]),
            vec!["11 few_examples", "13 duplicate_sentence"],
        ),
        ("a rare entity", intent("b", &["b1", "go [up](way)", "b3", "b4", "b5"]), vec!["12 rare_entity"]),
        (
            "a table makes up for rarity",
            intent("b", &["b1", "go [up](way)", "b3", "b4", "b5"]) + &values("lookup", "way", &["down"]),
            vec![],
        ),
        (
            "one value over and over",
            intent(
                "b",
                &[
                    "a [up](way)",
                    "b [up](way)",
                    "c [up](way)",
                    "d [up](way)",
                    "e [Up](way)",
                    "f [up](way)",
                    "g [up](way)",
                    "h [up](way)",
                    "i [up](way)",
                    "j [down](way)",
                ],
            ),
            vec!["11 dominant_value"],
        ),
        (
            "an annotation inside another",
            intent("b", &["b1", "to [new [york](city)](place)", "b3", "b4", "[a](city) [b](city)"]),
            vec!["12 overlapping_annotations"],
        ),
        (
            "forgotten twice",
            intent("b", &["go [up](way)", "up we go", "who is up", "upper", "[a](way) [b](way)", "b5"]),
            vec!["12 unannotated"],
        ),
        (
            "once may be meant",
            intent("b", &["go [up](way)", "up we go", "b3", "upper", "[a](way) [b](way)", "b5"]),
            vec![],
        ),
        ("a table of nothing", values("lookup", "ghost", &["boo"]), vec!["11 unused_lookup"]),
        ("a regex of nothing", values("regex", "ghost", &["bo+"]), vec!["11 unused_regex"]),
        (
            "a regex that cannot be read",
            values("regex", "ghost", &["bo+", "(?=x)"]),
            vec!["11 unused_regex", "12 format"],
        ),
        ("a synonym of nothing", values("synonym", "ghost", &["spook"]), vec!["11 unused_synonym"]),
        (
            "a synonym of a value in a table",
            values("synonym", "ghost", &["spook"]) + &values("lookup", "thing", &["Ghost"]),
            vec!["14 unused_lookup"],
        ),
        (
            "a response too many, a response too few",
            intent("b", &["b1", "b2", "b3", "b4", "b5"])
                + "responses:\n  utter_b:\n  - text: x\n  utter_c:\n  - text: y\n",
            vec!["4 intent_without_response", "20 response_without_intent"],
        ),
        ("broken markup", intent("b", &["b1", "[x](", "b3", "b4", "b5", "b6"]), vec!["12 format"]),
    ];
    as_expected(cases);
}

/// Each case is a name, what is added to [`FINE`], and what is found.
fn as_expected(cases: Vec<(&str, String, Vec<&str>)>) {
    for (name, added, expected) in cases {
        let findings: Vec<String> =
            found(&format!("{FINE}{added}")).into_iter().map(|(place, _)| place).collect();
        assert_eq!(findings, expected, "{name}");
    }
}

#[test]
fn templates_are_counted_and_their_lists_looked_for() {
    as_expected(vec![
        (
            "what templates say counts",
            "- intent: b\n  examples: |\n    - b1\n  templates: |\n    - (go|walk) [up|down]\n".to_owned(),
            vec![],
        ),
        (
            "templates that say too little",
            templates("b", &["go [up]", "stop", "wait"]),
            vec!["11 few_examples"],
        ),
        (
            "a list that nothing defines",
            templates("b", &["go (up|down|left|right|on)", "turn {device}", "turn {way:side}"])
                + &values("lookup", "way", &["left"]),
            vec!["12 unknown_list"],
        ),
    ]);
}

#[test]
fn a_finding_points_at_the_other_place_too() {
    let one = Document::read("one.yml", FINE);
    let two = Document::read("two.yml", &format!("nlu:\n{}", intent("b", &["two", "b1", "b2", "b3", "b4"])));
    let findings = validate(&[one, two]);
    assert_eq!(
        findings.iter().map(ToString::to_string).collect::<Vec<_>>(),
        [
            "two.yml:4: error: \"two\" is a sentence of b here and of fine at one.yml:5. Keep it under one of them, or say what makes the difference"
        ]
    );
}

#[test]
fn languages_do_not_conflict() {
    let german = format!("language: de\nnlu:\n{}", intent("b", &["two", "b1", "b2", "b3", "b4"]));
    assert_eq!(validate(&[Document::read("en.yml", FINE), Document::read("de.yml", &german)]), []);
}

#[test]
fn no_sentence_at_all_is_an_error() {
    assert_eq!(found("version: \"3.1\"\n")[0].0, "1 no_examples");
    assert_eq!(validate(&[]), []);
}

#[test]
fn templates_are_sentences_too() {
    let text = "nlu:\n- intent: on\n  templates: |\n    - turn on [the|my|that|every] {device}\n- lookup: device\n  examples: |\n    - lamp\nresponses:\n  utter_on:\n  - text: on\n";
    assert_eq!(found(text), []);
    assert_eq!(found(&text.replace("{device}", "lamp"))[0].0, "7 unused_lookup");
}

#[test]
fn long_sentences_are_cut() {
    let long = "ä".repeat(500);
    let (_, message) = found(&format!(
        "{FINE}{}{}",
        intent("b", &[&long, "1", "2", "3", "4"]),
        intent("c", &[&long, "5", "6", "7", "8"])
    ))
    .remove(0);
    assert!(message.chars().count() < 150, "{message}");
}

proptest! {
    #[test]
    fn no_text_shaped_like_a_pack_makes_a_check_panic(
        lines in proptest::collection::vec("( {4}- [a-cé .]{0,9}(\\[[a-c ]{1,3}\\](\\(x\\)|\\{\"entity\": \"y\"\\}))?[a-c]{0,2}|- (intent|lookup|synonym|regex): [ab]\n  examples: \\|)", 0..30)
    ) {
        let text = format!("nlu:\n- intent: a\n  examples: |\n{}\n", lines.join("\n"));
        let document = Document::read("any.yml", &text);
        let findings = validate(&[document.clone(), document]);
        prop_assert!(findings.iter().all(|finding| finding.line > 0 && finding.line <= text.lines().count() + 1));
    }
}
