//! What a change of one byte does to what a database says, whether a check sees it or not.

use ese_core::format::{Dbtime, Node, NodeFlags, Page, PageFlags, Pgno, RootHeader, SpaceFlags, TAG_BYTES, record};

use super::sites::{Role, Site, SiteMap};

/// What a change does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Effect {
    /// The database says something else: counts for the score.
    Meaning,
    /// What a user stored is another value, as lawful as the one before, and nothing else in the file depends on it.
    Content(&'static str),
    /// The database says the same.
    Nothing(&'static str),
}

/// What the change of `site` does; `file` is the database with the change.
pub(super) fn effect_of(map: &SiteMap<'_>, site: &Site, file: &[u8]) -> Effect {
    let range = map.page_range(site.at);
    let (Ok(before), Ok(after)) = (Page::new(&map.file[range.clone()]), Page::new(&file[range])) else {
        return Effect::Meaning;
    };
    match site.role {
        Role::Always(effect) => effect,
        Role::Dbtime => {
            let lawful = after.dbtime() != Dbtime::default() && after.dbtime() <= map.dbtime;
            if lawful {
                Effect::Nothing("any dbtime up to that of the header may stand on a page")
            } else {
                Effect::Meaning
            }
        }
        Role::UncommittedFree => {
            let lawful = after.cb_uncommitted_free() <= after.cb_free();
            if lawful {
                Effect::Nothing("counts what open transactions freed: a hint, any part of cbFree")
            } else {
                Effect::Meaning
            }
        }
        Role::MicFree => {
            let end = (0..after.tag_count()).filter_map(|line| after.tag(line)).filter(|tag| tag.size > 0);
            let end = end.map(|tag| tag.end()).max().unwrap_or(0);
            let array = after.tag_count() * TAG_BYTES;
            let lawful = (end..=after.body().len() - array).contains(&usize::from(after.ib_mic_free()));
            if lawful { Effect::Nothing("free space may begin anywhere behind the last line") } else { Effect::Meaning }
        }
        Role::ReservedTags => {
            let same = after.first_line() == before.first_line();
            if same { Effect::Nothing("0 and 1 reserved tags both mean tag 0") } else { Effect::Meaning }
        }
        Role::Separators => {
            let same = separates(map, before, after);
            if same {
                Effect::Nothing("the separator still separates: every search ends where it did")
            } else {
                Effect::Meaning
            }
        }
        Role::EndOffset { word_at, low, high } => {
            let word = after.bytes().get(word_at..).and_then(<[u8]>::first_chunk::<2>);
            let end = word.map(|word| u16::from_le_bytes(*word) & record::END_MASK);
            let lawful = end.is_some_and(|end| (low..=high).contains(&end));
            if lawful {
                Effect::Content("where one value ends and the next begins; no index has them")
            } else {
                Effect::Meaning
            }
        }
        Role::FirstField { count, cpg, extents } => {
            // With the flag the field is a hint that nothing depends on.
            let flags_at = site.at % map.size.bytes();
            let has_v2 = before.bytes()[flags_at] & SpaceFlags::V2.bits() != 0;
            let same = if has_v2 { cpg == count } else { extents > 1 };
            if same {
                Effect::Nothing("the first field of the space header is right with either meaning")
            } else {
                Effect::Meaning
            }
        }
        Role::FirstOfDatabase { at, count } => {
            let cpg = after.bytes().get(at..).and_then(<[u8]>::first_chunk::<4>);
            let lawful = cpg.is_some_and(|cpg| u32::from_le_bytes(*cpg) < count);
            if lawful {
                Effect::Nothing("the first extent of the database may have been smaller once")
            } else {
                Effect::Meaning
            }
        }
        Role::Autoincrement { highest } => {
            let kept = RootHeader::read(after.external_header()).and_then(|root| root.autoincrement);
            if kept.is_some_and(|kept| kept >= highest) {
                Effect::Content("which number the next row gets, above all that are taken")
            } else {
                Effect::Meaning
            }
        }
        Role::Compressed { is_now: true } => Effect::Content("a value that says it is not compressed may be any bytes"),
        Role::Compressed { is_now: false } => Effect::Meaning,
    }
}

/// True if each separator of `after` lies above all that is below its child, and not above what is below the next one.
fn separates(map: &SiteMap<'_>, before: Page<'_>, after: Page<'_>) -> bool {
    let (old, new): (Vec<Node<'_>>, Vec<Node<'_>>) =
        (before.nodes().flatten().collect(), after.nodes().flatten().collect());
    if old.len() != new.len() {
        return false;
    }
    let last = old.len().saturating_sub(1);
    old.iter().zip(&new).enumerate().all(|(place, (old, new))| {
        if old.key == new.key {
            return true;
        }
        let (Some(child), Some(next)) = (new.child(), child_at(&before, place + 1)) else { return false };
        let (below, above) = (edge(map, child, Edge::Last), edge(map, next, Edge::First));
        let separator = new.key.to_vec();
        place != last && below.is_some_and(|below| below < separator) && above.is_some_and(|above| above >= separator)
    })
}

fn child_at(page: &Page<'_>, place: usize) -> Option<Pgno> {
    page.nodes().nth(place)?.ok()?.child()
}

/// Which end of the entries below a page.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Edge {
    First,
    Last,
}

/// The bookmark of the first or the last entry below `pgno`.
fn edge(map: &SiteMap<'_>, pgno: Pgno, which: Edge) -> Option<Vec<u8>> {
    let mut pgno = pgno;
    for _ in 0..ese_core::tree::DEPTH_MOST {
        let page = map.page(pgno)?;
        let mut nodes = page.nodes().flatten();
        let node = if which == Edge::First { nodes.next() } else { nodes.next_back() }?;
        if page.is_leaf() {
            let mut bookmark = node.key.to_vec();
            if page.flags().contains(PageFlags::NON_UNIQUE) {
                bookmark.extend(node.data);
            }
            return Some(bookmark);
        }
        pgno = node.child()?;
    }
    None
}

/// What the flags of a node do, each by its own bit.
pub(super) const NODE_FLAGS: [(NodeFlags, &str); 3] =
    [(NodeFlags::VERSION, "version"), (NodeFlags::DELETED, "deleted"), (NodeFlags::COMPRESSED, "compressed")];
