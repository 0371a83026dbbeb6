//! A suggestion: what was seen, how sure that is, what to add to the runbook, how to verify it, whom to call.
//!
//! Plain data. Commands are chosen from a fixed set whose variable parts are inputs of the person who runs them: no text of
//! a result, a metric or a document ever becomes part of a command.

use serde::{Deserialize, Serialize};

use crate::runbook::confidence::Confidence;

/// A change to the runbook that the findings call for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Suggestion {
    /// The rule's code.
    pub rule: String,
    /// The heading of the step.
    pub title: String,
    /// What was seen, in a sentence.
    pub seen: String,
    /// Why it matters.
    pub why: String,
    /// The numbers it rests on.
    pub evidence: Vec<Evidence>,
    /// How sure it is.
    pub confidence: Confidence,
    /// Where in a runbook it belongs.
    pub place: Place,
    /// The step to add.
    pub step: Step,
    /// How to see that it worked.
    pub verification: Verification,
    /// Whom to call, and when.
    pub escalation: Escalation,
    /// Where to read on.
    pub references: Vec<String>,
}

/// A number that a suggestion rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// The metric; `recovery`, `detection` or `experiment` for what is none.
    pub metric: String,
    /// Iterations that show it; empty where it is said of all.
    pub iterations: Vec<u32>,
    /// In words, with the limits.
    pub text: String,
    /// The number.
    pub value: Option<f64>,
    /// Its one-sided lower limit.
    pub lower: Option<f64>,
    /// Its one-sided upper limit.
    pub upper: Option<f64>,
    /// What it was compared with.
    pub threshold: Option<f64>,
}

impl Evidence {
    /// Evidence in words alone.
    pub fn words(metric: &str, iterations: Vec<u32>, text: String) -> Self {
        Self {
            metric: metric.to_owned(),
            iterations,
            text,
            value: None,
            lower: None,
            upper: None,
            threshold: None,
        }
    }
}

/// Where in a runbook a step belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// Before anything is touched.
    Prepare,
    /// How it is noticed.
    Detect,
    /// Finding out what is wrong.
    Diagnose,
    /// Putting it right.
    Repair,
    /// Seeing that it is right.
    Verify,
}

/// Whether a step changes a system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// It only looks.
    Reads,
    /// It changes something: a person approves it first.
    Changes,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Whether it changes a system.
    pub effect: Effect,
    /// In words.
    pub text: String,
    /// The command, with inputs to fill in.
    pub command: Command,
}

/// How to see that a step worked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    /// In words.
    pub text: String,
    /// The command: a health probe or a synthetic transaction.
    pub command: Command,
}

/// Whom to call, and when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Escalation {
    /// Seconds after which an unverified step is handed on.
    pub after_s: f64,
    /// Whom.
    pub whom: String,
    /// In words.
    pub text: String,
}

/// Commands that steps may hold. All that varies comes in by environment variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Asks the metrics server for one number.
    AskMetric,
    /// Asks the service whether it is well.
    HealthProbe,
    /// Sends one test transaction through the way that customers take.
    SyntheticTransaction,
    /// Runs what the team has agreed on.
    Repair,
}

/// Something that a person fills in before a command runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Input {
    /// Name of the environment variable.
    pub name: &'static str,
    /// What it is.
    pub meaning: &'static str,
}

/// Address of the metrics server.
const METRICS_URL: Input =
    Input { name: "METRICS_URL", meaning: "address of the Prometheus-compatible server" };
/// What is asked of it.
const METRICS_QUERY: Input = Input {
    name: "METRICS_QUERY",
    meaning: "query whose answer is compared with the bound in the text",
};
/// Address of the health probe.
const HEALTH_URL: Input =
    Input { name: "HEALTH_URL", meaning: "address that answers 200 when the service is well" };
/// Address of the test transaction.
const TRANSACTION_URL: Input = Input {
    name: "TRANSACTION_URL",
    meaning: "address that carries out one harmless test transaction",
};
/// The agreed command.
const REPAIR_COMMAND: Input =
    Input { name: "REPAIR_COMMAND", meaning: "the command that the team agreed on for this step" };

impl Command {
    /// Every command.
    pub const ALL: [Self; 4] =
        [Self::AskMetric, Self::HealthProbe, Self::SyntheticTransaction, Self::Repair];

    /// The command for a POSIX shell.
    pub const fn shell(self) -> &'static str {
        match self {
            Self::AskMetric => {
                "curl --fail --silent --show-error --max-time 10 --get \\\n  --data-urlencode \"query=$METRICS_QUERY\" \"$METRICS_URL/api/v1/query\""
            }
            Self::HealthProbe => {
                "curl --fail --silent --show-error --max-time 5 --output /dev/null \"$HEALTH_URL\""
            }
            Self::SyntheticTransaction => {
                "curl --fail --silent --show-error --max-time 10 --output /dev/null \\\n  --write-out '%{http_code} after %{time_total} s\\n' \"$TRANSACTION_URL\""
            }
            Self::Repair => "sh -c \"$REPAIR_COMMAND\"",
        }
    }

    /// What a person fills in.
    pub const fn inputs(self) -> &'static [Input] {
        match self {
            Self::AskMetric => &[METRICS_URL, METRICS_QUERY],
            Self::HealthProbe => &[HEALTH_URL],
            Self::SyntheticTransaction => &[TRANSACTION_URL],
            Self::Repair => &[REPAIR_COMMAND],
        }
    }
}

/// The inputs of all commands of some suggestions, each once, in a fixed order.
pub fn inputs(suggestions: &[Suggestion]) -> Vec<Input> {
    let used: Vec<Command> = suggestions
        .iter()
        .flat_map(|suggestion| [suggestion.step.command, suggestion.verification.command])
        .collect();
    Command::ALL
        .into_iter()
        .filter(|command| used.contains(command))
        .flat_map(|command| command.inputs().iter().copied())
        .collect()
}
