//! A query: in a recording, the series whose name is exactly the expression.
//!
//! The source has already evaluated it; what it answered is read like a gauge, several series summed.

use crate::frame::FrameSource;
use crate::spec::Reduce;
use crate::summary::error::SummaryError;
use crate::summary::gauge::GaugeMeter;
use crate::summary::load::Loader;
use crate::summary::worst::Slicing;

/// Sets up a query for one session.
pub(crate) fn meter<S: FrameSource>(
    loader: &mut Loader<'_, S>,
    expression: &str,
    reduce: Reduce,
    slicing: Slicing,
) -> Result<GaugeMeter, SummaryError> {
    let frame = loader.frame(expression)?;
    Ok(GaugeMeter::of_answer(&frame, expression, reduce, slicing))
}
