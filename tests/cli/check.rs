//! `fpx convert --check`: someone else's answers against fpx's.

use crate::util::fpx;

#[test]
fn what_fpx_wrote_checks_back_without_a_difference() {
    for (vectors, back) in [
        ("exhaustive:f16 --to e4m3fn", "--from f16 --to e4m3fn"),
        ("exhaustive:bf16 --to f16 --rounding rup", "--from bf16 --to f16 --rounding rup"),
        ("edges:f32 --to e5m2 --like cuda", "--from f32 --to e5m2 --like cuda"),
        ("exhaustive:e5m2 --to e2m1fn --nan-to max", "--from e5m2 --to e2m1fn --nan-to max"),
        ("exhaustive:f16 --to bf16/sr --seed 9", "--from f16 --to bf16/sr --seed 9"),
    ] {
        let written = fpx(&format!("convert {vectors} --emit testfloat")).run();
        assert_eq!((written.code, written.stderr.as_str()), (Some(0), ""), "{vectors}");
        let lines = written.stdout.lines().count();
        fpx(&format!("convert - --codes {back} --check"))
            .stdin(written.stdout)
            .prints(&format!("no difference in {lines} lines\n"));
    }
}

#[test]
fn differences_are_listed_with_line_input_expected_and_got() {
    let lines = "1 3c00\n# comment\n2 4001\n3 4200 00\n4 4400 01\n0.1 2e66\n";
    fpx("convert - --to f16 --check").stdin(lines).run().is(
        1,
        "line 3: input 2 expected 4001 got 4000\n\
         line 5: input 4 expected 4400 flags 01 got 4400 flags 00\n\
         2 differences in 5 lines\n",
        "",
    );
    fpx("convert - --to f16 --check").stdin("1 3c01\n").run().is(
        1,
        "line 1: input 1 expected 3c01 got 3c00\n1 difference in 1 line\n",
        "",
    );
    fpx("convert - --codes --from f16 --to e5m2 --check")
        .stdin("3c00 3C 00\n7BFF 0x7c 05\n")
        .prints("no difference in 2 lines\n");
}

#[test]
fn differences_are_rows_for_machines_too() {
    let ran = fpx("convert - --to f16 --check --json").stdin("2 4001\n3 4200 01\n").run();
    let json: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(1), "2 differences in 2 lines\n"));
    assert_eq!(
        json["rows"].to_string(),
        r#"[{"line":1,"input":"2","expected":"4001","expected_flags":null,"got":"4000","got_flags":null},{"line":2,"input":"3","expected":"4200","expected_flags":"01","got":"4200","got_flags":"00"}]"#
    );
    fpx("convert - --to f16 --check --emit csv -q").stdin("2 4001\n").run().is(
        1,
        "line,input,expected,expected_flags,got,got_flags\n1,2,4001,,4000,\n",
        "",
    );
}

#[test]
fn a_line_that_is_no_check_is_wrong_data() {
    let check = || fpx("convert - --to f16 --check");
    check()
        .stdin("1 3c00 00 00\n")
        .fails(3, "line 1: found 4 words, `input expected [flags]` is expected");
    check().stdin("\n1\n").fails(3, "line 2: found one word, `input expected [flags]` is expected");
    check().stdin("1 3x00\n").fails(
        3,
        "line 1: the expected code: '3x00' is not a number: a hex digit expected at byte 1, found 'x'",
    );
    check().stdin("1 3c00 0g\n").fails(
        3,
        "line 1: the expected flags: '0g' is not a number: a hex digit expected at byte 1, found 'g'",
    );
    check()
        .stdin("abc 3c00\n")
        .fails(3, "line 1: 'abc' is not a number: a digit expected at byte 0, found 'a'");
}

#[test]
fn differences_before_a_bad_line_are_written() {
    fpx("convert - --to f16 --check").stdin("1 3c01\n1 zz\n").run().is(
        3,
        "line 1: input 1 expected 3c01 got 3c00\n",
        "error: line 2: the expected code: 'zz' is not a number: a hex digit expected at byte 0, found 'z'\n",
    );
}

#[test]
fn a_check_reads_standard_input_and_takes_one_target() {
    let message = "--check reads lines of `input expected [flags]` from '-' and takes one --to";
    fpx("convert 1 --to f16 --check").fails(2, message);
    fpx("convert - --to f16,bf16 --check").stdin("").fails(2, message);
    fpx("convert - --to f16 --check --emit bits")
        .stdin("")
        .fails(2, "--check lists differences: --emit bits is for answers");
}
