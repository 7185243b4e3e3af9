//! Transactions, as clients submit them.
#![no_main]

assay_fuzz::target!("transaction_json");
