//! What Stirling's formula leaves over.
//!
//! Owns the small rest of ln Γ, with which differences of large log-gammas keep their digits.

/// ln Γ(x) − ((x − ½)·ln x − x + ½·ln 2π) for x ≥ 10, by Stirling's series; error below 1e-16.
pub(in crate::stats) fn stirling_rest(x: f64) -> f64 {
    let square = 1.0 / (x * x);
    let series = [-1.0 / 1680.0, 1.0 / 1260.0, -1.0 / 360.0, 1.0 / 12.0];
    let tail = 1.0 / 1188.0 - square * (691.0 / 360_360.0 - square / 156.0);
    series.iter().fold(tail, |sum, term| term + square * sum) / x
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factorials_come_out() {
        // ln 19! from the sum of logarithms.
        let slow: f64 = (2..=19).map(|i| f64::from(i).ln()).sum();
        let x = 20.0_f64;
        let found =
            (x - 0.5) * x.ln() - x + 0.5 * (2.0 * std::f64::consts::PI).ln() + stirling_rest(x);
        assert!((found - slow).abs() < 1e-14 * slow);
    }
}
