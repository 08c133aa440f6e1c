//! Damaged inputs for every grammar and every file header: no panic, no runaway memory or time, and an error is one
//! printable line.
//!
//! Case `i` of a target depends on the seed and `i` alone, so a failure is repeated by the three settings it prints:
//! `FPX_FUZZ_SEED` (a number), `FPX_FUZZ_CASE` (run that one alone) and the name of the test. `FPX_FUZZ_SECONDS=60`
//! lets each target run that long instead of a fixed number of cases.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod campaign;
mod files;
mod formats;
mod idx;
mod meter;
mod mutate;
mod numbers;
