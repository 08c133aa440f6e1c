//! The only place that writes to standard output and standard error.

#![expect(clippy::print_stderr, reason = "this is the place that prints")]

use std::{
    fs::File,
    io::{self, BufWriter, IsTerminal as _, StdoutLock, Write},
    os::fd::AsFd as _,
};

use anstream::{AutoStream, ColorChoice};

use super::{failure::Kind, options::Common};

/// The widest text that a report makes use of.
const MAX_WIDTH: usize = 100;
/// The narrowest, below which lines wrap.
const MIN_WIDTH: usize = 40;

/// Where a subcommand's data and remarks go.
pub(crate) struct Output {
    stdout: BufWriter<AutoStream<StdoutLock<'static>>>,
    quiet: bool,
}

impl Output {
    /// Returns the output of this process.
    pub(crate) fn new(common: &Common) -> Self {
        let stdout = AutoStream::auto(io::stdout().lock());
        Self { stdout: BufWriter::with_capacity(1 << 16, stdout), quiet: common.quiet }
    }

    /// Returns the writer of data; escape codes are dropped where there is no colour.
    pub(crate) fn writer(&mut self) -> &mut impl Write {
        &mut self.stdout
    }

    /// Writes text as data.
    pub(crate) fn text(&mut self, text: &str) -> io::Result<()> {
        self.stdout.write_all(text.as_bytes())
    }

    /// Writes a message of clap's with its styles.
    pub(crate) fn styled(&mut self, text: &clap::builder::StyledStr) -> io::Result<()> {
        write!(self.stdout, "{}", text.ansi())
    }

    /// Writes a remark to standard error, after the data so far; not if quiet.
    pub(crate) fn note(&mut self, text: &str) {
        if !self.quiet {
            let _ = self.stdout.flush();
            anstream::eprintln!("note: {}", harmless(text));
        }
    }

    /// Writes a line of a summary to standard error; not if quiet.
    pub(crate) fn summary(&mut self, text: &str) {
        if !self.quiet {
            let _ = self.stdout.flush();
            anstream::eprintln!("{}", harmless(text));
        }
    }

    /// Writes a warning to standard error, quiet or not.
    pub(crate) fn warning(&mut self, text: &str) {
        let _ = self.stdout.flush();
        anstream::eprintln!("warning: {}", harmless(text));
    }

    /// Whether remarks are suppressed.
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Whether a person reads standard output.
    pub(crate) fn is_terminal() -> bool {
        io::stdout().is_terminal()
    }

    /// Returns the columns of a line: the terminal's or COLUMNS, at most 100.
    pub(crate) fn width() -> usize {
        let from_environment = std::env::var("COLUMNS").ok().and_then(|c| c.parse().ok());
        let from_terminal = || {
            let size = terminal_size::terminal_size_of(io::stdout());
            size.map(|(width, _)| usize::from(width.0))
        };
        from_environment
            .or_else(from_terminal)
            .map_or(MAX_WIDTH, |width: usize| width.clamp(MIN_WIDTH, MAX_WIDTH))
    }

    /// Writes out what is buffered.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.stdout.flush()
    }

    /// Ends the output.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.flush()
    }
}

/// Returns standard output as a file, for bytes that are no text and that other threads write.
pub(crate) fn raw_stdout() -> io::Result<File> {
    io::stdout().as_fd().try_clone_to_owned().map(File::from)
}

/// Returns standard input as a file, for bytes that other threads read.
pub(crate) fn raw_stdin() -> io::Result<File> {
    io::stdin().as_fd().try_clone_to_owned().map(File::from)
}

/// Ends the process because the user wants it to.
#[expect(clippy::exit, reason = "called in the signal handler's thread")]
pub(crate) fn interrupted() -> ! {
    std::process::exit(Kind::Interrupted as i32)
}

/// Escapes what could break a line or move the cursor: a message may repeat an argument or a name.
fn harmless(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            line.extend(c.escape_debug());
        } else {
            line.push(c);
        }
    }
    line
}

/// Prints the one line of an error.
pub(crate) fn error_line(message: &str) {
    let bold = anstyle::Style::new().bold().fg_color(Some(anstyle::AnsiColor::Red.into()));
    let message = harmless(message);
    if AutoStream::choice(&io::stderr()) == ColorChoice::Never {
        eprintln!("error: {message}");
    } else {
        anstream::eprintln!("{bold}error:{bold:#} {message}");
    }
}

/// Whether an error means that the reader of standard output has left.
pub(crate) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}
