//! What a campaign can decide, before it is run.
//!
//! From the claims alone or with a pilot: how many kills each claim needs and all of them together, what the planned
//! number can detect, what clean kills can prove, and how long it takes. Refuses to know files; nothing here is
//! evidence, and no verdict reads it.

mod compose;
mod curve;
mod estimate;
pub mod outlook;

pub use compose::{Pilot, plan};
pub use outlook::CampaignPlan;
