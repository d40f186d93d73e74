//! Something unsafe, written otherwise: the safe set of statements, the job that moves the data, the
//! command of an online-DDL tool.
//!
//! This room is pure, and knows statements and schema, but nothing of effects: whoever asks has
//! decided that the statement is unsafe.

pub mod advice;
pub mod job;
pub mod losses;
mod narrowing;
pub mod partitions;
pub mod steps;
pub mod tool;
