//! The samples of every distribution against their distribution functions, in closed form where
//! there is one and against `rand_distr` where there is none.

#![expect(clippy::cast_precision_loss, reason = "sample counts and test arithmetic")]

use fpx::random::{DISTRIBUTIONS, Distribution};
use rand::SeedableRng as _;
use rand_distr::Distribution as _;
use std::f64::consts::{LN_2, PI};

const SAMPLES: usize = 1 << 20;

fn samples(name: &str) -> Vec<f32> {
    let distribution: Distribution = name.parse().expect("a distribution");
    let mut samples = vec![0.0; SAMPLES];
    distribution.fill(7, 0, &mut samples);
    samples
}

/// Kolmogorov's statistic times √n: the largest distance between the empirical and the exact
/// distribution function. It exceeds 1.95 with a probability of 0.001.
fn kolmogorov(name: &str, cdf: impl Fn(f64) -> f64) -> f64 {
    let mut samples = samples(name);
    samples.sort_by(f32::total_cmp);
    let n = samples.len() as f64;
    let distance = |(i, x): (usize, &f32)| {
        let exact = cdf(f64::from(*x));
        (exact - i as f64 / n).abs().max((exact - (i + 1) as f64 / n).abs())
    };
    samples.iter().enumerate().map(distance).fold(0.0, f64::max) * n.sqrt()
}

fn normal_cdf(x: f64) -> f64 {
    0.5 * libm::erfc(-x / 2f64.sqrt())
}

fn laplace_cdf(x: f64) -> f64 {
    if x < 0.0 { 0.5 * x.exp() } else { 1.0 - 0.5 * (-x).exp() }
}

#[test]
fn samples_follow_their_distribution_functions() {
    type Cdf = fn(f64) -> f64;
    let cases: [(&str, Cdf); 10] = [
        ("normal", normal_cdf),
        ("normal:3,0.5", |x| normal_cdf((x - 3.0) / 0.5)),
        ("uniform:-2,6", |x| (x + 2.0) / 8.0),
        ("loguniform:-10,4", |x| (x.log2() + 10.0) / 14.0),
        ("lognormal:0,2", |x| normal_cdf(x.ln() / 2.0)),
        ("laplace:1,3", |x| laplace_cdf((x - 1.0) / 3.0)),
        ("exponential:4", |x| 1.0 - (-4.0 * x).exp()),
        ("cauchy:0,2", |x| 0.5 + (x / 2.0).atan() / PI),
        ("student-t:1", |x| 0.5 + x.atan() / PI),
        ("student-t:2", |x| 0.5 + x / (2.0 * (2.0 + x * x).sqrt())),
    ];
    for (name, cdf) in cases {
        let statistic = kolmogorov(name, cdf);
        assert!(statistic < 1.95, "{name}: {statistic}");
    }
}

#[test]
fn a_wrong_distribution_is_noticed() {
    assert!(kolmogorov("normal", |x| normal_cdf(x / 1.01)) > 1.95);
    assert!(kolmogorov("normal", |x| normal_cdf(x - 0.005)) > 1.95);
}

#[test]
fn student_t_agrees_with_rand_distr() {
    let mut rng = rand::rngs::ChaCha8Rng::seed_from_u64(1);
    let theirs = rand_distr::StudentT::new(5.0).expect("5 degrees of freedom");
    let mut theirs: Vec<f64> = (0..SAMPLES).map(|_| theirs.sample(&mut rng)).collect();
    theirs.sort_by(f64::total_cmp);
    let below = |x: f64| theirs.partition_point(|y| *y <= x) as f64 / SAMPLES as f64;
    // Two samples of the same size: the statistic is √2 times as large.
    let statistic = kolmogorov("student-t:5", below);
    assert!(statistic < 1.95 * 2f64.sqrt(), "{statistic}");
}

