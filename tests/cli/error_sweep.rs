//! `fpx error-sweep`: the same bytes on any number of threads and shards, limits, plots, bad input.

use std::{fs, path::Path};

use serde_json::Value;

use crate::util::{fpx, fpx_with};

/// Runs that differ in source, targets and scale.
const RUNS: [&str; 5] = [
    "--samples 150k --formats mxfp4,mxint8/rceil,nvfp4,e4m3fn/tensor --histogram",
    "--samples 200k --formats f16,e4m3fn,e5m2/sr,tf32",
    "--dist cauchy:0,3 --samples 150001 --formats bf16,e2m1fn --scale -150..130:70 --histogram",
    "--dist exhaustive:f16 --formats e4m3fn,e8m0 --overflow saturate",
    "--dist exhaustive:e5m12 --formats f16/rup --seed 3",
];

fn json(line: &str) -> String {
    let ran = fpx(&format!("error-sweep {line} --json")).run();
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{line}");
    ran.stdout
}

fn write(dir: &Path, name: &str, text: &str) -> String {
    let path = dir.join(name);
    fs::write(&path, text).expect("a temporary file");
    path.to_str().expect("UTF-8").to_owned()
}

#[test]
fn the_default_run_shows_four_formats() {
    let ran = fpx("error-sweep").run();
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert!(
        ran.stdout.starts_with("normal:0,1   1,000,000 samples, seed 0   to nearest"),
        "{}",
        ran.stdout
    );
    for name in ["f16", "bf16", "e4m3fn", "e5m2"] {
        assert!(ran.stdout.lines().any(|line| line.starts_with(name)), "{name}");
    }
    assert!(ran.stdout.lines().all(|line| line.chars().count() <= 100), "{}", ran.stdout);
    assert!(ran.stdout.contains("max rel error 1 = a value that became zero."));
}

#[test]
fn threads_change_no_byte() {
    for run in RUNS {
        let one = json(&format!("{run} --threads 1"));
        for threads in [2, 3, 7] {
            assert_eq!(json(&format!("{run} --threads {threads}")), one, "{run} on {threads}");
        }
    }
}

#[test]
fn shards_add_up_to_the_whole_in_any_order() {
    let dir = tempfile::tempdir().expect("a folder");
    for run in RUNS {
        let whole = json(run);
        for count in [2, 8] {
            let mut shards: Vec<String> = (1..=count)
                .map(|i| {
                    let shard = json(&format!("{run} --shard {i}/{count}"));
                    write(dir.path(), &format!("{i}.json"), &shard)
                })
                .collect();
            let merge = |files: &[String]| {
                let mut arguments = vec!["error-sweep", "--json", "--merge"];
                arguments.extend(files.iter().map(String::as_str));
                let ran = fpx_with(&arguments).run();
                assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{run}");
                ran.stdout
            };
            assert_eq!(merge(&shards), whole, "{run} in {count} shards");
            shards.reverse();
            shards.rotate_left(1);
            assert_eq!(merge(&shards), whole, "{run} in {count} shards, shuffled");
            // Some first, then the rest.
            let some = write(dir.path(), "some.json", &merge(&shards[1..]));
            assert_eq!(merge(&[some, shards[0].clone()]), whole, "{run} in two steps");
        }
        let alone = write(dir.path(), "alone.json", &whole);
        let ran = fpx_with(&["error-sweep", "--json", "--merge", &alone]).run();
        assert_eq!(ran.stdout, whole, "{run} alone");
    }
}

#[test]
fn a_merged_run_is_shown_as_the_whole() {
    let dir = tempfile::tempdir().expect("a folder");
    let shards: Vec<String> = (1..=2)
        .map(|i| {
            write(dir.path(), &format!("{i}.json"), &json(&format!("--samples 200k --shard {i}/2")))
        })
        .collect();
    let whole = fpx("error-sweep --samples 200k").run().stdout;
    assert_eq!(fpx_with(&["error-sweep", "--merge", &shards[0], &shards[1]]).run().stdout, whole);
    let half = fpx_with(&["error-sweep", "--merge", &shards[0]]).run().stdout;
    assert!(half.contains("\nonly shard 1/2 of the input\n"), "{half}");
}

