//! Parts that the tests, the benchmarks and the fuzz targets of `modeler-auth` share.
//!
//! - [`heap`]: allocators that count, by thread or by process.
//! - [`poll`]: one poll of a future, without a runtime.
//! - [`recipe`]: requests for the snippets of `docs/recipes.md`.
//! - [`server`]: an HTTP server whose responses a test writes.
//! - [`signer`]: private keys, their JWKs, and tokens with any text in them.

pub mod heap;
pub mod poll;
#[cfg(feature = "server")]
pub mod recipe;
#[cfg(feature = "server")]
pub mod server;
pub mod signer;
