//! Widths and slots become a model: an embedding where inputs are characters, then layers.

use super::{
    layer::{Layer, Shape},
    matrix::Matrix,
    parameter::{Kind, Parameter, Which},
    slots::Slots,
    tally::{Role, Tallies},
    trace::Trace,
};

/// An embedding, perhaps, and a stack of layers.
#[derive(Clone, Debug)]
pub struct Model {
    embedding: Option<Embedding>,
    /// The layers, the first one first.
    pub layers: Vec<Layer>,
}

/// A table of numbers for each character. No matrix product, so autocast leaves it in float32.
#[derive(Clone, Debug)]
struct Embedding {
    table: Parameter,
    /// The characters of the last batch.
    characters: Matrix,
}

impl Model {
    /// Returns a model with random weights, as PyTorch's `Linear` and `Embedding` have them:
    /// uniform in ±1/√inputs, and of deviation 1.
    pub fn new(shape: &Shape, slots: &Slots, seed: u64) -> Self {
        let embedding = shape.embedding.map(|sides| Embedding {
            table: Parameter::new(
                Which { name: "embedding.weight".to_owned(), kind: Kind::Table, seed, number: 0 },
                sides,
                3f32.sqrt(),
                slots,
            ),
            characters: Matrix::default(),
        });
        let layers = (1..=shape.layers()).map(|number| Layer::new(number, shape, slots, seed));
        Self { embedding, layers: layers.collect() }
    }

    /// Returns the table of the embedding, if there is one.
    pub fn embedding(&self) -> Option<&Parameter> {
        self.embedding.as_ref().map(|embedding| &embedding.table)
    }

    /// Returns every parameter, in the order of the forward pass.
    pub fn parameters(&self) -> impl Iterator<Item = &Parameter> {
        self.embedding()
            .into_iter()
            .chain(self.layers.iter().flat_map(|layer| [&layer.weight, &layer.bias]))
    }

    /// Returns every parameter, to be changed.
    pub fn parameters_mut(&mut self) -> impl Iterator<Item = &mut Parameter> {
        let tables = self.embedding.iter_mut().map(|embedding| &mut embedding.table);
        let layers = self.layers.iter_mut();
        tables.chain(layers.flat_map(|layer| [&mut layer.weight, &mut layer.bias]))
    }

    /// Whether every weight is finite.
    pub fn is_finite(&self) -> bool {
        self.parameters().all(Parameter::is_finite)
    }

    /// Casts the weights of every layer for one step.
    pub fn cast(&mut self) {
        for layer in &mut self.layers {
            layer.cast();
        }
    }

    /// Computes the outputs for a batch of inputs.
    pub fn forward(&mut self, inputs: &Matrix, trace: &mut Trace) -> Matrix {
        let inputs = match &mut self.embedding {
            Some(embedding) => embedding.forward(inputs),
            None => inputs.clone(),
        };
        self.layers.iter_mut().fold(inputs, |x, layer| layer.forward(x, trace))
    }

    /// Computes the gradient of every parameter from that of the outputs.
    pub fn backward(&mut self, gradient: Matrix, trace: &mut Trace) {
        trace.record(&gradient.data);
        let mut gradient = gradient;
        for layer in self.layers.iter_mut().rev() {
            let operand = layer.backward(gradient, trace);
            if layer.number == 1 && self.embedding.is_none() {
                return;
            }
            gradient = layer.input_gradient(&operand, trace);
        }
        if let Some(embedding) = &mut self.embedding {
            embedding.backward(&gradient);
        }
    }

    /// Stops counting and remembering: what follows is a test, not training.
    pub fn freeze(&mut self) {
        for layer in &mut self.layers {
            layer.freeze();
        }
    }

    /// Returns the largest finite gradient since this was last asked, as it was scaled.
    pub fn take_largest_gradient(&mut self) -> f32 {
        let tallies = self.layers.iter_mut().map(|layer| &mut layer.gradients.tally);
        tallies.map(|tally| std::mem::take(&mut tally.largest)).fold(0.0, f32::max)
    }

    /// Returns what the tensors of each role went through.
    pub fn tallies(&self) -> Tallies {
        let mut tallies = Tallies::default();
        for layer in &self.layers {
            tallies[Role::Activations] += layer.activations.tally;
            tallies[Role::Weights] += layer.weights.tally;
            tallies[Role::Gradients] += layer.gradients.tally;
        }
        for held in self.parameters().filter_map(|parameter| parameter.held.as_ref()) {
            tallies[Role::Gradients] += held.tally;
        }
        tallies
    }
}

impl Embedding {
    /// Puts the numbers of each character side by side.
    fn forward(&mut self, characters: &Matrix) -> Matrix {
        self.characters = characters.clone();
        let numbers = characters.data.iter().flat_map(|&id| self.table.value.row(index(id)));
        Matrix::from_rows(characters.rows, numbers.copied().collect())
    }

    /// Adds up the gradients of each character's numbers, in the order of the batch.
    fn backward(&mut self, gradient: &Matrix) {
        let columns = self.table.value.columns;
        let sums = &mut self.table.gradient;
        sums.fill(0.0);
        for (&id, part) in self.characters.data.iter().zip(gradient.data.chunks(columns)) {
            for (sum, g) in sums[index(id) * columns..].iter_mut().zip(part) {
                *sum += g;
            }
        }
        self.table.hold_gradient();
    }
}

/// Returns a character's number, which inputs hold as a float.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "numbers below 256")]
const fn index(id: f32) -> usize {
    id as usize
}
