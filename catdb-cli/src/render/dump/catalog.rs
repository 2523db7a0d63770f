//! `dump catalog`: tables, columns and indexes, and where their trees begin.

use std::io::{self, Write};
use std::path::Path;

use ese_core::catalog::{Catalog, CatalogSource, Index, RowPlace, Table};
use ese_core::format::{KeyField, SegmentFlags};
use ese_core::record::{Column, Origin};
use serde::Serialize;

use super::super::{counted, shell_word, shown, shown_text};
use super::{BOLD, FAINT, GOOD, Look, ODD, WRONG, cell, cut, list_or_dash};

/// Characters of a default value on a line.
const DEFAULT_SHOWN: usize = 40;

/// The catalog.
#[derive(Serialize)]
pub(crate) struct CatalogView {
    /// `main`, `merged`, `shadow` or `leaves`.
    source: &'static str,
    complete: bool,
    rows: usize,
    /// What could not be read of it, the first of it.
    faults: Vec<String>,
    tables: Vec<TableEntry>,
}

#[derive(Serialize)]
struct TableEntry {
    name: String,
    objid: u32,
    root: u32,
    system: bool,
    flags: Vec<String>,
    template: Option<String>,
    lv_chunk_max: Option<u32>,
    row: RowEntry,
    columns: Vec<ColumnEntry>,
    indexes: Vec<IndexEntry>,
    long_values: Option<LongValuesEntry>,
}

/// Where a row of the catalog lies.
#[derive(Serialize)]
struct RowEntry {
    pgno: u32,
    line: usize,
}

#[derive(Serialize)]
struct ColumnEntry {
    id: u16,
    name: String,
    origin: &'static str,
    #[serde(rename = "type")]
    column_type: &'static str,
    size: u32,
    code_page: u32,
    flags: Vec<String>,
    /// Offset in the record of a fixed column.
    offset: Option<u16>,
    default: Option<String>,
    #[serde(skip)]
    default_text: Option<String>,
    #[serde(skip)]
    is_text: bool,
}

#[derive(Serialize)]
struct IndexEntry {
    name: String,
    objid: u32,
    root: u32,
    primary: bool,
    flags: Vec<String>,
    segments: Vec<SegmentEntry>,
    conditions: Vec<SegmentEntry>,
    key_most: Option<u16>,
    var_seg_mac: Option<u16>,
    lcid: u32,
    locale_name: Option<String>,
    lc_map_flags: Option<u32>,
    version: Option<String>,
    sort_id: Option<String>,
    tuple: Option<TupleEntry>,
    /// Why no keys can be made.
    error: Option<String>,
    row: RowEntry,
}

#[derive(Serialize)]
struct SegmentEntry {
    column_id: u16,
    column: Option<String>,
    flags: Vec<String>,
    #[serde(skip)]
    text: String,
}

#[derive(Serialize)]
struct TupleEntry {
    shortest: u32,
    longest: u32,
    pieces_most: u32,
    increment: u32,
    start: u32,
}

#[derive(Serialize)]
struct LongValuesEntry {
    objid: u32,
    root: u32,
    row: RowEntry,
}

impl CatalogView {
    pub(crate) fn new(catalog: &Catalog) -> CatalogView {
        CatalogView {
            source: match catalog.source {
                CatalogSource::Main => "main",
                CatalogSource::Merged => "merged",
                CatalogSource::Shadow => "shadow",
                CatalogSource::Leaves => "leaves",
            },
            complete: catalog.is_complete,
            rows: catalog.rows.len(),
            faults: catalog.faults.iter().map(ToString::to_string).collect(),
            tables: catalog.schema.tables.iter().map(TableEntry::new).collect(),
        }
    }

