//! The steps of every run become JSON lines, in the order of rows, seeds and steps.

use serde_json::json;

use super::experiment::{Config, Measured};
use crate::report::value_of;

/// Returns one line a step.
pub fn lines(config: &Config, rows: &[Measured]) -> String {
    let mut text = String::new();
    for row in rows {
        for (seed, outcome) in config.seeds.iter().zip(&row.outcomes) {
            for step in &outcome.log {
                let line = json!({
                    "policy": row.label,
                    "task": row.entry.task.name,
                    "seed": seed,
                    "epoch": step.epoch,
                    "step": step.step,
                    "loss": value_of(step.loss),
                    "loss_scale": value_of(f64::from(step.scale)),
                    "skipped": step.is_skipped,
                });
                text += &line.to_string();
                text.push('\n');
            }
        }
    }
    text
}
