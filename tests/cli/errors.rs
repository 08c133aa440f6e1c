//! What is wrong is one line on standard error and an exit code.

use crate::util::{fpx, fpx_with};

#[test]
fn arguments_that_are_neither_numbers_nor_files() {
    let neither = "nor is it an existing file";
    fpx("convert abc").fails(
        2,
        &format!("'abc' is not a number: a digit expected at byte 0, found 'a'; {neither}"),
    );
    fpx("inspect 3..4").fails(
        2,
        &format!(
            "'3..4' is not a number: a digit, a point or an exponent expected at byte 2, found '.'; {neither}"
        ),
    );
    fpx("convert -5x").fails(
        2,
        &format!(
            "'-5x' is not a number: a digit, a point or an exponent expected at byte 2, found 'x'; {neither}"
        ),
    );
    fpx_with(&["convert", ""]).fails(2, "a number is expected, found nothing");
    fpx_with(&["inspect", ""]).fails(2, "a number is expected, found nothing");
    fpx("convert 1/0").fails(2, "'1/0' divides by zero");
    fpx("convert 9^9999999")
        .fails(2, "'9^9999999' is too large to compute: a power may have at most 2^20 bits");
}

#[test]
fn what_looks_like_a_path_is_a_missing_file() {
    fpx("convert nothing.safetensors --to f16")
        .fails(4, "'nothing.safetensors': no such file or folder");
    fpx("inspect some/where").fails(4, "'some/where': no such file or folder");
}

#[test]
fn an_argument_cannot_steer_the_terminal() {
    let ran = fpx_with(&["convert", "\u{1b}[31mx"]).run();
    assert_eq!(ran.code, Some(2));
    assert!(!ran.stderr.contains('\u{1b}'), "{:?}", ran.stderr);
    assert_eq!(ran.stderr.lines().count(), 1);
    let ran = fpx_with(&["convert", "a\nb/c"]).run();
    assert_eq!((ran.code, ran.stderr.lines().count()), (Some(4), 1), "{:?}", ran.stderr);
}

#[test]
fn numbers_and_files_do_not_mix() {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("1.5"), "x").expect("a file");
    fpx("convert 1 ./1.5")
        .dir(dir.path())
        .fails(2, "'./1.5' is a file; numbers and files do not mix");
    fpx("inspect ./1.5 2")
        .dir(dir.path())
        .fails(2, "'./1.5' is a file; numbers and files do not mix");
    fpx("convert 1.5 --to f16 --emit bits").dir(dir.path()).prints("0x3e00\n");
}

#[test]
fn patterns_that_fit_no_format() {
    fpx("convert 0x3c00 --to f32")
        .fails(2, "0x3c00 is 16 bits wide: add --from f16 or --from bf16");
    fpx("convert 0x3c --to f32").fails(2, "0x3c is 8 bits wide: add --from e4m3fn or --from e5m2");
    fpx("convert 0x12345 --from f16")
        .fails(2, "bit pattern '0x12345' does not fit the 16 bits of f16");
    fpx("convert 32'h3c00 --from f16")
        .fails(2, "bit pattern '32'h3c00' does not fit the 16 bits of f16");
    fpx("inspect 0x80 --format e2m1fn")
        .fails(2, "bit pattern '0x80' does not fit the 4 bits of e2m1fn");
    fpx("inspect 0x123")
        .fails(2, "0x123 is 12 bits wide, which no common format is: add --format FORMAT");
    fpx("convert 0x3g --from f16").fails(
        2,
        "'0x3g' is not a number: a hex digit expected at byte 3, found 'g'; nor is it an existing file",
    );
    fpx("convert 0b012 --from f16").fails(
        2,
        "'0b012' is not a number: a binary digit expected at byte 4, found '2'; nor is it an existing file",
    );
    fpx("convert 8'h100 --from f16").fails(2, "bit pattern '8'h100' does not fit 8 bits");
    fpx("convert 3xz0 --codes --from f16")
        .fails(2, "'3xz0' is not a number: a hex digit expected at byte 1, found 'x'");
    fpx("convert -1 --codes --from f16")
        .fails(2, "'-1' is not a number: a hex digit expected at byte 0, found '-'");
    fpx("convert 3c00 --codes")
        .fails(2, "--codes needs --from FORMAT to say whose codes the inputs are");
}

