//! The one place that knows whether there are threads.

/// Items that a thread takes at once, so that its state is made seldom.
#[cfg(feature = "parallel")]
const MIN_ITEMS: usize = 8;

/// Maps `items` in parallel, each thread with a state of its own, and returns the results in the order of the items.
#[cfg(feature = "parallel")]
pub(super) fn map_init<S, R: Send>(
    items: std::ops::Range<usize>,
    init: impl Fn() -> S + Sync + Send,
    map: impl Fn(&mut S, usize) -> R + Sync + Send,
) -> Vec<R> {
    use rayon::prelude::*;
    items.into_par_iter().with_min_len(MIN_ITEMS).map_init(init, map).collect()
}

/// Maps `items` one after the other.
#[cfg(not(feature = "parallel"))]
pub(super) fn map_init<S, R: Send>(
    items: std::ops::Range<usize>,
    init: impl Fn() -> S + Sync + Send,
    map: impl Fn(&mut S, usize) -> R + Sync + Send,
) -> Vec<R> {
    let mut state = init();
    items.map(|item| map(&mut state, item)).collect()
}

/// Maps `items`, each of which is much work, in parallel, and returns the results in their order.
#[cfg(feature = "parallel")]
pub(super) fn map_each<R: Send>(items: std::ops::Range<usize>, map: impl Fn(usize) -> R + Sync + Send) -> Vec<R> {
    use rayon::prelude::*;
    items.into_par_iter().map(map).collect()
}

/// Maps `items` one after the other.
#[cfg(not(feature = "parallel"))]
pub(super) fn map_each<R: Send>(items: std::ops::Range<usize>, map: impl Fn(usize) -> R + Sync + Send) -> Vec<R> {
    items.map(map).collect()
}

/// Folds `items` in parallel into one value: every thread begins with `init` and takes items by `fold`; what they have is
/// put together by `merge`, in the order of the items.
#[cfg(feature = "parallel")]
pub(super) fn fold<T: Send>(
    items: std::ops::Range<usize>,
    init: impl Fn() -> T + Sync + Send,
    fold: impl Fn(T, usize) -> T + Sync + Send,
    merge: impl Fn(T, T) -> T + Sync + Send,
) -> T {
    use rayon::prelude::*;
    items.into_par_iter().fold(&init, fold).reduce(&init, merge)
}

/// Folds `items` one after the other.
#[cfg(not(feature = "parallel"))]
pub(super) fn fold<T: Send>(
    items: std::ops::Range<usize>,
    init: impl Fn() -> T + Sync + Send,
    fold: impl Fn(T, usize) -> T + Sync + Send,
    _merge: impl Fn(T, T) -> T + Sync + Send,
) -> T {
    items.fold(init(), fold)
}

/// Runs `work` with at most `threads` threads (`None`: as many as there are cores).
#[cfg(feature = "parallel")]
pub(super) fn with_threads<R: Send>(threads: Option<std::num::NonZeroUsize>, work: impl FnOnce() -> R + Send) -> R {
    let pool = threads.and_then(|n| rayon::ThreadPoolBuilder::new().num_threads(n.get()).build().ok());
    match pool {
        Some(pool) => pool.install(work),
        None => work(),
    }
}

/// Runs `work` on this thread.
#[cfg(not(feature = "parallel"))]
pub(super) fn with_threads<R: Send>(_threads: Option<std::num::NonZeroUsize>, work: impl FnOnce() -> R + Send) -> R {
    work()
}
