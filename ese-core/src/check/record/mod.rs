//! The record check: rules R1 to R15 and R17 of spec 06 section 7, on the leaves of a table's data tree.
//!
//! Each rule reports at most once a page: the first line that breaks it, and how many do. It decompresses a value only to
//! see that it can be, follows no reference, and leaves out what can only fail because something before it in the same
//! record did. The primary key (R16) is checked where keys are computed.

mod autoincrement;
mod faults;
mod plain;
mod tagged;
#[cfg(test)]
mod tests;

pub use autoincrement::HighestNumber;

use crate::finding::Finding;
use crate::format::{DbState, Node, Page, Pgno};
use crate::record::{Origin, Record, RecordError, RecordFault, TableLayout};
use faults::{PageFaults, Rule, Said};

/// What the rules depend on beside the table.
#[derive(Clone, Copy, Debug)]
pub struct RecordContext {
    /// State of the database. Unless it is clean nobody asks for the values that no record may be without (R15): they
    /// may be in the log files.
    pub state: DbState,
}

/// Checks records, page after page; its room is used again.
///
/// ```
/// use ese_core::check::record::{RecordChecker, RecordContext};
/// use ese_core::format::{DbState, Page, Pgno};
/// use ese_core::record::TableLayout;
/// # let bytes = [0; 4096];
/// # let page = Page::new(&bytes)?;
/// let (layout, context) = (TableLayout::new(Vec::new()), RecordContext { state: DbState::CleanShutdown });
/// let (mut checker, mut findings) = (RecordChecker::default(), Vec::new());
/// for node in page.nodes().flatten() {
///     let record = checker.check_node(page, &node, &layout, &context);
///     // Keys, references to long values: all from `record`.
/// }
/// checker.finish_page(page, Pgno(36), &mut findings);
/// assert!(findings.is_empty());
/// # Ok::<(), ese_core::format::WrongPageLength>(())
/// ```
#[derive(Debug, Default)]
pub struct RecordChecker {
    faults: PageFaults,
    decompressed: Vec<u8>,
}

impl RecordChecker {
    /// Checks all live records of a leaf. `pgno` is the page's place in the file; nodes that cannot be read are left to
    /// the page check.
    pub fn check_page(
        &mut self,
        page: Page<'_>,
        pgno: Pgno,
        layout: &TableLayout,
        context: &RecordContext,
        findings: &mut Vec<Finding>,
    ) {
        for node in page.nodes().flatten() {
            self.check_node(page, &node, layout, context);
        }
        self.finish_page(page, pgno, findings);
    }

    /// Checks the record of one node of `page`. What is wrong is kept until [`RecordChecker::finish_page`]. Gives the
    /// record if it is live and its header is sound, wrong or not otherwise.
    #[inline]
    pub fn check_node<'a>(
        &mut self,
        page: Page<'a>,
        node: &Node<'a>,
        layout: &TableLayout,
        context: &RecordContext,
    ) -> Option<Record<'a>> {
        if node.is_deleted() {
            return None;
        }
        let place = RecordPlace { page, line: node.line, at: page.offset_of(node.data) };
        let RecordChecker { faults, decompressed } = self;
        match Record::new(node.data, page.size()) {
            Ok(record) => {
                RecordCheck { record, layout, context, place, faults, decompressed }.run();
                Some(record)
            }
            Err(error) => {
                faults.unreadable(place, error, layout);
                None
            }
        }
    }

    /// True if the record checked last, at `line`, has an error: what its columns say is doubtful.
    #[must_use]
    pub fn is_faulty(&self, line: usize) -> bool {
        self.faults.is_faulty(line)
    }

    /// Appends what was wrong on the page to `findings`, and begins anew.
    pub fn finish_page(&mut self, page: Page<'_>, pgno: Pgno, findings: &mut Vec<Finding>) {
        self.faults.report(page.size(), pgno, findings);
    }
}

/// Where the record under check lies.
#[derive(Clone, Copy)]
struct RecordPlace<'a> {
    page: Page<'a>,
    line: usize,
    /// Offset of the record in the page.
    at: usize,
}

/// A record under check, and where its faults go.
struct RecordCheck<'a, 'c> {
    record: Record<'a>,
    layout: &'c TableLayout,
    context: &'c RecordContext,
    place: RecordPlace<'a>,
    faults: &'c mut PageFaults,
    /// Room for one value.
    decompressed: &'c mut Vec<u8>,
}

impl RecordCheck<'_, '_> {
    /// All rules, each part of the record only if those before it say where it begins.
    fn run(&mut self) {
        plain::size_is_possible(self);
        if !plain::header_fits_the_table(self) {
            return;
        }
        plain::fixed_columns(self);
        if plain::variable_columns(self) {
            tagged::tagged_columns(self);
        }
    }

