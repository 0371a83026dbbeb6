//! From the command line to a campaign that can be driven: what is refused before anything begins, and what is taken up
//! again from a journal.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use serde::{Deserialize, Serialize};

use crate::app::AppError;
use crate::app::document::{read, read_experiment};
use crate::app::pull;
use crate::app::record::collector_settings;
use crate::app::run::audit_log::{RunAudit, Signer};
use crate::app::run::clock::RunClock;
use crate::app::run::drive::{Drive, DriveState, Happened, sentence};
use crate::app::run::fault_marks::FaultMarks;
use crate::app::run::gate::{Gatekeeper, Known, read_policy};
use crate::app::run::injector::{self, Injector, Mode};
use crate::app::run::record_keeper::{RecordKeeper, RunStart};
use crate::app::run::rules::{Rules, Sight};
use crate::app::run::sight::{ScrapeSight, ServerSight};
use crate::app::run::telemetry::{NoTelemetry, Telemetry};
use crate::app::run::tidings::{Onlooker, Tidings};
use crate::app::run::watcher::Watcher;
use crate::campaign::{Command, Course, Ending, Schedule, Terms};
use crate::run::{Arm, Outcome, RunRecord};
use crate::safety::{Begun, Moment, situation};
use crate::source::metrics::Recording;
use crate::source::metrics::collector::{Collector, CollectorSettings, Keep, Recent};
use crate::source::metrics::prometheus::Limits;
use crate::spec::{Experiment, Fault, Policy, Selector, Source};
use crate::store::{CollectedSamples, JournalFile, TextFile, write_texts};
use crate::unit::{Seed, Span, Timestamp};

/// The name of the journal's head.
const SCHEMA: &str = "unfazed.campaign/v1";

/// How long conditions and recovery are waited for, unless the document's deadline is longer.
const PATIENCE: Span = Span::from_seconds(600);

/// How often the service is looked at when the source does not say how often it is measured.
const USUAL_STEP: Span = Span::from_seconds(5);

/// A runbook larger than this is left where it is.
const RUNBOOK_BYTES: u64 = 4 << 20;

/// What was asked for.
#[derive(Debug, Clone)]
pub struct RunArguments {
    /// The experiment document, or a directory that holds an experiment.yaml.
    pub document: PathBuf,
    /// The policy.
    pub policy: Option<PathBuf>,
    /// Whether anybody may be hit.
    pub liveness: Liveness,
    /// The history in which earlier waves are looked for.
    pub history: Option<PathBuf>,
    /// Begin, or go on.
    pub resumption: Resumption,
    /// Where the recording goes; default `unfazed-runs/<run id>`.
    pub output: Option<PathBuf>,
    /// The injector; default: beside this program.
    pub injector: Option<PathBuf>,
    /// This program.
    pub own_program: PathBuf,
    /// The audit log; default `audit.jsonl` in the recording.
    pub audit: Option<PathBuf>,
    /// Who asks.
    pub actor: String,
    /// Seed of the order and the jitter.
    pub seed: Seed,
    /// Iterations after which the campaign pauses.
    pub budget: Option<u32>,
    /// How long conditions and recovery are waited for.
    pub patience: Option<Span>,
    /// Set by a signal that asks for an end.
    pub stop: Arc<AtomicBool>,
}

/// Whether anybody may be hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Liveness {
    /// Targets are named and nobody is hit.
    Dry,
    /// `--live`.
    Live,
}

/// Whether a campaign begins or goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resumption {
    /// It begins.
    Begin,
    /// It goes on from its journal.
    GoOn,
}

/// How a run ended, for now.
#[derive(Debug, Clone, PartialEq)]
pub struct Finished {
    /// How.
    pub ending: Ending,
    /// The same in a sentence.
    pub message: String,
    /// The recording.
    pub directory: PathBuf,
    /// What is recorded; none before the first iteration.
    pub record: Option<RunRecord>,
}

/// The first line of a journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Head {
    schema: String,
    run_id: String,
    digest: String,
    policy_digest: Option<String>,
    seed: Seed,
    mode: HeadMode,
    started_at: Timestamp,
    cooldown_ms: i64,
    patience_ms: i64,
    settle_ms: i64,
    failures_allowed: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum HeadMode {
    Live,
    DryRun,
}

