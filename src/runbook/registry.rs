//! The rules that there are, each once, in the order in which a reader meets them.

use crate::runbook::case::Case;
use crate::runbook::confidence::Grade;
use crate::runbook::rule;
use crate::runbook::suggestion::Suggestion;

/// A rule: its code, and what it looks for.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Stable code, which is also the name of its file.
    pub code: &'static str,
    /// Looks at a case; quiet without evidence.
    pub look: fn(&Case<'_>) -> Option<Suggestion>,
}

/// Every rule.
pub const RULES: [Rule; 14] = [
    rule::slow_restart::RULE,
    rule::little_redundancy::RULE,
    rule::slow_recovery::RULE,
    rule::slow_drain::RULE,
    rule::manual_recovery::RULE,
    rule::failover_errors::RULE,
    rule::retry_storm::RULE,
    rule::lost_work::RULE,
    rule::missing_detection::RULE,
    rule::late_detection::RULE,
    rule::alert_without_runbook::RULE,
    rule::saturated_node::RULE,
    rule::unsteady_baseline::RULE,
    rule::missing_telemetry::RULE,
];

/// The suggestions for a case: the surest first, rules of one grade in the order of [`RULES`]. What was counted ranks with
/// what a limit shows.
pub fn suggest(case: &Case<'_>) -> Vec<Suggestion> {
    let mut suggestions: Vec<Suggestion> =
        RULES.iter().filter_map(|rule| (rule.look)(case)).collect();
    // A stable sort keeps the order of the rules within a grade.
    suggestions.sort_by_key(|suggestion| match suggestion.confidence.grade {
        Grade::Fact | Grade::High => 0_u8,
        Grade::Medium => 1,
        Grade::Low => 2,
    });
    suggestions
}
