//! What the rooms do together.

mod sessions;
mod tokens;
