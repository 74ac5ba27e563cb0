use proptest::prelude::*;

use super::*;

/// A pack of everything.
const WHOLE: &str = "version: \"3.1\"\nlanguage: de-AT\nnlu:\n- intent: faq/hours\n  examples: |\n    - wann [heute](day) offen\n    # a remark\n\n- synonym: today\n  examples: |\n    - heute\n- regex: room\n  examples: |\n    - [A-Z]\\d+\n- lookup: subject\n  examples: |\n    - Physik\n- intent: listed\n  examples:\n  - text: eins\n  - zwei\nresponses:\n  utter_listed:\n  - text: \"ja {day}\"\nstories: []\n";

fn problems(text: &str) -> Vec<(usize, String)> {
    let problems = parse("pack.yml", text).err().map(|error| error.problems);
    problems.into_iter().flatten().map(|problem| (problem.line, problem.message)).collect()
}

#[test]
fn a_whole_pack_is_read() {
    let data = parse("pack.yml", WHOLE).unwrap();
    let (language, pack) = data.packs().next().unwrap();
    assert_eq!(language, "de");
    assert_eq!(pack.intents.len(), 2);
    assert_eq!(pack.synonyms.get("heute").map(String::as_str), Some("today"));
    assert!(pack.lookups.contains_key("subject"));
    assert!(pack.regexes.contains_key("room"));
    assert!(pack.responses.contains_key("listed"));
}

#[test]
fn templates_are_read_and_checked() {
    let data =
        parse("t.yml", "nlu:\n- intent: a\n  templates: |\n    - turn (on|off) [the] {device}\n").unwrap();
    assert_eq!(data.intents(), ["a"]);
    assert_eq!(problems("nlu:\n- intent: a\n  templates: |\n    - turn (on\n").first().unwrap().0, 4);
}

#[test]
fn each_problem_names_its_line() {
    assert_eq!(
        problems("nlu:\n- intent: a\n  examples: |\n    - fine\n    broken\n    - [x](\n- foo: bar\n- regex: r\n  examples: |\n    - (?=x)\n")
            .into_iter()
            .map(|(line, _)| line)
            .collect::<Vec<_>>(),
        [5, 6, 7, 10]
    );
    assert_eq!(problems("nlu: 3\n").len(), 1);
    assert_eq!(problems("- a\n").len(), 1);
    assert_eq!(problems("language: \"12\"\n").len(), 1);
    assert_eq!(problems("version: \"9\"\n").len(), 1);
    assert_eq!(problems("responses:\n  hello:\n  - text: x\n").len(), 1);
    assert!(!problems("a: [\n").is_empty());
}

#[test]
fn an_error_reads_as_source_line_message_and_fix() {
    let error = parse("pack.yml", "nlu:\n- intent: a\n").unwrap_err();
    assert_eq!(
        error.to_string(),
        "pack.yml:2: intent a has no examples. Add \"examples: |\" with one \"- …\" per line"
    );
}

#[test]
fn language_tags_lose_their_region() {
    assert_eq!(primary_tag("EN_us").as_deref(), Some("en"));
    assert_eq!(primary_tag("auto"), None);
    assert_eq!(primary_tag(""), None);
}

proptest! {
    #[test]
    fn no_text_makes_the_loader_panic(text in any::<String>()) {
        let _ = parse("any.yml", &text);
    }

    #[test]
    fn no_text_shaped_like_a_pack_makes_the_loader_panic(
        text in "(nlu:|- intent: |  examples: \\||    - |\\[a\\]|\\(b\\)|\\{\"entity\": |[ -~]|\n|\t|é){0,60}"
    ) {
        let _ = parse("any.yml", &text);
    }

    #[test]
    fn no_bytes_make_the_loader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        told(&String::from_utf8_lossy(&bytes))?;
    }

    #[test]
    fn no_change_of_a_document_makes_the_loader_panic(
        changes in proptest::collection::vec((0..4_usize, any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u8>()), 1..12)
    ) {
        let mut bytes = WHOLE.as_bytes().to_vec();
        for (change, from, to, byte) in changes {
            let (from, to) = (from.index(bytes.len() + 1), to.index(bytes.len() + 1));
            let (from, to) = (from.min(to), from.max(to));
            let piece = bytes[from..to].to_vec();
            match change {
                0 => drop(bytes.drain(from..to)),
                1 => drop(bytes.splice(from..from, piece)),
                2 => bytes.extend(piece),
                _ => bytes.insert(from, byte),
            }
            bytes.truncate(8 * WHOLE.len());
        }
        told(&String::from_utf8_lossy(&bytes))?;
    }
}

/// Reads a document: every problem and every entry stands on one of its lines.
fn told(text: &str) -> Result<(), TestCaseError> {
    let document = read("any.yml", text);
    let lines = text.split(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']).count();
    let places = document.problems.iter().map(|problem| problem.line);
    for line in places.chain(document.entries.iter().map(|entry| entry.line)) {
        prop_assert!((1..=lines + 1).contains(&line), "line {line} of {lines}");
    }
    let _ = document.into_data();
    Ok(())
}

#[test]
fn reading_takes_time_in_proportion_to_the_document() {
    let shapes: [(&str, &str, &str); 9] = [
        ("nlu:\n- intent: a\n  examples: |\n", "    - [x](y) [z]{\"entity\": \"w\"}\n", ""),
        ("nlu:\n", "- intent: a\n  examples: |\n    - b\n", ""),
        ("nlu:\n- intent: a\n  examples: |\n    - ", "[", ""),
        ("nlu:\n- intent: a\n  examples: |\n    - ", "[", "] b"),
        ("nlu:\n- intent: a\n  examples: |\n    - ", "[a]{\"b\": ", ""),
        ("nlu:\n- intent: a\n  templates: |\n", "    - (a|b) [c] {d}\n", ""),
        ("", "\n", ""),
        ("", "key: value\n", ""),
        ("# ", "é\u{301}", ""),
    ];
    for (head, unit, end) in shapes {
        let time = |length: usize| {
            let text: String =
                head.chars().chain(unit.chars().cycle().take(length)).chain(end.chars()).collect();
            let start = std::time::Instant::now();
            drop(read("any.yml", &text));
            start.elapsed()
        };
        // Ten times the text: a hundred times the time would be quadratic. A busy machine may spoil one
        // attempt, or some.
        let room = std::time::Duration::from_millis(20);
        let linear = || time(100_000) < 40 * time(10_000) + room;
        assert!((0..10).any(|_| linear()), "{unit:?} {end:?}: {:?}", time(100_000));
    }
}
