//! Presets: the policies of other implementations under one name (`--like`).
//!
//! A preset is a row of policies. A behaviour that policies cannot express, such as `ml_dtypes`'
//! double rounding from binary64, is not claimed; nor are the bits of a NaN, but by `arm`, `riscv` and
//! `x86`, because libraries disagree on them from one format to the next.

use super::{NanPolicy, NanTo, Overflow, Projection, Tininess};

/// The policies of one implementation.
#[derive(Debug)]
pub struct Preset {
    /// The name given to `--like`.
    pub name: &'static str,
    /// Overflow and infinities.
    pub overflow: Overflow,
    /// NaNs where the format has them.
    pub nan: NanPolicy,
    /// NaNs where it has none.
    pub nan_to: NanTo,
    /// The underflow flag.
    pub tininess: Tininess,
    /// Whom it reproduces, and for which conversions.
    pub about: &'static str,
    /// Where the behaviour is written down.
    pub source: &'static str,
}

macro_rules! presets {
    ($($name:literal $overflow:ident $nan:ident $nan_to:ident $tininess:ident $about:literal / $source:literal;)*) => {
        /// Every preset.
        pub static PRESETS: &[Preset] = &[$(Preset {
            name: $name,
            overflow: Overflow::$overflow,
            nan: NanPolicy::$nan,
            nan_to: NanTo::$nan_to,
            tininess: Tininess::$tininess,
            about: $about,
            source: $source,
        }),*];
    };
}

presets! {
    "ocp"        Ieee           Keep      Error After  "OFP8 non-saturating conversion"
        / "OCP OFP8 1.0 §5.2";
    "ocp-sat"    Saturate       Keep      Error After  "OFP8 saturating conversion: overflow and infinity become the largest"
        / "OCP OFP8 1.0 §5.2";
    "cuda"       Saturate       Canonical Max   After  "CUDA's __NV_SATFINITE constructors of FP8, FP6 and FP4; its NaN of e5m2 is 7f"
        / "CUDA math API, cuda_fp8.h";
    "ml_dtypes"  Ieee           Keep      Error After  "ml_dtypes 0.6 from float32, NaN payloads apart: overflow is infinity or NaN"
        / "ml_dtypes 0.6.0";
    "torch-2.12" Ieee           Keep      Error After  "PyTorch up to 2.12 on CPU, NaN payloads apart: e4m3fn overflow is NaN"
        / "PyTorch 2.12 c10/util/Float8_e4m3fn.h";
    "torch-2.13" SaturateFinite Keep      Error After  "PyTorch from 2.13 on CPU, NaN payloads apart: e4m3fn overflow saturates, infinity is NaN"
        / "PyTorch pull request 178817";
    "onnx"       Saturate       Keep      Error After  "ONNX Cast with saturate=1 to e4m3fn and e5m2"
        / "ONNX operator Cast-25";
    "p3109"      SaturateFinite Canonical Error After  "P3109 SatPropagate: overflow saturates, infinities stay"
        / "P3109 interim report 4.0 §4.7.5";
    "riscv"      Ieee           Canonical Error After  "RISC-V for f16, bf16, f32 and f64: every NaN becomes the canonical one, tininess after rounding"
        / "RISC-V unprivileged ISA, F extension §11.3";
    "arm"        Ieee           Keep      Error Before "Arm with FPCR.DN = 0: NaNs propagate, tininess before rounding"
        / "Arm ARM, FPCR";
    "x86"        Ieee           Keep      Error After  "x86 SSE and F16C: NaNs are quieted, tininess after rounding"
        / "Intel SDM vol. 1 §4.9.1.5";
}

impl Preset {
    /// Returns the row of that name.
    pub fn by_name(name: &str) -> Option<&'static Self> {
        PRESETS.iter().find(|preset| preset.name == name)
    }

    /// Returns the default projection with this row's policies.
    pub fn projection(&self) -> Projection {
        Projection {
            overflow: self.overflow,
            nan: self.nan,
            nan_to: self.nan_to,
            tininess: self.tininess,
            ..Projection::default()
        }
    }
}
