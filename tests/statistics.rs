//! Witness: exact fractions of big integers, with the roundings of the oracle of `tests/oracle`; closed
//! forms of what samples must show. Neither shares code with the kernels that sum.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::cast_precision_loss, reason = "what is compared with a tolerance")]

#[expect(dead_code, unused_imports, reason = "these tests need the answers of the oracle only")]
mod oracle;

use std::collections::{BTreeMap, BTreeSet};

use fpx::block::spec::Spec as Target;
use fpx::codec::{Overflow, Projection};
use fpx::format::F32;
use fpx::random::Distribution;
use fpx::report::{Emit, Screen, Syntax};
use fpx::sweep::{Config, Input, View, present, run};
use num_bigint::BigInt;
use oracle::{Magnitude, Oracle, Spec, Value, ValueClass, catalogue};
use serde_json::Value as Json;

/// All numbers are held as integers of this unit's exponent.
const UNIT: i32 = -700;
/// Bits of a quotient of two numbers after the point.
const FRACTION: u32 = 200;

/// An exact number.
fn exact(negative: bool, x: &Magnitude) -> BigInt {
    let shift = if x.integer == 0 { 0 } else { (x.exponent - UNIT).cast_unsigned() };
    let magnitude = BigInt::from(x.integer) << shift;
    if negative { -magnitude } else { magnitude }
}

/// A quotient to about 190 bits, as binary64.
fn ratio(numerator: &BigInt, denominator: &BigInt) -> f64 {
    let quotient: BigInt = (numerator << 1200) / denominator;
    let excess = quotient.bits().saturating_sub(64);
    let leading: i128 = (quotient >> excess).try_into().unwrap();
    leading as f64 * 2f64.powi(i32::try_from(excess).unwrap() - 1200)
}

/// What is summed, exactly.
#[derive(Default)]
struct Witness {
    counts: [u64; 7],
    summed: u64,
    nonzero: u64,
    sums: [BigInt; 6],
    /// Largest |e|, |e/x| and |e| in ulps, each with its first input.
    largest: [(BigInt, f64); 3],
    codes: BTreeSet<u128>,
}

/// The positions of the counts that a witness keeps.
const COUNTS: [&str; 7] = ["n", "nan", "inf", "overflow", "flushed", "subnormal", "exact"];

impl Witness {
    fn add(&mut self, oracle: &Oracle, projection: &Projection, value: &Value, as_f64: f64) {
        self.counts[0] += 1;
        let (code, flags) = oracle.project(projection, value);
        self.codes.extend(code);
        let Value::Real { negative, magnitude: x } = value else {
            self.counts[if matches!(value, Value::Nan { .. }) { 1 } else { 2 }] += 1;
            return;
        };
        self.counts[3] += u64::from(flags & 4 != 0);
        let class = oracle.spec.class(code.unwrap());
        self.counts[4] += u64::from(class == ValueClass::Zero && x.integer != 0);
        self.counts[5] += u64::from(class == ValueClass::Subnormal);
        if let Value::Real { negative: sign, magnitude } = oracle.spec.value(code.unwrap()) {
            let (x_exact, r) = (exact(*negative, x), exact(sign, &magnitude));
            self.add_error(&oracle.spec, x, &x_exact, &(r - &x_exact), as_f64);
        }
    }

    fn add_error(
        &mut self,
        spec: &Spec,
        x: &Magnitude,
        exact: &BigInt,
        error: &BigInt,
        as_f64: f64,
    ) {
        let size = BigInt::from(error.magnitude().clone());
        let input = BigInt::from(exact.magnitude().clone());
        self.summed += 1;
        self.counts[6] += u64::from(size == BigInt::ZERO);
        let mut relative = BigInt::ZERO;
        if x.integer != 0 {
            self.nonzero += 1;
            relative = (&size << FRACTION) / &input;
        }
        let leading = x.exponent + 127 - x.integer.leading_zeros().cast_signed();
        let emin = 1 - spec.bias;
        let quantum =
            if x.integer == 0 { emin } else { leading.max(emin) } - spec.trailing.cast_signed();
        let ulps = (&size << FRACTION) >> (quantum - UNIT).cast_unsigned();
        let terms = [error.clone(), size.clone(), &size * &size, &input * &input, relative, ulps];
        for (sum, term) in self.sums.iter_mut().zip(&terms) {
            *sum += term;
        }
        for (largest, candidate) in self.largest.iter_mut().zip([1, 4, 5]) {
            if terms[candidate] > largest.0 {
                *largest = (terms[candidate].clone(), as_f64);
            }
        }
    }

