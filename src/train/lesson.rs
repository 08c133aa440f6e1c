//! A lesson's name becomes rows that differ in one ingredient each.
//!
//! ```
//! use fpx::train::lesson::find;
//! let entries = find("weights").unwrap().entries().unwrap();
//! assert_eq!(entries[3].policy, "bf16-pure-sr");
//! assert_eq!(entries[3].recipe.describe(), "SGD 0.01, batch 64, 60 epochs");
//! ```

use super::{
    experiment::Entry,
    optimizer::Rule,
    policy::{self, PolicyError},
    slots::{SlotError, Slots},
    task::{self, Recipe, Task},
    values::{Choice as _, positive},
};

/// A set of rows that shows one thing.
#[derive(Debug)]
pub struct Lesson {
    /// Its name.
    pub name: &'static str,
    /// What it shows, in one line.
    pub about: &'static str,
    /// Each a task, changes to its recipe, and rows separated by `;`: a policy and changed slots.
    groups: &'static [[&'static str; 3]],
    /// Whether a table of dot products is part of it.
    pub has_products: bool,
}

/// Every lesson, in the order in which they are worth reading.
pub static LESSONS: &[Lesson] = &[
    Lesson {
        name: "amp",
        about: "autocast with master weights matches float32; a plain half() does not",
        groups: &[[
            "digits",
            "",
            "f32; bf16-amp; f16-amp; f16-naive; forward16-backward32; bf16-pure; f16-pure; \
             f16-pure adam_eps=1e-6; f16-pure adam_eps=1e-4",
        ]],
        has_products: false,
    },
    Lesson {
        name: "loss-scale",
        about: "where gradients are small f16 learns nothing unscaled; a factor of 8 helps, 128 is enough",
        groups: &[
            [
                "autoencoder",
                "",
                "f32; bf16-amp; f16-naive; f16-static:8; f16-static:128; f16-amp; \
                 f16-amp loss_scale=dynamic:2^30; f16-static:2^24; forward16-backward32",
            ],
            ["autoencoder", "", "f32 activation=tanh; f16-naive activation=tanh"],
        ],
        has_products: false,
    },
    Lesson {
        name: "weights",
        about: "updates too small for the weights' format are lost, unless something remembers them",
        groups: &[
            [
                "digits",
                "optimizer=sgd lr=0.01 epochs=60",
                "f32; bf16-amp; bf16-pure; bf16-pure-sr; bf16-pure-kahan; f16-pure",
            ],
            [
                "digits",
                "optimizer=sgd lr=0.002 batch=32 epochs=100",
                "f32; f16-amp; f16-pure; f16-pure update=sr; bf16-pure; bf16-pure-kahan",
            ],
        ],
        has_products: false,
    },
    Lesson {
        name: "fp8",
        about: "E4M3 forward and E5M2 backward, and what scaling a tensor is for",
        groups: &[
            [
                "digits",
                "",
                "f32; fp8 gradients=e4m3fn; fp8; fp8 loss_scale=static:1024; fp8-current; fp8-delayed",
            ],
            ["autoencoder", "", "f32; fp8 gradients=e4m3fn; fp8; fp8-current; fp8-delayed; mxfp8"],
        ],
        has_products: false,
    },
    Lesson {
        name: "fp4",
        about: "4-bit training needs its recipe: stochastic gradients, Hadamard transform, scales",
        groups: &[[
            "char-lm",
            "",
            "f32; mxfp8; mxfp6; mxfp4; mxfp4-sr; mxfp4-sr-prescaled; nvfp4; nvfp4-sr; nvfp4-rht; \
             nvfp4 weight_scales=2d; nvfp4-full; nvfp4-full keep=last",
        ]],
        has_products: false,
    },
    Lesson {
        name: "accumulate",
        about: "a sum in few bits stops growing; matrix products need a wide accumulator",
        groups: &[[
            "digits",
            "epochs=10",
            "f32; f16-amp; f16-amp accumulate=f16; bf16-amp; bf16-amp accumulate=bf16; \
             bf16-amp accumulate=bf16:32",
        ]],
        has_products: true,
    },
    Lesson {
        name: "overflow",
        about: "every remedy against overflow, measured: stable operations, learning rate, clipping",
        groups: &[
            [
                "digits",
                "epochs=60",
                "f32; f16-naive; f16-naive softmax=naive; f16-amp softmax=naive; \
                 bf16-amp softmax=naive; f16-naive softmax=naive keep=last; \
                 f16-naive softmax=naive weight_decay=0.01",
            ],
            [
                "digits",
                "optimizer=sgd lr=0.5 epochs=10",
                "f32 momentum=0.9; f16-amp momentum=0.9; f16-amp momentum=0.9 clip=1; \
                 f16-amp momentum=0.9 lr=0.1; f16-amp momentum=0; f16-amp momentum=0.9 activation=tanh",
            ],
        ],
        has_products: false,
    },
];

/// Why a row cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// No policy has this name.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// A slot cannot be set so.
    #[error(transparent)]
    Slot(#[from] SlotError),
}

/// Finds a lesson by its name.
pub fn find(name: &str) -> Option<&'static Lesson> {
    LESSONS.iter().find(|lesson| lesson.name == name)
}

impl Lesson {
    /// Returns the lesson's rows.
    ///
    /// # Errors
    ///
    /// If a row of the table is wrong: a test makes all of them.
    pub fn entries(&self) -> Result<Vec<Entry>, EntryError> {
        let mut entries = Vec::new();
        for (group, [task, changes, rows]) in self.groups.iter().enumerate() {
            let task = task::find(task).unwrap_or(&task::TASKS[0]);
            let mut recipe = task.recipe;
            for change in changes.split_whitespace() {
                assign(&mut Slots::default(), &mut recipe, change)?;
            }
            for row in rows.split(';') {
                entries.push(Entry { group, ..entry(row.trim(), task, recipe)? });
            }
        }
        Ok(entries)
    }
}

/// Reads a row: a policy, then slots and settings as `NAME=VALUE`, separated by spaces.
///
/// # Errors
///
/// If there is no such policy, or a slot cannot be set so.
pub fn entry(text: &str, task: &'static Task, mut recipe: Recipe) -> Result<Entry, EntryError> {
    let mut words = text.split_whitespace();
    let mut slots = policy::find(words.next().unwrap_or_default())?.slots;
    for word in words {
        assign(&mut slots, &mut recipe, word)?;
    }
    Ok(Entry { policy: text.to_owned(), slots, task, recipe, group: 0 })
}

/// Changes a setting, or else a slot.
fn assign(slots: &mut Slots, recipe: &mut Recipe, text: &str) -> Result<(), SlotError> {
    let wrong = || SlotError::Assignment(text.to_owned());
    let (name, value) = text.split_once('=').ok_or_else(wrong)?;
    let number = || positive(value).map_err(|_| wrong());
    let count = || value.parse().map_err(|_| wrong());
    match name {
        "epochs" => recipe.epochs = count()?,
        "batch" => recipe.batch = count()?,
        "lr" => recipe.learning_rate = number()?,
        "clip" => recipe.clip = Some(number()?),
        "adam_eps" => recipe.rule = Rule::Adam { epsilon: number()? },
        "optimizer" => recipe.rule = Rule::read(value).map_err(|_| wrong())?,
        _ => slots.set(name, value)?,
    }
    Ok(())
}
