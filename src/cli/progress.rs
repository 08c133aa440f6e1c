//! Progress becomes bars on standard error, on a terminal only.

use fpx::{
    convert::file,
    train::{
        experiment::{Config, Progress, RunId},
        run::Outcome,
    },
};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Returns where bars are drawn: nowhere if quiet or not on a terminal.
fn draw_target(quiet: bool) -> ProgressDrawTarget {
    if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() }
}

/// One line a policy while it runs; all are gone at the end, when the table stands in their place.
pub(crate) struct Bars {
    bars: Vec<ProgressBar>,
}

impl Bars {
    /// Returns the bars of an experiment, which nobody sees if quiet or not on a terminal.
    pub(crate) fn new(config: &Config, quiet: bool) -> Self {
        let lines = MultiProgress::with_draw_target(draw_target(quiet));
        let width = config.entries.iter().map(|entry| entry.policy.len()).max().unwrap_or(0);
        let template = format!("{{prefix:{width}}} {{bar:24}} {{pos:>4}}/{{len}} epochs  {{msg}}");
        let style = ProgressStyle::with_template(&template)
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        let bars = config.entries.iter().map(|entry| {
            let epochs = entry.recipe.epochs as u64 * config.seeds.len() as u64;
            let bar = lines.add(ProgressBar::new(epochs).with_style(style.clone()));
            bar.set_prefix(entry.policy.clone());
            bar
        });
        Self { bars: bars.collect() }
    }
}

impl Progress for Bars {
    fn begin(&self, run: RunId, _: usize) {
        self.bars[run.entry].tick();
    }

    fn epoch(&self, run: RunId, _: usize, loss: f64) {
        self.bars[run.entry].set_message(format!("loss {loss:.4}"));
        self.bars[run.entry].inc(1);
    }

    fn end(&self, run: RunId, outcome: &Outcome) {
        if let Some(first) = &outcome.first_nan {
            self.bars[run.entry].set_message(format!("NaN at step {}", first.step));
        }
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        for bar in &self.bars {
            bar.finish_and_clear();
        }
    }
}

/// The bytes of the files that are converted.
pub(crate) struct Bytes(ProgressBar);

impl Bytes {
    /// Returns a bar that is not drawn yet.
    pub(crate) fn new(quiet: bool) -> Self {
        let template = "{bar:40} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left";
        let style =
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        Self(ProgressBar::with_draw_target(None, draw_target(quiet)).with_style(style))
    }
}

impl file::Progress for Bytes {
    fn start(&self, bytes: u64) {
        self.0.set_length(bytes);
    }

    fn advance(&self, bytes: u64) {
        self.0.inc(bytes);
    }
}

impl Drop for Bytes {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
