//! Renderers: each a pure function from a [`Record`](crate::Record) to text.

mod html;
mod json;
mod junit;
pub(crate) mod line;
pub(crate) mod markdown;
mod plot;

pub use html::html;
pub use json::json;
pub use junit::junit;
pub use line::{line, line_in_color};
pub use markdown::markdown;
pub use plot::plots;

pub(crate) use html::{page, word};
pub(crate) use json::to_json;
pub(crate) use junit::duration;
