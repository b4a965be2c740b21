//! Products with weights of one or two rows: there the call into the matrix library costs more than the arithmetic.

use crate::model::product::multiply;
use ndarray::ArrayView2;

/// Most columns of weights that are multiplied here.
const FEW: usize = 4;

/// out = states . weights, `[rows, n]`, of states `[rows, k]` and weights `[k, n]`, all row by row. A product with one or two rows of
/// weights is computed here, with each product and each sum rounded by itself. Panics where the shapes do not fit.
#[inline]
pub fn layer_product(out: &mut [f32], states: &[f32], weights: &[f32], [k, n]: [usize; 2]) {
    assert_eq!(weights.len(), k * n, "weights");
    let rows = states.len() / k.max(1);
    assert_eq!([states.len(), out.len()], [rows * k, rows * n], "states and output");
    if (1..=2).contains(&k) && (1..=FEW).contains(&n) {
        return few(out, states, weights, k, n);
    }
    match (ArrayView2::from_shape((rows, k), states), ArrayView2::from_shape((k, n), weights)) {
        (Ok(states), Ok(weights)) => multiply(out, states, weights, 1.0, false),
        _ => unreachable!("the lengths are those of the shapes"),
    }
}

/// The product with a loop of its own for each shape, which the compiler unrolls.
#[multiversion::multiversion(targets("x86_64+avx512f+avx512dq+avx512vl+avx512bw+avx2+avx", "x86_64+avx2+avx"))]
fn few(out: &mut [f32], states: &[f32], weights: &[f32], k: usize, n: usize) {
    match (k, n) {
        (1, 1) => rows::<1, 1>(out, states, weights),
        (1, 2) => rows::<1, 2>(out, states, weights),
        (1, 3) => rows::<1, 3>(out, states, weights),
        (1, 4) => rows::<1, 4>(out, states, weights),
        (2, 1) => rows::<2, 1>(out, states, weights),
        (2, 2) => rows::<2, 2>(out, states, weights),
        (2, 3) => rows::<2, 3>(out, states, weights),
        (2, 4) => rows::<2, 4>(out, states, weights),
        _ => unreachable!("few rows and columns"),
    }
}

#[inline(always)]
fn rows<const K: usize, const N: usize>(out: &mut [f32], states: &[f32], weights: &[f32]) {
    let (out, states) = (out.as_chunks_mut::<N>().0, states.as_chunks::<K>().0);
    let Ok(weights): Result<[[f32; N]; K], _> = weights.as_chunks::<N>().0.try_into() else { unreachable!("K rows of N weights") };
    for (out, state) in out.iter_mut().zip(states) {
        *out = std::array::from_fn(|j| (1..K).fold(state[0] * weights[0][j], |sum, i| sum + state[i] * weights[i][j]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    /// Values of every sign, negative zeros among them, and of sizes that round in every addition.
    fn values(rows: usize, columns: usize, seed: usize) -> Array2<f32> {
        Array2::from_shape_fn((rows, columns), |(i, j)| match i % 7 {
            3 => -0.0,
            size => ((seed * 7919 + i * 31 + j * 17) as f32 * 0.618).sin() * 3.7f32.powi(size as i32 - 3),
        })
    }

    /// The largest error of a product, in units of half a last place of the sum of what was added.
    fn worst_error(product: &[f32], a: &Array2<f32>, w: &Array2<f32>) -> f64 {
        let (a, w) = (a.mapv(f64::from), w.mapv(f64::from));
        let (exact, size) = (a.dot(&w), a.mapv(f64::abs).dot(&w.mapv(f64::abs)));
        let errors = product.iter().zip(exact.iter().zip(&size)).map(|(&p, (exact, size))| (f64::from(p) - exact).abs() / size.max(1e-30));
        errors.fold(0.0, f64::max) / f64::from(0.5 * f32::EPSILON)
    }

    #[test]
    fn small_products_are_exact_to_their_roundings() {
        for (k, n) in (1..=3).flat_map(|k| (1..=FEW + 1).map(move |n| (k, n))) {
            for rows in [1, 2, 7, 8, 25, 64, 131] {
                let (a, w) = (values(rows, k, k + 5 * n), values(k, n, 99 + rows));
                let mut product = vec![f32::NAN; rows * n];
                layer_product(&mut product, a.as_slice().unwrap(), w.as_slice().unwrap(), [k, n]);
                // A rounding of each product and one of each sum, of no more than what was added.
                assert!(worst_error(&product, &a, &w) <= k as f64 + 1e-6, "{rows} x {k} x {n}: {}", worst_error(&product, &a, &w));
                if k == 2 {
                    let first: Vec<f32> = (0..rows * n).map(|q| a[[q / n, 0]] * w[[0, q % n]]).collect();
                    let planted = worst_error(&first, &a, &w);
                    assert!(planted > 1e3, "a term that is left out is seen: {planted}");
                }
            }
        }
    }

    #[test]
    #[should_panic(expected = "states and output")]
    fn shapes_that_do_not_fit_are_refused() {
        layer_product(&mut [0.0; 4], &[0.0; 5], &[0.0; 4], [2, 2]);
    }
}
