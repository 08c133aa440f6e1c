//! The option groups that subcommands share.

use clap::{Args, ValueEnum};
use fpx::{
    block::spec::Spec,
    codec::{
        NanPolicy, NanTo, Overflow, PRESETS, Preset, Projection, Rounding, Subnormals, Tininess,
    },
    format::Format,
};

use super::{
    failure::{unknown, usage},
    output::Output,
};

/// Options of every subcommand.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Common {
    /// Print JSON: short for --emit json
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub(crate) json: bool,
    /// Threads to use; 0 means all
    #[arg(
        long,
        global = true,
        value_name = "N",
        default_value_t = 0,
        allow_negative_numbers = true,
        env = "FPX_THREADS",
        hide_env = true,
        help_heading = "Everywhere"
    )]
    pub(crate) threads: usize,
    /// Print no notes, summaries or progress
    #[arg(long, short, global = true, help_heading = "Everywhere")]
    pub(crate) quiet: bool,
    /// When to colour
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "WHEN",
        help_heading = "Everywhere"
    )]
    pub(crate) color: Color,
}

/// When to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, honouring NO_COLOR and CLICOLOR_FORCE
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl Common {
    /// Returns what `--emit` says, for which `--json` is short; `None` if neither is there.
    ///
    /// # Errors
    ///
    /// Exit code 2 if they contradict each other.
    pub(crate) fn emit<'a>(&self, emit: Option<&'a str>) -> anyhow::Result<Option<&'a str>> {
        match emit {
            Some(name) if self.json && name != "json" => {
                Err(usage(format!("--json is --emit json: it does not go with --emit {name}")))
            }
            None if self.json => Ok(Some("json")),
            emit => Ok(emit),
        }
    }

    /// Makes the choices that hold for the whole process: colour and threads.
    pub(crate) fn apply(&self) {
        match self.color {
            Color::Auto => {}
            Color::Always => anstream::ColorChoice::Always.write_global(),
            Color::Never => anstream::ColorChoice::Never.write_global(),
        }
        // All threads are what the first parallel loop starts by itself, and most commands have none.
        if self.threads > 0 {
            // A second call in one process is an error, which cannot happen here.
            let _ = rayon::ThreadPoolBuilder::new().num_threads(self.threads).build_global();
        }
    }
}

/// Options of everything that rounds.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct RoundingArgs {
    /// Rounding mode: rne rna rtz rup rdn rto sr[:BITS]; IEEE and P3109 names are read [default: rne]
    #[arg(long, value_name = "MODE", help_heading = "Rounding")]
    rounding: Option<String>,
    /// Overflow: ieee saturate saturate-finite [default: ieee]
    #[arg(long, value_name = "POLICY", help_heading = "Rounding")]
    overflow: Option<String>,
    /// NaN where the format has one: keep canonical [default: keep]
    #[arg(long, value_name = "POLICY", hide_short_help = true, help_heading = "Rounding")]
    nan: Option<String>,
    /// NaN where the format has none: error zero max [default: error]
    #[arg(long, value_name = "POLICY", hide_short_help = true, help_heading = "Rounding")]
    nan_to: Option<String>,
    /// Subnormal results: keep flush [default: keep]
    #[arg(long, value_name = "POLICY", hide_short_help = true, help_heading = "Rounding")]
    subnormals: Option<String>,
    /// Underflow flag: tiny after or before rounding [default: after]
    #[arg(long, value_name = "WHEN", hide_short_help = true, help_heading = "Rounding")]
    tininess: Option<String>,
    /// Seed of everything random
    #[arg(
        long,
        value_name = "N",
        default_value_t = 0,
        allow_negative_numbers = true,
        help_heading = "Rounding"
    )]
    pub(crate) seed: u64,
    /// The policies of another implementation: ocp ocp-sat cuda ml_dtypes torch-2.12 torch-2.13 onnx p3109 riscv arm x86
    #[arg(long, value_name = "PRESET", help_heading = "Rounding")]
    like: Option<String>,
}

/// Finds a policy by name.
fn policy<T: Copy>(
    option: &str,
    value: Option<&str>,
    all: &[T],
    name: fn(T) -> &'static str,
    default: T,
) -> anyhow::Result<T> {
    let Some(value) = value else { return Ok(default) };
    all.iter().copied().find(|policy| name(*policy) == value).ok_or_else(|| {
        let names: Vec<_> = all.iter().map(|policy| name(*policy)).collect();
        unknown(option, value, &names)
    })
}

impl RoundingArgs {
    /// Returns what the options say, explicit ones before the preset's.
    pub(crate) fn projection(&self) -> anyhow::Result<Projection> {
        let base = match &self.like {
            None => Projection::default(),
            Some(name) => preset(name)?.projection(),
        };
        let rounding = match &self.rounding {
            None => base.rounding,
            Some(name) => name.parse::<Rounding>().map_err(usage)?,
        };
        Ok(Projection {
            rounding,
            overflow: policy(
                "overflow",
                self.overflow.as_deref(),
                Overflow::ALL,
                Overflow::name,
                base.overflow,
            )?,
            nan: policy("nan", self.nan.as_deref(), NanPolicy::ALL, NanPolicy::name, base.nan)?,
            nan_to: policy("nan-to", self.nan_to.as_deref(), NanTo::ALL, NanTo::name, base.nan_to)?,
            subnormals: policy(
                "subnormals",
                self.subnormals.as_deref(),
                Subnormals::ALL,
                Subnormals::name,
                base.subnormals,
            )?,
            tininess: policy(
                "tininess",
                self.tininess.as_deref(),
                Tininess::ALL,
                Tininess::name,
                base.tininess,
            )?,
            ..base
        })
    }
}

fn preset(name: &str) -> anyhow::Result<&'static Preset> {
    Preset::by_name(name).ok_or_else(|| {
        let names: Vec<_> = PRESETS.iter().map(|preset| preset.name).collect();
        unknown("like", name, &names)
    })
}

/// Reads a list of targets and passes on what was said about ambiguous names.
pub(crate) fn specs(names: &[String], out: &mut Output) -> anyhow::Result<Vec<Spec>> {
    names
        .iter()
        .map(|name| {
            let spec: Spec = name.parse().map_err(usage)?;
            if let Some(note) = &spec.note {
                out.note(note);
            }
            Ok(spec)
        })
        .collect()
}

/// Reads the name of an unscaled format.
pub(crate) fn plain_format(name: &str, option: &str, out: &mut Output) -> anyhow::Result<Format> {
    let spec = specs(std::slice::from_ref(&name.to_owned()), out)?.remove(0);
    if !spec.is_plain() || spec.rounding.is_some() {
        return Err(usage(format!("{option} takes a plain format, found '{name}'")));
    }
    Ok(spec.format)
}
