//! The smallest databases that `verify` calls intact, and damages with names.

use ese_core::checksum;
use ese_core::format::{PageSize, Pgno};

use crate::corpus;
use crate::page_builder::PageBuilder;

/// Root, leaf, new record format, ECC.
const ROOT_LEAF: u32 = 0x2803;
/// The same on a space tree.
const ROOT_SPACE: u32 = 0x2823;

/// A clean database of `pages` pages: a root that owns all of them, its two space trees, then leaves of one tree with
/// three nodes each. Enough for page checks; it has no catalog.
///
/// # Panics
/// If `pages` is below 4.
#[must_use]
pub fn tiny(size: PageSize, pages: u32) -> Vec<u8> {
    with_flags(size, pages, 0x2000)
}

/// [`tiny`] with the old XOR checksum on every page (small pages only).
#[must_use]
pub fn tiny_old_format(size: PageSize, pages: u32) -> Vec<u8> {
    with_flags(size, pages, 0)
}

fn with_flags(size: PageSize, pages: u32, ecc: u32) -> Vec<u8> {
    assert!(pages >= 4);
    let flags = |flags: u32| (flags & !0x2000) | ecc;
    let mut space_header = Vec::new();
    for field in [pages, 0, 1, 2] {
        space_header.extend(u32::to_le_bytes(field));
    }
    let header = header(size);
    let mut file = header.clone();
    file.extend(header);
    file.extend(PageBuilder::leaf(size, 1).flags(flags(ROOT_LEAF)).objid(1).tag0(&space_header).build());
    let owned = PageBuilder::leaf(size, 2).flags(flags(ROOT_SPACE)).objid(1).tag0(&[0; 16]);
    file.extend(owned.node(&pages.to_be_bytes(), &pages.to_le_bytes()).build());
    file.extend(PageBuilder::leaf(size, 3).flags(flags(ROOT_SPACE)).objid(1).tag0(&[0; 16]).build());
    for pgno in 4..=pages {
        let mut page = PageBuilder::leaf(size, pgno).flags(flags(0x2802)).tag0(b"common prefix");
        for i in 0..3u32 {
            let key = pgno * 16 + i;
            page = page.compressed_node(7, &key.to_be_bytes(), b"the data of a record");
        }
        file.extend(page.build());
    }
    file
}

/// A header slot: clean shutdown, format 0x620,20, with a right checksum.
///
/// # Panics
/// Never: all offsets lie in the slot.
#[must_use]
pub fn header(size: PageSize) -> Vec<u8> {
    let mut slot = vec![0; size.bytes()];
    let fields: [(usize, u32); 8] = [
        (4, 0x89AB_CDEF),
        (8, 0x620),
        (16, 0x1000),
        (52, 3),
        (212, 7),
        (232, 20),
        (236, u32::try_from(size.bytes()).expect("at most 32768")),
        (667, 1),
    ];
    for (at, value) in fields {
        slot[at..at + 4].copy_from_slice(&value.to_le_bytes());
    }
    seal_header(&mut slot);
    slot
}

/// Makes the checksum of a header slot right again.
///
/// # Panics
/// If `slot` is shorter than a word.
pub fn seal_header(slot: &mut [u8]) {
    let sum = slot[4..]
        .chunks_exact(4)
        .fold(0x89AB_CDEF_u32, |sum, word| sum ^ u32::from_le_bytes(word.try_into().expect("four bytes")));
    slot[..4].copy_from_slice(&sum.to_le_bytes());
}

/// Byte offset of page `pgno`.
#[must_use]
pub fn offset(size: PageSize, pgno: u32) -> usize {
    (usize::try_from(pgno).expect("small") + 1) * size.bytes()
}

/// The bytes of page `pgno`.
#[must_use]
pub fn page(file: &[u8], size: PageSize, pgno: u32) -> &[u8] {
    &file[offset(size, pgno)..][..size.bytes()]
}

/// The bytes of page `pgno`, to be damaged.
#[must_use]
pub fn page_mut(file: &mut [u8], size: PageSize, pgno: u32) -> &mut [u8] {
    &mut file[offset(size, pgno)..][..size.bytes()]
}

/// Changes page `pgno` and makes its checksum right again: structure damage that no checksum shows.
pub fn patch_page(file: &mut [u8], size: PageSize, pgno: u32, change: impl FnOnce(&mut [u8])) {
    let page = page_mut(file, size, pgno);
    change(page);
    checksum::store(page, Pgno(pgno)).expect("a page with a checksum format");
}

/// Damage: flips the bits `bits` (8 * byte + bit) of page `pgno`.
pub fn flip_bits(file: &mut [u8], size: PageSize, pgno: u32, bits: &[usize]) {
    let page = page_mut(file, size, pgno);
    for bit in bits {
        page[bit / 8] ^= 1 << (bit % 8);
    }
}

/// Damage: a run of zeros, as a lost sector leaves it.
pub fn zero(file: &mut [u8], size: PageSize, pgno: u32, at: usize, len: usize) {
    page_mut(file, size, pgno)[at..at + len].fill(0);
}

/// Damage: two pages change places, as after two writes to wrong places.
pub fn swap_pages(file: &mut [u8], size: PageSize, a: u32, b: u32) {
    for i in 0..size.bytes() {
        file.swap(offset(size, a) + i, offset(size, b) + i);
    }
}

/// Damage: page `pgno` is overwritten with something that is no page at all.
pub fn foreign_page(file: &mut [u8], size: PageSize, pgno: u32) {
    let text = b"This is text from another file. ";
    for (i, byte) in page_mut(file, size, pgno).iter_mut().enumerate() {
        *byte = text[i % text.len()];
    }
}

/// Damage: line `line` of page `pgno` (of a small size) lies where `offset`, counted behind the header, says; the
/// checksum is right.
pub fn move_line(file: &mut [u8], size: PageSize, pgno: u32, line: usize, offset: u16) {
    patch_page(file, size, pgno, |page| {
        let at = page.len() - 4 * (line + 1) + 2;
        let flags = u16::from_le_bytes([page[at], page[at + 1]]) & 0xE000;
        page[at..at + 2].copy_from_slice(&(flags | offset).to_le_bytes());
    });
}

/// `catdb-200.edb` with five damages on pages in use: the file `damaged-catdb.edb` of this folder.
#[must_use]
pub fn damaged_catdb() -> Vec<u8> {
    let size = PageSize::K4;
    let mut file = corpus::fixture("catdb-200.edb");
    // The second header copy: a byte of the signature.
    file[size.bytes() + 24] ^= 0xFF;
    // Table of SHA-1 hashes: a bit of a key, a line whose tag points beyond the page, two bits of a name.
    flip_bits(&mut file, size, 34, &[8 * 174 + 2]);
    flip_bits(&mut file, size, 45, &[8 * 1400, 8 * 1417 + 5]);
    move_line(&mut file, size, 47, 9, 4000);
    // Table of SHA-256 hashes: a sector.
    zero(&mut file, size, 69, 1024, 512);
    file
}
