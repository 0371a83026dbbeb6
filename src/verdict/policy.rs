//! Every threshold of the verdict, each with its reason.
//!
//! A number that decides stands here and nowhere else. Levels derive from the experiment's own confidence; what is
//! fixed here is fixed because a simulation, a paper or the design of the result says so.

/// Clusters (iterations) below which the upper limit of a clustered ratio cannot pass a claim. With four degrees of
/// freedom and fewer, the variance between iterations is itself too uncertain (Korn & Graubard 1998, section 4).
pub const CLUSTERS_TO_PASS: usize = 5;

/// Clusters below which a clustered ratio cannot fail a claim: with one, no variance between iterations exists. The
/// lower limit is safe from two on (wrong at most 2.4 % of the time at 2 to 5 clusters, by simulation).
pub const CLUSTERS_TO_FAIL: usize = 2;

/// The part of alpha at which the passing side of a clustered ratio is taken. At alpha itself the limit passes 6 to
/// 10 % of claims wrongly when rates between iterations are skewed; at half of it, at most 4 % (gamma, coefficient
/// of variation 0.7) and 9 % (lognormal, 1.0).
pub const CLUSTERED_PASS_ALPHA_SHARE: f64 = 0.5;

/// Coefficient of variation between iterations above which a clustered limit close to its bound is not trusted: the
/// coverage of the 95 % limit falls to 84 % at 2.
pub const DISPERSION_CV: f64 = 0.7;

/// Part of the bound that the upper limit must exceed before dispersion blocks a pass. A limit below half of the
/// bound has a factor of two to spare, more than the under-coverage costs.
pub const DISPERSION_BOUND_SHARE: f64 = 0.5;

/// Errors in all below which "one iteration holds most of them" is small talk rather than a burst.
pub const BURST_ERRORS: f64 = 10.0;

/// Share of all errors in one iteration that makes it a burst.
pub const BURST_SHARE: f64 = 0.5;

/// Level at which baselines drift. Far below the level of claims, because a false alarm here blocks a right verdict.
pub const BASELINE_LEVEL: f64 = 0.001;

/// Level of the warning that iterations depend on each other. A warning changes no verdict, so that it may cry wolf
/// once in a hundred campaigns.
pub const DEPENDENCE_LEVEL: f64 = 0.01;

/// Iterations below which no trend over iterations is looked for: the smallest attainable two-sided p of Kendall's
/// statistic is 2/n!, above 0.01 below six.
pub const DEPENDENCE_ITERATIONS: usize = 6;

/// Counted events in every window from which the logarithm of a ratio is close to normal (relative standard error
/// of a count of 30 is 18 %).
pub const RATIO_EVENTS_FOR_LOGS: f64 = 30.0;

/// Part of the margin beyond which a moved control arm blocks a claim against the baseline. Half: the other half is
/// left for the fault.
pub const CONTROL_MARGIN_SHARE: f64 = 0.5;

/// Randomised control iterations from which difference in differences may decide.
pub const CONTROLS_TO_DECIDE: usize = 10;

/// Random permutations of difference in differences when there are too many to enumerate: the standard error of a
/// p-value of 0.05 is then 0.002.
pub const PERMUTATIONS: usize = 9_999;

/// Sessions from which iterations are clustered by session. With fewer, the variance between sessions cannot be
/// estimated (see [`CLUSTERS_TO_PASS`]).
pub const SESSIONS_TO_CLUSTER: usize = 5;

/// Iterations beyond which no number of them is suggested: "will not resolve; change the bound or the metric".
pub const ITERATIONS_WORTH_SUGGESTING: u32 = 1000;

/// Resamples of the block bootstrap within a single kill's windows: the standard error of a 95 % limit is then a fifteenth
/// of the bootstrap's own standard error, finer than anybody reads a description.
pub const WITHIN_WINDOW_RESAMPLES: usize = 2_000;

/// Relative distance within which two numbers count as equal. Sums of a million doubles differ by less.
pub const EQUALITY: f64 = 1e-12;

/// Iterations up to which the exact sign-flip test stands beside the signed-rank limit by default.
pub const SIGN_FLIP_ITERATIONS: usize = 20;

/// Distance from the median, in normal-consistent median absolute deviations, beyond which an iteration is called an
/// outlier. Five: once in two million normal iterations.
pub const OUTLIER_DEVIATIONS: f64 = 5.0;

/// Iterations below which no outlier is looked for: with fewer, the median absolute deviation is hardly a scale.
pub const OUTLIER_ITERATIONS: usize = 6;

/// Fall of the request rate that counts as "traffic falls" when latency improves.
pub const SURVIVORSHIP_TRAFFIC: f64 = 0.9;

/// Shares that a clean series of kills may go on to prove, for "n more clean kills would prove y %".
pub const SHARES_WORTH_PROVING: [f64; 6] = [0.5, 0.8, 0.9, 0.95, 0.99, 0.999];

/// Scale of the median absolute deviation to a normal standard deviation: 1/Φ⁻¹(3/4).
pub const MAD_TO_SIGMA: f64 = 1.482_602_218_505_602;

/// Points of a baseline below which no onset is looked for: with fewer, its standard deviation is hardly known.
pub const ONSET_POINTS: usize = 8;

/// Allowance of the chart that finds an onset, in standard deviations of the baseline. One: the chart answers to a shift
/// of two and more, and rides over the slow wander that scrapes within a window have.
pub const ONSET_ALLOWANCE: f64 = 1.0;

/// Decision interval of that chart, in standard deviations of the baseline. With an allowance of one the two-sided chart
/// signals once in 56,000 points without a change (Siegmund 1985), once in 190 windows of 300 points.
pub const ONSET_DECISION: f64 = 5.0;

/// Part of an absolute bound by which a campaign may be worse than the one before and still count as not worse. The
/// bound is the most that is acceptable; whoever uses up a tenth of it in one change has nine such changes left.
pub const COMPARED_BOUND_SHARE: f64 = 0.1;

/// Share of cut-off times in a campaign above which two campaigns are compared by restricted means: taking every
/// cut-off time at its worst then says too little.
pub const CUT_OFF_SHARE: f64 = 0.25;

/// Recoveries seen in a campaign from which the normal limits of a restricted mean are trusted.
pub const EVENTS_FOR_RESTRICTED_MEAN: usize = 10;

/// Events in both campaigns together below which the log-rank test is done by permutation.
pub const EVENTS_FOR_LOG_RANK: usize = 10;

/// Level of the warning that baselines differ between two campaigns. A warning changes no answer.
pub const BASELINES_DIFFER_LEVEL: f64 = 0.01;
