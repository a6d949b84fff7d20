//! Fuzz target for discovery documents.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| modeler_auth_fuzz::discovery(data));
