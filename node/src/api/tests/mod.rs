//! The API of a real node, over connections in memory and in paused time.

mod admin;
mod bounds;
mod described;
mod host;
mod proofs;
mod routes;
mod submit;
mod wellness;
