//! Matrix products on one thread, at the speed of the fastest library that this processor has.

use library::{Problem, Strided};
use ndarray::{Array2, ArrayView2, ArrayViewMut2};

mod library;

pub use library::{Element, transpose_pays};

/// out = alpha a . b (+ out where `accumulate`); `out` is `[m, n]` row by row. Panics where the shapes do not fit, or a view runs
/// backwards.
pub fn multiply<T: Element>(out: &mut [T], a: ArrayView2<T>, b: ArrayView2<T>, alpha: T, accumulate: bool) {
    assert_eq!(out.len(), a.nrows() * b.ncols(), "output size");
    match ArrayViewMut2::from_shape((a.nrows(), b.ncols()), out) {
        Ok(out) => multiply_into(out, a, b, alpha, accumulate),
        Err(_) => unreachable!("the length is that of the shape"),
    }
}

/// The same into a part of a larger matrix, `[m, n]`.
pub fn multiply_into<T: Element>(mut out: ArrayViewMut2<T>, a: ArrayView2<T>, b: ArrayView2<T>, alpha: T, accumulate: bool) {
    let ((m, k), (k2, n)) = (a.dim(), b.dim());
    assert_eq!(k, k2, "inner dimensions");
    assert_eq!(out.dim(), (m, n), "output size");
    let strides = [out.strides(), a.strides(), b.strides()].map(|strides| [strides[0], strides[1]]);
    assert!(strides.as_flattened().iter().all(|stride| *stride >= 0), "a view that runs backwards");
    let [[out_row, out_column], [a_row, a_column], [b_row, b_column]] = strides;
    if k == 0 {
        if !accumulate {
            out.fill(T::zero());
        }
        return;
    }
    let left = Strided { start: a.as_ptr(), row: a_row, column: a_column };
    let right = Strided { start: b.as_ptr(), row: b_row, column: b_column };
    let flipped = |of: Strided<*const T>| Strided { start: of.start, row: of.column, column: of.row };
    let start = out.as_mut_ptr();
    // The libraries want the result column by column: that of the transposed product is ours row by row.
    let problem = if n > 1 {
        let out = Strided { start, row: out_column, column: out_row };
        Problem { size: [n, m, k], out, left: flipped(right), right: flipped(left), alpha, accumulate }
    } else {
        let out = Strided { start, row: out_row, column: out_column };
        Problem { size: [m, n, k], out, left, right, alpha, accumulate }
    };
    // SAFETY: the pointers and strides are those of live ndarray views with the dimensions passed; `out` is an exclusive view of m x n
    // elements, so nothing overlaps.
    unsafe { problem.solve() }
}

/// a . b, `[m, n]`, in a new array. Panics where the shapes do not fit.
pub fn product<T: Element>(a: ArrayView2<T>, b: ArrayView2<T>) -> Array2<T> {
    let mut out = Array2::zeros((a.nrows(), b.ncols()));
    if let Some(slice) = out.as_slice_mut() {
        multiply(slice, a, b, T::one(), false);
    }
    out
}

