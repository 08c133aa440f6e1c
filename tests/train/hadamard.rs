//! Block scales, the Hadamard transform and prescaling, as products read their operands.

use fpx::{
    kernel::Gemm,
    random::Stream,
    train::{
        hadamard::{SIZE, signs, transform},
        matmul::matmul,
        matrix::Matrix,
        policy::find,
        quantizer::{Operand, Quantizer},
        slots::Slots,
        tally::Role,
    },
};

fn slots(policy: &str, changes: &[&str]) -> Slots {
    let mut slots = find(policy).unwrap().slots;
    for change in changes {
        slots.assign(change).unwrap();
    }
    slots
}

fn operand(role: Role, slots: &Slots, tensor: &Matrix) -> Operand {
    Quantizer::new(role, slots, 0, Stream::new(0, role as u64)).operand(tensor.clone())
}

/// Numbers of very different sizes.
fn numbers(rows: usize, columns: usize) -> Matrix {
    let number = |i: usize| {
        let sign = if i.is_multiple_of(3) { -1.0 } else { 1.0 };
        sign * ((i * 7919 % 1009) as f32 / 1009.0) * 2f32.powi(-((i * 31 % 9) as i32))
    };
    Matrix::from_rows(rows, (0..rows * columns).map(number).collect())
}

#[test]
fn the_transform_is_orthogonal_and_leaves_products_alone() {
    let (a, b) = (numbers(40, 5), numbers(40, 3));
    let signs = signs(7);
    let (mixed_a, mixed_b) = (transform(&a, &signs), transform(&b, &signs));
    assert_eq!((mixed_a.rows, mixed_a.rows % SIZE), (48, 0));
    let product = matmul(&Gemm::default(), a.view().turned(), b.view());
    let mixed = matmul(&Gemm::default(), mixed_a.view().turned(), mixed_b.view());
    for (x, y) in product.data.iter().zip(&mixed.data) {
        assert!((x - y).abs() < 1e-5, "{x} {y}");
    }
    assert_ne!(fpx::train::hadamard::signs(0), fpx::train::hadamard::signs(1));
}

#[test]
fn both_operands_of_a_weight_gradient_are_mixed_whatever_their_formats() {
    let slots = slots("nvfp4-full", &["activations=bf16", "gradients=f32"]);
    let (x, dy) = (numbers(20, 4), numbers(20, 6));
    let (left, right) =
        (operand(Role::Activations, &slots, &x), operand(Role::Gradients, &slots, &dy));
    assert_eq!((left.along_first().rows, right.along_first().rows), (32, 32));
    let exact = matmul(&Gemm::default(), x.view().turned(), dy.view());
    let mixed =
        matmul(&Gemm::default(), left.along_first().view().turned(), right.along_first().view());
    for (x, y) in exact.data.iter().zip(&mixed.data) {
        assert!((x - y).abs() < 0.02, "{x} {y}");
    }
}

/// What one block of 32 becomes by the rules of OCP MX 1.0 §6.3, worked out anew.
fn mxfp4(block: &[f32]) -> Vec<f32> {
    let largest = block.iter().fold(0.0, |most: f32, x| most.max(x.abs()));
    let scale = 2f32.powi(largest.log2().floor() as i32 - 2);
    let grid = [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0f32];
    let nearest = |x: f32| {
        let magnitude = (x / scale).abs();
        // Of two at the same distance the one with the even place in the grid.
        let order = |&i: &usize, &j: &usize| {
            let distance = |i: usize| (grid[i] - magnitude).abs();
            distance(i).total_cmp(&distance(j)).then((i % 2).cmp(&(j % 2)))
        };
        (grid[(0..grid.len()).min_by(order).unwrap()] * scale).copysign(x)
    };
    block.iter().map(|&x| nearest(x)).collect()
}

#[test]
fn blocks_lie_along_the_inner_index_of_each_product() {
    let slots = slots("mxfp4", &[]);
    let x = numbers(70, 40);
    let operand = operand(Role::Activations, &slots, &x);
    for (row, rounded) in x.iter_rows().zip(operand.along_last().iter_rows()) {
        let expected: Vec<f32> = row.chunks(32).flat_map(mxfp4).collect();
        assert_eq!(rounded, expected);
    }
    let turned = operand.along_first().transposed();
    for (column, rounded) in x.transposed().iter_rows().zip(turned.iter_rows()) {
        let expected: Vec<f32> = column.chunks(32).flat_map(mxfp4).collect();
        assert_eq!(rounded, expected);
    }
}

#[test]
fn square_blocks_give_both_products_the_same_weights() {
    let w = numbers(48, 32);
    let rows = operand(Role::Weights, &slots("nvfp4", &[]), &w);
    assert_ne!(rows.along_first(), rows.along_last());
    let squares = operand(Role::Weights, &slots("nvfp4", &["weight_scales=2d"]), &w);
    assert_eq!(squares.along_first(), squares.along_last());
    assert_ne!(squares.along_last(), rows.along_last());
}

/// The mean of many stochastic roundings of a block whose largest number is 7, so that the floor rule
/// gives it the scale 1.
fn mean_of_roundings(changes: &[&str]) -> f64 {
    let slots = slots("mxfp4-sr", changes);
    let mut quantizer = Quantizer::new(Role::Gradients, &slots, 0, Stream::new(0, 0));
    let tensor = Matrix::from_rows(1, vec![7.0; 32]);
    let draws = 400;
    let sum: f64 = (0..draws)
        .flat_map(|_| quantizer.operand(tensor.clone()).along_last().data.clone())
        .map(f64::from)
        .sum();
    sum / f64::from(draws * 32)
}

#[test]
fn the_floor_rule_biases_stochastic_rounding_and_prescaling_cures_it() {
    assert_eq!(mean_of_roundings(&[]), 6.0, "7 saturates at 6, always");
    // 7 · 3/4 lies between 4 and 6; the deviation of the mean of 12,800 draws is 0.01.
    let mean = mean_of_roundings(&["prescale=0.75"]);
    assert!((mean - 7.0).abs() < 0.05, "{mean}");
}
