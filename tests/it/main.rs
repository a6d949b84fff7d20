//! Tests of the public API in one program, so that it is linked once. Tests that measure a whole
//! process are in separate files beside this folder.

#[path = "../support/challenge.rs"]
mod challenge;
#[path = "../support/log.rs"]
mod log;
#[path = "../support/mod.rs"]
mod support;
#[path = "../support/tls.rs"]
mod tls;

mod authorization;
mod axum_extractors;
mod axum_traps;
mod claim_rules;
mod configuration;
mod end_to_end;
mod faults;
mod fetching;
mod grants;
mod grpc;
mod info;
mod inspection;
mod keeping;
mod layer;
mod mapping;
mod openapi;
mod other_layers;
mod problems;
mod providers;
mod rejection_errors;
mod required_claims;
mod resource_challenges;
mod resource_metadata;
mod step_up;
mod test_server;
mod token_age;
mod tokens;
mod transport;
mod troubleshooting;
