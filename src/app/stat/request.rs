//! One request line.
//!
//! A line is read in two steps, neither of which builds a tree of values: first its `id` and `method`,
//! skipping the rest; then, once the method is known, its `inputs` and `args` straight into their types.

use crate::app::stat::Failure;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::borrow::Cow;

/// A request whose method is known and whose inputs are still text.
#[derive(Debug, Clone)]
pub struct Request<'line> {
    id: Value,
    method: Cow<'line, str>,
    line: &'line [u8],
}

/// The typed inputs and arguments of a request.
#[derive(Debug, Deserialize)]
#[serde(bound = "I: DeserializeOwned, A: DeserializeOwned + Default")]
pub struct Call<I, A> {
    /// The data.
    pub inputs: I,
    /// The arguments; absent and null arguments take the defaults.
    #[serde(default, deserialize_with = "or_default")]
    pub args: A,
}

fn or_default<'de, D: serde::Deserializer<'de>, A: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<A, D::Error> {
    Ok(Option::<A>::deserialize(deserializer)?.unwrap_or_default())
}

#[derive(Deserialize)]
struct Head<'line> {
    #[serde(default)]
    id: Value,
    #[serde(borrow)]
    method: Cow<'line, str>,
}

#[derive(Deserialize)]
struct IdOnly {
    #[serde(default)]
    id: Value,
}

impl<'line> Request<'line> {
    /// Reads the id and the method of a line. On failure the id is given as far as it can be read.
    pub fn parse(line: &'line [u8]) -> Result<Self, (Value, Failure)> {
        match serde_json::from_slice::<Head<'line>>(line) {
            Ok(Head { id, method }) => Ok(Self { id, method, line }),
            Err(error) => {
                let id = serde_json::from_slice::<IdOnly>(line).map_or(Value::Null, |only| only.id);
                Err((id, Failure::bad_request(format!("the line is not a request: {error}"))))
            }
        }
    }

    /// The id, to be given back as it came.
    pub fn id(&self) -> &Value {
        &self.id
    }

    /// The name of the method.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// Reads the inputs and arguments into their types. Unknown fields are ignored, because the
    /// reference vectors carry explanations beside the arguments.
    pub fn read<I, A>(&self) -> Result<Call<I, A>, Failure>
    where
        I: DeserializeOwned,
        A: DeserializeOwned + Default,
    {
        serde_json::from_slice(self.line).map_err(|error| {
            Failure::bad_request(format!("inputs or args of {}: {error}", self.method))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, Deserialize)]
    struct Level {
        conf_level: Option<f64>,
    }

    #[derive(Debug, Deserialize)]
    struct Counts {
        x: u64,
    }

    #[test]
    fn the_id_survives_a_missing_method() {
        let (id, failure) = Request::parse(br#"{"id": 7, "inputs": {}}"#).unwrap_err();
        assert_eq!(id, Value::from(7));
        assert_eq!(failure.code(), "bad_request");
    }

    #[test]
    fn absent_and_null_arguments_are_defaults() {
        for line in
            [r#"{"method":"m","inputs":{"x":3}}"#, r#"{"method":"m","args":null,"inputs":{"x":3}}"#]
        {
            let request = Request::parse(line.as_bytes()).unwrap();
            let call: Call<Counts, Level> = request.read().unwrap();
            assert_eq!((call.inputs.x, call.args.conf_level), (3, None));
        }
    }
}
