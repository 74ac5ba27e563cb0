use proptest::prelude::*;

use super::super::super::text::code_points;
use super::*;

/// Pieces that are hard on whoever counts characters, words or time.
const PIECES: [&str; 24] = [
    "turn on the light in the kitchen",
    "i want to hear a song",
    "remind me at half past three tomorrow",
    "kitchen ",
    "kichen ",
    "1 ",
    "99999999999999999999",
    "1/2/3/4/5/",
    "a@b.c ",
    "http://",
    "+49 (0) ",
    "é\u{301}",
    "\u{301}\u{302}\u{303}",
    "\u{200b}\u{200d}\u{feff}",
    "\u{202e}\u{2066}abc\u{2069}",
    "\u{fdfa}",
    "İß ﬁ ½",
    "👩‍👩‍👧‍👦",
    "東京へ行く",
    "नमस्ते",
    "مرحبا",
    "\0\r\n\t",
    "((((((((",
    "twenty-",
];

#[test]
fn a_hundred_thousand_characters_take_no_longer_than_those_that_are_analysed() {
    let time = |text: &str| {
        let start = std::time::Instant::now();
        parse(text);
        start.elapsed()
    };
    let room = std::time::Duration::from_millis(10);
    for piece in PIECES {
        let of = |length: usize| piece.chars().cycle().take(length).collect::<String>();
        let (short, analysed, long) =
            (of(crate::nlu::MAX_CHARS / 10), of(crate::nlu::MAX_CHARS), of(100_000));
        // Fifty times the text that is analysed takes no longer, and ten times the text not a hundred
        // times as long. A busy machine may spoil one attempt, or some.
        let bounded = || time(&long) < 10 * time(&analysed) + room;
        let linear = || time(&analysed) < 40 * time(&short) + room;
        assert!((0..20).any(|_| bounded()), "{piece:?} {:?}", time(&long));
        assert!((0..20).any(|_| linear()), "{piece:?} {:?}", time(&analysed));
    }
}

fn check(text: &str) -> Result<(), TestCaseError> {
    let parse = parse(text);
    let length = text.chars().count();
    let mut behind = 0;
    for entity in &parse.entities {
        prop_assert!(entity.start >= behind && entity.start < entity.end && entity.end <= length);
        prop_assert_eq!(&*code_points(text, entity.start, entity.end), entity.text.as_str());
        behind = entity.end;
    }
    prop_assert!((0.0..=1.0).contains(&parse.confidence));
    prop_assert!((0.0..=1.0).contains(&parse.in_scope));
    prop_assert!(parse.ranking.is_sorted_by(|a, b| a.confidence >= b.confidence));
    prop_assert!(parse.ranking.iter().map(|ranked| ranked.confidence).sum::<f32>() <= 1.001);
    Ok(())
}

proptest! {
    #[test]
    fn any_string_parses_with_valid_offsets(text in any::<String>()) {
        check(&text)?;
    }

    #[test]
    fn any_bytes_parse_with_valid_offsets(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        check(&String::from_utf8_lossy(&bytes))?;
    }

    #[test]
    fn any_mixture_of_the_hardest_parses_with_valid_offsets(
        pieces in proptest::collection::vec((prop::sample::select(&PIECES[..]), 1..40_usize, any::<Option<char>>()), 0..12)
    ) {
        let mut text = String::new();
        for (piece, times, between) in pieces {
            text.push_str(&piece.repeat(times));
            text.extend(between);
        }
        check(&text)?;
    }

    #[test]
    fn anything_like_a_command_parses_with_valid_offsets(
        text in "((turn|kitchen|living room|at|on|the|next|in|half|past|a|and|of|ago|may|monday|second|3rd|[0-9]{1,5}|[-.,:/%@'½ﬁé\u{301}東İ]|am|pm|hours?|million|point|ab-123)[ \\-]?){0,14}"
    ) {
        check(&text)?;
    }

    #[test]
    fn no_bytes_make_reading_a_model_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = Model::from_bytes(&bytes);
    }

    #[test]
    fn no_change_of_a_model_makes_reading_it_panic(at in 40_usize..100_000, value in any::<u8>(), cut in 0_usize..50) {
        let mut bytes = MODEL.to_bytes();
        let length = bytes.len();
        bytes[40 + (at - 40) % (length - 40)] = value;
        bytes.truncate(length - cut);
        let _ = Model::from_bytes(&bytes);
        // With a checksum that fits, too.
        if let Ok(model) = Model::from_bytes(&codec::seal(bytes)) {
            let _ = model.parse("turn on the light in the attic at 3pm", &context());
        }
    }
}
