//! The core on a real store, with blocks that are really mined.

mod early;
mod reversals;
mod support;
