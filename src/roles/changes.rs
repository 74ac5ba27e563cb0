//! Files that may change while the process runs.

use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Between two looks.
const LOOK: Duration = Duration::from_secs(1);

/// Tells when to read files again: when one has changed, or whoever runs the process says so.
pub(super) struct Changes {
    files: Vec<PathBuf>,
    reload: watch::Receiver<()>,
    stop: CancellationToken,
    seen: Vec<Option<Stamp>>,
}

impl Changes {
    /// Changes of `files` from now on, until `stop`.
    pub(super) async fn of(
        files: Vec<PathBuf>,
        reload: watch::Receiver<()>,
        stop: CancellationToken,
    ) -> Self {
        let seen = look(&files).await;
        Self { files, reload, stop, seen }
    }

    /// Waits for the next one; `None` once stopped.
    pub(super) async fn next(&mut self) -> Option<()> {
        loop {
            tokio::select! {
                () = self.stop.cancelled() => return None,
                Ok(()) = self.reload.changed() => {
                    self.seen = look(&self.files).await;
                    return Some(());
                }
                () = tokio::time::sleep(LOOK) => {}
            }
            let now = look(&self.files).await;
            // One that is not there just now is being replaced.
            if now != self.seen && now.iter().all(Option::is_some) {
                self.seen = now;
                return Some(());
            }
        }
    }
}

/// What is different about a file once it was written or replaced.
#[derive(PartialEq, Eq)]
struct Stamp {
    inode: u64,
    length: u64,
    changed: (i64, i64),
}

async fn look(files: &[PathBuf]) -> Vec<Option<Stamp>> {
    let mut seen = Vec::with_capacity(files.len());
    for file in files {
        seen.push(tokio::fs::metadata(file).await.ok().map(|found| Stamp {
            inode: found.ino(),
            length: found.len(),
            changed: (found.ctime(), found.ctime_nsec()),
        }));
    }
    seen
}
