//! What the storage does about damage, cuts and older schemas, on real files.

#![allow(clippy::disallowed_methods, reason = "these tests damage the files of databases")]

mod cut;
mod damage;
mod folders;
mod inspect;
mod look;
mod migrate;
mod rebuild;
mod support;
