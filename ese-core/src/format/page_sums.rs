//! Where a page keeps its checksums (spec 02 sections 2 and 6). How they are computed is in `checksum`.

/// Offset of the first checksum word (XOR), u32; the second word (ECC, or the pgno in the old format) follows.
pub const OFFSET_XOR: usize = 0;
/// Offset of the second checksum word, u32.
pub const OFFSET_ECC: usize = 4;
/// Bytes of both words together.
pub const SUM_BYTES: usize = 8;
/// Offset of the page flags, u32.
pub const OFFSET_FLAGS: usize = 36;
/// Page flag: the checksum is of the ECC format; clear: old XOR.
pub const FLAG_ECC: u32 = 0x2000;
/// Offset of the sums of blocks 1 to 3, [`SUM_BYTES`] each (large pages only).
pub const OFFSET_BLOCK_SUMS: usize = 40;
/// Number of blocks of a large page.
pub const LARGE_BLOCKS: usize = 4;
/// Start value of the old page checksum and of the header's; the magic of every ESE header too.
pub const XOR_SEED: u32 = 0x89AB_CDEF;

/// True if every byte is zero.
#[must_use]
pub fn is_blank(bytes: &[u8]) -> bool {
    // Used pages differ within their first words, so the scan of a whole page is left to blank ones.
    bytes.iter().all(|byte| *byte == 0)
}
