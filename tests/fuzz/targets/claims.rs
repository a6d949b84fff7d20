//! Fuzz target for token payloads.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| modeler_auth_fuzz::claims(data));
