//! The methods that `unfazed stat` answers.

use crate::app::stat::{
    Answer, Failure, Request, bootstrap, changepoint, clustered_ratio, effect_size, multiplicity,
    permutation, power, prom_counter, prom_histogram, proportion, quantile, rank, sequential,
    student_t, survival, trend, two_proportions, univariate,
};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// A method: its name and the function that answers it.
#[derive(Debug, Clone, Copy)]
pub struct Method {
    /// The name in requests.
    pub name: &'static str,
    /// Reads the inputs and arguments, and answers.
    pub answer: fn(&Request<'_>) -> Result<Answer, Failure>,
}

/// Every family, in alphabetical order of its file.
const FAMILIES: &[&[Method]] = &[
    bootstrap::METHODS,
    changepoint::METHODS,
    clustered_ratio::METHODS,
    effect_size::METHODS,
    multiplicity::METHODS,
    permutation::METHODS,
    power::METHODS,
    prom_counter::METHODS,
    prom_histogram::METHODS,
    proportion::METHODS,
    quantile::METHODS,
    rank::METHODS,
    sequential::METHODS,
    student_t::METHODS,
    survival::METHODS,
    trend::METHODS,
    two_proportions::METHODS,
    univariate::METHODS,
];

static BY_NAME: LazyLock<BTreeMap<&'static str, Method>> = LazyLock::new(|| {
    FAMILIES.iter().flat_map(|family| family.iter()).map(|method| (method.name, *method)).collect()
});

/// Answers a request, or says that no method has that name.
pub(super) fn answer(request: &Request<'_>) -> Result<Answer, Failure> {
    match BY_NAME.get(request.method()) {
        Some(method) => (method.answer)(request),
        None => Err(unknown(request.method())),
    }
}

fn unknown(name: &str) -> Failure {
    let known: Vec<&str> = BY_NAME.keys().copied().collect();
    Failure::new(
        "unknown_method",
        format!("no method is called {name:?}; known are {}", known.join(", ")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_method_is_registered_twice() {
        let total: usize = FAMILIES.iter().map(|family| family.len()).sum();
        assert_eq!(BY_NAME.len(), total);
    }
}
