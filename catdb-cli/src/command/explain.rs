//! `explain`: what a finding or a JET error means, and what to do next.

use std::io::{self, Write};

use ese_core::finding::Code;
use ese_core::jet::JetError;

use super::Outcome;
use crate::cli::{ExplainArgs, ExplainFormat};
use crate::render::explain;

/// The high half of a JET error in an HRESULT of the catalog services, and of Windows Update.
const HRESULT_HIGH: [u32; 2] = [0x8e5e, 0xc800];

pub(crate) fn run(args: &ExplainArgs) -> io::Result<Outcome> {
    let mut out = io::BufWriter::new(anstream::stdout().lock());
    match (&args.code, args.format) {
        (None, ExplainFormat::Text) => explain::list(&mut out)?,
        (None, ExplainFormat::Markdown) => explain::markdown(&mut out, Code::ALL)?,
        (Some(text), format) => match (Code::from_name(text), jet_error(text)) {
            (Some(code), _) if format == ExplainFormat::Markdown => explain::markdown(&mut out, &[code])?,
            (Some(code), _) => explain::code(&mut out, code)?,
            (None, Some(error)) => explain::jet(&mut out, error)?,
            (None, None) => {
                eprintln!(
                    "catdb-cli: explain: {text} is neither the code of a finding nor a JET error\n  next: catdb-cli explain"
                );
                return Ok(Outcome::Failed);
            }
        },
    }
    out.flush()?;
    Ok(Outcome::Fine)
}

/// A JET error in any spelling of Windows: -1018, 4294966278, 0xfffffc06, 0x8e5e03fa, JET_errReadVerifyFailure.
fn jet_error(text: &str) -> Option<JetError> {
    if let Some(error) = JetError::from_name(text) {
        return Some(error);
    }
    let unsigned = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u32::from_str_radix(digits, 16).ok()?,
        None => text.parse::<i32>().map(i32::cast_unsigned).or_else(|_| text.parse::<u32>()).ok()?,
    };
    if HRESULT_HIGH.contains(&(unsigned >> 16)) {
        let low = i32::try_from(unsigned & 0xFFFF).ok()?;
        return Some(JetError(-low));
    }
    Some(JetError(unsigned.cast_signed())).filter(|error| error.0 < 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_windows_is_the_same_error() {
        for text in ["-1018", "4294966278", "0xfffffc06", "0x8e5e03fa", "0xC80003FA", "JET_errReadVerifyFailure"] {
            assert_eq!(jet_error(text), Some(JetError(-1018)), "{text}");
        }
        for text in ["", "7", "page", "0x", "0x80070570x"] {
            assert_eq!(jet_error(text), None, "{text}");
        }
    }
}
