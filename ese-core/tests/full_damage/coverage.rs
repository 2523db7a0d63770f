//! Every code of findings and every rule of the specification has a damage, here or in the tests of its family.
