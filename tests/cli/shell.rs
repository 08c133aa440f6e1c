//! Help, version, completions and manual pages.

use crate::util::fpx;

const SUBCOMMANDS: [&str; 5] = ["convert", "inspect", "error-sweep", "train-demo", "formats"];

#[test]
fn short_help_fits_a_screen_and_ends_in_examples() {
    for subcommand in SUBCOMMANDS {
        let ran = fpx(&format!("{subcommand} -h")).run();
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
        assert!(ran.stdout.lines().count() <= 50, "{subcommand}");
        let examples = ran.stdout.split("Examples:\n").nth(1).expect("examples");
        assert_eq!(
            examples.lines().filter(|line| line.starts_with("  fpx ")).count(),
            3,
            "{subcommand}"
        );
    }
}

#[test]
fn long_help_explains_every_option_in_groups() {
    let help = fpx("convert --help").run().stdout;
    for word in ["Options:", "Rounding:", "Everywhere:", "--tininess <WHEN>", "--nan-to <POLICY>"] {
        assert!(help.contains(word), "{word}");
    }
}

#[test]
fn the_examples_of_the_help_run() {
    let dir = tempfile::tempdir().expect("a folder");
    // The examples of train-demo train for minutes; its own tests run shorter ones.
    for subcommand in SUBCOMMANDS.into_iter().filter(|name| *name != "train-demo") {
        let help = fpx(&format!("{subcommand} -h")).run().stdout;
        let examples = help.split("Examples:\n").nth(1).expect("examples");
        for line in examples.lines().filter_map(|line| line.trim().strip_prefix("fpx ")) {
            let line = line.replace('\'', "");
            let mut arguments = line.split(" > ").next().expect("arguments").to_owned();
            if subcommand == "error-sweep" && !arguments.contains("exhaustive:") {
                arguments += " --samples 10k";
            }
            let ran = fpx(&arguments).dir(dir.path()).run();
            let is_answer = matches!(ran.code, Some(0 | 1));
            assert!(is_answer && !ran.stderr.contains("error"), "{line}: {}", ran.stderr);
        }
    }
}

#[test]
fn the_version_is_that_of_the_package() {
    for line in ["--version", "-V", "-q --version"] {
        let ran = fpx(line).run();
        assert!(
            ran.stdout.starts_with(concat!("fpx ", env!("CARGO_PKG_VERSION"))),
            "{}",
            ran.stdout
        );
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    }
}

#[test]
fn the_version_names_the_instruction_sets_and_one_can_be_forced() {
    let ran = fpx("--version").env("FPX_SIMD", "baseline").run();
    assert!(ran.stdout.contains("\ninstruction sets: compiled baseline"), "{}", ran.stdout);
    assert!(ran.stdout.ends_with("; used baseline\n"), "{}", ran.stdout);
    let forced = fpx("convert 1 --to f16").env("FPX_SIMD", "avx9");
    forced
        .fails(2, "unknown instruction set 'avx9' in FPX_SIMD: expected baseline, avx2 or avx512");
}

#[test]
fn every_shell_gets_completions_of_every_subcommand() {
    for (shell, mark) in [
        ("bash", "complete -F _fpx"),
        ("zsh", "#compdef fpx"),
        ("fish", "complete -c fpx"),
        ("powershell", "Register-ArgumentCompleter"),
        ("elvish", "edit:completion:arg-completer[fpx]"),
    ] {
        let ran = fpx(&format!("completions {shell}")).run();
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{shell}");
        assert!(ran.stdout.contains(mark), "{shell}");
        for subcommand in SUBCOMMANDS {
            assert!(ran.stdout.contains(subcommand), "{shell}: {subcommand}");
        }
        assert!(ran.stdout.contains("tininess"), "{shell}");
    }
    let ran = fpx("completions tcsh").run();
    assert_eq!((ran.code, ran.stderr.lines().count()), (Some(2), 1));
    assert!(
        ran.stderr.contains("[possible values: bash, elvish, fish, powershell, zsh]"),
        "{}",
        ran.stderr
    );
}

#[test]
#[cfg(unix)]
fn the_completions_are_valid_bash() {
    let script = fpx("completions bash").run().stdout;
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("fpx.bash");
    std::fs::write(&path, script).expect("a file");
    let status = std::process::Command::new("bash").arg("-n").arg(&path).status().expect("bash");
    assert!(status.success());
}

#[test]
fn manual_pages_one_a_subcommand() {
    let page = fpx("man").run().stdout;
    assert!(page.contains(".TH fpx 1") && page.contains("fpx\\-convert(1)"), "{page}");
    let dir = tempfile::tempdir().expect("a folder");
    fpx("man --dir .").dir(dir.path()).prints("");
    for subcommand in SUBCOMMANDS {
        let name = format!("fpx-{subcommand}");
        let page = std::fs::read_to_string(dir.path().join(format!("{name}.1"))).expect("a page");
        assert!(page.contains(&format!(".TH {name} 1")), "{name}");
        assert!(page.contains(".SH \"OPTIONS\"") || page.contains(".SH OPTIONS"), "{name}");
        assert!(page.contains("fpx "), "{name}");
    }
    std::fs::write(dir.path().join("file"), "").expect("a file");
    fpx("man --dir file/x").dir(dir.path()).fails(4, "file/x: not a directory");
}
