//! The history carried to another store, and from one.

use async_trait::async_trait;
use futures_util::future::try_join_all;
use sqlx::{QueryBuilder, Sqlite};

use super::{COLUMNS, SqliteCommands, read};
use crate::kit::ids::JobId;
use crate::kit::storage::StorageError;
use crate::kit::storage::portable::Portable;
use crate::voice::api::Command;
use crate::voice::store::CommandStore as _;

#[async_trait]
impl Portable for SqliteCommands {
    type Key = JobId;
    type Entry = Command;

    async fn entries(&self) -> Result<u64, StorageError> {
        let mut conn = self.database.read().await?;
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM commands")
            .fetch_one(&mut *conn)
            .await
            .map_err(|error| self.failed(&error))?;
        Ok(count.try_into().unwrap_or(0))
    }

    async fn export(&self, after: Option<JobId>, limit: u32) -> Result<Vec<(JobId, Command)>, StorageError> {
        let mut query = QueryBuilder::<Sqlite>::new("SELECT ");
        query.push(COLUMNS).push(" FROM commands");
        if let Some(after) = after {
            query.push(" WHERE id > ").push_bind(after.uuid());
        }
        query.push(" ORDER BY id LIMIT ").push_bind(i64::from(limit));
        let mut conn = self.database.read().await?;
        let rows = query.build().fetch_all(&mut *conn).await.map_err(|error| self.failed(&error))?;
        let commands = rows.iter().map(|row| read(row).map(|command| (command.job_id, command)));
        commands.collect::<Result<_, _>>().map_err(|error| self.failed(&error))
    }

    async fn import(&self, commands: Vec<Command>) -> Result<(), StorageError> {
        try_join_all(commands.iter().map(|command| self.record(command))).await.map(drop)
    }
}
