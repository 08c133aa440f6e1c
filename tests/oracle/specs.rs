//! The formats once more, from their specifications: nothing here is derived from `fpx::format`.

/// Which codes are NaN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NanCodes {
    None,
    /// An exponent field of ones and a trailing field that is not zero.
    Ieee,
    /// All bits below the sign.
    AllOnes,
    /// The sign bit alone.
    SignBit,
}

/// Which zeros there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ZeroCodes {
    Both,
    One,
    None,
}

/// What decides a tie where there is one significand digit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Even {
    Significand,
    Code,
}

/// A format as its document defines it.
#[derive(Clone, Debug)]
pub(crate) struct Spec {
    pub(crate) name: String,
    pub(crate) signed: bool,
    /// Bits of the exponent field.
    pub(crate) exponent: u32,
    /// Bits of the trailing significand field.
    pub(crate) trailing: u32,
    pub(crate) bias: i32,
    pub(crate) infinity: bool,
    pub(crate) nan: NanCodes,
    pub(crate) zero: ZeroCodes,
    pub(crate) subnormals: bool,
    pub(crate) even: Even,
}

type Row = (&'static str, (u32, u32, u32), i32, bool, NanCodes, ZeroCodes, bool);

impl From<&Row> for Spec {
    fn from(
        &(name, (sign, exponent, trailing), bias, infinity, nan, zero, subnormals): &Row,
    ) -> Self {
        let (name, signed, even) = (name.to_owned(), sign == 1, Even::Significand);
        Self { name, signed, exponent, trailing, bias, infinity, nan, zero, subnormals, even }
    }
}

use NanCodes::{AllOnes, Ieee, None as NoNan, SignBit};
use ZeroCodes::{Both, None as NoZero, One};

/// The catalogue up to 32 bits: sign, exponent and trailing bits, bias, infinities, NaN, zeros,
/// subnormals. IEEE 754-2019 §3.6, OCP OFP8 1.0 table 1, OCP MX 1.0 §5.3, arXiv 2206.02915, Arm ARM
/// (FPCR.AHP), IBM `DLFloat` (ARITH 2019), PTX ISA, `ml_dtypes` and LLVM for the names.
#[rustfmt::skip]
const CATALOGUE: &[Row] = &[
    ("f32",          (1, 8, 23), 127, true,  Ieee,    Both,   true),
    ("tf32",         (1, 8, 10), 127, true,  Ieee,    Both,   true),
    ("f16",          (1, 5, 10), 15,  true,  Ieee,    Both,   true),
    ("bf16",         (1, 8, 7),  127, true,  Ieee,    Both,   true),
    ("e5m2",         (1, 5, 2),  15,  true,  Ieee,    Both,   true),
    ("e4m3fn",       (1, 4, 3),  7,   false, AllOnes, Both,   true),
    ("e4m3ieee",     (1, 4, 3),  7,   true,  Ieee,    Both,   true),
    ("e3m4",         (1, 3, 4),  3,   true,  Ieee,    Both,   true),
    ("e5m2fnuz",     (1, 5, 2),  16,  false, SignBit, One,    true),
    ("e4m3fnuz",     (1, 4, 3),  8,   false, SignBit, One,    true),
    ("e4m3b11fnuz",  (1, 4, 3),  11,  false, SignBit, One,    true),
    ("e3m2fn",       (1, 3, 2),  3,   false, NoNan,   Both,   true),
    ("e2m3fn",       (1, 2, 3),  1,   false, NoNan,   Both,   true),
    ("e2m1fn",       (1, 2, 1),  1,   false, NoNan,   Both,   true),
    ("e8m0",         (0, 8, 0),  127, false, AllOnes, NoZero, false),
    ("ue4m3",        (0, 4, 3),  7,   false, AllOnes, One,    true),
    ("ue5m3",        (0, 5, 3),  15,  false, AllOnes, One,    true),
    ("e3m0",         (1, 3, 0),  3,   false, NoNan,   Both,   true),
    ("e1m2",         (1, 1, 2),  1,   false, NoNan,   Both,   true),
    ("arm-alt-half", (1, 5, 10), 15,  false, NoNan,   Both,   true),
    ("dlfloat16",    (1, 6, 9),  31,  false, AllOnes, Both,   false),
    ("fp24",         (1, 7, 16), 63,  true,  Ieee,    Both,   true),
    ("pxr24",        (1, 8, 15), 127, true,  Ieee,    Both,   true),
];

/// Custom formats: every axis alone and in the combinations where two axes meet in one code.
#[rustfmt::skip]
const CUSTOM: &[Row] = &[
    // Field widths, down to no trailing bits and to one exponent bit.
    ("e2m1",                   (1, 2, 1), 1,   true,  Ieee,    Both, true),
    ("e2m3",                   (1, 2, 3), 1,   true,  Ieee,    Both, true),
    ("e3m2",                   (1, 3, 2), 3,   true,  Ieee,    Both, true),
    ("e6m1",                   (1, 6, 1), 31,  true,  Ieee,    Both, true),
    ("e4m0",                   (1, 4, 0), 7,   true,  NoNan,   Both, true),
    ("e7m0",                   (1, 7, 0), 63,  true,  NoNan,   Both, true),
    ("e1m0",                   (1, 1, 0), 0,   true,  NoNan,   Both, true),
    ("e1m1",                   (1, 1, 1), 0,   true,  Ieee,    Both, true),
    ("e1m6",                   (1, 1, 6), 0,   true,  Ieee,    Both, true),
    // Bias.
    ("e3m2:bias=0",            (1, 3, 2), 0,   true,  Ieee,    Both, true),
    ("e3m2:bias=-40",          (1, 3, 2), -40, true,  Ieee,    Both, true),
    ("e4m2:bias=200",          (1, 4, 2), 200, true,  Ieee,    Both, true),
    ("e4m3:bias=15:finite",    (1, 4, 3), 15,  false, NoNan,   Both, true),
    // Where the NaN and the infinities are.
    ("e3m2:fn",                (1, 3, 2), 3,   false, AllOnes, Both, true),
    ("e3m2:fnuz",              (1, 3, 2), 4,   false, SignBit, One,  true),
    ("e4m3:finite",            (1, 4, 3), 7,   false, NoNan,   Both, true),
    ("e3m2:noinf",             (1, 3, 2), 3,   false, Ieee,    Both, true),
    ("e3m2:nan=ones",          (1, 3, 2), 3,   true,  AllOnes, Both, true),
    ("e3m2:nan=zero",          (1, 3, 2), 3,   true,  SignBit, One,  true),
    ("e3m2:nan=none",          (1, 3, 2), 3,   true,  NoNan,   Both, true),
    ("e4m0:fn",                (1, 4, 0), 7,   false, AllOnes, Both, true),
    ("e4m0:fnuz",              (1, 4, 0), 8,   false, SignBit, One,  true),
    ("e4m0:nan=ones",          (1, 4, 0), 7,   true,  AllOnes, Both, true),
    ("e1m3:fn",                (1, 1, 3), 0,   false, AllOnes, Both, true),
    ("e1m3:fnuz",              (1, 1, 3), 1,   false, SignBit, One,  true),
    ("e1m3:finite",            (1, 1, 3), 0,   false, NoNan,   Both, true),
    // Zeros and signs.
    ("e3m3:nonegzero",         (1, 3, 3), 3,   true,  Ieee,    One,  true),
    ("e3m2:fn:nonegzero",      (1, 3, 2), 3,   false, AllOnes, One,  true),
    ("e4m2:unsigned",          (0, 4, 2), 7,   true,  Ieee,    One,  true),
    ("e3m3:fn:unsigned",       (0, 3, 3), 3,   false, AllOnes, One,  true),
    ("e3m2:finite:unsigned",   (0, 3, 2), 3,   false, NoNan,   One,  true),
    ("e5m0:unsigned",          (0, 5, 0), 15,  true,  NoNan,   One,  true),
    ("e5m0:fn:unsigned",       (0, 5, 0), 15,  false, AllOnes, One,  true),
    // No subnormals.
    ("e4m2:nosub",             (1, 4, 2), 7,   true,  Ieee,    Both, false),
    ("e3m3:fn:nosub",          (1, 3, 3), 3,   false, AllOnes, Both, false),
    ("e3m2:fnuz:nosub",        (1, 3, 2), 4,   false, SignBit, One,  false),
    ("e3m2:finite:nosub",      (1, 3, 2), 3,   false, NoNan,   Both, false),
    ("e1m3:nosub",             (1, 1, 3), 0,   true,  Ieee,    Both, false),
    ("e3m3:unsigned:nosub",    (0, 3, 3), 3,   true,  Ieee,    One,  false),
    ("e5m2:noinf:nosub",       (1, 5, 2), 15,  false, Ieee,    Both, false),
];

/// The named formats of at most so many bits.
pub(crate) fn catalogue(most_bits: u32) -> Vec<Spec> {
    CATALOGUE.iter().map(Spec::from).filter(|spec| spec.width() <= most_bits).collect()
}

/// The custom formats, of at most 8 bits.
pub(crate) fn custom() -> Vec<Spec> {
    CUSTOM.iter().map(Spec::from).collect()
}

/// P3109 interim report 4.0 §3: K bits, P of them significand, `s` or `u`, `e` or `f`.
fn p3109(k: u32, p: u32, sign: char, domain: char) -> Spec {
    let signed = sign == 's';
    let exponent = k - p + u32::from(!signed);
    Spec {
        name: format!("binary{k}p{p}{sign}{domain}"),
        signed,
        exponent,
        trailing: p - 1,
        bias: 1 << (exponent - 1),
        infinity: domain == 'e',
        nan: if signed { SignBit } else { AllOnes },
        zero: One,
        subnormals: true,
        even: Even::Code,
    }
}

/// Every P3109 format of 3 to so many bits.
pub(crate) fn p3109_up_to(most_bits: u32) -> Vec<Spec> {
    let mut specs = Vec::new();
    for k in 3..=most_bits {
        for (sign, most_precision) in [('s', k - 1), ('u', k)] {
            for p in 1..=most_precision {
                specs.extend(['e', 'f'].map(|domain| p3109(k, p, sign, domain)));
            }
        }
    }
    specs
}