impl HeadMode {
    const fn word(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::DryRun => "dry_run",
        }
    }
}

/// A line of a journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Line {
    Head(Box<Head>),
    Happened(Happened),
}

/// Everything that is known of a campaign before it is driven.
struct Prepared {
    document: PathBuf,
    bytes: Vec<u8>,
    experiment: Experiment,
    fault: Fault,
    policy: Option<Policy>,
    mode: Mode,
    injector: PathBuf,
}

/// Runs an experiment.
///
/// # Errors
/// [`AppError::Refused`] when policy or safety forbid it before anything was done; else what could not be read or
/// written. What was done by then is in the recording.
pub fn run(arguments: &RunArguments, onlooker: &mut dyn Onlooker) -> Result<Finished, AppError> {
    let prepared = prepare(arguments)?;
    let clock = RunClock::start();
    let started_at = clock.now();
    let run_id = format!("{}-{}", prepared.experiment.name, compact(started_at));
    let directory = match (&arguments.output, arguments.resumption) {
        (Some(directory), _) => directory.clone(),
        (None, Resumption::Begin) => Path::new("unfazed-runs").join(&run_id),
        (None, Resumption::GoOn) => {
            return Err(AppError::Usage(
                "--resume needs the recording to go on with: name it with -o DIR".to_owned(),
            ));
        }
    };
    let head = Head::new(arguments, &prepared, run_id, started_at);
    enter(arguments.resumption, &prepared, &directory)?;
    let taken_up = match arguments.resumption {
        Resumption::Begin => None,
        Resumption::GoOn => Some(open(&prepared, &directory, head.clone())?),
    };
    let head = taken_up.as_ref().map_or(head, |campaign| campaign.head.clone());
    let gatekeeper = gatekeeper(arguments, &prepared, &head);
    let mut audit = audit_log(arguments, &prepared, &directory, &head, started_at)?;
    let mode = head.mode.word();
    let begins = if taken_up.is_some() { "campaign_resumed" } else { "campaign_begun" };
    audit.note(started_at, begins, None, mode, None)?;
    admit(&gatekeeper, &mut audit, started_at, onlooker)?;
    // What was not admitted leaves no journal, so that it can be begun again.
    let campaign = match taken_up {
        Some(campaign) => campaign,
        None => open(&prepared, &directory, head)?,
    };
    let office = Office { gatekeeper, audit, clock, directory };
    drive(arguments, &prepared, campaign, office, onlooker)
}

/// What a campaign is driven with, beside itself.
struct Office {
    gatekeeper: Gatekeeper,
    audit: RunAudit,
    clock: RunClock,
    directory: PathBuf,
}

/// A campaign as its journal tells it.
struct Opened {
    head: Head,
    journal: JournalFile,
    course: Course,
    keeper: RecordKeeper,
    resumed: bool,
}

fn prepare(arguments: &RunArguments) -> Result<Prepared, AppError> {
    let document = if arguments.document.is_dir() {
        arguments.document.join("experiment.yaml")
    } else {
        arguments.document.clone()
    };
    let experiment = read_experiment(&document)?.experiment;
    let hint = "give an experiment document";
    let bytes = read(&document, "the experiment document", u64::MAX >> 1, hint)?;
    let Some(fault) = experiment.fault.clone() else {
        return Err(AppError::Usage(format!(
            "{}: spec.fault is missing: there is nothing to inject; add it, or import what another tool injected",
            document.display()
        )));
    };
    if arguments.liveness == Liveness::Live && arguments.policy.is_none() {
        return Err(AppError::Refused(
            "without a policy nothing is killed: name one with --policy FILE, or leave --live out to see what would be done".to_owned(),
        ));
    }
    let policy = arguments.policy.as_deref().map(read_policy).transpose()?;
    // Wave 0 names targets and hits nobody, whoever says --live.
    let mode = match arguments.liveness {
        Liveness::Live if fault.wave > 0 => Mode::Live,
        Liveness::Live | Liveness::Dry => Mode::DryRun,
    };
    if let (Mode::Live, Source::Recording(_)) = (mode, &experiment.source) {
        return Err(AppError::Refused(format!(
            "{}: spec.source names nothing that can be watched while the experiment runs, and what cannot be watched is not started; name `scrape:` (the embedded collector, no server needed) or `prometheus:`",
            document.display()
        )));
    }
    let injector = injector::find(arguments.injector.as_deref(), &arguments.own_program)
        .map_err(|why| AppError::Injector { why })?;
    Ok(Prepared { document, bytes, experiment, fault, policy, mode, injector })
}

