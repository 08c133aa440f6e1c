//! The speed of the kernels as ratios to something measured in the same run: a memory copy of the
//! binary32 array, or the `half` crate's slice calls.
//!
//! `cargo bench --bench kernel` prints one line a ratio, with its target (docs/performance.md).
#![expect(clippy::print_stdout, reason = "a benchmark prints")]

#[expect(dead_code, reason = "its subjects are slices, not single values")]
mod common;

use std::hint::black_box;

use common::{Subject, medians};
use fpx::codec::{Projection, ROUNDING_MODES, RoundingMode};
use fpx::format::{BF16, E4M3FN, E5M2, F16, Format, parse};
use fpx::kernel::{
    Codes, CodesRef, Dither, Plan, decode_f32, encode_f32, instruction_set, quantize, sample,
};
use fpx::random::Distribution;
use half::slice::HalfFloatSliceExt;

/// Elements that stay in the second cache, source and results together.
const IN_CACHE: usize = 1 << 16;
/// Elements that leave every cache.
const OUT_OF_CACHE: usize = 1 << 26;

/// One ratio: the elements a second of the first over those of the second.
struct Line<'a> {
    what: String,
    target: f64,
    elements: usize,
    subject: Subject<'a>,
    reference: Subject<'a>,
}

impl Line<'_> {
    #[expect(clippy::cast_precision_loss, reason = "fewer than 2^53 elements")]
    fn print(self, turns: usize) {
        let times = medians(&mut [self.subject, self.reference], turns);
        let (speed, ratio) = (self.elements as f64 / times[0] / 1e9, times[1] / times[0]);
        let verdict = if ratio >= self.target { "met" } else { "missed" };
        let Self { what, target, .. } = self;
        println!("{what:<56} {speed:>7.2} G/s  ratio {ratio:>5.2}  target {target:>4}  {verdict}");
    }
}

fn samples(elements: usize) -> Vec<f32> {
    let mut samples = vec![0.0; elements];
    sample(&Distribution::default(), 0, 0, &mut samples);
    samples
}

fn plan(format: &Format, mode: &'static RoundingMode) -> Plan {
    Plan::new(format, &Projection::with_mode(mode))
}

fn copy(source: &[f32]) -> Subject<'_> {
    let mut copied = vec![0.0; source.len()];
    Subject::new("copy", move || black_box(&mut copied[..]).copy_from_slice(black_box(source)))
}

fn encode<'a>(plan: &Plan, source: &'a [f32]) -> Subject<'a> {
    let plan = *plan;
    let mut bytes = vec![0u8; if plan.width() <= 8 { source.len() } else { 0 }];
    let mut halves = vec![0u16; if plan.width() > 8 { source.len() } else { 0 }];
    Subject::new("encode", move || {
        let codes = if plan.width() <= 8 { Codes::U8(&mut bytes) } else { Codes::U16(&mut halves) };
        black_box(encode_f32(&plan, black_box(source), codes, Dither::default()));
    })
}

fn quantized<'a>(plan: &Plan, source: &'a [f32]) -> Subject<'a> {
    let plan = *plan;
    let mut rounded = vec![0.0; source.len()];
    Subject::new("quantize", move || {
        black_box(quantize(&plan, black_box(source), &mut rounded, Dither::default()));
    })
}

fn decode<'a>(plan: &Plan, codes: CodesRef<'a>) -> Subject<'a> {
    let plan = *plan;
    let mut numbers = vec![0.0; codes.len()];
    Subject::new("decode", move || decode_f32(&plan, black_box(codes), &mut numbers))
}

/// Against `half`, which counts nothing: to a format of its and back.
fn against_half<H: Clone>(format: &Format, zero: H, targets: [f64; 2], source: &[f32])
where
    [H]: HalfFloatSliceExt,
    for<'a> CodesRef<'a>: From<&'a [H]>,
{
    let (elements, counted) = (source.len(), plan(format, ROUNDING_MODES[0]));
    let (mut halves, mut numbers) = (vec![zero; elements], vec![0.0; elements]);
    for (plan, how) in [(counted, ""), (counted.without_counts(), ", uncounted")] {
        let what = format!("f32 to {format}{how}, over half");
        let subject = encode(&plan, source);
        let reference = Subject::new("half", || halves.convert_from_f32_slice(black_box(source)));
        Line { what, target: targets[0], elements, subject, reference }.print(100);
    }
    let what = format!("{format} to f32, over half");
    let subject = decode(&counted, halves.as_slice().into());
    let reference = Subject::new("half", || halves.convert_to_f32_slice(black_box(&mut numbers)));
    Line { what, target: targets[1], elements, subject, reference }.print(100);
}

