//! What the output says of how it was made.

use std::collections::BTreeMap;

use super::{
    Config,
    plan::{Action, Job},
    store::Form,
};
use crate::{
    block::{Scaling, rows::ScaleKind},
    container::{
        Source, companion,
        written::{self, FORMAT, PREFIX, SCALE, TENSORS, Written},
    },
};

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
    let projection = config.projection();
    add("version", env!("CARGO_PKG_VERSION").to_owned());
    if config.simulate {
        add("simulated", config.target.to_string());
    }
    add("rounding", projection.rounding.to_string());
    add("overflow", projection.overflow.to_string());
    if let Scaling::Block(block) = &config.target.scaling {
        add("block", block.size.to_string());
        if block.scale() == ScaleKind::E8m0 {
            add("rule", block.rule.name.to_owned());
        }
    }
    if projection.rounding.mode.is_stochastic() {
        add("seed", config.seed.to_string());
    }
    let formats = formats(config, source, jobs);
    if !formats.is_empty() {
        metadata.push((FORMAT.to_owned(), formats));
    }
    if is_unscaled(source, jobs) {
        metadata.push((SCALE.0.to_owned(), SCALE.1.to_owned()));
    }
    let records = records(source, jobs);
    if !records.is_empty() {
        metadata.push((TENSORS.to_owned(), written::text(&records)));
    }
    metadata
}

/// Returns what is said of single tensors: of those converted here, and of the copied ones what the
/// input says.
fn records(source: &Source, jobs: &[Job]) -> BTreeMap<String, written::Record> {
    let mut known = Written::of(source).tensors;
    let record = |job: &Job| {
        let output = &job.outputs[0].name;
        let record = match &job.action {
            Action::Convert(conversion) => conversion.record.clone(),
            Action::Copy(_) => known.remove(output),
        };
        Some((output.clone(), record?))
    };
    jobs.iter().filter_map(record).collect()
}

/// Returns the formats of the weights: that of the converted ones, after those that the input names
/// for what was copied.
fn formats(config: &Config, source: &Source, jobs: &[Job]) -> String {
    let target = config.target.to_string();
    let known = source.metadata.iter().find(|(key, _)| key == FORMAT);
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
            conversion.scaling.is_none() && !matches!(conversion.form, Form::Text(..))
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
        Action::Copy(_) => Written::of(source).is_unscaled,
    };
    !narrow.is_empty() && narrow.iter().all(is_trusted)
}
