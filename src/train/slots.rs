//! `SLOT=VALUE` becomes one choice of a policy: what is rounded, where, and to what.
//!
//! A policy is a row of slots and nothing else. Every slot has a default, the one of plain float32
//! training, and is written as it is read.
//!
//! ```
//! use fpx::train::slots::Slots;
//! let mut slots = Slots::default();
//! slots.set("weights", "bf16/sr").unwrap();
//! slots.set("loss_scale", "dynamic:2^10").unwrap();
//! assert_eq!(slots.to_string(), "weights=bf16/sr loss_scale=dynamic:1024,2000");
//! assert!(slots.set("weights", "e8m0").is_err());
//! ```

use super::values::{
    Accumulate, Activation, Choice, Hadamard, Keep, LossScale, Scaling, Softmax, Update,
    WeightScales,
};
use crate::{
    block::spec::Spec,
    codec::Projection,
    format::{F32, nearest},
};

/// Why a slot cannot take a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SlotError {
    /// No slot has this name.
    #[error("unknown slot '{name}'{}, expected one of {known}", hint.as_ref().map_or(String::new(), |hint| format!(" (did you mean '{hint}'?)")))]
    Unknown {
        /// What was given.
        name: String,
        /// A slot with a similar name.
        hint: Option<String>,
        /// Every slot.
        known: String,
    },
    /// Not `SLOT=VALUE`.
    #[error("'{0}': expected SLOT=VALUE, such as update=sr")]
    Assignment(String),
    /// The slot does not take this value.
    #[error("slot '{slot}' cannot be '{value}': {reason}")]
    Value {
        /// The slot.
        slot: &'static str,
        /// What was given.
        value: String,
        /// What is wrong with it, or what would be accepted.
        reason: String,
    },
}

macro_rules! slots {
    ($($(#[$doc:meta])* $name:ident: $value:ty = $default:expr;)*) => {
        /// Every choice of a policy.
        #[derive(Clone, Debug, PartialEq)]
        pub struct Slots {
            $($(#[$doc])* pub $name: $value,)*
            /// What casts of weights, activations and gradients do where no slot says otherwise.
            pub general: Projection,
        }

        impl Default for Slots {
            /// Float32 everywhere.
            fn default() -> Self {
                Self { $($name: $default,)* general: Projection::default() }
            }
        }

        impl Slots {
            /// The names of all slots.
            pub const NAMES: &'static [&'static str] = &[$(stringify!($name)),*];

            /// Changes one slot.
            ///
            /// # Errors
            ///
            /// If there is no such slot, or it does not take this value.
            pub fn set(&mut self, slot: &str, value: &str) -> Result<(), SlotError> {
                match slot {
                    $(stringify!($name) => self.$name = <$value>::read(value).map_err(|reason| {
                        SlotError::Value { slot: stringify!($name), value: value.to_owned(), reason }
                    })?,)*
                    _ => return Err(unknown(slot)),
                }
                Ok(())
            }

            /// Returns every slot with its value and what it takes.
            pub fn written(&self) -> Vec<Written> {
                vec![$(Written {
                    name: stringify!($name),
                    value: self.$name.write(),
                    expected: <$value>::EXPECTED,
                }),*]
            }
        }
    };
}

slots! {
    /// The format in which matrix products read weights.
    weights: Spec = Spec::plain(F32.clone());
    /// The format of activations.
    activations: Spec = Spec::plain(F32.clone());
    /// The format of gradients.
    gradients: Spec = Spec::plain(F32.clone());
    /// The format in which weights are kept and updated; without one, that of `weights`.
    master: Option<Spec> = Some(Spec::plain(F32.clone()));
    /// The format of the optimizer's moments and of every intermediate it stores.
    optimizer_state: Spec = Spec::plain(F32.clone());
    /// The running sum of a matrix product.
    accumulate: Accumulate = Accumulate::default();
    /// The factor on the loss.
    loss_scale: LossScale = LossScale::None;
    /// How formats of fewer than 16 bits are scaled.
    scaling: Scaling = Scaling::None;
    /// How updated weights are rounded.
    update: Update = Update::Nearest;
    /// The layers left in float32.
    keep: Keep = Keep::default();
    /// A random Hadamard transform of what weight gradients are made from.
    hadamard: Hadamard = Hadamard::None;
    /// Whether the blocks of weights are rows or squares.
    weight_scales: WeightScales = WeightScales::OneDimensional;
    /// A factor on block-scaled gradients between choosing their scale and rounding; undone after.
    prescale: f32 = 1.0;
    /// How the softmax is computed.
    softmax: Softmax = Softmax::Stable;
    /// The activation function of hidden layers.
    activation: Activation = Activation::Task;
    /// The momentum of SGD.
    momentum: f32 = 0.0;
    /// The factor of the weights that is added to their gradients.
    weight_decay: f32 = 0.0;
}

/// A slot as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The slot.
    pub name: &'static str,
    /// Its value.
    pub value: String,
    /// What it takes.
    pub expected: &'static str,
}

impl Slots {
    /// Changes the slot of a `SLOT=VALUE`.
    ///
    /// # Errors
    ///
    /// If the text is not of that form, or the slot is unknown or does not take the value.
    pub fn assign(&mut self, text: &str) -> Result<(), SlotError> {
        let (slot, value) =
            text.split_once('=').ok_or_else(|| SlotError::Assignment(text.to_owned()))?;
        self.set(slot.trim(), value.trim())
    }
}

impl Slots {
    /// Returns the slots of a layer, numbered from 1, of `count`: those of a layer that is left in
    /// float32 have every format at its default.
    #[must_use]
    pub fn of_layer(&self, number: usize, count: usize) -> Self {
        if self.keep.contains(number, count) { self.in_float32() } else { self.clone() }
    }

    /// Returns the float32 row of the same mathematics: what decides no rounding is kept.
    #[must_use]
    pub fn in_float32(&self) -> Self {
        let Self { activation, momentum, weight_decay, .. } = *self;
        Self { activation, momentum, weight_decay, ..Self::default() }
    }
}

impl std::fmt::Display for Slots {
    /// Writes the slots that differ from float32 training, as `--set` reads them.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let defaults = Self::default().written();
        let changed: Vec<String> = self
            .written()
            .into_iter()
            .zip(defaults)
            .filter(|(slot, default)| slot != default)
            .map(|(slot, _)| format!("{}={}", slot.name, slot.value))
            .collect();
        f.write_str(&changed.join(" "))
    }
}

fn unknown(name: &str) -> SlotError {
    let hint = nearest(name, Slots::NAMES.iter().map(|slot| (*slot, *slot)));
    SlotError::Unknown {
        name: name.to_owned(),
        hint: hint.map(str::to_owned),
        known: Slots::NAMES.join(" "),
    }
}
