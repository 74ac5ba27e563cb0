use proptest::prelude::*;

use super::super::super::text::code_points;
use super::*;

#[test]
fn hostile_lengths_take_no_longer_than_long_ones() {
    for text in [
        "a".repeat(100_000),
        "1 ".repeat(50_000),
        "é\u{301}".repeat(50_000),
        "kitchen ".repeat(12_500),
        "\u{fdfa}".repeat(100_000),
        "a@".repeat(50_000),
    ] {
        let start = std::time::Instant::now();
        parse(&text);
        assert!(start.elapsed() < std::time::Duration::from_secs(2));
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
