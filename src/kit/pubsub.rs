//! Telling whoever waits, in this process, that something happened.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;

/// Messages that a subscriber may lag behind before it misses some.
const LAG: usize = 16;

/// Who listens to what, each listener with a number of its own.
type Listeners<K, V> = HashMap<K, Vec<(u64, mpsc::Sender<V>)>>;

/// Topics of messages `V`, named by `K`. A topic exists while somebody listens.
pub struct Topics<K, V> {
    topics: Arc<Mutex<Listeners<K, V>>>,
    next: Arc<std::sync::atomic::AtomicU64>,
}

impl<K, V> Clone for Topics<K, V> {
    fn clone(&self) -> Self {
        Self { topics: Arc::clone(&self.topics), next: Arc::clone(&self.next) }
    }
}

impl<K, V> fmt::Debug for Topics<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Topics").finish_non_exhaustive()
    }
}

impl<K, V> Default for Topics<K, V> {
    fn default() -> Self {
        Self { topics: Arc::default(), next: Arc::default() }
    }
}

impl<K: Eq + Hash + Clone, V: Clone> Topics<K, V> {
    /// Listens to `topic` until the subscription is dropped.
    pub fn subscribe(&self, topic: K) -> Subscription<K, V> {
        let (sender, receiver) = mpsc::channel(LAG);
        let number = self.next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        lock(&self.topics).entry(topic.clone()).or_default().push((number, sender));
        Subscription { receiver, number, topic, topics: Arc::clone(&self.topics) }
    }

    /// Gives `message` to everybody who listens to `topic`; nobody is waited for.
    pub fn publish(&self, topic: &K, message: &V) {
        if let Some(listeners) = lock(&self.topics).get(topic) {
            for (_, listener) in listeners {
                let _ = listener.try_send(message.clone());
            }
        }
    }
}

fn lock<K, V>(topics: &Mutex<HashMap<K, V>>) -> MutexGuard<'_, HashMap<K, V>> {
    topics.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One listener's end.
#[derive(Debug)]
pub struct Subscription<K: Eq + Hash, V> {
    receiver: mpsc::Receiver<V>,
    number: u64,
    topic: K,
    topics: Arc<Mutex<Listeners<K, V>>>,
}

impl<K: Eq + Hash, V> Subscription<K, V> {
    /// The next message.
    pub async fn next(&mut self) -> Option<V> {
        self.receiver.recv().await
    }
}

impl<K: Eq + Hash, V> Drop for Subscription<K, V> {
    fn drop(&mut self) {
        let mut topics = lock(&self.topics);
        if let Some(listeners) = topics.get_mut(&self.topic) {
            listeners.retain(|(number, _)| *number != self.number);
            if listeners.is_empty() {
                topics.remove(&self.topic);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn everybody_who_listens_hears_it_and_nobody_else() {
        let topics = Topics::<u8, &str>::default();
        let (mut first, mut second, mut other) =
            (topics.subscribe(1), topics.subscribe(1), topics.subscribe(2));
        topics.publish(&1, &"hello");
        topics.publish(&2, &"there");
        assert_eq!((first.next().await, second.next().await), (Some("hello"), Some("hello")));
        assert_eq!(other.next().await, Some("there"));
    }

    #[test]
    fn a_topic_without_listeners_is_gone() {
        let topics = Topics::<u8, ()>::default();
        drop((topics.subscribe(1), topics.subscribe(1)));
        assert!(lock(&topics.topics).is_empty());
        topics.publish(&1, &());
    }
}
