//! Integrals of exp(-energy) over a line in f64: the oracle for families without a closed form.
//!
//! The substitution x = c + w sinh(u) puts points where narrow peaks and long tails need them; on the smooth, decaying
//! integrand that results the trapezoidal rule converges faster than any power of the step (Trefethen and Weideman 2014).
//! Simpson's weights, a combination of two trapezoidal rules, keep that and are of fourth order where a support ends in a wall.

const POINTS: usize = 4001;

/// Calls `visit(x, log of the weighted integrand)` at every node.
fn nodes(log_density: &impl Fn(f64) -> f64, low: f64, high: f64) -> Vec<(f64, f64)> {
    let peak = peak(log_density, low, high);
    let width = 1e-3 * (high - low);
    let (from, to) = (((low - peak) / width).asinh(), ((high - peak) / width).asinh());
    let step = (to - from) / (POINTS - 1) as f64;
    (0..POINTS)
        .map(|i| {
            let u = from + step * i as f64;
            let x = peak + width * u.sinh();
            let weight = if i == 0 || i == POINTS - 1 { 1.0 } else { 2.0 + 2.0 * (i % 2) as f64 } / 3.0;
            (x, log_density(x) + (weight * width * u.cosh() * step).ln())
        })
        .collect()
}

fn peak(log_density: &impl Fn(f64) -> f64, low: f64, high: f64) -> f64 {
    let value = |i: usize| low + (high - low) * i as f64 / 2000.0;
    let best = (0..=2000).max_by(|&a, &b| log_density(value(a)).total_cmp(&log_density(value(b))));
    best.map_or(0.5 * (low + high), value)
}

/// log of the integral of exp(log_density) over `[low, high]`.
pub fn log_integral(log_density: impl Fn(f64) -> f64, low: f64, high: f64) -> f64 {
    let nodes = nodes(&log_density, low, high);
    let top = nodes.iter().map(|n| n.1).fold(f64::NEG_INFINITY, f64::max);
    top + nodes.iter().map(|n| (n.1 - top).exp()).sum::<f64>().ln()
}

/// The mean of `value` under the density proportional to exp(log_density) on `[low, high]`.
pub fn mean(log_density: impl Fn(f64) -> f64, value: impl Fn(f64) -> f64, low: f64, high: f64) -> f64 {
    let nodes = nodes(&log_density, low, high);
    let top = nodes.iter().map(|n| n.1).fold(f64::NEG_INFINITY, f64::max);
    let mass: f64 = nodes.iter().map(|n| (n.1 - top).exp()).sum();
    nodes.iter().map(|n| (n.1 - top).exp() * value(n.0)).sum::<f64>() / mass
}

/// Where the distribution function reaches each of `chances` (between 0 and 1), on `[low, high]`; linear between the nodes.
pub fn quantiles(log_density: impl Fn(f64) -> f64, low: f64, high: f64, chances: &[f64]) -> Vec<f64> {
    let nodes = nodes(&log_density, low, high);
    let top = nodes.iter().map(|n| log_density(n.0)).fold(f64::NEG_INFINITY, f64::max);
    let density: Vec<f64> = nodes.iter().map(|n| (log_density(n.0) - top).exp()).collect();
    let mut sum = 0.0;
    let mut cumulative = vec![0.0];
    for i in 1..nodes.len() {
        sum += 0.5 * (density[i] + density[i - 1]) * (nodes[i].0 - nodes[i - 1].0);
        cumulative.push(sum);
    }
    let at = |u: &f64| {
        let wanted = u.clamp(0.0, 1.0) * sum;
        let i = cumulative.partition_point(|&c| c < wanted).clamp(1, nodes.len() - 1);
        let width = cumulative[i] - cumulative[i - 1];
        let fraction = if width > 0.0 { (wanted - cumulative[i - 1]) / width } else { 0.5 };
        nodes[i - 1].0 + fraction * (nodes[i].0 - nodes[i - 1].0)
    };
    chances.iter().map(at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_the_normal_law() {
        let found = quantiles(|x: f64| -0.5 * ((x - 1.0) / 2.0).powi(2), -23.0, 25.0, &[0.5, 0.841_344_746, 0.022_750_132]);
        assert!(found.iter().zip([1.0, 3.0, -3.0]).all(|(a, b)| (a - b).abs() < 1e-4), "{found:?}");
    }

    #[test]
    fn normal_integral_and_moments() {
        let log_density = |x: f64| -0.5 * ((x - 0.7) / 0.3).powi(2);
        let exact = (2.0 * std::f64::consts::PI).sqrt() * 0.3;
        assert!((log_integral(log_density, -5.0, 6.0) - exact.ln()).abs() < 1e-12);
        assert!((mean(log_density, |x| x * x, -5.0, 6.0) - (0.49 + 0.09)).abs() < 1e-12);
    }
}
