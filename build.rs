//! Build script that tells the unit tests which repository files are present. The published package
//! does not contain it, so its unit tests run without those files.

use std::{env, path::PathBuf};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=VECTORS");
    println!("cargo::rustc-cfg=in_repository");
    // The published test vectors that `src/token/vectors.rs` reads.
    let folder = env::var_os("VECTORS").unwrap_or_else(|| "../shared/vectors".into());
    let folder = PathBuf::from(folder);
    // An absent folder is not watched: Cargo would rebuild the crate every time. One that appears
    // later is seen after `touch build.rs`; one that disappears is seen at once.
    if folder.is_dir() {
        println!("cargo::rerun-if-changed={}", folder.display());
        println!("cargo::rustc-cfg=has_vectors");
    }
}
