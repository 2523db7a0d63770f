//! Runs a target over its seeds and then over mutations of them, until told to stop or a promise is broken.
//!
//! Which inputs come, and in which order, depends on the seed alone. It never writes files and never prints.

use std::panic::catch_unwind;

use crate::Target;
use crate::mutate::{Rng, mutate};

/// What happens between two inputs.
pub trait Observer {
    /// The input that comes next, counted from 0; false to stop before it.
    fn next(&mut self, number: u64, input: &[u8]) -> bool;
}

/// An input that breaks a promise of its target.
#[derive(Debug, PartialEq, Eq)]
pub struct Failure {
    /// Which input it was, counted from 0.
    pub number: u64,
    /// The input.
    pub input: Vec<u8>,
}

/// Runs `target` over all its seeds, then over mutations of them without end; gives the number of inputs once
/// `observer` stops it.
///
/// Half of the mutated inputs are sealed: a damaged page that nobody's checksum guards is one that is looked into.
///
/// # Errors
/// The first input over which the target panics. The panic itself has gone to the panic hook.
pub fn run(target: Target, seed: u64, observer: &mut dyn Observer) -> Result<u64, Failure> {
    let seeds = (target.seeds)();
    let mut number = 0;
    for input in seeds.iter().cloned().chain(mutants(target, &seeds, seed)) {
        if !observer.next(number, &input) {
            break;
        }
        if catch_unwind(|| (target.run)(&input)).is_err() {
            return Err(Failure { number, input });
        }
        number += 1;
    }
    Ok(number)
}

fn mutants(target: Target, seeds: &[Vec<u8>], seed: u64) -> impl Iterator<Item = Vec<u8>> {
    let mut rng = Rng::new(seed);
    std::iter::from_fn(move || {
        let mut input = seeds.get(rng.below(seeds.len()))?.clone();
        let donor = seeds.get(rng.below(seeds.len()))?;
        mutate(&mut input, &mut rng, donor);
        if rng.coin() {
            (target.seal)(&mut input);
        }
        Some(input)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stops after so many inputs and keeps their lengths.
    struct Count(u64, Vec<usize>);

    impl Observer for Count {
        fn next(&mut self, number: u64, input: &[u8]) -> bool {
            self.1.push(input.len());
            number < self.0
        }
    }

    const FAILS_BEHIND_ITS_SEED: Target = Target {
        name: "fails",
        run: |bytes| assert_eq!(bytes[..4], [0; 4]),
        seeds: || vec![vec![0; 64]],
        seal: |_| {},
    };

    #[test]
    fn a_broken_promise_ends_the_run_with_the_input_that_broke_it() {
        let failure = run(FAILS_BEHIND_ITS_SEED, 1, &mut Count(1_000_000, vec![])).unwrap_err();
        assert!(failure.number > 0, "the seed itself is sound");
        assert!(catch_unwind(|| (FAILS_BEHIND_ITS_SEED.run)(&failure.input)).is_err());
        assert_eq!(run(FAILS_BEHIND_ITS_SEED, 1, &mut Count(1_000_000, vec![])), Err(failure));
    }

    #[test]
    fn a_run_ends_when_the_observer_says_so_and_is_the_same_again() {
        let sound = Target { run: |_| {}, ..FAILS_BEHIND_ITS_SEED };
        let [mut a, mut b, mut other] = [(); 3].map(|()| Count(500, vec![]));
        assert_eq!(
            (run(sound, 3, &mut a), run(sound, 3, &mut b), run(sound, 4, &mut other)),
            (Ok(500), Ok(500), Ok(500))
        );
        assert_eq!(a.1, b.1);
        assert_ne!(a.1, other.1);
    }
}
