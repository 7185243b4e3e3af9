//! The node's HTTP API: routes, and the client that speaks it.
//!
//! | routes | file |
//! |---|---|
//! | `/chain/head`, `/block/{id}`, `/api/v1/chain/info`, `/api/v1/chain/height` | `chain` |
//! | `/tx/{hash}`, `/submit-tx`, `/api/v1/proof/transaction/{hash}` | `transactions` |
//! | `/balance/{address}`, `/api/v1/proof/account/{address}` | `accounts` |
//! | `/api/v1/validators` | `validators` |
//! | `/api/v1/operators` | `operators` |
//! | `/health`, `/health/live`, `/health/ready` | `health` |
//! | `/metrics`, `/api/metrics` | `metrics` |
//! | `/admin/backup`, `/admin/backup/{attempt}`, `/admin/backups` | `admin` |
//! | `/openapi.json` | `openapi` |
//!
//! The short routes are under `/api/v1` as well. Bodies are the types of [`model`]; every error is an
//! [`ErrorBody`](model::ErrorBody) with a code to program against.
//!
//! Under malicious input: connections are bounded by [`crate::seams::HTTP_CONNECTIONS_MAX`], and those of one client by
//! [`CONNECTIONS_PER_CLIENT_MAX`]; what a connection may send
//! before it is a request by [`HEADERS_MAX`], [`HEADER_BYTES_MAX`] and [`IDLE_MAX`], a body by [`BODY_BYTES_MAX`], requests
//! under way by [`REQUESTS_MAX`] and each by [`REQUEST_TIME_MAX`]. The API does not limit how often one client may ask. Routes
//! under `/admin` answer nobody but who has the secret of the node's home (`token`).

mod accounts;
mod admin;
mod chain;
pub mod client;
mod error;
mod health;
mod metrics;
mod middleware;
pub mod model;
mod openapi;
mod operators;
mod read;
mod schema;
mod server;
#[cfg(test)]
mod tests;
mod token;
mod transactions;
mod validators;

pub use client::Client;
pub use error::ApiError;
pub use middleware::{BODY_BYTES_MAX, REQUEST_TIME_MAX, REQUESTS_MAX};
pub use openapi::router;
pub(crate) use server::serve;
pub use server::{CONNECTIONS_PER_CLIENT_MAX, GRACE_MAX, HEADER_BYTES_MAX, HEADERS_MAX, IDLE_MAX};
pub use token::{AdminKey, TOKEN_TIME_MAX, TokenError};
