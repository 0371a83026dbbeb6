//! The answer to one request, already written as JSON.

use crate::app::stat::Failure;
use serde::Serialize;

/// The JSON text of a result object.
///
/// ```
/// use unfazed::app::stat::Answer;
/// let answer = Answer::of(&serde_json::json!({"p_value": 0.5})).unwrap();
/// assert_eq!(answer.as_json(), r#"{"p_value":0.5}"#);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer(String);

impl Answer {
    /// Writes the result. A number that is NaN or infinite becomes null; use `Number`, `LowerLimit` or
    /// `UpperLimit` of `number.rs` where it has a meaning.
    pub fn of(result: &impl Serialize) -> Result<Self, Failure> {
        match serde_json::to_string(result) {
            Ok(json) => Ok(Self(json)),
            Err(error) => {
                Err(Failure::new("internal", format!("the result could not be written: {error}")))
            }
        }
    }

    /// The JSON text.
    pub fn as_json(&self) -> &str {
        &self.0
    }
}
