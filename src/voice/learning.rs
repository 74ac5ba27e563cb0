//! Learning the skills anew, in every process that answers commands.
//!
//! Each process reads its own files and trains its own model. The one that is asked learns first and tells
//! the others when it has: skills that it can't read are put to use nowhere.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::kit::ids::Ids;
use crate::kit::pubsub::{Heard, PubSub, Subscription};
use crate::voice::models::{Models, ReloadError};

/// What processes tell each other about under.
const TOPIC: &str = "learnt";

/// That a process has learnt the skills anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Learnt {
    /// The process that was asked.
    by: Uuid,
    /// The version of the model that it has now.
    model_version: String,
}

/// Where processes tell each other.
pub type News = Arc<dyn PubSub<Learnt>>;

/// Begins to listen for what other processes learn. What is heard before [`Learning::follow`] waits for
/// that.
pub async fn listen(news: &News) -> Subscription<Learnt> {
    news.subscribe(TOPIC).await
}

/// The model in use here, learnt anew together with the other processes.
#[derive(Debug)]
pub struct Learning {
    models: Arc<Models>,
    news: News,
    process: Uuid,
}

impl Learning {
    /// Learns for `models`, and tells the others by `news`.
    pub fn new(models: Arc<Models>, news: News, ids: &Ids) -> Self {
        Self { models, news, process: ids.fresh() }
    }

    /// The model in use here.
    pub fn models(&self) -> &Arc<Models> {
        &self.models
    }

    /// Learns here, then has all other processes do so; true if there is another model here now. Goes on to
    /// its end when whoever asked has gone.
    ///
    /// # Errors
    /// [`ReloadError`]; the old model stays, and the others hear nothing.
    pub async fn learn(self: &Arc<Self>) -> Result<bool, ReloadError> {
        let learning = Arc::clone(self);
        let learnt = tokio::spawn(async move {
            let changed = learning.models.reload().await?;
            let learnt = Learnt { by: learning.process, model_version: learning.version() };
            learning.news.publish(TOPIC, &Arc::new(learnt)).await;
            Ok(changed)
        });
        learnt.await?
    }

    /// Learns whenever another process has, until `stop`.
    pub async fn follow(&self, mut heard: Subscription<Learnt>, stop: CancellationToken) {
        while let Some(heard) = stop.run_until_cancelled(heard.next()).await {
            let version = match &heard {
                Heard::Message(learnt) if learnt.by == self.process => continue,
                Heard::Message(learnt) => Some(learnt.model_version.as_str()),
                // The files are where it would be seen.
                Heard::Missed => None,
            };
            if version == Some(&self.version()) {
                continue;
            }
            // Not waited for at the end: a training that nobody needs any more may take long.
            if stop.run_until_cancelled(self.follow_suit(version)).await.is_none() {
                return;
            }
        }
    }

    async fn follow_suit(&self, version: Option<&str>) {
        match self.models.reload_in_turn().await {
            Ok(changed) => {
                tracing::info!(changed, version = self.version(), "skills read again, as elsewhere");
            }
            Err(error) => {
                tracing::error!(%error, "the skills of another process are not read here; the model in use stays");
                return;
            }
        }
        let here = self.version();
        if let Some(there) = version.filter(|there| *there != here) {
            tracing::warn!(
                here,
                there,
                "the process that was asked to learn has other skills: are its files the same?"
            );
        }
    }

    fn version(&self) -> String {
        self.models.current().model.version().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

    use super::*;
    use crate::kit::clock::SystemClock;
    use crate::kit::ids::Entropy;
    use crate::kit::pubsub::memory::MemoryPubSub;
    use crate::voice::models::tests::model;

    /// A process: its files, what it learns, and word of every look at the files.
    struct Process {
        learning: Arc<Learning>,
        files: Arc<Mutex<Result<&'static str, &'static str>>>,
        looked: UnboundedReceiver<()>,
        stop: CancellationToken,
    }

    impl Process {
        async fn start(news: &News, seed: u64) -> Self {
            let files = Arc::new(Mutex::new(Ok("first")));
            let (look, looked) = unbounded_channel();
            let read = Arc::clone(&files);
            let load = Arc::new(move || {
                let _ = look.send(());
                read.lock().unwrap().map(model).map_err(str::to_owned)
            });
            let ids = Ids::new(Arc::new(SystemClock), Entropy::seeded(seed));
            let models = Arc::new(Models::new(model("first"), load));
            let learning = Arc::new(Learning::new(models, Arc::clone(news), &ids));
            let (follower, heard, stop) =
                (Arc::clone(&learning), listen(news).await, CancellationToken::new());
            let stopped = stop.clone();
            tokio::spawn(async move { follower.follow(heard, stopped).await });
            Self { learning, files, looked, stop }
        }

        fn has(&self, files: Result<&'static str, &'static str>) {
            *self.files.lock().unwrap() = files;
        }

        fn intent(&self) -> String {
            self.learning.models().current().model.intents()[0].name.clone()
        }

        async fn learns(&self, intent: &str) {
            let learnt = async {
                while self.intent() != intent {
                    tokio::task::yield_now().await;
                }
            };
            tokio::time::timeout(std::time::Duration::from_secs(20), learnt).await.expect(intent);
        }
    }

    impl Drop for Process {
        fn drop(&mut self) {
            self.stop.cancel();
        }
    }

    #[tokio::test]
    async fn what_one_process_is_told_to_learn_all_learn_once() {
        let news: News = Arc::new(MemoryPubSub::default());
        let (mut asked, other) = (Process::start(&news, 1).await, Process::start(&news, 2).await);
        asked.has(Ok("second"));
        other.has(Ok("second"));
        assert!(asked.learning.learn().await.unwrap());
        other.learns("second").await;

        // Whoever has it already does not look again, not even the one that was asked.
        other.has(Ok("third"));
        assert!(!asked.learning.learn().await.unwrap());
        asked.has(Ok("third"));
        assert!(asked.learning.learn().await.unwrap());
        other.learns("third").await;
        let mut looks = 0;
        while asked.looked.try_recv().is_ok() {
            looks += 1;
        }
        assert_eq!(looks, 3, "once for each time that it was asked");
    }

    #[tokio::test]
    async fn skills_that_cannot_be_read_where_somebody_asks_are_learnt_nowhere() {
        let news: News = Arc::new(MemoryPubSub::default());
        let (asked, mut other) = (Process::start(&news, 1).await, Process::start(&news, 2).await);
        asked.has(Err("a.yml:3: is broken"));
        other.has(Ok("second"));
        assert_eq!(asked.learning.learn().await.unwrap_err().to_string(), "a.yml:3: is broken");
        asked.has(Ok("second"));
        asked.learning.learn().await.unwrap();
        other.learns("second").await;
        assert!(other.looked.try_recv().is_ok() && other.looked.try_recv().is_err(), "for the second alone");
    }

    #[tokio::test]
    async fn a_process_whose_own_files_are_broken_keeps_what_it_has_and_hears_on() {
        let news: News = Arc::new(MemoryPubSub::default());
        let (asked, mut other) = (Process::start(&news, 1).await, Process::start(&news, 2).await);
        asked.has(Ok("second"));
        other.has(Err("a.yml:3: is broken"));
        asked.learning.learn().await.unwrap();
        other.looked.recv().await.unwrap();
        assert_eq!(other.intent(), "first");
        other.has(Ok("third"));
        asked.has(Ok("third"));
        asked.learning.learn().await.unwrap();
        other.learns("third").await;
    }
}
