//! The catalogue: one row a named format.
//!
//! A row makes the constant and the table entry, so neither can be forgotten. Aliases are written
//! folded: lower-case, without separators and without the prefixes that [`parse`](super::parse)
//! strips (`torch.`, `np.`, `ml_dtypes.` and so on).

use super::{
    Domain::{Extended, Finite},
    Facts, Format,
    Layout::{Explicit, Hidden},
    Nan::{AboveInfinity, Absent as NoNan, AllOnes, NegativeZero},
    Parity,
    Sign::{Signed, Unsigned},
    Underflow::{Abrupt, Gradual},
    Zeros::{Absent as NoZero, Both, One},
};

/// A named format with what people ask about it.
#[derive(Debug)]
pub struct Row {
    /// The format.
    pub format: Format,
    /// Other spellings that are read and never printed, folded.
    pub aliases: &'static [&'static str],
    /// What the format is for, in one line.
    pub good_for: &'static str,
    /// Where it hurts, in one line.
    pub weak_at: &'static str,
    /// The document that defines it.
    pub source: &'static str,
}

macro_rules! formats {
    ($($constant:ident = $name:literal $width:literal $precision:literal $bias:literal $sign:ident
        $domain:ident $nan:ident $zeros:ident $underflow:ident $layout:ident
        [$($alias:literal)*] $good_for:literal / $weak_at:literal / $source:literal;)*) => {
        $(
            #[doc = concat!("`", $name, "`: ", $good_for, " (", $source, ").")]
            pub static $constant: Format = Format::row($name, Facts {
                width: $width,
                precision: $precision,
                bias: $bias,
                sign: $sign,
                domain: $domain,
                nan: $nan,
                zeros: $zeros,
                underflow: $underflow,
                layout: $layout,
                parity: Parity::Significand,
            });
        )*
        /// Every named format, in the order they are listed to people.
        pub static CATALOGUE: &[Row] = &[$(
            Row {
                format: Format::row($name, *$constant.facts()),
                aliases: &[$($alias),*],
                good_for: $good_for,
                weak_at: $weak_at,
                source: $source,
            },
        )*];
    };
}

