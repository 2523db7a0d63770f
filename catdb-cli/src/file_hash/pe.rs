//! Which bytes of a PE image the Authenticode rule keeps (spec 14 section 2.1).
//!
//! Reads three small pieces of the headers, at offsets that the file claims and that are checked against its length.

use std::ops::Range;

use ese_core::source::{ByteSource, ReadError};

/// `MZ`, and where the offset of `PE\0\0` stands.
const DOS_MAGIC: [u8; 2] = *b"MZ";
const OFFSET_PE: u64 = 0x3C;
const PE_MAGIC: [u8; 4] = *b"PE\0\0";
/// From `PE\0\0` to the optional header.
const OPTIONAL_HEADER: u64 = 24;

/// Offsets in the optional header: `CheckSum` in both formats; then for PE32 and PE32+ the number of data directories,
/// and entry 4 of them, the certificate table.
const OFFSET_CHECK_SUM: u64 = 64;
const CHECK_SUM_BYTES: u64 = 4;
const MAGIC_PE32: u16 = 0x10B;
const MAGIC_PE32_PLUS: u16 = 0x20B;
const OFFSETS_PE32: (u64, u64) = (92, 128);
const OFFSETS_PE32_PLUS: (u64, u64) = (108, 144);
const CERTIFICATE_ENTRY: u32 = 4;
const ENTRY_BYTES: u64 = 8;

/// What is odd about an image.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub(crate) enum Remark {
    /// Windows signs nothing behind it; some programs keep data there.
    #[error("certificate table: expected at the end of the file, found data behind it, which are hashed too")]
    BehindCertificates,
    /// Taken for no table.
    #[error("certificate table: expected behind the headers and inside the file, found elsewhere; all is hashed")]
    CertificatesElsewhere,
    /// The file is shorter than it was, perhaps.
    #[error("certificate table: expected whole, found cut by the end of the file")]
    CertificatesCut,
}

/// The parts of an image that are hashed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Layout {
    check_sum: u64,
    /// The entry of the certificate table, empty without one.
    entry: Range<u64>,
    /// Where the certificate table begins, or the end of the file.
    pub(super) end: u64,
    /// What lies behind the certificate table.
    pub(super) tail: Range<u64>,
    pub(super) remark: Option<Remark>,
}

impl Layout {
    /// The layout of the image in `source`; `None` if it is no PE image.
    pub(super) fn read(source: &dyn ByteSource) -> Result<Option<Layout>, ReadError> {
        if piece(source, 0)? != Some(DOS_MAGIC) {
            return Ok(None);
        }
        let Some(pe) = number(source, OFFSET_PE)?.map(u64::from) else { return Ok(None) };
        if piece(source, pe)? != Some(PE_MAGIC) {
            return Ok(None);
        }
        let optional = pe + OPTIONAL_HEADER;
        let offsets = match piece(source, optional)?.map(u16::from_le_bytes) {
            Some(MAGIC_PE32) => OFFSETS_PE32,
            Some(MAGIC_PE32_PLUS) => OFFSETS_PE32_PLUS,
            _ => return Ok(None),
        };
        let Some(directories) = number(source, optional + offsets.0)? else { return Ok(None) };
        let len = source.len();
        let check_sum = optional + OFFSET_CHECK_SUM;
        let none = check_sum + CHECK_SUM_BYTES;
        let mut layout = Layout { check_sum, entry: none..none, end: len, tail: len..len, remark: None };
        if directories > CERTIFICATE_ENTRY {
            let at = optional + offsets.1;
            let (Some(start), Some(size)) = (number(source, at)?, number(source, at + 4)?) else { return Ok(None) };
            layout.entry = at..at + ENTRY_BYTES;
            layout.leave_out(u64::from(start), u64::from(size), len);
        }
        Ok(Some(layout))
    }

    /// Leaves out the certificate table, if there can be one.
    fn leave_out(&mut self, start: u64, size: u64, len: u64) {
        if start == 0 || size == 0 {
            return;
        }
        if start < self.entry.end || start >= len {
            self.remark = Some(Remark::CertificatesElsewhere);
            return;
        }
        let end = start.saturating_add(size);
        self.end = start;
        self.tail = end.min(len)..len;
        if end > len {
            self.remark = Some(Remark::CertificatesCut);
        } else if end < len {
            self.remark = Some(Remark::BehindCertificates);
        }
    }

    /// The parts that are hashed, in file order.
    pub(super) fn kept(&self) -> [Range<u64>; 4] {
        let behind = self.check_sum + CHECK_SUM_BYTES;
        [0..self.check_sum, behind..self.entry.start, self.entry.end..self.end, self.tail.clone()]
    }
}

/// The `N` bytes at `at`; `None` if they are not in the file.
fn piece<const N: usize>(source: &dyn ByteSource, at: u64) -> Result<Option<[u8; N]>, ReadError> {
    if at.checked_add(N as u64).is_none_or(|end| end > source.len()) {
        return Ok(None);
    }
    let mut bytes = [0; N];
    source.read_at(at, &mut bytes)?;
    Ok(Some(bytes))
}

fn number(source: &dyn ByteSource, at: u64) -> Result<Option<u32>, ReadError> {
    Ok(piece(source, at)?.map(u32::from_le_bytes))
}
