//! All values of one table, at full speed: rows are looked at where they lie, and nothing is allocated for them.
//!
//!     cargo run --release -p ese-core --example export_rows -- catdb HashCatNameTable

use std::error::Error;
use std::io::{self, BufWriter, Write};

use ese_core::database::{Database, DeletedRows};
use ese_core::value::Value;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args_os().skip(1);
    let (path, name) = args.next().zip(args.next()).ok_or("which database, and which table?")?;
    let db = Database::open(path.as_ref())?;
    let table = name.to_str().and_then(|name| db.table(name)).ok_or("no such table")?;
    let columns = table.schema().layout.columns();

    let mut out = BufWriter::new(io::stdout().lock());
    let mut scan = table.scan(DeletedRows::Skip);
    let mut values = table.values();
    let (mut bytes, mut text) = (Vec::new(), String::new());
    while let Some(row) = scan.next_row() {
        let row = match row {
            Ok(row) => row,
            Err(fault) => {
                eprintln!("{fault}");
                continue;
            }
        };
        // Columns come as the record stores them, those with a default and no value last, NULL not at all.
        let mut written = Ok(());
        values.for_each(&row.record, |value| {
            let Some(column) = columns.get(value.column) else { return };
            bytes.clear();
            let whole = value.bytes.is_ok_and(|mut value| value.read_into(usize::MAX, &mut bytes).is_ok());
            let shown = match Value::decode_with(column.column_type, column.code_page, &bytes, &mut text) {
                Ok(value) if whole => value,
                // What is no value of its type stays what it is: bytes.
                _ => Value::Binary(if bytes.is_empty() { value.in_record } else { &bytes }),
            };
            if written.is_ok() {
                written = write!(out, "{}={shown} ", column.name);
            }
        })?;
        written?;
        writeln!(out)?;
    }
    out.flush()?;
    Ok(())
}
