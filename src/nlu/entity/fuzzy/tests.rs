use proptest::prelude::*;

use super::*;

const ROOMS: [&str; 8] = [
    "kitchen",
    "living room",
    "master bedroom",
    "attic",
    "den",
    "conservatory",
    "studio 54",
    "são paulo suite",
];

fn fuzzy(language: &str, values: &[&str], sentences: &[&str]) -> Fuzzy {
    let phrases: Vec<String> = values.iter().map(|value| crate::nlu::text::normalise(value)).collect();
    let texts: Vec<Text> = sentences.iter().copied().map(Text::new).collect();
    Fuzzy::learn(language, (0..).zip(phrases.iter().map(String::as_str)), texts.iter())
}

/// What is nearly said, the value that is meant, and the slips.
fn near<'a>(fuzzy: &Fuzzy, values: &[&'a str], original: &str) -> Vec<(String, &'a str, usize)> {
    let text = Text::new(original);
    fuzzy
        .find(&text)
        .into_iter()
        .map(|near| (text.normal[near.start..near.end].to_owned(), values[near.phrase as usize], near.edits))
        .collect()
}

#[test]
fn slips_are_forgiven_by_the_length_of_the_word() {
    let rooms = fuzzy("pt", &ROOMS, &[]);
    for (said, meant) in [
        ("the kichen light", Some(("kichen", "kitchen", 1))),
        ("the kithcen light", Some(("kithcen", "kitchen", 1))),
        ("LIVVING ROOM on", Some(("livving room", "living room", 1))),
        ("in the living roon", None),
        ("the mastr bedrom", Some(("mastr bedrom", "master bedroom", 2))),
        ("a consevatry", Some(("consevatry", "conservatory", 2))),
        ("the Sao Paulo suite", Some(("sao paulo suite", "são paulo suite", 0))),
        ("the sao paulo siute", Some(("sao paulo siute", "são paulo suite", 1))),
        ("stuido 54", Some(("stuido 54", "studio 54", 1))),
        ("stuido 55", None),
        ("the kitchen", None),
        ("the kichn", None),
        ("the xitchen", None),
        ("the dan", None),
        ("kichenette", None),
        ("3kichen", None),
        ("", None),
    ] {
        let found = near(&rooms, &ROOMS, said);
        let expected: Vec<_> =
            meant.map(|(said, meant, edits)| (said.to_owned(), meant, edits)).into_iter().collect();
        assert_eq!(found, expected, "{said}");
    }
}

#[test]
fn a_word_of_the_examples_means_itself() {
    let values = ["paint", "the paints"];
    assert_eq!(near(&fuzzy("en", &values, &[]), &values, "buy points").len(), 0);
    assert_eq!(near(&fuzzy("en", &values, &[]), &values, "buy point").len(), 1);
    assert!(near(&fuzzy("en", &values, &["what is the point"]), &values, "buy point").is_empty());
}

#[test]
fn between_two_values_that_are_equally_near_none_is_chosen() {
    let values = ["paris", "parks", "paradise"];
    assert!(near(&fuzzy("en", &values, &[]), &values, "to parjs").is_empty());
    assert_eq!(near(&fuzzy("en", &values, &[]), &values, "to pariss")[0].1, "paris");
}

#[test]
fn what_marks_are_is_for_the_language_to_say() {
    let values = ["München", "Zürich", "Bär"];
    for (language, said, slips) in [
        ("de", "muenchen", Some(0)),
        ("de", "munchen", Some(1)),
        ("de", "zurich", Some(1)),
        ("de", "bar", None),
        ("en", "munchen", Some(0)),
        ("en", "bar", Some(0)),
    ] {
        let found = near(&fuzzy(language, &values, &[]), &values, said);
        assert_eq!(found.first().map(|found| found.2), slips, "{language} {said}");
    }
}

#[test]
fn an_index_survives_being_stored() {
    let rooms = fuzzy("en", &ROOMS, &["the kitten is here"]);
    let mut stored: Fuzzy = postcard::from_bytes(&postcard::to_stdvec(&rooms).unwrap()).unwrap();
    assert!(stored.is_sound() && stored.find(&Text::new("kichen")).is_empty());
    stored.restore((0..).zip(ROOMS));
    assert_eq!(stored.find(&Text::new("kichen")), rooms.find(&Text::new("kichen")));
}

/// How many words of the tables are compared with the words of a text, at most.
fn compared(fuzzy: &Fuzzy, text: &Text) -> usize {
    text.tokens.iter().take(MAX_TOKENS).map(|token| fuzzy.read(text, *token).len()).sum()
}

proptest! {
    #[test]
    fn any_text_takes_work_in_proportion_to_its_words(
        unit in prop::sample::select(vec!["kichen ", "a", "livng roon ", "é\u{301}", "kitche", "s t u d i o ", "kichen"]),
        count in 1_usize..100_000,
        values in prop::collection::vec("[a-e]{1,12}( [a-e]{1,12}){0,9}", 0..60),
    ) {
        let values: Vec<&str> = values.iter().map(String::as_str).chain(ROOMS).collect();
        let fuzzy = fuzzy("en", &values, &[]);
        let repeated: String = unit.chars().cycle().take(count).collect();
        let text = Text::new(&repeated);
        prop_assert!(compared(&fuzzy, &text) <= READINGS * MAX_TOKENS);
        let found = fuzzy.find(&text);
        prop_assert!(found.len() <= MAX_TOKENS * LONGEST);
        for near in found {
            prop_assert!(near.start < near.end && text.normal.get(near.start..near.end).is_some());
        }
    }

    #[test]
    fn one_slip_in_a_long_word_is_always_forgiven(word in "[a-z]{5,20}", at in 1_usize..20, kind in 0..4, c in "[a-z]") {
        let mut said: Vec<char> = word.chars().collect();
        let at = 1 + at % (said.len() - 1);
        let c = c.chars().next().unwrap();
        match kind {
            0 => said[at] = c,
            1 => said.insert(at, c),
            2 => { said.remove(at); }
            _ => { let last = said.len() - 1; said.swap(at.min(last - 1), at.min(last - 1) + 1); }
        }
        let said: String = said.into_iter().collect();
        let fuzzy = fuzzy("en", &[&word], &[]);
        let found = fuzzy.find(&Text::new(&said));
        prop_assert!(said == word || said.chars().next() != word.chars().next() || found.len() == 1, "{said} {word}");
    }
}
