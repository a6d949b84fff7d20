//! Fuzz target for `Authorization` headers.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| modeler_auth_fuzz::header(data));
