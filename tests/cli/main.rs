//! The binary, by behaviour: exact standard output, standard error and exit code.

mod blocks;
mod check;
mod convert;
mod error_sweep;
mod errors;
mod formats;
mod inspect;
mod instruction_sets;
mod json;
mod peers;
mod pipes;
mod policies;
mod shell;
mod sweep_files;
mod train_demo;
mod util;
