//! Fuzz target for key sets.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| modeler_auth_fuzz::key_set(data));