#[test]
fn runs_that_do_not_add_up_are_refused() {
    let dir = tempfile::tempdir().expect("a folder");
    let run =
        |name: &str, line: &str| write(dir.path(), name, &json(&format!("--samples 100k {line}")));
    let first = run("first", "--shard 1/2");
    let refused = |files: &[&str], code: i32, what: &str| {
        let mut arguments = vec!["error-sweep", "--merge"];
        arguments.extend(files);
        let ran = fpx_with(&arguments).run();
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(code), ""), "{}", ran.stderr);
        assert!(ran.stderr.contains(what) && ran.stderr.lines().count() == 1, "{}", ran.stderr);
    };
    refused(&[&first, &first], 3, "shard 1/2 is in two of the runs");
    refused(&[&first, &run("seed", "--shard 2/2 --seed 1")], 3, "seed is 0 and 1");
    refused(&[&first, &run("more", "--shard 2/2 --formats f16")], 3, "formats is");
    refused(&["/nonexistent.json"], 4, "no such file");
    let text = json("--samples 1k --formats e5m2");
    let broken = |name: &str, from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        write(dir.path(), name, &text.replace(from, to))
    };
    refused(&[&write(dir.path(), "text", "hello")], 3, "expected a report with \"schema\"");
    refused(
        &[&broken("version", "error-sweep/1", "error-sweep/2")],
        3,
        "found \"fpx.error-sweep/2\"",
    );
    refused(&[&broken("other", "fpx.error-sweep", "fpx.inspect")], 3, "found \"fpx.inspect/1\"");
    refused(
        &[&broken("state", "\"totals\":[\"", "\"totals\":[\"x")],
        3,
        "row 1: its 'state' is not one",
    );
    refused(&[&broken("count", "\"n\":1000", "\"n\":1001")], 3, "row 1: its 'state' is not one");
}

#[test]
fn a_scale_moves_a_distribution_exactly() {
    // What is scaled by 2^20 and drawn from a distribution 2^20 times as wide is the same.
    let rows = |line: &str| -> Value { serde_json::from_str(&json(line)).expect("JSON") };
    let scaled = rows("--dist normal:0,1 --samples 10k --scale 20..20");
    let wide = rows("--dist normal:0,1048576 --samples 10k");
    for (a, b) in scaled["rows"]
        .as_array()
        .into_iter()
        .flatten()
        .zip(wide["rows"].as_array().into_iter().flatten())
    {
        assert_eq!((&a["scale_log2"], &b["scale_log2"]), (&20.into(), &0.into()));
        assert_eq!(a["state"], b["state"]);
    }
}

#[test]
fn the_best_scale_has_no_overflow() {
    let ran = fpx("error-sweep --formats e4m3fn --samples 100k --scale -8..12").run();
    let table = ran.stdout.split("within 3 dB").nth(1).expect("a table of best scales");
    let row = table.lines().find(|line| line.starts_with("e4m3fn")).expect("a row");
    let cells: Vec<&str> = row.split_whitespace().collect();
    // At 2^7 some of 100,000 samples exceed 464/128 = 3.6 deviations.
    let best: i32 = cells[1].trim_start_matches("2^").parse().expect("a power of two");
    assert!((-4..=6).contains(&best) && cells[3] == "0", "{row}");
}

#[test]
fn limits_set_the_exit_code() {
    let run = |limit: &str| {
        fpx_with(&["error-sweep", "--samples", "10k", "--formats", "bf16", "--limit", limit]).run()
    };
    assert_eq!(run("max_ulp<=0.5,sqnr_db>=30,overflow=0").code, Some(0));
    let failed = run("max_ulp<0.4,sqnr_db>=30");
    assert_eq!(failed.code, Some(1));
    assert!(failed.stderr.starts_with("warning: bf16: max_ulp is 0.49"), "{}", failed.stderr);
    assert!(failed.stderr.ends_with(", not max_ulp<0.4\n"), "{}", failed.stderr);
    assert!(failed.stdout.contains("bf16"), "the table is printed all the same");
}

#[test]
fn the_cheapest_format_that_meets_the_condition_is_recommended() {
    let run = |condition: &str| {
        let ran = fpx(&format!(
            "error-sweep --samples 100k --formats f32,f16,bf16,e4m3fn,e5m2 {condition}"
        ))
        .run();
        ran.stdout
            .lines()
            .find(|line| line.contains("recommended") || line.contains("none of"))
            .map(str::to_owned)
    };
    let found = |condition: &str, what: &str| {
        let line = run(condition).expect("a recommendation");
        assert!(line.contains(what), "{condition}: {line}");
    };
    found("--recommend", "recommended for sqnr_db>=30: e4m3fn, 8 bits");
    found("--recommend=sqnr_db>=60", "f16, 16 bits");
    found("--recommend=bits<=8", "e4m3fn, 8 bits");
    found("--recommend=sqnr_db>=60,bits<=8", "none of these formats meets");
    // All of e4m3fn's better figures at a large scale come from what did not overflow.
    found("--scale 12..12 --recommend=bits<=8", "e5m2");
}

