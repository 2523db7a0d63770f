//! Values: the bytes of one column value as a number, text, time or GUID (spec 05 section 6, 06 section 5).
//!
//! [`Value::decode`] is lenient and total: bytes that do not fit their type are a [`ValueError`], and stay with the
//! caller as they are. Nothing here reads a record, decompresses, or replaces a character that it cannot decode.
//!
//! ```
//! use ese_core::format::ColumnType;
//! use ese_core::value::Value;
//!
//! let value = Value::decode(ColumnType::Long, 0, &[0x35, 0, 0, 0])?;
//! assert_eq!(value, Value::I32(53));
//! let value = Value::decode(ColumnType::LongText, 1200, &[0x41, 0, 0xac, 0x20])?;
//! assert_eq!(value.to_string(), "A€");
//! # Ok::<(), ese_core::value::ValueError>(())
//! ```

mod currency;
mod date_time;
mod error;
mod guid;
mod text;
mod typed;

pub use currency::Currency;
pub use date_time::{DateTime, DateTimeForm};
pub use error::{TextFault, ValueError};
pub use guid::Guid;
pub use text::{CODE_PAGE_DEFAULT, TextDecoder, append_text};
pub use typed::Value;
