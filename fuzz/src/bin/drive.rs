//! Runs the fuzz targets on stable Rust: seeds, then mutations of them, the same for the same `--seed`.
//!
//! An input that breaks a promise, or is not done with after a while, is kept in `fuzz/artifacts`, and the last line says
//! how to run it again.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use catdb_fuzz::campaign::{self, Observer};
use catdb_fuzz::{TARGETS, Target};
use clap::Parser;

/// An input takes milliseconds; one that takes this long will not end.
const TOO_LONG: Duration = Duration::from_secs(30);

/// Runs fuzz targets over seeds and mutations of them.
#[derive(Parser)]
struct Options {
    /// Targets to run, by the names of `fuzz_targets`; all if none is named
    #[arg(value_name = "TARGET", value_parser = target_named)]
    targets: Vec<Target>,
    /// Seconds for each target; its seeds are run however long they take
    #[arg(long, value_name = "N", default_value_t = 60)]
    seconds: u64,
    /// Number from which all mutations follow
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Run this file, once, and nothing else
    #[arg(long, value_name = "FILE", conflicts_with = "export_seeds")]
    input: Option<PathBuf>,
    /// Write the seeds to fuzz/corpus/TARGET, for libFuzzer to start from, and run nothing
    #[arg(long)]
    export_seeds: bool,
}

fn target_named(name: &str) -> Result<Target, String> {
    TARGETS.iter().copied().find(|target| target.name == name).ok_or_else(|| {
        let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
        format!("expected one of {}", names.join(", "))
    })
}

fn main() -> ExitCode {
    let mut options = Options::parse();
    if options.targets.is_empty() {
        options.targets = TARGETS.to_vec();
    }
    let outcome = options.targets.iter().try_fold(true, |sound, target| Ok(run(&options, *target)? && sound));
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let error: io::Error = error;
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// Does with one target what the options ask for; false if it broke a promise.
fn run(options: &Options, target: Target) -> io::Result<bool> {
    if let Some(path) = &options.input {
        let input = std::fs::read(path)?;
        // A panic says what is wrong, and ends the program with an error.
        (target.run)(&input);
        println!("{}: {} is fine", target.name, path.display());
        return Ok(true);
    }
    if options.export_seeds {
        let seeds = (target.seeds)();
        for seed in &seeds {
            save("corpus", target.name, seed)?;
        }
        println!("{}: {} seeds written", target.name, seeds.len());
        return Ok(true);
    }
    let current = Arc::new(Mutex::new(None));
    watch(target, Arc::clone(&current));
    let until = Instant::now() + Duration::from_secs(options.seconds);
    let seeds = (target.seeds)().len() as u64;
    let mut clock = Clock { current, until, seeds };
    let outcome = campaign::run(target, options.seed, &mut clock);
    clock.set(None);
    match outcome {
        Ok(inputs) => {
            println!(
                "{}: {inputs} inputs, {seeds} of them seeds, nothing found (--seed {})",
                target.name, options.seed
            );
            Ok(true)
        }
        Err(failure) => {
            let what = format!("input {} of --seed {} breaks a promise", failure.number, options.seed);
            keep(target, &failure.input, &what)?;
            Ok(false)
        }
    }
}

/// The input at work and since when.
type Current = Arc<Mutex<Option<(Instant, Vec<u8>)>>>;

/// Ends a run when its time is over, and tells the watchdog what is at work.
struct Clock {
    current: Current,
    until: Instant,
    seeds: u64,
}

impl Clock {
    fn set(&self, input: Option<&[u8]>) {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) =
            input.map(|input| (Instant::now(), input.to_vec()));
    }
}

impl Observer for Clock {
    fn next(&mut self, number: u64, input: &[u8]) -> bool {
        self.set(Some(input));
        number < self.seeds || Instant::now() < self.until
    }
}

/// Ends the program if an input takes too long: a thread that does not end cannot be ended otherwise.
fn watch(target: Target, current: Current) {
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(Duration::from_secs(1));
            let current = current.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((_, input)) = current.as_ref().filter(|(since, _)| since.elapsed() > TOO_LONG) {
                let what = format!("an input takes longer than {} seconds", TOO_LONG.as_secs());
                let code = if keep(target, input, &what).is_ok() { 1 } else { 2 };
                std::process::exit(code);
            }
        }
    });
}

/// Keeps an input that failed, and says how to run it again.
fn keep(target: Target, input: &[u8], what: &str) -> io::Result<()> {
    let path = save("artifacts", target.name, input)?;
    eprintln!("{}: {what}; it is kept. To run it again:", target.name);
    eprintln!("  cargo run -p catdb-fuzz --bin drive -- {} --input {}", target.name, path.display());
    Ok(())
}

/// Writes `input` to `fuzz/FOLDER/TARGET`, under a name that follows from its content.
fn save(folder: &str, target: &str, input: &[u8]) -> io::Result<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join(target);
    std::fs::create_dir_all(&folder)?;
    let mut hasher = DefaultHasher::new();
    input.hash(&mut hasher);
    let path = folder.join(format!("{:016x}", hasher.finish()));
    std::fs::write(&path, input)?;
    Ok(path)
}
