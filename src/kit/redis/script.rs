//! What has to happen at once on the server, in its language.

use deadpool_redis::redis;

/// A Lua script, sent by the name that its text gives it; the text goes along where the server does
/// not know it yet.
///
/// It gets every key that it touches as a key, all of one slot: [`Redis::key`](super::Redis::key)
/// makes such keys.
#[derive(Debug, Clone)]
pub struct Script {
    pub(super) source: &'static str,
    pub(super) sha1: String,
}

impl Script {
    /// The script with this text.
    pub fn new(source: &'static str) -> Self {
        Self { source, sha1: redis::Script::new(source).get_hash().to_owned() }
    }
}
