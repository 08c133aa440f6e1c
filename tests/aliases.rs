//! Witness: the spellings of other tools, each with the format that its tool means by it.
//!
//! safetensors 0.8, numpy with `ml_dtypes` 0.6, PyTorch, ONNX 1.23, MLIR and `StableHLO`, LLVM, CUDA,
//! GGML, Triton, crackNum. What is ambiguous is settled as the manual says: bare `e4m3` is OCP's.

use std::collections::HashMap;

use fpx::format::{CATALOGUE, p3109_names, parse};

/// Canonical name and the spellings that mean it without a remark.
#[rustfmt::skip]
const SPELLINGS: &[(&str, &[&str])] = &[
    ("f64", &["F64", "float64", "<f8", "d", "torch.float64", "double", "torch.double", "DOUBLE", "IEEEdouble",
        "CUDA_R_64F", "binary64", "fp64", "dp", "-fdp", "np.float64", "jnp.float64", "f64"]),
    ("f32", &["F32", "float32", "<f4", "f", "torch.float32", "float", "FLOAT", "IEEEsingle", "CUDA_R_32F", "binary32",
        "fp32", "sp", "-fsp", "numpy.float32", "tl.float32", "single"]),
    ("tf32", &["tf32", "FloatTF32", "e8m10", "-ftf32", "TensorFloat32", "TF32"]),
    ("f16", &["F16", "float16", "<f2", "e", "half", "torch.half", "torch.float16", "FLOAT16", "IEEEhalf", "CUDA_R_16F",
        "__half", "binary16", "fp16", "e5m10", "-fhp", "hp", "5+11"]),
    ("bf16", &["BF16", "bfloat16", "torch.bfloat16", "BFLOAT16", "BFloat", "CUDA_R_16BF", "__nv_bfloat16", "brain",
        "e8m7", "-fbp", "ml_dtypes.bfloat16", "tl.bfloat16", "8+8"]),
    ("e5m2", &["F8_E5M2", "f8e5m2", "float8_e5m2", "<f1", "torch.float8_e5m2", "FLOAT8E5M2", "f8E5M2", "Float8E5M2",
        "CUDA_R_8F_E5M2", "__nv_fp8_e5m2", "fp8e5", "tl.fp8e5", "fp8_e5m2", "5+3"]),
    ("e4m3fn", &["f8e4m3fn", "float8_e4m3fn", "torch.float8_e4m3fn", "ml_dtypes.float8_e4m3fn", "FLOAT8E4M3FN",
        "f8E4M3FN", "Float8E4M3FN", "CUDA_R_8F_E4M3", "__nv_fp8_e4m3", "fp8e4nv", "tl.fp8e4nv", "hf8", "e4m3:fn"]),
    ("e5m2fnuz", &["F8_E5M2FNUZ", "f8e5m2fnuz", "float8_e5m2fnuz", "torch.float8_e5m2fnuz", "FLOAT8E5M2FNUZ",
        "f8E5M2FNUZ", "Float8E5M2FNUZ", "fp8e5b16", "e5m2:fnuz"]),
    ("e4m3fnuz", &["F8_E4M3FNUZ", "f8e4m3fnuz", "float8_e4m3fnuz", "torch.float8_e4m3fnuz", "FLOAT8E4M3FNUZ",
        "f8E4M3FNUZ", "Float8E4M3FNUZ", "fp8e4b8", "e4m3:fnuz"]),
    ("e4m3ieee", &["float8_e4m3", "ml_dtypes.float8_e4m3", "Float8E4M3", "e4m3ieee", "e4m3:ieee"]),
    ("e4m3b11fnuz", &["float8_e4m3b11fnuz", "f8E4M3B11FNUZ", "Float8E4M3B11FNUZ", "float8_e4m3b11",
        "e4m3:bias=11:fnuz", "e4m3:fnuz:bias=11"]),
    ("e3m4", &["float8_e3m4", "f8E3M4", "Float8E3M4", "f8e3m4"]),
    ("e8m0", &["F8_E8M0", "float8_e8m0fnu", "torch.float8_e8m0fnu", "FLOAT8E8M0", "f8E8M0FNU", "Float8E8M0FNU",
        "CUDA_R_8F_UE8M0", "ue8m0"]),
    ("ue4m3", &["CUDA_R_8F_UE4M3", "ue4m3"]),
    ("ue5m3", &["__nv_fp8_ue5m3", "ue5m3"]),
    ("e2m3fn", &["F6_E2M3", "float6_e2m3fn", "FLOAT6E2M3", "f6E2M3FN", "Float6E2M3FN", "CUDA_R_6F_E2M3", "fp6_e2m3",
        "f6e2m3fn", "e2m3:finite"]),
    ("e3m2fn", &["F6_E3M2", "float6_e3m2fn", "FLOAT6E3M2", "f6E3M2FN", "Float6E3M2FN", "CUDA_R_6F_E3M2", "fp6_e3m2",
        "f6e3m2fn", "e3m2:finite"]),
    ("e2m1fn", &["F4", "float4_e2m1fn", "torch.float4_e2m1fn_x2", "FLOAT4E2M1", "f4E2M1FN", "Float4E2M1FN",
        "CUDA_R_4F_E2M1", "fp4", "f4e2m1fn", "e2m1:finite"]),
    ("x87-80", &["f80", "x87DoubleExtended", "fp80", "extF80"]),
    ("binary128", &["f128", "IEEEquad", "-fqp", "fp128", "e15m112"]),
    // Triton's fp8e4b15 has no NaN, and no catalogue row.
    ("e4m3:finite:bias=15", &["f8e4m3b15", "fp8e4b15", "tl.fp8e4b15"]),
    // OCP's FP6 and FP4 want their suffix: bare names are IEEE-like.
    ("e3m2", &["e3m2", "E3M2"]),
    ("e2m3", &["e2m3"]),
    ("e2m1", &["e2m1"]),
    // The catalogue's finite ones keep their bare names.
    ("e3m0", &["e3m0"]),
    ("e1m2", &["e1m2"]),
];

