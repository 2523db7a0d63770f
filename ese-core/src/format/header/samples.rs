//! Headers made for tests.

use super::super::plain_sum;
use super::{MAGIC, VERSION};
use crate::format::PageSize;

/// A header slot with a magic, a version, a page size and a valid checksum; otherwise zero.
pub(in crate::format) fn sound_slot(size: PageSize) -> Vec<u8> {
    let mut slot = vec![0; size.bytes()];
    put(&mut slot, 4, MAGIC);
    put(&mut slot, 8, VERSION);
    put(&mut slot, 52, 3);
    put(&mut slot, 236, u32::try_from(size.bytes()).unwrap());
    seal(&mut slot);
    slot
}

/// Writes a number.
pub(in crate::format) fn put(slot: &mut [u8], offset: usize, value: u32) {
    slot[offset..offset + 4].copy_from_slice(&value.to_le_bytes());
}

/// Makes the checksum valid.
pub(in crate::format) fn seal(slot: &mut [u8]) {
    let sum = plain_sum(slot);
    put(slot, 0, sum);
}
