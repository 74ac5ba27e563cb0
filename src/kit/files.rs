//! Files that somebody else wrote, read whole and within bounds.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// Why a file was not read.
#[derive(Debug, thiserror::Error)]
pub enum Unread {
    /// It is larger than it may be, in bytes.
    #[error("is larger than {0} bytes")]
    TooLarge(u64),
    /// It is not there, or not to be read.
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
}

/// The bytes of a file, at most `most`. What it says of its size is not relied on: pipes and devices have
/// none.
///
/// # Errors
/// [`Unread`].
pub fn read(file: &Path, most: u64) -> Result<Vec<u8>, Unread> {
    let mut bytes = Vec::new();
    File::open(file)?.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most { Err(Unread::TooLarge(most)) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "12345").unwrap();
        assert_eq!(read(&file, 5).unwrap(), b"12345");
        assert!(matches!(read(&file, 4), Err(Unread::TooLarge(4))));
        assert!(matches!(read(Path::new("/dev/zero"), 1_000), Err(Unread::TooLarge(1_000))));
        assert!(matches!(read(&folder.path().join("none"), 5), Err(Unread::Io(_))));
    }
}
