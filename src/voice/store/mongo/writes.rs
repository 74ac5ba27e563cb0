//! Commands written to the history, each counted once.

use std::collections::BTreeMap;
use std::collections::hash_map::{Entry as Slot, HashMap};

use async_trait::async_trait;
use mongodb::bson::{Document, doc, serialize_to_document};
use mongodb::error::Error;
use mongodb::options::FindOptions;

use super::document::{Entry, Kind, Known, Outcome};
use super::{COMMANDS, STATS};
use crate::kit::storage::mongo::{Apply, Binary16, Session};

/// The history's half of group commit.
#[derive(Debug)]
pub(super) struct Writes;

/// What counters move by: commands, and milliseconds.
type Moves = BTreeMap<([u8; 16], Kind), (i64, f64)>;

#[async_trait]
impl Apply for Writes {
    type Op = Entry;
    type Reply = ();

    /// On a server without transactions a crash after the commands and before their counters leaves
    /// those commands uncounted; what is asked again is there already, and is not counted twice.
    async fn apply(&self, session: &mut Session, batch: &[Entry]) -> Result<Vec<()>, Error> {
        let wanted = merged(batch);
        let known = known(session, &wanted).await?;
        let mut moves = Moves::new();
        let mut fresh = Vec::new();
        let mut answered = Vec::new();
        for entry in wanted {
            match known.get(&entry.id) {
                None => fresh.push(entry),
                Some(old) if supersedes(entry.status, old.status) => {
                    count(&mut moves, entry.owner, old.counts(), -1);
                    let entry = entry.accepted_like(old);
                    count(&mut moves, entry.owner, entry.counts(), 1);
                    answered.push(doc! {
                        "q": { "_id": entry.id, "owner": entry.owner, "status": "failed" },
                        "u": serialize_to_document(&entry)?,
                    });
                }
                Some(_) => {}
            }
        }
        let taken = session.insert(COMMANDS, &fresh).await?;
        for (place, entry) in fresh.iter().enumerate() {
            if !taken.contains(&place) {
                count(&mut moves, entry.owner, entry.counts(), 1);
            }
        }
        session.update(COMMANDS, answered).await?;
        session.update(STATS, moves.into_iter().map(increment).collect()).await?;
        Ok(vec![(); batch.len()])
    }
}

/// What is there stays, unless it had failed and is answered now.
fn supersedes(new: Outcome, old: Outcome) -> bool {
    old == Outcome::Failed && new == Outcome::Completed
}

/// One entry for each id, as if they had come one after another.
fn merged(batch: &[Entry]) -> Vec<&Entry> {
    let mut places: HashMap<Binary16, usize> = HashMap::with_capacity(batch.len());
    let mut merged: Vec<&Entry> = Vec::with_capacity(batch.len());
    for entry in batch {
        match places.entry(entry.id) {
            Slot::Vacant(slot) => {
                slot.insert(merged.len());
                merged.push(entry);
            }
            Slot::Occupied(slot) => {
                let old = &mut merged[*slot.get()];
                if supersedes(entry.status, old.status) {
                    *old = entry;
                }
            }
        }
    }
    merged
}

/// Those of the entries that are there already. The owners are named so that a router knows which shards
/// to ask.
async fn known(session: &mut Session, wanted: &[&Entry]) -> Result<HashMap<Binary16, Known>, Error> {
    let found: Vec<Known> =
        session.find(COMMANDS, there(wanted.iter().copied()), FindOptions::default()).await?;
    Ok(found.into_iter().map(|known| (known.id, known)).collect())
}

/// Which of the entries are there.
pub(super) fn there<'a>(entries: impl Iterator<Item = &'a Entry>) -> Document {
    let (ids, mut owners): (Vec<_>, Vec<_>) = entries.map(|entry| (entry.id, entry.owner)).unzip();
    owners.sort_unstable_by_key(|owner| owner.bytes());
    owners.dedup();
    doc! { "_id": { "$in": ids }, "owner": { "$in": owners } }
}

fn count(moves: &mut Moves, owner: Binary16, (kind, duration_ms): (Kind, f64), by: i64) {
    let moved = moves.entry((owner.bytes(), kind)).or_default();
    moved.0 += by;
    moved.1 += if by < 0 { -duration_ms } else { duration_ms };
}

fn increment((key, by): (([u8; 16], Kind), (i64, f64))) -> Document {
    let (owner, (day, intent, language, source)) = key;
    doc! {
        "q": {
            "owner": Binary16::from_bytes(owner),
            "day": day,
            "intent": intent,
            "language": language,
            "source": source,
        },
        "u": { "$inc": { "count": by.0, "duration_ms": by.1 } },
        "upsert": true,
    }
}