impl Head {
    fn new(arguments: &RunArguments, of: &Prepared, run_id: String, at: Timestamp) -> Self {
        let demanded = of.policy.as_ref().map_or(Span::ZERO, |policy| policy.cooldown);
        let breaker = of.policy.as_ref().and_then(|policy| policy.circuit_breaker);
        let within = of.experiment.recovery.as_ref().and_then(|recovery| recovery.within);
        let patience = arguments
            .patience
            .unwrap_or_else(|| PATIENCE.max(within.map_or(Span::ZERO, |within| within.times(3))));
        Self {
            schema: SCHEMA.to_owned(),
            run_id,
            digest: of.experiment.digest.clone(),
            policy_digest: of.policy.as_ref().map(|policy| policy.digest.clone()),
            seed: arguments.seed,
            mode: match of.mode {
                Mode::Live => HeadMode::Live,
                Mode::DryRun => HeadMode::DryRun,
            },
            started_at: at,
            cooldown_ms: of.experiment.windows.cooldown.max(demanded).milliseconds(),
            patience_ms: patience.milliseconds(),
            settle_ms: step(&of.experiment).times(3).milliseconds(),
            failures_allowed: breaker.map_or(0, |breaker| breaker.failures.saturating_sub(1)),
        }
    }

    fn course(&self, experiment: &Experiment) -> Course {
        let terms = Terms {
            baseline: experiment.windows.baseline,
            experiment: experiment.windows.experiment,
            cooldown: Span::from_milliseconds(self.cooldown_ms),
            settle: Span::from_milliseconds(self.settle_ms),
            // The watcher tells the service well only when it has been so for the document's time.
            stable_for: Span::ZERO,
            patience: Span::from_milliseconds(self.patience_ms),
            failures_allowed: self.failures_allowed,
        };
        let jitter = experiment.windows.jitter;
        let schedule = Schedule::draw(self.seed, &self.run_id, experiment.iterations, jitter);
        Course::new(terms, schedule, self.started_at)
    }
}

/// Makes the recording's directory ready, or finds the run in it.
fn enter(resumption: Resumption, of: &Prepared, directory: &Path) -> Result<(), AppError> {
    let journal = directory.join("journal.jsonl");
    match (resumption, journal.exists()) {
        (Resumption::Begin, true) => Err(AppError::Usage(format!(
            "{} holds a run already; go on with it by --resume, or give another directory",
            directory.display()
        ))),
        (Resumption::GoOn, false) => Err(AppError::Usage(format!(
            "{} holds no journal of a run to go on with; leave --resume out to begin one",
            directory.display()
        ))),
        (Resumption::Begin, false) => {
            // A document that was checked is text.
            let text = String::from_utf8_lossy(&of.bytes).into_owned();
            let mut files = vec![TextFile { path: directory.join("experiment.yaml"), text }];
            files.extend(runbook(of, directory));
            Ok(write_texts(&files)?)
        }
        (Resumption::GoOn, true) => Ok(()),
    }
}

/// The runbook, if it stands where the document says, so that suggestions become a patch of it.
fn runbook(of: &Prepared, directory: &Path) -> Option<TextFile> {
    let path = Path::new(of.experiment.runbook.as_deref()?);
    let inside = path.components().all(|part| matches!(part, std::path::Component::Normal(_)));
    let place = directory.join(path);
    if !inside || place.exists() {
        return None;
    }
    let bytes = read(&of.document.with_file_name(path), "the runbook", RUNBOOK_BYTES, "").ok()?;
    Some(TextFile { path: place, text: String::from_utf8(bytes).ok()? })
}

