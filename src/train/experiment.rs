//! Rows of policies and seeds become measurements: independent runs, side by side on all threads.
//!
//! A run's bits depend on its own configuration alone, so neither the number of threads nor the
//! order of the runs shows in a result.

use std::{collections::HashMap, path::PathBuf};

use rayon::prelude::*;

use super::{
    data::Dataset,
    label,
    layer::Shape,
    memory::Memory,
    model::Model,
    optimizer::Rule,
    run::{Outcome, Run, train},
    slots::Slots,
    task::{Recipe, Task},
    values::Scaling,
};
use crate::{
    block::spec::{self, Spec},
    container::ContainerError,
};

/// One row of the table: a policy on a task.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The policy, as it was typed or as a lesson calls it.
    pub policy: String,
    /// What is rounded, where, and to what.
    pub slots: Slots,
    /// What is learned.
    pub task: &'static Task,
    /// The settings.
    pub recipe: Recipe,
    /// Which table the row belongs to, from 0.
    pub group: usize,
}

/// Everything that decides the numbers of an experiment.
#[derive(Clone, Debug)]
pub struct Config {
    /// The rows.
    pub entries: Vec<Entry>,
    /// The seeds, each a run of every row.
    pub seeds: Vec<u64>,
    /// Where the data come from, if they are not the embedded ones.
    pub data: Option<PathBuf>,
}

/// A row with its runs.
#[derive(Clone, Debug)]
pub struct Measured {
    /// The row.
    pub entry: Entry,
    /// The name that tells the row from all others.
    pub label: String,
    /// The model, formats apart.
    pub shape: Shape,
    /// The examples to learn from and to be tested on.
    pub examples: [usize; 2],
    /// What training keeps in memory.
    pub memory: Memory,
    /// What each run measured, a seed each.
    pub outcomes: Vec<Outcome>,
    /// The trained model of the first seed.
    pub model: Model,
}

/// Who is told of the progress of runs, from any thread.
pub trait Progress: Sync {
    /// A run begins, of so many epochs.
    fn begin(&self, run: RunId, epochs: usize);
    /// An epoch of a run is over; the loss is that of its last batch.
    fn epoch(&self, run: RunId, epoch: usize, loss: f64);
    /// A run is over.
    fn end(&self, run: RunId, outcome: &Outcome);
}

/// Nobody is told.
impl Progress for () {
    fn begin(&self, _: RunId, _: usize) {}
    fn epoch(&self, _: RunId, _: usize, _: f64) {}
    fn end(&self, _: RunId, _: &Outcome) {}
}

/// A run of an experiment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunId {
    /// The row, from 0.
    pub entry: usize,
    /// The seed's place, from 0.
    pub seed: usize,
}

/// A listener that hears nothing.
#[derive(Clone, Copy, Debug)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _: RunId, _: usize) {}
    fn epoch(&self, _: RunId, _: usize, _: f64) {}
    fn end(&self, _: RunId, _: &Outcome) {}
}

/// Why an experiment cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum ExperimentError {
    /// The data cannot be used.
    #[error(transparent)]
    Data(#[from] ContainerError),
    /// The task has no data of its own.
    #[error("task '{0}' needs --data FOLDER with IDX images and labels")]
    NoData(&'static str),
    /// A setting is out of range.
    #[error("{option} {found}: expected {expected}")]
    Setting {
        /// The setting.
        option: &'static str,
        /// What was given.
        found: String,
        /// What would be accepted.
        expected: String,
    },
    /// Slots that do not go together.
    #[error("policy '{policy}': {reason}")]
    Slots {
        /// The policy.
        policy: String,
        /// What does not go with what.
        reason: String,
    },
}

/// Runs every row with every seed.
///
/// # Errors
///
/// If the data cannot be used or a setting does not make sense. A run that diverges is a result.
pub fn run(config: &Config, progress: &dyn Progress) -> Result<Vec<Measured>, ExperimentError> {
    let sets = load(config)?;
    let data_of = |entry: &Entry| &*sets[entry.task.name];
    let seeds = config.seeds.len();
    let one = |number: usize| {
        let (entry, seed) = (number / seeds, number % seeds);
        let id = RunId { entry, seed };
        let entry = &config.entries[entry];
        progress.begin(id, entry.recipe.epochs);
        let run = entry.run(data_of(entry), config.seeds[seed]);
        let result = train(&run, |step| progress.epoch(id, step.epoch, step.loss));
        progress.end(id, &result.1);
        result
    };
    let count = config.entries.len() * seeds;
    let mut results = (0..count).into_par_iter().with_max_len(1).map(one).collect::<Vec<_>>();
    let mut results = results.drain(..);
    let entries: Vec<&Entry> = config.entries.iter().collect();
    let rows = config.entries.iter().map(|entry| {
        let runs: Vec<(Model, Outcome)> = results.by_ref().take(seeds).collect();
        let (mut models, outcomes): (Vec<_>, Vec<_>) = runs.into_iter().unzip();
        let model = models.swap_remove(0);
        let data = data_of(entry);
        Measured {
            entry: entry.clone(),
            label: label::label(entry, &entries),
            shape: entry.task.shape(data, entry.slots.activation),
            examples: [data.train.len(), data.test.len()],
            memory: Memory::of(&model, &entry.slots, entry.recipe.rule),
            outcomes,
            model,
        }
    });
    Ok(rows.collect())
}

/// Loads the data of every task once and checks every row against them.
fn load(config: &Config) -> Result<HashMap<&'static str, Box<Dataset>>, ExperimentError> {
    let mut sets = HashMap::new();
    setting("--seeds", !config.seeds.is_empty(), "0".to_owned(), "1 or more".to_owned())?;
    for entry in &config.entries {
        let name = entry.task.name;
        if !sets.contains_key(name) {
            let data = entry.task.data(config.data.as_deref())?;
            sets.insert(name, Box::new(data.ok_or(ExperimentError::NoData(name))?));
        }
        entry.check(&sets[name])?;
    }
    Ok(sets)
}

