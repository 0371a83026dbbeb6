//! The command line's grammar.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::cli::history::PrintFormat;

use crate::cli::record::RecordArguments;
use crate::report::EventLink;

/// Judge process-kill experiments: pass, fail or inconclusive, right at the stated level.
#[derive(Debug, Parser)]
#[command(name = "unfazed", version, propagate_version = true, disable_help_subcommand = true)]
#[command(
    after_help = "Exit codes: 0 done or pass · 1 fail · 2 usage or invalid document · 3 inconclusive · \
    4 a file or source could not be read or written · 5 refused · 70 a bug of ours\n\n\
    Example: unfazed analyze datasets/payment-worker-kill -o out"
)]
pub(crate) struct Arguments {
    /// Say nothing on standard error but what went wrong; results still go to standard output.
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// When to use colour.
    #[arg(long, global = true, value_enum, default_value_t = ColorChoice::Auto, value_name = "WHEN")]
    pub(crate) color: ColorChoice,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Judge one or more recordings of one experiment: result.json, report.html, a summary here.
    Analyze(AnalyzeArguments),
    /// Say what a campaign can decide before it is run: kills needed, chances, duration.
    Plan(PlanArguments),
    /// Fetch the windows of a run from a Prometheus server into a recording.
    Pull(crate::cli::pull::PullArguments),
    /// Carry out an experiment through unfazed-inject, and record it. Nothing is killed without --live.
    Run(Box<crate::cli::run::RunArguments>),
    /// Render a report again from result.json alone.
    Report(ReportArguments),
    /// Make a run record from what another chaos tool left behind.
    Import(ImportArguments),
    /// Write a starter kit, or with --from an experiment that fits a run of another tool.
    Init(InitArguments),
    /// Compare two campaigns of one experiment: better, not worse, worse, or cannot tell.
    Compare(crate::cli::compare::CompareArguments),
    /// Lint experiments and policies, all problems at once; with --policy say what would be allowed, and why not.
    Check(crate::cli::check::Arguments),
    /// Record who approved which version of an experiment, and until when.
    Approve(crate::cli::approve::Arguments),
    /// The audit log: verify that nothing was changed, cut out or moved.
    #[command(
        subcommand,
        after_help = "Example: unfazed audit verify audit.jsonl --anchor run.json"
    )]
    Audit(crate::cli::audit::AuditCommand),
    /// Report on a week: what ran, what failed anew or again, what to run next.
    Weekly(crate::cli::weekly::WeeklyArguments),
    /// What the history remembers: list runs, show one, verify that nothing was changed.
    #[command(subcommand, after_help = "Example: unfazed history list --history history")]
    History(crate::cli::history::HistoryCommand),
    /// Suggest changes to the runbook: as text, as a patch, as automation.
    Runbook(crate::cli::runbook::RunbookArguments),
    /// Record what an experiment needs from /metrics endpoints, without any server.
    Record(RecordArguments),
    /// Print the JSON Schema of experiment documents, or of policies.
    #[command(
        after_help = "Examples:\n  unfazed schema > experiment.schema.json\n  unfazed schema policy > policy.schema.json"
    )]
    Schema {
        /// The kind of document.
        #[arg(value_enum, default_value_t = SchemaKind::Experiment)]
        kind: SchemaKind,
    },
    /// Call statistics kernels: JSON lines in, JSON lines out.
    #[command(
        after_help = "Example: echo '{\"id\":1,\"method\":\"clopper_pearson\",\"inputs\":{\"x\":14,\"n\":14},\
        \"args\":{\"conf_level\":0.9}}' | unfazed stat"
    )]
    Stat,
    /// Print completions for a shell.
    #[command(after_help = "Example: unfazed completions bash > /etc/bash_completion.d/unfazed")]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// Arguments of `analyze`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  unfazed analyze datasets/payment-worker-kill -o out\n  \
    unfazed analyze monday tuesday wednesday -o week\n  \
    unfazed analyze experiment.yaml --run run.json\n  \
    find recordings -mindepth 1 -maxdepth 1 | unfazed analyze --batch - > results.jsonl")]