fn gatekeeper(arguments: &RunArguments, of: &Prepared, head: &Head) -> Gatekeeper {
    Gatekeeper {
        document: of.document.clone(),
        policy: arguments.policy.clone(),
        history: arguments.history.clone(),
        mode: of.mode,
        actor: arguments.actor.clone(),
        run_id: head.run_id.clone(),
        begun: Begun {
            experiment_digest: head.digest.clone(),
            policy_digest: head.policy_digest.clone(),
        },
    }
}

fn audit_log(
    arguments: &RunArguments,
    of: &Prepared,
    directory: &Path,
    head: &Head,
    at: Timestamp,
) -> Result<RunAudit, AppError> {
    let signer = Signer {
        actor: arguments.actor.clone(),
        run_id: head.run_id.clone(),
        digest: head.digest.clone(),
        policy_digest: of.policy.as_ref().map(|policy| policy.digest.clone()),
        ticket: of.experiment.ticket.clone(),
    };
    let path = arguments.audit.clone().unwrap_or_else(|| directory.join("audit.jsonl"));
    RunAudit::open(&path, at, signer)
}

/// Opens the journal, and takes up what is in it.
fn open(of: &Prepared, directory: &Path, head: Head) -> Result<Opened, AppError> {
    let path = directory.join("journal.jsonl");
    let opened = JournalFile::open::<Line>(&path)?;
    let mut journal = opened.journal;
    let mut lines = opened.lines.into_iter();
    let head = match lines.next() {
        None => {
            journal.append(&Line::Head(Box::new(head.clone())))?;
            head
        }
        Some(Line::Head(found)) => checked(*found, &head, &path)?,
        Some(Line::Happened(_)) => {
            return Err(AppError::Usage(format!("{} does not begin as a journal", path.display())));
        }
    };
    let mut keeper = RecordKeeper::new(
        directory.join("run.json"),
        RunStart {
            run_id: &head.run_id,
            experiment: &of.experiment.name,
            digest: &head.digest,
            at: head.started_at,
        },
    );
    let mut course = head.course(&of.experiment);
    let mut resumed = false;
    for line in lines {
        let Line::Happened(Happened { at, happened }) = line else { continue };
        resumed = true;
        for command in course.take(&happened, at).commands {
            match command {
                Command::Record(iteration) => keeper.put(*iteration),
                Command::Note(note) => keeper.note(at, &note),
                Command::Finish(_)
                | Command::AskGate { .. }
                | Command::Inject { .. }
                | Command::Withdraw
                | Command::FindOutcome { .. } => {}
            }
        }
    }
    keeper.end(None);
    Ok(Opened { head, journal, course, keeper, resumed })
}

/// The head of a journal, if this run may go on with it.
fn checked(found: Head, own: &Head, path: &Path) -> Result<Head, AppError> {
    let shown = path.display();
    if found.schema != SCHEMA {
        return Err(AppError::Usage(format!(
            "{shown}: schema is '{}'; accepted is '{SCHEMA}'",
            found.schema
        )));
    }
    if found.digest != own.digest {
        return Err(AppError::Refused(format!(
            "the experiment changed since the run began ({} then, {} now): what is claimed must not change on the way; put it back, or begin another run",
            found.digest, own.digest
        )));
    }
    if found.mode != own.mode {
        return Err(AppError::Refused(
            "the run was begun in the other mode; go on with it as it was begun: live runs with --live, dry runs without".to_owned(),
        ));
    }
    Ok(found)
}

