use super::*;

static ASSISTANT: LazyLock<Model> = LazyLock::new(|| {
    let text = include_str!("../../../../config/skills/education.en.yml");
    let data = TrainingData::parse_yaml("education.en.yml", text).unwrap();
    Model::train(&data, &TrainOptions::default(), &mut |_| {}).unwrap()
});

#[test]
fn the_built_in_pack_understands_what_it_is_for() {
    let rows = [
        ("when is my next assignment due", "get_assignments"),
        ("When's my physics homework due?", "get_assignments"),
        ("which classes did I sign up for this year", "get_courses"),
        ("what mark did i get in chemistry", "get_grades"),
        ("what time is my biology lecture tomorrow", "get_schedule"),
        ("can you explain how photosynthesis works", "study_help"),
        ("give me a practice quiz on world history", "quiz_help"),
        ("how can i upload a pdf", "file_help"),
        ("what can you help me with", "general_help"),
        ("hello there assistant", "greeting"),
        ("thank you so much for your help", "thanks"),
        ("ok bye see you later", "goodbye"),
    ];
    for (sentence, intent) in rows {
        let parse = ASSISTANT.parse(sentence, &context());
        assert_eq!(parse.intent.as_deref(), Some(intent), "{sentence} {:?}", parse.ranking);
        assert!(parse.confidence > 0.5, "{sentence} {}", parse.confidence);
        assert!(ASSISTANT.respond(intent, "en", 0, &parse.entities).is_some(), "{intent}");
    }
    assert!(ASSISTANT.parse("when is my next assignment due", &context()).confidence > 0.9);
}

#[test]
fn the_built_in_pack_leaves_other_business_alone() {
    for sentence in [
        "book me a flight to mars",
        "order two pizzas with extra cheese",
        "how many calories are in an apple",
        "turn on the tv",
        "i want to order sushi",
        "no",
    ] {
        let parse = ASSISTANT.parse(sentence, &context());
        assert_eq!(parse.intent, None, "{sentence} {:?}", parse.ranking);
    }
}

#[test]
fn the_built_in_pack_finds_subjects_courses_and_files() {
    let parse = ASSISTANT.parse("is the maths pdf for bio 201 due tomorrow", &context());
    let found: Vec<_> =
        parse.entities.iter().map(|e| (e.entity.as_str(), e.value.as_str().unwrap_or_default())).collect();
    assert_eq!(
        found,
        [("subject", "mathematics"), ("file_type", "pdf"), ("course", "bio 201"), ("date", "2027-03-11")]
    );
}
