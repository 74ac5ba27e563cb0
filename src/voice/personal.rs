//! What is kept of one person: handed out, and forgotten.

use async_trait::async_trait;

use crate::kit::error::ApiError;
use crate::kit::http::page::{Cursor, Page};
use crate::kit::ids::UserId;
use crate::voice::QUEUE;
use crate::voice::api::{ExportPage, Voice};
use crate::voice::local::LocalVoice;
use crate::voice::store::{Filter, HistoryPage};

/// Commands on a page.
const LONGEST_PAGE: u32 = 50;
/// Bytes of JSON after which a page is full: it has to fit into an answer that a peer reads.
const LARGEST_PAGE: usize = 256 * 1024;

#[async_trait]
impl Voice for LocalVoice {
    async fn export(&self, user: UserId, after: Option<String>) -> Result<ExportPage, ApiError> {
        let page = Page::parse(Some(LONGEST_PAGE), None, after.as_deref())?;
        fitting(self.store.history(user, &Filter::default(), page).await?, LARGEST_PAGE)
    }

    async fn erase(&self, user: UserId) -> Result<(), ApiError> {
        // The queue first: what is taken from it comes to no history. Remembered answers are keyed by
        // the person, whom nobody can be any more, and fade by themselves (`voice.cache.ttl`).
        self.queue.erase(QUEUE, user).await?;
        Ok(self.store.erase(user).await?)
    }
}

/// As much of `found` as fits into `largest` bytes, one command at least.
fn fitting(found: HistoryPage, largest: usize) -> Result<ExportPage, ApiError> {
    let HistoryPage { mut commands, next } = found;
    let (mut bytes, mut fit) = (0, 0);
    for command in &commands {
        bytes += serde_json::to_vec(command).map_err(ApiError::internal)?.len();
        if fit > 0 && bytes > largest {
            break;
        }
        fit += 1;
    }
    let whole = fit == commands.len();
    commands.truncate(fit);
    let last = commands.last().map(|last| Cursor { at: last.created_at, id: last.job_id.uuid() });
    let next = if whole { next } else { last };
    Ok(ExportPage { commands, next: next.map(|cursor| cursor.to_string()) })
}
