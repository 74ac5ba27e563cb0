//! What a server may send, and what becomes of it.

use super::*;

#[tokio::test]
async fn a_reply_as_groq_sends_it_is_understood() {
    let world = World::new().await;

    let answer = world.ask("what is my math grade").await.unwrap();

    assert_eq!(answer.intent.as_deref(), Some("get_grades"));
    assert!((answer.confidence - 0.93).abs() < 1e-6);
    assert_eq!(
        answer.entities,
        [AnswerEntity {
            entity: "course".to_owned(),
            value: json!("Mathematics"),
            text: "math".to_owned(),
            span: Some(11..15),
        }]
    );
    assert_eq!(answer.reply, "Which of your math grades would you like to hear?");
    assert_eq!(answer.model, FIRST);
    assert_eq!(answer.usage, Usage { prompt_tokens: 418, completion_tokens: 72, total_tokens: 490 });
    assert_eq!(answer.attempts, 1);
}

#[tokio::test]
async fn an_intent_that_was_not_offered_is_none() {
    let world = World::new().await;
    for (named, intent) in [
        (json!("none"), None),
        (json!("drop_tables"), None),
        (json!(null), None),
        (json!(7), None),
        (json!(" Get_Schedule "), Some("get_schedule")),
    ] {
        let content = json!({"intent": named, "confidence": 1, "entities": [], "reply": "ok"});
        let answer = world.after([Behaviour::Answer(content)]).await.unwrap();
        assert_eq!(answer.intent.as_deref(), intent, "{named}");
    }
}

#[tokio::test]
async fn confidence_is_clamped_and_anything_else_is_unstated() {
    let world = World::new().await;
    for (stated, confidence) in [
        (json!(1.7), 1.0),
        (json!(-3), 0.0),
        (json!("0.25"), 0.25),
        (json!("very"), 0.5),
        (json!("NaN"), 0.5),
        (json!(null), 0.5),
    ] {
        let content = json!({"intent": "greeting", "confidence": stated, "reply": "Hi"});
        let answer = world.after([Behaviour::Answer(content)]).await.unwrap();
        assert!((answer.confidence - confidence).abs() < 1e-6, "{stated}");
        assert_eq!(answer.entities, []);
    }
}

#[tokio::test]
async fn entities_are_kept_when_they_make_sense() {
    let world = World::new().await;
    let content = json!({"intent": "get_grades", "reply": "", "extra": {"a": 1}, "entities": [
        {"entity": "course", "value": "Mathematics", "text": "MATH", "role": "x"},
        {"entity": "course", "value": 12, "text": "physics"},
        {"entity": "course", "text": "grade"},
        {"entity": "date", "value": null, "text": ""},
        {"entity": "password", "value": "x", "text": "math"},
        {"value": "x"}, "course", null, 4,
    ]});

    let answer = world.after([Behaviour::Answer(content)]).await.unwrap();

    let found: Vec<_> = answer.entities.iter().map(|e| (e.value.clone(), e.span.clone())).collect();
    assert_eq!(
        found,
        [(json!("Mathematics"), Some(11..15)), (json!(12), None), (json!("grade"), Some(16..21))]
    );
}

#[tokio::test]
async fn fences_and_small_talk_around_the_json_are_ignored() {
    let world = World::new().await;
    let says = format!("Here you are:\n```json\n{}\n```\nAnything else?", default_answer());
    let answer = world.after([Behaviour::Says(says)]).await.unwrap();
    assert_eq!(answer.intent.as_deref(), Some("get_grades"));
}

#[tokio::test]
async fn a_spoken_reply_has_no_control_characters() {
    let world = World::new().await;
    let content = json!({"intent": "greeting", "reply": " Hi\u{0}\u{1b}[31m\nthere\u{7f} "});
    let answer = world.after([Behaviour::Answer(content)]).await.unwrap();
    assert_eq!(answer.reply, "Hi[31m\nthere");
}

#[tokio::test]
async fn an_unusable_reply_is_an_error_that_says_why() {
    let cases = [
        (Behaviour::InvalidJson, "not a JSON object"),
        (Behaviour::BreaksSchema, "breaks the schema"),
        (Behaviour::NoChoices, "no choices"),
        (Behaviour::CutOff, "token limit"),
        (Behaviour::Garbage, "not JSON"),
        (Behaviour::HugeReply(100_000), "larger than 65536 bytes"),
        (Behaviour::Says(String::new()), "empty"),
        (groq_schema_failure(), "json_validate_failed"),
    ];
    for (behaviour, reason) in cases {
        let world = World::with(|settings| {
            settings.models.truncate(1);
            settings.max_reply_bytes = 64 * 1024;
        })
        .await;
        let error = world.after([behaviour.clone()]).await.unwrap_err();
        assert!(
            matches!(&error, ProviderError::BadReply(text) if text.contains(reason)),
            "{behaviour:?}: {error}"
        );
        assert_eq!(world.server.requests().len(), 1, "{behaviour:?} is not asked for again");
    }
}

#[tokio::test]
async fn an_unusable_reply_moves_on_to_the_next_model() {
    for behaviour in [Behaviour::InvalidJson, Behaviour::NoChoices, Behaviour::CutOff, groq_schema_failure()]
    {
        let world = World::new().await;
        let answer = world.after([behaviour]).await.unwrap();
        assert_eq!((answer.model.as_str(), answer.attempts), (SECOND, 2));
        // It is this utterance's trouble: the next one starts with the preferred model again.
        assert_eq!(world.ask("hello").await.unwrap().model, FIRST);
    }
}

/// What Groq says when the model's own output does not fit the schema.
fn groq_schema_failure() -> Behaviour {
    let body = json!({"error": {
        "message": "Generated JSON does not match the expected schema for json_schema. See 'failed_generation'.",
        "type": "invalid_request_error",
        "code": "json_validate_failed",
        "failed_generation": "{\"intent\": 7}",
    }});
    Behaviour::Raw { status: 400, headers: Vec::new(), body: body.to_string() }
}
