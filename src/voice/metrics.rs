//! What `/metrics` says about commands.

use metrics::{Unit, counter, describe_counter, describe_histogram, histogram};

use crate::voice::api::{CommandResult, NONE};

/// Names and units.
pub fn describe() {
    describe_counter!(
        "voicera_voice_commands_total",
        "Commands answered, by the tier that answered, whether an intent was found, and language"
    );
    describe_counter!("voicera_voice_degraded_total", "Commands whose better tier failed");
    describe_counter!("voicera_voice_failed_total", "Commands given up, by reason");
    describe_counter!("voicera_voice_events_dropped_total", "Events that analytics did not get");
    describe_counter!("voicera_voice_cache_requests_total", "Look-ups of earlier answers, by outcome");
    describe_histogram!(
        "voicera_voice_command_duration_seconds",
        Unit::Seconds,
        "From the acceptance of a command to its answer"
    );
    describe_histogram!(
        "voicera_voice_stage_duration_seconds",
        Unit::Seconds,
        "Time in one stage of a command's way"
    );
}

/// Counts one answer, in one of the model's languages or `other`: clients can name any language, and
/// what they name must not become a series.
pub fn answered(result: &CommandResult, language: &str) {
    counter!(
        "voicera_voice_commands_total",
        "source" => result.source.as_str(),
        "outcome" => if result.intent == NONE { "none" } else { "intent" },
        "language" => language.to_owned(),
    )
    .increment(1);
    if result.degraded {
        counter!("voicera_voice_degraded_total").increment(1);
    }
    histogram!("voicera_voice_command_duration_seconds").record(result.processing_time_ms / 1e3);
    let stages = [
        ("queue", Some(result.stages.queue_ms)),
        ("local", result.stages.local_ms),
        ("llm", result.stages.llm_ms),
    ];
    for (stage, ms) in stages {
        if let Some(ms) = ms {
            histogram!("voicera_voice_stage_duration_seconds", "stage" => stage).record(ms / 1e3);
        }
    }
}

/// Counts one command that was given up.
pub fn failed(reason: &'static str) {
    counter!("voicera_voice_failed_total", "reason" => reason).increment(1);
}

/// Counts one look-up of an earlier answer.
pub fn cache(fresh: bool) {
    counter!("voicera_voice_cache_requests_total", "outcome" => if fresh { "miss" } else { "hit" })
        .increment(1);
}
