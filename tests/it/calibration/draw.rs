//! Samplers on top of the kernels' own streams.

use unfazed::stats::count_to_f64;
use unfazed::stats::random::Stream;

/// An exponential number of mean 1.
pub(crate) fn exponential(stream: &mut Stream) -> f64 {
    -stream.uniform_open().ln()
}

/// A gamma number of mean `shape` (Marsaglia & Tsang 2000).
pub(crate) fn gamma(shape: f64, stream: &mut Stream) -> f64 {
    if shape < 1.0 {
        let boost = stream.uniform_open().powf(1.0 / shape);
        return gamma(shape + 1.0, stream) * boost;
    }
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let z = stream.normal();
        let v = (1.0 + c * z).powi(3);
        if v > 0.0 && stream.uniform_open().ln() < 0.5 * z * z + d - d * v + d * v.ln() {
            return d * v;
        }
    }
}

/// A Poisson number: arrivals in chunks whose probability of none does not underflow. Costs `mean` uniforms.
pub(crate) fn poisson(mean: f64, stream: &mut Stream) -> f64 {
    let mut left = mean;
    let mut count = 0_usize;
    while left > 0.0 {
        let chunk = if left > 50.0 { 50.0 } else { left };
        left -= chunk;
        let none = (-chunk).exp();
        let mut product = stream.uniform_open();
        while product > none {
            count += 1;
            product *= stream.uniform_open();
        }
    }
    count_to_f64(count)
}

/// A stationary first-order autoregressive series of standard deviation 1.
pub(crate) fn autoregressive(length: usize, phi: f64, stream: &mut Stream) -> Vec<f64> {
    let innovation = (1.0 - phi * phi).sqrt();
    let mut value = stream.normal();
    let mut series = Vec::with_capacity(length);
    for _ in 0..length {
        series.push(value);
        value = phi * value + innovation * stream.normal();
    }
    series
}

/// The mean.
pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / count_to_f64(values.len())
}
