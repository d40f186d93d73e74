//! Programs that no package source has, as tests need them: they speak the protocol that was measured on the
//! real ones, and do to the database what those do.

pub mod ghost;
