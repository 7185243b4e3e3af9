//! Golden outputs of all renderers, and what must never break: strict reading, escaping, atomic files.

mod alerts;
mod drills;
mod files;
mod fixture;
mod parity;
mod read;
mod requests;
mod run;
mod sweep;
