//! What can go wrong with Redis, told apart by what follows from it.

use std::time::Duration;

use deadpool_redis::redis::{self, ErrorKind, ServerErrorKind};

/// Redis did not do what it was asked. Never shows a password, a key or a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RedisError {
    /// It can't be reached, or is not ready to answer: it starts, or its primary is being replaced.
    #[error("Redis is not available ({detail}); it is tried again by itself")]
    Unavailable {
        /// What the system or the server said.
        detail: String,
    },
    /// It did not answer in time. What was asked may have been done or not.
    #[error("Redis did not answer within {} ms", after.as_millis())]
    Timeout {
        /// How long it was waited for.
        after: Duration,
    },
    /// All connections are in use, and none came free in time.
    #[error("all connections to Redis are in use; give it more (redis.pool_size) if this happens often")]
    Busy,
    /// It does not know who comes, or does not let them do this.
    #[error(
        "Redis refuses this user ({detail}); check user and password in its URL, and what its access control list lets that user do"
    )]
    Refused {
        /// What the server said.
        detail: String,
    },
    /// Its memory is used up; it still reads.
    #[error("Redis has no memory left ({detail}); raise its maxmemory, or give the cache a Redis of its own")]
    Full {
        /// What the server said.
        detail: String,
    },
    /// It answered, but not what the question was for.
    #[error(
        "Redis gave an answer that cannot be used ({detail}); this is a fault in Voicera, or its keys are used by something else"
    )]
    Answer {
        /// What the server said, or what could not be read.
        detail: String,
    },
}

impl RedisError {
    /// Whether everything else that is asked now would fail likewise.
    pub fn concerns_all(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::Timeout { .. } | Self::Refused { .. })
    }

    /// A short name of the kind, for a metric's label.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Unavailable { .. } => "unavailable",
            Self::Timeout { .. } => "timeout",
            Self::Busy => "busy",
            Self::Refused { .. } => "refused",
            Self::Full { .. } => "full",
            Self::Answer { .. } => "answer",
        }
    }

    /// What is answered once the pool has been closed.
    pub(super) fn closed() -> Self {
        Self::Unavailable { detail: "this process is shutting down".to_owned() }
    }

    /// Sorts what the driver says of a call that was given `after`.
    pub(super) fn of(error: &redis::RedisError, after: Duration) -> Self {
        let detail = || match (error.code(), error.detail(), error.kind()) {
            (Some(code), Some(detail), _) => format!("{code} {detail}"),
            (Some(code), None, _) => code.to_owned(),
            (None, _, ErrorKind::Io) => error.to_string(),
            // The driver quotes what it could not read, which may be anybody's.
            (None, ..) => error.category().to_owned(),
        };
        if error.is_timeout() {
            return Self::Timeout { after };
        }
        match error.kind() {
            ErrorKind::AuthenticationFailed | ErrorKind::Server(ServerErrorKind::NoPerm) => {
                Self::Refused { detail: detail() }
            }
            ErrorKind::Io
            | ErrorKind::MasterNameNotFoundBySentinel
            | ErrorKind::NoValidReplicasFoundBySentinel
            | ErrorKind::ClusterConnectionNotFound
            | ErrorKind::Server(
                ServerErrorKind::BusyLoading
                | ServerErrorKind::ClusterDown
                | ServerErrorKind::MasterDown
                | ServerErrorKind::ReadOnly
                | ServerErrorKind::TryAgain,
            ) => Self::Unavailable { detail: detail() },
            ErrorKind::Parse | ErrorKind::UnexpectedReturnType => Self::Answer { detail: detail() },
            _ => match error.code() {
                Some("NOAUTH" | "WRONGPASS") => Self::Refused { detail: detail() },
                Some("OOM") => Self::Full { detail: detail() },
                Some("MISCONF" | "NOREPLICAS" | "BUSY") => Self::Unavailable { detail: detail() },
                _ if error.is_unrecoverable_error() => Self::Unavailable { detail: detail() },
                _ => Self::Answer { detail: detail() },
            },
        }
    }
}