fn drive(
    arguments: &RunArguments,
    of: &Prepared,
    campaign: Opened,
    office: Office,
    onlooker: &mut dyn Onlooker,
) -> Result<Finished, AppError> {
    let Opened { head, journal, course, keeper, resumed } = campaign;
    let Office { gatekeeper, audit, clock, directory } = office;
    let (now, mode) = (clock.now(), head.mode.word());
    let count = |arm: Arm| {
        let slots = Schedule::draw(
            head.seed,
            &head.run_id,
            of.experiment.iterations,
            of.experiment.windows.jitter,
        );
        u32::try_from(slots.slots().iter().filter(|slot| slot.arm == arm).count())
            .unwrap_or(u32::MAX)
    };
    onlooker.tell(&Tidings::Began {
        at: now,
        run_id: head.run_id.clone(),
        directory: directory.display().to_string(),
        mode,
        faults: count(Arm::Fault),
        controls: count(Arm::Control),
        resumed,
    });
    let step = step(&of.experiment);
    let eye = eyesight(of, &directory, &head)?;
    let drive = Drive {
        rules: Rules::new(&of.experiment, eye.sight, step),
        watcher: Watcher::start(of.experiment.clone(), eye.telemetry, step),
        injector: Injector {
            program: of.injector.clone(),
            journal: Some(directory.join("injections.jsonl")),
            secret_variables: secret_variables(&of.experiment),
        },
        fault: of.fault.clone(),
        collector: eye.collector.clone(),
        experiment: of.experiment.clone(),
        mode: of.mode,
        clock,
        course,
        journal,
        keeper,
        gatekeeper,
        audit,
        marks: arguments.policy.as_deref().map(|policy| FaultMarks::of(policy, &head.run_id)),
        every: step.max(Span::from_milliseconds(250)),
        stop: Arc::clone(&arguments.stop),
        onlooker: &mut *onlooker,
        state: DriveState::default(),
    };
    let record_path = directory.join("run.json");
    let server = matches!(drive.experiment.source, Source::Prometheus(_));
    let ending = drive.run(arguments.budget);
    let kept = eye.collector.map_or(Ok(()), end_collecting);
    let ending = ending?;
    kept?;
    if server && record_path.exists() {
        let pulled = pull(&of.document, &record_path, &directory);
        match (pulled, of.mode) {
            (Ok(()), _) => {}
            (Err(error), Mode::Live) => return Err(error),
            // A dry run has said whom it would hit; what it would have measured is no loss.
            (Err(error), Mode::DryRun) => onlooker.tell(&Tidings::Noted {
                at: clock.now(),
                iteration: None,
                kind: "not_fetched".to_owned(),
                message: error.to_string(),
            }),
        }
    }
    let record = record_path.exists().then(|| crate::app::document::read_run(&record_path));
    let record = record.transpose()?;
    Ok(Finished { message: sentence(&ending), ending, directory, record })
}

/// Fetches the windows of the run from the server, into the recording.
fn pull(document: &Path, run: &Path, directory: &Path) -> Result<(), AppError> {
    let arguments = pull::PullArguments {
        experiment: document.to_owned(),
        run: run.to_owned(),
        output: directory.to_owned(),
    };
    let fetching = pull::Fetching { limits: Limits::default(), progress: &|_| {} };
    pull::run(&arguments, &fetching).map(drop)
}

/// Has the collector keep what it holds. The watcher, which looked into it, has ended before.
fn end_collecting(collector: Arc<Collector>) -> Result<(), AppError> {
    match Arc::try_unwrap(collector) {
        Ok(collector) => {
            collector.stop().map(drop).map_err(|error| AppError::Source { why: error.to_string() })
        }
        // Somebody looks into it still: it ends, and keeps what it holds, when they let go.
        Err(_) => Ok(()),
    }
}

/// Refuses a campaign whose gates deny it already now: nobody should wait for a baseline in vain.
fn admit(
    gatekeeper: &Gatekeeper,
    audit: &mut RunAudit,
    now: Timestamp,
    onlooker: &mut dyn Onlooker,
) -> Result<(), AppError> {
    let judged = gatekeeper.decide(Moment::Start, now, &Known::default())?;
    let lines = judged.decision.lines();
    let denied: Vec<String> = judged
        .decision
        .denials()
        // A rest ends by itself, and soon: it is waited for.
        .filter(|finding| finding.gate != "cooldown")
        .map(|finding| format!("{}: {}", finding.gate, finding.sentence))
        .collect();
    let allowed = denied.is_empty();
    let message = denied.join("; ");
    let said = (!allowed).then_some(message.as_str());
    audit.note(now, "decision", None, if allowed { "allowed" } else { "denied" }, said)?;
    onlooker.tell(&Tidings::Decision { at: now, iteration: None, allowed, lines });
    if allowed || gatekeeper.mode == Mode::DryRun {
        return Ok(());
    }
    audit.note(now, "campaign_ended", None, "refused", None)?;
    Err(AppError::Refused(format!("the policy does not allow it:\n  {}", denied.join("\n  "))))
}

struct Eyesight {
    telemetry: Box<dyn Telemetry>,
    sight: Sight,
    collector: Option<Arc<Collector>>,
}

