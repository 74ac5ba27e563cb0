//! Who listens to what in this process.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, mpsc};

use super::Heard;

/// Messages that a listener may lag behind before it misses some.
const LAG: usize = 16;

/// Topics of messages `M`. A topic exists while somebody listens.
pub(super) struct Topics<M> {
    shared: Arc<Shared<M>>,
}

struct Shared<M> {
    state: Mutex<State<M>>,
    /// For who has to know which topics there are.
    changed: Notify,
}

struct State<M> {
    listeners: HashMap<String, Vec<Listener<M>>>,
    next: u64,
    /// Topics that came or went since somebody asked.
    changes: Option<HashSet<String>>,
}

struct Listener<M> {
    number: u64,
    sender: mpsc::Sender<Heard<M>>,
    missed: Arc<AtomicBool>,
}

impl<M> Listener<M> {
    fn tell(&self, heard: Heard<M>) {
        if self.sender.try_send(heard).is_err() {
            self.missed.store(true, Ordering::Release);
        }
    }
}

impl<M: Clone> Topics<M> {
    pub(super) fn new() -> Self {
        Self::tracking(None)
    }

    /// Topics whose [`changes`](Self::changes) somebody follows.
    pub(super) fn followed() -> Self {
        Self::tracking(Some(HashSet::new()))
    }

    fn tracking(changes: Option<HashSet<String>>) -> Self {
        let state = State { listeners: HashMap::new(), next: 0, changes };
        Self { shared: Arc::new(Shared { state: Mutex::new(state), changed: Notify::new() }) }
    }

    /// Listens until the ear is dropped.
    pub(super) fn listen(&self, topic: &str) -> Ear<M> {
        let (sender, receiver) = mpsc::channel(LAG);
        let missed = Arc::new(AtomicBool::new(false));
        let mut state = self.shared.lock();
        let number = state.next;
        state.next += 1;
        let listener = Listener { number, sender, missed: Arc::clone(&missed) };
        state.listeners.entry(topic.to_owned()).or_default().push(listener);
        state.changed(topic);
        drop(state);
        self.shared.changed.notify_one();
        Ear { receiver, missed, number, topic: topic.to_owned(), shared: Arc::clone(&self.shared) }
    }

    /// Tells all who listen to `topic`; nobody is waited for.
    pub(super) fn tell(&self, topic: &str, heard: &Heard<M>) {
        if let Some(listeners) = self.shared.lock().listeners.get(topic) {
            for listener in listeners {
                listener.tell(heard.clone());
            }
        }
    }

    /// Tells everybody to look for themselves.
    pub(super) fn tell_all_missed(&self) {
        for listener in self.shared.lock().listeners.values().flatten() {
            listener.tell(Heard::Missed);
        }
    }

    /// Waits until topics come or go: which, and whether they are there now.
    pub(super) async fn changes(&self) -> Vec<(String, bool)> {
        loop {
            let changes = {
                let mut state = self.shared.lock();
                let changes = state.changes.as_mut().map(std::mem::take).unwrap_or_default();
                let there = |topic: String| {
                    let there = state.listeners.contains_key(&topic);
                    (topic, there)
                };
                changes.into_iter().map(there).collect::<Vec<_>>()
            };
            if !changes.is_empty() {
                return changes;
            }
            self.shared.changed.notified().await;
        }
    }

    /// Every topic is to be among the next changes.
    pub(super) fn change_all(&self) {
        let mut state = self.shared.lock();
        let State { listeners, changes, .. } = &mut *state;
        if let Some(changes) = changes {
            changes.extend(listeners.keys().cloned());
        }
        drop(state);
        self.shared.changed.notify_one();
    }
}

impl<M> Clone for Topics<M> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<M> Shared<M> {
    fn lock(&self) -> MutexGuard<'_, State<M>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<M> State<M> {
    fn changed(&mut self, topic: &str) {
        if let Some(changes) = &mut self.changes {
            changes.insert(topic.to_owned());
        }
    }
}

impl<M> fmt::Debug for Topics<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Topics").finish_non_exhaustive()
    }
}

/// One listener's end.
pub(super) struct Ear<M> {
    receiver: mpsc::Receiver<Heard<M>>,
    missed: Arc<AtomicBool>,
    number: u64,
    topic: String,
    shared: Arc<Shared<M>>,
}

impl<M> Ear<M> {
    pub(super) async fn next(&mut self) -> Heard<M> {
        if self.missed.swap(false, Ordering::Acquire) {
            return Heard::Missed;
        }
        match self.receiver.recv().await {
            Some(heard) => heard,
            // Its other end is kept until this one is dropped.
            None => std::future::pending().await,
        }
    }

    /// Makes this listener look for itself.
    pub(super) fn miss(&self) {
        self.missed.store(true, Ordering::Release);
    }
}

impl<M> Drop for Ear<M> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        if let Some(listeners) = state.listeners.get_mut(&self.topic) {
            listeners.retain(|listener| listener.number != self.number);
            if listeners.is_empty() {
                state.listeners.remove(&self.topic);
                state.changed(&self.topic);
                drop(state);
                self.shared.changed.notify_one();
            }
        }
    }
}

impl<M> fmt::Debug for Ear<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ear").field("topic", &self.topic).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_without_listeners_is_gone() {
        let topics = Topics::<()>::new();
        drop((topics.listen("a"), topics.listen("a")));
        assert!(topics.shared.lock().listeners.is_empty());
        topics.tell("a", &Heard::Message(()));
    }

    #[tokio::test]
    async fn who_follows_learns_which_topics_there_are() {
        let topics = Topics::<()>::followed();
        let (first, _second) = (topics.listen("a"), topics.listen("b"));
        let mut changes = topics.changes().await;
        changes.sort();
        assert_eq!(changes, [("a".to_owned(), true), ("b".to_owned(), true)]);
        drop(first);
        assert_eq!(topics.changes().await, [("a".to_owned(), false)]);
        topics.change_all();
        assert_eq!(topics.changes().await, [("b".to_owned(), true)]);
    }
}
