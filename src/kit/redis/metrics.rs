//! What `/metrics` says about Redis.

use metrics::Unit;

pub(super) const UP: &str = "voicera_redis_up";
pub(super) const COMMANDS: &str = "voicera_redis_commands_total";
pub(super) const DURATION: &str = "voicera_redis_command_duration_seconds";

/// Names and units for the recorder; call once it is installed.
pub fn describe() {
    metrics::describe_gauge!(UP, "1 while Redis answers, 0 while it is away");
    metrics::describe_counter!(COMMANDS, "Commands and scripts, by outcome");
    metrics::describe_histogram!(DURATION, Unit::Seconds, "Time from asking Redis to its answer");
}