/// Writes W^T, `[m, n]` row by row, of W `[n, m]`, which is row by row too.
pub fn transpose(w: ArrayView2<f32>, out: &mut Vec<f32>) {
    const SIDE: usize = 16; // a cache line, both of W and of the result
    let (n, m) = w.dim();
    out.resize(n * m, 0.0);
    let Some(w) = w.to_slice() else { unreachable!("weights are stored row by row") };
    for top in (0..n).step_by(SIDE) {
        for left in (0..m).step_by(SIDE) {
            let rows = top..n.min(top + SIDE);
            for column in left..m.min(left + SIDE) {
                let out = &mut out[column * n..][rows.clone()];
                out.iter_mut().zip(w[top * m + column..].iter().step_by(m)).for_each(|(out, w)| *out = *w);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::s;

    #[test]
    fn agrees_with_ndarray_for_every_layout() {
        let a = Array2::from_shape_fn((5, 7), |(i, j)| (i * 7 + j) as f32 * 0.1 - 1.0);
        let b = Array2::from_shape_fn((7, 4), |(i, j)| (i as f32 - j as f32) * 0.3);
        let bt = b.t().as_standard_layout().into_owned();
        let mut out = vec![1.0; 20];
        multiply(&mut out, a.view(), bt.t(), 2.0, true);
        let exact = a.dot(&b) * 2.0 + 1.0;
        assert!(out.iter().zip(&exact).all(|(a, b)| (a - b).abs() < 1e-4));
        multiply(&mut out, a.view(), b.view(), 1.0, false);
        assert!(out.iter().zip(&a.dot(&b)).all(|(a, b)| (a - b).abs() < 1e-4));
        let (a, b) = (a.mapv(f64::from), b.mapv(f64::from));
        assert!(product(a.view(), b.view()).iter().zip(&a.dot(&b)).all(|(a, b)| (a - b).abs() < 1e-12));
    }

    #[test]
    fn parts_of_columns_side_by_side_are_the_whole_product_and_nothing_beside_them_changes() {
        let (rows, k, n) = (37, 53, 96);
        let a = Array2::from_shape_fn((rows, k), |(i, j)| ((i * k + j) as f32 * 0.7).sin());
        let w = Array2::from_shape_fn((n, k), |(i, j)| ((i * n + j) as f32 * 0.3).cos());
        let mut out = Array2::from_elem((rows, n + 1), 7.0);
        for at in [0, 32, 64] {
            let part = at..at + 32;
            multiply_into(out.slice_mut(s![.., part.clone()]), a.view(), w.slice(s![part, ..]).t(), 1.0, false);
        }
        let exact = a.dot(&w.t());
        let worst = out.slice(s![.., ..n]).iter().zip(&exact).fold(0.0f32, |worst, (a, b)| worst.max((a - b).abs()));
        assert!(worst < 1e-4, "{worst}");
        assert!(out.column(n).iter().all(|&beside| beside == 7.0));
        multiply_into(out.slice_mut(s![.., n..]), a.view(), w.slice(s![..1, ..]).t(), 1.0, false);
        let single = out.column(n).iter().zip(exact.column(0)).fold(0.0f32, |worst, (a, b)| worst.max((a - b).abs()));
        assert!(single < 1e-4, "one column: {single}");
    }

    #[test]
    fn agrees_with_ndarray_whether_or_not_a_library_lays_the_weights_out() {
        // One tile of rows, more than the limit of each library, with remainders.
        for rows in [3, 64, 75, 300] {
            for (k, n) in [(48, 96), (37, 53)] {
                let a = Array2::from_shape_fn((rows, k), |(i, j)| ((i * k + j) as f32 * 0.7).sin());
                let w = Array2::from_shape_fn((k, n), |(i, j)| ((i * n + j) as f32 * 0.3).cos());
                let mut out = vec![0.0; rows * n];
                multiply(&mut out, a.view(), w.view(), 1.0, false);
                let exact = a.mapv(f64::from).dot(&w.mapv(f64::from));
                let worst = out.iter().zip(&exact).fold(0.0f64, |worst, (a, b)| worst.max((f64::from(*a) - b).abs()));
                assert!(worst < 1e-6 * k as f64, "{rows} x {k} x {n}: {worst}");
            }
        }
    }

    #[test]
    fn a_sum_over_nothing_is_0() {
        let mut out = vec![3.0f32; 6];
        let (a, b) = (Array2::zeros((2, 0)), Array2::zeros((0, 3)));
        multiply(&mut out, a.view(), b.view(), 1.0, true);
        assert_eq!(out, [3.0; 6]);
        multiply(&mut out, a.view(), b.view(), 1.0, false);
        assert_eq!(out, [0.0; 6]);
    }

    #[test]
    fn a_transpose_has_every_weight_once() {
        for (n, m) in [(1, 1), (5, 3), (16, 4), (33, 20)] {
            let w = Array2::from_shape_fn((n, m), |(i, j)| (i * m + j) as f32);
            let mut out = vec![7.0; 3];
            transpose(w.view(), &mut out);
            assert_eq!(ArrayView2::from_shape((m, n), &out).unwrap(), w.t(), "{n} x {m}");
        }
    }
}
