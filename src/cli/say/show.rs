//! An answer in a form made for reading.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use serde_json::Value;

const LABEL: Style = Style::new().dimmed();
const STRONG: Style = Style::new().bold();
const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();

/// The answer as lines, coloured on a terminal.
pub(super) fn answer(answer: &Value, colour: bool) -> String {
    let paint = |style: Style, text: &str| {
        if colour { format!("{style}{text}{style:#}") } else { text.to_owned() }
    };
    let mut out = String::new();
    let mut row = |label: &str, text: &str| {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{} {text}", paint(LABEL, &format!("{label:<10}")));
    };
    let result = &answer["result"];
    if result.is_null() {
        let message = answer["error"]["message"].as_str().unwrap_or("there is no answer");
        row("failed", &paint(BAD, message));
        return out;
    }
    let intent = result["intent"].as_str().unwrap_or("none");
    let style = if intent == "none" { BAD } else { GOOD };
    row("intent", &paint(style, intent));
    row("confidence", &percent(&result["confidence"]));
    for entity in result["entities"].as_array().into_iter().flatten() {
        row("entity", &entity_line(entity));
    }
    if let Some(reply) = result["reply"].as_str() {
        row("reply", &paint(STRONG, reply));
    }
    let degraded = if result["degraded"] == true { ", degraded: a better tier failed" } else { "" };
    row("source", &format!("{}{degraded}", result["source"].as_str().unwrap_or("?")));
    row("language", result["language"].as_str().unwrap_or("?"));
    row("time", &format!("{} ms", result["processingTimeMs"]));
    out
}

/// A share of one as whole percent.
pub(super) fn percent(share: &Value) -> String {
    format!("{:.0} %", share.as_f64().unwrap_or(0.0) * 100.0)
}

fn entity_line(entity: &Value) -> String {
    let text = entity["text"].as_str().unwrap_or_default();
    let value = match &entity["value"] {
        Value::String(value) => value.clone(),
        other => other.to_string(),
    };
    let meaning = if value == text { String::new() } else { format!(" = {value}") };
    format!("{}: \"{text}\"{meaning}", entity["entity"].as_str().unwrap_or("?"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_answer_reads_from_top_to_bottom() {
        let shown = answer(
            &json!({"status": "completed", "result": {
                "intent": "get_assignments", "confidence": 0.974, "language": "en", "source": "local",
                "entities": [{"entity": "date", "text": "tomorrow", "value": "2026-11-24"}],
                "reply": "Let's see.", "degraded": false, "processingTimeMs": 0.9,
            }}),
            false,
        );
        insta::assert_snapshot!(shown, @r#"
        intent     get_assignments
        confidence 97 %
        entity     date: "tomorrow" = 2026-11-24
        reply      Let's see.
        source     local
        language   en
        time       0.9 ms
        "#);
    }

    #[test]
    fn a_failure_says_why() {
        let shown =
            answer(&json!({"status": "failed", "error": {"message": "cancelled by its owner"}}), false);
        assert_eq!(shown.trim(), "failed     cancelled by its owner");
    }
}
