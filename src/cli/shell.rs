//! What makes fpx at home in a shell: completions, manual pages, the version.

use std::path::PathBuf;

use clap::Command;

use super::{Outcome, failure, output::Output};

/// Print a completion script
#[derive(Debug, clap::Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    shell: clap_complete::Shell,
}

/// Print the manual page, or write one a subcommand
#[derive(Debug, clap::Args)]
pub(crate) struct ManArgs {
    /// The folder to write fpx.1, fpx-convert.1 and so on into
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Prints the completion script of a shell.
pub(crate) fn completions(
    args: &CompletionsArgs,
    command: &mut Command,
    out: &mut Output,
) -> anyhow::Result<Outcome> {
    // The generator panics when a write fails, so it writes to memory.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, command, "fpx", &mut script);
    out.text(&String::from_utf8_lossy(&script))?;
    Ok(Outcome::Done)
}

/// Prints the manual page, or writes all of them into a folder.
pub(crate) fn man(args: &ManArgs, command: &Command, out: &mut Output) -> anyhow::Result<Outcome> {
    let page = |command: Command| -> std::io::Result<Vec<u8>> {
        let mut page = Vec::new();
        clap_mangen::Man::new(command).render(&mut page)?;
        Ok(page)
    };
    let Some(dir) = &args.dir else {
        out.text(&String::from_utf8_lossy(&page(command.clone())?))?;
        return Ok(Outcome::Done);
    };
    let write = |name: String, command: Command| {
        let path = dir.join(format!("{name}.1"));
        let page = page(command)?;
        std::fs::write(&path, page).map_err(|error| failure::io(path.display(), &error))
    };
    write("fpx".to_owned(), command.clone())?;
    for subcommand in command.get_subcommands() {
        let name = format!("fpx-{}", subcommand.get_name());
        write(name.clone(), subcommand.clone().bin_name(name.replace('-', " ")))?;
    }
    Ok(Outcome::Done)
}

/// Returns the version, the revision and the instruction sets.
pub(crate) fn version() -> String {
    let revision = match env!("FPX_REVISION") {
        "" => String::new(),
        revision => format!(" (rev {revision})"),
    };
    format!("fpx {}{revision}\n", env!("CARGO_PKG_VERSION"))
}
