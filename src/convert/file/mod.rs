//! A tensor file or checkpoint folder becomes another, in constant memory.
//!
//! ```text
//!     plan      what becomes of each tensor, and where its bytes will be: from headers alone
//!     chunks    bytes of one tensor, handed to whichever worker is free
//!     load      bytes -> numbers (binary32, binary64, or the codec's own), times their scales
//!     store     numbers -> divided by scales, rounded by the kernels -> bytes, to their place
//! ```
//!
//! An element's result depends on the element, its tensor's number and its index alone, so the bytes
//! are the same for any number of threads. Every product and quotient with a scale is exact or rounded
//! to odd in binary64, so that the rounding to the target is the only one.

mod chunks;
mod error;
mod folder;
mod layout;
mod metadata;
mod outputs;
mod part;
mod plan;
mod report;
mod run;
mod scaled;
mod store;
mod summary;

pub use error::{Blame, FileError};
pub use folder::convert_folder;
pub use report::{lines, report};
pub use summary::{Copied, Lost, ScaleCounts, Summary, Watched};

use std::{io::Write, time::Instant};

use glob::Pattern;

use crate::{
    block::{Quantizer, Scaling, Spec},
    codec::Projection,
    container::{
        Container, Packing, SAFETENSORS, Source, Writing,
        output::{Draft, Interrupt, Place},
    },
    format::Format,
    kernel::Counts,
};
use chunks::InOrder;
use part::{Output, Part};
use run::Runner;

/// What to do, whatever the file.
#[derive(Clone, Debug)]
pub struct Config {
    /// What elements become.
    pub target: Spec,
    /// How they are rounded, unless the target says so itself.
    pub projection: Projection,
    /// The seed of stochastic rounding.
    pub seed: u64,
    /// What numbers in text are rounded to first.
    pub from: Option<Format>,
    /// Which tensors change.
    pub select: Select,
    /// Keep the element type, and store the rounded values.
    pub simulate: bool,
    /// How narrow codes lie in kinds of file that leave a choice.
    pub packing: Packing,
    /// Take 8-bit codes without a recognised scale for plain numbers.
    pub allow_unscaled: bool,
    /// What must not happen to any element, else nothing is kept.
    pub fail_on: Vec<Watched>,
}

/// Which tensors change, by name.
#[derive(Clone, Debug, Default)]
pub struct Select {
    /// Those that match one of these; all, if there are none.
    pub include: Vec<Pattern>,
    /// But those that match one of these.
    pub exclude: Vec<Pattern>,
}

impl Select {
    /// Whether a tensor changes.
    pub fn takes(&self, name: &str) -> bool {
        let matches = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.matches(name));
        (self.include.is_empty() || matches(&self.include)) && !matches(&self.exclude)
    }

    /// Whether a tensor was asked for by name, not by default.
    pub fn names(&self, name: &str) -> bool {
        !self.include.is_empty() && self.takes(name)
    }
}

/// Who is told how far the work is.
pub trait Progress: Sync {
    /// There are so many bytes to be read.
    fn start(&self, bytes: u64);
    /// So many more were converted.
    fn advance(&self, bytes: u64);
}

/// Where a file goes.
pub enum Destination {
    /// Nowhere: the work is done to measure it.
    Nowhere,
    /// A pipe or device.
    Stream(Box<dyn Write + Send>),
    /// A path.
    Place(Place),
}

impl std::fmt::Debug for Destination {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Nowhere => f.write_str("Nowhere"),
            Self::Stream(_) => f.write_str("Stream"),
            Self::Place(place) => f.debug_tuple("Place").field(place).finish(),
        }
    }
}

impl Config {
    /// Returns how elements are rounded: scaled ones by the rules of their target.
    pub fn projection(&self) -> Projection {
        match Quantizer::new(&self.target, &self.projection) {
            Ok(quantizer) => *quantizer.projection(),
            Err(_) => self.target.projection(&self.projection),
        }
    }

    /// Whether elements beyond the largest become it, in blocks whose scale is chosen so.
    fn is_clipped(&self) -> bool {
        matches!(self.target.scaling, Scaling::Block(_))
    }

    /// Returns the conditions that are met and must not be.
    fn failed(&self, counts: &Counts) -> Vec<Watched> {
        self.fail_on.iter().copied().filter(|watched| watched.elements(counts) > 0).collect()
    }
}

/// Returns the error of a failed write; that of a closed pipe is nobody's fault.
fn write_error(error: std::io::Error) -> FileError {
    if error.kind() == std::io::ErrorKind::BrokenPipe {
        return FileError::ClosedPipe;
    }
    FileError::Write(error)
}

/// Returns the kind of file that an input becomes if nothing says otherwise.
pub fn usual_kind(source: &Source) -> &'static Container {
    match source.kind.writing {
        // Of the kinds with names, safetensors has a place for everything.
        Writing::None(_) => &SAFETENSORS,
        Writing::Framed(_) | Writing::Text(_) => source.kind,
    }
}

/// Converts one file to a kind of file.
///
/// # Errors
///
/// [`FileError`]; then there is no output and the input is as it was.
pub fn convert_file(
    config: &Config,
    source: Source,
    kind: &'static Container,
    destination: Destination,
    interrupt: &Interrupt,
    progress: &dyn Progress,
) -> Result<Summary, FileError> {
    let started = Instant::now();
    let parts = [source.sound()?];
    let plan = plan::plan(config, &parts, kind)?;
    let part = Part::new(config, kind, &parts[0], &plan.jobs)?;
    let runner = Runner::new(config, &parts, &plan, progress);
    progress.start(plan.work());
    let mut summary = plan.summary(&parts[0].path);
    summary.notes.extend(part.notes());
    match destination {
        Destination::Nowhere => part.convert(&runner, &Output::Nowhere, &mut summary)?,
        Destination::Stream(stream) => {
            part.check_streamed()?;
            let stream = InOrder::new(stream);
            part.convert(&runner, &Output::InOrder(&stream), &mut summary)?;
            stream.flush().map_err(write_error)?;
            summary.is_written = true;
        }
        Destination::Place(place) => {
            let draft = Draft::create(place, part.bytes(), interrupt)?;
            part.write(&runner, draft.file(), &mut summary)?;
            if config.failed(&summary.counts).is_empty() {
                draft.finish()?;
                summary.is_written = true;
            }
        }
    }
    summary.failed = config.failed(&summary.counts);
    summary.bytes_out = part.bytes().unwrap_or(runner.written());
    summary.duration = started.elapsed();
    Ok(summary)
}
