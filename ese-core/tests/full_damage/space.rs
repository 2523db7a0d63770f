//! Space that does not add up: rules S1 to S11 (spec 04 section 5).

use ese_core::finding::Code;

use super::base::Base;
use super::{Damage, damage};

fn oe(base: &Base) -> u32 {
    base.built.tree("Files").oe.unwrap()
}

pub(super) const TABLE: &[Damage] = &[
    damage("a parent that owns nothing of it", Code::SpaceParent, "S2", |base| {
        let root = base.built.tree("Files").root;
        base.built.edit_space_header(root, |words| words[1] = 4);
        base.at(root, base.tag0(root) + 4)
    }),
    damage("a blank tree of owned extents", Code::SpaceRoot, "S3", |base| {
        let root = oe(base);
        base.blank(root)
    }),
    damage("a file that is cut", Code::DbTruncated, "S11", |base| {
        let end = base.built.bytes.len() - 20 * base.size().bytes();
        base.built.bytes.truncate(end);
        end as u64
    }),
];
