//! Every threshold of the rules, each with its reason.

/// Share of kills that a one-sided lower limit has to exceed for the highest confidence in something counted over kills:
/// it happens after more kills than not.
pub const MORE_KILLS_THAN_NOT: f64 = 0.5;

/// Kills in which something has to be seen before it is more than a single sighting.
pub const SEEN_TWICE: u32 = 2;

/// Part of the deadline that one stage of a recovery (notice, restart, drain) may take before it is named as the one to
/// work on. Half: the two other stages have to share what is left.
pub const STAGE_SHARE_OF_DEADLINE: f64 = 0.5;

/// Utilisation of a node before a kill above which the survivors have too little room for the load of the killed one.
/// 60 % is the customary precondition of kill experiments: with three nodes, two then run at 90 %.
pub const UTILISATION: f64 = 0.6;

/// Peak of a load counter after recovery, against the greatest baseline value, that counts as overshoot. 1.5: twice the
/// swing that a service with a coefficient of variation of a quarter shows in two of a hundred points.
pub const OVERSHOOT: f64 = 1.5;

/// Share of instances that has to survive a kill. With half or fewer the survivors carry twice their load.
pub const SURVIVORS: f64 = 0.5;

/// Points of a signal between kill and remediation from which a growing backlog can be told from a wobble: two in each
/// third.
pub const POINTS_WHILE_AWAY: usize = 6;

/// Seconds after which a step that is not verified is handed on, at least: time to work through a page once.
pub const ESCALATE_AFTER_S: f64 = 600.0;

/// Deadlines after which a step that is not verified is handed on, if that is later: what heals by itself has healed by
/// then.
pub const ESCALATE_AFTER_DEADLINES: f64 = 2.0;

/// Seconds before which a step by hand is not asked for: a person needs about a minute to see and to act; what has to be
/// sooner is work for a supervisor.
pub const BY_HAND_AFTER_S: f64 = 60.0;