pub(crate) struct AnalyzeArguments {
    /// Recording directories of one experiment (together one campaign), or one experiment document.
    #[arg(value_name = "RECORDING", required_unless_present = "batch", conflicts_with = "batch")]
    pub(crate) recordings: Vec<PathBuf>,
    /// Run record of an experiment document; default: run.json beside it.
    #[arg(long, value_name = "FILE", conflicts_with = "batch")]
    pub(crate) run: Option<PathBuf>,
    /// Structured log (JSON lines) whose lines join the timeline. May be repeated.
    #[arg(long, value_name = "FILE", conflicts_with = "batch")]
    pub(crate) events: Vec<PathBuf>,
    /// Directory to write to; default: unfazed-out/<name>.
    #[arg(long, short, value_name = "DIR", conflicts_with = "batch")]
    pub(crate) output: Option<PathBuf>,
    /// Also write JUnit XML.
    #[arg(long, value_name = "FILE", conflicts_with = "batch")]
    pub(crate) junit: Option<PathBuf>,
    /// Also write a Markdown summary, e.g. for a pull request.
    #[arg(long, value_name = "FILE", conflicts_with = "batch")]
    pub(crate) markdown: Option<PathBuf>,
    /// Also write a badge as SVG.
    #[arg(long, value_name = "FILE", conflicts_with = "batch")]
    pub(crate) badge: Option<PathBuf>,
    /// The runbook that runbook.patch changes; default: the one that the document names.
    #[arg(long, value_name = "FILE", conflicts_with = "batch")]
    pub(crate) runbook: Option<PathBuf>,
    /// Address of an event's traces and logs, with `{correlation_id}` where its id belongs: links in report and postmortem.
    #[arg(long, value_name = "URL", conflicts_with = "batch", value_parser = EventLink::parse)]
    pub(crate) event_url: Option<EventLink>,
    /// Directory of templates that replace the built-in ones.
    #[arg(long, value_name = "DIR", conflicts_with = "batch")]
    pub(crate) templates: Option<PathBuf>,
    /// Remember the run in this history; it is made if it is not there.
    #[arg(long, value_name = "DIR", conflicts_with = "batch")]
    pub(crate) history: Option<PathBuf>,
    /// Seed of every random draw.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = seed, allow_hyphen_values = true)]
    pub(crate) seed: u64,
    /// Analyse the recordings that FILE (or - for standard input) lists, one path a line; one result a line out.
    #[arg(long, value_name = "FILE")]
    pub(crate) batch: Option<PathBuf>,
    /// Threads to use; default: all cores. The result never depends on it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,
    /// Exit with 0 whatever the verdict.
    #[arg(long)]
    pub(crate) exit_zero: bool,
    #[command(flatten)]
    pub(crate) fetching: crate::cli::pull::FetchArguments,
}

/// Reads a seed.
fn seed(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("accepted is a whole number from 0 to {}", u64::MAX))
}

/// Arguments of `plan`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  unfazed plan experiment.yaml\n  \
    unfazed plan experiment.yaml --recording datasets/payment-worker-three-kills")]
pub(crate) struct PlanArguments {
    /// The experiment document, or a directory that holds an experiment.yaml.
    pub(crate) experiment: PathBuf,
    /// A pilot: a recording directory from which spread and rates are taken.
    #[arg(long, value_name = "DIR")]
    pub(crate) recording: Option<PathBuf>,
    /// Print JSON; short for --format json.
    #[arg(long)]
    pub(crate) json: bool,
    /// How to print.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = PrintFormat::Text)]
    pub(crate) format: PrintFormat,
}

/// Arguments of `report`.
#[derive(Debug, Args)]
#[command(after_help = "Example: unfazed report out/result.json -o report.html")]
pub(crate) struct ReportArguments {
    /// A result.json that `analyze` wrote.
    pub(crate) result: PathBuf,
    /// File to write; default: report.html beside the result.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Also write a badge as SVG.
    #[arg(long, value_name = "FILE")]
    pub(crate) badge: Option<PathBuf>,
    /// Address of an event's traces and logs, with `{correlation_id}` where its id belongs.
    #[arg(long, value_name = "URL", value_parser = EventLink::parse)]
    pub(crate) event_url: Option<EventLink>,
    /// Directory of templates that replace the built-in ones.
    #[arg(long, value_name = "DIR")]
    pub(crate) templates: Option<PathBuf>,
}

/// Which document a schema is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaKind {
    /// What an experiment claims.
    Experiment,
    /// What may be killed, where and when.
    Policy,
}

