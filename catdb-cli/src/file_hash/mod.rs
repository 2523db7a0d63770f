//! The hashes that stand for a file in a catalog: of all its bytes, and of a PE image without what signing changes.
//!
//! One pass in blocks, whatever the file's size. A header that contradicts itself never ends the work: such a file has
//! its flat hashes, or a remark. Spec 14 section 2.1.

mod pe;

use ese_core::source::{ByteSource, ReadError};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use pe::Layout;
pub(crate) use pe::Remark;

/// Bytes read at once.
const BLOCK: usize = 1024 * 1024;
/// The length of what is hashed is filled up with zeros to a multiple of this.
const ALIGNMENT: u64 = 8;

/// Both digests of the same bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Digests {
    pub(crate) sha1: [u8; 20],
    pub(crate) sha256: [u8; 32],
}

/// All hashes by which a file may be known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct FileHashes {
    /// Of all bytes.
    pub(crate) flat: Digests,
    /// Of a PE image by the Authenticode rule; `None` for any other file.
    pub(crate) authenticode: Option<Digests>,
    /// What is odd about the image.
    pub(crate) remark: Option<Remark>,
}

#[derive(Default)]
struct Hashers {
    sha1: Sha1,
    sha256: Sha256,
}

impl Hashers {
    fn update(&mut self, bytes: &[u8]) {
        self.sha1.update(bytes);
        self.sha256.update(bytes);
    }

    fn finish(self) -> Digests {
        Digests { sha1: self.sha1.finalize().into(), sha256: self.sha256.finalize().into() }
    }
}

/// Hashes all of `source`.
///
/// # Errors
/// [`ReadError`] if a byte cannot be read.
pub(crate) fn hash(source: &dyn ByteSource) -> Result<FileHashes, ReadError> {
    let layout = Layout::read(source)?;
    let mut flat = Hashers::default();
    let mut image = layout.as_ref().map(|_| Hashers::default());
    let mut block = vec![0; BLOCK];
    let mut at = 0;
    while at < source.len() {
        let wanted = usize::try_from(source.len() - at).unwrap_or(BLOCK).min(BLOCK);
        let Some(bytes) = block.get_mut(..wanted) else { break };
        source.read_at(at, bytes)?;
        flat.update(bytes);
        if let (Some(layout), Some(image)) = (&layout, &mut image) {
            hash_kept(layout, at, bytes, image);
        }
        at += wanted as u64;
    }
    if let (Some(layout), Some(image)) = (&layout, &mut image)
        && layout.tail.is_empty()
    {
        pad(layout.end, image);
    }
    let remark = layout.and_then(|layout| layout.remark);
    Ok(FileHashes { flat: flat.finish(), authenticode: image.map(Hashers::finish), remark })
}

/// Hashes those of `bytes`, which lie at `at` in the file, that the rule keeps.
fn hash_kept(layout: &Layout, at: u64, bytes: &[u8], image: &mut Hashers) {
    let until = at + bytes.len() as u64;
    for kept in layout.kept() {
        if kept.start == layout.tail.start && !layout.tail.is_empty() && (at..until).contains(&kept.start) {
            pad(layout.end, image);
        }
        let (from, to) = (kept.start.max(at), kept.end.min(until));
        if from < to
            && let (Ok(from), Ok(to)) = (usize::try_from(from - at), usize::try_from(to - at))
        {
            image.update(bytes.get(from..to).unwrap_or_default());
        }
    }
}

