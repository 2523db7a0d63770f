//! What is in a database: its tables, and the first rows of each.
//!
//!     cargo run -p ese-core --example open -- catdb

use std::error::Error;

use ese_core::database::Database;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1).ok_or("which database?")?;
    let db = Database::open(path.as_ref())?;

    for table in db.tables().filter(|table| !table.schema().is_system()) {
        println!("{}", table.name());
        for row in table.rows().take(3) {
            // A page or a record that cannot be read is an error with its place; the rows behind it follow.
            let row = match row {
                Ok(row) => row,
                Err(fault) => {
                    eprintln!("  {fault}");
                    continue;
                }
            };
            println!("  page {}, line {}", row.pgno(), row.line());
            for (column, field) in row.fields() {
                // NULL is a field without values, and not an error.
                println!("    {} = {}", column.name, field?);
            }
        }
    }
    Ok(())
}
