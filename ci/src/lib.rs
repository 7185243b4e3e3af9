//! The assay command line.
