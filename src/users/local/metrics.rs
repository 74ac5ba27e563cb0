//! The figures of the users module.

use metrics::describe_counter;

/// Says what each figure means.
pub fn describe() {
    describe_counter!("voicera_users_logins_total", "Log-ins, by outcome (done, refused)");
    describe_counter!(
        "voicera_users_refreshes_total",
        "Refresh tokens that were presented, by outcome (done, again, reused, refused)"
    );
    describe_counter!(
        "voicera_users_messages_total",
        "Messages to people, by outcome (sent, logged, failed, dropped)"
    );
}
