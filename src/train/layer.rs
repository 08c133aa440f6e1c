//! Activations become the next layer's activations, and gradients of these become gradients of
//! those and of the weights.
//!
//! A layer is `y = f(x·W + b)`. Its three matrix products are where formats matter: forward
//! `x·W`, backward `dy·Wᵀ` (the gradient of what came in) and `xᵀ·dy` (the gradient of the weights).
//! Each operand passes a [`Quantizer`] on the way in, each result one on the way out.

use super::{
    activation,
    matmul::{gemm, matmul},
    matrix::Matrix,
    parameter::{Kind, Parameter, Which},
    quantizer::{Operand, Quantizer},
    random::{self, Use},
    slots::Slots,
    tally::Role,
    trace::Trace,
    values::Activation,
};
use crate::kernel::Gemm;

/// What a model is made of, formats apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Different characters, and numbers for each, where inputs are characters.
    pub embedding: Option<[usize; 2]>,
    /// The inputs, the outputs of each hidden layer, and the outputs.
    pub widths: Vec<usize>,
    /// The function of hidden layers.
    pub activation: Activation,
}

impl Shape {
    /// Returns the number of layers.
    pub fn layers(&self) -> usize {
        self.widths.len() - 1
    }
}

/// A fully connected layer with the formats of its tensors.
#[derive(Clone, Debug)]
pub struct Layer {
    /// The place in the model, from 1.
    pub number: usize,
    /// What each input adds to each output: a row an input.
    pub weight: Parameter,
    /// What is added to each output.
    pub bias: Parameter,
    activation: Activation,
    /// The way into the format of activations.
    pub activations: Quantizer,
    /// The way into the format of weights.
    pub weights: Quantizer,
    /// The way into the format of gradients.
    pub gradients: Quantizer,
    gemm: Gemm,
    borders: Borders,
    cast: Cast,
    saved: Saved,
}

/// Where tensors come in from outside the layer's formats and need a cast.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Borders {
    /// Activations come from the data, or from a layer in other formats.
    input: bool,
    /// Gradients come from the loss, or from a layer in other formats.
    output: bool,
}

/// Weight and bias as this step's matrix products read them.
#[derive(Clone, Debug, Default)]
struct Cast {
    weight: Operand,
    bias: Vec<f32>,
}

/// What a forward pass leaves for the backward one.
#[derive(Clone, Debug, Default)]
struct Saved {
    input: Operand,
    output: Matrix,
}

impl Layer {
    /// Returns the layer of this number, from 1, of a model.
    #[expect(clippy::cast_precision_loss, reason = "widths are far below 2^24")]
    pub fn new(number: usize, shape: &Shape, slots: &Slots, seed: u64) -> Self {
        let count = shape.layers();
        let is_kept = |number| slots.keep.contains(number, count);
        let formats = slots.of_layer(number, count);
        let (inputs, outputs) = (shape.widths[number - 1], shape.widths[number]);
        let bound = (inputs as f32).sqrt().recip();
        let parameter = |part, kind, sides, place| {
            let name = format!("layers.{}.{part}", number - 1);
            Parameter::new(Which { name, kind, seed, number: place }, sides, bound, &formats)
        };
        let quantizer = |role: Role| {
            let place = Role::ALL.len() * number + role as usize;
            Quantizer::new(role, &formats, seed, random::stream(seed, Use::Cast, place))
        };
        Self {
            number,
            weight: parameter("weight", Kind::Weight, [inputs, outputs], 2 * number - 1),
            bias: parameter("bias", Kind::Bias, [1, outputs], 2 * number),
            activation: if number < count { shape.activation } else { Activation::Task },
            activations: quantizer(Role::Activations),
            weights: quantizer(Role::Weights),
            gradients: quantizer(Role::Gradients),
            gemm: gemm(&formats.accumulate),
            borders: Borders {
                input: number == 1 || is_kept(number - 1) != is_kept(number),
                output: number == count || is_kept(number + 1) != is_kept(number),
            },
            cast: Cast::default(),
            saved: Saved::default(),
        }
    }

    /// Stops counting and remembering: what follows is a test, not training.
    pub const fn freeze(&mut self) {
        self.activations.freeze();
        self.weights.freeze();
        self.gradients.freeze();
    }

    /// Casts the weights for one step: the copy that both passes read.
    pub fn cast(&mut self) {
        let mut weight = self.weight.value.clone();
        self.weights.hold(&mut weight.data);
        let mut bias = self.bias.value.data.clone();
        self.weights.hold(&mut bias);
        self.cast = Cast { weight: self.weights.operand(weight), bias };
    }

    /// Computes `f(x·W + b)`.
    pub fn forward(&mut self, mut input: Matrix, trace: &mut Trace) -> Matrix {
        if self.borders.input {
            self.activations.hold(&mut input.data);
        }
        let input = self.activations.operand(input);
        let weight = self.cast.weight.along_first().view();
        let mut output = matmul(&self.gemm, input.along_last().view(), weight);
        for row in 0..output.rows {
            for (y, b) in output.row_mut(row).iter_mut().zip(&self.cast.bias) {
                *y += b;
            }
        }
        self.activations.hold(&mut output.data);
        trace.check(|| format!("layer {}: forward x W + b", self.number), &output.data);
        activation::apply(self.activation, &mut output.data);
        if !activation::is_exact(self.activation) {
            self.activations.hold(&mut output.data);
        }
        self.saved = Saved { input, output: output.clone() };
        output
    }

    /// Computes the gradients of weight and bias from that of the output, and returns the latter as
    /// [`Layer::input_gradient`] reads it.
    pub fn backward(&mut self, mut gradient: Matrix, trace: &mut Trace) -> Operand {
        if self.borders.output {
            self.gradients.hold(&mut gradient.data);
        }
        activation::backward(self.activation, &self.saved.output.data, &mut gradient.data);
        if !activation::is_exact(self.activation) {
            self.gradients.hold(&mut gradient.data);
        }
        self.bias.gradient = gradient.column_sums();
        self.gradients.hold(&mut self.bias.gradient);
        let gradient = self.gradients.operand(gradient);
        let input = self.saved.input.along_first().view().turned();
        self.weight.gradient = matmul(&self.gemm, input, gradient.along_first().view()).data;
        self.gradients.hold(&mut self.weight.gradient);
        let name = || format!("layer {}: backward, weight gradient", self.number);
        trace.check(name, &self.weight.gradient);
        gradient
    }

    /// Computes the gradient of the input from that of the output.
    pub fn input_gradient(&mut self, gradient: &Operand, trace: &mut Trace) -> Matrix {
        let weight = self.cast.weight.along_last().view().turned();
        let mut input = matmul(&self.gemm, gradient.along_last().view(), weight);
        trace.record(&input.data);
        self.gradients.hold(&mut input.data);
        trace.check(|| format!("layer {}: backward, input gradient", self.number), &input.data);
        input
    }
}
