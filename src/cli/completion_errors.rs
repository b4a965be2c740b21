//! `heescope evaluate --completions`: how right completed images are, in value and in class (model.md 11).

use crate::analysis::image_evaluator::Images;
use crate::cli::console::Console;
use crate::cli::image_data::read_data;
use crate::data::{ImageSet, Part};
use crate::export::npz;
use crate::shown::one_line;
use crate::studies::completion::{CompletionErrors, class_agreement};
use crate::studies::generation::image_evaluation;
use anyhow::{anyhow, bail};
use ndarray::{Array2, Ix2, Ix3};
use std::path::Path;

/// Tells the errors of the completions in `file` and, by discriminants fitted to `data`, how their classes differ from the originals'.
pub(super) fn run(file: &Path, data: &str, json: bool) -> anyhow::Result<()> {
    let place = file.display();
    let mut archive = npz::open(file)?;
    let mut stack = |name: &str| -> anyhow::Result<(Array2<f32>, [usize; 2])> {
        if !archive.has(name) {
            bail!("{place}: no array {name}; completions are needed, as `heescope complete` writes them");
        }
        let array = archive.array(name)?;
        let shape = array.shape().to_vec();
        let found = array.into_dimensionality::<Ix3>();
        let found = found.map_err(|_| anyhow!("{place}: {name} has the shape {shape:?}, count x rows x columns is needed"))?;
        let (count, rows, columns) = found.dim();
        if let Some(image) = found.outer_iter().position(|image| image.iter().any(|value| !value.is_finite())) {
            bail!("{place}: {name}: image {image} holds a value that is not finite");
        }
        Ok((found.as_standard_layout().into_owned().into_shape_with_order((count, rows * columns))?, [rows, columns]))
    };
    let [(images, shape), (means, means_shape), (samples, samples_shape)] = [stack("images")?, stack("means")?, stack("samples")?];
    if images.dim() != means.dim() || images.dim() != samples.dim() || shape != means_shape || shape != samples_shape {
        bail!("{place}: images, means and samples have different shapes");
    }
    if images.is_empty() || !archive.has("mask") {
        bail!("{place}: images and a mask are needed, as `heescope complete` writes them");
    }
    let mask = archive.array("mask")?.into_dimensionality::<Ix2>().map_err(|_| anyhow!("{place}: mask is not rows x columns"))?;
    let hidden: Vec<bool> = mask.iter().map(|value| *value != 0.0).collect();
    if mask.dim() != (shape[0], shape[1]) || !hidden.contains(&true) {
        bail!("{place}: mask has to be {} x {}, with a pixel that is hidden", shape[0], shape[1]);
    }
    let errors = CompletionErrors::new(&means, &samples, images.view(), &hidden);
    let [training, reference] = [Part::Train, Part::Test].map(|part| read_data(data, part, shape));
    let (training, reference) = (training?, reference?);
    if reference.shape() != shape {
        let ([r, c], [rows, columns]) = (reference.shape(), shape);
        bail!("{place} has {rows} x {columns} pixels, the images of {data} {r} x {c}: one size is needed");
    }
    let labelled = |set: ImageSet| Images { pixels: set.pixels, labels: set.labels };
    let evaluator = image_evaluation::fit(shape, labelled(reference), labelled(training)).map_err(|error| anyhow!("{data}: {error}"))?;
    let classes = |images: &Array2<f32>| evaluator.classify(images.view());
    let agreement = classes(&images).zip(classes(&means)).map(|(of, found)| class_agreement(&of, &found, &evaluator.classes()));
    let (count, pixels) = (images.nrows(), hidden.iter().filter(|hidden| **hidden).count());
    let mut console = Console::new();
    if json {
        console.line(serde_json::json!({
            "file": place.to_string(), "data": data, "count": count, "hidden": pixels, "squared_error": errors, "classes": agreement,
        }));
    } else {
        let row = |what: &str, value: f64| format!("{what:<44}{value:>12.4}\n");
        let mut text = format!("{}: {count} images, {pixels} hidden pixels each\n\n", one_line(&place.to_string()));
        text += &row("mean squared error, posterior mean", errors.mean);
        text += &row("mean squared error, thresholded", errors.thresholded);
        text += &row("mean squared error, one draw", errors.sample);
        if let Some(agreement) = agreement {
            text += &row("same class as the original", agreement.same);
            text += &row("divergence of the classes, nats", agreement.divergence);
        }
        console.print(text);
    }
    console.finish()
}
