//! What makes fpx at home in a shell: completions, manual pages, the version.

use std::path::PathBuf;

use clap::Command;
use fpx::kernel::{InstructionSet, instruction_set};

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
    let command = command.clone().version(env!("CARGO_PKG_VERSION"));
    if let Some(dir) = &args.dir {
        let written = std::fs::create_dir_all(dir)
            .and_then(|()| clap_mangen::generate_to(command, dir))
            .map_err(|error| failure::io(dir.display(), &error));
        return written.map(|()| Outcome::Done);
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page)?;
    out.text(&String::from_utf8_lossy(&page))?;
    Ok(Outcome::Done)
}

/// Returns the version, the revision and the instruction sets.
pub(crate) fn version() -> String {
    let revision = match env!("FPX_REVISION") {
        "" => String::new(),
        revision => format!(" (rev {revision})"),
    };
    let names = |sets: &mut dyn Iterator<Item = InstructionSet>| -> String {
        sets.map(InstructionSet::name).collect::<Vec<_>>().join(" ")
    };
    let compiled = names(&mut InstructionSet::COMPILED.iter().copied());
    let found = names(&mut InstructionSet::found());
    let used =
        instruction_set().map_or_else(|error| error.to_string(), |set| set.name().to_owned());
    format!(
        "fpx {}{revision}\ninstruction sets: compiled {compiled}; found {found}; used {used}\n",
        env!("CARGO_PKG_VERSION")
    )
}
