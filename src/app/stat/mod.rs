//! `unfazed stat`: the kernels as a service of JSON lines.
//!
//! A request line `{"id": …, "method": …, "inputs": {…}, "args": {…}}` gets the answer line
//! `{"id": …, "result": {…}}` or `{"id": …, "error": {"code": …, "message": …}}`, in the order of the
//! requests. A bad line gets an error line and the rest goes on. Memory stays constant however many
//! lines there are, and the lines at hand are spread over all cores.
//!
//! To add a family of methods: write one file named after its noun with one
//! `fn name(request: &Request) -> Result<Answer, Failure>` per method and a
//! `pub(super) const METHODS: &[Method]` that names them; then add the file here and its `METHODS` to
//! `FAMILIES` in `registry.rs`. A test there refuses a name that is registered twice.
//! A method reads its typed inputs and arguments with [`Request::read`], calls kernels of
//! [`crate::stats`], and returns [`Answer::of`] anything serializable whose field names are those of
//! `expected` in `tests/oracle/*.json`.

mod answer;
mod argument;
mod bootstrap;
mod changepoint;
mod clustered_ratio;
mod effect_size;
mod failure;
mod lines;
mod multiplicity;
mod number;
mod permutation;
mod power;
mod prom_counter;
mod prom_histogram;
mod proportion;
mod quantile;
mod rank;
mod registry;
mod request;
mod sequential;
mod student_t;
mod survival;
mod trend;
mod two_proportions;
mod univariate;

pub use answer::Answer;
pub use failure::Failure;
pub use lines::{answer_line, answer_lines};
pub use registry::Method;
pub use request::{Call, Request};
