//! Samples the posterior of two causes given two observed values, and prints it beside the closed form.
//!
//!     cargo run --release --no-default-features --example sample_posterior
//!
//! The model is linear and Gaussian, so the exact answer is known: x_1 ~ N(0, I) and x_0 given x_1 ~ N(W x_1, sigma^2 I).

use heescope::dynamics::Probes;
use heescope::model::closed_form::linear_gaussian_posterior;
use heescope::{Config, Session};
use ndarray::{Array1, Array2, array};
use std::error::Error;

/// What a user would write into a file and give to `heescope --config`.
const CONFIG: &str = "
[model]
weights = [[1.0, 0.5], [-0.4, 0.9]]
layers = [
    { size = 2, family = 'gaussian', sigma = 0.5 },
    { size = 2, family = 'gaussian', sigma = 1.0 },
]
[dynamics]
dt_ms = 0.4
tau_eps_ms = 0.004
adaptation = 2.0
[stimulus]
values = [0.8, -0.5]
batch = 400
steps_per_stimulus = 0
burn_in_steps = 0
";
const BURN_IN: usize = 1000;
const DRAWS: usize = 2000;

/// Mean `[2]` and covariance `[2, 2]` of x_1 over all chains and draws.
fn sampled(config: Config) -> Result<(Array1<f64>, Array2<f64>), Box<dyn Error>> {
    let mut session = Session::new(config)?;
    session.advance(BURN_IN, &Probes::default());
    let (mut sum, mut products, mut count) = (Array1::zeros(2), Array2::zeros((2, 2)), 0.0);
    for _ in 0..DRAWS {
        session.advance(1, &Probes::default());
        for x in session.networks().states(1) {
            let x = [f64::from(x[0]), f64::from(x[1])];
            sum += &array![x[0], x[1]];
            products += &array![[x[0] * x[0], x[0] * x[1]], [x[1] * x[0], x[1] * x[1]]];
            count += 1.0;
        }
    }
    let mean: Array1<f64> = sum / count;
    let outer = Array2::from_shape_fn((2, 2), |(i, j)| mean[i] * mean[j]);
    Ok((mean, products / count - outer))
}

fn main() -> Result<(), Box<dyn Error>> {
    let (mean, covariance) = sampled(Config::from_toml(CONFIG)?)?;
    let (exact_mean, exact_covariance) = linear_gaussian_posterior(&array![[1.0, 0.5], [-0.4, 0.9]], 0.5, &array![0.8, -0.5]);
    println!("{:<12} {:>10} {:>10}", "", "sampled", "exact");
    for i in 0..2 {
        println!("{:<12} {:>10.4} {:>10.4}", format!("mean {i}"), mean[i], exact_mean[i]);
    }
    for (i, j) in [(0, 0), (1, 1), (0, 1)] {
        println!("{:<12} {:>10.4} {:>10.4}", format!("cov {i} {j}"), covariance[[i, j]], exact_covariance[[i, j]]);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sampler's own tests state tolerances in standard errors (tests/suite/sampling.rs); this one holds what the example prints:
    /// 400 independent chains give a mean to a twentieth of the posterior's standard deviation 0.4 and more.
    #[test]
    fn what_is_printed_agrees_with_the_closed_form() {
        let (exact_mean, exact_covariance) = linear_gaussian_posterior(&array![[1.0, 0.5], [-0.4, 0.9]], 0.5, &array![0.8, -0.5]);
        let near = |config: Config| {
            let Ok((mean, covariance)) = sampled(config) else { return false };
            (mean - &exact_mean).iter().chain(&(covariance - &exact_covariance)).all(|error| error.abs() < 0.01)
        };
        let Ok(mut config) = Config::from_toml(CONFIG) else { panic!("the configuration is read") };
        assert!(near(config.clone()));
        // Planted bug: weights a tenth too strong.
        config.model.weights = vec![vec![1.1, 0.55], vec![-0.44, 0.99]];
        assert!(!near(config));
    }
}