    /// The metrics by name.
    fn metrics(&self) -> Vec<(&'static str, f64)> {
        if self.summed == 0 {
            return Vec::new();
        }
        let unit = |power: u32| BigInt::from(1) << ((-UNIT).cast_unsigned() * power);
        let fraction = BigInt::from(1) << FRACTION;
        let mean = |sum: &BigInt, unit: BigInt, count: u64| ratio(sum, &(unit * count));
        let [error, size, squared, signal, relative, ulps] = &self.sums;
        let mut metrics = vec![
            ("bias", mean(error, unit(1), self.summed)),
            ("mean_abs", mean(size, unit(1), self.summed)),
            ("rmse", mean(squared, unit(2), self.summed).sqrt()),
            ("mean_ulp", mean(ulps, fraction.clone(), self.summed)),
            ("mean_rel", mean(relative, fraction.clone(), self.nonzero.max(1))),
            ("max_abs", ratio(&self.largest[0].0, &unit(1))),
            ("max_rel", ratio(&self.largest[1].0, &fraction)),
            ("max_ulp", ratio(&self.largest[2].0, &fraction)),
        ];
        if *squared != BigInt::ZERO {
            metrics.push(("sqnr_db", 10.0 * ratio(signal, squared).log10()));
            metrics.push(("max_abs_input", self.largest[0].1));
            metrics.push(("max_rel_input", self.largest[1].1));
            metrics.push(("max_ulp_input", self.largest[2].1));
        }
        metrics
    }
}

