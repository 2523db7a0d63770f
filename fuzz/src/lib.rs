//! Fuzz targets: any bytes, and what must hold for them.
//!
//! A target is one function over bytes that panics where a promise is broken. The driver `drive` calls it with mutated
//! seeds on stable Rust, the shells in `fuzz_targets` hand it to libFuzzer. Targets never look at how they are called.

#![deny(missing_docs)]

pub mod campaign;
mod catalog;
mod decompress;
mod export;
mod header;
mod mutate;
pub mod mutation_score;
mod page;
mod record;
mod verify;
mod verify_full;

/// One function under test, and what is needed to feed it.
#[derive(Clone, Copy)]
pub struct Target {
    /// Its name on the command line.
    pub name: &'static str,
    /// Calls the code under test with any bytes; panics if a promise is broken.
    pub run: fn(&[u8]),
    /// Inputs to start from. The same at each call.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Makes the checksums in an input right, so that what lies behind them is reached.
    pub seal: fn(&mut [u8]),
}

/// The two header copies, the kind of a file, the header checks.
pub const HEADER: Target = Target { name: "header", run: header::run, seeds: header::seeds, seal: header::seal };
/// Views, checks and checksums of one page, at each page size.
pub const PAGE: Target = Target { name: "page", run: page::run, seeds: page::seeds, seal: page::seal };
/// The verifier over a whole file, at each level.
pub const VERIFY: Target = Target { name: "verify", run: verify::run, seeds: verify::seeds, seal: verify::seal };

/// The whole check of a database, with catalog, trees, rows and indexes.
pub const VERIFY_FULL: Target =
    Target { name: "verify_full", run: verify_full::run, seeds: verify_full::seeds, seal: verify::seal };

/// One record, and its values by every type.
pub const RECORD: Target = Target { name: "record", run: record::run, seeds: record::seeds, seal: record::seal };
/// One compressed value.
pub const DECOMPRESS: Target =
    Target { name: "decompress", run: decompress::run, seeds: decompress::seeds, seal: decompress::seal };
/// Tables, columns and indexes of a whole file.
pub const CATALOG: Target =
    Target { name: "catalog", run: catalog::run, seeds: verify_full::seeds, seal: verify::seal };
/// Every value of every row of a whole file.
pub const EXPORT: Target = Target { name: "export", run: export::run, seeds: verify_full::seeds, seal: verify::seal };

/// All targets.
pub const TARGETS: &[Target] = &[HEADER, PAGE, VERIFY, VERIFY_FULL, RECORD, DECOMPRESS, CATALOG, EXPORT];

impl Target {
    /// Runs the target twice: for a fuzzer that knows nothing of checksums and would stay in front of them.
    pub fn run_as_is_and_sealed(&self, bytes: &[u8]) {
        (self.run)(bytes);
        let mut sealed = bytes.to_vec();
        (self.seal)(&mut sealed);
        if sealed != bytes {
            (self.run)(&sealed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_seed_passes_its_target_and_every_other() {
        let seeds: Vec<Vec<u8>> = TARGETS.iter().flat_map(|target| (target.seeds)()).collect();
        for target in TARGETS {
            assert!(!(target.seeds)().is_empty(), "{} has no seed", target.name);
            for seed in &seeds {
                target.run_as_is_and_sealed(seed);
            }
        }
    }
}
