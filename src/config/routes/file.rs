//! Reading the file.

use std::path::Path;

use figment::Figment;
use figment::providers::{Format, Toml};

use super::{DEFAULT_ROUTES, RoutesFile};
use crate::config::error::{ConfigError, ConfigErrors, Origin, Refusal};
use crate::kit::files;

/// The largest file that is read, in bytes.
const LARGEST: u64 = 1 << 20;

impl RoutesFile {
    /// The routes without a file of the operator's.
    ///
    /// # Errors
    /// Never, as a test sees.
    pub fn built_in() -> Result<Self, ConfigErrors> {
        Self::over_base("", &Origin::Default)
    }

    /// Reads `file` over the base.
    ///
    /// # Errors
    /// Everything that is wrong with it; then none of it counts.
    pub fn read(file: &Path) -> Result<Self, ConfigErrors> {
        let origin = Origin::File(file.to_owned());
        let unread = |problem: String| {
            let fix = "name the routes file in gateway.routes, a path from the working directory";
            ConfigErrors::of(&origin.to_string(), origin.clone(), Refusal::new(problem, fix))
        };
        let bytes = files::read(file, LARGEST).map_err(|error| unread(error.to_string()))?;
        let text = String::from_utf8(bytes).map_err(|_| unread("is not UTF-8 text".to_owned()))?;
        Self::over_base(&text, &origin)
    }

    /// `text` over the base.
    pub(super) fn over_base(text: &str, origin: &Origin) -> Result<Self, ConfigErrors> {
        let merged = Figment::from(Toml::string(DEFAULT_ROUTES)).merge(Toml::string(text));
        let file: Self = merged.extract().map_err(|errors| {
            let refused = errors.into_iter().map(|error| {
                let key = error.path.join(".");
                let key = if key.is_empty() { origin.to_string() } else { key };
                let Refusal { problem, fix } = Refusal::from_serde(&error.kind.to_string());
                ConfigError { key, origin: origin.clone(), problem, fix }
            });
            ConfigErrors(refused.collect())
        })?;
        let wrong = file.check();
        if wrong.is_empty() {
            return Ok(file);
        }
        let wrong = wrong.into_iter().map(|(key, Refusal { problem, fix })| ConfigError {
            key,
            origin: origin.clone(),
            problem,
            fix,
        });
        Err(ConfigErrors(wrong.collect()))
    }
}