/// The zeros behind `end` bytes.
fn pad(end: u64, image: &mut Hashers) {
    let zeros = end.next_multiple_of(ALIGNMENT) - end;
    image.update([0; 7].get(..usize::try_from(zeros).unwrap_or_default()).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;
    use ese_core::source::{FileSource, MemorySource};
    use proptest::prelude::*;

    fn sha256_of(bytes: &[u8]) -> [u8; 32] {
        Sha256::digest(bytes).into()
    }

    /// A PE32+ image with `body` behind its headers, and a certificate table entry.
    fn image(body: &[u8], certificates: (u32, u32)) -> Vec<u8> {
        let mut bytes = vec![0; 0x40 + 24 + 112 + 128];
        bytes[..2].copy_from_slice(b"MZ");
        bytes[0x3C] = 0x40;
        bytes[0x40..0x44].copy_from_slice(b"PE\0\0");
        let optional = 0x40 + 24;
        bytes[optional..optional + 2].copy_from_slice(&0x20B_u16.to_le_bytes());
        bytes[optional + 108] = 16;
        bytes[optional + 144..optional + 148].copy_from_slice(&certificates.0.to_le_bytes());
        bytes[optional + 148..optional + 152].copy_from_slice(&certificates.1.to_le_bytes());
        bytes.extend_from_slice(body);
        bytes
    }

    /// The bytes of an image that the rule keeps, up to `end`, filled up.
    fn kept(bytes: &[u8], end: usize) -> Vec<u8> {
        let optional = 0x40 + 24;
        let parts = [&bytes[..optional + 64], &bytes[optional + 68..optional + 144], &bytes[optional + 152..end]];
        let mut kept = parts.concat();
        kept.resize(kept.len() + end.next_multiple_of(8) - end, 0);
        kept
    }

    #[test]
    fn the_vectors_of_the_rule_come_out() {
        let Some(shared) = catdb_test_data::corpus::shared() else { return };
        let folder = shared.join("corpus-cat/authenticode");
        let mut vectors = csv::Reader::from_path(folder.join("vectors.csv")).unwrap();
        let mut seen = 0;
        for vector in vectors.records() {
            let vector = vector.unwrap();
            let hashes = hash(&FileSource::open(&folder.join(&vector[0])).unwrap()).unwrap();
            assert_eq!(hashes.authenticode.is_some(), &vector[2] == "authenticode", "{}", &vector[0]);
            let digests = hashes.authenticode.unwrap_or(hashes.flat);
            assert_eq!(
                (hex::encode(digests.sha1), hex::encode(digests.sha256)),
                (vector[3].to_owned(), vector[4].to_owned())
            );
            assert_eq!(hashes.remark, None);
            seen += 1;
        }
        assert_eq!(seen, 6);
    }

    #[test]
    fn a_block_that_ends_inside_what_is_left_out_changes_nothing() {
        // The table begins in one block and ends in the next; what follows it is hashed too.
        let start = u32::try_from(BLOCK - 8).unwrap();
        let header = image(&[], (0, 0)).len();
        let body: Vec<u8> = (0..BLOCK + 1000 - header).map(|i| u8::try_from(i % 251).unwrap()).collect();
        let bytes = image(&body, (start, 508));
        let hashes = hash(&MemorySource(&bytes)).unwrap();
        let mut expected = kept(&bytes, BLOCK - 8);
        expected.extend_from_slice(&bytes[BLOCK + 500..]);
        assert_eq!(hashes.authenticode.unwrap().sha256, sha256_of(&expected));
        assert_eq!(hashes.flat.sha256, sha256_of(&bytes));
        assert_eq!(hashes.remark, Some(Remark::BehindCertificates));
    }

    #[test]
    fn an_impossible_certificate_table_is_hashed_as_data() {
        for (start, size) in [(4, 100), (239, 8), (u32::MAX, 8), (100_000, u32::MAX)] {
            let bytes = image(b"body", (start, size));
            let hashes = hash(&MemorySource(&bytes)).unwrap();
            assert_eq!(hashes.authenticode.unwrap().sha256, sha256_of(&kept(&bytes, bytes.len())));
            assert_eq!(hashes.remark, Some(Remark::CertificatesElsewhere), "{start}, {size}");
        }
    }

    #[test]
    fn a_certificate_table_ends_with_the_file() {
        let bytes = image(b"12345678table", (0x168 - 24, u32::MAX));
        let start = 0x168 - 24;
        assert!(start < bytes.len());
        let hashes = hash(&MemorySource(&bytes)).unwrap();
        assert_eq!(hashes.authenticode.unwrap().sha256, sha256_of(&kept(&bytes, start)));
        assert_eq!(hashes.remark, Some(Remark::CertificatesCut));
    }

    #[test]
    fn headers_that_are_not_whole_make_no_image() {
        let whole = image(b"body", (0, 0));
        assert!(hash(&MemorySource(&whole)).unwrap().authenticode.is_some());
        for end in [0, 1, 2, 0x3F, 0x43, 0x40 + 24, 0x40 + 24 + 64, 0x40 + 24 + 111, 0x40 + 24 + 150] {
            let hashes = hash(&MemorySource(&whole[..end])).unwrap();
            assert_eq!(hashes.authenticode, None, "{end}");
            assert_eq!(hashes.flat.sha256, sha256_of(&whole[..end]));
        }
        for (at, byte) in [(0, b'N'), (0x3F, 0xFF), (0x42, 1), (0x58, 7)] {
            let mut other = whole.clone();
            other[at] = byte;
            assert_eq!(hash(&MemorySource(&other)).unwrap().authenticode, None, "byte {at}");
        }
    }

    #[test]
    fn without_a_data_directory_only_the_checksum_is_left_out() {
        let mut bytes = image(b"body1234", (0x100, 8));
        bytes[0x40 + 24 + 108] = 4;
        let optional = 0x40 + 24;
        let mut expected = [&bytes[..optional + 64], &bytes[optional + 68..]].concat();
        expected.resize(expected.len() + bytes.len().next_multiple_of(8) - bytes.len(), 0);
        assert_eq!(hash(&MemorySource(&bytes)).unwrap().authenticode.unwrap().sha256, sha256_of(&expected));
    }

    proptest! {
        #[test]
        fn any_bytes_have_hashes(
            mut bytes in prop::collection::vec(any::<u8>(), 0..600), start: u32, size: u32, damage: Option<(u16, u8)>,
        ) {
            let mut whole = image(&bytes, (start % 1200, size % 1200));
            if let Some((at, byte)) = damage {
                let at = usize::from(at) % whole.len();
                whole[at] = byte;
            }
            prop_assert_eq!(hash(&MemorySource(&whole)).unwrap().flat.sha256, sha256_of(&whole));
            bytes.splice(0..0, *b"MZ");
            prop_assert_eq!(hash(&MemorySource(&bytes)).unwrap().flat.sha256, sha256_of(&bytes));
        }
    }
}
