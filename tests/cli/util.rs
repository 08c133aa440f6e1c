//! The vocabulary of these tests: run a command line, say what it must print.

use std::{path::Path, time::Duration};

/// A command line about to be run.
pub(crate) struct Fpx {
    command: assert_cmd::Command,
    line: String,
}

/// What a command line did.
#[derive(Debug)]
pub(crate) struct Ran {
    line: String,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) code: Option<i32>,
}

/// Returns `fpx` with these arguments, separated by blanks, in an environment without preferences.
pub(crate) fn fpx(line: &str) -> Fpx {
    fpx_with(&line.split_whitespace().collect::<Vec<_>>())
}

/// Returns `fpx` with these arguments.
pub(crate) fn fpx_with(arguments: &[&str]) -> Fpx {
    let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_fpx"));
    command.args(arguments).timeout(Duration::from_secs(60));
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS", "FPX_THREADS"] {
        command.env_remove(name);
    }
    Fpx { command, line: arguments.join(" ") }
}

impl Fpx {
    pub(crate) fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.command.write_stdin(bytes);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn dir(mut self, dir: &Path) -> Self {
        self.command.current_dir(dir);
        self
    }

    pub(crate) fn run(mut self) -> Ran {
        let output = self.command.output().expect("the binary runs");
        let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
        Ran {
            line: self.line,
            stdout: text(output.stdout),
            stderr: text(output.stderr),
            code: output.status.code(),
        }
    }

    /// Succeeds with exactly this on standard output and nothing on standard error.
    pub(crate) fn prints(self, stdout: &str) {
        let ran = self.run();
        ran.is(0, stdout, "");
    }

    /// Prints nothing but this one error line.
    pub(crate) fn fails(self, code: i32, error: &str) {
        let ran = self.run();
        ran.is(code, "", &format!("error: {error}\n"));
    }
}

impl Ran {
    /// Compares everything, and shows everything where it differs.
    #[track_caller]
    pub(crate) fn is(&self, code: i32, stdout: &str, stderr: &str) {
        let found = (self.code, self.stdout.as_str(), self.stderr.as_str());
        assert!(
            found == (Some(code), stdout, stderr),
            "fpx {}\nexit {:?}, expected {code}\n--- stdout\n{}--- expected\n{stdout}--- stderr\n{}--- expected\n{stderr}",
            self.line,
            self.code,
            self.stdout,
            self.stderr,
        );
    }
}
