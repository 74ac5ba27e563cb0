//! The queues that have been named so far, each with its keys, its way in and its figures.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use bullmq::QueueKeys;
use tokio::sync::OnceCell;

use super::intake::{Intake, Terms};
use super::link::Link;
use super::options::BullOptions;
use crate::kit::clock::SharedClock;
use crate::kit::queue::metrics::QueueMetrics;
use crate::kit::queue::{QueueError, QueueOptions};

/// One queue.
pub(super) struct Lane {
    pub(super) name: Arc<str>,
    pub(super) keys: QueueKeys,
    /// What its keys begin with, with the colon.
    pub(super) prefix: String,
    pub(super) metrics: QueueMetrics,
    door: Arc<Door>,
    intake: Intake,
}

impl fmt::Debug for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lane").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

impl Lane {
    pub(super) fn intake(&self) -> &Intake {
        &self.intake
    }

    /// The port's view of the queue.
    pub(super) async fn port(&self) -> Result<bullmq::Queue, QueueError> {
        self.door.port().await
    }
}

/// The port's queue, once there is a connection.
pub(super) struct Door {
    pub(super) link: Arc<Link>,
    name: Arc<str>,
    prefix: String,
    port: OnceCell<bullmq::Queue>,
}

impl Door {
    pub(super) async fn port(&self) -> Result<bullmq::Queue, QueueError> {
        if self.link.is_closed() {
            return Err(QueueError::Closed);
        }
        let made = self.port.get_or_try_init(async || {
            let connection = self.link.connection().await?;
            let options = bullmq::QueueOptions::default().prefix(self.prefix.as_str());
            let made = bullmq::Queue::with_connection(&self.name, connection, options).await;
            made.map_err(|error| self.link.error(error))
        });
        made.await.cloned()
    }
}

/// All queues that have been named so far.
#[derive(Debug)]
pub(super) struct Lanes {
    named: RwLock<HashMap<Arc<str>, Arc<Lane>>>,
    link: Arc<Link>,
    prefix: String,
    terms: Terms,
    clock: SharedClock,
}

impl Lanes {
    pub(super) fn new(
        link: Arc<Link>,
        bull: &BullOptions,
        options: &QueueOptions,
        clock: SharedClock,
    ) -> Self {
        let lanes = Self {
            named: RwLock::default(),
            link,
            prefix: bull.prefix.clone(),
            terms: Terms::of(options),
            clock,
        };
        for name in &bull.queues {
            lanes.of(name);
        }
        lanes
    }

    pub(super) fn of(&self, name: &str) -> Arc<Lane> {
        if let Some(lane) = self.named.read().unwrap_or_else(PoisonError::into_inner).get(name) {
            return Arc::clone(lane);
        }
        let mut named = self.named.write().unwrap_or_else(PoisonError::into_inner);
        let name: Arc<str> = name.into();
        Arc::clone(named.entry(Arc::clone(&name)).or_insert_with(|| Arc::new(self.lane(name))))
    }

    pub(super) fn all(&self) -> Vec<Arc<Lane>> {
        self.named.read().unwrap_or_else(PoisonError::into_inner).values().map(Arc::clone).collect()
    }

    fn lane(&self, name: Arc<str>) -> Lane {
        let keys = QueueKeys::new(&name, Some(&self.prefix));
        let door = Arc::new(Door {
            link: Arc::clone(&self.link),
            name: Arc::clone(&name),
            prefix: self.prefix.clone(),
            port: OnceCell::new(),
        });
        let prefix = keys.key_prefix();
        let intake =
            Intake::new(Arc::clone(&door), prefix.clone(), self.terms.clone(), Arc::clone(&self.clock));
        Lane { metrics: QueueMetrics::of(&name), name, keys, prefix, door, intake }
    }
}
