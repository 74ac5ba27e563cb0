//! The analytics module itself.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;

use crate::analytics::api::{Analytics, Batch, LARGEST_BATCH};
use crate::analytics::http;
use crate::analytics::store::CounterStore;
use crate::kit::clock::SharedClock;
use crate::kit::error::ApiError;
use crate::kit::health::{Check, Health, Probe};

/// The analytics module in this process.
#[derive(Debug)]
pub struct LocalAnalytics {
    store: Arc<dyn CounterStore>,
    clock: SharedClock,
}

impl LocalAnalytics {
    /// The module over `store`.
    pub fn new(store: Arc<dyn CounterStore>, clock: SharedClock) -> Self {
        Self { store, clock }
    }

    /// The public endpoints.
    pub fn router(&self) -> Router {
        let state =
            http::real_time::RealTimeState { store: Arc::clone(&self.store), clock: Arc::clone(&self.clock) };
        http::real_time::routes().with_state::<()>(state).into()
    }

    /// The contract over HTTP, for other roles alone.
    pub fn internal_router(self: &Arc<Self>) -> Router {
        http::internal::routes(Arc::clone(self))
    }
}

#[async_trait]
impl Analytics for LocalAnalytics {
    async fn record(&self, batch: Batch) -> Result<(), ApiError> {
        if batch.events.len() > LARGEST_BATCH {
            return Err(ApiError::invalid("events", format!("must be at most {LARGEST_BATCH}")));
        }
        Ok(self.store.add(batch).await?)
    }
}

#[async_trait]
impl Probe for LocalAnalytics {
    async fn health(&self) -> Health {
        let store = match self.store.check().await {
            Ok(()) => Check::up(),
            Err(error) => Check::down(error.to_string()),
        };
        Health::of([("store".to_owned(), store)])
    }
}