/// Arguments of `import`.
#[derive(Debug, Args)]
#[command(after_help = "Formats, and what each reads:\n  \
    chaostoolkit  journal.json of `chaos run`\n  \
    litmus        ChaosResult (kubectl … -o json|yaml, or describe), with the Kubernetes events, the exporter's\n                \
    metrics or a ChaosCenter run for the times\n  \
    chaos-mesh    a chaos object with its status (kubectl … -o json|yaml), its events, or the dashboard's archive\n  \
    aws-fis       `aws fis get-experiment` as JSON\n  \
    krkn          telemetry.json, resiliency-report.json, or the log that holds one of them\n  \
    chaosblade    `blade status` as JSON\n  \
    events        any CSV, JSON lines or JSON list with a time and a name per fault\n\
    Formats that become samples of a recording (-o DIR):\n  \
    k6            --out json=FILE, --out csv=FILE, or a summary (for show only)\n  \
    jmeter        JTL as CSV or XML; transactions and redirects do not count twice\n  \
    locust        PREFIX_stats_history.csv\n  \
    hey, oha      their CSV\n  \
    vegeta        vegeta encode --to json|csv\n  \
    exposition    dumps of /metrics pages (also prometheus-text, openmetrics, exposition-lenient)\n  \
    query-range   saved answers of the Prometheus query API or VictoriaMetrics' export\n  \
    table         CSV or Parquet with --columns\n  \
    events-log    structured logs (JSON lines), onto the timeline\n  \
    exemplars     saved answer of /api/v1/query_exemplars, onto the timeline\n\n\
    Examples:\n  \
    unfazed import chaostoolkit journal.json -o rec/run.json\n  \
    unfazed import litmus result.json events.json -o rec/run.json\n  \
    unfazed import events kills.csv --zone Europe/Berlin --windows \"baseline=10m,experiment=5m\" -o rec/run.json")]
pub(crate) struct ImportArguments {
    /// Which tool wrote the files.
    pub(crate) format: String,
    /// Its files, or directories of them; together they become one record.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// File to write; default: standard output.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Lengths of the windows around every fault; default: "baseline=5m,experiment=5m", shortened where they overlap.
    #[arg(long, value_name = "WINDOWS")]
    pub(crate) windows: Option<String>,
    /// Zone of times that carry none, e.g. Europe/Berlin or +02:00; default: UTC, with a warning.
    #[arg(long, value_name = "ZONE", allow_hyphen_values = true)]
    pub(crate) zone: Option<String>,
    /// When a load began whose file holds offsets only, or when a dump without times was taken.
    #[arg(long, value_name = "TIME")]
    pub(crate) start: Option<String>,
    /// What the columns of a table are, e.g. time=ts,value=cpu+memory,labels=host.
    #[arg(long, value_name = "COLUMNS")]
    pub(crate) columns: Option<String>,
    /// Name of series that have none, as answers to expressions.
    #[arg(long, value_name = "NAME")]
    pub(crate) metric: Option<String>,
    /// Put samples beside those that the recording holds already.
    #[arg(long)]
    pub(crate) add: bool,
}

/// Arguments of `init`.
#[derive(Debug, Args)]
#[command(
    after_help = "Without --from, DIR gets experiment.yaml, policy.yaml, a runbook, Prometheus recording and alert \
    rules with their test, a Kubernetes sandbox and a CI workflow. What is there already is left alone.\n\n\
    Examples:\n  \
    unfazed init chaos && unfazed check chaos/experiment.yaml chaos/policy.yaml\n  \
    unfazed init --from rec/run.json rec\n  \
    unfazed init --from journal.json -o experiment.yaml"
)]
pub(crate) struct InitArguments {
    /// Directory to write to.
    #[arg(value_name = "DIR", default_value = ".")]
    pub(crate) directory: PathBuf,
    /// A run.json that `import` wrote, or a result of another chaos tool: drafts only an experiment that fits it. May
    /// be repeated.
    #[arg(long, value_name = "FILE")]
    pub(crate) from: Vec<PathBuf>,
    /// Which tool wrote the files; default: recognised.
    #[arg(long, value_name = "FORMAT", requires = "from")]
    pub(crate) format: Option<String>,
    /// File to write, instead of experiment.yaml in DIR.
    #[arg(long, short, value_name = "FILE", conflicts_with = "directory", requires = "from")]
    pub(crate) output: Option<PathBuf>,
}
