//! The speed of error-sweep on one thread: samples a second, and elements a second with every
//! statistic, beside a memory copy of as many binary32 numbers and the `rand_distr` crate.
//!
//! `cargo bench --bench sweep` prints one line each.
#![expect(clippy::print_stdout, reason = "a benchmark prints")]
#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

#[expect(dead_code, reason = "its subjects are runs, not single values")]
mod common;

use std::hint::black_box;

use common::{Subject, medians};
use fpx::{
    block::Spec,
    kernel::{instruction_set, sample},
    random::Distribution,
    sweep::{Config, Input, run},
};
use rand::{SeedableRng as _, rngs::Xoshiro256PlusPlus};
use rand_distr::{Distribution as _, StandardNormal};

/// Elements of a run.
const ELEMENTS: usize = 1 << 20;
/// Elements of a slice that stays in the second cache.
const IN_CACHE: usize = 1 << 16;
const ROUNDS: usize = 3;

/// Prints the speed of the first and its ratios to the others.
#[expect(clippy::cast_precision_loss, reason = "fewer than 2^53 elements")]
fn print(what: &str, elements: usize, mut subjects: Vec<Subject<'_>>, rounds: usize) {
    let times = medians(&mut subjects, rounds);
    let speed = elements as f64 / times[0] / 1e6;
    let ratios = subjects.iter().zip(&times).skip(1);
    let ratios: Vec<String> = ratios
        .map(|(subject, time)| format!("{:.3} of {}", time / times[0], subject.name))
        .collect();
    println!("{what:<52} {speed:>7.0} M/s  {}", ratios.join(", "));
}

fn copy(elements: usize) -> Subject<'static> {
    let (source, mut copied) = (vec![1.5f32; elements], vec![0.0; elements]);
    Subject::new("a copy", move || black_box(&mut copied[..]).copy_from_slice(black_box(&source)))
}

fn samples(name: &str) {
    let distribution: Distribution = name.parse().unwrap();
    let mut numbers = vec![0.0; IN_CACHE];
    let ours = Subject::new("fpx", move || {
        sample(black_box(&distribution), 0, 0, black_box(&mut numbers));
    });
    let (mut generator, mut others) = (Xoshiro256PlusPlus::seed_from_u64(0), vec![0f32; IN_CACHE]);
    let theirs = Subject::new("rand_distr's normal", move || {
        others.fill_with(|| StandardNormal.sample(&mut generator));
        black_box(&mut others);
    });
    print(&format!("samples of {name}"), IN_CACHE, vec![ours, copy(IN_CACHE), theirs], 8 * ROUNDS);
}

fn sweep(input: &str, target: &str) {
    let config = Config {
        input: match input.strip_prefix("exhaustive:") {
            Some(name) => Input::Exhaustive(fpx::format::parse(name).unwrap().format),
            None => {
                Input::Samples { distribution: input.parse().unwrap(), samples: ELEMENTS as u64 }
            }
        },
        targets: vec![target.parse::<Spec>().unwrap()],
        ..Config::default()
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let subject = Subject::new("fpx", || {
        black_box(pool.install(|| run(black_box(&config), &())).unwrap());
    });
    let what = format!("{input} to {target}, every statistic");
    print(&what, ELEMENTS, vec![subject, copy(ELEMENTS)], ROUNDS);
}

fn main() {
    match instruction_set() {
        Ok(set) => println!("instruction set {}", set.name()),
        Err(error) => println!("{error}"),
    }
    for name in ["normal", "uniform", "lognormal", "student-t"] {
        samples(name);
    }
    for target in ["f16", "bf16", "e4m3fn", "e5m2", "e4m3fn/tensor", "mxfp4", "nvfp4"] {
        sweep("normal", target);
    }
    // As many codes as there are elements: binary32 with 11 trailing bits.
    sweep("exhaustive:e8m11", "f16");
}
