//! Generates the code and the descriptors of `examples/tonic` from `projects.proto`, into the folder
//! that is named.

use std::{env, error::Error, fs, path::PathBuf};

use prost::Message as _;

const PROTO: &str = "projects.proto";
const SOURCE: &str = "examples/tonic";
const NOTE: &str = "// Generated from projects.proto: see tests/interop/generated.\n";

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(env::args_os().nth(1).ok_or("usage: generated FOLDER")?);
    let descriptors = protox::compile([PROTO], [SOURCE])?;
    fs::write(folder.join("projects.bin"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure()
        .out_dir(&folder)
        .compile_fds(descriptors)?;
    let code = fs::read_to_string(folder.join("modeler.v1.rs"))?;
    fs::write(folder.join("generated.rs"), format!("{NOTE}{code}"))?;
    Ok(())
}
