//! Chunks of databases that the engine wrote, against the values that its writer had put in.
//!
//! Walks the leaves of the long value trees with a few lines of its own: reading them properly is the business of
//! other modules. Skips where the files are absent.

use std::{
    collections::{BTreeMap, HashSet},
    fs,
    io::Read,
    path::PathBuf,
};

use flate2::read::GzDecoder;

use super::{DecompressError, Scheme, decompress, decompressed_size};

struct Database {
    bytes: Vec<u8>,
    page_size: usize,
    /// Size of a whole chunk.
    chunk_size: usize,
}

/// Key and data of a node.
type Node = (Vec<u8>, Vec<u8>);

fn unpacked(name: &str) -> Option<Vec<u8>> {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/engine/db")).join(name);
    let Ok(packed) = fs::File::open(&path) else {
        eprintln!("skipped: {} is not there", path.display());
        return None;
    };
    let mut bytes = Vec::new();
    GzDecoder::new(packed).read_to_end(&mut bytes).unwrap();
    Some(bytes)
}

/// All values of a database's truth file, as bytes.
fn truth(name: &str) -> Option<HashSet<Vec<u8>>> {
    let text = String::from_utf8(unpacked(&format!("{name}.truth.jsonl.gz"))?).unwrap();
    let bytes = |digits: &str| {
        let pairs = digits.as_bytes().chunks(2);
        pairs.map(|two| u8::from_str_radix(str::from_utf8(two).ok()?, 16).ok()).collect::<Option<Vec<u8>>>()
    };
    Some(text.split('"').filter_map(bytes).collect())
}

impl Database {
    fn open(name: &str, page_size: usize, chunk_size: usize) -> Option<Database> {
        Some(Database { bytes: unpacked(&format!("{name}.edb.gz"))?, page_size, chunk_size })
    }

    fn page(&self, pgno: usize) -> &[u8] {
        &self.bytes[(pgno + 1) * self.page_size..][..self.page_size]
    }

    fn is_large(&self) -> bool {
        self.page_size > 8192
    }

    fn u16(page: &[u8], at: usize) -> usize {
        usize::from(u16::from_le_bytes([page[at], page[at + 1]]))
    }

    /// The bytes of a tag and the flags of its node.
    fn tag<'a>(&self, page: &'a [u8], tag: usize) -> (&'a [u8], usize) {
        let at = self.page_size - 4 * (tag + 1);
        let (size, place) = (Self::u16(page, at), Self::u16(page, at + 2));
        if self.is_large() {
            let bytes = &page[80 + (place & 0x7FFF)..][..size & 0x7FFF];
            (bytes, if bytes.len() < 2 { 0 } else { Self::u16(bytes, 0) >> 13 })
        } else {
            (&page[40 + (place & 0x1FFF)..][..size & 0x1FFF], place >> 13)
        }
    }

    fn node(&self, page: &[u8], tag: usize) -> Node {
        let (bytes, flags) = self.tag(page, tag);
        let (prefix, rest) = if flags & 4 == 4 { (Self::u16(bytes, 0) & 0x1FFF, &bytes[2..]) } else { (0, bytes) };
        let (suffix, rest) = (Self::u16(rest, 0) & 0x1FFF, &rest[2..]);
        let mut key = self.tag(page, 0).0[..prefix].to_vec();
        key.extend(&rest[..suffix]);
        (key, rest[suffix..].to_vec())
    }

    /// The data of one node.
    fn data(&self, pgno: usize, tag: usize) -> Vec<u8> {
        self.node(self.page(pgno), tag).1
    }

    /// All nodes of all long value trees, by tree and key.
    fn long_value_nodes(&self) -> BTreeMap<(u32, Vec<u8>), Vec<u8>> {
        const LEAF_OF_LONG_VALUES: usize = 0x80 | 0x2;
        const SPACE_TREE_OR_EMPTY: usize = 0x20 | 0x8;
        let mut nodes = BTreeMap::new();
        for pgno in 1..self.bytes.len() / self.page_size - 1 {
            let page = self.page(pgno);
            let flags = Self::u16(page, 36);
            if flags & (LEAF_OF_LONG_VALUES | SPACE_TREE_OR_EMPTY) == LEAF_OF_LONG_VALUES {
                let objid = u32::from_le_bytes(page[24..28].try_into().unwrap());
                let tags = Self::u16(page, 34) & 0xFFF;
                for (key, data) in (1..tags).map(|tag| self.node(page, tag)) {
                    assert_eq!(nodes.insert((objid, key), data), None, "page {pgno}");
                }
            }
        }
        nodes
    }

    /// Puts all long values together; returns them and the schemes of their compressed chunks.
    fn long_values(&self) -> (Vec<Vec<u8>>, Vec<Scheme>) {
        let (mut values, mut schemes) = (Vec::<Vec<u8>>::new(), Vec::new());
        let (mut out, mut left) = (Vec::new(), 0);
        for ((_, key), data) in self.long_value_nodes() {
            if matches!(key.len(), 4 | 8) && (key.len() == 8) == (key[0] >= 0x80) {
                assert_eq!(left, 0);
                left = usize::try_from(u32::from_le_bytes(data[4..8].try_into().unwrap())).unwrap();
                values.push(Vec::new());
                continue;
            }
            let expected = left.min(self.chunk_size);
            let chunk = if data.len() < expected {
                let scheme = decompress(&data, expected, &mut out).unwrap();
                assert_eq!(decompressed_size(&data), Some(expected));
                schemes.push(scheme);
                &out
            } else {
                &data
            };
            assert_eq!(chunk.len(), expected);
            left -= chunk.len();
            values.last_mut().unwrap().extend(chunk);
        }
        (values, schemes)
    }
}

