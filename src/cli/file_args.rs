//! The options of `fpx convert` that are for files.

use std::path::PathBuf;

use super::{convert_files::Input, failure::usage, operand::Operand};

/// Options of files.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Files")]
pub(crate) struct FileArgs {
    /// Where to write; '-' streams raw elements. Without it the work is done, reported and dropped
    #[arg(long, short, value_name = "PATH")]
    pub(super) output: Option<PathBuf>,
    /// What the input is: safetensors npy npz gguf text csv raw [default: by extension, then by content]
    #[arg(long, value_name = "KIND", hide_short_help = true)]
    pub(super) input_kind: Option<String>,
    /// What the output is [default: by extension, else raw]
    #[arg(long, value_name = "KIND", hide_short_help = true)]
    pub(super) output_kind: Option<String>,
    /// Tensors to convert, by name; the others are copied (repeatable) [default: all]
    #[arg(long, value_name = "GLOB")]
    pub(super) include: Vec<String>,
    /// Tensors to copy, by name (repeatable)
    #[arg(long, value_name = "GLOB", hide_short_help = true)]
    pub(super) exclude: Vec<String>,
    /// What an .npy's void or unsigned elements are
    #[arg(long, value_name = "FORMAT", hide_short_help = true)]
    pub(super) dtype: Option<String>,
    /// Keep the element type, and store the rounded values
    #[arg(long)]
    pub(super) simulate: bool,
    /// 6- and 4-bit codes in raw files: dense, or byte for one a byte [default: dense]
    #[arg(long, value_name = "HOW", hide_short_help = true)]
    pub(super) packing: Option<String>,
    /// Take 8- and 4-bit weights whose scale is not recognised as plain codes
    #[arg(long, hide_short_help = true)]
    pub(super) allow_unscaled: bool,
    /// Keep nothing and exit 1 if there is any: overflow flushed nan inexact
    #[arg(long, value_name = "WHAT[,..]", value_delimiter = ',')]
    pub(super) fail_on: Vec<String>,
    #[command(flatten)]
    pub(super) units: UnitArgs,
}

/// Which files of a folder are made, and what becomes of those that are there.
#[derive(Debug, clap::Args)]
pub(super) struct UnitArgs {
    /// Replace an output that exists
    #[arg(long)]
    pub(super) force: bool,
    /// Convert every n-th file of a folder, from the i-th on; the runs of all i fill one folder
    #[arg(long, value_name = "I/N", hide_short_help = true)]
    pub(super) shard: Option<String>,
    /// Keep the files of a folder that an earlier run has finished
    #[arg(long, hide_short_help = true)]
    pub(super) resume: bool,
}

impl FileArgs {
    /// Returns the inputs if they are files, and refuses a mixture.
    pub(crate) fn inputs(&self, operands: &[Operand]) -> anyhow::Result<Option<Vec<Input>>> {
        // Without a word about files, standard input is numbers to be answered one by one.
        let takes_stream = self.input_kind.is_some() || self.output.is_some();
        let file = |operand: &Operand| match operand {
            Operand::Path(path) => Some(Input::Path(path.clone())),
            Operand::StandardInput if takes_stream => Some(Input::Stream),
            Operand::StandardInput
            | Operand::Number(_)
            | Operand::Exhaustive(_)
            | Operand::Edges(_) => None,
        };
        let inputs: Vec<Input> = operands.iter().filter_map(file).collect();
        if inputs.is_empty() {
            return match self.given() {
                Some(option) => {
                    Err(usage(format!("{option} is for files, and the input is numbers")))
                }
                None => Ok(None),
            };
        }
        if inputs.len() != operands.len() {
            let named = operands.iter().find(|operand| file(operand).is_some());
            let named = named.map_or_else(String::new, ToString::to_string);
            return Err(usage(format!("{named} is a file; numbers and files do not mix")));
        }
        Ok(Some(inputs))
    }

    /// Returns an option that says nothing about numbers, if one is given.
    fn given(&self) -> Option<&'static str> {
        [
            ("--output", self.output.is_some()),
            ("--input-kind", self.input_kind.is_some()),
            ("--output-kind", self.output_kind.is_some()),
            ("--include", !self.include.is_empty()),
            ("--exclude", !self.exclude.is_empty()),
            ("--dtype", self.dtype.is_some()),
            ("--simulate", self.simulate),
            ("--packing", self.packing.is_some()),
            ("--allow-unscaled", self.allow_unscaled),
            ("--fail-on", !self.fail_on.is_empty()),
            ("--force", self.units.force),
            ("--shard", self.units.shard.is_some()),
            ("--resume", self.units.resume),
        ]
        .into_iter()
        .find_map(|(name, given)| given.then_some(name))
    }
}
