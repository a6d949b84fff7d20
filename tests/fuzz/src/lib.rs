//! Oracles for the fuzz targets. The unit tests of `src/fuzzing.rs` also include them.

use modeler_auth::fuzzing as readers;

#[path = "../oracles/mod.rs"]
mod oracles;

pub use oracles::{claims, configuration, discovery, forged, header, json, jws, key_set};
