//! A name becomes a row of slots: what mixed-precision training rounds, and to what.
//!
//! ```
//! use fpx::train::policy::find;
//! let amp = find("f16-amp").unwrap();
//! assert_eq!(
//!     amp.slots.to_string(),
//!     "weights=f16 activations=f16 gradients=f16 loss_scale=dynamic:65536,2000"
//! );
//! assert_eq!(find("f16-static:8").unwrap().name, "f16-static:8");
//! ```

use super::{
    slots::Slots,
    values::{Choice as _, Hadamard, LossScale, Scaling, Update, WeightScales},
};
use crate::{
    block::spec::Spec,
    codec::{Rounding, SR},
    format::{BF16, E4M3FN, E5M2, F16, F32, Format, nearest},
};

/// A named row of slots.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// Its name, as it was typed.
    pub name: String,
    /// What it is, in one line.
    pub about: &'static str,
    /// What is rounded, where, and to what.
    pub slots: Slots,
}

/// A name that is no policy's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// No policy has this name.
    #[error("unknown policy '{name}'{} (--policy list shows all)", meant(nearest.as_deref()))]
    Unknown {
        /// What was given.
        name: String,
        /// The policy with the most similar name, if one is similar.
        nearest: Option<String>,
    },
    /// The number after the colon is no loss scale.
    #[error("policy '{name}': {reason}")]
    Scale {
        /// What was given.
        name: String,
        /// What would be accepted.
        reason: String,
    },
}

/// Every policy's function makes its row from the words of the story: `amp`, `pure`, `operands`.
macro_rules! policies {
    ($($name:ident $about:literal = $slots:expr;)*) => {
        /// Returns every policy, in the order they are listed to people.
        pub fn all() -> Vec<Policy> {
            vec![$(Policy {
                // Names of formats are written in one place only; these are identifiers.
                name: stringify!($name).replace('_', "-"),
                about: $about,
                slots: $slots,
            }),*]
        }
    };
}

policies! {
    f32 "float32 everywhere: the reference" = Slots::default();
    bf16_amp "autocast to bf16, float32 master weights, no loss scaling" = amp(&BF16, LossScale::None);
    f16_amp "autocast to f16, float32 master weights, dynamic loss scaling" = amp(&F16, LossScale::DYNAMIC);
    f16_naive "autocast to f16 without loss scaling: small gradients become 0" = amp(&F16, LossScale::Static(1.0));
    f16_static "autocast to f16 with a fixed loss scale: f16-static:K" = amp(&F16, LossScale::Static(128.0));
    forward16_backward32 "the textbook misreading: only the forward pass in 16 bits"
        = Slots { gradients: Spec::plain(F32.clone()), ..amp(&F16, LossScale::None) };
    bf16_pure "model.bfloat16(): no float32 anywhere, updates to nearest" = pure(&BF16, Update::Nearest);
    bf16_pure_sr "the same, weights updated with stochastic rounding" = pure(&BF16, Update::Stochastic);
    bf16_pure_kahan "the same, weights updated with Kahan summation" = pure(&BF16, Update::Kahan);
    f16_pure "model.half(): no float32 anywhere" = pure(&F16, Update::Nearest);
    fp8 "E4M3 forward, E5M2 gradients, unscaled" = eight(Scaling::None);
    fp8_current "E4M3 forward, E5M2 gradients, scaled a tensor by its largest magnitude" = eight(Scaling::Current);
    fp8_delayed "the same, by the largest magnitude of the last 16 steps" = eight(Scaling::Delayed { history: 16 });
    mxfp8 "blocks of 32 E4M3 numbers with a power-of-two scale" = blocks(block(stringify!(mxfp8_e4m3)));
    mxfp6 "blocks of 32 E3M2 numbers with a power-of-two scale" = blocks(block(stringify!(mxfp6_e3m2)));
    mxfp4 "blocks of 32 E2M1 numbers with a power-of-two scale" = blocks(block(stringify!(mxfp4)));
    mxfp4_sr "the same, gradients rounded stochastically: the floor rule's saturation biases them"
        = Slots { gradients: stochastic(block(stringify!(mxfp4))), ..blocks(block(stringify!(mxfp4))) };
    mxfp4_sr_prescaled "the same, gradients times 3/4 before rounding and back after: unbiased"
        = Slots { gradients: stochastic(block(stringify!(mxfp4))), prescale: 0.75, ..blocks(block(stringify!(mxfp4))) };
    nvfp4 "blocks of 16 E2M1 numbers with an E4M3 scale" = blocks(block(stringify!(nvfp4)));
    nvfp4_sr "the same, gradients rounded stochastically"
        = Slots { gradients: stochastic(block(stringify!(nvfp4))), ..blocks(block(stringify!(nvfp4))) };
    nvfp4_rht "the same, to nearest, weight gradients through a random Hadamard transform"
        = Slots { hadamard: Hadamard::Wgrad, ..blocks(block(stringify!(nvfp4))) };
    nvfp4_full "stochastic gradients, Hadamard transform and square weight blocks: NVIDIA's recipe"
        = Slots {
            gradients: stochastic(block(stringify!(nvfp4))),
            hadamard: Hadamard::Wgrad,
            weight_scales: WeightScales::TwoDimensional,
            ..blocks(block(stringify!(nvfp4)))
        };
}

