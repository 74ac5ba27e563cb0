//! Which index answers a question about the history; every store has the same ones.

use super::Filter;

/// What of a filter an index knows: its entries stand by owner, by one further field and by time.
#[derive(Debug)]
pub(super) struct Lead<'a> {
    /// The index.
    pub(super) index: &'static str,
    /// The field that it has between owner and time, and what that must be.
    pub(super) by: Option<(&'static str, &'a str)>,
    /// Further fields, of which it knows nothing.
    pub(super) rest: Vec<(&'static str, &'a str)>,
    /// Whether it knows all that is asked for.
    pub(super) suffices: bool,
}

impl<'a> Lead<'a> {
    pub(super) fn of(filter: &'a Filter) -> Self {
        // A conversation is short; intents are many, languages few.
        let mut given = [
            ("session_id", "commands_by_session", &filter.session_id),
            ("intent", "commands_by_intent", &filter.intent),
            ("language", "commands_by_language", &filter.language),
        ]
        .into_iter()
        .filter_map(|(field, index, value)| Some((field, index, value.as_deref()?)));
        let first = given.next();
        let rest: Vec<_> = given.map(|(field, _, value)| (field, value)).collect();
        Self {
            index: first.map_or("commands_by_time", |(_, index, _)| index),
            by: first.map(|(field, _, value)| (field, value)),
            suffices: rest.is_empty() && filter.text.is_none(),
            rest,
        }
    }
}