/// Spellings that are settled with a remark.
#[rustfmt::skip]
const AMBIGUOUS: &[(&str, &[&str])] = &[
    ("e4m3fn", &["e4m3", "E4M3", "fp8", "FP8", "f8", "f8e4m3", "F8_E4M3", "fp8_e4m3", "-fe4m3"]),
    ("e5m2", &["bf8", "BF8"]),
    ("e2m3fn", &["fp6"]),
];

#[test]
fn every_spelling_means_its_format() {
    for (name, spellings) in SPELLINGS {
        for spelling in *spellings {
            let parsed = parse(spelling).unwrap_or_else(|e| panic!("{e}"));
            assert_eq!(parsed.format.name(), *name, "'{spelling}'");
            assert_eq!(parsed.note, None, "'{spelling}'");
        }
    }
}

#[test]
fn an_ambiguous_spelling_is_settled_with_a_note() {
    for (name, spellings) in AMBIGUOUS {
        for spelling in *spellings {
            let parsed = parse(spelling).unwrap_or_else(|e| panic!("{e}"));
            assert_eq!(parsed.format.name(), *name, "'{spelling}'");
            let note = parsed.note.unwrap_or_default();
            assert!(note.contains(spelling) && note.contains(name), "'{spelling}': {note}");
        }
    }
}

#[test]
fn catalogue_aliases_are_unique_and_read_back() {
    let mut owners: HashMap<&str, &str> = HashMap::new();
    for row in CATALOGUE {
        let name = row.format.name();
        for spelling in std::iter::once(name).chain(row.aliases.iter().copied()) {
            if let Some(other) = owners.insert(spelling, name) {
                panic!("'{spelling}' is of both {other} and {name}");
            }
            assert_eq!(parse(spelling).unwrap().format.name(), name, "'{spelling}'");
        }
    }
}

#[test]
fn p3109_names_read_back_in_any_case() {
    for name in p3109_names() {
        assert_eq!(parse(&name).unwrap().format.name(), name);
        assert_eq!(parse(&name.to_uppercase()).unwrap().format.name(), name);
    }
}

#[test]
fn what_is_no_format_is_refused_with_a_suggestion_or_a_reason() {
    for (text, message) in [
        ("bf61", "unknown format 'bf61', did you mean 'bf16'?"),
        ("e4m3nf", "unknown format 'e4m3nf', did you mean 'e4m3fn'?"),
        ("flaot16", "unknown format 'flaot16', did you mean 'f16'?"),
        ("xyzzy", "unknown format 'xyzzy': 'fpx formats' lists them"),
    ] {
        assert_eq!(parse(text).unwrap_err().to_string(), message);
    }
    for text in [
        "",
        " ",
        "e16m3",
        "e0m3",
        "e4m113",
        "e99999999999m1",
        "e4m3:",
        "e4m3:bias",
        "e4m3:bias=",
        "e4m3:bias=x",
        "e4m3:bias=99999999999",
        "e4m3:whatever",
        "e4m3:fn:",
        "e1m0:unsigned",
        "e4m3:unsigned:fnuz",
        "binary8p4se:fn",
        "binary2p1se",
        "binary17p4se",
        "binary8p8se",
        "binary8p9uf",
        "binary8p0uf",
        "5+",
        "+11",
        "0+4",
        "5+0",
        "f80:fn",
        "e4m3,bias=11",
        "é",
        "e4m3\0",
    ] {
        let error = parse(text).unwrap_err().to_string();
        assert!(error.contains(&format!("'{text}'")), "{error}");
    }
}