#[test]
fn formats_that_do_not_exist() {
    fpx("convert 1 --to bf61").fails(2, "unknown format 'bf61', did you mean 'bf16'?");
    fpx("convert 1 --to mxfp5").fails(2, "unknown format 'mxfp5', did you mean 'mxfp4'?");
    fpx("convert 1 --to f16,e4m3nf").fails(2, "unknown format 'e4m3nf', did you mean 'e4m3fn'?");
    fpx("formats qwertz").fails(2, "unknown format 'qwertz': 'fpx formats' lists them");
    fpx("convert 1 --to e20m3").fails(2, "format 'e20m3': eXmY takes X of 1 to 15 exponent bits and Y of 0 to 112 trailing significand bits");
    fpx("convert 3 --to x87-80")
        .fails(2, "x87-80 is read by 'fpx inspect' only: its codes are not all numbers");
}

#[test]
fn modes_and_policies_that_do_not_exist() {
    fpx("convert 1 --rounding up")
        .fails(2, "unknown rounding 'up': expected rne, rna, rtz, rup, rdn, rto or sr[:BITS]");
    fpx("convert 1 --to bf16/sr:40")
        .fails(2, "rounding 'sr:40': only sr takes a number of random bits, 1 to 32");
    fpx("convert 1 --overflow wrap")
        .fails(2, "unknown --overflow 'wrap': expected ieee, saturate or saturate-finite");
    fpx("convert 1 --nan quiet").fails(2, "unknown --nan 'quiet': expected keep or canonical");
    fpx("inspect 1 --nan-to one").fails(2, "unknown --nan-to 'one': expected error, zero or max");
    fpx("convert 1 --subnormals no").fails(2, "unknown --subnormals 'no': expected keep or flush");
    fpx("convert 1 --tininess now").fails(2, "unknown --tininess 'now': expected after or before");
    fpx("convert 1 --like nobody").fails(
        2,
        "unknown --like 'nobody': expected ocp, ocp-sat, cuda, ml_dtypes, torch-2.12, torch-2.13, onnx, \
         p3109, riscv, arm or x86",
    );
    fpx("convert 1 --emit xml").fails(
        2,
        "unknown --emit 'xml': expected table, bits, hex, values, json, jsonl, csv, markdown, testfloat, \
         readmemh or c",
    );
    fpx("inspect 1 --emit xml")
        .fails(2, "unknown --emit 'xml': expected table, json, jsonl, csv or markdown");
}

#[test]
fn options_that_contradict_or_miss_another() {
    fpx("convert 1 --json --emit csv")
        .fails(2, "--json is --emit json: it does not go with --emit csv");
    fpx("convert 1 --to f16 --emit testfloat")
        .fails(2, "--emit testfloat needs --from FORMAT, which exhaustive:F and edges:F imply");
    fpx("convert 1 --emit c").fails(2, "--emit c writes one format: give one --to");
    fpx("convert 1 --to binary128 --emit c")
        .fails(2, "--emit c writes integers of at most 64 bits");
    fpx("convert exhaustive:f64 --to f16")
        .fails(2, "exhaustive:f64 would be 2^64 codes; formats of at most 40 bits are listed");
    fpx("convert edges:f32").fails(2, "edges:F lists the edges of one target: give one --to");
    fpx("convert edges:f64 --to f32").fails(
        2,
        "edges of f32 would be more than 2^32 values; targets of at most 20 bits are listed",
    );
    fpx("convert exhaustive:f16 --from bf16 --to f32")
        .fails(2, "the codes of f16 are not codes of bf16: --from and the inputs must agree");
    fpx("inspect 1 --explain")
        .fails(2, "--explain shows one rounding: give one number and one --format");
    fpx("inspect -").fails(2, "inspect shows numbers and files, found '-'");
}

