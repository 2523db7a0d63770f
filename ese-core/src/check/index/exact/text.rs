//! Equal texts must have equal segments (I11), and what stays open is said once for each index (I12, I13).

use std::fmt::Write;

use crate::finding::Code;
use crate::format::IndexFlags;
use crate::sort::SortError;

use super::super::definition::TableIndex;
use super::super::report::{Place, digits};
use super::Run;
use super::packed::Unpacker;

/// Different segments of one text that are told apart.
const FORMS_MOST: usize = 16;

/// A segment that a text has.
struct Form {
    segment: Vec<u8>,
    is_cut: bool,
    /// The first entry that has it.
    place: Place,
    count: u64,
}

impl Form {
    /// True if both can be the segment of one text: equal, up to the shorter one where it was cut.
    fn agrees_with(&self, other: &Form) -> bool {
        match (self.is_cut, other.is_cut) {
            (false, false) => self.segment == other.segment,
            (true, false) => other.segment.starts_with(&self.segment),
            (false, true) => self.segment.starts_with(&other.segment),
            (true, true) => self.segment.starts_with(&other.segment) || other.segment.starts_with(&self.segment),
        }
    }
}

/// The forms of one text in one direction.
#[derive(Default)]
struct Text {
    number: usize,
    digest: Vec<u8>,
    /// Ascending or descending.
    prefix: Option<u8>,
    forms: Vec<Form>,
    count: u64,
}

impl Text {
    fn add(&mut self, segment: &[u8], is_cut: bool, place: Place) {
        self.count += 1;
        let forms = self.forms.len();
        let same = self.forms.iter_mut().find(|form| form.is_cut == is_cut && form.segment == segment);
        match same {
            Some(form) => {
                form.count += 1;
                form.place = form.place.min(place);
            }
            None if forms < FORMS_MOST => {
                self.forms.push(Form { segment: segment.to_vec(), is_cut, place, count: 1 });
            }
            None => {}
        }
    }
}

impl Run<'_> {
    /// Reports segments that differ from the most frequent one of their text.
    pub(super) fn compare_texts(&mut self) -> Result<(), SortError> {
        let mut sorted = Run::take(&self.limits, &mut self.texts).finish()?;
        let mut text = Text::default();
        while let Some(bytes) = sorted.next_record()? {
            let mut parts = Unpacker(bytes);
            let (Some(number), Some(digest), Some(segment)) = (parts.number(), parts.part(), parts.part()) else {
                continue;
            };
            let (Some(is_cut), Some(place)) = (parts.byte(), parts.place()) else { continue };
            let prefix = segment.first().copied();
            if (text.number, &text.digest[..], text.prefix) != (number, digest, prefix) {
                self.compare_forms(&text);
                text = Text { number, digest: digest.to_vec(), prefix, ..Text::default() };
            }
            text.add(segment, is_cut != 0, place);
        }
        self.compare_forms(&text);
        Ok(())
    }

    fn compare_forms(&mut self, text: &Text) {
        if let Some(count) = self.counts.get_mut(text.number).filter(|_| text.count > 1) {
            count.compared += text.count;
        }
        let by_frequency = |form: &&Form| (form.count, !form.is_cut, std::cmp::Reverse(form.place));
        let Some(usual) = text.forms.iter().max_by_key(by_frequency) else { return };
        let is_primary = self.keys.indexes().get(text.number).is_some_and(TableIndex::is_primary);
        let code = if is_primary { Code::RecordKey } else { Code::IdxEntryWrong };
        for form in text.forms.iter().filter(|form| !form.agrees_with(usual)) {
            let Place { pgno, line, .. } = usual.place;
            let what = format!(
                "expected equal segments for equal texts, found {} here and {} on page {pgno}, line {line}",
                digits(&form.segment),
                digits(&usual.segment),
            );
            self.reports.add(text.number, form.place, code, "I11", &what);
        }
    }

    /// One info about index number `number`, if anything of it could not be compared.
    pub(super) fn say_what_was_not_compared(&mut self, number: usize) {
        let Some(index) = self.keys.indexes().get(number) else { return };
        let count = self.counts.get(number).copied().unwrap_or_default();
        let rows = self.undecodable.get(number).copied().unwrap_or_default();
        let mut what = String::new();
        let mut rule = "I12";
        if count.segments > 0 {
            let version = index.version.as_deref().filter(|version| version.iter().any(|byte| *byte != 0));
            let sorted_by =
                version.map_or_else(|| "an unnamed version".to_owned(), |v| format!("version {}", digits(v)));
            let _ = write!(
                what,
                "{} segments of text sorted by {sorted_by} of the system's tables: all have the shape of sort keys, {} \
                 were compared with those of equal texts, {} with none",
                count.segments,
                count.compared,
                count.segments.saturating_sub(count.compared),
            );
            if version.is_none() && index.key.flags().contains(IndexFlags::LOCALIZED_TEXT) {
                rule = "I13";
            }
        }
        if rows > 0 {
            let join = if what.is_empty() { "" } else { "; " };
            let _ =
                write!(what, "{join}{rows} rows have values that cannot be decoded here: their keys were not compared");
        }
        let Some(place) = index.place.filter(|_| !what.is_empty()) else { return };
        let place = Place { pgno: place.pgno, line: place.line, at: place.record_at };
        self.reports.add(number, place, Code::IdxUnverifiable, rule, &what);
    }
}
