#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| catdb_fuzz::EXPORT.run_as_is_and_sealed(bytes));
