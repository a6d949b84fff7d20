//! Fuzz target for configuration files.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| modeler_auth_fuzz::configuration(data));
