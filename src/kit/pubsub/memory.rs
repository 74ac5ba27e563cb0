//! Messages within this process.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;

use super::topics::Topics;
use super::{Ending, Heard, PubSub, Subscription};

/// Reaches the listeners in this process.
#[derive(Debug, Clone)]
pub struct MemoryPubSub<V>(Topics<Arc<V>>);

impl<V> Default for MemoryPubSub<V> {
    fn default() -> Self {
        Self(Topics::new())
    }
}

#[async_trait]
impl<V: Debug + Send + Sync + 'static> PubSub<V> for MemoryPubSub<V> {
    async fn subscribe(&self, topic: &str) -> Subscription<V> {
        Subscription(Ending::Plain(self.0.listen(topic)))
    }

    async fn publish(&self, topic: &str, message: &Arc<V>) {
        self.0.tell(topic, &Heard::Message(Arc::clone(message)));
    }
}

#[cfg(test)]
mod tests {
    use super::super::conformance::conformance;
    use super::*;

    conformance!(MemoryPubSub::default());
}
