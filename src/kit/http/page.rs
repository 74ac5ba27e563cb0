//! Lists in pages: `limit`, and either `offset` or a `cursor` that stays fast at any depth.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;
use uuid::Uuid;

use crate::kit::error::{ApiError, FieldError};

/// Entries on a page when the client does not say.
pub const DEFAULT_LIMIT: u32 = 50;
/// Entries on a page at most.
pub const LARGEST_LIMIT: u32 = 200;
/// Rows that `offset` may skip; past that only a cursor goes.
pub const LARGEST_OFFSET: u32 = 10_000;

/// Which page of a list, as a query names it.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// Entries on the page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
    /// Entries to skip, up to 10,000; a cursor goes deeper and faster.
    #[param(maximum = 10_000)]
    offset: Option<u32>,
    /// `nextCursor` of the page before.
    cursor: Option<String>,
}

impl PageQuery {
    /// The page, checked.
    ///
    /// # Errors
    /// As [`Page::parse`].
    pub fn page(&self) -> Result<Page, ApiError> {
        Page::parse(self.limit, self.offset, self.cursor.as_deref())
    }
}

/// A page that a client asked for, checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// 1 to [`LARGEST_LIMIT`].
    pub limit: u32,
    /// Where it starts.
    pub from: From,
}

/// Where a page starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// So many entries after the newest.
    Offset(u32),
    /// Right after this entry.
    After(Cursor),
}

impl Page {
    /// Checks `limit`, `offset` and `cursor` as they came in a query.
    ///
    /// # Errors
    /// 422 naming each parameter that is out of range.
    pub fn parse(limit: Option<u32>, offset: Option<u32>, cursor: Option<&str>) -> Result<Self, ApiError> {
        let mut wrong = Vec::new();
        let mut refuse = |field: &str, message: String| {
            wrong.push(FieldError { field: field.to_owned(), message });
        };
        let limit = limit.unwrap_or(DEFAULT_LIMIT);
        if !(1..=LARGEST_LIMIT).contains(&limit) {
            refuse("limit", format!("must be 1 to {LARGEST_LIMIT}"));
        }
        let from = match (offset, cursor) {
            (Some(_), Some(_)) => {
                refuse("cursor", "goes without `offset`: use one of them".to_owned());
                From::Offset(0)
            }
            (_, Some(text)) => Cursor::parse(text).map_or_else(
                || {
                    refuse(
                        "cursor",
                        "is not one that this server gave: use `nextCursor` as it came".to_owned(),
                    );
                    From::Offset(0)
                },
                From::After,
            ),
            (offset, None) => {
                let offset = offset.unwrap_or(0);
                if offset > LARGEST_OFFSET {
                    refuse("offset", format!("must be at most {LARGEST_OFFSET}; use `cursor` to go deeper"));
                }
                From::Offset(offset)
            }
        };
        if wrong.is_empty() { Ok(Self { limit, from }) } else { Err(ApiError::invalid_fields(wrong)) }
    }
}

/// The place of one entry in a list ordered by time, newest first, then by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// When the entry was made.
    pub at: Timestamp,
    /// Its id, for entries of the same instant.
    pub id: Uuid,
}

impl Cursor {
    fn parse(text: &str) -> Option<Self> {
        if text.len() != 48 || !text.is_ascii() {
            return None;
        }
        let (at, id) = text.split_at(16);
        let micros = i64::from_str_radix(at, 16).ok()?;
        let id = Uuid::try_parse(id).ok()?;
        Some(Self { at: Timestamp::from_microsecond(micros).ok()?, id })
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}{}", self.at.as_microsecond().max(0), self.id.as_simple())
    }
}

impl Serialize for Cursor {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_page_has_fifty_entries_from_the_start_unless_told() {
        let page = Page::parse(None, None, None).unwrap();
        assert_eq!(page, Page { limit: 50, from: From::Offset(0) });
    }

    #[test]
    fn every_wrong_parameter_is_named() {
        let error = Page::parse(Some(0), Some(20_000), None).unwrap_err();
        assert_eq!(error.detail(), "2 fields are not valid");
        assert!(Page::parse(Some(201), None, None).is_err());
        assert!(Page::parse(None, Some(1), Some("x")).is_err());
        assert!(Page::parse(None, None, Some("x")).is_err());
    }

    proptest! {
        #[test]
        fn a_cursor_reads_back(micros in 0_i64..253_402_207_200_000_000, id in any::<u128>()) {
            let cursor = Cursor { at: Timestamp::from_microsecond(micros).unwrap(), id: Uuid::from_u128(id) };
            prop_assert_eq!(Cursor::parse(&cursor.to_string()), Some(cursor));
        }

        #[test]
        fn no_text_makes_a_cursor_panic(text in "\\PC{0,60}") {
            let _ = Cursor::parse(&text);
        }
    }
}
