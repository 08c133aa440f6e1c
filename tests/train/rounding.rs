//! Updates and casts against hand-worked examples.

use fpx::{
    random::Stream,
    train::{
        matmul::{gemm, matmul},
        matrix::Matrix,
        parameter::{Kind, Parameter, Updates, Which},
        policy::find,
        quantizer::Quantizer,
        slots::Slots,
        tally::Role,
        values::{Accumulate, Choice},
    },
};

/// A parameter of one number, 1, under a policy.
fn one(policy: &str) -> Parameter {
    let slots = find(policy).unwrap().slots;
    let which = Which { name: "x".to_owned(), kind: Kind::Bias, seed: 0, number: 0 };
    let mut parameter = Parameter::new(which, [1, 1], 1.0, &slots);
    parameter.value.data[0] = 1.0;
    parameter
}

/// Half an ulp of 1 in bf16, whose significand has 8 bits, is 2^-8.
const SMALL: f32 = 1.0 / 1024.0;

#[test]
fn to_nearest_small_updates_are_lost_for_ever() {
    let mut parameter = one("bf16-pure");
    for _ in 0..100 {
        assert_eq!(parameter.apply(&[SMALL]), Updates { nonzero: 1, lost: 1 });
    }
    assert_eq!(parameter.value.data, [1.0]);
    assert_eq!(parameter.apply(&[0.0]), Updates { nonzero: 0, lost: 0 });
}

#[test]
fn kahan_remembers_small_updates_until_they_matter() {
    let mut parameter = one("bf16-pure-kahan");
    for _ in 0..1024 {
        assert_eq!(parameter.apply(&[SMALL]), Updates { nonzero: 1, lost: 0 });
    }
    // One ulp of 1 is 8 updates; what is still owed is less than one.
    assert!((parameter.value.data[0] - 2.0).abs() <= 1.0 / 128.0, "{:?}", parameter.value.data);
}

#[test]
fn stochastic_updates_are_right_on_average() {
    let mut parameter = one("bf16-pure-sr");
    for _ in 0..4096 {
        parameter.apply(&[SMALL / 4.0]);
    }
    // The mean is 2; the deviation of the sum of 4096 draws is about 0.09.
    assert!((parameter.value.data[0] - 2.0).abs() < 0.4, "{:?}", parameter.value.data);
}

#[test]
fn float32_masters_keep_what_the_copy_cannot_show() {
    let mut parameter = one("bf16-amp");
    parameter.apply(&[SMALL]);
    assert_eq!(parameter.value.data, [1.0 + SMALL]);
}

fn gradients(policy: &str, changes: &[&str]) -> Quantizer {
    let mut slots: Slots = find(policy).unwrap().slots;
    for change in changes {
        slots.assign(change).unwrap();
    }
    Quantizer::new(Role::Gradients, &slots, 0, Stream::new(0, 0))
}

#[test]
fn sixteen_bit_formats_hold_results_and_overflow_to_infinity() {
    let mut quantizer = gradients("f16-amp", &[]);
    let mut numbers = [1.0, 70000.0, 2f32.powi(-25), 3e-8, 0.0];
    quantizer.hold(&mut numbers);
    assert_eq!(numbers, [1.0, f32::INFINITY, 0.0, 2f32.powi(-24), 0.0]);
    let tally = quantizer.tally;
    assert_eq!((tally.numbers, tally.flushed, tally.saturated), (4, 1, 1));
    let kept = Matrix::from_rows(1, vec![1.0 + 2f32.powi(-20)]);
    assert_eq!(quantizer.operand(kept.clone()).along_last(), &kept, "operands are rounded already");
}

#[test]
fn eight_bit_formats_round_operands_only_and_saturate() {
    let mut quantizer = gradients("fp8", &["gradients=e4m3fn"]);
    let mut results = [1.01, 1e9];
    quantizer.hold(&mut results);
    assert_eq!(results, [1.01, 1e9]);
    let operand = quantizer.operand(Matrix::from_rows(1, vec![1.01, 1e9, 1e-4]));
    assert_eq!(operand.along_last().data, [1.0, 448.0, 0.0]);
    assert_eq!(operand.along_first(), operand.along_last());
    assert_eq!((quantizer.tally.flushed, quantizer.tally.saturated), (1, 1));
}

#[test]
fn current_scaling_uses_the_whole_range_of_the_format() {
    let mut quantizer = gradients("fp8-current", &["gradients=e4m3fn"]);
    let operand = quantizer.operand(Matrix::from_rows(1, vec![7e-5, 3.5e-5, 0.0]));
    for (rounded, exact) in operand.along_last().data.iter().zip([7e-5f32, 3.5e-5, 0.0]) {
        assert!((rounded - exact).abs() <= 2e-7 * exact, "{rounded} for {exact}");
    }
    assert_eq!((quantizer.tally.flushed, quantizer.tally.saturated), (0, 0));
}

#[test]
fn delayed_scaling_begins_with_1_and_then_remembers_the_largest() {
    let mut quantizer = gradients("fp8-delayed", &["gradients=e4m3fn", "scaling=delayed:2"]);
    let mut round = |x: f32| quantizer.operand(Matrix::from_rows(1, vec![x])).along_last().data[0];
    let steps = [
        (896.0, 448.0, "the first step is unscaled"),
        (1792.0, 896.0, "the second knows of 896"),
        (1792.0, 1792.0, "the third of 1792"),
        (1.0, 1.0, "small numbers have small quanta under a large scale"),
        (3584.0, 1792.0, "1792 is still remembered"),
        (14.0, 14.0, "1, 14 and 3584 are multiples of the quanta there"),
        (7168.0, 3584.0, "3584 is still remembered"),
    ];
    for (x, rounded, why) in steps {
        assert_eq!(round(x), rounded, "{why}");
    }
}

#[test]
fn a_frozen_quantizer_neither_counts_nor_remembers() {
    let mut quantizer = gradients("fp8-delayed", &[]);
    quantizer.freeze();
    quantizer.operand(Matrix::from_rows(1, vec![1e9]));
    quantizer.hold(&mut [1e9]);
    assert_eq!(quantizer.tally, fpx::train::tally::Tally::default());
}

fn sum_of_ones(accumulate: &str, terms: usize) -> f32 {
    let ones = Matrix::from_rows(1, vec![1.0; terms]);
    let gemm = gemm(&Accumulate::read(accumulate).unwrap());
    matmul(&gemm, ones.view(), ones.view().turned()).data[0]
}

#[test]
fn narrow_sums_of_ones_stop_growing() {
    assert_eq!(sum_of_ones("f16", 10_000), 2048.0);
    assert_eq!(sum_of_ones("bf16", 10_000), 256.0);
    assert_eq!(sum_of_ones("f32", 10_000), 10_000.0);
    assert_eq!(sum_of_ones("bf16:128", 10_000), 10_000.0);
}
