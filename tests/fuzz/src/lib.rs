//! The oracles, for the fuzz targets. The unit tests of `src/fuzzing.rs` include them, too.

use modeler_auth::fuzzing as readers;

#[path = "../oracles/mod.rs"]
mod oracles;

pub use oracles::{claims, discovery, forged, header, json, jws, key_set};
