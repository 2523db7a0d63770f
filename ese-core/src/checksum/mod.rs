//! Page checksums.
