//! Fuzz target for tokens up to their headers.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| modeler_auth_fuzz::jws(data));