    pub(crate) fn write(&self, out: &mut dyn Write, path: &Path, look: Look) -> io::Result<()> {
        writeln!(
            out,
            "{BOLD}{}{BOLD:#}: catalog of {}, {}\n",
            shown(path),
            counted(self.tables.len() as u64, "table"),
            counted(self.rows as u64, "row")
        )?;
        let source = match self.source {
            "main" => "MSysObjects",
            "merged" => "MSysObjects as far as it can be read, and from MSysObjectsShadow what is missing there",
            "shadow" => "MSysObjectsShadow; MSysObjects cannot be read",
            _ => "single leaves of both catalog tables, wherever they lie; neither tree can be walked",
        };
        let (style, complete) = match (self.complete, self.source) {
            (true, "main") => (GOOD, "complete"),
            (true, _) => (ODD, "complete, as far as anybody can tell"),
            (false, _) => (WRONG, "rows may be missing"),
        };
        writeln!(out, "  Read from {source}: {style}{complete}{style:#}")?;
        for fault in &self.faults {
            writeln!(out, "  {WRONG}{fault}{WRONG:#}")?;
        }
        writeln!(out, "  {FAINT}Columns: id, name, type, most bytes, flags{FAINT:#}")?;
        for table in &self.tables {
            table.write(out, look)?;
        }
        let next = self.tables.iter().find(|table| !table.system).or(self.tables.first());
        let next =
            next.map_or_else(|| "space".to_owned(), |table| format!("tree {}", shell_word(Path::new(&table.name))));
        writeln!(out, "\nNext: catdb-cli dump {} {next}", shell_word(path))
    }
}

impl RowEntry {
    fn new(place: RowPlace) -> RowEntry {
        RowEntry { pgno: place.pgno.0, line: place.line }
    }

    fn text(&self) -> String {
        format!("{}:{}", self.pgno, self.line)
    }
}

impl TableEntry {
    fn new(table: &Table) -> TableEntry {
        TableEntry {
            name: table.name.clone(),
            objid: table.objid.0,
            root: table.root.0,
            system: table.is_system(),
            flags: table.flags.names(),
            template: table.template.clone(),
            lv_chunk_max: table.lv_chunk_max,
            row: RowEntry::new(table.place),
            columns: table.layout.columns().iter().map(ColumnEntry::new).collect(),
            indexes: table.indexes.iter().map(|index| IndexEntry::new(index, table)).collect(),
            long_values: table.long_values.map(|values| LongValuesEntry {
                objid: values.objid.0,
                root: values.root.0,
                row: RowEntry::new(values.place),
            }),
        }
    }

    fn write(&self, out: &mut dyn Write, look: Look) -> io::Result<()> {
        write!(
            out,
            "\n{BOLD}{}{BOLD:#}  objid {}, root page {}, row {}",
            shown_text(&self.name),
            self.objid,
            self.root,
            self.row.text()
        )?;
        if !self.flags.is_empty() {
            write!(out, ", {}", self.flags.join(", "))?;
        }
        if let Some(template) = &self.template {
            write!(out, ", template {}", shown_text(template))?;
        }
        writeln!(out)?;
        let width = self.columns.iter().map(|column| shown_text(&column.name).chars().count()).max().unwrap_or(0);
        for column in &self.columns {
            column.write(out, width.clamp(4, 32), look)?;
        }
        for index in &self.indexes {
            index.write(out)?;
        }
        match &self.long_values {
            Some(values) => writeln!(
                out,
                "  {FAINT}LV{FAINT:#}      objid {}, root page {}, row {}",
                values.objid,
                values.root,
                values.row.text()
            ),
            None => Ok(()),
        }
    }
}

impl ColumnEntry {
    fn new(column: &Column) -> ColumnEntry {
        ColumnEntry {
            id: column.id,
            name: column.name.clone(),
            origin: match column.origin {
                Origin::Own => "own",
                Origin::Template => "template",
            },
            column_type: column.column_type.name(),
            size: column.max_len,
            code_page: column.code_page,
            flags: column.flags.names(),
            offset: column.offset,
            default: column.default.as_deref().map(hex::encode),
            default_text: column.default.as_deref().map(|bytes| cell::of_column(column, bytes)),
            is_text: column.column_type.is_text(),
        }
    }

    fn write(&self, out: &mut dyn Write, width: usize, look: Look) -> io::Result<()> {
        let mut remarks = self.flags.clone();
        if self.is_text {
            remarks.push(format!("cp {}", self.code_page));
        }
        if self.origin == "template" {
            remarks.push("of the template".to_owned());
        }
        if let Some(default) = &self.default_text {
            let shown = if look.full { default.clone() } else { cut(default, DEFAULT_SHOWN) };
            remarks.push(format!("default {shown}"));
        }
        let line = format!(
            "  {:>5}  {:<width$}  {:<16}  {:>10}  {}",
            self.id,
            shown_text(&self.name),
            self.column_type,
            if self.size == 0 { "-".to_owned() } else { self.size.to_string() },
            remarks.join(", ")
        );
        writeln!(out, "{}", line.trim_end())
    }
}

