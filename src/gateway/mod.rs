//! The way in: who answers a request, and who may ask how often.
//!
//! Nobody calls the gateway by contract, so it has no `api`. It sees every module as an
//! [`upstream::Upstream`], in this process or at another address, and treats both alike.

#[cfg(feature = "gateway")]
mod dispatch;
#[cfg(feature = "gateway")]
mod headers;
#[cfg(feature = "gateway")]
pub mod http;
#[cfg(feature = "gateway")]
pub mod limits;
#[cfg(feature = "gateway")]
mod path;
#[cfg(feature = "gateway")]
pub mod pool;
#[cfg(feature = "gateway")]
pub mod table;
#[cfg(feature = "gateway")]
pub mod upstream;

#[cfg(feature = "gateway")]
pub use dispatch::Gateway;
