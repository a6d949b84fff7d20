//! Tells the unit tests that the files of the repository stand beside the sources. Not part of the
//! published package, whose unit tests therefore do without them.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-cfg=in_repository");
}
