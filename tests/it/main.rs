//! What a user of the crate can see of it, in one program, so that it is linked once. Tests that
//! count for a whole process stand beside it.

#[path = "../support/mod.rs"]
mod support;
#[path = "../support/tls.rs"]
mod tls;

mod configuration;
mod end_to_end;
mod faults;
mod fetching;
mod grpc;
mod keeping;
mod layer;
mod mapping;
mod tokens;
mod transport;
