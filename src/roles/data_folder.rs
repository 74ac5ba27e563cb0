//! The folder that holds everything that outlives the process: one process at a time.

use std::fs::{self, File, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

use crate::roles::RoleError;

/// The file in the data folder that holds the first API key.
pub const API_KEY_FILE: &str = "api-key";
/// The file in the data folder that holds what second factors and signing keys are sealed with.
const SEAL_KEY_FILE: &str = "seal-key";

/// A data folder that is this process's alone, as long as this value lives.
#[derive(Debug)]
pub(super) struct DataFolder {
    path: PathBuf,
    _lock: File,
}

impl DataFolder {
    /// Makes the folder if need be, readable by its owner alone, and locks it.
    pub(super) fn open(path: &Path) -> Result<Self, RoleError> {
        let fail = |reason: String, fix: &str| RoleError::DataFolder {
            folder: path.to_owned(),
            reason,
            fix: fix.to_owned(),
        };
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        let rights = "make it writable for the user that runs Voicera, or choose another with --data-dir DIR";
        if path.exists() && !path.is_dir() {
            return Err(fail("it is not a folder".to_owned(), "choose another with --data-dir DIR"));
        }
        builder.create(path).map_err(|error| fail(error.to_string(), rights))?;
        let mut lock = private(File::options().read(true).write(true).create(true).truncate(false))
            .open(path.join("lock"))
            .map_err(|error| fail(error.to_string(), rights))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let _ = lock.read_to_string(&mut holder);
                return Err(fail(
                    format!("another Voicera (process {}) is running on it", holder.trim()),
                    "stop that one first, or choose another folder with --data-dir DIR",
                ));
            }
            Err(TryLockError::Error(error)) => {
                return Err(fail(format!("it cannot be locked: {error}"), rights));
            }
        }
        // For whoever finds it locked; a lock without a number still locks.
        let _ = lock
            .set_len(0)
            .and_then(|()| lock.rewind())
            .and_then(|()| write!(lock, "{}", std::process::id()));
        if let Ok(Some(doubt)) = doubts(path) {
            tracing::warn!(folder = %path.display(), "the data folder {doubt}");
        }
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    /// The path of a file in the folder.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The installation's own secret: the one that is there, or `fresh`, kept from now on.
    pub(super) fn seal_key(&self, fresh: impl FnOnce() -> [u8; 32]) -> Result<Vec<u8>, RoleError> {
        if let Some(secret) = kept_seal_key(&self.path)? {
            return Ok(secret);
        }
        let secret = fresh();
        write_private(&self.file(SEAL_KEY_FILE), &secret)
            .map_err(|error| no_seal_key(&self.path, &format!("cannot be kept: {error}")))?;
        Ok(secret.to_vec())
    }

    /// Keeps the first API key where `voicera say` finds it, readable by its owner alone.
    pub(super) fn keep_api_key(&self, key: &SecretString) -> Result<(), RoleError> {
        write_private(&self.file(API_KEY_FILE), format!("{}\n", key.expose_secret()).as_bytes()).map_err(
            |error| RoleError::DataFolder {
                folder: self.path.clone(),
                reason: format!("the API key cannot be kept: {error}"),
                fix: "make room, and the folder writable for the user that runs Voicera".to_owned(),
            },
        )
    }
}

/// The secret in the data folder `path`, if there is one; for whoever has not locked the folder, too.
pub(super) fn kept_seal_key(path: &Path) -> Result<Option<Vec<u8>>, RoleError> {
    match fs::read(path.join(SEAL_KEY_FILE)) {
        Ok(secret) if secret.len() >= 32 => Ok(Some(secret)),
        Ok(_) => Err(no_seal_key(path, "is damaged")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(no_seal_key(path, &format!("cannot be read: {error}"))),
    }
}

fn no_seal_key(path: &Path, why: &str) -> RoleError {
    RoleError::DataFolder {
        folder: path.to_owned(),
        reason: format!("the file {SEAL_KEY_FILE} {why}"),
        fix: "restore it from a backup: second factors and signing keys are sealed with it".to_owned(),
    }
}

/// Writes a file whole or not at all, readable by its owner alone.
pub(super) fn write_private(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut half = file.as_os_str().to_owned();
    half.push(".half");
    let mut out = private(File::options().write(true).create(true).truncate(true)).open(&half)?;
    out.write_all(bytes)?;
    out.sync_all()?;
    fs::rename(&half, file)?;
    // The name is on disk only when the folder is.
    #[cfg(unix)]
    if let Some(folder) = file.parent() {
        File::open(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })?.sync_all()?;
    }
    Ok(())
}

/// What is wrong with letting this folder hold secrets, if anything. It may be meant, so it is no error.
#[cfg(unix)]
fn doubts(path: &Path) -> std::io::Result<Option<String>> {
    use std::os::unix::fs::MetadataExt as _;
    let folder = fs::metadata(path)?;
    // The lock is open to its owner alone, so it is owned by whoever runs this process.
    let owner = fs::metadata(path.join("lock"))?.uid();
    Ok(if folder.uid() != owner && folder.uid() != 0 {
        Some(format!("belongs to user {}, not to the one that runs Voicera: chown it", folder.uid()))
    } else if folder.mode() & 0o077 != 0 {
        Some(format!("lets others in (mode {:o}): chmod 700 it", folder.mode() & 0o777))
    } else {
        None
    })
}

#[cfg(not(unix))]
fn doubts(_: &Path) -> std::io::Result<Option<String>> {
    Ok(None)
}

fn private(options: &mut fs::OpenOptions) -> &mut fs::OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_belongs_to_one_process_at_a_time() {
        let temporary = tempfile::tempdir().unwrap();
        let path = temporary.path().join("a/b");
        let first = DataFolder::open(&path).unwrap();
        let refused = DataFolder::open(&path).unwrap_err().to_string();
        assert!(refused.contains(&format!("process {}", std::process::id())), "{refused}");
        drop(first);
        DataFolder::open(&path).unwrap();
    }

    #[test]
    fn a_file_is_no_folder() {
        let temporary = tempfile::tempdir().unwrap();
        let path = temporary.path().join("file");
        fs::write(&path, "mine").unwrap();
        let refused = DataFolder::open(&path).unwrap_err().to_string();
        assert!(refused.contains("it is not a folder"), "{refused}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_that_lets_others_in_is_doubted_and_used() {
        use std::os::unix::fs::PermissionsExt as _;
        let temporary = tempfile::tempdir().unwrap();
        let path = temporary.path().join("data");
        drop(DataFolder::open(&path).unwrap());
        assert_eq!(doubts(&path).unwrap(), None);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        drop(DataFolder::open(&path).unwrap());
        assert!(doubts(&path).unwrap().is_some_and(|doubt| doubt.contains("mode 755")));
    }

    #[cfg(unix)]
    #[test]
    fn the_key_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let temporary = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(&temporary.path().join("data")).unwrap();
        folder.keep_api_key(&SecretString::from("vk_x")).unwrap();
        let file = folder.file(API_KEY_FILE);
        assert_eq!(fs::read_to_string(&file).unwrap(), "vk_x\n");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(temporary.path().join("data")).unwrap().permissions().mode() & 0o777, 0o700);
    }
}
