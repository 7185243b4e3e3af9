//! The scenario file: its model, its strict reader, and the scenarios.