/// What the document's source lets be seen. The collector begins to record.
fn eyesight(of: &Prepared, directory: &Path, head: &Head) -> Result<Eyesight, AppError> {
    let experiment = &of.experiment;
    match &experiment.source {
        Source::Recording(_) => Ok(Eyesight {
            telemetry: Box::new(NoTelemetry),
            sight: Sight::Blindfolded,
            collector: None,
        }),
        Source::Scrape(scrape) => {
            let earlier = directory.join("samples").is_dir().then(|| Recording::open(directory));
            let mut settings = settings(of)?;
            settings.recent = experiment
                .windows
                .baseline
                .plus(experiment.windows.experiment)
                .plus(Span::from_milliseconds(head.patience_ms));
            let sink = CollectedSamples::open(directory)?;
            let started = Collector::start(settings, Box::new(sink))
                .map_err(|error| AppError::Source { why: error.to_string() })?;
            let collector = Arc::new(started);
            let telemetry = Box::new(ScrapeSight {
                collector: Arc::clone(&collector),
                recent: Recent::default(),
                every: scrape.every,
                // What cannot be read is not there: a crash may have left nothing.
                earlier: earlier.and_then(Result::ok),
            });
            Ok(Eyesight { telemetry, sight: Sight::Sees, collector: Some(collector) })
        }
        Source::Prometheus(server) => {
            let beside = of.document.parent().unwrap_or_else(|| Path::new(""));
            let opened = ServerSight::open(experiment, server, beside, step(experiment));
            match (opened, of.mode) {
                (Ok(sight), _) => {
                    Ok(Eyesight { telemetry: Box::new(sight), sight: Sight::Sees, collector: None })
                }
                // Whom a dry run would hit can be told without the server.
                (Err(_), Mode::DryRun) => Ok(Eyesight {
                    telemetry: Box::new(NoTelemetry),
                    sight: Sight::Blindfolded,
                    collector: None,
                }),
                (Err(error), Mode::Live) => Err(error),
            }
        }
    }
}

/// Whom the collector asks for what: what the experiment needs, and what the policy asks.
fn settings(of: &Prepared) -> Result<CollectorSettings, AppError> {
    let mut settings = collector_settings(&of.experiment)?;
    if let Keep::Needed { metrics, .. } = &mut settings.keep {
        let queries = situation::queries(&of.experiment, of.policy.as_ref());
        metrics.extend(
            queries
                .iter()
                .filter_map(|query| Selector::parse(query).ok())
                .map(|selector| selector.metric_name().to_owned()),
        );
    }
    Ok(settings)
}

/// The spacing of the source's samples.
fn step(experiment: &Experiment) -> Span {
    match &experiment.source {
        Source::Scrape(scrape) => scrape.every,
        Source::Prometheus(server) => server.step.unwrap_or(USUAL_STEP),
        Source::Recording(_) => Span::from_milliseconds(250),
    }
}

/// Environment variables that hold secrets of the source: nothing that the injector starts has to know them.
fn secret_variables(experiment: &Experiment) -> Vec<String> {
    match &experiment.source {
        Source::Prometheus(server) => {
            server.bearer_token_env.iter().chain(&server.basic_password_env).cloned().collect()
        }
        Source::Scrape(_) | Source::Recording(_) => Vec::new(),
    }
}

/// A time as part of a name: `20261123T080000250Z`.
fn compact(at: Timestamp) -> String {
    at.to_string().chars().filter(|character| !matches!(character, '-' | ':' | '.')).collect()
}

impl Finished {
    /// Fault iterations whose fault was refused or found nobody.
    pub fn refused(&self) -> usize {
        self.count(|outcome| matches!(outcome, Outcome::Refused | Outcome::NoTarget))
    }

    /// Fault iterations whose fault was tried in vain.
    pub fn failed(&self) -> usize {
        self.count(|outcome| outcome == Outcome::Failed)
    }

    fn count(&self, counted: impl Fn(Outcome) -> bool) -> usize {
        let faults = self.record.iter().flat_map(|record| &record.iterations);
        faults
            .filter_map(|iteration| iteration.fault.as_ref())
            .filter(|fault| counted(fault.outcome))
            .count()
    }
}
