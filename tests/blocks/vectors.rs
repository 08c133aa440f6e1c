//! The rows of `tests/vectors/blocks_*.tsv`, and of the file that `ml_dtypes` made.

use std::{fs, path::PathBuf};

use super::{quantizer, row};
use fpx::codec::Projection;
use fpx::kernel::Dither;

fn rows(file: &str) -> Vec<Vec<String>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(file);
    let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let rows: Vec<Vec<String>> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split('\t').map(str::to_owned).collect())
        .collect();
    assert!(rows.len() > 10, "{file} has {} rows", rows.len());
    rows
}

fn numbers(text: &str) -> Vec<f32> {
    text.split(',').map(|x| f32::from_bits(u32::from_str_radix(x, 16).unwrap())).collect()
}

fn bits(numbers: &[f32]) -> Vec<u32> {
    numbers.iter().map(|x| x.to_bits()).collect()
}

/// Codes written side by side, of so many digits each.
fn codes(text: &str, digits: usize) -> Vec<u64> {
    let digit = |i: usize| u64::from_str_radix(&text[i..i + digits], 16).unwrap();
    (0..text.len()).step_by(digits).map(digit).collect()
}

#[test]
fn mx_blocks_agree_with_the_vectors() {
    for (file, spec) in [
        ("blocks_mxfp4_e2m1.tsv", "mxfp4"),
        ("blocks_mxfp6_e2m3.tsv", "mxfp6_e2m3"),
        ("blocks_mxfp6_e3m2.tsv", "mxfp6_e3m2"),
        ("blocks_mxfp8_e4m3.tsv", "mxfp8_e4m3"),
        ("blocks_mxfp8_e5m2.tsv", "mxfp8_e5m2"),
        ("blocks_mxint8.tsv", "mxint8"),
    ] {
        for line in rows(file) {
            let source = numbers(&line[1]);
            let tensor = row(spec, &source);
            assert_eq!(
                tensor.scales,
                [u32::from_str_radix(&line[2], 16).unwrap()],
                "{file} {line:?}"
            );
            assert_eq!(tensor.codes, codes(&line[3], 2), "{file} {line:?}");
            let expected = bits(&numbers(&line[4]));
            assert_eq!(bits(&quantizer(spec).dequantize(&tensor)), expected, "{file} {line:?}");
        }
    }
}

/// An NVFP4 block under a given tensor scale.
fn nvfp4(scale: &str, source: &[f32]) -> (fpx::block::Quantizer, fpx::block::Quantized) {
    let scale = f32::from_bits(u32::from_str_radix(scale, 16).unwrap());
    let quantizer = quantizer(&format!("nvfp4/scale:{scale:e}"));
    let tensor = quantizer.quantize(&[16], source, Dither::default()).unwrap();
    assert_eq!(tensor.tensor_scale, scale);
    (quantizer, tensor)
}

#[test]
fn nvfp4_blocks_agree_with_the_vectors() {
    for line in rows("blocks_nvfp4.tsv") {
        let (quantizer, tensor) = nvfp4(&line[1], &numbers(&line[2]));
        assert_eq!(tensor.scales, [u32::from_str_radix(&line[3], 16).unwrap()], "{line:?}");
        assert_eq!(tensor.codes, codes(&line[4], 1), "{line:?}");
        assert_eq!(bits(&quantizer.dequantize(&tensor)), bits(&numbers(&line[5])), "{line:?}");
    }
    // Where the order of operations matters, ours is exact arithmetic.
    for line in rows("blocks_nvfp4_order_sensitive.tsv") {
        let (_, tensor) = nvfp4(&line[1], &numbers(&line[2]));
        assert_eq!(tensor.scales, [u32::from_str_radix(&line[3], 16).unwrap()], "{line:?}");
        assert_eq!(tensor.codes, codes(&line[4], 1), "{line:?}");
    }
}

#[test]
fn ml_dtypes_agrees() {
    for line in rows("blocks_ml_dtypes.tsv") {
        let [spec, source, scales, expected, dequantised] = &line[..] else { panic!("{line:?}") };
        let source = numbers(source);
        let spec = spec.parse().unwrap();
        let quantizer = fpx::block::Quantizer::new(&spec, &Projection::default()).unwrap();
        let shape = [source.len() as u64];
        let tensor = quantizer.quantize(&shape, &source, Dither::default()).unwrap();
        let scales: Vec<u32> =
            scales.split(',').map(|x| u32::from_str_radix(x, 16).unwrap()).collect();
        assert_eq!(tensor.scales, scales, "{spec}");
        assert_eq!(tensor.codes, codes(expected, 2), "{spec}");
        assert_eq!(bits(&quantizer.dequantize(&tensor)), bits(&numbers(dequantised)), "{spec}");
    }
}