impl IndexEntry {
    fn new(index: &Index, table: &Table) -> IndexEntry {
        let segments = index.segments.as_deref().unwrap_or_default();
        let conditions = index.conditions.as_deref().unwrap_or_default();
        let tuple = index.tuple.as_ref().ok().copied().flatten();
        IndexEntry {
            name: index.name.clone(),
            objid: index.objid.0,
            root: index.root.0,
            primary: index.is_primary(),
            flags: index.flags.names(),
            segments: segments.iter().map(|field| SegmentEntry::segment(*field, table)).collect(),
            conditions: conditions.iter().map(|field| SegmentEntry::condition(*field, table)).collect(),
            key_most: index.key_most,
            var_seg_mac: index.var_seg_mac.as_ref().ok().copied().flatten(),
            lcid: index.lcid,
            locale_name: index.locale_name.clone(),
            lc_map_flags: index.lc_map_flags,
            version: index.version.as_deref().map(hex::encode),
            sort_id: index.sort_id.as_deref().map(hex::encode),
            tuple: tuple.map(|limits| TupleEntry {
                shortest: limits.shortest,
                longest: limits.longest,
                pieces_most: limits.pieces_most,
                increment: limits.increment,
                start: limits.start,
            }),
            error: index.key(&table.layout).err().map(|fault| fault.to_string()),
            row: RowEntry::new(index.place),
        }
    }

    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let texts = |fields: &[SegmentEntry]| fields.iter().map(|field| field.text.clone()).collect::<Vec<_>>();
        let kind = if self.primary { "primary" } else { "index" };
        write!(
            out,
            "  {FAINT}{kind:<7}{FAINT:#} {}: {}; objid {}, root page {}, row {}",
            shown_text(&self.name),
            texts(&self.segments).join(", "),
            self.objid,
            self.root,
            self.row.text()
        )?;
        if !self.conditions.is_empty() {
            write!(out, "; where {}", texts(&self.conditions).join(" and "))?;
        }
        if let Some(tuple) = &self.tuple {
            write!(out, "; tuples of {} to {}", tuple.shortest, tuple.longest)?;
        }
        if let Some(locale) = &self.locale_name {
            write!(out, "; locale {}", shown_text(locale.trim_end_matches('\0')))?;
        }
        writeln!(out, "; {}", list_or_dash(&self.flags))?;
        if let Some(error) = &self.error {
            writeln!(out, "          {WRONG}{error}{WRONG:#}")?;
        }
        Ok(())
    }
}

impl SegmentEntry {
    fn new(field: KeyField, table: &Table) -> SegmentEntry {
        let origins = if field.flags.contains(SegmentFlags::TEMPLATE) {
            [Origin::Template, Origin::Own]
        } else {
            [Origin::Own, Origin::Template]
        };
        let place = origins.iter().find_map(|origin| table.layout.place_of(field.column_id, *origin));
        let column = place.and_then(|place| table.layout.columns().get(place)).map(|column| column.name.clone());
        let text = column.as_deref().map_or_else(|| format!("column {}", field.column_id), shown_text);
        SegmentEntry { column_id: field.column_id, column, flags: field.flags.names(), text }
    }

    fn segment(field: KeyField, table: &Table) -> SegmentEntry {
        let entry = SegmentEntry::new(field, table);
        let direction = if field.flags.contains(SegmentFlags::DESCENDING) { '-' } else { '+' };
        SegmentEntry { text: format!("{direction}{}", entry.text), ..entry }
    }

    fn condition(field: KeyField, table: &Table) -> SegmentEntry {
        let entry = SegmentEntry::new(field, table);
        let is = if field.flags.contains(SegmentFlags::MUST_BE_NULL) { "is NULL" } else { "is not NULL" };
        SegmentEntry { text: format!("{} {is}", entry.text), ..entry }
    }
}
