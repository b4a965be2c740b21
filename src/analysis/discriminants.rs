//! Linear discriminants with a shrunken covariance: the directions in which classes differ, and the classifier that goes with them.
//!
//! Fisher (1936); shrinkage towards a multiple of the identity as in Friedman, "Regularized discriminant analysis" (1989).

use crate::analysis::principal::{eigen, mean, scatter};
use crate::model::product::product;
use nalgebra::DMatrix;
use ndarray::{Array1, Array2, ArrayView2, Axis};

/// Discriminants fitted to labelled rows. In their space the (shrunken) covariance within classes is the identity.
#[derive(Clone, Debug)]
pub struct Discriminants {
    mean: Array1<f32>,
    /// `[dimensions, discriminants]`.
    projection: Array2<f32>,
    /// Label, mean `[discriminants]` and log of the share of each class that occurs.
    classes: Vec<(u8, Array1<f32>, f32)>,
}

impl Discriminants {
    /// The discriminants of rows `[count, dimensions]` with a label each, at most one fewer than classes; the covariance
    /// within classes is (1 - shrinkage) S + shrinkage tr(S)/dimensions. None with fewer than two classes, a number of labels
    /// that is not that of the rows, or no variance within classes.
    pub fn fit(rows: ArrayView2<f32>, labels: &[u8], shrinkage: f64) -> Option<Self> {
        let (count, dimensions) = rows.dim();
        if labels.len() != count {
            return None;
        }
        let members = |class: u8| -> Vec<usize> { (0..count).filter(|&i| labels[i] == class).collect() };
        let classes: Vec<(u8, Vec<usize>)> = (0..=u8::MAX).map(|c| (c, members(c))).filter(|(_, m)| !m.is_empty()).collect();
        if classes.len() < 2 {
            return None;
        }
        let means: Vec<Array1<f64>> = classes.iter().map(|(_, members)| mean(rows.select(Axis(0), members).view())).collect();
        let mut class_of = [0; 256];
        classes.iter().enumerate().for_each(|(k, (label, _))| class_of[usize::from(*label)] = k);
        let within = scatter(rows, |i| means[class_of[usize::from(labels[i])]].view()) / count as f64;
        let ridge = shrinkage * within.diag().sum() / dimensions as f64;
        let shrunken = DMatrix::from_fn(dimensions, dimensions, |i, j| {
            (1.0 - shrinkage) * 0.5 * (within[[i, j]] + within[[j, i]]) + if i == j { ridge } else { 0.0 }
        });
        let root = shrunken.cholesky()?.unpack();
        let grand = mean(rows);
        let share = |k: usize| classes[k].1.len() as f64 / count as f64;
        // In coordinates where the covariance within classes is the identity, the discriminants are the principal
        // components of the class means, each weighted by its share.
        let apart = DMatrix::from_fn(dimensions, classes.len(), |i, k| (means[k][i] - grand[i]) * share(k).sqrt());
        let white = root.solve_lower_triangular(&apart)?;
        let inner = white.transpose() * &white;
        let (values, vectors) = eigen(&Array2::from_shape_fn((classes.len(), classes.len()), |(a, b)| inner[(a, b)]));
        let dimensions_used = values.iter().take(classes.len() - 1).take_while(|&&v| v > 1e-9 * values[0] && v > 0.0).count();
        let turned = &white * DMatrix::from_fn(classes.len(), dimensions_used, |a, d| vectors[[a, d]] / values[d].sqrt());
        let directions = root.transpose().solve_upper_triangular(&turned)?;
        let projection = Array2::from_shape_fn((dimensions, dimensions_used), |(i, d)| directions[(i, d)] as f32);
        let grand = grand.mapv(|v| v as f32);
        let placed = |k: usize| (means[k].mapv(|v| v as f32) - &grand).dot(&projection);
        let classes = (0..classes.len()).map(|k| (classes[k].0, placed(k), share(k).ln() as f32)).collect();
        (dimensions_used > 0).then_some(Self { mean: grand, projection, classes })
    }

    /// Rows in the space of the discriminants, `[count, discriminants]`.
    pub fn apply(&self, rows: ArrayView2<f32>) -> Array2<f32> {
        product((&rows - &self.mean).view(), self.projection.view())
    }

    /// The most probable class of each row that [`Self::apply`] gave.
    pub fn classify(&self, placed: ArrayView2<f32>) -> Vec<u8> {
        let cost = |row: ndarray::ArrayView1<f32>, (_, centre, log_share): &(u8, Array1<f32>, f32)| {
            row.iter().zip(centre).map(|(a, b)| (a - b).powi(2)).sum::<f32>() - 2.0 * log_share
        };
        let nearest = |row: ndarray::ArrayView1<f32>| {
            self.classes.iter().min_by(|a, b| cost(row, a).total_cmp(&cost(row, b))).map_or(0, |class| class.0)
        };
        placed.rows().into_iter().map(nearest).collect()
    }

