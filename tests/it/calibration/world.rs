//! What a simulated world is, and how one of its campaigns is judged.

use std::sync::Arc;

use unfazed::run::{Arm, Campaign, FaultRecord, Iteration, Outcome, RunRecord};
use unfazed::spec::Experiment;
use unfazed::stats::random::Stream;
use unfazed::summary::{IterationSummary, MetricSummary, RecoverySummary, WindowValue};
use unfazed::unit::{Span, Timestamp, Window};
use unfazed::verdict::result::{Decision, Verdict};
use unfazed::verdict::{Evidence, judge};

/// Where the truth lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Place {
    /// Exactly at the bound: every pass and every fail is wrong.
    AtTheBound,
    /// Inside, at the distance that the world states: a pass is right.
    Inside,
}

impl Place {
    /// The word in tables and stream names.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::AtTheBound => "at the bound",
            Self::Inside => "inside",
        }
    }
}

/// A world whose truth is known.
pub(crate) trait World: Sync + Send {
    /// The claim, as a document.
    fn document(&self) -> String;
    /// The truth on the scale of the limits; `None` where the limits are of something else.
    fn truth(&self, place: Place) -> Option<f64>;
    /// Control iterations beside the kills.
    fn controls(&self) -> usize {
        0
    }
    /// Draws one campaign.
    fn draw(&self, place: Place, kills: usize, stream: &mut Stream) -> Drawn;
}

/// One campaign.
pub(crate) struct Drawn {
    /// The claimed metric.
    pub(crate) summary: MetricSummary,
    /// Times to recover, where they are claimed.
    pub(crate) recovery: Option<RecoverySummary>,
    /// What the usual way says of the same data.
    pub(crate) usual: Option<Verdict>,
}

/// What the product says of one campaign.
pub(crate) struct Judged {
    /// Pass, fail or inconclusive.
    pub(crate) verdict: Verdict,
    /// Limits of the one claim.
    pub(crate) decision: Decision,
}

/// One world with a campaign of a given size, ready to be drawn again and again.
pub(crate) struct Bench<'world> {
    world: &'world dyn World,
    experiment: Arc<Experiment>,
    campaign: Campaign,
    kills: usize,
}

impl<'world> Bench<'world> {
    /// Sets up campaigns of `kills` kills.
    pub(crate) fn new(world: &'world dyn World, kills: usize) -> Self {
        let experiment = Experiment::parse("calibration.yaml", world.document().as_bytes())
            .unwrap_or_else(|problems| panic!("a simulated world claims nonsense: {problems}"));
        Self {
            world,
            experiment: Arc::new(experiment),
            campaign: campaign(kills, world.controls()),
            kills,
        }
    }

    /// Draws one campaign.
    pub(crate) fn draw(&self, place: Place, stream: &mut Stream) -> Drawn {
        self.world.draw(place, self.kills, stream)
    }

    /// Judges one campaign.
    pub(crate) fn judge(&self, drawn: &Drawn) -> Judged {
        let result = judge(&Evidence {
            experiment: &self.experiment,
            campaign: &self.campaign,
            metrics: std::slice::from_ref(&drawn.summary),
            recovery: drawn.recovery.as_ref(),
            seed: 0,
            samples_digest: None,
            warnings: Vec::new(),
            source: None,
        });
        let of_recovery = result.recovery.and_then(|recovery| recovery.decision);
        let of_metric = result.metrics.into_iter().find_map(|metric| metric.decision);
        Judged {
            verdict: result.verdict,
            decision: of_recovery.or(of_metric).expect("every world claims one thing"),
        }
    }
}

/// The document of a world from its metric and recovery sections.
pub(crate) fn document(metric: &str, recovery: &str) -> String {
    format!(
        "apiVersion: unfazed/v1\nkind: Experiment\nmetadata: {{name: calibration, owner: calibration}}\n\
         spec:\n  hypothesis: a claim whose truth is known\n  environment: simulated\n  \
         windows: {{baseline: 5m, experiment: 5m, cooldown: 1m}}\n  metrics:\n    - {metric}\n{recovery}"
    )
}

/// The run record of a campaign: kills first, then controls.
fn campaign(kills: usize, controls: usize) -> Campaign {
    let minute = Span::from_seconds(60);
    let mut at = Timestamp::from_milliseconds(1_780_000_000_000);
    let started_at = at;
    let arms =
        std::iter::repeat_n(Arm::Fault, kills).chain(std::iter::repeat_n(Arm::Control, controls));
    let iterations = (1_u32..)
        .zip(arms)
        .map(|(index, arm)| {
            let fault_at = at.plus(minute.times(5));
            let end = fault_at.plus(minute.times(5));
            let baseline = Window { start: at, end: fault_at };
            at = end.plus(minute);
            Iteration {
                index,
                arm,
                baseline,
                fault: (arm == Arm::Fault).then(|| FaultRecord {
                    at: fault_at,
                    until: None,
                    outcome: Outcome::Killed,
                    targets: Vec::new(),
                }),
                experiment: Window { start: fault_at, end },
                detected_at: None,
                remediated_at: None,
                recovered_at: None,
                aborted: None,
            }
        })
        .collect();
    Campaign::join(vec![RunRecord {
        schema: unfazed::run::record::SCHEMA.to_owned(),
        run_id: "calibration".to_owned(),
        experiment: "calibration".to_owned(),
        experiment_digest: None,
        started_at,
        ended_at: None,
        origin: None,
        iterations,
        events: Vec::new(),
        audit: None,
    }])
}

/// A window with a number and nothing else.
pub(crate) fn window(value: f64) -> WindowValue {
    WindowValue { value: Ok(value), coverage: Some(1.0), counts: None, share_under: None }
}

/// The summary of a metric from its windows, in campaign order.
pub(crate) fn summary(windows: impl Iterator<Item = ArmWindows>) -> MetricSummary {
    MetricSummary {
        only_kill: None,
        name: "metric".to_owned(),
        matched_nothing: None,
        step: Some(Span::from_seconds(5)),
        iterations: (1_u32..)
            .zip(windows)
            .map(|(index, windows)| IterationSummary {
                index,
                session: 1,
                arm: windows.arm,
                excluded: None,
                aborted: None,
                baseline: windows.baseline,
                experiment: windows.experiment,
            })
            .collect(),
        conflicting_duplicates: 0,
        missing_edge: None,
        histogram_forms: None,
        measured_on_target: false,
        timeline: Vec::new(),
    }
}

/// Both windows of one iteration.
pub(crate) struct ArmWindows {
    /// Fault or control.
    pub(crate) arm: Arm,
    /// Before.
    pub(crate) baseline: WindowValue,
    /// After.
    pub(crate) experiment: WindowValue,
}
