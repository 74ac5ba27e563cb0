//! Finds training data, and gets a model from it: the one of the last start if the data is the
//! same, otherwise a new one.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::nlu::{ENGINE, Model, Progress, Stage, TrainOptions, TrainingData};
use crate::roles::RoleError;
use crate::roles::data_folder::{DataFolder, write_private};
use crate::roles::host::{Announcement, Announcer, Host};
use crate::voice::models::LoadModel;

/// The packs that come with the binary.
const BUILT_IN: &[(&str, &str)] = &[
    ("education.ar.yml", include_str!("../../config/skills/education.ar.yml")),
    ("education.de.yml", include_str!("../../config/skills/education.de.yml")),
    ("education.en.yml", include_str!("../../config/skills/education.en.yml")),
    ("education.es.yml", include_str!("../../config/skills/education.es.yml")),
    ("education.fr.yml", include_str!("../../config/skills/education.fr.yml")),
    ("education.hi.yml", include_str!("../../config/skills/education.hi.yml")),
    ("education.it.yml", include_str!("../../config/skills/education.it.yml")),
    ("education.ja.yml", include_str!("../../config/skills/education.ja.yml")),
    ("education.ko.yml", include_str!("../../config/skills/education.ko.yml")),
    ("education.pt.yml", include_str!("../../config/skills/education.pt.yml")),
    ("education.ru.yml", include_str!("../../config/skills/education.ru.yml")),
    ("education.ur.yml", include_str!("../../config/skills/education.ur.yml")),
    ("education.zh.yml", include_str!("../../config/skills/education.zh.yml")),
];

/// The file in the data folder that keeps the model of the last start.
const MODEL_FILE: &str = "model.vnlu";

/// The largest file of training data, in bytes.
const LARGEST_FILE: u64 = 64 * 1024 * 1024;

/// How deep folders of training data may be nested.
const DEEPEST: usize = 8;

/// Where the skills are, and where their model is kept.
#[derive(Clone)]
pub(super) struct Skills {
    builtin: bool,
    paths: Vec<PathBuf>,
    kept: PathBuf,
    announcer: Announcer,
}

impl Skills {
    /// The skills that the configuration names.
    pub(super) fn of(host: &Host, folder: &DataFolder) -> Self {
        let voice = &host.config().voice;
        Self {
            builtin: voice.builtin_skills,
            paths: voice.skills.clone(),
            kept: folder.file(MODEL_FILE),
            announcer: Arc::clone(host.announcer()),
        }
    }

    /// The model of the skills as they are now.
    pub(super) async fn load(&self) -> Result<Model, RoleError> {
        let skills = self.clone();
        let loaded = tokio::task::spawn_blocking(move || skills.load_here()).await;
        loaded.map_err(|error| error.to_string()).and_then(|model| model).map_err(RoleError::Skills)
    }

    /// The same, for whoever wants to load again later.
    pub(super) fn into_loader(self) -> LoadModel {
        Arc::new(move || self.load_here())
    }

    fn load_here(&self) -> Result<Model, String> {
        let data = read(self.builtin, &self.paths)?;
        let key = cache_key(&data);
        let model = match kept(&self.kept, &key) {
            Some(model) => model,
            None => self.train(&data, &key)?,
        };
        tracing::info!(version = model.version(), intents = model.intents().len(), languages = ?model.languages(), "model ready");
        Ok(model)
    }

    fn train(&self, data: &TrainingData, key: &[u8; 32]) -> Result<Model, String> {
        let mut show = |progress: Progress| {
            let what = match progress.stage {
                Stage::Features => "training: reading sentences",
                Stage::Calibration => "training: calibrating",
                Stage::Intents => "training: intents",
                Stage::Entities => "training: entities",
            };
            (self.announcer)(Announcement::Step { what, done: progress.done, total: progress.total });
        };
        let model =
            Model::train(data, &TrainOptions::default(), &mut show).map_err(|error| error.to_string())?;
        let mut bytes = key.to_vec();
        bytes.extend(model.to_bytes());
        if let Err(error) = write_private(&self.kept, &bytes) {
            tracing::warn!(%error, "the trained model cannot be kept: the next start trains again");
        }
        Ok(model)
    }
}

/// All training data, or every problem in it.
fn read(builtin: bool, paths: &[PathBuf]) -> Result<TrainingData, String> {
    let mut data = TrainingData::default();
    let mut problems = Vec::new();
    let mut add =
        |source: &str, text: &str, problems: &mut Vec<String>| match TrainingData::parse_yaml(source, text) {
            Ok(pack) => data.merge(pack),
            Err(error) => problems.push(error.to_string()),
        };
    if builtin {
        for (name, text) in BUILT_IN {
            add(name, text, &mut problems);
        }
    }
    for path in paths {
        let mut files = Vec::new();
        find(path, DEEPEST, &mut files, &mut problems);
        if files.is_empty() && problems.is_empty() {
            problems.push(format!("{}: holds no .yml or .yaml file", path.display()));
        }
        files.sort();
        for file in files {
            match read_file(&file) {
                Ok(text) => add(&file.display().to_string(), &text, &mut problems),
                Err(reason) => problems.push(format!("{}: {reason}", file.display())),
            }
        }
    }
    if problems.is_empty() { Ok(data) } else { Err(problems.join("\n")) }
}

fn find(path: &Path, depth: usize, files: &mut Vec<PathBuf>, problems: &mut Vec<String>) {
    let mut problem = |error: &dyn std::fmt::Display| problems.push(format!("{}: {error}", path.display()));
    match fs::metadata(path) {
        Err(error) => problem(&error),
        Ok(found) if found.is_file() => files.push(path.to_owned()),
        Ok(_) if depth == 0 => problem(&"folders are nested too deeply"),
        Ok(_) => match fs::read_dir(path) {
            Err(error) => problem(&error),
            Ok(entries) => {
                for entry in entries.flatten().map(|entry| entry.path()) {
                    let is_yaml = entry.extension().is_some_and(|end| end == "yml" || end == "yaml");
                    if entry.is_dir() || is_yaml {
                        find(&entry, depth - 1, files, problems);
                    }
                }
            }
        },
    }
}

fn read_file(file: &Path) -> Result<String, String> {
    let size = fs::metadata(file).map_err(|error| error.to_string())?.len();
    if size > LARGEST_FILE {
        return Err(format!("is larger than {} MiB", LARGEST_FILE >> 20));
    }
    fs::read_to_string(file).map_err(|error| error.to_string())
}

/// A model is good for the same data and the same engine.
fn cache_key(data: &TrainingData) -> [u8; 32] {
    let binary = env!("CARGO_PKG_VERSION");
    Sha256::new_with_prefix(data.fingerprint())
        .chain_update(binary)
        .chain_update(ENGINE.to_le_bytes())
        .finalize()
        .into()
}

fn kept(file: &Path, key: &[u8; 32]) -> Option<Model> {
    let bytes = fs::read(file).ok()?;
    let model = bytes.strip_prefix(key)?;
    Model::from_bytes(model).inspect_err(|error| tracing::info!(%error, "the kept model is of no use")).ok()
}