/// Mean and variance of a distribution that has them, and how far the sample's may be off.
#[test]
fn moments_are_the_exact_ones() {
    let e2 = 1f64.exp();
    let cases = [
        ("normal:-1,2", -1.0, 4.0),
        ("uniform:0,1", 0.5, 1.0 / 12.0),
        ("loguniform:0,1", 1.0 / LN_2, 3.0 / (2.0 * LN_2) - 1.0 / (LN_2 * LN_2)),
        ("lognormal:0,1", e2.sqrt(), (e2 - 1.0) * e2),
        ("laplace:0,1", 0.0, 2.0),
        ("exponential:2", 0.5, 0.25),
        ("student-t:10", 0.0, 1.25),
    ];
    for (name, mean, variance) in cases {
        let samples = samples(name);
        let n = samples.len() as f64;
        let of = |power: i32| {
            samples.iter().map(|x| (f64::from(*x) - mean).powi(power)).sum::<f64>() / n
        };
        // Four standard errors: of the mean from the variance, of the variance from the sample.
        assert!(of(1).abs() < 4.0 * (variance / n).sqrt(), "{name}: mean off by {}", of(1));
        let error = 4.0 * ((of(4) - of(2) * of(2)) / n).sqrt();
        assert!((of(2) - variance).abs() < error, "{name}: variance {}", of(2));
    }
}

#[test]
fn consecutive_samples_are_not_correlated() {
    let samples = samples("normal");
    for lag in [1, 2, 3, 16, 64, 1024, 65536] {
        let n = (samples.len() - lag) as f64;
        let sum: f64 =
            samples.iter().zip(&samples[lag..]).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum();
        assert!((sum / n).abs() < 4.0 / n.sqrt(), "lag {lag}: {}", sum / n);
    }
}

#[test]
fn samples_depend_on_seed_and_index_alone() {
    for family in DISTRIBUTIONS {
        let distribution: Distribution = family.name.parse().expect("defaults");
        let mut whole = vec![0.0; 300];
        // Across the index at which the high half changes.
        let first = (1 << 32) - 100;
        distribution.fill(3, first, &mut whole);
        for cut in [1, 99, 100, 101, 255] {
            let mut parts = vec![0.0; 300];
            distribution.fill(3, first, &mut parts[..cut]);
            distribution.fill(3, first + cut as u64, &mut parts[cut..]);
            assert_eq!(whole, parts, "{} cut at {cut}", family.name);
        }
        let mut other = vec![0.0; 300];
        distribution.fill(4, first, &mut other);
        assert_ne!(whole, other);
        assert!(whole.iter().all(|x| !x.is_nan()));
    }
}

#[test]
fn names_read_back_and_bad_parameters_are_refused() {
    for family in DISTRIBUTIONS {
        let distribution: Distribution = family.name.parse().expect("defaults");
        assert_eq!(distribution.to_string().parse(), Ok(distribution));
    }
    let cases = [
        ("normal:0,-1", "SD is '-1', expected a finite number above 0"),
        ("normal:x", "MEAN is 'x', expected a finite number"),
        ("normal:inf", "MEAN is 'inf', expected a finite number"),
        ("uniform:2,1", "HI is '1', expected a finite number above LO"),
        ("uniform:2", "HI is '1', expected a finite number above LO"),
        ("exponential:0", "RATE is '0', expected a finite number above 0"),
        ("student-t:nan", "NU is 'nan', expected a finite number above 0"),
        ("cauchy:0,1,2", "cauchy takes X0,GAMMA"),
        ("normall", "unknown distribution 'normall', expected normal, uniform, loguniform"),
        ("normall", "did you mean 'normal'?"),
    ];
    for (text, expected) in cases {
        let error = text.parse::<Distribution>().expect_err(text).to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
}

/// Frozen: these bits are the contract that a seed means the same samples in every version.
#[test]
fn the_samples_of_a_seed_never_change() {
    let mut samples = [0.0; 3];
    Distribution::default().fill(0, 0, &mut samples);
    assert_eq!(samples.map(f32::to_bits), [0x3fb8_a804, 0xbdf9_2d2d, 0x3f45_60ae]);
}