#[test]
fn columns_are_shown_in_the_order_asked_for() {
    let ran =
        fpx("error-sweep --samples 1k --formats bf16,f16 --columns max_ulp,format --sort sqnr_db")
            .run();
    let table: Vec<&str> = ran.stdout.lines().skip(2).take(4).collect();
    assert_eq!(table, ["max   format", "ulp", "0.50  bf16", "0.50  f16"]);
    let ran = fpx("error-sweep --samples 1k --formats bf16 --columns all --emit csv").run();
    assert!(
        ran.stdout
            .starts_with("source,tensor,format,rounding,overflow_policy,scale_log2,n,nan,inf,")
    );
    let ran =
        fpx("error-sweep --samples 1k --formats bf16 --columns format,n --emit markdown").run();
    assert_eq!(ran.stdout, "| format | elements |\n| --- | --: |\n| bf16 | 1,000 |\n");
}

#[test]
fn plots_are_whole_files_and_replaced_only_by_force() {
    let dir = tempfile::tempdir().expect("a folder");
    let sweep = "error-sweep --dist lognormal:0,2 --samples 20k --scale -40..40 --plot sweep.svg";
    assert_eq!(fpx(sweep).dir(dir.path()).run().code, Some(0));
    let svg = fs::read_to_string(dir.path().join("sweep.svg")).expect("a file");
    assert!(svg.starts_with("<svg xmlns=") && svg.ends_with("</svg>\n"));
    assert!(svg.contains("SQNR without overflow, dB") && svg.contains("prefers-color-scheme"));
    let again = fpx(sweep).dir(dir.path()).run();
    assert_eq!(
        (again.code, again.stderr.as_str()),
        (Some(2), "error: 'sweep.svg': exists: add --force to replace it\n")
    );
    assert_eq!(fpx(&format!("{sweep} --force")).dir(dir.path()).run().code, Some(0));
    assert_eq!(fs::read_to_string(dir.path().join("sweep.svg")).expect("a file"), svg);
    let lost = fpx("error-sweep --samples 1k --plot none/x.svg").dir(dir.path()).run();
    assert_eq!(lost.code, Some(4), "{}", lost.stderr);
    assert_eq!(fs::read_dir(dir.path()).expect("a folder").count(), 1, "nothing else is left");
}

#[test]
fn bad_arguments_are_one_clear_line() {
    let cases = [
        (
            "--dist normal:0,-1",
            "distribution 'normal:0,-1': SD is '-1', expected a finite number above 0",
        ),
        (
            "--dist uniform:2,1",
            "distribution 'uniform:2,1': HI is '1', expected a finite number above LO",
        ),
        (
            "--samples 0",
            "samples '0': expected a whole number from 1 to 2^40, such as 1M, 10k or 2^24",
        ),
        (
            "--samples 1e30",
            "samples '1e30': expected a whole number from 1 to 2^40, such as 1M, 10k or 2^24",
        ),
        (
            "--samples -5",
            "samples '-5': expected a whole number from 1 to 2^40, such as 1M, 10k or 2^24",
        ),
        (
            "--scale 3..1",
            "scale '3..1': expected LO..HI or LO..HI:STEP with whole LO <= HI from -256 to 256, such as -40..40",
        ),
        (
            "--scale 0..1000",
            "scale '0..1000': expected LO..HI or LO..HI:STEP with whole LO <= HI from -256 to 256, such as -40..40",
        ),
        ("--shard 3/2", "shard '3/2': expected i/n with 1 <= i <= n, such as 1/8"),
        (
            "--formats binary128",
            "'binary128' has 128 bits: error-sweep measures formats of at most 64",
        ),
        (
            "--dist exhaustive:f64",
            "exhaustive:f64: expected a format of at most 32 bits whose numbers binary64 holds",
        ),
        (
            "--dist exhaustive:e15m16",
            "exhaustive:e15m16: expected a format of at most 32 bits whose numbers binary64 holds",
        ),
        (
            "--dist exhaustive:f16 --samples 5",
            "--samples does not go with exhaustive: every code is tried",
        ),
        (
            "--limit max_ulp",
            "condition 'max_ulp': expected COLUMN<=NUMBER or COLUMN>=NUMBER, such as max_ulp<=1",
        ),
    ];
    for (line, error) in cases {
        fpx(&format!("error-sweep {line}")).fails(2, error);
    }
}

#[test]
fn unknown_names_are_told_what_there_is() {
    for (line, error) in [
        ("--dist norml", "did you mean 'normal'?"),
        ("--columns max_ulps", "unknown column 'max_ulps', expected one of source tensor format"),
        ("--sort nothing", "unknown column 'nothing', expected one of"),
        ("--limit ulps<=1", "unknown column 'ulps', expected one of n nan inf"),
        ("--formats bf61", "did you mean 'bf16'?"),
    ] {
        let ran = fpx(&format!("error-sweep {line}")).run();
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{line}");
        assert!(ran.stderr.contains(error) && ran.stderr.lines().count() == 1, "{}", ran.stderr);
    }
}