/// Returns the model of each row, formats apart.
///
/// # Errors
///
/// As [`run`].
pub fn shapes(config: &Config) -> Result<Vec<Shape>, ExperimentError> {
    let sets = load(config)?;
    let shape = |entry: &Entry| entry.task.shape(&sets[entry.task.name], entry.slots.activation);
    Ok(config.entries.iter().map(shape).collect())
}

impl Entry {
    fn run<'a>(&'a self, data: &'a Dataset, seed: u64) -> Run<'a> {
        Run {
            data,
            shape: self.task.shape(data, self.slots.activation),
            objective: self.task.objective,
            recipe: self.recipe,
            slots: &self.slots,
            seed,
        }
    }

    /// Checks settings against each other and against the data.
    fn check(&self, data: &Dataset) -> Result<(), ExperimentError> {
        let Recipe { epochs, batch, learning_rate, rule, clip } = self.recipe;
        let positive = |option, x: f32| {
            let expected = "a positive finite number";
            setting(option, x.is_finite() && x > 0.0, x.to_string(), expected.to_owned())
        };
        setting("--epochs", epochs > 0, epochs.to_string(), "1 or more".to_owned())?;
        let most = data.train.len();
        let fits = (1..=most).contains(&batch);
        setting(
            "--batch",
            fits,
            batch.to_string(),
            format!("1 to {most}, the examples there are"),
        )?;
        positive("--lr", learning_rate)?;
        positive("--clip-grad", clip.unwrap_or(1.0))?;
        if let Rule::Adam { epsilon } = rule {
            let is_right = epsilon.is_finite() && epsilon >= 0.0;
            let expected = "a finite number, 0 or more".to_owned();
            setting("--adam-eps", is_right, epsilon.to_string(), expected)?;
        }
        let layers = self.task.shape(data, self.slots.activation).layers();
        self.check_slots(layers)
    }

    /// Checks slots against each other and against the number of layers.
    fn check_slots(&self, layers: usize) -> Result<(), ExperimentError> {
        let slots = &self.slots;
        let wrong =
            |reason: String| Err(ExperimentError::Slots { policy: self.policy.clone(), reason });
        if slots.keep.largest() > layers {
            return wrong(format!("keep={} in a model of {layers} layers", slots.keep.largest()));
        }
        if slots.prescale == 0.0 || slots.prescale > 1.0 {
            return wrong("prescale is above 0 and at most 1".to_owned());
        }
        let is_block = |spec: &&Spec| matches!(spec.scaling, spec::Scaling::Block(_));
        let operands = [&slots.weights, &slots.activations, &slots.gradients];
        match (operands.into_iter().find(is_block), slots.scaling) {
            (Some(block), scaling) if scaling != Scaling::Block => {
                return wrong(format!("{block} is scaled by blocks: add --set scaling=block"));
            }
            (None, Scaling::Block) => {
                return wrong("scaling=block needs a block format such as nvfp4".to_owned());
            }
            _ => {}
        }
        let stored = [Some(&slots.optimizer_state), slots.master.as_ref()];
        let stored_in_weights = slots.master.is_none().then_some(&slots.weights);
        match stored.into_iter().flatten().chain(stored_in_weights).find(is_block) {
            Some(block) => wrong(format!("{block} has no numbers to update: its master is kept")),
            None => Ok(()),
        }
    }
}

fn setting(
    option: &'static str,
    is_right: bool,
    found: String,
    expected: String,
) -> Result<(), ExperimentError> {
    if is_right { Ok(()) } else { Err(ExperimentError::Setting { option, found, expected }) }
}