/// Formats of 8 bits, with all counts. The targets are 30 and 50 times `ml_dtypes` 0.6.0, which runs
/// at a hundredth of the speed of a copy.
fn bytes(source: &[f32]) {
    let fnuz = parse("e4m3fnuz").expect("it is a format").format;
    for format in [&E4M3FN, &E5M2, &fnuz] {
        let (elements, plan) = (source.len(), plan(format, ROUNDING_MODES[0]));
        let mut codes = vec![0u8; elements];
        encode_f32(&plan, source, Codes::U8(&mut codes), Dither::default());
        let lines = [
            (format!("f32 to {format}, over a copy"), 0.3, encode(&plan, source)),
            (
                format!("f32 to {format}, uncounted, over a copy"),
                0.3,
                encode(&plan.without_counts(), source),
            ),
            (format!("{format} to f32, over a copy"), 0.5, decode(&plan, CodesRef::U8(&codes))),
        ];
        for (what, target, subject) in lines {
            Line { what, target, elements, subject, reference: copy(source) }.print(100);
        }
    }
}

/// Fake quantisation with all counts, to a format that no hardware has.
fn quantizers(source: &[f32]) {
    let format = parse("e4m4").expect("the grammar has it").format;
    let rne = ROUNDING_MODES[0];
    let line = |what: String, target, subject, reference| {
        Line { what, target, elements: source.len(), subject, reference }.print(100);
    };
    line(
        "f32 to e4m4 to f32, rne, over a copy".to_owned(),
        0.4,
        quantized(&plan(&format, rne), source),
        copy(source),
    );
    for mode in &ROUNDING_MODES[1..] {
        let target = if mode.is_stochastic() { 0.35 } else { 0.6 };
        let what = format!("f32 to e4m4 to f32, {}, over rne", mode.name);
        line(
            what,
            target,
            quantized(&plan(&format, mode), source),
            quantized(&plan(&format, rne), source),
        );
    }
}

fn out_of_cache() {
    let source = samples(OUT_OF_CACHE);
    for format in [&F16, &BF16, &E4M3FN, &E5M2] {
        let line = Line {
            what: format!("f32 to {format} out of cache, over a copy"),
            target: 0.55,
            elements: source.len(),
            subject: encode(&plan(format, ROUNDING_MODES[0]), &source),
            reference: copy(&source),
        };
        line.print(3);
    }
}

/// Two threads with a slice each, over one thread with both.
fn threads(source: &[f32]) {
    const TIMES: usize = 64;
    let plan = plan(&E4M3FN, ROUNDING_MODES[0]);
    let mut rounded = [vec![0.0; source.len()], vec![0.0; source.len()]];
    let mut others = rounded.clone();
    let work = |rounded: &mut Vec<f32>| {
        for _ in 0..TIMES {
            black_box(quantize(&plan, black_box(source), rounded, Dither::default()));
        }
    };
    let line = Line {
        what: "f32 to e4m3fn to f32, two threads over one".to_owned(),
        target: 1.8,
        elements: 2 * TIMES * source.len(),
        subject: Subject::new("two threads", || {
            let [first, second] = &mut rounded;
            rayon::join(|| work(first), || work(second));
        }),
        reference: Subject::new("one thread", || others.iter_mut().for_each(work)),
    };
    line.print(5);
}

fn main() {
    match instruction_set() {
        Ok(set) => println!("instruction set {}", set.name()),
        Err(error) => println!("{error}"),
    }
    let source = samples(IN_CACHE);
    against_half(&F16, half::f16::ZERO, [3.5, 3.0], &source);
    against_half(&BF16, half::bf16::ZERO, [4.0, 3.0], &source);
    bytes(&source);
    quantizers(&source);
    threads(&source);
    out_of_cache();
}
