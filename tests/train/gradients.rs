//! The hand-written backward passes against central differences of a binary64 forward pass that
//! shares no code with the library.

use fpx::train::{
    data::Examples,
    layer::Shape,
    loss::{Objective, loss},
    matrix::Matrix,
    model::Model,
    slots::Slots,
    trace::Trace,
    values::{Activation, Softmax},
};

/// A small model of each kind, with its batch.
struct Case {
    shape: Shape,
    objective: Objective,
    batch: Examples,
}

/// Half the distance over which a difference is taken.
const STEP: f64 = 1e-6;

fn pixels(rows: usize, columns: usize) -> Matrix {
    let data = (0..rows * columns).map(|i| ((i * 37 % 101) as f32) / 101.0).collect();
    Matrix::from_rows(rows, data)
}

fn classifier(activation: Activation) -> Case {
    let batch = Examples { inputs: pixels(6, 5), classes: vec![0, 1, 2, 0, 1, 2] };
    let shape = Shape { embedding: None, widths: vec![5, 7, 4, 3], activation };
    Case { shape, objective: Objective::CrossEntropy, batch }
}

fn autoencoder() -> Case {
    let batch = Examples { inputs: pixels(6, 5), classes: vec![0; 6] };
    let shape =
        Shape { embedding: None, widths: vec![5, 4, 2, 4, 5], activation: Activation::Logistic };
    Case { shape, objective: Objective::SquaredError, batch }
}

fn language_model() -> Case {
    let ids = (0..12).map(|i| (i * 5 % 4) as f32).collect();
    let batch = Examples { inputs: Matrix::from_rows(4, ids), classes: vec![3, 1, 0, 2] };
    let shape =
        Shape { embedding: Some([4, 2]), widths: vec![6, 5, 4], activation: Activation::Tanh };
    Case { shape, objective: Objective::CrossEntropy, batch }
}

/// The loss of a batch, in binary64, from the parameters in the order of the model.
fn reference_loss(case: &Case, parameters: &[Vec<f64>]) -> f64 {
    let mut parameters = parameters.iter();
    let rows = case.batch.classes.len();
    let mut x: Vec<Vec<f64>> = case
        .batch
        .inputs
        .iter_rows()
        .map(|row| row.iter().map(|&x| f64::from(x)).collect())
        .collect();
    if let Some([_, numbers]) = case.shape.embedding {
        let table = parameters.next().unwrap();
        let look_up = |id: &f64| table[*id as usize * numbers..][..numbers].to_vec();
        x = x.iter().map(|ids| ids.iter().flat_map(look_up).collect()).collect();
    }
    let layers = case.shape.widths.len() - 1;
    for layer in 1..=layers {
        let outputs = case.shape.widths[layer];
        let (weight, bias) = (parameters.next().unwrap(), parameters.next().unwrap());
        for row in &mut x {
            let sums = (0..outputs).map(|j| {
                let products = row.iter().enumerate().map(|(i, x)| x * weight[i * outputs + j]);
                bias[j] + products.sum::<f64>()
            });
            *row = sums
                .map(|z| match case.shape.activation {
                    _ if layer == layers => z,
                    Activation::Relu => z.max(0.0),
                    Activation::Tanh => z.tanh(),
                    Activation::Logistic => 1.0 / (1.0 + (-z).exp()),
                    Activation::Task => unreachable!("every case names its function"),
                })
                .collect();
        }
    }
    let losses = x.iter().enumerate().map(|(i, row)| match case.objective {
        Objective::CrossEntropy => {
            row.iter().map(|z| z.exp()).sum::<f64>().ln() - row[case.batch.classes[i]]
        }
        Objective::SquaredError => {
            let targets = case.batch.inputs.row(i);
            let squares = row.iter().zip(targets).map(|(y, &t)| (y - f64::from(t)).powi(2));
            squares.sum::<f64>() / row.len() as f64
        }
    });
    losses.sum::<f64>() / rows as f64
}

fn check(case: &Case, softmax: Softmax) {
    let slots = Slots { softmax, ..Slots::default() };
    let mut model = Model::new(&case.shape, &slots, 3);
    let mut trace = Trace::default();
    model.cast();
    let outputs = model.forward(&case.batch.inputs, &mut trace);
    let last = &mut model.layers.last_mut().unwrap().activations;
    let result = loss(case.objective, softmax, &outputs, &case.batch, (last, &mut trace));
    let mut parameters: Vec<Vec<f64>> = model
        .parameters()
        .map(|parameter| parameter.value.data.iter().map(|&x| f64::from(x)).collect())
        .collect();
    let expected = reference_loss(case, &parameters);
    assert!((result.mean - expected).abs() < 1e-6, "loss {} for {expected}", result.mean);
    model.backward(result.gradient, &mut trace);
    let gradients: Vec<(String, Vec<f32>)> = model
        .parameters()
        .map(|parameter| (parameter.name.clone(), parameter.gradient.clone()))
        .collect();
    for (place, (name, gradient)) in gradients.iter().enumerate() {
        for (i, &ours) in gradient.iter().enumerate() {
            let mut at = |offset: f64| {
                let value = parameters[place][i];
                parameters[place][i] = value + offset;
                let loss = reference_loss(case, &parameters);
                parameters[place][i] = value;
                loss
            };
            let difference = (at(STEP) - at(-STEP)) / (2.0 * STEP);
            let error = (f64::from(ours) - difference).abs();
            assert!(error < 1e-6, "{name}[{i}]: {ours} for {difference}");
        }
    }
    assert_eq!(trace.first(), None);
}

#[test]
fn gradients_of_the_relu_classifier() {
    check(&classifier(Activation::Relu), Softmax::Stable);
}

#[test]
fn gradients_of_the_tanh_and_the_logistic_classifier() {
    check(&classifier(Activation::Tanh), Softmax::Stable);
    check(&classifier(Activation::Logistic), Softmax::Stable);
}

#[test]
fn gradients_of_the_naive_softmax() {
    check(&classifier(Activation::Relu), Softmax::Naive);
}

#[test]
fn gradients_of_the_autoencoder() {
    check(&autoencoder(), Softmax::Stable);
}

#[test]
fn gradients_of_the_language_model_and_its_embedding() {
    check(&language_model(), Softmax::Stable);
}
