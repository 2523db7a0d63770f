//! Ctrl-C: the first asks the work to end, the second ends the program at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Exit code of a program ended by Ctrl-C.
pub(crate) const EXIT_INTERRUPTED: u8 = 130;

/// True once the user has pressed Ctrl-C.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Listens from now on. Where that is impossible, Ctrl-C ends the program as usual.
pub(crate) fn install() -> Interrupt {
    let interrupt = Interrupt::default();
    let flag = interrupt.clone();
    // Without a handler the default one ends the program: nothing is lost, inputs are only read.
    let _ = ctrlc::set_handler(move || {
        if flag.0.swap(true, Ordering::Relaxed) {
            std::process::exit(EXIT_INTERRUPTED.into());
        }
    });
    interrupt
}
