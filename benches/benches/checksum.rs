//! Judging the checksums of a buffer of pages against plainly reading the same buffer, one core, memory-bound.
//!
//! Both do the same passes in turn over a buffer eight times as large as common last-level caches; what counts is the
//! median of the ratios of neighbouring passes, because single passes scatter. 1.0 means that a checksum costs nothing
//! beyond fetching the page.

#![allow(clippy::expect_used)] // a benchmark that cannot be set up must stop

use std::hint::black_box;
use std::time::{Duration, Instant};

use ese_core::checksum::{self, PageSum};
use ese_core::format::{FLAG_ECC, OFFSET_FLAGS, PageSize, Pgno};

/// What the ratio should be at least.
const TARGET: f64 = 0.9;

/// How much is measured.
struct Effort {
    /// Far more than a last-level cache holds: whatever is read was last touched a whole buffer ago.
    buffer_bytes: usize,
    /// What is timed at once: the two kinds of work take turns part by part, so both meet the same noise.
    part_bytes: usize,
    passes: usize,
}

fn main() {
    // `cargo bench` says `--bench`; `cargo test --benches` does not, and `--test` asks for a trial run.
    let args: Vec<String> = std::env::args().collect();
    let measure = args.iter().any(|arg| arg == "--bench") && !args.iter().any(|arg| arg == "--test");
    let effort = if measure {
        Effort { buffer_bytes: 256 << 20, part_bytes: 4 << 20, passes: 40 }
    } else {
        Effort { buffer_bytes: 1 << 20, part_bytes: 1 << 18, passes: 2 }
    };
    for size in [PageSize::K4, PageSize::K32] {
        run(size, &effort);
    }
}

/// Measures one page size and prints a line.
fn run(size: PageSize, effort: &Effort) {
    let mut memory = vec![0; effort.buffer_bytes + 4096];
    let start = memory.as_ptr().align_offset(4096);
    let buffer = &mut memory[start..][..effort.buffer_bytes];
    fill(size, buffer);
    let buffer = &*buffer;
    let (mut reads, mut verifies) = (Vec::new(), Vec::new());
    for pass in 0..effort.passes {
        for (turn, part) in buffer.chunks_exact(effort.part_bytes).enumerate() {
            let first_page = turn * effort.part_bytes / size.bytes();
            if (turn + pass) % 2 == 0 {
                reads.push(timed(|| read(part)));
            } else {
                verifies.push(timed(|| verify(size, part, first_page)));
            }
        }
    }
    let (read, verify) = (speed(effort.part_bytes, median(reads)), speed(effort.part_bytes, median(verifies)));
    println!(
        "checksum/{size}: ratio {:.2} of a plain read (target {TARGET}); verify {verify:.1} GB/s, read {read:.1} GB/s",
        verify / read,
    );
}

/// Initialised pages of pseudo-random content with right checksums, numbered from 1.
fn fill(size: PageSize, buffer: &mut [u8]) {
    let mut state = 1_u64;
    for (page, pgno) in buffer.chunks_exact_mut(size.bytes()).zip(1..) {
        for word in page.as_chunks_mut::<8>().0 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            *word = (state ^ state >> 29).to_le_bytes();
        }
        page[OFFSET_FLAGS..][..4].copy_from_slice(&(0x802 | FLAG_ECC).to_le_bytes());
        checksum::store(page, Pgno(pgno)).expect("the buffer holds whole pages");
    }
}

/// Every page judged, in file order.
fn verify(size: PageSize, part: &[u8], first_page: usize) {
    let first_pgno = u32::try_from(first_page + 1).expect("the buffer holds fewer pages than there are numbers");
    for (page, pgno) in part.chunks_exact(size.bytes()).zip(first_pgno..) {
        assert_eq!(checksum::verify(page, Pgno(pgno)), PageSum::Good, "page {pgno}");
    }
}

/// Every byte read.
fn read(buffer: &[u8]) {
    black_box(xor(black_box(buffer)));
}

/// XOR of all words, by 32 independent sums: enough vectors at once, of any width, that only the memory is waited for.
fn xor(buffer: &[u8]) -> u64 {
    let mut sums = [0; 32];
    for words in buffer.as_chunks::<8>().0.as_chunks::<32>().0 {
        for (sum, word) in sums.iter_mut().zip(words) {
            *sum ^= u64::from_le_bytes(*word);
        }
    }
    sums.into_iter().fold(0, |sum, word| sum ^ word)
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

/// In GB/s.
fn speed(bytes: usize, time: Duration) -> f64 {
    u32::try_from(bytes).map_or(f64::NAN, f64::from) / time.as_secs_f64() / 1e9
}

fn median(mut values: Vec<Duration>) -> Duration {
    values.sort();
    values[values.len() / 2]
}
