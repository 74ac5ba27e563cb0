//! An embedded installation carried to where another configuration keeps things: accounts, history, counters.
//!
//! A copy that is cut short goes on where it was, and doing it again changes nothing. What is there already
//! stays, so a production installation may have begun by then, but for counters of the same hour.

mod seals;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use self::seals::Seals;
use crate::analytics::store::{CounterStore as _, HourKey, sqlite::SqliteCounters};
use crate::config::{Config, Storage, StorageKind};
use crate::kit::clock::{SharedClock, SystemClock};
use crate::kit::ids::{Entropy, JobId};
use crate::kit::queue::sqlite::SqliteQueue;
use crate::kit::queue::{Queue as _, QueueOptions};
use crate::kit::storage::portable::{Portable, copy as carry};
use crate::kit::storage::schema::Store;
use crate::kit::storage::sqlite::Options;
use crate::roles::data_folder::{DataFolder, write_private};
use crate::roles::stores::{Stores, USERS_FILE, file};
use crate::roles::{RoleError, schemas};
use crate::users::store::{RecordKey, UserStore as _, sqlite::SqliteUsers};
use crate::voice::QUEUE;
use crate::voice::store::{CommandStore as _, sqlite::SqliteCommands};

/// The file in the data folder that says how far a copy came.
const PROGRESS_FILE: &str = "copied.json";
const HISTORY_FILE: &str = "voice.db";
const COUNTERS_FILE: &str = "analytics.db";

/// How far a copy is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What is being carried: `accounts` with all that goes with them, `history`, `counters`.
    pub what: &'static str,
    /// Entries that have been carried, in this run.
    pub done: u64,
    /// Entries that there are.
    pub total: u64,
}

/// What a copy came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Carried {
    /// What was carried.
    pub what: &'static str,
    /// Entries in the data folder: of accounts themselves alone, those that are forgotten among them.
    pub of: u64,
    /// Entries in the other store, its own among them.
    pub there: u64,
}

/// How far a copy came before it was cut short.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Reached {
    /// Where to: a copy to somewhere else begins anew.
    to: String,
    accounts: Option<RecordKey>,
    history: Option<JobId>,
    counters: Option<HourKey>,
}

/// Carries the installation in the data folder `from` to the stores of the configuration `to`; nobody may
/// be using the folder.
///
/// # Errors
/// [`RoleError::DataFolder`] when there is none, it is in use, commands wait in it, what is sealed in it can't
/// be opened, or less arrived than was sent; otherwise those of the stores.
pub async fn copy(
    from: &Path,
    to: &Config,
    show: &(dyn Fn(Progress) + Sync),
) -> Result<Vec<Carried>, RoleError> {
    let has = |name: &str| from.join(name).is_file();
    if ![USERS_FILE, HISTORY_FILE].into_iter().any(has) {
        return Err(refused(from, "there is no installation in it", "name its data folder with --from DIR"));
    }
    if to.storage.kind == StorageKind::Sqlite {
        let reason = "the configuration keeps things in files, too";
        return Err(refused(&to.server.data_dir, reason, "name one with storage.kind = \"mongodb\""));
    }
    let folder = DataFolder::open(from)?;
    let clock: SharedClock = Arc::new(SystemClock);
    nothing_waits(&folder, from, &clock).await?;
    let seals = if has(USERS_FILE) { Some(Seals::of(from, to)?) } else { None };
    let files = |name: &str| to.server.data_dir.join(name);
    let stores = Stores { config: to, clock: &clock, files: &files, on_migration: &|_, _| () };
    // Whether the server is there, and the schemas are this binary's, is to be known before.
    let mut place = String::new();
    for schema in schemas(to, false)?.schemas {
        if matches!(schema.store, Store::Mongo(_)) {
            place = schema.migrate(&clock, &|_| ()).await?.place.to_string();
        }
    }
    let reached = Reached::read(&folder.file(PROGRESS_FILE), place);
    let mut copying = Copying { folder, clock: &clock, stores, reached, show };
    let mut carried = Vec::new();
    // Accounts first: what stands in the way of one is known at once.
    if let Some(seals) = seals {
        carried.push(copying.accounts(&seals).await?);
    }
    if has(HISTORY_FILE) {
        carried.push(copying.history().await?);
    }
    if has(COUNTERS_FILE) {
        carried.push(copying.counters().await?);
    }
    // Whoever does it again, whatever came of this, begins at the beginning.
    let _ = fs::remove_file(copying.folder.file(PROGRESS_FILE));
    match carried.iter().find(|carried| carried.there < carried.of) {
        None => Ok(carried),
        Some(Carried { what, of, there }) => Err(refused(
            from,
            &format!("of {of} entries ({what}) only {there} are in {}", copying.reached.to),
            "do it again",
        )),
    }
}

