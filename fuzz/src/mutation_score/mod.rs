//! The mutation score: which share of single-byte changes to the metadata of a sound database the verifier sees.
//!
//! Every byte of a page in use that is no user's value is a site of a named field. A run changes one site at a time,
//! makes the checksum right again, and asks the verifier. What a change does is told from the two versions of the page,
//! never from whether it was seen: a change that says the same is in no score.

mod effect;
mod record_sites;
mod score;
mod sites;

use std::collections::HashSet;
use std::num::NonZeroUsize;

use catdb_test_data::corpus;
use ese_core::checksum;
use ese_core::finding::{Finding, Severity};
use ese_core::source::MemorySource;
use ese_core::verify::{Verifier, VerifyError};

pub use effect::Effect;
pub use score::{Row, Score, Survivor};

use crate::mutate::Rng;
use effect::effect_of;
use score::Outcome;
use sites::{Site, SiteMap};

/// A database that is sound.
pub struct Base {
    /// Its name in the report.
    pub name: String,
    /// The file.
    pub bytes: Vec<u8>,
}

/// The databases of `test-data` that are changed where no other is named.
#[must_use]
pub fn fixtures() -> Vec<Base> {
    let names = ["kitchen-4k-b.edb", "kitchen-32k-w10.edb", "catdb-200.edb"];
    names.map(|name| Base { name: name.to_owned(), bytes: corpus::fixture(name) }).into()
}

/// How much is tried.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Mutations of each field, over all bases.
    pub per_field: usize,
    /// Number from which all mutations follow.
    pub seed: u64,
    /// Databases verified at once; the score is the same with any number.
    pub threads: NonZeroUsize,
}

/// One byte to be changed.
struct Mutation {
    base: usize,
    site: Site,
    xor: u8,
}

/// Changes `bases`, one byte at a time, as `plan` says.
///
/// # Errors
/// [`VerifyError`] if one of the bases cannot be verified as it is.
pub fn run(bases: &[Base], plan: Plan) -> Result<Score, VerifyError> {
    let maps: Vec<SiteMap<'_>> = bases.iter().map(|base| SiteMap::new(&base.bytes)).collect();
    let known = bases.iter().map(|base| findings(&base.bytes)).collect::<Result<Vec<_>, _>>()?;
    let mutations = draw(&maps, plan);
    let threads = plan.threads.get();
    let per_thread = mutations.len().div_ceil(threads).max(1);
    let outcomes: Vec<Outcome> = std::thread::scope(|scope| {
        let work = |chunk| {
            let (maps, known) = (&maps, &known);
            scope.spawn(move || try_all(chunk, bases, maps, known))
        };
        let workers: Vec<_> = mutations.chunks(per_thread).map(work).collect();
        // A worker that panicked has met a broken promise of the verifier: its panic goes on here.
        let joined = workers.into_iter().map(|worker| worker.join());
        joined.flat_map(|outcomes| outcomes.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    });
    let mut score = Score::default();
    for (mutation, outcome) in mutations.iter().zip(outcomes) {
        let (base, map) = (&bases[mutation.base], &maps[mutation.base]);
        score.add(&map.fields[mutation.site.field], outcome, || {
            let before = base.bytes[mutation.site.at];
            let (pgno, in_page) = map.place_of(mutation.site.at);
            Survivor { base: base.name.clone(), pgno, at: in_page, before, after: before ^ mutation.xor }
        });
    }
    Ok(score)
}

/// As many mutations of each field as the plan says, shared out among the bases that have it.
fn draw(maps: &[SiteMap<'_>], plan: Plan) -> Vec<Mutation> {
    let mut fields: Vec<&String> = maps.iter().flat_map(|map| &map.fields).collect();
    fields.sort_unstable();
    fields.dedup();
    let mut rng = Rng::new(plan.seed);
    let mut mutations = Vec::new();
    for field in fields {
        let of_field: Vec<Vec<&Site>> = maps.iter().map(|map| map.sites_of(field)).collect();
        let bases: Vec<usize> = (0..maps.len()).filter(|base| !of_field[*base].is_empty()).collect();
        let mut drawn = HashSet::new();
        for number in 0..plan.per_field {
            let base = bases[number % bases.len()];
            let site = *of_field[base][rng.below(of_field[base].len())];
            let xor = change(site.bits, &mut rng);
            if drawn.insert((base, site.at, xor)) {
                mutations.push(Mutation { base, site, xor });
            }
        }
    }
    mutations.sort_by_key(|mutation| (mutation.base, mutation.site.at, mutation.xor));
    mutations
}

/// Half of the changes flip one of `bits`, half any of them.
fn change(bits: u8, rng: &mut Rng) -> u8 {
    if rng.coin() {
        let which = rng.below(usize::try_from(bits.count_ones()).unwrap_or(1));
        return (0..8).map(|bit| 1u8 << bit).filter(|bit| bits & bit != 0).nth(which).unwrap_or(bits);
    }
    let random = u8::try_from(rng.below(256)).unwrap_or(0) & bits;
    if random == 0 { bits } else { random }
}

fn try_all(mutations: &[Mutation], bases: &[Base], maps: &[SiteMap<'_>], known: &[HashSet<String>]) -> Vec<Outcome> {
    let mut copy: Option<(usize, Vec<u8>)> = None;
    let mut outcomes = Vec::with_capacity(mutations.len());
    for Mutation { base, site, xor } in mutations {
        let file = match &mut copy {
            Some((of, file)) if of == base => file,
            _ => &mut copy.insert((*base, bases[*base].bytes.clone())).1,
        };
        let map = &maps[*base];
        let (pgno, _) = map.place_of(site.at);
        let page = map.page_range(site.at);
        file[site.at] ^= xor;
        let outcome = if checksum::store(&mut file[page.clone()], pgno).is_err() {
            // A large page without the flag of its checksum: the page itself is refused.
            Outcome { effect: effect_of(map, site, file), seen: Some(Severity::Error) }
        } else {
            Outcome { effect: effect_of(map, site, file), seen: seen(file, &known[*base]) }
        };
        outcomes.push(outcome);
        file[page.clone()].copy_from_slice(&bases[*base].bytes[page]);
    }
    outcomes
}

/// The weightiest finding that is not among `known`.
fn seen(file: &[u8], known: &HashSet<String>) -> Option<Severity> {
    match report(file) {
        Ok(found) => found.iter().filter(|finding| !known.contains(&identity(finding))).map(|f| f.severity).max(),
        // A file that is no database any more could not be missed.
        Err(_) => Some(Severity::Error),
    }
}

fn findings(file: &[u8]) -> Result<HashSet<String>, VerifyError> {
    Ok(report(file)?.iter().map(identity).collect())
}

fn report(file: &[u8]) -> Result<Vec<Finding>, VerifyError> {
    let report = Verifier::new(&MemorySource(file)).threads(Some(NonZeroUsize::MIN)).run()?;
    Ok(report.findings().to_vec())
}

fn identity(finding: &Finding) -> String {
    format!("{:?} {} {} {}", finding.code, finding.severity, finding.offset, finding.message)
}
