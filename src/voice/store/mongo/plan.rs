//! How commands are found: along one index, from its end.

use mongodb::Collection;
use mongodb::action::Find;
use mongodb::bson::{Bson, Document, doc};
use mongodb::options::Hint;
use serde::Deserialize;

use crate::kit::http::page::{Cursor, From as PageStart, Page};
use crate::kit::ids::{JobId, UserId};
use crate::kit::storage::mongo::{Position, uuid};
use crate::voice::store::Filter;
use crate::voice::store::lead::Lead;

/// A query as the driver takes it, and as the server can be asked about it.
#[derive(Debug, Clone)]
pub(super) struct Query {
    filter: Document,
    index: &'static str,
    covered: bool,
    skip: u32,
    limit: u32,
}

impl Query {
    pub(super) fn on<'a, T: Send + Sync>(&self, commands: &'a Collection<T>) -> Find<'a, T> {
        let find = commands
            .find(self.filter.clone())
            .hint(Hint::Name(self.index.to_owned()))
            .sort(newest_first())
            .skip(self.skip.into())
            .limit(self.limit.into());
        if self.covered { find.projection(place_alone()) } else { find }
    }

    /// The same as a command.
    #[cfg(test)]
    pub(super) fn command(&self) -> Document {
        let mut command = doc! {
            "find": super::COMMANDS,
            "filter": self.filter.clone(),
            "hint": self.index,
            "sort": newest_first(),
            "skip": i64::from(self.skip),
            "limit": i64::from(self.limit),
        };
        if self.covered {
            command.insert("projection", place_alone());
        }
        command
    }

    #[cfg(test)]
    pub(super) fn index(&self) -> &'static str {
        self.index
    }
}

fn newest_first() -> Document {
    doc! { "position": -1 }
}

fn place_alone() -> Document {
    doc! { "position": 1, "_id": 0 }
}

/// The index over all commands.
pub(super) fn by_id() -> Hint {
    Hint::Name("_id_".to_owned())
}

/// The index over all of somebody's commands.
pub(super) fn by_time() -> Hint {
    Hint::Name("commands_by_time".to_owned())
}

/// One of somebody's commands.
pub(super) fn one(owner: UserId, id: JobId) -> Document {
    doc! { "_id": uuid(id.uuid()), "owner": uuid(owner.uuid()) }
}

/// Everybody's commands from there on.
pub(super) fn beyond(after: Option<JobId>) -> Document {
    after.map_or_else(Document::new, |after| doc! { "_id": { "$gt": uuid(after.uuid()) } })
}

/// Where a search ends.
#[derive(Debug, Deserialize)]
pub(super) struct Stop {
    position: Position,
}

impl Stop {
    pub(super) fn cursor(self) -> mongodb::error::Result<Cursor> {
        self.position.cursor()
    }
}

/// How a page is found.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    owner: UserId,
    filter: &'a Filter,
    page: Page,
    lead: Lead<'a>,
}

impl<'a> Plan<'a> {
    pub(super) fn of(owner: UserId, filter: &'a Filter, page: Page) -> Self {
        Self { owner, filter, page, lead: Lead::of(filter) }
    }

    /// Where the search ends that looks at `examined` commands; none if the index alone is the answer.
    pub(super) fn stop(&self, examined: u32) -> Option<Query> {
        if self.lead.suffices {
            return None;
        }
        // The index holds all that this asks for, so no command is read.
        let filter = self.range(None);
        Some(Query { filter, index: self.lead.index, covered: true, skip: examined.max(1) - 1, limit: 1 })
    }

    /// One command more than the page holds tells whether there is another page.
    pub(super) fn select(&self, stop: Option<Cursor>) -> Query {
        let mut filter = self.range(stop);
        filter.extend(self.lead.rest.iter().map(|(field, value)| ((*field).to_owned(), Bson::from(*value))));
        if let Some(text) = &self.filter.text {
            filter.insert("text", doc! { "$regex": containing(text) });
        }
        let skip = if let PageStart::Offset(offset) = self.page.from { offset } else { 0 };
        Query { filter, index: self.lead.index, covered: false, skip, limit: self.page.limit + 1 }
    }

    /// The commands in the range of the index, not further than `stop`.
    fn range(&self, stop: Option<Cursor>) -> Document {
        let mut filter = doc! { "owner": uuid(self.owner.uuid()) };
        if let Some((field, value)) = self.lead.by {
            filter.insert(field, value);
        }
        let after = if let PageStart::After(cursor) = self.page.from { Some(cursor) } else { None };
        let below = [after.map(Position::of), self.filter.to.map(Position::beginning)];
        let from = [stop.map(Position::of), self.filter.from.map(Position::beginning)];
        let mut bounds = Document::new();
        bounds.extend(below.into_iter().flatten().min().map(|below| ("$lt".to_owned(), below.into())));
        bounds.extend(from.into_iter().flatten().max().map(|from| ("$gte".to_owned(), from.into())));
        if !bounds.is_empty() {
            filter.insert("position", bounds);
        }
        filter
    }
}

/// A regular expression for exactly these words, the case of ASCII letters aside.
fn containing(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() * 4);
    for letter in text.chars() {
        if letter.is_ascii_alphabetic() {
            pattern.extend(['[', letter.to_ascii_lowercase(), letter.to_ascii_uppercase(), ']']);
        } else if letter == '\0' {
            // The server takes none as it is.
            pattern.push_str("\\x00");
        } else {
            if letter.is_ascii() && !letter.is_ascii_alphanumeric() && !letter.is_ascii_control() {
                pattern.push('\\');
            }
            pattern.push(letter);
        }
    }
    pattern
}
