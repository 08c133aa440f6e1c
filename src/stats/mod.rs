//! Errors of single elements become counts, moments, maxima and histograms that add up exactly in
//! any order, and from these the metrics that people read.
//!
//! Elements are read in chunks of [`CHUNK`] by global index. Within a chunk, sums run in the lanes
//! of [`kernel::Lanes`](crate::kernel::Lanes); the sums of chunks are added exactly. So the result
//! does not depend on threads, shards or instruction sets.
//!
//! ```
//! use fpx::{kernel::Grid, stats::{Pass, Statistics}};
//! let (mut pass, mut statistics) = (Pass::default(), Statistics::new(8));
//! pass.block(&mut statistics, Grid::new(-6, 3).into(), 0, (&[1.03f32, 300.0], &[1.0f32, 288.0]));
//! pass.end(&mut statistics);
//! assert_eq!((statistics.largest[0].value, statistics.largest[0].input), (12.0, 300.0));
//! ```

mod accumulator;
mod histogram;
mod metric;
mod state;
mod sum;
mod used;

pub use accumulator::{Histograms, Maximum, Pass, Statistics};
pub use histogram::Histogram;
pub use metric::{Figure, METRICS, Measured, Metric, Show, metric};
pub use state::StateError;
pub use sum::ExactSum;
pub use used::{MAX_WIDTH, UsedCodes};

/// Elements of a chunk.
pub const CHUNK: u64 = 1 << 16;
