//! Golden answers: exact values beside what other implementations give, under the presets that
//! name them. The tables were computed with exact rationals and by running the implementations.

use crate::util::fpx;

/// The formats of the columns of [`ENCODES`].
const COLUMNS: &str = "f16 bf16 e5m2 e4m3fn e4m3ieee e3m4 e5m2fnuz e4m3fnuz e4m3b11fnuz e3m2fn e2m3fn e2m1fn binary8p4se binary8p3se";

/// Inputs and their codes to nearest even; `OVF` stands for an overflow.
const ENCODES: &str = "
0.1      2e66 3dcd 2e  1d  1d  06  32  25  3d  02  01  0   25  32
0.3      34cd 3e9a 35  2a  2a  13  39  32  4a  05  02  1   32  39
1/3      3555 3eab 35  2b  2b  15  39  33  4b  05  03  1   33  39
1        3c00 3f80 3c  38  38  30  40  40  58  0c  08  2   40  40
-1.5     be00 bfc0 be  bc  bc  b8  c2  c4  dc  2e  2c  b   c4  c2
2.75     4180 4030 42  43  43  46  46  4b  63  12  13  5   4b  46
0x1.921fb6p+1 4248 4049 42 45 45 49 46 4d 65 12 15 5 4d 46
17       4c40 4188 4c  58  58  OVF 50  60  78  1c  OVF OVF 60  50
100      5640 42c8 56  6c  6c  OVF 5a  74  OVF OVF OVF OVF 74  5a
240      5b80 4370 5c  77  77  OVF 60  7f  OVF OVF OVF OVF OVF 60
248      5bc0 4378 5c  78  OVF OVF 60  OVF OVF OVF OVF OVF OVF 60
448      5f00 43e0 5f  7e  OVF OVF 63  OVF OVF OVF OVF OVF OVF 63
464      5f40 43e8 5f  7e  OVF OVF 63  OVF OVF OVF OVF OVF OVF 63
465      5f44 43e8 5f  OVF OVF OVF 63  OVF OVF OVF OVF OVF OVF 63
480      5f80 43f0 60  OVF OVF OVF 64  OVF OVF OVF OVF OVF OVF 64
-1000    e3d0 c47a e4  OVF OVF OVF e8  OVF OVF OVF OVF OVF OVF e8
57344    7b00 4760 7b  OVF OVF OVF 7f  OVF OVF OVF OVF OVF OVF OVF
61440    7b80 4770 OVF OVF OVF OVF OVF OVF OVF OVF OVF OVF OVF OVF
65519    7bff 4780 OVF OVF OVF OVF OVF OVF OVF OVF OVF OVF OVF OVF
65520    OVF  4780 OVF OVF OVF OVF OVF OVF OVF OVF OVF OVF OVF OVF
2^-10    1400 3a80 14  00  00  00  18  01  08  00  00  0   01  18
1e-4     068e 38d2 07  00  00  00  0b  00  01  00  00  0   00  0b
2^-24    0001 3380 00  00  00  00  00  00  00  00  00  0   00  00
2^-25    0000 3300 00  00  00  00  00  00  00  00  00  0   00  00
";

#[test]
fn golden_encodes() {
    let mut compared = 0;
    for row in ENCODES.trim().lines() {
        let mut words = row.split_whitespace();
        let input = words.next().expect("an input");
        let to = COLUMNS.split(' ').collect::<Vec<_>>().join(",");
        let text = fpx(&format!("convert {input} --to {to} --emit jsonl")).run().stdout;
        let answers: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let expected: Vec<_> = words.collect();
        assert_eq!(answers.len(), expected.len(), "{input}");
        for (answer, expected) in answers.iter().zip(expected) {
            let overflows = answer["flags"].to_string().contains("overflow");
            let code = answer["code"].as_str().expect("a code").trim_start_matches("0x");
            let found = if overflows { "OVF" } else { code };
            assert_eq!(found, expected, "{input} in {}", answer["to"]);
            compared += 1;
        }
    }
    assert_eq!(compared, 24 * 14);
}

/// Asserts the codes of some inputs in one format under some options.
#[track_caller]
fn codes(format: &str, options: &str, inputs: &str, expected: &str) {
    let ran = fpx(&format!("convert {inputs} --to {format} {options} --emit hex")).run();
    let found: Vec<_> = ran.stdout.split_whitespace().collect();
    assert_eq!(found.join(" "), expected, "{format} {options}: {}", ran.stderr);
}

#[test]
fn overflow_of_e4m3fn_by_implementation() {
    let inputs = "448.0001 464 464.0001 479 480 496 1e9 inf";
    for (preset, expected) in [
        ("ocp", "7e 7e 7f 7f 7f 7f 7f 7f"),
        ("ocp-sat", "7e 7e 7e 7e 7e 7e 7e 7e"),
        ("ml_dtypes", "7e 7e 7f 7f 7f 7f 7f 7f"),
        ("torch-2.12", "7e 7e 7f 7f 7f 7f 7f 7f"),
        ("torch-2.13", "7e 7e 7e 7e 7e 7e 7e 7f"),
        ("cuda", "7e 7e 7e 7e 7e 7e 7e 7e"),
        ("onnx", "7e 7e 7e 7e 7e 7e 7e 7e"),
    ] {
        codes("e4m3fn", &format!("--like {preset}"), inputs, expected);
    }
}

#[test]
fn overflow_of_e5m2_by_implementation() {
    for (preset, expected) in
        [("ocp", "7b 7c 7c"), ("ocp-sat", "7b 7b 7b"), ("cuda", "7b 7b 7b"), ("p3109", "7b 7b 7c")]
    {
        codes("e5m2", &format!("--like {preset}"), "61439 61440 inf", expected);
    }
}

#[test]
fn e8m0_by_implementation() {
    let inputs = "0 1.5 3 6 0.75 -1 inf 0x1.8p+127";
    codes("e8m0", "--like ml_dtypes", inputs, "ff 80 81 82 7f ff ff ff");
    // CUDA's constructor rounds up and saturates; it has no notion of a negative scale.
    codes("e8m0", "--like cuda --rounding rup", inputs, "00 80 81 82 7f 00 fe fe");
    codes("e8m0", "--like cuda --rounding rup", "1.01 1.99 2", "80 80 80");
    // OCP MX chooses scales by the floor of the logarithm.
    codes("e8m0", "--rounding rtz", "1.5 3 6 0.75", "7f 80 81 7e");
}

#[test]
fn one_rounding_where_others_round_twice() {
    // ml_dtypes goes from binary64 through binary32 and gives 38.
    codes("e4m3fn", "", "0x1.100000000100p+0", "39");
    // half 2.7.1 drops the low half of a binary64 and gives 3c00.
    codes("f16", "", "0x1.002000000100p+0", "3c01");
    codes("bf16", "", "0x1.010000000100p+0", "3f81");
}

#[test]
fn nan_payloads() {
    let inputs = "0x7f800001 0xffa55555 0x7fc00000";
    codes("f16", "--from f32", inputs, "7e00 ff2a 7e00");
    codes("bf16", "--from f32", inputs, "7fc0 ffe5 7fc0");
    codes("f16", "--from f32 --like riscv", inputs, "7e00 7e00 7e00");
}
