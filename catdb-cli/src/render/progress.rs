//! A progress bar on standard error, for runs that take long and people who watch.

use std::borrow::Cow;
use std::io::IsTerminal;
use std::path::Path;
use std::time::{Duration, Instant};

use ese_core::verify::{Phase, Progress};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::shown;
use crate::interrupt::Interrupt;

/// A run that ends sooner shows no bar.
const PATIENCE: Duration = Duration::from_millis(500);
const TEMPLATE: &str = "{prefix}: {msg} [{bar:30}] {percent}%, {bytes_per_sec}, {eta} left";

/// Shows the progress of one run, and passes Ctrl-C on to it.
pub(crate) struct Bar<'a> {
    bar: ProgressBar,
    started: Instant,
    interrupt: &'a Interrupt,
    wanted: bool,
}

impl<'a> Bar<'a> {
    pub(crate) fn new(path: &Path, quiet: bool, interrupt: &'a Interrupt) -> Bar<'a> {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden()).with_prefix(shown(path));
        if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
            bar.set_style(style.progress_chars("=> "));
        }
        Bar { bar, started: Instant::now(), interrupt, wanted: !quiet && std::io::stderr().is_terminal() }
    }

    /// A part of the run begins: what it does, and its size in bytes.
    pub(crate) fn start(&self, what: impl Into<Cow<'static, str>>, total: u64) {
        self.bar.reset();
        self.bar.set_length(total);
        self.bar.set_message(what);
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for Bar<'_> {
    fn begin(&self, phase: Phase, total: u64) {
        self.start(phase.name(), total);
    }

    fn advance(&self, bytes: u64) {
        self.bar.inc(bytes);
        if self.wanted && self.bar.is_hidden() && self.started.elapsed() > PATIENCE {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    }

    fn cancelled(&self) -> bool {
        self.interrupt.is_set()
    }
}
