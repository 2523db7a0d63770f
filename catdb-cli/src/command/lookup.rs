//! `lookup`: which catalogs of a catdb name a hash, or a file by its hashes.

use std::io::{self, Write};

use super::{Outcome, refused};
use crate::catdb::{Algorithm, Catdb};
use crate::cli::{DocumentFormat, LookupArgs};
use crate::export::fault::Faults;
use crate::file_hash::{self, Digests};
use crate::input::{self, Access};
use crate::interrupt::Interrupt;
use crate::render::entries::{Answer, LookupDocument, Question};
use crate::render::refusal::Refusal;
use crate::render::{faults as render_faults, json};

/// A hash to look for, and how it was computed.
type Wanted = (&'static str, Box<[u8]>);

pub(crate) fn run(args: &LookupArgs, interrupt: &Interrupt) -> io::Result<Outcome> {
    let database = match input::database(&args.db, interrupt) {
        Ok(database) => database,
        Err(refusal) => return refused(&refusal, &args.db, interrupt),
    };
    let Some(catdb) = Catdb::open(&database) else {
        return Refusal::no_catdb(&args.db).tell(&args.db).map(|()| Outcome::Failed);
    };
    let mut wanted: Vec<Wanted> = args.hash.iter().map(|hash| ("given", hash.clone())).collect();
    let mut remark = None;
    if let Some(path) = &args.file {
        let hashes = input::open(path, Access::Read, interrupt)
            .and_then(|source| file_hash::hash(&*source).map_err(|error| error.error));
        match hashes {
            Ok(hashes) => {
                remark = hashes.remark.map(|remark| remark.to_string());
                // The rule for programs first: by it nearly all of them are known.
                wanted.extend(hashes.authenticode.iter().flat_map(|digests| both("authenticode", digests)));
                wanted.extend(both("flat", &hashes.flat));
            }
            Err(error) => return Refusal::not_opened(path, &error).tell(path).map(|()| Outcome::Failed),
        }
    }
    let mut faults = Faults::default();
    let mut document = LookupDocument::new(&args.db, args.file.as_deref(), catdb.detected.id(), remark);
    for (rule, hash) in wanted {
        let found: Vec<Answer> = catdb.find(&hash, &mut faults).into_iter().map(Answer::from).collect();
        let algorithm = Algorithm::of_size(hash.len()).map_or("", Algorithm::name);
        document.add(Question { rule, algorithm, hash: hex::encode(&hash), found });
    }
    let mut out = io::BufWriter::new(anstream::stdout().lock());
    match args.format {
        DocumentFormat::Text => document.text(&mut out)?,
        DocumentFormat::Json => json::write_document(&mut out, &document)?,
    }
    out.flush()?;
    render_faults::tell(&faults)?;
    Ok(if document.is_found() { Outcome::Fine } else { Outcome::Found })
}

fn both(rule: &'static str, digests: &Digests) -> [Wanted; 2] {
    [(rule, Box::from(digests.sha1)), (rule, Box::from(digests.sha256))]
}