#[test]
fn a_nan_for_a_format_without_one_is_refused_with_its_place() {
    let why =
        "'nan' is NaN, and e2m1fn has no NaN: --nan-to zero or --nan-to max chooses a substitute";
    fpx("convert 1 nan --to e2m1fn").fails(2, why);
    fpx("inspect nan --format e2m1fn").fails(2, why);
    fpx("convert - --to e2m1fn --emit bits").stdin("1\n\nnan\n2\n").run().is(
        3,
        "0x2\n",
        &format!("error: line 3: {why}\n"),
    );
    fpx("convert nan -nan --to e2m1fn --nan-to zero --emit bits").prints("0x0\n0x0\n");
    fpx("convert nan -nan --to e2m1fn --nan-to max --emit bits").prints("0x7\n0xf\n");
}

#[test]
fn a_bad_line_is_wrong_data_and_names_its_number_after_what_came_before() {
    let error = "error: line 2: 'abc' is not a number: a digit expected at byte 0, found 'a'\n";
    fpx("convert - --to f16 --emit bits").stdin("1\nabc\n2\n").run().is(3, "0x3c00\n", error);
    let ran = fpx("convert - --to f16 --json").stdin("1\nabc\n2\n").run();
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(3), error));
    let json: serde_json::Value = serde_json::from_str(&ran.stdout).expect("the array is closed");
    assert_eq!(json["rows"].as_array().map(Vec::len), Some(1));
    let ran = fpx("convert - --to f16 --emit c").stdin("1\nabc\n").run();
    assert!(ran.stdout.ends_with("};\n"), "{}", ran.stdout);
}

#[test]
fn binary_data_and_endless_lines_are_wrong_data() {
    let bits = || fpx("convert - --to f16 --emit bits");
    let binary = "line 1 is not text: one number a line is expected";
    bits().stdin(vec![0u8; 100_000]).fails(3, binary);
    bits().stdin(&b"\xff\xfe1\0\n"[..]).fails(3, binary);
    bits().stdin(vec![b'1'; 3 << 20]).fails(3, "line 1 is longer than 1048576 bytes");
    bits().stdin(format!("1\n{}\n", "x".repeat(2 << 20))).run().is(
        3,
        "0x3c00\n",
        "error: line 2 is longer than 1048576 bytes\n",
    );
}

#[test]
fn a_line_of_a_million_digits_is_a_number() {
    let digits = format!("0.{}1\n", "0".repeat(1_000_000));
    fpx("convert - --to f16 --rounding rup --emit bits").stdin(digits).prints("0x0001\n");
    let digits = format!("{}\n", "9".repeat(1_000_000));
    fpx("convert - --to f64 --emit bits").stdin(digits).prints("0x7ff0000000000000\n");
}

#[test]
fn subcommands_and_options_that_do_not_exist() {
    fpx("0.1").fails(2, "unknown subcommand '0.1', did you mean 'fpx inspect 0.1'?");
    fpx("-1").fails(2, "unknown subcommand '-1', did you mean 'fpx inspect -1'?");
    fpx("0x3c00").fails(2, "unknown subcommand '0x3c00', did you mean 'fpx inspect 0x3c00'?");
    fpx("conver 1").fails(2, "unrecognized subcommand 'conver', did you mean 'convert'?");
    fpx("convert 1 --roundin rne")
        .fails(2, "unexpected argument '--roundin' found, did you mean '--rounding'?");
    fpx("convert").fails(2, "the following required arguments were not provided: <INPUT>...");
    for line in ["", "-q", "frobnicate"] {
        let ran = fpx(line).run();
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{line}");
        assert_eq!(ran.stderr.lines().count(), 1, "{line}: {}", ran.stderr);
        assert!(ran.stderr.contains("convert, inspect, "), "{line}: {}", ran.stderr);
    }
}

#[test]
fn values_of_options_that_are_no_numbers() {
    fpx("convert 1 --threads -1")
        .fails(2, "invalid value '-1' for '--threads <N>': invalid digit found in string");
    fpx("convert 1 --seed x")
        .fails(2, "invalid value 'x' for '--seed <N>': invalid digit found in string");
    fpx("convert 1 --color sometimes").fails(
        2,
        "invalid value 'sometimes' for '--color <WHEN>' [possible values: auto, always, never]",
    );
}
