//! The speed of block and scaled formats, as shares of the elements a second that the plain kernel
//! from binary32 to e4m3fn makes of the same numbers in the same run.
//!
//! `cargo bench --bench block` prints one line a format and direction, with the target
//! (docs/performance.md). Quantising is from numbers to codes and scales, with the largest magnitudes
//! found first; dequantising is back. The last lines are for the tensor of benches/peers/blocks.py, with
//! nothing counted.
#![expect(clippy::print_stdout, reason = "a benchmark prints")]

#[expect(dead_code, reason = "its subjects are slices, not single values")]
mod common;

use std::hint::black_box;

use common::{Subject, medians};
use fpx::block::{Grouping, Piece, Quantizer};
use fpx::codec::Projection;
use fpx::format::E4M3FN;
use fpx::kernel::{Codes, Dither, Plan, encode_f32, instruction_set, sample};
use fpx::random::Distribution;

/// Rows of as many numbers, 256 KiB in all, as in `cargo bench --bench kernel`.
const SHAPE: [u64; 2] = [64, 1024];
/// The tensor that `benches/peers/blocks.py` quantises with other libraries, and to what.
const LARGE: [u64; 2] = [4096, 4096];
const MEASURED: [&str; 4] = ["mxfp8_e4m3", "mxfp8_e5m2", "mxfp4", "nvfp4"];
/// The least share of the first [`PROMISED`] formats.
const TARGET: f64 = 0.35;
const PROMISED: usize = 4;
const FORMATS: [&str; 12] = [
    "mxfp8_e4m3",
    "mxfp4",
    "nvfp4",
    "e4m3fn/tensor",
    "mxfp8_e5m2",
    "mxfp6_e2m3",
    "mxint8",
    "e4m3fn/channel",
    "e4m3fn/tile:128x128",
    "mxfp4/axis:0",
    "mxfp4/sr",
    "nvfp4/sr",
];

/// A target and what it makes of the numbers.
struct Case {
    quantizer: Quantizer,
    grouping: Grouping,
    codes: Vec<u8>,
    values: Vec<f64>,
}

impl Case {
    fn new(name: &str, shape: &[u64], source: &[f32], counts: bool) -> Self {
        let spec = name.parse().expect("the name is known");
        let mut quantizer = Quantizer::new(&spec, &Projection::default()).expect("it has a scale");
        if !counts {
            quantizer = quantizer.without_counts();
        }
        let grouping = quantizer.grouping(shape).expect("a matrix has the axis");
        let mut scales = vec![0; usize::try_from(grouping.scales()).expect("they fit memory")];
        let mut case = Self { quantizer, grouping, codes: vec![0; source.len()], values: vec![] };
        let tensor_scale = case.quantize(source, &mut scales);
        case.values = case.quantizer.scale_values(&scales, tensor_scale);
        case
    }

    fn whole(&self) -> Piece<'_> {
        Piece { grouping: &self.grouping, elements: 0..self.grouping.elements() }
    }

    fn quantize(&mut self, source: &[f32], scales: &mut [u32]) -> f32 {
        let tensor_scale = self.quantizer.tensor_scale_of(source);
        let mut codes = std::mem::take(&mut self.codes);
        let (whole, places) = (self.whole(), &mut Codes::U8(&mut codes));
        let dither = Dither::default();
        black_box(self.quantizer.encode_tiles(
            &whole,
            source,
            tensor_scale,
            scales,
            places,
            dither,
        ));
        self.codes = codes;
        tensor_scale
    }

    fn dequantize(&self, numbers: &mut [f32]) {
        let codes = self.codes.as_slice().into();
        self.quantizer.decode(&self.whole(), codes, &self.values, numbers);
    }
}

fn plain(source: &[f32]) -> Subject<'_> {
    let plan = Plan::new(&E4M3FN, &Projection::default());
    let mut codes = vec![0u8; source.len()];
    Subject::new("plain", move || {
        let codes = Codes::U8(&mut codes);
        black_box(encode_f32(&plan, black_box(source), codes, Dither::default()));
    })
}

#[expect(clippy::cast_precision_loss, reason = "fewer than 2^53 elements")]
fn print(what: &str, is_promised: bool, subject: Subject<'_>, source: &[f32]) {
    let times = medians(&mut [subject, plain(source)], 40);
    let (speed, share) = (source.len() as f64 / times[0] / 1e9, times[1] / times[0]);
    let verdict = match is_promised {
        true if share >= TARGET => format!("  target {TARGET}  met"),
        true => format!("  target {TARGET}  missed"),
        false => String::new(),
    };
    println!("{what:<32} {speed:>7.2} G/s  share {share:>5.2}{verdict}");
}

fn main() {
    match instruction_set() {
        Ok(set) => println!("instruction set {}", set.name()),
        Err(error) => println!("{error}"),
    }
    for (i, name) in FORMATS.into_iter().enumerate() {
        both(name, &SHAPE, true, |what, subject, source| {
            print(what, i < PROMISED, subject, source);
        });
    }
    println!("a tensor of 4096 x 4096, nothing counted");
    for name in MEASURED {
        both(name, &LARGE, false, print_speed);
    }
}

/// Hands out both directions of a format, and the numbers.
fn both(name: &str, shape: &[u64], counts: bool, print: impl Fn(&str, Subject<'_>, &[f32])) {
    let elements: u64 = shape.iter().product();
    let mut source = vec![0.0; usize::try_from(elements).expect("it fits memory")];
    sample(&Distribution::default(), 0, 0, &mut source);
    let new = || Case::new(name, shape, &source, counts);
    let (mut case, other) = (new(), new());
    let mut scales = vec![0; case.values.len()];
    let mut numbers = vec![0.0; source.len()];
    let quantize = Subject::new("quantize", || {
        case.quantize(black_box(&source), &mut scales);
    });
    print(&format!("f32 to {name}"), quantize, &source);
    let dequantize = Subject::new("dequantize", || other.dequantize(black_box(&mut numbers)));
    print(&format!("{name} to f32"), dequantize, &source);
}

/// Prints the speed alone.
#[expect(clippy::cast_precision_loss, reason = "fewer than 2^53 elements")]
fn print_speed(what: &str, subject: Subject<'_>, source: &[f32]) {
    let seconds = medians(&mut [subject], 3)[0];
    println!("{what:<32} {:>7.0} M/s", source.len() as f64 / seconds / 1e6);
}
