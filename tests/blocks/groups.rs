//! Which elements share a scale: block sizes, tails, axes, tiles, pieces of a tensor.

use super::{Random, quantizer, row};
use fpx::block::{BlockError, Piece, Quantized, Quantizer, Spec};
use fpx::codec::Projection;
use fpx::kernel::{Codes, Dither, largest_finite_magnitudes};
use fpx::random::Stream;

#[test]
fn every_block_size_and_tail_is_quantised_block_by_block() {
    let mut random = Random::new(10);
    let source: Vec<f32> = (0..200).map(|_| random.number(0, 8)).collect();
    for size in 1..=64 {
        for length in [1, size, size + 1, 3 * size - 1, 3 * size] {
            let source = &source[..length.min(source.len())];
            let spec = format!("mxfp4/block:{size}");
            let tensor = row(&spec, source);
            let blocks: Vec<Quantized> = source.chunks(size).map(|b| row(&spec, b)).collect();
            let scales: Vec<u32> = blocks.iter().flat_map(|b| b.scales.clone()).collect();
            let codes: Vec<u64> = blocks.iter().flat_map(|b| b.codes.clone()).collect();
            assert_eq!((&tensor.scales, &tensor.codes), (&scales, &codes), "{spec} of {length}");
            let short = u64::from(!source.len().is_multiple_of(size));
            assert_eq!((tensor.counts.scales, tensor.counts.short), (scales.len() as u64, short));
        }
    }
}

#[test]
fn blocks_do_not_cross_the_ends_of_rows() {
    let mut random = Random::new(11);
    for columns in [1, 31, 32, 33, 70] {
        let source: Vec<f32> = (0..5 * columns).map(|_| random.number(0, 8)).collect();
        let shape = [5, columns as u64];
        let tensor = quantizer("mxfp8").quantize(&shape, &source, Dither::default()).unwrap();
        let rows: Vec<Quantized> = source.chunks(columns).map(|r| row("mxfp8", r)).collect();
        let scales: Vec<u32> = rows.iter().flat_map(|r| r.scales.clone()).collect();
        let codes: Vec<u64> = rows.iter().flat_map(|r| r.codes.clone()).collect();
        assert_eq!((tensor.scales, tensor.codes), (scales, codes), "{columns} columns");
        let short = if columns % 32 == 0 { 0 } else { 5 };
        assert_eq!(tensor.counts.short, short);
    }
}

#[test]
fn an_axis_is_the_last_one_of_the_transposed_tensor() {
    let mut random = Random::new(12);
    let (depth, height, width) = (3, 37, 5);
    let source: Vec<f32> = (0..depth * height * width).map(|_| random.number(0, 8)).collect();
    let transpose = |numbers: &[f32]| {
        let mut out = vec![0.0; numbers.len()];
        for (i, x) in numbers.iter().enumerate() {
            let (d, h, w) = (i / (height * width), i / width % height, i % width);
            out[(d * width + w) * height + h] = *x;
        }
        out
    };
    let shape = [depth as u64, height as u64, width as u64];
    for name in ["mxfp4", "nvfp4", "mxint8"] {
        for axis in ["1", "-2"] {
            let along = quantizer(&format!("{name}/axis:{axis}"));
            let tensor = along.quantize(&shape, &source, Dither::default()).unwrap();
            let transposed = [shape[0], shape[2], shape[1]];
            let last = quantizer(name);
            let expected =
                last.quantize(&transposed, &transpose(&source), Dither::default()).unwrap();
            let numbers = along.dequantize(&tensor);
            assert_eq!(transpose(&numbers), last.dequantize::<f32>(&expected), "{name}/{axis}");
            assert_eq!(tensor.counts, expected.counts, "{name}/{axis}");
            let blocks = if name == "nvfp4" { 3 } else { 2 };
            assert_eq!(tensor.grouping.scale_shape(), [3, blocks, 5]);
        }
    }
}

#[test]
fn an_axis_that_is_not_there_is_refused() {
    for (spec, shape) in [("mxfp4/axis:2", &[4, 4][..]), ("mxfp4/axis:-3", &[4, 4]), ("mxfp4", &[])]
    {
        let error = quantizer(spec).grouping(shape).unwrap_err();
        assert!(matches!(error, BlockError::Axis { .. }), "{spec}: {error}");
    }
    assert_eq!(
        quantizer("mxfp4/axis:2").grouping(&[4, 4]).unwrap_err().to_string(),
        "blocks along axis 2 of a tensor with 2 axes: expected -2 to 1"
    );
}

#[test]
fn targets_without_scale_and_elements_that_cannot_be_scaled_are_refused() {
    let new = |name: &str| Quantizer::new(&name.parse::<Spec>().unwrap(), &Projection::default());
    assert!(matches!(new("bf16"), Err(BlockError::Plain(_))));
    assert!(matches!(new("binary128/tensor"), Err(BlockError::TooWide { width: 128, .. })));
    assert!(matches!(new("e1m0/block:4"), Err(BlockError::Empty(_))));
}

