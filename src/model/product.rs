//! Matrix products on one thread, at the gemm library's speed.

use gemm_common::Parallelism;
use gemm_common::gemm::set_lhs_packing_threshold_single_thread;
use ndarray::{Array2, ArrayView2, NdFloat};
use std::sync::Once;

/// The library lays the weights out anew in every product of more than this many of its tiles of (4 to 8) rows. Its own value, 8, is
/// right for products met once; a step's weights stay in the cache from the last one, and blocks of 50 to 75 rows gain up to a sixth.
const LAYOUT_FROM: usize = 32;
static LIBRARY: Once = Once::new();

/// The library's function for one type of number: dst := alpha dst + beta lhs . rhs of m, n and k; each matrix as a pointer with the
/// distances of its columns and of its rows.
type Kernel<T> = unsafe fn(
    usize,
    usize,
    usize,
    *mut T,
    isize,
    isize,
    bool,
    *const T,
    isize,
    isize,
    *const T,
    isize,
    isize,
    T,
    T,
    bool,
    bool,
    bool,
    Parallelism,
);

/// Numbers of which there are products.
pub trait Element: NdFloat {
    /// The fastest function that this processor has.
    #[doc(hidden)]
    fn kernel() -> Kernel<Self>;
}

impl Element for f32 {
    fn kernel() -> Kernel<Self> {
        gemm_f32::gemm::f32::get_gemm_fn()
    }
}

impl Element for f64 {
    fn kernel() -> Kernel<Self> {
        gemm_f64::gemm::f64::get_gemm_fn()
    }
}

/// out = alpha a . b (+ out where `accumulate`); `out` is `[m, n]` row by row. Panics where the shapes do not fit, or a view runs
/// backwards.
pub fn multiply<T: Element>(out: &mut [T], a: ArrayView2<T>, b: ArrayView2<T>, alpha: T, accumulate: bool) {
    let ((m, k), (k2, n)) = (a.dim(), b.dim());
    assert_eq!(k, k2, "inner dimensions");
    assert_eq!(out.len(), m * n, "output size");
    let ([a_row, a_column], [b_row, b_column]) = ([0, 1].map(|axis| a.strides()[axis]), [0, 1].map(|axis| b.strides()[axis]));
    assert!([a_row, a_column, b_row, b_column].iter().all(|stride| *stride >= 0), "a view that runs backwards");
    LIBRARY.call_once(|| set_lhs_packing_threshold_single_thread(LAYOUT_FROM));
    let kept = if accumulate { T::one() } else { T::zero() };
    // SAFETY: the pointers and strides are those of live ndarray views with the dimensions passed; `out` is an exclusive
    // slice of m x n elements, so nothing overlaps.
    let call = |[m, n]: [usize; 2], out_strides: [isize; 2], left: (*const T, [isize; 2]), right: (*const T, [isize; 2]), out: *mut T| unsafe {
        let ((left, [left_column, left_row]), (right, [right_column, right_row])) = (left, right);
        let [column, row] = out_strides;
        T::kernel()(
            m,
            n,
            k,
            out,
            column,
            row,
            accumulate,
            left,
            left_column,
            left_row,
            right,
            right_column,
            right_row,
            kept,
            alpha,
            false,
            false,
            false,
            Parallelism::None,
        );
    };
    // The library wants the result column by column: that of the transposed product is ours row by row.
    if n > 1 {
        call([n, m], [n as isize, 1], (b.as_ptr(), [b_row, b_column]), (a.as_ptr(), [a_row, a_column]), out.as_mut_ptr());
    } else {
        call([m, n], [1, n as isize], (a.as_ptr(), [a_column, a_row]), (b.as_ptr(), [b_column, b_row]), out.as_mut_ptr());
    }
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
    fn agrees_with_ndarray_whether_or_not_the_library_lays_the_weights_out() {
        // One tile of rows, more than the library's own limit, more than ours, with remainders.
        for rows in [3, 64, 75, 300] {
            for (k, n) in [(48, 96), (37, 53)] {
                let a = Array2::from_shape_fn((rows, k), |(i, j)| ((i * k + j) as f32 * 0.7).sin());
                let w = Array2::from_shape_fn((k, n), |(i, j)| ((i * n + j) as f32 * 0.3).cos());
                let mut out = vec![0.0; rows * n];
                multiply(&mut out, a.view(), w.view(), 1.0, false);
                assert_eq!(gemm_common::gemm::get_lhs_packing_threshold_single_thread(), LAYOUT_FROM);
                let exact = a.mapv(f64::from).dot(&w.mapv(f64::from));
                let worst = out.iter().zip(&exact).fold(0.0f64, |worst, (a, b)| worst.max((f64::from(*a) - b).abs()));
                assert!(worst < 1e-6 * k as f64, "{rows} x {k} x {n}: {worst}");
            }
        }
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
