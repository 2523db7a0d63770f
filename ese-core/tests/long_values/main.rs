//! Long values: the rules over their trees, reference counts, reading them; on trees made here and on real files.

mod counts;
mod reading;
mod real_files;
mod rules;
mod trees;
