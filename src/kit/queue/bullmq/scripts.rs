//! Voicera's own scripts, beside BullMQ's. Each keeps to the keys of one queue.

use std::sync::LazyLock;

use deadpool_redis::redis::Script;

macro_rules! scripts {
    ($($(#[$doc:meta])* $name:ident = $file:literal;)*) => {
        $(
            $(#[$doc])*
            pub(super) static $name: LazyLock<Script> =
                LazyLock::new(|| Script::new(include_str!(concat!("lua/", $file))));
        )*
    };
}

scripts! {
    /// Adds jobs, or says whether they may be added.
    ACCEPT = "accept.lua";
    /// Renews locks.
    BEAT = "beat.lua";
    /// How full is it?
    DEPTH = "depth.lua";
    /// How do these jobs stand?
    LOOK = "look.lua";
    /// How an attempt ended.
    NOTE = "note.lua";
    /// Takes back what dead workers had.
    SWEEP = "sweep.lua";
    /// Takes jobs that are gone out of the indexes.
    TIDY = "tidy.lua";
    /// A dead job's handler knows.
    TOLD = "told.lua";
}
