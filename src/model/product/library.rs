//! The matrix libraries: one in the instructions of x86-64 with AVX2 or AVX-512, and one for every processor.

use gemm_common::Parallelism;
use gemm_common::gemm::set_lhs_packing_threshold_single_thread;
use ndarray::NdFloat;
use std::sync::Once;

/// The library for every processor lays the left factor out anew in every product of more than this many of its tiles of (4 to 8)
/// rows. Its own value, 8, is right for products met once; a step's weights stay in the cache from the last one, and blocks of 50 to 75
/// rows gain up to a sixth.
const LAYOUT_FROM: usize = 32;
static LAYOUT: Once = Once::new();

/// Multiplications below which a call of the faster library costs more than it saves.
#[cfg(all(target_arch = "x86_64", not(miri)))]
const WORTH: usize = 512;

/// Numbers of a left factor that a core's own cache holds beside all else. Up to there the library for every processor, which reads it
/// where it is, is up to a tenth faster with AVX-512, but for the smallest.
#[cfg(all(target_arch = "x86_64", not(miri)))]
const HELD: std::ops::RangeInclusive<usize> = 40_000..=350_000;

/// A matrix of a product: where it begins, and the distances of its rows and of its columns.
#[derive(Clone, Copy)]
pub struct Strided<P> {
    /// Its first value.
    pub start: P,
    /// From a row to the next.
    pub row: isize,
    /// From a column to the next.
    pub column: isize,
}

/// out := alpha left . right (+ out where `accumulate`), of `[m, n]`, `[m, k]` and `[k, n]`; strides are not negative.
#[derive(Clone, Copy)]
pub struct Problem<T> {
    /// m, n and k.
    pub size: [usize; 3],
    /// `[m, n]`.
    pub out: Strided<*mut T>,
    /// `[m, k]`.
    pub left: Strided<*const T>,
    /// `[k, n]`.
    pub right: Strided<*const T>,
    /// What the product is multiplied by.
    pub alpha: T,
    /// Whether it is added to what is there.
    pub accumulate: bool,
}

/// Numbers of which there are products.
pub trait Element: NdFloat {
    /// Solves a problem by the library for wide vectors; false where this processor does not have them, or they are of no use.
    ///
    /// # Safety
    /// As for [`Problem::solve`].
    #[doc(hidden)]
    unsafe fn solve_in_wide_vectors(problem: &Problem<Self>) -> bool;

    /// Solves a problem by the library for every processor.
    ///
    /// # Safety
    /// As for [`Problem::solve`].
    #[doc(hidden)]
    unsafe fn solve_anywhere(problem: &Problem<Self>);
}

impl<T: Element> Problem<T> {
    /// Computes the product. The products of one processor are the same to the bit at every call.
    ///
    /// # Safety
    /// The pointers and strides are those of live matrices of the sizes given, `out` is exclusive, and nothing overlaps.
    pub(super) unsafe fn solve(&self) {
        // SAFETY: what the caller warrants.
        unsafe {
            if !T::solve_in_wide_vectors(self) {
                T::solve_anywhere(self);
            }
        }
    }
}

#[cfg(all(target_arch = "x86_64", not(miri)))]
fn has_avx512() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512cd")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl")
}

#[cfg(all(target_arch = "x86_64", not(miri)))]
fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")
}

/// Weights that a core's own cache holds twice.
#[cfg(all(target_arch = "x86_64", not(miri)))]
const HELD_TWICE: usize = 200_000;
/// Rows below which the library for x86-64 is slower with W^T that is not laid out.
#[cfg(all(target_arch = "x86_64", not(miri)))]
const FEW_ROWS: usize = 32;

