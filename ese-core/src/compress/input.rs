//! The bytes of a compressed value, taken from front to back.
//!
//! Every read says what it is for, so that an input which ends too early gives an error with the place and the thing
//! that was expected. Never reads behind the value; little-endian as all data (spec 07 section 4).

use super::{DecompressError, Fault, Scheme};

/// A position in a compressed value; positions count from its scheme byte.
#[derive(Debug)]
pub(super) struct Input<'a> {
    scheme: Scheme,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Input<'a> {
    /// The part of `data` that belongs to the scheme.
    pub(super) const fn behind_scheme_byte(data: &'a [u8], scheme: Scheme) -> Input<'a> {
        Input { scheme, bytes: data, at: 1 }
    }

    pub(super) const fn scheme(&self) -> Scheme {
        self.scheme
    }

    pub(super) const fn at(&self) -> usize {
        self.at
    }

    /// All that was not taken yet.
    #[inline]
    pub(super) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// The next `len` bytes.
    #[inline]
    pub(super) fn take(&mut self, len: usize, expected: &'static str) -> Result<&'a [u8], DecompressError> {
        let (taken, _) = self.rest().split_at_checked(len).ok_or_else(|| self.broken(Fault::Ends(expected)))?;
        self.at += len;
        Ok(taken)
    }

    #[inline]
    fn array<const N: usize>(&mut self, expected: &'static str) -> Result<[u8; N], DecompressError> {
        let taken = *self.rest().first_chunk().ok_or_else(|| self.broken(Fault::Ends(expected)))?;
        self.at += N;
        Ok(taken)
    }

    pub(super) fn u8(&mut self, expected: &'static str) -> Result<u8, DecompressError> {
        self.array(expected).map(u8::from_le_bytes)
    }

    pub(super) fn u16(&mut self, expected: &'static str) -> Result<u16, DecompressError> {
        self.array(expected).map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self, expected: &'static str) -> Result<u32, DecompressError> {
        self.array(expected).map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self, expected: &'static str) -> Result<u64, DecompressError> {
        self.array(expected).map(u64::from_le_bytes)
    }

    /// The u16 with which XPRESS, XPRESS10 and LZ4 begin: the decompressed size in bytes.
    pub(super) fn stated_size(&mut self) -> Result<usize, DecompressError> {
        self.u16("the decompressed size").map(usize::from)
    }

    /// The error for a fault at the place where this input stands.
    pub(super) const fn broken(&self, fault: Fault) -> DecompressError {
        self.broken_at(self.at, fault)
    }

    /// The error for a fault at another byte of the value.
    pub(super) const fn broken_at(&self, at: usize, fault: Fault) -> DecompressError {
        DecompressError::Broken { scheme: self.scheme, at, fault }
    }
}
