//! dynamics.
