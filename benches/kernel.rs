//! scratch
mod common;
use common::{Subject, medians};
use fpx::codec::{Projection, ROUNDING_MODES};
use fpx::format::{BF16, E4M3FN, E5M2, F16, Format, parse};
use fpx::kernel::{
    Codes, CodesRef, Dither, InstructionSet, Plan, decode_f32, encode_f32, quantize,
};
use half::slice::HalfFloatSliceExt;
use std::hint::black_box;

fn main() {
    let n = 65536;
    let source: Vec<f32> = (0..n as u32)
        .map(|i| {
            let s: f64 = (0..12)
                .map(|j| f64::from(fpx::random::Stream::new(1, j).bits(i.into())) / 4294967296.0)
                .sum();
            (s - 6.0) as f32
        })
        .collect();
    for set in InstructionSet::found().skip(1) {
        let mut copy = vec![0f32; n];
        let mut f16 = vec![half::f16::ZERO; n];
        let mut bf16 = vec![half::bf16::ZERO; n];
        let mut subjects = vec![
            Subject::new("copy", || black_box(&mut copy).copy_from_slice(black_box(&source))),
            Subject::new("half f16", || {
                black_box(&mut f16).convert_from_f32_slice(black_box(&source))
            }),
            Subject::new("half bf16", || {
                black_box(&mut bf16).convert_from_f32_slice(black_box(&source))
            }),
        ];
        let p = Projection::default();
        let e4m3 = parse("e4m3ieee").unwrap().format;
        let formats: [(&'static str, &Format); 4] =
            [("f16", &F16), ("bf16", &BF16), ("e4m3fn", &E4M3FN), ("e5m2", &E5M2)];
        for counts in [true, false] {
            for (name, format) in formats {
                let plan = Plan::new(format, &p).on(set).unwrap();
                let plan = if counts { plan } else { plan.without_counts() };
                let source = &source;
                let mut c16 = vec![0u16; n];
                let mut c8 = vec![0u8; n];
                subjects.push(Subject::new(name, move || {
                    let codes =
                        if plan.width() == 8 { Codes::U8(&mut c8) } else { Codes::U16(&mut c16) };
                    black_box(encode_f32(&plan, black_box(source), codes, Dither::default()));
                }));
            }
            for mode in ROUNDING_MODES {
                let plan = Plan::new(&e4m3, &Projection::with_mode(mode)).on(set).unwrap();
                let plan = if counts { plan } else { plan.without_counts() };
                let source = &source;
                let mut out = vec![0f32; n];
                subjects.push(Subject::new(mode.name, move || {
                    black_box(quantize(&plan, black_box(source), &mut out, Dither::default()));
                }));
            }
        }
        for (name, format) in formats {
            let plan = Plan::new(format, &p).on(set).unwrap();
            let mut out = vec![0f32; n];
            let mut c16 = vec![0u16; n];
            let mut c8 = vec![0u8; n];
            let codes = if plan.width() == 8 { Codes::U8(&mut c8) } else { Codes::U16(&mut c16) };
            encode_f32(&plan, &source, codes, Dither::default());
            subjects.push(Subject::new(name, move || {
                let codes = if plan.width() == 8 { CodesRef::U8(&c8) } else { CodesRef::U16(&c16) };
                decode_f32(&plan, black_box(codes), &mut out);
            }));
        }
        let times = medians(&mut subjects, 150);
        println!("{set:?}");
        for (s, t) in subjects.iter().zip(&times) {
            println!("{:10} {:7.2} G/s {:6.3} of copy", s.name, n as f64 / t / 1e9, times[0] / t);
        }
    }
}
