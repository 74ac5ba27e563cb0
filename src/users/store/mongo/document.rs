//! Accounts as documents.

use jiff::Timestamp;
use mongodb::bson::{Binary, Bson};
use mongodb::error::Error;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::kit::http::page::Cursor;
use crate::kit::storage::mongo::{Binary16, Position, binary, id, instant, micros, uuid};
use crate::users::account::{Account, Kind, Status, folded};
use crate::users::store::{AccountRecord, Hash, Login, NewAccount};

/// An account.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct User {
    #[serde(rename = "_id")]
    pub(super) id: Binary16,
    kind: String,
    name: String,
    name_key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_verified_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) password: Option<String>,
    status: String,
    role: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    institution: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    avatar: Option<String>,
    preferences: String,
    profile: String,
    metadata: String,
    created_at: i64,
    updated_at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_active_at: Option<i64>,
    position: Position,
    epoch: i64,
    version: i64,
    guard: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    totp: Option<Binary>,
    totp_step: i64,
    recovery: Vec<Binary>,
}

impl User {
    pub(super) fn new(new: &NewAccount) -> Self {
        let at = micros(new.at);
        Self {
            id: uuid(new.id.uuid()),
            kind: new.kind.as_str().to_owned(),
            name: new.name.clone(),
            name_key: folded(&new.name),
            email: new.email.as_ref().map(|email| email.as_str().to_owned()),
            email_key: new.email.as_ref().map(|email| email.key().to_owned()),
            email_verified_at: new.email_verified.then_some(at),
            password: new.password.clone(),
            status: new.status.as_str().to_owned(),
            role: new.role.clone(),
            institution: new.institution.clone(),
            avatar: None,
            preferences: "{}".to_owned(),
            profile: "{}".to_owned(),
            metadata: "{}".to_owned(),
            created_at: at,
            updated_at: at,
            last_active_at: None,
            position: Position::of(Cursor { at: new.at, id: new.id.uuid() }),
            epoch: 1,
            version: 1,
            guard: 0,
            totp: None,
            totp_step: 0,
            recovery: Vec::new(),
        }
    }

    pub(super) fn account(self) -> Result<Account, Error> {
        Ok(Account {
            id: id(self.id),
            kind: Kind::from_word(&self.kind).ok_or_else(|| strange("kind"))?,
            name: self.name,
            email: self.email,
            email_verified: self.email_verified_at.is_some(),
            status: Status::from_word(&self.status).ok_or_else(|| strange("status"))?,
            role: self.role,
            institution: self.institution,
            avatar: self.avatar,
            preferences: read_json(&self.preferences)?,
            profile: read_json(&self.profile)?,
            metadata: read_json(&self.metadata)?,
            created_at: instant(self.created_at)?,
            updated_at: instant(self.updated_at)?,
            last_active: self.last_active_at.map(instant).transpose()?,
            version: unsigned(self.version),
            epoch: unsigned(self.epoch),
            second_factor: self.totp.is_some(),
        })
    }

    /// Without what belongs to it in other collections.
    pub(super) fn record(self) -> Result<AccountRecord, Error> {
        let mut recovery = self.recovery.iter().map(read_hash).collect::<Result<Vec<Hash>, _>>()?;
        recovery.sort_unstable();
        Ok(AccountRecord {
            email_verified_at: when(self.email_verified_at)?,
            password: self.password.clone(),
            totp: self.totp.as_ref().map(|totp| totp.bytes.clone()),
            totp_step: unsigned(self.totp_step),
            recovery,
            keys: Vec::new(),
            passkeys: Vec::new(),
            tokens: Vec::new(),
            account: self.account()?,
        })
    }

    pub(super) fn of_record(of: &AccountRecord) -> Result<Self, Error> {
        let account = &of.account;
        Ok(Self {
            id: uuid(account.id.uuid()),
            kind: account.kind.as_str().to_owned(),
            name: account.name.clone(),
            name_key: folded(&account.name),
            email: account.email.clone(),
            email_key: account.email.as_deref().map(folded),
            email_verified_at: of.email_verified_at.map(micros),
            password: of.password.clone(),
            status: account.status.as_str().to_owned(),
            role: account.role.clone(),
            institution: account.institution.clone(),
            avatar: account.avatar.clone(),
            preferences: json(&account.preferences)?,
            profile: json(&account.profile)?,
            metadata: json(&account.metadata)?,
            created_at: micros(account.created_at),
            updated_at: micros(account.updated_at),
            last_active_at: account.last_active.map(micros),
            position: Position::of(Cursor { at: account.created_at, id: account.id.uuid() }),
            epoch: account.epoch.cast_signed(),
            version: account.version.cast_signed(),
            guard: 0,
            totp: of.totp.as_deref().map(binary),
            totp_step: of.totp_step.cast_signed(),
            recovery: of.recovery.iter().map(|hash| binary(hash)).collect(),
        })
    }

    pub(super) fn epoch(&self) -> u64 {
        unsigned(self.epoch)
    }

    pub(super) fn login(self) -> Result<Login, Error> {
        let password = self.password.clone();
        let totp = self.totp.as_ref().map(|totp| totp.bytes.clone());
        Ok(Login { account: self.account()?, password, totp })
    }
}

/// JSON as its text: it may have numbers that BSON has not, and keys that mean something to the server.
pub(super) fn json<T: Serialize>(value: &T) -> Result<String, Error> {
    serde_json::to_string(value).map_err(Error::custom)
}

pub(super) fn read_json<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(Error::custom)
}

pub(super) fn strange(field: &str) -> Error {
    Error::custom(format!("the field `{field}` holds a word that this version does not know"))
}

/// A count as the database keeps it; never negative.
pub(super) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

pub(super) fn hash(hash: &Hash) -> Bson {
    Bson::Binary(binary(hash))
}

pub(super) fn read_hash(binary: &Binary) -> Result<Hash, Error> {
    binary.bytes.as_slice().try_into().map_err(Error::custom)
}

pub(super) fn hashes(hashes: &[Hash]) -> Vec<Bson> {
    hashes.iter().map(hash).collect()
}

/// An instant that may be missing.
pub(super) fn when(at: Option<i64>) -> Result<Option<Timestamp>, Error> {
    at.map(instant).transpose()
}