/// Autocast: matrix products, activations and gradients in `format`; weights, optimizer and loss in
/// float32.
fn amp(format: &Format, loss_scale: LossScale) -> Slots {
    let [weights, activations, gradients] = std::array::from_fn(|_| Spec::plain(format.clone()));
    Slots { weights, activations, gradients, loss_scale, ..Slots::default() }
}

/// The model converted to `format`: its weights, gradients and optimizer state, without a master.
fn pure(format: &Format, update: Update) -> Slots {
    let optimizer_state = Spec::plain(format.clone());
    Slots { master: None, optimizer_state, update, ..amp(format, LossScale::None) }
}

/// The operands of matrix products in 8 bits: precision forward, range backward.
fn eight(scaling: Scaling) -> Slots {
    let gradients = Spec::plain(E5M2.clone());
    Slots { gradients, scaling, ..amp(&E4M3FN, LossScale::None) }
}

/// The operands of matrix products in a block format.
fn blocks(spec: Spec) -> Slots {
    let [weights, activations] = std::array::from_fn(|_| spec.clone());
    Slots { weights, activations, gradients: spec, scaling: Scaling::Block, ..Slots::default() }
}

fn stochastic(spec: Spec) -> Spec {
    Spec { rounding: Some(Rounding::new(&SR)), ..spec }
}

/// Returns the target of this name.
fn block(name: &str) -> Spec {
    name.parse().expect("a row of the block formats")
}

/// Finds a policy by its name; `f16-static:K` has any loss scale K.
///
/// # Errors
///
/// [`PolicyError`] if there is none, or K is no positive number.
pub fn find(name: &str) -> Result<Policy, PolicyError> {
    let (base, scale) = name.split_once(':').unwrap_or((name, ""));
    let found = all().into_iter().find(|policy| policy.name == base);
    match found {
        Some(mut policy) if !scale.is_empty() => {
            let is_static = matches!(policy.slots.loss_scale, LossScale::Static(_));
            let read = LossScale::read(&format!("static:{scale}"));
            let read = if is_static { read } else { Err("takes no number".to_owned()) };
            policy.slots.loss_scale =
                read.map_err(|reason| PolicyError::Scale { name: name.to_owned(), reason })?;
            Ok(Policy { name: name.to_owned(), ..policy })
        }
        Some(policy) => Ok(policy),
        None => {
            let policies = all();
            let known = policies.iter().map(|policy| (policy.name.as_str(), &policy.name));
            let nearest = nearest(name, known).cloned();
            Err(PolicyError::Unknown { name: name.to_owned(), nearest })
        }
    }
}

fn meant(name: Option<&str>) -> String {
    name.map_or_else(String::new, |name| format!(", did you mean '{name}'?"))
}
