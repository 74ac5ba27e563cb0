//! How a database is reached.

use std::time::Duration;

use mongodb::options::{
    Acknowledgment, ClientOptions, ReadConcern, ReadPreference as DriverPreference, SelectionCriteria,
    WriteConcern,
};
use secrecy::{ExposeSecret, SecretString};

use crate::kit::storage::{Place, StorageError};

/// How a database is reached.
#[derive(Debug, Clone)]
pub struct MongoOptions {
    /// `mongodb://USER:PASSWORD@HOST:PORT,…/?OPTIONS`. Its options say how to use TLS (rustls) and where
    /// users are kept; what stands below goes before what it says.
    pub url: SecretString,
    /// The name of the database.
    pub database: String,
    /// What the server's log calls this process.
    pub app_name: String,
    /// Connections to each server at most.
    pub max_pool_size: u32,
    /// Connections to each server that are kept open.
    pub min_pool_size: u32,
    /// How long a call waits for a server that can take it.
    pub server_selection_timeout: Duration,
    /// How long a connection may take to be made.
    pub connect_timeout: Duration,
    /// How long a call may take, with all that it waits for and the driver's own retries.
    pub operation_timeout: Duration,
    /// Who is asked for lists and figures.
    pub read_preference: ReadPreference,
    /// Whether a server that stands alone, and so has no transactions, is refused.
    pub needs_transactions: bool,
}

/// Who of a replica set is asked (<https://www.mongodb.com/docs/manual/core/read-preference/>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReadPreference {
    /// The primary alone: reads see every write that was answered.
    #[default]
    Primary,
    /// The primary, or a secondary while there is none.
    PrimaryPreferred,
    /// Secondaries alone; they may be a moment behind.
    Secondary,
    /// A secondary, or the primary while there is none.
    SecondaryPreferred,
    /// Whoever answers fastest.
    Nearest,
}

impl ReadPreference {
    pub(super) fn criteria(self) -> SelectionCriteria {
        SelectionCriteria::ReadPreference(match self {
            Self::Primary => DriverPreference::Primary,
            Self::PrimaryPreferred => DriverPreference::PrimaryPreferred { options: None },
            Self::Secondary => DriverPreference::Secondary { options: None },
            Self::SecondaryPreferred => DriverPreference::SecondaryPreferred { options: None },
            Self::Nearest => DriverPreference::Nearest { options: None },
        })
    }
}

impl MongoOptions {
    /// The defaults for a database: calls end within ten seconds, reads go to the primary.
    pub fn new(url: SecretString, database: impl Into<String>) -> Self {
        Self {
            url,
            database: database.into(),
            app_name: "voicera".to_owned(),
            max_pool_size: 50,
            min_pool_size: 0,
            server_selection_timeout: Duration::from_secs(5),
            connect_timeout: Duration::from_secs(5),
            operation_timeout: Duration::from_secs(10),
            read_preference: ReadPreference::Primary,
            needs_transactions: false,
        }
    }

    /// These as the driver wants them, and where that is.
    pub(super) async fn client(&self) -> Result<(ClientOptions, Place), StorageError> {
        let place =
            |server: &str| Place::Database { server: server.into(), name: self.database.as_str().into() };
        let mut options = ClientOptions::parse(self.url.expose_secret()).await.map_err(|error| {
            // The driver quotes parts of what it does not understand, and passwords are often such.
            let detail = error.kind.to_string();
            let detail = if detail.contains("scheme") || detail.contains("dns-resolver") {
                "it has to begin with mongodb://, with all hosts in it; mongodb+srv:// is not supported"
            } else {
                "a part of it is malformed: reserved characters in the user and password have to be percent-encoded, and every option needs a value"
            };
            StorageError::Address { place: place("an unknown server"), detail: detail.to_owned() }
        })?;
        let hosts: Vec<_> = options.hosts.iter().map(ToString::to_string).collect();
        let place = place(&hosts.join(","));
        if !is_name(&self.database) {
            let detail = format!("{:?} is no name for a database", self.database);
            return Err(StorageError::Address { place, detail });
        }
        options.app_name = Some(self.app_name.clone());
        options.max_pool_size = Some(self.max_pool_size.max(1));
        options.min_pool_size = Some(self.min_pool_size.min(self.max_pool_size));
        options.server_selection_timeout = Some(self.server_selection_timeout);
        options.connect_timeout = Some(self.connect_timeout);
        options.retry_writes = Some(true);
        options.retry_reads = Some(true);
        options.read_concern = Some(ReadConcern::majority());
        options.write_concern = Some(durable(self.operation_timeout));
        options.selection_criteria = Some(ReadPreference::Primary.criteria());
        Ok((options, place))
    }
}

/// On the disks of a majority.
pub(super) fn durable(patience: Duration) -> WriteConcern {
    WriteConcern::builder().w(Acknowledgment::Majority).journal(true).w_timeout(patience).build()
}

/// Whether the server takes it as the name of a database on every platform
/// (<https://www.mongodb.com/docs/manual/reference/limits/#naming-restrictions>).
fn is_name(name: &str) -> bool {
    (1..64).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
}