/// Whether W^T laid out row by row, of so many weights, makes products of so many rows with it faster than W as it is. By the instructions
/// of AVX2 the library for x86-64 reads either as fast, but for few rows, and then a second copy of many weights only fills the
/// caches: at 1024 x 1024 it costs an eighth. By those of AVX-512 it gains up to an eighth.
pub fn transpose_pays(weights: usize, rows: usize) -> bool {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    {
        weights <= HELD_TWICE || rows < FEW_ROWS || has_avx512() || !has_avx2()
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    {
        _ = (weights, rows);
        true
    }
}

/// The library for x86-64, with the widest vectors that this processor has; false where it has none of them, or is the slower one.
///
/// # Safety
/// As for [`Problem::solve`], and `kind` is what `T` is.
#[cfg(all(target_arch = "x86_64", not(miri)))]
unsafe fn in_wide_vectors<T: Element>(problem: &Problem<T>, kind: private_gemm_x86::DType) -> bool {
    use private_gemm_x86::{Accum, DstKind, IType, InstrSet, gemm};
    use std::ptr::null;
    let Problem { size: [m, n, k], out, left, right, ref alpha, accumulate } = *problem;
    if m < 2 || n < 2 || m * n * k < WORTH {
        return false; // few numbers, or a single vector, which the other library reads at once
    }
    let instructions = if has_avx512() {
        if left.row == 1 && HELD.contains(&(m * k)) {
            return false;
        }
        InstrSet::Avx512
    } else if has_avx2() {
        InstrSet::Avx256
    } else {
        return false;
    };
    let accumulate = if accumulate { Accum::Add } else { Accum::Replace };
    let alpha: *const T = alpha;
    // SAFETY: what the caller warrants; this processor has the instructions; no entry is chosen by an index, and nothing is diagonal.
    unsafe {
        gemm(
            kind,
            IType::U64,
            instructions,
            m,
            n,
            k,
            out.start.cast(),
            out.row,
            out.column,
            null(),
            null(),
            DstKind::Full,
            accumulate,
            left.start.cast(),
            left.row,
            left.column,
            false,
            null(),
            0,
            right.start.cast(),
            right.row,
            right.column,
            false,
            alpha.cast(),
            1,
        );
    }
    true
}

/// How one type of number is multiplied by the two libraries.
macro_rules! element {
    ($type:ty, $wide:ident, $anywhere:path) => {
        impl Element for $type {
            #[cfg(all(target_arch = "x86_64", not(miri)))]
            unsafe fn solve_in_wide_vectors(problem: &Problem<Self>) -> bool {
                // SAFETY: what the caller warrants.
                unsafe { in_wide_vectors(problem, private_gemm_x86::DType::$wide) }
            }

            #[cfg(not(all(target_arch = "x86_64", not(miri))))]
            unsafe fn solve_in_wide_vectors(_: &Problem<Self>) -> bool {
                false
            }

            unsafe fn solve_anywhere(problem: &Problem<Self>) {
                LAYOUT.call_once(|| set_lhs_packing_threshold_single_thread(LAYOUT_FROM));
                let Problem { size: [m, n, k], out, left, right, alpha, accumulate } = *problem;
                let kept = if accumulate { 1.0 } else { 0.0 };
                // SAFETY: what the caller warrants.
                unsafe {
                    $anywhere()(
                        m,
                        n,
                        k,
                        out.start,
                        out.column,
                        out.row,
                        accumulate,
                        left.start,
                        left.column,
                        left.row,
                        right.start,
                        right.column,
                        right.row,
                        kept,
                        alpha,
                        false,
                        false,
                        false,
                        Parallelism::None,
                    );
                }
            }
        }
    };
}

element!(f32, F32, gemm_f32::gemm::f32::get_gemm_fn);
element!(f64, F64, gemm_f64::gemm::f64::get_gemm_fn);

#[cfg(test)]
mod tests {
    use super::*;

    /// The product of [m, k] and [k, n] on top of ones, out column by column, the left factor column by column too or row by row, by
    /// one library.
    fn product(size: [usize; 3], by_columns: bool, mut solve: impl FnMut(&Problem<f32>)) -> Vec<f32> {
        let [m, n, k] = size;
        let values = |count: usize, step: f32| -> Vec<f32> { (0..count).map(|i| (i as f32 * step).sin()).collect() };
        let (left, right, mut out) = (values(m * k, 0.7), values(k * n, 0.3), vec![1.0f32; m * n]);
        let [row, column] = if by_columns { [1, m as isize] } else { [k as isize, 1] };
        solve(&Problem {
            size,
            out: Strided { start: out.as_mut_ptr(), row: 1, column: m as isize },
            left: Strided { start: left.as_ptr(), row, column },
            right: Strided { start: right.as_ptr(), row: 1, column: k as isize },
            alpha: 0.5,
            accumulate: true,
        });
        out
    }

    #[test]
    fn both_libraries_find_the_same_products() {
        let mut compared = 0;
        for size in [[1, 1, 1], [3, 5, 7], [24, 4, 600], [97, 5, 33], [130, 50, 1030], [256, 64, 300], [1024, 50, 600]] {
            for by_columns in [false, true] {
                let anywhere = product(size, by_columns, |problem| {
                    // SAFETY: the matrices are those of `product`, which outlive the call.
                    unsafe { f32::solve_anywhere(problem) }
                });
                let mut has_wide = false;
                let wide = product(size, by_columns, |problem| {
                    // SAFETY: as above.
                    has_wide = unsafe { f32::solve_in_wide_vectors(problem) };
                });
                let worst = anywhere.iter().zip(&wide).fold(0.0f32, |worst, (a, b)| worst.max((a - b).abs()));
                compared += usize::from(has_wide);
                assert!(!has_wide || worst < 1e-6 * (size[2] as f32).max(2.0), "{size:?}: {worst}");
            }
        }
        assert_eq!(gemm_common::gemm::get_lhs_packing_threshold_single_thread(), LAYOUT_FROM);
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        let has_vectors = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
        #[cfg(not(all(target_arch = "x86_64", not(miri))))]
        let has_vectors = false;
        assert!(compared >= 8 || !has_vectors, "{compared} products in wide vectors");
    }
}