/// The targets whose pieces are tried, and shapes for them.
const PIECES: [(&str, [u64; 3]); 8] = [
    ("mxfp4", [3, 40, 70]),
    ("mxfp4", [3, 40, 64]),
    ("nvfp4", [3, 40, 70]),
    ("mxfp8/axis:1", [3, 40, 70]),
    ("mxfp8/axis:0", [40, 3, 70]),
    ("e4m3fn/tensor", [3, 40, 70]),
    ("e4m3fn/channel", [12, 10, 70]),
    ("e4m3fn/tile:16x32", [3, 40, 70]),
];

fn tensor_of(shape: &[u64]) -> Vec<f32> {
    let mut random = Random::new(13);
    (0..shape.iter().product()).map(|_| random.number(0, 12)).collect()
}

#[test]
fn pieces_of_whole_tiles_give_what_the_whole_gives() {
    for (name, shape) in PIECES {
        let source = tensor_of(&shape);
        let quantizer = quantizer(&format!("{name}/sr"));
        let dither = Dither { stream: Stream::new(5, 1), first: 0 };
        let whole = quantizer.quantize(&shape, &source, dither).unwrap();
        for most in [1, 50, 333, 2048] {
            let grouping = &whole.grouping;
            let mut counts = fpx::block::Counts::default();
            let (mut scales, mut codes) = (Vec::new(), Vec::new());
            let mut next = 0;
            while next < grouping.elements() {
                let piece = Piece { grouping, elements: next..grouping.cut(next, most) };
                assert!(piece.elements.end > next, "{name}: no progress");
                let index = |at: u64| usize::try_from(at).unwrap();
                let numbers = &source[index(next)..index(piece.elements.end)];
                let range = grouping.scales_of(&piece.elements);
                let mut own_scales = vec![0; index(range.end - range.start)];
                let mut own_codes = vec![0u8; numbers.len()];
                counts += quantizer.encode_tiles(
                    &piece,
                    numbers,
                    whole.tensor_scale,
                    &mut own_scales,
                    &mut Codes::U8(&mut own_codes),
                    dither,
                );
                assert_eq!(range.start, scales.len() as u64, "{name}: scales in order");
                scales.extend(own_scales);
                codes.extend(own_codes.into_iter().map(u64::from));
                next = piece.elements.end;
            }
            assert_eq!((&scales, &codes), (&whole.scales, &whole.codes), "{name} by {most}");
            assert_eq!(counts, whole.counts, "{name} by {most}");
        }
    }
}

#[test]
fn two_passes_over_any_pieces_give_what_the_whole_gives() {
    for (name, shape) in PIECES {
        let source = tensor_of(&shape);
        let quantizer = quantizer(name);
        let whole = quantizer.quantize(&shape, &source, Dither::default()).unwrap();
        let grouping = &whole.grouping;
        let mut tensor_largest = [0.0];
        largest_finite_magnitudes(&source, source.len(), &mut tensor_largest);
        let tensor_scale = quantizer.tensor_scale(tensor_largest[0]);
        assert_eq!(tensor_scale.to_bits(), whole.tensor_scale.to_bits());
        for most in [7, 61, 1000] {
            let pieces = || {
                source.chunks(most).zip((0..).step_by(most)).map(|(numbers, first)| {
                    let elements = first..first + numbers.len() as u64;
                    let scales = grouping.scales_of(&elements);
                    let index = |at: u64| usize::try_from(at).unwrap();
                    (Piece { grouping, elements }, numbers, index(scales.start)..index(scales.end))
                })
            };
            let mut largest = vec![0.0; whole.scales.len()];
            for (piece, numbers, scales) in pieces() {
                quantizer.largest(&piece, numbers, &mut largest[scales]);
            }
            let scales = quantizer.scale_codes(&largest, tensor_scale);
            assert_eq!(scales, whole.scales, "{name} by {most}");
            let values = quantizer.scale_values(&scales, tensor_scale);
            let (mut codes, mut back) = (Vec::new(), Vec::new());
            for (piece, numbers, scales) in pieces() {
                let mut own = vec![0u8; numbers.len()];
                let values = &values[scales];
                let places = &mut Codes::U8(&mut own);
                quantizer.encode(&piece, numbers, values, places, Dither::default());
                let mut numbers = vec![0f32; own.len()];
                quantizer.decode(&piece, (&own[..]).into(), values, &mut numbers);
                codes.extend(own.into_iter().map(u64::from));
                back.extend(numbers);
            }
            assert_eq!(codes, whole.codes, "{name} by {most}");
            assert_eq!(back, quantizer.dequantize::<f32>(&whole), "{name} by {most}");
        }
    }
}

#[test]
fn empty_tensors_have_no_scales() {
    for name in ["mxfp4", "nvfp4", "e4m3fn/tile:2x2", "mxfp4/axis:0"] {
        for shape in [&[0][..], &[0, 4], &[4, 0]] {
            let tensor = quantizer(name).quantize::<f32>(shape, &[], Dither::default()).unwrap();
            assert_eq!((tensor.codes.len(), tensor.counts), (0, fpx::block::Counts::default()));
        }
    }
}