    /// Notes that the byte at `at` of the record breaks `rule`; `say` is asked for the first on the page only.
    #[cold]
    fn add(&mut self, rule: Rule, at: usize, say: impl FnOnce(&TableLayout) -> Said) {
        let layout = self.layout;
        self.faults.add(rule, self.place.line, self.place.at + at, || say(layout));
    }

    /// Notes what the reader refuses.
    #[cold]
    fn refused(&mut self, error: RecordError) {
        self.faults.unreadable(self.place, error, self.layout);
    }

    fn is_clean(&self) -> bool {
        self.context.state.is_clean()
    }
}

impl PageFaults {
    /// Notes what the reader refuses, by the rule that it breaks.
    #[cold]
    fn unreadable(&mut self, place: RecordPlace<'_>, error: RecordError, layout: &TableLayout) {
        let RecordError { at, fault } = error;
        self.add(rule_of(&fault), place.line, place.at + at, || {
            let of_column = fault.column().map(|(id, origin)| format!("{}: ", named(layout, id, origin)));
            let said = Said::new(format!("{}{fault}", of_column.unwrap_or_default()));
            match compared(&fault) {
                Some((expected, found)) => said.compared(expected, found),
                None => said,
            }
        });
    }
}

/// The rule that a record breaks which the reader refuses.
fn rule_of(fault: &RecordFault) -> Rule {
    match fault {
        RecordFault::TooShort { .. } => Rule::R1,
        RecordFault::LastFixed { .. }
        | RecordFault::LastVariable { .. }
        | RecordFault::FixedEnd { .. }
        | RecordFault::EndOffsets { .. }
        | RecordFault::VariableEnd { .. } => Rule::R2,
        RecordFault::FixedColumn { .. } => Rule::R3,
        RecordFault::FirstEntry { .. }
        | RecordFault::NoEntry { .. }
        | RecordFault::TaggedData { .. }
        | RecordFault::Repeated { .. } => Rule::R7,
        RecordFault::NoExtendedByte { .. } => Rule::R9,
        RecordFault::FirstOfTwo { .. } => Rule::R11,
        RecordFault::FirstValue { .. } | RecordFault::Value { .. } => Rule::R12,
    }
}

/// The limit that is passed, and what passes it.
fn compared(fault: &RecordFault) -> Option<(usize, usize)> {
    use crate::format::ColumnKind;
    use crate::format::record::{ENTRY_BYTES, NO_VARIABLE, RECORD_HEADER_BYTES, VALUE_WORD_BYTES};
    match *fault {
        RecordFault::TooShort { found } => Some((RECORD_HEADER_BYTES, found)),
        RecordFault::LastFixed { found } => Some((usize::from(ColumnKind::FIXED_LAST), usize::from(found))),
        RecordFault::LastVariable { found } => Some((usize::from(NO_VARIABLE), usize::from(found))),
        RecordFault::EndOffsets { most, found }
        | RecordFault::FixedColumn { most, found, .. }
        | RecordFault::FirstOfTwo { most, found, .. } => Some((most, found)),
        RecordFault::FixedEnd { least, most, found } | RecordFault::VariableEnd { least, most, found, .. } => {
            Some((nearest(least, most, found), found))
        }
        RecordFault::NoEntry { found } => Some((ENTRY_BYTES, found)),
        RecordFault::FirstEntry { most, found } => Some((nearest(ENTRY_BYTES, most, found), found)),
        RecordFault::FirstValue { most, found, .. } => Some((nearest(2 * VALUE_WORD_BYTES, most, found), found)),
        RecordFault::TaggedData { least, most, start, end, .. }
        | RecordFault::Value { least, most, start, end, .. } => {
            // The start is wrong if it lies outside, else the end, which may not lie before it.
            let start_fits = (least..=most).contains(&start);
            Some(if start_fits { (nearest(start, most, end), end) } else { (nearest(least, most, start), start) })
        }
        RecordFault::NoExtendedByte { .. } | RecordFault::Repeated { .. } => None,
    }
}

/// The limit that `found` passes, or comes closest to.
fn nearest(least: usize, most: usize, found: usize) -> usize {
    if found <= least { least } else { most }
}

/// "column 258 (`name`)": a column as messages name it. Fixed and variable columns have one range of ids, so `origin`
/// says nothing there.
fn named(layout: &TableLayout, id: u16, origin: Origin) -> String {
    let fixed = layout.fixed(id).map(|(column, _)| column);
    let column = fixed.or_else(|| layout.variable(id)).or_else(|| layout.tagged(id, origin));
    let owner = if origin == Origin::Template { ", of the template" } else { "" };
    match column {
        Some(column) => format!("column {id} (`{}`{owner})", column.name.escape_debug()),
        None => format!("column {id}{}", owner.replace(", ", " ")),
    }
}
