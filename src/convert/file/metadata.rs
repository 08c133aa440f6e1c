//! What the output says of how it was made.

use super::{
    Config,
    plan::{Action, FORMAT_KEY, Job, SCALE_KEY, says_unscaled},
    store::Form,
};
use crate::container::{Source, companion};

/// The beginning of the keys that are ours.
const PREFIX: &str = "fpx.";

/// Returns the metadata of a part: what the input said, and what was done to it.
pub(super) fn of(config: &Config, source: &Source, jobs: &[Job]) -> Vec<(String, String)> {
    let is_ours = |(key, _): &&(String, String)| key.starts_with(PREFIX);
    let mut metadata: Vec<_> =
        source.metadata.iter().filter(|pair| !is_ours(pair)).cloned().collect();
    let converted = |job: &&Job| matches!(job.action, Action::Convert(_));
    if !jobs.iter().any(|job| converted(&job)) {
        // Nothing was done that has not been said.
        metadata.extend(source.metadata.iter().filter(is_ours).cloned());
        return metadata;
    }
    let mut add = |key: &str, value: String| metadata.push((format!("{PREFIX}{key}"), value));
    let projection = config.target.projection(&config.projection);
    add("version", env!("CARGO_PKG_VERSION").to_owned());
    if config.simulate {
        add("simulated", config.target.to_string());
    }
    add("rounding", projection.rounding.to_string());
    add("overflow", projection.overflow.to_string());
    if projection.rounding.mode.is_stochastic() {
        add("seed", config.seed.to_string());
    }
    let formats = formats(config, source, jobs);
    if !formats.is_empty() {
        metadata.push((FORMAT_KEY.to_owned(), formats));
    }
    if is_unscaled(source, jobs) {
        metadata.push((SCALE_KEY.0.to_owned(), SCALE_KEY.1.to_owned()));
    }
    metadata
}

/// Returns the formats of the weights: that of the converted ones, after those that the input names
/// for what was copied.
fn formats(config: &Config, source: &Source, jobs: &[Job]) -> String {
    let target = config.target.to_string();
    let known = source.metadata.iter().find(|(key, _)| key == FORMAT_KEY);
    let copies = jobs.iter().any(|job| matches!(job.action, Action::Copy(_)));
    let known = known.filter(|_| copies).map_or("", |(_, formats)| formats);
    let new = (!config.simulate).then_some(target.as_str());
    let mut formats: Vec<&str> = known.split(',').filter(|name| !name.is_empty()).collect();
    formats.extend(new.filter(|new| !known.split(',').any(|name| name == *new)));
    formats.join(",")
}

/// Whether there are 8-bit codes without a scale, and all of them are plain numbers: converted so
/// here, or so by the word of the input.
fn is_unscaled(source: &Source, jobs: &[Job]) -> bool {
    let is_plain = |job: &&Job| match &job.action {
        Action::Convert(conversion) => {
            conversion.grouping.is_none() && !matches!(conversion.form, Form::Text(..))
        }
        Action::Copy(_) => !job.has_scales,
    };
    let narrow: Vec<&Job> = jobs
        .iter()
        .filter(is_plain)
        .filter(|job| companion::needs_scale(&job.outputs[0].element))
        .collect();
    let is_trusted = |job: &&Job| match &job.action {
        Action::Convert(_) => true,
        Action::Copy(_) => says_unscaled(source),
    };
    !narrow.is_empty() && narrow.iter().all(is_trusted)
}
