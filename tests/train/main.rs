//! Training against independent answers: gradients against finite differences in binary64, policies
//! against their rows, results against bounds that careful prototypes and papers saw.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod gradients;
mod policies;
mod rounding;
