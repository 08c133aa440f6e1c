//! A name becomes something to learn: data, a model and the settings that train it.

use std::path::Path;

use super::{
    data::{self, Dataset, text},
    layer::Shape,
    loss::Objective,
    optimizer::Rule,
    values::Activation,
};
use crate::container::ContainerError;

/// What decides a training run beside the task and the policy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recipe {
    /// Passes over the examples.
    pub epochs: usize,
    /// Examples a step.
    pub batch: usize,
    /// The constant learning rate.
    pub learning_rate: f32,
    /// The optimizer.
    pub rule: Rule,
    /// The largest norm of all gradients together; larger ones are scaled down to it.
    pub clip: Option<f32>,
}

/// What decides which of two rows did better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    /// The share of test examples classified rightly; more is better.
    Accuracy,
    /// The loss on test examples; less is better.
    TestLoss,
    /// The loss on the examples learned from; less is better.
    TrainLoss,
}

impl Figure {
    /// Whether a larger figure is the better one.
    pub const fn more_is_better(self) -> bool {
        matches!(self, Self::Accuracy)
    }
}

/// Something to learn: one row of [`TASKS`].
#[derive(Debug, PartialEq)]
pub struct Task {
    /// Its name.
    pub name: &'static str,
    /// What it is for, in one line.
    pub about: &'static str,
    /// The outputs of each hidden layer.
    hidden: &'static [usize],
    /// Numbers for each character, where inputs are characters.
    embedding: Option<usize>,
    /// The function of hidden layers, if the policy does not say.
    pub activation: Activation,
    /// What outputs are measured by.
    pub objective: Objective,
    /// By which figure policies are ranked.
    pub figure: Figure,
    /// Differences of that figure that other seeds make, found with five of them.
    pub noise: f64,
    /// How it is trained if nothing else is asked for.
    pub recipe: Recipe,
    /// Where the data come from if no path is given.
    source: Source,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Digits,
    Shakespeare,
    Path,
}

impl Source {
    /// Whether the task is the one for other data of its kind.
    const fn is_for_paths(self) -> bool {
        matches!(self, Self::Shakespeare | Self::Path)
    }
}

/// Every task, the default first.
pub static TASKS: &[Task] = &[
    Task {
        name: "digits",
        about: "8x8 handwritten digits, a small classifier: most policies do well",
        hidden: &[128, 128],
        embedding: None,
        activation: Activation::Relu,
        objective: Objective::CrossEntropy,
        figure: Figure::Accuracy,
        noise: 0.01,
        recipe: Recipe { epochs: 30, batch: 64, learning_rate: 1e-3, rule: Rule::ADAM, clip: None },
        source: Source::Digits,
    },
    Task {
        name: "autoencoder",
        about: "the digits through 16 numbers and back: gradients so small that f16 needs loss scaling",
        hidden: &[64, 32, 16, 32, 64],
        embedding: None,
        activation: Activation::Logistic,
        objective: Objective::SquaredError,
        figure: Figure::TestLoss,
        noise: 0.01,
        recipe: Recipe {
            epochs: 300,
            batch: 512,
            learning_rate: 2e-2,
            rule: Rule::ADAM,
            clip: None,
        },
        source: Source::Digits,
    },
    Task {
        name: "char-lm",
        about: "the next character of Shakespeare from the last 8: where 4-bit recipes differ",
        hidden: &[64],
        embedding: Some(16),
        activation: Activation::Tanh,
        objective: Objective::CrossEntropy,
        figure: Figure::TrainLoss,
        noise: 0.015,
        recipe: Recipe { epochs: 4, batch: 512, learning_rate: 3e-3, rule: Rule::ADAM, clip: None },
        source: Source::Shakespeare,
    },
    Task {
        name: "mnist",
        about: "your images and labels in IDX files (--data FOLDER), as MNIST's",
        hidden: &[128, 128],
        embedding: None,
        activation: Activation::Relu,
        objective: Objective::CrossEntropy,
        figure: Figure::Accuracy,
        noise: 0.01,
        recipe: Recipe { epochs: 30, batch: 64, learning_rate: 1e-3, rule: Rule::ADAM, clip: None },
        source: Source::Path,
    },
];

/// Finds a task by its name.
pub fn find(name: &str) -> Option<&'static Task> {
    TASKS.iter().find(|task| task.name == name)
}

/// Returns the task that a path is data for: a text is for `char-lm`, a folder and an IDX file for
/// `mnist`.
///
/// # Errors
///
/// If the path cannot be read.
pub fn for_data(path: &Path) -> Result<&'static Task, ContainerError> {
    let takes_text = path.is_file() && !data::is_idx(path)?;
    let fits = |task: &&Task| task.embedding.is_some() == takes_text && task.source.is_for_paths();
    Ok(TASKS.iter().find(fits).unwrap_or(&TASKS[0]))
}

impl Recipe {
    /// Returns the optimizer and the learning rate in words.
    pub fn rule_and_rate(&self) -> String {
        let rate = self.learning_rate;
        let rate = if rate < 0.01 { format!("{rate:e}") } else { rate.to_string() };
        match self.rule {
            Rule::Sgd => format!("SGD {rate}"),
            rule if rule == Rule::ADAM => format!("Adam {rate}"),
            Rule::Adam { epsilon } => format!("Adam (eps {epsilon:e}) {rate}"),
        }
    }

    /// Returns the settings in words.
    pub fn describe(&self) -> String {
        let rule = self.rule_and_rate();
        let clip = self.clip.map_or(String::new(), |norm| format!(", gradients clipped to {norm}"));
        let epochs = if self.epochs == 1 { "epoch" } else { "epochs" };
        format!("{rule}, batch {}, {} {epochs}{clip}", self.batch, self.epochs)
    }
}

impl Task {
    /// Returns the task's data: from a path if one is given, else the embedded ones, if it has any.
    ///
    /// # Errors
    ///
    /// If the path cannot be read or does not hold what the task needs.
    pub fn data(&self, path: Option<&Path>) -> Result<Option<Dataset>, ContainerError> {
        Ok(match (path, self.embedding) {
            (Some(path), None) => Some(data::idx_folder(path)?),
            (Some(path), Some(_)) => Some(data::text_file(path)?),
            (None, _) => match self.source {
                Source::Digits => Some(data::digits()),
                Source::Shakespeare => Some(text::shakespeare()),
                Source::Path => None,
            },
        })
    }

    /// Returns the model for this data.
    pub fn shape(&self, data: &Dataset, activation: Activation) -> Shape {
        let columns = data.train.inputs.columns;
        let inputs = self.embedding.map_or(columns, |numbers| columns * numbers);
        let outputs = match self.objective {
            Objective::CrossEntropy => data.classes,
            Objective::SquaredError => columns,
        };
        let widths = [&[inputs], self.hidden, &[outputs]].concat();
        let activation = if activation == Activation::Task { self.activation } else { activation };
        let embedding = self.embedding.map(|numbers| [data.classes, numbers]);
        Shape { embedding, widths, activation }
    }
}
