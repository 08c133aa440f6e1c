//! Real runs against what papers and careful prototypes saw: wide bounds, three seeds.

use fpx::train::{
    experiment::{Config, Measured, Silent, run},
    lesson::entry,
    task,
};

/// Runs rows of a task, each written as a policy with changed slots and settings.
fn measure(task: &str, rows: &[&str]) -> Vec<Measured> {
    let task = task::find(task).unwrap();
    let entries = rows.iter().map(|row| entry(row, task, task.recipe).unwrap()).collect();
    run(&Config { entries, seeds: vec![0, 1, 2], data: None }, &Silent).unwrap()
}

fn accuracies(row: &Measured) -> Vec<f64> {
    row.outcomes.iter().map(|outcome| outcome.test.map_or(0.0, |score| score.accuracy)).collect()
}

fn test_losses(row: &Measured) -> Vec<f64> {
    row.outcomes
        .iter()
        .map(|outcome| outcome.test.map_or(f64::INFINITY, |score| score.loss))
        .collect()
}

fn mean(numbers: &[f64]) -> f64 {
    numbers.iter().sum::<f64>() / numbers.len() as f64
}

#[test]
fn sixteen_bits_with_float32_masters_learn_the_digits_as_float32_does() {
    for row in measure("digits", &["f32", "bf16-amp", "f16-amp", "f16-naive"]) {
        let accuracies = accuracies(&row);
        assert!(accuracies.iter().all(|&x| x >= 0.94), "{}: {accuracies:?}", row.entry.policy);
        assert_eq!(row.diverged(), 0);
    }
}

#[test]
fn the_autoencoder_learns_nothing_in_unscaled_f16_and_a_loss_scale_decides() {
    let rows = measure("autoencoder", &["f16-naive", "f16-static:8", "f16-amp"]);
    let [naive, eight, dynamic] = [0, 1, 2].map(|row: usize| test_losses(&rows[row]));
    assert!(naive.iter().all(|&x| (0.07..0.08).contains(&x)), "{naive:?}");
    // A factor of 8 helps every seed, if not each as much as the dynamic scale.
    assert!(eight.iter().all(|&x| x < 0.068) && mean(&eight) <= 0.055, "{eight:?}");
    assert!(dynamic.iter().all(|&x| x <= 0.045), "{dynamic:?}");
    let flushed = |row: usize| rows[row].tally(fpx::train::tally::Role::Gradients).flushed_share();
    assert!(flushed(0) > Some(0.05) && flushed(2) < Some(0.02));
}

#[test]
fn too_large_a_loss_scale_overflows_at_once_unless_it_is_dynamic() {
    let rows = measure(
        "autoencoder",
        &["f16-static:2^24 epochs=2", "f16-amp loss_scale=dynamic:2^30 epochs=10"],
    );
    assert_eq!(rows[0].first_nan().unwrap().step, 1);
    assert_eq!(rows[0].diverged(), 3);
    for outcome in &rows[1].outcomes {
        assert!((9..=11).contains(&outcome.skipped()), "{} skipped", outcome.skipped());
        let halvings = i32::try_from(outcome.skipped()).unwrap();
        assert_eq!(outcome.final_scale(), 2f32.powi(30 - halvings));
        assert_eq!(outcome.scales.len(), outcome.skipped() + 1);
    }
}

#[test]
fn small_updates_need_master_weights_stochastic_rounding_or_kahan() {
    let settings = "optimizer=sgd lr=0.01 epochs=60";
    let rows = ["f32", "bf16-pure", "bf16-pure-sr", "bf16-pure-kahan"];
    let rows = rows.map(|row| format!("{row} {settings}"));
    let rows = measure("digits", &rows.each_ref().map(String::as_str));
    let [float32, nearest, stochastic, kahan] = [0, 1, 2, 3].map(|i: usize| accuracies(&rows[i]));
    assert!(float32.iter().all(|&x| x >= 0.8), "{float32:?}");
    assert!(nearest.iter().all(|&x| x <= 0.6), "{nearest:?}");
    assert!(stochastic.iter().chain(&kahan).all(|&x| x >= 0.8), "{stochastic:?} {kahan:?}");
    assert!(rows[1].updates_lost() > Some(0.9));
}

#[test]
fn adams_epsilon_in_f16_is_nan_at_step_1_and_1e_4_cures_it() {
    let rows = ["f16-pure", "f16-pure adam_eps=1e-7", "f16-pure adam_eps=1e-4 epochs=10"];
    let rows = measure("digits", &rows);
    for (row, step) in rows.iter().zip([1, 2]) {
        for outcome in &row.outcomes {
            assert_eq!(outcome.first_nan.as_ref().unwrap().step, step, "{}", row.entry.policy);
        }
    }
    assert!(rows[0].first_nan().unwrap().operation.ends_with("0/0"));
    let cured = accuracies(&rows[2]);
    assert!(cured.iter().all(|&x| x >= 0.9), "{cured:?}");
}

#[test]
fn e4m3_gradients_need_scaling_and_e5m2_ones_do_not_on_the_digits() {
    let rows = measure("digits", &["fp8 gradients=e4m3fn", "fp8"]);
    let [e4m3, rest @ ..] = [0, 1].map(|row: usize| accuracies(&rows[row]));
    assert!(mean(&e4m3) <= 0.93, "{e4m3:?}");
    assert!(rest.iter().flatten().all(|&x| x >= 0.93), "{rest:?}");
}

#[test]
#[cfg_attr(not(feature = "exhaustive"), ignore = "takes minutes")]
fn four_bit_gradients_need_stochastic_rounding_on_the_language_model() {
    let rows = measure("char-lm", &["nvfp4", "nvfp4-sr"]);
    let [nearest, stochastic] = [0, 1].map(|row: usize| mean(&test_losses(&rows[row])));
    assert!(nearest - stochastic >= 0.15, "{nearest} {stochastic}");
}
