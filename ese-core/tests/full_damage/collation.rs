//! Indexes over collated text.