fn rows(config: &Config) -> Vec<Json> {
    let answer = present(&run(config, &()).unwrap(), &View::default()).unwrap();
    let text = answer.report.render(Emit::Data(Syntax::Jsonl), Screen::default());
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn oracle_of(name: &str) -> Oracle {
    Oracle::new(catalogue(16).into_iter().find(|spec| spec.name == name).unwrap())
}

/// Compares a row with the witness over the same inputs, given as codes of a format.
fn check(row: &Json, target: &str, projection: &Projection, inputs: &[Value], values: &[f64]) {
    let oracle = oracle_of(target);
    let mut witness = Witness::default();
    for (input, value) in inputs.iter().zip(values) {
        witness.add(&oracle, projection, input, *value);
    }
    let what = format!("{target} {} 2^{}", row["rounding"], row["scale_log2"]);
    for (name, count) in COUNTS.iter().zip(witness.counts) {
        assert_eq!(row[name], count, "{what}: {name}");
    }
    assert_eq!(row["used_codes"], witness.codes.len(), "{what}: used_codes");
    assert_eq!(row["sqnr_db"].is_null(), witness.summed == 0, "{what}: sqnr_db");
    for (name, expected) in witness.metrics() {
        // Far from a target's range many errors are the same number but for what binary64 drops.
        if name.ends_with("_input") && row["scale_log2"] != 0 {
            continue;
        }
        let found = row[name].as_f64().unwrap_or_else(|| panic!("{what}: {name} is {}", row[name]));
        // A sum of errors of both signs may cancel, and so may the logarithm of a quotient near 1.
        let size = match name {
            "bias" => row["mean_abs"].as_f64().unwrap(),
            "sqnr_db" => expected.abs().max(10.0),
            _ => expected.abs(),
        };
        assert!(
            (found - expected).abs() <= 1e-13 * size,
            "{what}: {name} is {found:e}, expected {expected:e}"
        );
    }
}

/// A binary32 number times a power of two, as the oracle reads it.
fn value_of(x: f32, scale: i32) -> Value {
    let spec = Spec { bias: 127, ..catalogue(32).into_iter().find(|s| s.name == "f32").unwrap() };
    match spec.value(x.to_bits().into()) {
        Value::Real { negative, magnitude } => Value::Real {
            negative,
            magnitude: Magnitude { exponent: magnitude.exponent + scale, ..magnitude },
        },
        other @ (Value::Nan { .. } | Value::Infinity { .. }) => other,
    }
}

#[test]
fn samples_agree_with_exact_fractions() {
    let targets = ["f16", "bf16", "e4m3fn", "e5m2", "e4m3ieee", "e3m4", "e2m1fn", "e4m3fnuz"];
    for name in ["normal", "lognormal:0,3", "uniform:-3,5"] {
        for overflow in [Overflow::Ieee, Overflow::Saturate] {
            for rounding in ["rne", "rtz", "rup"] {
                let rounding = rounding.parse().unwrap();
                let projection = Projection { rounding, overflow, ..Projection::default() };
                let config = Config {
                    input: Input::Samples { distribution: name.parse().unwrap(), samples: 700 },
                    targets: targets.iter().map(|name| name.parse::<Target>().unwrap()).collect(),
                    projection,
                    scales: "-150..150:75".parse().unwrap(),
                    seed: 11,
                    ..Config::default()
                };
                let distribution: Distribution = name.parse().unwrap();
                let mut samples = vec![0.0; 700];
                distribution.fill(11, 0, &mut samples);
                for row in rows(&config) {
                    let scale = i32::try_from(row["scale_log2"].as_i64().unwrap()).unwrap();
                    let inputs: Vec<Value> = samples.iter().map(|x| value_of(*x, scale)).collect();
                    let values: Vec<f64> =
                        samples.iter().map(|x| f64::from(*x) * 2f64.powi(scale)).collect();
                    check(&row, row["format"].as_str().unwrap(), &projection, &inputs, &values);
                }
            }
        }
    }
}

#[test]
fn every_binary16_number_agrees_with_exact_fractions() {
    let format = fpx::format::F16.clone();
    let config = Config {
        input: Input::Exhaustive(format),
        targets: ["e4m3fn", "bf16", "e2m1fn"].map(|name| name.parse().unwrap()).into(),
        ..Config::default()
    };
    let spec = catalogue(16).into_iter().find(|spec| spec.name == "f16").unwrap();
    let inputs: Vec<Value> = spec.codes().map(|code| spec.value(code)).collect();
    let halves = (0..=u16::MAX).map(half::f16::from_bits);
    let values: Vec<f64> = halves.map(half::f16::to_f64).collect();
    for row in rows(&config) {
        check(&row, row["format"].as_str().unwrap(), &Projection::default(), &inputs, &values);
    }
}

#[test]
fn blocks_agree_with_exact_fractions_in_quanta_of_their_scales() {
    let projection = Projection { overflow: Overflow::Saturate, ..Projection::default() };
    for (name, element, emax) in [("mxfp4", "e2m1fn", 2), ("mxfp8", "e4m3fn", 8)] {
        let row = one("lognormal:0,2", 810, name);
        let mut samples = vec![0.0; 810];
        "lognormal:0,2".parse::<Distribution>().unwrap().fill(0, 0, &mut samples);
        let (oracle, mut witness) = (oracle_of(element), Witness::default());
        let mut scales = BTreeMap::new();
        for block in samples.chunks(32) {
            // The floor rule: the exponent of the largest less that of the element's largest.
            let largest = block.iter().fold(0f32, |largest, x| largest.max(x.abs()));
            let exponent = (largest.to_bits() >> 23).cast_signed() - 127 - emax;
            *scales.entry(format!("{:#04x}", exponent + 127)).or_insert(0) += 1;
            for x in block {
                witness.add(&oracle, &projection, &value_of(*x, -exponent), (*x).into());
            }
        }
        for (count, expected) in COUNTS.iter().zip(witness.counts) {
            assert_eq!(row[count], expected, "{name}: {count}");
        }
        assert_eq!(row["used_codes"], witness.codes.len(), "{name}");
        let scales: Vec<(String, i32)> = scales.into_iter().collect();
        assert_eq!(row["scale_codes"], serde_json::json!(scales), "{name}");
        // Quotients and ulps do not change with a power of two.
        let is_free = |metric: &str| metric.contains("rel") || metric.contains("ulp");
        for (metric, expected) in witness.metrics().into_iter().filter(|(m, _)| is_free(m)) {
            let found = row[metric].as_f64().unwrap();
            let close = (found - expected).abs() <= 1e-13 * expected.abs();
            assert!(close, "{name}: {metric} is {found:e}, expected {expected:e}");
        }
    }
}

#[test]
fn a_binary32_scale_counts_in_an_ulp() {
    // Under the scale 7/448 these numbers lie between 416 and 448, which are one quantum apart.
    let row = one("uniform:6.5,7", 1 << 16, "e4m3fn/tensor");
    let ulp = row["max_ulp"].as_f64().unwrap();
    assert!((ulp - 0.5).abs() < 1e-3, "{ulp}");
    assert_eq!(row["overflow"], 0);
    // The bounds of the error are those of the quantum times the scale.
    let quantum = 32.0 * 7.0 / 448.0;
    assert!((row["max_abs"].as_f64().unwrap() / quantum - ulp).abs() < 1e-4);
}

fn one(distribution: &str, samples: u64, target: &str) -> Json {
    let config = Config {
        input: Input::Samples { distribution: distribution.parse().unwrap(), samples },
        targets: vec![target.parse().unwrap()],
        ..Config::default()
    };
    rows(&config).remove(0)
}

#[test]
fn errors_of_a_uniform_binade_are_uniform() {
    // Between 1 and 2 the quantum of binary16 is 2^-10: an error is uniform within half of it, so its
    // square is q²/12 in the mean, and that of the inputs 7/3.
    let row = one("uniform:1,2", 1 << 20, "e5m10");
    let expected = 10.0 * (28.0 * 2f64.powi(20)).log10();
    assert!((row["sqnr_db"].as_f64().unwrap() - expected).abs() < 0.01, "{}", row["sqnr_db"]);
    assert!((row["mean_ulp"].as_f64().unwrap() - 0.25).abs() < 1e-3);
    assert!((row["max_abs"].as_f64().unwrap() - 2f64.powi(-11)).abs() < 2f64.powi(-20));
    // Toward zero the error is uniform within a whole quantum.
    let row = one("uniform:1,2", 1 << 20, "e5m10/rtz");
    assert!((row["bias"].as_f64().unwrap() * 1024.0 + 0.5).abs() < 2e-3, "{}", row["bias"]);
    assert!((row["sqnr_db"].as_f64().unwrap() - (expected - 10.0 * 4f64.log10())).abs() < 0.01);
}

#[test]
fn tails_of_a_normal_distribution_overflow_and_vanish() {
    let n = 1_000_000;
    let close = |row: &Json, count: &str, probability: f64| {
        let found = row[count].as_u64().unwrap() as f64;
        let expected = probability * n as f64;
        let deviation = (expected * (1.0 - probability)).sqrt();
        assert!((found - expected).abs() < 4.0 * deviation, "{count}: {found}, not {expected}");
    };
    // E4M3FN overflows above 464 and flushes up to 2^-10.
    let row = one("normal:0,200", n, "e4m3fn");
    close(&row, "overflow", libm::erfc(464.0 / 200.0 / 2f64.sqrt()));
    let row = one("normal:0,0.01", n, "e4m3fn");
    close(&row, "flushed", libm::erf(2f64.powi(-10) / 0.01 / 2f64.sqrt()));
    // Subnormal results come from above 2^-10 to where the least normal number, 2^-6, takes over.
    let below = |x: f64| libm::erf(x / 0.01 / 2f64.sqrt());
    close(&row, "subnormal", below(2f64.powi(-6) - 2f64.powi(-10)) - below(2f64.powi(-10)));
}

#[test]
fn stochastic_rounding_is_unbiased() {
    let row = one("uniform:1,2", 1 << 20, "e4m3fn/sr");
    let (bias, rmse) = (row["bias"].as_f64().unwrap(), row["rmse"].as_f64().unwrap());
    assert!(bias.abs() < 4.0 * rmse / 1024.0, "{bias}");
    // A number at a share f of the way up has the variance f(1−f)q², in the mean q²/6.
    assert!((rmse * 8.0 - (1.0f64 / 6.0).sqrt()).abs() < 1e-3, "{rmse}");
}

#[test]
fn an_exact_target_has_no_error() {
    let row = one("cauchy:0,1", 5000, F32.name());
    assert_eq!(
        (&row["sqnr_db"], &row["exact"], &row["max_ulp"]),
        (&"inf".into(), &5000.into(), &0.0.into())
    );
    assert_eq!((&row["max_abs_input"], &row["used_codes"]), (&Json::Null, &Json::Null));
}

/// Takes seconds with vector kernels, minutes without.
#[cfg(feature = "exhaustive")]
#[test]
fn every_binary32_number_is_counted() {
    let config = Config {
        input: Input::Exhaustive(F32.clone()),
        targets: vec!["f16".parse().unwrap()],
        ..Config::default()
    };
    let row = rows(&config).remove(0);
    let codes = |low: f32, high: f32| u64::from(high.to_bits() - low.to_bits());
    assert_eq!(row["n"], 1u64 << 32);
    assert_eq!((&row["nan"], &row["inf"]), (&((1u64 << 24) - 2).into(), &2.into()));
    assert_eq!(row["overflow"], 2 * codes(65520.0, f32::INFINITY));
    // Up to and including half the least subnormal; +0 and −0 are not flushed.
    assert_eq!(row["flushed"], 2 * codes(0.0, 2f32.powi(-25)));
    // From there to half an ulp below the least normal number, which ties to it.
    let least_normal = 2f32.powi(-14) - 2f32.powi(-25);
    assert_eq!(row["subnormal"], 2 * (codes(2f32.powi(-25), least_normal) - 1));
    // Every finite binary16 number but the infinities and NaNs is itself a binary32 number.
    assert_eq!(row["exact"], 2 * 0x7c00);
    assert_eq!(row["max_ulp"], 0.5);
}
