//! Closed forms (model.md 5): the linear-Gaussian posterior, the Lyapunov covariance, separation and speed-up.

use ndarray::{Array1, Array2, s};

/// Solves A X = B by Gaussian elimination with partial pivoting; A is `[n, n]`, B `[n, k]`. None where A is singular.
pub fn solve(a: &Array2<f64>, b: &Array2<f64>) -> Option<Array2<f64>> {
    let n = a.nrows();
    let (mut a, mut b) = (a.clone(), b.clone());
    for column in 0..n {
        let pivot = (column..n).max_by(|&i, &j| a[[i, column]].abs().total_cmp(&a[[j, column]].abs()))?;
        if a[[pivot, column]] == 0.0 {
            return None;
        }
        for j in 0..n {
            a.swap([column, j], [pivot, j]);
        }
        for j in 0..b.ncols() {
            b.swap([column, j], [pivot, j]);
        }
        for row in (0..n).filter(|&row| row != column) {
            let factor = a[[row, column]] / a[[column, column]];
            for j in column..n {
                a[[row, j]] -= factor * a[[column, j]];
            }
            for j in 0..b.ncols() {
                b[[row, j]] -= factor * b[[column, j]];
            }
        }
    }
    for row in 0..n {
        b.row_mut(row).mapv_inplace(|value| value / a[[row, row]]);
    }
    Some(b)
}

/// Mean `[n]` and covariance `[n, n]` of x_1 given x_0 when x_1 ~ N(0, I), x_0 | x_1 ~ N(W x_1, sigma^2) (model.md 5.1).
pub fn linear_gaussian_posterior(w: &Array2<f64>, sigma: f64, x0: &Array1<f64>) -> (Array1<f64>, Array2<f64>) {
    let n = w.ncols();
    let precision = Array2::eye(n) + w.t().dot(w) / sigma.powi(2);
    let covariance = solve(&precision, &Array2::eye(n)).unwrap_or_else(|| Array2::eye(n)); // P >= I is never singular
    let mean = covariance.dot(&(w.t().dot(x0) / sigma.powi(2)));
    (mean, covariance)
}

/// S with A S + S A^T = D (model.md 5.2); all `[n, n]`. None where no unique solution exists.
pub fn lyapunov(a: &Array2<f64>, d: &Array2<f64>) -> Option<Array2<f64>> {
    let n = a.nrows();
    let mut big = Array2::<f64>::zeros((n * n, n * n));
    for i in 0..n {
        for j in 0..n {
            for k in 0..n {
                big[[i * n + j, k * n + j]] += a[[i, k]];
                big[[i * n + j, i * n + k]] += a[[j, k]];
            }
        }
    }
    let right = Array2::from_shape_fn((n * n, 1), |(row, _)| d[[row / n, row % n]]);
    let solution = solve(&big, &right)?;
    Some(Array2::from_shape_fn((n, n), |(i, j)| solution[[i * n + j, 0]]))
}

/// Constants of the dynamics for [`stationary_covariance`]; times in one unit.
#[derive(Clone, Copy, Debug)]
pub struct Constants {
    /// tau_x.
    pub tau_x: f64,
    /// tau_eps.
    pub tau_eps: f64,
    /// tau_v.
    pub tau_v: f64,
    /// m.
    pub m: f64,
    /// K.
    pub k: usize,
}

/// Stationary covariance of (x, v, y) around its mean, `[2n + p, 2n + p]`, for x_1 ~ N(0, I), x_0 ~ N(W x_1, sigma^2) clamped (model.md 5.2).
pub fn stationary_covariance(w: &Array2<f64>, sigma: f64, c: Constants) -> Option<Array2<f64>> {
    let (p, n) = w.dim();
    // dx = (I - m v)/tau_x, I = W^T (x0 - y)/sigma^2 - x;  dv = -v/tau_v - m I/tau_x;  dy = (W x - y)/tau_eps.
    let mut a = Array2::<f64>::zeros((2 * n + p, 2 * n + p));
    let feedback = w.t().to_owned() / sigma.powi(2);
    let eye = Array2::<f64>::eye(n);
    a.slice_mut(s![..n, ..n]).assign(&(&eye / c.tau_x));
    a.slice_mut(s![..n, n..2 * n]).assign(&(&eye * (c.m / c.tau_x)));
    a.slice_mut(s![..n, 2 * n..]).assign(&(&feedback / c.tau_x));
    a.slice_mut(s![n..2 * n, ..n]).assign(&(&eye * (-c.m / c.tau_x)));
    a.slice_mut(s![n..2 * n, n..2 * n]).assign(&(&eye / c.tau_v));
    a.slice_mut(s![n..2 * n, 2 * n..]).assign(&(&feedback * (-c.m / c.tau_x)));
    a.slice_mut(s![2 * n.., ..n]).assign(&(w * (-1.0 / c.tau_eps)));
    a.slice_mut(s![2 * n.., 2 * n..]).assign(&(Array2::<f64>::eye(p) / c.tau_eps));
    let noise = |i: usize| {
        if i < n {
            2.0 / c.tau_x
        } else if i < 2 * n {
            2.0 / c.tau_v
        } else {
            2.0 * sigma.powi(2) / (c.tau_eps * c.k as f64)
        }
    };
    let d = Array2::from_shape_fn(a.dim(), |(i, j)| if i == j { noise(i) } else { 0.0 });
    lyapunov(&a, &d)
}

/// Var(x) of the scalar case (model.md 5.3): lambda = 1 + w^2/sigma^2, r = tau_eps/tau_x, m = 0.
pub fn separation_variance(lambda: f64, r: f64, k: usize) -> f64 {
    1.0 - (lambda - 1.0) / lambda * (1.0 - r / k as f64) / (1.0 + r)
}

/// S = 1 + m^2 tau_v/tau_x, by which adaptation shortens the integrated autocorrelation time of a Gaussian posterior (model.md 5.4).
pub fn adaptation_speedup(m: f64, tau_v: f64, tau_x: f64) -> f64 {
    1.0 + m * m * tau_v / tau_x
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalar_lyapunov_solution_is_the_separation_formula() {
        let (w, sigma) = (Array2::from_elem((1, 1), 2.0), 0.5);
        for (r, k) in [(0.1, 1), (0.1, 4), (1.0, 1), (0.01, 2)] {
            let c = Constants { tau_x: 1.0, tau_eps: r, tau_v: 0.3, m: 0.0, k };
            let s = stationary_covariance(&w, sigma, c).unwrap();
            assert!((s[[0, 0]] - separation_variance(17.0, r, k)).abs() < 1e-10, "r {r} K {k}: {}", s[[0, 0]]);
        }
    }

    #[test]
    fn fast_interneurons_give_the_posterior_for_any_adaptation() {
        let w = ndarray::array![[1.0, 0.4], [-0.3, 0.8]];
        let (_, exact) = linear_gaussian_posterior(&w, 0.7, &Array1::zeros(2));
        let s = stationary_covariance(&w, 0.7, Constants { tau_x: 1.0, tau_eps: 1e-7, tau_v: 0.2, m: 3.0, k: 1 }).unwrap();
        assert!((&s.slice(s![..2, ..2]) - &exact).iter().all(|d| d.abs() < 1e-5));
        assert!((&s.slice(s![2..4, 2..4]) - &Array2::<f64>::eye(2)).iter().all(|d| d.abs() < 1e-5));
    }
}