/// A copy that is being made.
struct Copying<'a> {
    folder: DataFolder,
    clock: &'a SharedClock,
    stores: Stores<'a>,
    reached: Reached,
    show: &'a (dyn Fn(Progress) + Sync),
}

impl Copying<'_> {
    fn options(&self, name: &str) -> Options {
        file(&Storage::default(), self.folder.file(name))
    }

    async fn accounts(&mut self, seals: &Seals) -> Result<Carried, RoleError> {
        let old = SqliteUsers::open(&self.options(USERS_FILE), self.clock, &|_| ()).await?;
        let new = self.stores.accounts().await?;
        let copied = async {
            let now = self.clock.now();
            seals.check(&new.signing_keys(now).await?)?;
            old.prune(now).await?;
            let prepare = |record| seals.anew(record);
            part("accounts", &old, &*new, self.reached.accounts.clone(), prepare, self.show, |key| {
                self.reached.accounts = Some(key.clone());
                self.reached.keep(&self.folder);
            })
            .await
        };
        let copied = copied.await;
        old.close().await;
        new.close().await;
        copied
    }

    async fn history(&mut self) -> Result<Carried, RoleError> {
        let old = SqliteCommands::open(&self.options(HISTORY_FILE), self.clock, &|_| ()).await?;
        let new = self.stores.commands().await?;
        let copied = part("history", &old, &*new, self.reached.history, Ok, self.show, |key| {
            self.reached.history = Some(*key);
            self.reached.keep(&self.folder);
        });
        let copied = copied.await;
        old.close().await;
        new.close().await;
        copied
    }

    async fn counters(&mut self) -> Result<Carried, RoleError> {
        let old = SqliteCounters::open(&self.options(COUNTERS_FILE), self.clock, &|_| ()).await?;
        let new = self.stores.counters().await?;
        let copied = part("counters", &old, &*new, self.reached.counters.clone(), Ok, self.show, |key| {
            self.reached.counters = Some(key.clone());
            self.reached.keep(&self.folder);
        });
        let copied = copied.await;
        old.close().await;
        new.close().await;
        copied
    }
}

/// Carries one store to another, and keeps how far that is.
async fn part<S: Portable, T: Portable<Key = S::Key, Entry = S::Entry> + ?Sized>(
    what: &'static str,
    old: &S,
    new: &T,
    after: Option<S::Key>,
    prepare: impl Fn(S::Entry) -> Result<S::Entry, RoleError> + Send + Sync,
    show: &(dyn Fn(Progress) + Sync),
    mut keep: impl FnMut(&S::Key) + Send,
) -> Result<Carried, RoleError> {
    let (of, total) = (old.lasting().await?, old.entries().await?);
    let mut done = 0;
    show(Progress { what, done, total });
    carry(old, new, after, prepare, |key, count| {
        keep(key);
        done += count as u64;
        show(Progress { what, done, total });
    })
    .await?;
    Ok(Carried { what, of, there: new.lasting().await? })
}

/// Commands that were accepted are answered where they were: the queue is not carried.
async fn nothing_waits(folder: &DataFolder, path: &Path, clock: &SharedClock) -> Result<(), RoleError> {
    let queue = file(&Storage::default(), folder.file("queue.db"));
    if !queue.file.is_file() {
        return Ok(());
    }
    let queue =
        SqliteQueue::open(&queue, QueueOptions::default(), Arc::clone(clock), Entropy::system(), &|_| ())
            .await?;
    let depth = queue.depth(QUEUE).await;
    queue.close().await;
    let depth = depth?;
    match depth.waiting + depth.delayed + depth.active {
        0 => Ok(()),
        waiting => Err(refused(
            path,
            &format!("{waiting} accepted commands wait in it to be answered"),
            "run `voicera serve` on it, without new commands, until `voicera jobs list` shows none waiting",
        )),
    }
}

fn refused(folder: &Path, reason: &str, fix: &str) -> RoleError {
    RoleError::DataFolder { folder: folder.to_owned(), reason: reason.to_owned(), fix: fix.to_owned() }
}

impl Reached {
    /// What an earlier copy to the same place left, or a beginning.
    fn read(file: &PathBuf, to: String) -> Self {
        let kept = fs::read(file).ok().and_then(|bytes| serde_json::from_slice::<Self>(&bytes).ok());
        kept.filter(|kept| kept.to == to).unwrap_or(Self { to, ..Self::default() })
    }

    /// One that is not kept costs the next copy time alone.
    fn keep(&self, folder: &DataFolder) {
        let kept = serde_json::to_vec(self).map_err(std::io::Error::other);
        if let Err(error) = kept.and_then(|bytes| write_private(&folder.file(PROGRESS_FILE), &bytes)) {
            tracing::warn!(%error, "how far the copy is was not kept");
        }
    }
}
