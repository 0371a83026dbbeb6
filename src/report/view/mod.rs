//! View models: what the page says, section by section, before any markup.
//!
//! One file per section. A view holds words and [`crate::report::number::Figure`]s and computes nothing: whatever is
//! shown stands in the result. Views serialise, so that what a template receives can be saved and compared.

mod census;
mod claim;
mod headline;
mod method;
mod page;
mod paired;
mod postmortem;
mod recovery;
mod timeline;
mod words;

pub use census::{CensusView, NotJudged};
pub use claim::{ClaimView, DecisionView, EstimateRow, GateRow, GoodSide, Scale, SensitivityRow};
pub use headline::{Fact, Glance, HeadlineView};
pub use method::{EventRow, MethodRow, MethodView, SessionRow};
pub use page::Page;
pub use paired::{PairedRow, PairedView, Side};
pub use postmortem::{ChangeView, CourseView, EventLink, ImpactRow, Moment, PostmortemView};
pub use recovery::{CurveStep, CurveView, Reading, RecoveryRow, RecoveryView, TimeRow};
pub use timeline::{Lane, Point, TimelineView};
pub(crate) use words::spaced;
pub use words::{Mark, Note};
