//! The trained model in use, replaced whole when the skills have changed.
//!
//! A command is answered by the model that was in use when its answer began; nothing waits for a
//! reload, and a reload that fails leaves the old model in use.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::Mutex;

use crate::nlu::Model;
use crate::voice::providers::IntentHint;

/// Reads the skills and gets a model from them; may take seconds. The error is what is wrong with
/// which file, for whoever wrote it.
pub type LoadModel = Arc<dyn Fn() -> Result<Model, String> + Send + Sync>;

/// The label of languages that the model does not know.
const OTHER: &str = "other";

/// A model, and what a language model is told of its intents.
#[derive(Debug)]
pub struct Known {
    /// The model.
    pub model: Model,
    /// Its intents: their names, a few sentences, their entities.
    pub hints: Vec<IntentHint>,
}

impl Known {
    /// `language` if it is one of the model's, otherwise `other`: one of few words, for counters.
    pub fn language_label<'a>(&self, language: &'a str) -> &'a str {
        if self.model.languages().iter().any(|known| known == language) { language } else { OTHER }
    }
}

impl From<Model> for Known {
    fn from(model: Model) -> Self {
        let hint = |intent: crate::nlu::IntentSummary| IntentHint {
            examples: intent.samples,
            name: intent.name,
            description: String::new(),
            entities: intent.entities,
        };
        Self { hints: model.intents().into_iter().map(hint).collect(), model }
    }
}

/// Why the model in use was not replaced.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    /// What is wrong with the skills, a line each.
    #[error("{0}")]
    Skills(String),
    /// Another reload has not ended.
    #[error("the skills are being read right now")]
    Busy,
    /// Training panicked: a defect.
    #[error("training broke off: {0}")]
    Broken(#[from] tokio::task::JoinError),
}

/// The model in use, and where the next one comes from.
pub struct Models {
    current: RwLock<Arc<Known>>,
    load: LoadModel,
    /// Held while reloading: training is too dear to be done twice at a time.
    reloading: Mutex<()>,
}

impl fmt::Debug for Models {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Models").field("version", &self.current().model.version()).finish_non_exhaustive()
    }
}

impl Models {
    /// Begins with `model`; `load` brings its successors.
    pub fn new(model: Model, load: LoadModel) -> Self {
        Self { current: RwLock::new(Arc::new(model.into())), load, reloading: Mutex::new(()) }
    }

    /// The model in use.
    pub fn current(&self) -> Arc<Known> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the skills again and puts their model to use; true if it is another one. Goes on to its
    /// end when whoever asked has gone.
    ///
    /// # Errors
    /// [`ReloadError`]; the old model stays.
    pub async fn reload(self: &Arc<Self>) -> Result<bool, ReloadError> {
        let models = Arc::clone(self);
        let reloaded = tokio::spawn(async move {
            let _only_one = models.reloading.try_lock().map_err(|_| ReloadError::Busy)?;
            models.reload_here().await
        });
        reloaded.await?
    }

    /// The same, after the reload that has not ended: that one may have read the files of before.
    ///
    /// # Errors
    /// [`ReloadError`], but never [`Busy`](ReloadError::Busy); the old model stays.
    pub async fn reload_in_turn(&self) -> Result<bool, ReloadError> {
        let _turn = self.reloading.lock().await;
        self.reload_here().await
    }

    async fn reload_here(&self) -> Result<bool, ReloadError> {
        let load = Arc::clone(&self.load);
        let model = tokio::task::spawn_blocking(move || load()).await?.map_err(ReloadError::Skills)?;
        let changed = model.version() != self.current().model.version();
        if changed {
            tracing::info!(version = model.version(), "another model is in use");
            *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(model.into());
        }
        Ok(changed)
    }
}

#[cfg(test)]
pub(in crate::voice) mod tests {
    use super::*;
    use crate::nlu::{TrainOptions, TrainingData};
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// A model that knows one intent.
    pub(in crate::voice) fn model(intent: &str) -> Model {
        let yaml = format!(
            "version: \"3.1\"\nnlu:\n- intent: {intent}\n  examples: |\n    - hello\n    - hi there\n"
        );
        let data = TrainingData::parse_yaml("test.yml", &yaml).unwrap();
        Model::train(&data, &TrainOptions::default(), &mut |_| ()).unwrap()
    }

    #[tokio::test]
    async fn a_reload_replaces_the_model_only_when_the_skills_are_others_and_right() {
        let calls = AtomicUsize::new(0);
        let models = Arc::new(Models::new(
            model("first"),
            Arc::new(move || match calls.fetch_add(1, Ordering::Relaxed) {
                0 => Ok(model("first")),
                1 => Err("a.yml:3: is broken".to_owned()),
                _ => Ok(model("second")),
            }),
        ));
        let in_use = || models.current().model.intents()[0].name.clone();
        let before = models.current();

        assert!(!models.reload().await.unwrap());
        assert_eq!(models.reload().await.unwrap_err().to_string(), "a.yml:3: is broken");
        assert_eq!(in_use(), "first");
        assert!(models.reload().await.unwrap());
        assert_eq!(in_use(), "second");
        assert_eq!(before.model.intents()[0].name, "first", "who holds the old model keeps it");
    }
}
