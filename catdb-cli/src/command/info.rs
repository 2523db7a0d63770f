//! `info`: both header copies, as `esentutl /mh` shows one.

use std::io::{self, Write};

use ese_core::verify::open_header;

use super::Outcome;
use crate::cli::{DocumentFormat, InfoArgs};
use crate::input::{self, Access};
use crate::interrupt::Interrupt;
use crate::render::refusal::Refusal;
use crate::render::{header, json};

pub(crate) fn run(args: &InfoArgs) -> io::Result<Outcome> {
    let path = &args.file;
    let opened = input::open(path, Access::Read, &Interrupt::default())
        .map_err(|error| Refusal::not_opened(path, &error))
        .and_then(|source| {
            let opened = open_header(&*source, &()).map_err(|error| Refusal::not_verified(path, &error))?;
            Ok((source.len(), opened))
        });
    let mut out = io::BufWriter::new(anstream::stdout().lock());
    let outcome = match (&opened, args.format) {
        (Ok((bytes, opened)), DocumentFormat::Text) => {
            header::text(&mut out, path, *bytes, opened)?;
            Outcome::Fine
        }
        (Ok((bytes, opened)), DocumentFormat::Json) => {
            json::write_document(&mut out, &header::InfoDocument::new(path, *bytes, opened))?;
            Outcome::Fine
        }
        (Err(refusal), DocumentFormat::Text) => {
            refusal.write(&mut out, path)?;
            Outcome::Failed
        }
        (Err(refusal), DocumentFormat::Json) => {
            json::write_document(&mut out, &header::InfoDocument::refused(path, refusal))?;
            Outcome::Failed
        }
    };
    out.flush()?;
    Ok(outcome)
}
