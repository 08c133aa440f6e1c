//! stub
use super::*;
/// List formats
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    formats: Vec<String>,
}
pub(crate) fn run(_: &Args, _: &options::Common, _: &mut Output) -> anyhow::Result<Outcome> {
    Ok(Outcome::Done)
}
