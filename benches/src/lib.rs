//! What the benchmarks of whole files share: programs that are run and measured, and figures made of several rounds.

use std::error::Error;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use ese_core::source::FileSource;
use ese_core::verify::{Level, Report, Verdict, Verifier};

/// What a step of a benchmark gives.
pub type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// The program by which all readers are measured.
#[must_use]
pub fn cat(path: &Path) -> Command {
    let mut command = Command::new("cat");
    command.arg(path).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Runs `command` to its end.
///
/// # Errors
/// If it cannot be started, or fails.
pub fn succeed(command: &mut Command) -> Outcome {
    let status = command.status()?;
    if status.success() { Ok(()) } else { Err(format!("{command:?}: {status}").into()) }
}

/// The one in the middle.
///
/// # Panics
/// If there is none.
#[must_use]
pub fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// Verifies the file at `path`, which has to be sound, with `threads` threads (0: as many as there are cores).
///
/// # Errors
/// If it cannot be read, or is not intact.
pub fn verify(path: &Path, level: Level, threads: usize) -> Outcome<Report> {
    let source = FileSource::open(path)?;
    let report = Verifier::new(&source).level(level).threads(threads.try_into().ok()).run()?;
    match report.verdict() {
        Verdict::Intact => Ok(report),
        _ => Err(format!("expected an intact file, found {:?}", report.findings().first()).into()),
    }
}

/// The most memory that a run of `command` held at once, in KiB; `None` where there is no `/proc`.
///
/// # Errors
/// If it cannot be run, or fails.
pub fn peak_memory(command: &mut Command) -> Outcome<Option<f64>> {
    let mut child = command.spawn()?;
    let status = format!("/proc/{}/status", child.id());
    let mut peak = None;
    let ended = loop {
        if let Some(ended) = child.try_wait()? {
            break ended;
        }
        // The kernel keeps the maximum, so only what the very last moments add is missed.
        peak = std::fs::read_to_string(&status).ok().as_deref().and_then(high_water_mark).or(peak);
        std::thread::sleep(Duration::from_millis(1));
    };
    if ended.success() { Ok(peak) } else { Err(format!("{command:?}: {ended}").into()) }
}

fn high_water_mark(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}