formats! {
//  constant     name          K  P bias  sign     domain   NaN           zeros  underflow layout
    F64 = "f64"                64 53 1023 Signed   Extended AboveInfinity Both   Gradual Hidden
        ["binary64" "float64" "fp64" "double" "dp" "fdp" "f8byte" "d" "ieeedouble" "cudar64f"]
        "reference results and sums"
        / "memory, and speed on accelerators"
        / "IEEE 754-2019 §3.6";
    F32 = "f32"                32 24  127 Signed   Extended AboveInfinity Both   Gradual Hidden
        ["binary32" "float32" "fp32" "single" "float" "sp" "fsp" "f4byte" "f" "ieeesingle" "cudar32f"]
        "master weights, optimizer state, reductions"
        / "twice the memory of 16 bits"
        / "IEEE 754-2019 §3.6";
    TF32 = "tf32"              19 11  127 Signed   Extended AboveInfinity Both   Gradual Hidden
        ["tensorfloat32" "ftf32" "floattf32"]
        "float32 matrix products on tensor cores, without loss of range"
        / "a register format: stored in 32 bits, it saves no memory"
        / "NVIDIA A100 whitepaper (2020)";
    F16 = "f16"                16 11   15 Signed   Extended AboveInfinity Both   Gradual Hidden
        ["binary16" "float16" "fp16" "half" "hp" "fhp" "f2byte" "e" "ieeehalf" "cudar16f"]
        "inference, images, training with loss scaling"
        / "range: overflows at 65520, and small gradients become zero"
        / "IEEE 754-2019 §3.6";
    BF16 = "bf16"              16  8  127 Signed   Extended AboveInfinity Both   Gradual Hidden
        ["bfloat16" "bfloat" "brain" "brainfloat16" "bp" "fbp" "nvbfloat16" "cudar16bf"]
        "training without loss scaling: the range of f32"
        / "precision: 2 to 3 digits, so small weight updates are lost"
        / "Google TPU bfloat16 (2018); in no version of IEEE 754";
    E5M2 = "e5m2"               8  3   15 Signed   Extended AboveInfinity Both   Gradual Hidden
        ["f8e5m2" "float8e5m2" "fp8e5m2" "f1byte" "fp8e5" "nvfp8e5m2" "cudar8fe5m2"]
        "gradients in 8-bit training: the top byte of f16"
        / "precision: 3 significand bits"
        / "OCP OFP8 1.0";
    E4M3FN = "e4m3fn"           8  4    7 Signed   Finite   AllOnes       Both   Gradual Hidden
        ["f8e4m3fn" "float8e4m3fn" "fp8e4m3fn" "fp8e4nv" "nvfp8e4m3" "cudar8fe4m3" "hf8"]
        "weights and activations in 8 bits, with a scale"
        / "range: largest 448, so it needs a scale; overflow is NaN or 448 by policy"
        / "OCP OFP8 1.0";
    E4M3IEEE = "e4m3ieee"       8  4    7 Signed   Extended AboveInfinity Both   Gradual Hidden
        ["float8e4m3"]
        "study: E4M3 with infinities, as IEEE 754 would have it"
        / "not what hardware and checkpoints call E4M3: largest 240"
        / "ml_dtypes float8_e4m3, LLVM Float8E4M3";
    E3M4 = "e3m4"               8  5    3 Signed   Extended AboveInfinity Both   Gradual Hidden
        ["f8e3m4" "float8e3m4" "fp8e3m4"]
        "8-bit inference of well-scaled data: 5 significand bits"
        / "range: largest 15.5"
        / "ml_dtypes float8_e3m4, LLVM Float8E3M4";
    E5M2FNUZ = "e5m2fnuz"       8  3   16 Signed   Finite   NegativeZero  One    Gradual Hidden
        ["f8e5m2fnuz" "float8e5m2fnuz" "fp8e5m2fnuz" "fp8e5b16"]
        "gradients on AMD gfx94x"
        / "its codes read as e5m2 are worth twice as much"
        / "arXiv 2206.02915";
    E4M3FNUZ = "e4m3fnuz"       8  4    8 Signed   Finite   NegativeZero  One    Gradual Hidden
        ["f8e4m3fnuz" "float8e4m3fnuz" "fp8e4m3fnuz" "fp8e4b8"]
        "weights and activations on AMD gfx94x"
        / "its codes read as e4m3fn are worth twice as much"
        / "arXiv 2206.02915";
    E4M3B11FNUZ = "e4m3b11fnuz" 8  4   11 Signed   Finite   NegativeZero  One    Gradual Hidden
        ["f8e4m3b11fnuz" "float8e4m3b11fnuz" "float8e4m3b11" "e4m3b11"]
        "small values: least subnormal 2^-13"
        / "range: largest 30"
        / "ml_dtypes float8_e4m3b11fnuz";
    E3M2FN = "e3m2fn"           6  3    3 Signed   Finite   NoNan         Both   Gradual Hidden
        ["f6e3m2fn" "f6e3m2" "float6e3m2fn" "float6e3m2" "fp6e3m2" "bf6" "cudar6fe3m2"]
        "MXFP6 elements with more range"
        / "no NaN and no infinity; needs a block scale"
        / "OCP MX 1.0 §5.3.2";
    E2M3FN = "e2m3fn"           6  4    1 Signed   Finite   NoNan         Both   Gradual Hidden
        ["f6e2m3fn" "f6e2m3" "float6e2m3fn" "float6e2m3" "fp6e2m3" "cudar6fe2m3"]
        "MXFP6 elements with more precision"
        / "largest 7.5; no NaN and no infinity; needs a block scale"
        / "OCP MX 1.0 §5.3.2";
    E2M1FN = "e2m1fn"           4  2    1 Signed   Finite   NoNan         Both   Gradual Hidden
        ["f4" "fp4" "f4e2m1fn" "f4e2m1" "float4e2m1fn" "float4e2m1" "float4e2m1fnx2" "fp4e2m1" "cudar4fe2m1"]
        "MXFP4 and NVFP4 elements: 0 0.5 1 1.5 2 3 4 6"
        / "8 magnitudes in all; needs a block scale"
        / "OCP MX 1.0 §5.3.3";
    E8M0 = "e8m0"               8  1  127 Unsigned Finite   AllOnes       NoZero Abrupt Hidden
        ["ue8m0" "e8m0fnu" "f8e8m0" "f8e8m0fnu" "float8e8m0" "float8e8m0fnu" "fp8e8m0" "cudar8fue8m0"]
        "block scales of MX: 2^-127 to 2^127"
        / "powers of two only: no zero, no sign"
        / "OCP MX 1.0 §5.4.1";
    UE4M3 = "ue4m3"             7  4    7 Unsigned Finite   AllOnes       One    Gradual Hidden
        ["cudar8fue4m3" "fue4m3"]
        "block scales of NVFP4: the positive half of e4m3fn"
        / "no sign; small blocks get a subnormal scale or zero"
        / "PTX ISA .ue4m3";
    UE5M3 = "ue5m3"             8  4   15 Unsigned Finite   AllOnes       One    Gradual Hidden
        ["nvfp8ue5m3" "fue5m3"]
        "block scales with more range than ue4m3"
        / "no sign; a proposal, its NaN code is CUDA's"
        / "CUDA 13.4 __nv_fp8_ue5m3";
    E3M0 = "e3m0"               4  1    3 Signed   Finite   NoNan         Both   Gradual Hidden
        ["fp4e3m0" "f4e3m0"]
        "study: 4-bit powers of two"
        / "one significand bit"
        / "torchao experiments";
    E1M2 = "e1m2"               4  3    1 Signed   Finite   NoNan         Both   Gradual Hidden
        ["fp4e1m2" "f4e1m2"]
        "study: a uniform 4-bit grid, steps of 0.25"
        / "range: largest 1.75"
        / "4-bit format studies";
    ARM_ALT_HALF = "arm-alt-half" 16 11 15 Signed  Finite   NoNan         Both   Gradual Hidden
        ["armalthalf" "ahp" "fp16alt" "armalternativehalf"]
        "f16 with twice the range, on Arm"
        / "no infinity and no NaN"
        / "Arm ARM, FPCR.AHP";
    DLFLOAT16 = "dlfloat16"    16 10   31 Signed   Finite   AllOnes       Both   Abrupt Hidden
        ["dlfloat" "dlfp16"]
        "16-bit training: 6 exponent bits without loss scaling"
        / "no subnormals; one code for NaN and infinity"
        / "IBM DLFloat, ARITH 2019";
    FP24 = "fp24"              24 17   63 Signed   Extended AboveInfinity Both   Gradual Hidden
        ["fp24amd" "r300" "s16e7" "e7m16"]
        "shaders of 2002 to 2006"
        / "the hardware had no subnormals: fp24:nosub"
        / "ATI R300 documentation";
    PXR24 = "pxr24"            24 16  127 Signed   Extended AboveInfinity Both   Gradual Hidden
        ["float24" "openexr24"]
        "depth buffers and images: f32 without its last byte"
        / "a file format only"
        / "OpenEXR PXR24 compression";
    BINARY128 = "binary128"   128 113 16383 Signed Extended AboveInfinity Both   Gradual Hidden
        ["f128" "float128" "fp128" "quad" "qp" "fqp" "ieeequad"]
        "reference results beyond f64"
        / "software everywhere but POWER and z"
        / "IEEE 754-2019 §3.6";
    X87_80 = "x87-80"          80 64 16383 Signed  Extended AboveInfinity Both   Gradual Explicit
        ["x8780" "f80" "fp80" "extf80" "x87" "x87doubleextended"]
        "long double of x86: 64 significand bits"
        / "its leading bit is stored, so some codes mean nothing"
        / "Intel SDM vol. 1 §4.2.2";
}

/// k/64 with |k| ≤ 127, the numbers of MXINT8's elements (OCP MX 1.0 §5.3.4). Not a row: its codes
/// in files are two's complement, which has one zero.
pub static INT8_SIXTY_FOURTHS: Format = Format::row(
    "e1m6:finite:nonegzero:bias=1",
    Facts {
        width: 8,
        precision: 7,
        bias: 1,
        sign: Signed,
        domain: Finite,
        nan: NoNan,
        zeros: One,
        underflow: Gradual,
        layout: Hidden,
        parity: Parity::Significand,
    },
);
