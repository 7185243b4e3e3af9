//! The live drivers: the same node as local processes and containers.
