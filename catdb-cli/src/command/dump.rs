//! `dump`: a header, page, node, tree, the catalog or the space of a database as it stands, damaged or not.

use std::io::{self, Write};
use std::path::Path;

use ese_core::format::{DbState, Objid, Pgno};
use ese_core::inspect::DatabaseMap;
use ese_core::source::{ByteSource, Pages};
use ese_core::tree::TreeKind;
use ese_core::verify::{OpenedHeader, open_header};

use super::Outcome;
use crate::cli::{DocumentFormat, DumpArgs, DumpView, NodePlace, number};
use crate::input::{self, Access};
use crate::interrupt::Interrupt;
use crate::render::dump::{Content, DumpDocument, Look, catalog, node, page, space, tree};
use crate::render::header::{self, Info};
use crate::render::json;
use crate::render::refusal::Refusal;

/// Names of trees that are listed where one was asked for that is not there.
const NAMES_LISTED: usize = 12;
/// In front of a number that is to be taken for a root page and no objid.
const ROOT_PREFIX: &str = "root:";

pub(crate) fn run(args: &DumpArgs) -> io::Result<Outcome> {
    let path = &args.file;
    let opened = input::open(path, Access::Read, &Interrupt::default())
        .map_err(|error| Refusal::not_opened(path, &error))
        .and_then(|source| {
            let header = open_header(&*source, &()).map_err(|error| Refusal::not_verified(path, &error))?;
            Ok((source, header))
        });
    let mut out = io::BufWriter::new(anstream::stdout().lock());
    let look = Look { full: args.full, all: args.all, hex: args.hex };
    let dump = Dump { args, path, look };
    let refusal = match &opened {
        Ok((source, header)) => dump.show(&mut out, &**source, header)?.err(),
        Err(refusal) => Some(refusal.clone()),
    };
    if let Some(refusal) = &refusal {
        match args.format {
            DocumentFormat::Text if opened.is_err() => refusal.write(&mut out, path)?,
            DocumentFormat::Text => {
                writeln!(out, "{}: {}\n\nNext: {}", crate::render::shown(path), refusal.reason, refusal.next)?;
            }
            DocumentFormat::Json => json::write_document(&mut out, &DumpDocument::refused(path, dump.name(), refusal))?,
        }
    }
    out.flush()?;
    Ok(if refusal.is_some() { Outcome::Failed } else { Outcome::Fine })
}

/// What was asked for.
struct Dump<'a> {
    args: &'a DumpArgs,
    path: &'a Path,
    look: Look,
}

impl Dump<'_> {
    fn name(&self) -> &'static str {
        match self.args.view {
            DumpView::Header => "header",
            DumpView::Page { .. } => "page",
            DumpView::Node { .. } => "node",
            DumpView::Tree { .. } => "tree",
            DumpView::Catalog => "catalog",
            DumpView::Space => "space",
        }
    }

    /// Shows it, or says why there is no such thing.
    fn show(
        &self,
        out: &mut dyn Write,
        source: &dyn ByteSource,
        opened: &OpenedHeader,
    ) -> io::Result<Result<(), Refusal>> {
        if let DumpView::Header = self.args.view {
            let info = Info::new(source.len(), opened);
            self.answer(out, Content::Header(info), |out| header::text(out, self.path, source.len(), opened))?;
            return Ok(Ok(()));
        }
        let map = DatabaseMap::read(Pages::new(source, opened.page_size));
        let (path, look) = (self.path, self.look);
        match &self.args.view {
            DumpView::Header => {}
            DumpView::Page { pgno } | DumpView::Node { place: NodePlace { pgno, .. } }
                if !map.pages.contains(*pgno) =>
            {
                return Ok(Err(self.no_page(&map, *pgno)));
            }
            DumpView::Page { pgno } => {
                let state = opened.copies.used_copy().map_or(DbState::CleanShutdown, |copy| copy.header.state());
                let view = page::PageView::new(&map, state, *pgno, path, look);
                self.answer(out, Content::Page(&view), |out| view.write(out, path, look))?;
            }
            DumpView::Node { place } => match node::NodeView::new(&map, place.pgno, place.line, path, look) {
                Ok(view) => self.answer(out, Content::Node(&view), |out| view.write(out, path, look))?,
                Err(refusal) => return Ok(Err(refusal)),
            },
            DumpView::Tree { tree } => match self.find(&map, tree) {
                Ok((place, root)) => {
                    let view = tree::TreeView::new(&map, place, root, look);
                    self.answer(out, Content::Tree(&view), |out| view.write(out, path, look))?;
                }
                Err(refusal) => return Ok(Err(refusal)),
            },
            DumpView::Catalog => {
                let view = catalog::CatalogView::new(&map.catalog);
                self.answer(out, Content::Catalog(&view), |out| view.write(out, path, look))?;
            }
            DumpView::Space => {
                let view = space::SpaceView::new(&map);
                self.answer(out, Content::Space(&view), |out| view.write(out, path, look))?;
            }
        }
        Ok(Ok(()))
    }

    fn answer(
        &self,
        out: &mut dyn Write,
        content: Content<'_>,
        text: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        match self.args.format {
            DocumentFormat::Text => text(out),
            DocumentFormat::Json => json::write_document(out, &DumpDocument::new(self.path, self.name(), content)),
        }
    }

    fn no_page(&self, map: &DatabaseMap<'_>, pgno: Pgno) -> Refusal {
        let last = map.pages.last();
        let has = if last.is_none() { "no whole page".to_owned() } else { format!("pages 1 to {last}") };
        Refusal { reason: format!("no page {pgno}: the file has {has}"), next: self.next("header") }
    }

    fn next(&self, view: &str) -> String {
        format!("catdb-cli dump {} {view}", crate::render::shell_word(self.path))
    }

    /// The tree that `name` means: by name, by objid, by its root.
    fn find(&self, map: &DatabaseMap<'_>, name: &str) -> Result<(Option<usize>, Pgno), Refusal> {
        let root_of = |place: usize| map.list.trees().get(place).map(|tree| (Some(place), tree.root));
        let by_root = |pgno: Pgno| {
            let known = map.list.by_root(pgno).map(|place| (Some(place), pgno));
            known.or_else(|| map.is_root(pgno).then_some((None, pgno)))
        };
        let of_root = name.strip_prefix(ROOT_PREFIX).and_then(number).map(Pgno);
        let found = match (of_root, number(name)) {
            (Some(pgno), _) => by_root(pgno),
            (None, Some(n)) => map.list.by_objid(Objid(n)).and_then(root_of).or_else(|| by_root(Pgno(n))),
            (None, None) => map.tree_by_name(name).and_then(root_of),
        };
        found.ok_or_else(|| {
            let mut tables: Vec<String> = map
                .list
                .trees()
                .iter()
                .filter(|tree| tree.kind == TreeKind::Data)
                .filter_map(|tree| tree.table_name.as_deref().map(crate::render::shown_text))
                .collect();
            let more = tables.len().saturating_sub(NAMES_LISTED);
            tables.truncate(NAMES_LISTED);
            if more > 0 {
                tables.push(format!("{more} more"));
            }
            let name = crate::render::shown_text(name);
            Refusal {
                reason: format!("no tree `{name}`: tables are {}", tables.join(", ")),
                next: self.next("catalog"),
            }
        })
    }
}
