//! Matrix products against loops written out, on every instruction set, forms and odd sizes.

use fpx::{
    codec::{Overflow, Projection, Unpacked, decode, project},
    format::{F16, Format, parse},
    kernel::{Gemm, InstructionSet, Plan, View},
    random::Stream,
};

/// The sides of products: rows, terms and columns.
const SIDES: [[usize; 3]; 8] = [
    [1, 1, 1],
    [5, 13, 11],
    [9, 1, 33],
    [8, 7, 32],
    [17, 40, 65],
    [3, 129, 15],
    [33, 5, 100],
    [0, 3, 4],
];

/// Numbers of both signs, a tenth of them zeros, up to `size`.
fn numbers(count: usize, seed: u64, size: f32) -> Vec<f32> {
    let stream = Stream::new(seed, 0);
    let number = |i| {
        let bits = stream.bits(i);
        if bits.is_multiple_of(10) { 0.0 } else { ((bits >> 8) as f32 / 8_388_608.0 - 1.0) * size }
    };
    (0..count as u64).map(number).collect()
}

/// Returns the matrix with rows and columns exchanged.
fn transposed(data: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    (0..rows * columns).map(|i| data[i % rows * columns + i / rows]).collect()
}

/// Multiplies by the definition; `round` is what becomes of each sum.
fn by_definition(
    [m, k, n]: [usize; 3],
    [a, b]: [&[f32]; 2],
    chunk: usize,
    round: impl Fn(f32) -> f32,
) -> Vec<f32> {
    let element = |i: usize| {
        let (row, column) = (i / n, i % n);
        let terms: Vec<f32> = (0..k).map(|l| a[row * k + l] * b[l * n + column]).collect();
        let part = |terms: &[f32]| terms.iter().fold(0.0, |sum, term| round(sum + term));
        terms.chunks(chunk).fold(0.0, |sum, terms| sum + part(terms))
    };
    (0..m * n).map(element).collect()
}

/// Checks a product on every instruction set, with each factor as it is and turned.
fn check(gemm: &Gemm, sides: [usize; 3], [a, b]: [&[f32]; 2], expected: &[f32], what: &str) {
    let [m, k, n] = sides;
    let (turned_a, turned_b) = (transposed(a, m, k), transposed(b, k, n));
    let lefts = [View::new(a, m, k), View::new(&turned_a, k, m).turned()];
    let rights = [View::new(b, k, n), View::new(&turned_b, n, k).turned()];
    for set in InstructionSet::found() {
        let gemm = gemm.on(set).unwrap();
        for (left, right) in lefts.iter().flat_map(|left| rights.iter().map(move |b| (left, b))) {
            let mut product = vec![f32::NAN; m * n];
            gemm.multiply(*left, *right, &mut product);
            for (i, (x, y)) in product.iter().zip(expected).enumerate() {
                let same = x.to_bits() == y.to_bits() || x.is_nan() && y.is_nan();
                assert!(same, "{what} {sides:?} {}: element {i} is {x}, not {y}", set.name());
            }
        }
    }
}

#[test]
fn products_are_summed_in_the_order_of_the_inner_index() {
    for sides @ [m, k, n] in SIDES {
        let (a, b) = (numbers(m * k, 1, 3.0), numbers(k * n, 2, 3.0));
        let expected = by_definition(sides, [&a, &b], usize::MAX, |sum| sum);
        check(&Gemm::default(), sides, [&a, &b], &expected, "f32");
    }
}

#[test]
fn no_terms_sum_to_zero() {
    let mut product = [1.0; 6];
    Gemm::default().multiply(View::new(&[], 2, 0), View::new(&[], 0, 3), &mut product);
    assert_eq!(product, [0.0; 6]);
}

/// Rounds as the codec does.
fn by_codec<'a>(format: &'a Format, projection: &'a Projection) -> impl Fn(f32) -> f32 + 'a {
    |x| {
        let code = project(format, projection, &Unpacked::from_f32(x)).code;
        decode(format, code).to_f64() as f32
    }
}

#[test]
fn each_rounded_sum_is_the_codecs() {
    let saturating = Projection { overflow: Overflow::Saturate, ..Projection::default() };
    let truncating = Projection::with_mode(&fpx::codec::RTZ);
    let cases = [
        ("f16", Projection::default()),
        ("bf16", Projection::default()),
        ("e4m3fn", saturating),
        ("e5m2", Projection::default()),
        ("e4m3fnuz", saturating),
        ("tf32", Projection::default()),
        ("e2m1fn", saturating),
        ("e9m3", Projection::default()),
        ("e6m14", truncating),
    ];
    for (name, projection) in cases {
        let format = parse(name).unwrap().format;
        let plan = Plan::new(&format, &projection);
        for sides @ [m, k, n] in SIDES {
            // The larger numbers overflow the narrow formats on the way.
            for (size, chunk) in [(0.02, None), (3.0, Some(7)), (200.0, None)] {
                let (a, b) = (numbers(m * k, 3, size), numbers(k * n, 4, 3.0));
                let chunked = chunk.unwrap_or(usize::MAX);
                let round = by_codec(&format, &projection);
                let expected = by_definition(sides, [&a, &b], chunked, round);
                let what = format!("{name}, numbers to {size}, chunks of {chunk:?},");
                check(&Gemm::rounded(plan, chunk), sides, [&a, &b], &expected, &what);
            }
        }
    }
}

#[test]
fn a_sum_that_overflows_stays_infinite_beside_sums_that_do_not() {
    let plan = Plan::new(&F16, &Projection::default());
    let (a, b) = ([60_000.0, 10_000.0, -60_000.0], [1.0, 0.5, 1.0, 0.5, 1.0, 0.5]);
    let mut product = [0.0; 2];
    Gemm::rounded(plan, None).multiply(View::new(&a, 1, 3), View::new(&b, 3, 2), &mut product);
    assert_eq!(product, [f32::INFINITY, 5_008.0]);
}

#[test]
#[should_panic(expected = "draws no random bits")]
fn a_stochastic_accumulator_is_refused() {
    let plan = Plan::new(&F16, &Projection::with_mode(&fpx::codec::SR));
    let _ = Gemm::rounded(plan, None);
}
