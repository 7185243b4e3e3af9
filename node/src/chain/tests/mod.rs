//! The core on a real store with blocks that are really mined, and on a chain of operators.

mod branches;
mod early;
mod reversals;
mod support;
