//! Fuzz target for tokens assembled from genuine parts.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| modeler_auth_fuzz::forged(data));
