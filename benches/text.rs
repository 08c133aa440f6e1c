//! Numbers a second from text and into it, beside the standard library's parser and printer:
//! `cargo bench --bench text`.
#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]
#![expect(clippy::cast_precision_loss, reason = "counts of a few thousand")]
#![expect(clippy::cast_possible_truncation, reason = "codes have 16 and 32 bits")]

mod common;

use std::{fmt::Write as _, hint::black_box};

use common::{Subject, each, medians};
use fpx::{
    block::spec::Spec,
    codec::Projection,
    convert::{
        emit::{Emit, Writer},
        numbers::{Config, Converter},
        stream,
    },
    format::{F16, F32},
    random::Stream,
    report::answer,
    text::{literal, render},
};

/// Lines a run.
const LINES: usize = 4096;
/// Runs of each subject.
const ROUNDS: usize = 31;

fn main() {
    let bits = Stream::new(0, 0);
    let numbers: Vec<f32> = (0..LINES as u64)
        .map(|i| f32::from_bits(0x3000_0000 | bits.bits(i) & 0x8fff_ffff))
        .collect();
    // Seventeen digits each, as a binary64 number is printed.
    let lines: Vec<String> = numbers.iter().map(|&x| format!("{}", f64::from(x) / 3.0)).collect();
    let text = lines.iter().fold(String::new(), |mut text, line| {
        let _ = writeln!(text, "{line}");
        text
    });
    let texts: Vec<&str> = lines.iter().map(String::as_str).collect();
    let config = Config {
        from: None,
        targets: vec![Spec::plain(F16.clone())],
        projection: Projection::default(),
        seed: 0,
        codes: false,
    };
    let columns = answer::columns();
    print(
        "text in: decimals of 17 digits",
        [
            each("fpx literal::parse, exact", &texts, |line| literal::parse(line).ok()),
            Subject::new("fpx lines to f16 codes", || {
                let converter = Converter::new(&config);
                let mut writer = Writer::new(&config, Emit::Bits, &columns);
                let mut out = Vec::with_capacity(text.len());
                let source = stream::Source::Lines(Box::new(text.as_bytes()));
                black_box(stream::run(&converter, &mut writer, vec![source], &mut out).is_ok());
            }),
            each("std, to binary64", &texts, |line: &str| line.parse::<f64>().ok()),
        ],
    );
    print(
        "text out",
        [
            each("fpx render::value, f32", &numbers, |x: f32| {
                render::value(&F32, x.to_bits().into())
            }),
            each("fpx render::value, f16", &numbers, |x: f32| {
                render::value(&F16, (x.to_bits() as u16 & 0xbbff).into())
            }),
            each("std, shortest of f32", &numbers, |x: f32| x.to_string()),
        ],
    );
}

fn print<const N: usize>(title: &str, mut subjects: [Subject<'_>; N]) {
    println!("{title}");
    let seconds = medians(&mut subjects, ROUNDS);
    for (subject, seconds) in subjects.iter().zip(&seconds) {
        println!("  {:<28} {:>6.2} M a second", subject.name, LINES as f64 / seconds / 1e6);
    }
}
