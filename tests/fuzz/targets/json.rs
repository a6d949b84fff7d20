//! Fuzz target for any JSON.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| modeler_auth_fuzz::json(data));
