//! Commands as documents.

use jiff::Timestamp;
use mongodb::bson::{Binary, Bson, Document, deserialize_from_bson, serialize_to_bson};
use mongodb::error::Error;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::kit::http::page::Cursor;
use crate::kit::storage::mongo::{Binary16, Position, binary, id, instant, micros, uuid};
use crate::voice::api::{Command, CommandError, CommandResult, NONE, Status};
use crate::voice::store::FAILED;

/// A command in the history.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Entry {
    #[serde(rename = "_id")]
    pub(super) id: Binary16,
    pub(super) owner: Binary16,
    position: Position,
    created_at: i64,
    completed_at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<String>,
    text: String,
    pub(super) status: Outcome,
    intent: String,
    language: String,
    source: String,
    duration_ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Document>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<CommandError>,
    fingerprint: Binary,
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Outcome {
    Completed,
    Failed,
}

/// As much of a command as the figures need.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Known {
    #[serde(rename = "_id")]
    pub(super) id: Binary16,
    position: Position,
    created_at: i64,
    pub(super) status: Outcome,
    intent: String,
    language: String,
    source: String,
    duration_ms: f64,
}

/// One counter's key but for its owner: the day, the intent, the language, the source.
pub(super) type Kind = (i64, String, String, String);

impl Known {
    pub(super) fn counts(&self) -> (Kind, f64) {
        let kind = (day_of(self.created_at), self.intent.clone(), self.language.clone(), self.source.clone());
        (kind, self.duration_ms)
    }
}

impl Entry {
    pub(super) fn of(command: &Command) -> Result<Self, Error> {
        let result = command.result.as_ref();
        Ok(Self {
            id: uuid(command.job_id.uuid()),
            owner: uuid(command.user_id.uuid()),
            position: Position::of(Cursor { at: command.created_at, id: command.job_id.uuid() }),
            created_at: micros(command.created_at),
            completed_at: micros(command.completed_at),
            session_id: command.session_id.clone(),
            text: command.command.clone(),
            status: if command.status == Status::Completed { Outcome::Completed } else { Outcome::Failed },
            intent: result.map_or(NONE, |result| &result.intent).to_owned(),
            language: result.map_or("und", |result| &result.language).to_owned(),
            source: result.map_or(FAILED, |result| result.source.as_str()).to_owned(),
            duration_ms: result.map_or(0.0, |result| result.processing_time_ms),
            result: result.map(written).transpose()?,
            error: command.error.clone(),
            fingerprint: binary(&command.fingerprint),
        })
    }

    pub(super) fn command(self) -> Result<Command, Error> {
        Ok(Command {
            job_id: id(self.id),
            user_id: id(self.owner),
            created_at: instant(self.created_at)?,
            completed_at: instant(self.completed_at)?,
            session_id: self.session_id,
            command: self.text,
            status: if self.status == Outcome::Completed { Status::Completed } else { Status::Failed },
            result: self.result.map(read).transpose()?,
            error: self.error,
            fingerprint: self
                .fingerprint
                .bytes
                .try_into()
                .map_err(|_| Error::custom("a fingerprint has another length than 32 bytes".to_owned()))?,
        })
    }

    /// The same, accepted when `known` was.
    pub(super) fn accepted_like(&self, known: &Known) -> Self {
        Self { position: known.position.clone(), created_at: known.created_at, ..self.clone() }
    }

    pub(super) fn counts(&self) -> (Kind, f64) {
        let kind = (day_of(self.created_at), self.intent.clone(), self.language.clone(), self.source.clone());
        (kind, self.duration_ms)
    }
}

/// An answer as a document. What an entity stands for is JSON of any kind (numbers that BSON has not,
/// keys that mean something to the server): it is kept as its text.
fn written(result: &CommandResult) -> Result<Document, Error> {
    let mut json = serde_json::to_value(result).map_err(Error::custom)?;
    for value in values(&mut json) {
        *value = Value::String(value.to_string());
    }
    match serialize_to_bson(&json)? {
        Bson::Document(document) => Ok(document),
        _ => Err(Error::custom("an answer is no object".to_owned())),
    }
}

fn read(document: Document) -> Result<CommandResult, Error> {
    let mut json: Value = deserialize_from_bson(Bson::Document(document))?;
    for value in values(&mut json) {
        let text = value.as_str().unwrap_or_default();
        *value = serde_json::from_str(text).map_err(Error::custom)?;
    }
    serde_json::from_value(json).map_err(Error::custom)
}

/// The values of the entities of an answer.
fn values(json: &mut Value) -> impl Iterator<Item = &mut Value> {
    let entities = json.get_mut("entities").and_then(Value::as_array_mut).into_iter().flatten();
    entities.filter_map(|entity| entity.get_mut("value"))
}

/// Days since 1970 UTC.
pub(super) fn day(at: Timestamp) -> i64 {
    day_of(micros(at))
}

fn day_of(micros: i64) -> i64 {
    micros.div_euclid(86_400_000_000)
}
