//! Training against independent answers: gradients against finite differences in binary64, policies
//! against their rows, results against bounds that careful prototypes and papers saw.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "small numbers of test data"
)]

mod bounds;
mod gradients;
mod hadamard;
mod policies;
mod products;
mod rounding;
