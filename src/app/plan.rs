//! `unfazed plan`: what a campaign can decide, from its document alone or with a pilot recording.

use std::path::{Path, PathBuf};

use crate::app::AppError;
use crate::app::analyze::measure;
use crate::app::document::{read_experiment, read_run};
use crate::app::frames::Digests;
use crate::run::{Arm, Campaign, Outcome};
use crate::source::metrics::Recording;
use crate::verdict::plan::{CampaignPlan, Pilot, plan};

/// Plans the campaign of a document, or of the document in a directory. A pilot is a recording directory; only its
/// samples and its run record are used: the claims and metrics are those of the planned document.
///
/// # Errors
/// [`AppError`] says what could not be read or understood.
pub fn run(document: &Path, recording: Option<&Path>) -> Result<CampaignPlan, AppError> {
    let document: PathBuf =
        if document.is_dir() { document.join("experiment.yaml") } else { document.to_owned() };
    let experiment = read_experiment(&document)?.experiment;
    let Some(directory) = recording else {
        return Ok(plan(&experiment, None));
    };
    let record = read_run(&directory.join("run.json"))?;
    let samples = Recording::open(directory)?;
    let campaign = Campaign::join(vec![record]);
    let measured = measure(&experiment, &campaign, &[&samples], &Digests::default())?;
    let killed = campaign.iterations.iter().filter(|of_session| {
        let iteration = &of_session.iteration;
        iteration.arm == Arm::Fault
            && iteration.fault.as_ref().is_some_and(|fault| fault.outcome == Outcome::Killed)
    });
    let kills = u32::try_from(killed.count()).unwrap_or(u32::MAX);
    let pilot = Pilot {
        run_id: &campaign.run_id(),
        metrics: &measured.metrics,
        recovery: measured.recovery.as_ref(),
        kills,
    };
    Ok(plan(&experiment, Some(pilot)))
}
