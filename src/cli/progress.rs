//! Progress becomes bars on standard error, on a terminal only.

use fpx::train::{
    experiment::{Config, Progress, RunId},
    run::Outcome,
};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// One line a policy while it runs; all are gone at the end, when the table stands in their place.
pub(crate) struct Bars {
    bars: Vec<ProgressBar>,
}

impl Bars {
    /// Returns the bars of an experiment, which nobody sees if quiet or not on a terminal.
    pub(crate) fn new(config: &Config, quiet: bool) -> Self {
        let target =
            if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let lines = MultiProgress::with_draw_target(target);
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
