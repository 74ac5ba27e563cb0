//! What the driver and the server report, sorted by what their operator can do about it.

use mongodb::error::{Error, ErrorKind, TRANSIENT_TRANSACTION_ERROR, WriteFailure};

use crate::kit::storage::{Place, StorageError};

/// What kind of trouble a code of the server stands for
/// (<https://www.mongodb.com/docs/manual/reference/error-codes/>).
enum Trouble {
    Away,
    Busy,
    Denied,
    Duplicate,
    Full,
    Other,
}

impl Trouble {
    fn of(code: i32) -> Self {
        match code {
            // Not the primary any more, shutting down, no majority, a lost connection.
            6 | 7 | 64 | 79 | 89 | 91 | 100 | 133 | 134 | 189 | 202 | 384 | 9001 | 10_058 | 10_107
            | 11_600 | 11_602 | 13_435 | 13_436 => Self::Away,
            // Conflicts, locks, and what took too long.
            24 | 46 | 50 | 112 | 117 | 225 | 246 | 251 | 262 | 365 => Self::Busy,
            13 | 18 | 8000 => Self::Denied,
            11_000 | 11_001 | 12_582 => Self::Duplicate,
            14_031 => Self::Full,
            _ => Self::Other,
        }
    }

    fn at(self, place: &Place, detail: String) -> StorageError {
        let place = place.clone();
        match self {
            Self::Away => StorageError::Unreachable { place, detail },
            Self::Busy => StorageError::Busy { place, detail },
            Self::Denied => StorageError::Denied { place, detail },
            Self::Duplicate => StorageError::Duplicate { place, detail },
            Self::Full => StorageError::Full { place, detail },
            Self::Other => StorageError::Rejected { place, detail },
        }
    }
}

/// Sorts what the driver reports about `place`.
pub(super) fn sort(place: &Place, error: &Error) -> StorageError {
    let away = |detail: String| Trouble::Away.at(place, detail);
    if let Some((code, message)) = answer(error) {
        return Trouble::of(code).at(place, format!("{message}, code {code}"));
    }
    match &*error.kind {
        ErrorKind::ServerSelection { message, .. } | ErrorKind::ConnectionPoolCleared { message, .. } => {
            away(cause(message))
        }
        ErrorKind::Io(io) => away(io.to_string()),
        ErrorKind::DnsResolve { message, .. } => away(message.clone()),
        ErrorKind::Authentication { message, .. } => Trouble::Denied.at(place, message.clone()),
        ErrorKind::InvalidTlsConfig { message, .. } => {
            StorageError::Address { place: place.clone(), detail: message.clone() }
        }
        ErrorKind::Shutdown => StorageError::Closed { place: place.clone() },
        _ if error.contains_label(TRANSIENT_TRANSACTION_ERROR) => {
            Trouble::Busy.at(place, error.kind.to_string())
        }
        kind => Trouble::Other.at(place, kind.to_string()),
    }
}

/// Whether the entry that was to be new is there already.
pub fn is_duplicate(error: &Error) -> bool {
    answer(error).is_some_and(|(code, _)| matches!(Trouble::of(code), Trouble::Duplicate))
}

/// The code of what the server answered.
pub(super) fn code(error: &Error) -> Option<i32> {
    answer(error).map(|(code, _)| code)
}

/// What the server answered, without what was in the document: that is somebody's own.
fn answer(error: &Error) -> Option<(i32, String)> {
    let (code, message) = match &*error.kind {
        ErrorKind::Command(command) => (command.code, &command.message),
        ErrorKind::Write(WriteFailure::WriteError(write)) => (write.code, &write.message),
        ErrorKind::Write(WriteFailure::WriteConcernError(concern)) => (concern.code, &concern.message),
        ErrorKind::InsertMany(many) => {
            let first = many.write_errors.iter().flatten().next();
            let first = first.map(|write| (write.code, &write.message));
            let concern = many.write_concern_error.as_ref();
            first.or_else(|| concern.map(|concern| (concern.code, &concern.message)))?
        }
        _ => return None,
    };
    let message = message.split(" dup key:").next().unwrap_or_default();
    Some((code, message.to_owned()))
}

/// The reason inside the driver's description of everything that it knows.
fn cause(message: &str) -> String {
    let inner =
        message.split_once("Kind: ").map(|(_, inner)| inner.split(", labels").next().unwrap_or(inner));
    inner.unwrap_or(message).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_all_that_the_driver_knows_the_reason_is_told() {
        let long = "Server selection timeout: No available servers. Topology: { Servers: [ { Address: a:1, Error: Kind: I/O error: Connection refused (os error 111), labels: {\"x\"}, source: None } ] }";
        assert_eq!(cause(long), "I/O error: Connection refused (os error 111)");
        assert_eq!(cause("no primary"), "no primary");
    }
}