fn every_long_value_is_in_the_truth(name: &str, page_size: usize, chunk_size: usize) -> Option<Vec<Scheme>> {
    let (database, truth) = (Database::open(name, page_size, chunk_size)?, truth(name)?);
    let (values, schemes) = database.long_values();
    assert!(!values.is_empty());
    for value in values {
        assert!(truth.contains(&value), "{name}: a value of {} bytes", value.len());
    }
    Some(schemes)
}

#[test]
fn the_long_values_of_databases_are_those_that_were_put_in() {
    let sizes = [
        ("kitchen-4k", 4096, 4014),
        ("kitchen-4k-w10", 4096, 4014),
        ("kitchen-8k", 8192, 8110),
        ("kitchen-16k", 16384, 4050),
        ("kitchen-32k", 32768, 8150),
    ];
    let schemes = sizes.map(|(name, page, chunk)| every_long_value_is_in_the_truth(name, page, chunk));
    if let [Some(a), Some(b), Some(c), Some(d), Some(e)] = schemes {
        let all = [a, b, c, d, e].concat();
        let count = |scheme| all.iter().filter(|found| **found == scheme).count();
        let counts = [Scheme::SevenBitAscii, Scheme::SevenBitUnicode, Scheme::Xpress].map(count);
        assert_eq!(counts, [257, 14, 1022]);
    }
}

#[test]
fn the_chunks_that_the_spec_names_are_found() {
    let Some(database) = Database::open("kitchen-4k", 4096, 4014) else { return };
    let mut out = Vec::new();
    for (pgno, tag, begins, scheme, size) in [
        (56, 2, &b"\x18\x62\x05\xff\xff\xff\x2b\x61\x61\x02"[..], Scheme::Xpress, 1378),
        (531, 2, b"\x0c\x62\xf1\x78", Scheme::SevenBitAscii, 51),
        (509, 3, b"\x11\x61\xb1\x58\x2c\x16\x8b\xc5\xe3\xf1\x78\x3c\x1e\x03", Scheme::SevenBitUnicode, 28),
    ] {
        let data = database.data(pgno, tag);
        assert!(data.starts_with(begins), "page {pgno} tag {tag}");
        assert_eq!(decompress(&data, 4014, &mut out), Ok(scheme));
        assert_eq!(out.len(), size);
        assert!(matches!(decompress(&data, size - 1, &mut out), Err(DecompressError::TooLarge { .. })));
    }
}
