//! Matrix products on one thread, at the gemm library's speed.

use ndarray::{Array2, ArrayView2, NdFloat};

/// out = alpha a . b (+ out where `accumulate`); `out` is `[m, n]` row by row. Panics where the shapes do not fit.
pub fn multiply<T: NdFloat>(out: &mut [T], a: ArrayView2<T>, b: ArrayView2<T>, alpha: T, accumulate: bool) {
    let ((m, k), (k2, n)) = (a.dim(), b.dim());
    assert_eq!(k, k2, "inner dimensions");
    assert_eq!(out.len(), m * n, "output size");
    if m == 0 || n == 0 {
        return;
    }
    let (sa, sb) = (a.strides(), b.strides());
    // SAFETY: the pointers and strides are those of live ndarray views with the dimensions passed; `out` is an exclusive
    // slice of m x n elements, so nothing overlaps.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            1,
            n as isize,
            accumulate,
            a.as_ptr(),
            sa[1],
            sa[0],
            b.as_ptr(),
            sb[1],
            sb[0],
            if accumulate { T::one() } else { T::zero() },
            alpha,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

/// a . b, `[m, n]`, in a new array. Panics where the shapes do not fit.
pub fn product<T: NdFloat>(a: ArrayView2<T>, b: ArrayView2<T>) -> Array2<T> {
    let mut out = Array2::zeros((a.nrows(), b.ncols()));
    if let Some(slice) = out.as_slice_mut() {
        multiply(slice, a, b, T::one(), false);
    }
    out
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
}
