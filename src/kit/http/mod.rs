//! HTTP as every role serves it: the edge that a request passes first, the extractors that turn
//! hostile bytes into types or a problem document, and the server itself.

pub mod context;
pub mod edge;
pub mod extract;
pub mod observe;
pub mod page;
pub mod prefer;
pub mod server;
