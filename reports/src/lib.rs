//! The run record and its renderers.