    /// The labels that occur, rising.
    pub fn labels(&self) -> impl Iterator<Item = u8> {
        self.classes.iter().map(|class| class.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{SeedableRng, rngs::ChaCha8Rng};
    use rand_distr::{Distribution, StandardNormal};

    /// Three classes in five dimensions, correlated within, their means apart in a plane; labels 1, 4 and 7.
    fn classes(count: usize, seed: u64) -> (Array2<f32>, Vec<u8>) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let labels: Vec<u8> = (0..count).map(|i| [1, 4, 7, 7][i % 4]).collect();
        let mut rows = Array2::from_shape_simple_fn((count, 5), || StandardNormal.sample(&mut rng));
        for (mut row, &label) in rows.rows_mut().into_iter().zip(&labels) {
            row[1] = 0.9 * row[0] + 0.4 * row[1]; // the best direction is not that between the means
            let mean: [f32; 2] = if label == 1 { [0.0, 0.0] } else { [2.0, if label == 4 { 2.0 } else { -1.0 }] };
            (row[0], row[2]) = (row[0] + mean[0], 2.0 * row[2] + mean[1]);
        }
        (rows, labels)
    }

    #[test]
    fn space_has_unit_covariance_within_classes_and_the_classifier_is_as_good_as_it_can_be() {
        let (rows, labels) = classes(4000, 1);
        let found = Discriminants::fit(rows.view(), &labels, 0.0).unwrap();
        assert_eq!(found.labels().collect::<Vec<_>>(), [1, 4, 7]);
        let placed = found.apply(rows.view());
        assert_eq!(placed.ncols(), 2);
        let mut within = Array2::<f64>::zeros((2, 2));
        for class in [1, 4, 7] {
            let members: Vec<usize> = (0..rows.nrows()).filter(|&i| labels[i] == class).collect();
            let members = placed.select(Axis(0), &members);
            let centre = mean(members.view());
            within += &(scatter(members.view(), |_| centre.view()) / 4000.0);
        }
        assert!(within.indexed_iter().all(|((i, j), v)| (v - f64::from(u8::from(i == j))).abs() < 1e-4), "{within}");
        // Bayes' rule with the true distribution on fresh rows, and the fitted one: as good within 4 standard errors of a share.
        let (fresh, truth) = classes(8000, 2);
        let right = |guess: &[u8]| guess.iter().zip(&truth).filter(|(a, b)| a == b).count() as f64 / 8000.0;
        let fitted = right(&found.classify(found.apply(fresh.view()).view()));
        let exact: Vec<u8> = fresh.rows().into_iter().map(|row| bayes(&row.to_vec())).collect();
        assert!((fitted - right(&exact)).abs() < 4.0 * (0.25f64 / 8000.0).sqrt(), "{fitted} against {}", right(&exact));
        assert!(fitted > 0.8);
        // Planted bug: without the covariance (shrunken away) the classifier falls behind.
        let blind = Discriminants::fit(rows.view(), &labels, 1.0).unwrap();
        let blind = right(&blind.classify(blind.apply(fresh.view()).view()));
        assert!(right(&exact) - blind > 4.0 * (0.25f64 / 8000.0).sqrt(), "{blind}");
    }

    /// The most probable class under the distribution that `classes` draws from.
    fn bayes(row: &[f32]) -> u8 {
        let cost = |mean: [f32; 2], share: f32| {
            let (a, c) = (row[0] - mean[0], (row[2] - mean[1]) / 2.0);
            let b = (row[1] - 0.9 * a) / 0.4;
            a * a + b * b + c * c - 2.0 * share.ln()
        };
        let costs = [(1, cost([0.0, 0.0], 0.25)), (4, cost([2.0, 2.0], 0.25)), (7, cost([2.0, -1.0], 0.5))];
        costs.iter().min_by(|a, b| a.1.total_cmp(&b.1)).unwrap().0
    }

    #[test]
    fn what_cannot_be_fitted_is_none() {
        let (rows, labels) = classes(40, 3);
        assert!(Discriminants::fit(rows.view(), &labels[1..], 0.1).is_none());
        assert!(Discriminants::fit(rows.view(), &[3; 40], 0.1).is_none(), "one class");
        let flat = Array2::<f32>::ones((40, 5));
        assert!(Discriminants::fit(flat.view(), &labels, 0.1).is_none(), "no variance");
        let few = Discriminants::fit(rows.slice(ndarray::s![..4, ..]), &labels[..4], 0.1).unwrap();
        assert_eq!(few.labels().count(), 3, "fewer rows than dimensions: shrinkage makes it well posed");
    }
}
