//! `heescope evaluate`: how close generated images come to a data set, beside the floor that real images reach.

use crate::analysis::image_evaluator::{Evaluation, ImageEvaluator, Images};
use crate::cli::completion_errors;
use crate::cli::console::Console;
use crate::cli::image_data::read_data;
use crate::cli::likelihood::LikelihoodOptions;
use crate::data::{ClassNames, ImageSet, Part};
use crate::export::npz;
use crate::shown::{one_line, shown};
use crate::studies::generation::image_evaluation;
use anyhow::{anyhow, bail};
use ndarray::{Array2, Axis, Ix3};
use rand::{SeedableRng, rngs::ChaCha8Rng};
use std::fmt::Write;
use std::path::{Path, PathBuf};

const HELP: &str = "\
The floor is the same figure for as many real images (training images that nothing was fitted to): generated images cannot be
told from data where they reach it. Every figure depends on the number of images: compare only those of one count.

What each number sees:
  Frechet, random features  strokes, textures and their places: means and covariances of 128 whitened features of a fixed random
                            convolutional network; it does not know whether a figure can be read
  Frechet, discriminants    class structure: linear discriminants of the same features where labels are known; it does not see
                            what no class differs in. The features of a trained classifier would tell good generators apart more clearly
  precision                 share of images that look like data (within the third neighbour of some held-out image): broken ones lower it
  recall                    share of held-out images that the generated ones look like: collapse lowers it
  nearest training image    root of the sum of squares over pixels; beside it that of held-out images. Blurred images are close to everything
  closer than 95 %          share closer to a training image than 95 % of held-out images are: above 0.05 where images are memorised
  class shares              by the discriminants, whose share of rightly told held-out images stands beside them";

/// Options of `evaluate`.
#[derive(clap::Args, Debug)]
#[command(after_long_help = HELP, after_help = "--help tells what each number sees")]
pub(super) struct Evaluate {
    /// File of generated images (NPZ: samples, means, each count x rows x columns)
    #[arg(long, required_unless_present_any = ["likelihood", "completions"], conflicts_with_all = ["likelihood", "completions"])]
    samples: Option<PathBuf>,
    /// File of completed images, as `complete` writes it: tell their errors, and how their classes differ from the originals'
    #[arg(long, conflicts_with_all = ["likelihood", "count", "array"])]
    completions: Option<PathBuf>,
    /// Images to compare with: digits, fashion, or a file or folder of images (of MNIST's files train is learned from, t10k held out)
    #[arg(long)]
    data: String,
    /// Images to compare at most
    #[arg(long)]
    count: Option<usize>,
    /// Array to evaluate; means where the file has them
    #[arg(long, value_enum, conflicts_with = "likelihood")]
    array: Option<Kind>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    likelihood: LikelihoodOptions,
}

/// Which array of the file.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Kind {
    Samples,
    Means,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Samples => "samples",
            Self::Means => "means",
        }
    }
}

impl Evaluate {
    pub(super) fn run(self) -> anyhow::Result<()> {
        if self.likelihood.likelihood {
            return self.likelihood.run(&self.data, self.count, self.json);
        }
        if let Some(file) = &self.completions {
            return completion_errors::run(file, &self.data, self.json);
        }
        let Some(samples) = &self.samples else { bail!("--samples is needed, or --completions, or --likelihood") };
        let (name, images, size) = read_images(samples, self.array)?;
        let place = format!("{}: {name}", samples.display());
        if let Some(image) = images.rows().into_iter().position(|row| row.iter().any(|v| !v.is_finite())) {
            bail!("{place}: image {image} holds a value that is not finite");
        }
        let [training, reference] = [Part::Train, Part::Test].map(|part| read_data(&self.data, part, size));
        let (training, reference) = (training?, reference?);
        if reference.shape() != size {
            let ([r, c], d) = (size, &reference);
            bail!("{place} has {r} x {c} pixels, the images of {} {} x {}: one size is needed", self.data, d.rows, d.columns);
        }
        let count = self.count.unwrap_or(images.nrows());
        for (what, found) in [(place.as_str(), images.nrows()), ("--count", count)] {
            if found < ImageEvaluator::FEWEST {
                bail!("{what}: {found} images, at least {} are needed", ImageEvaluator::FEWEST);
            }
        }
        let names = training.class_names.clone();
        let labelled = |set: ImageSet| Images { pixels: set.pixels, labels: set.labels };
        let evaluator = image_evaluation::fit(size, labelled(reference), labelled(training)).map_err(|e| anyhow!("{}: {e}", self.data))?;
        // A distance falls with the number of images, so there are no more than the floor can be given for.
        let count = count.min(images.nrows()).min(evaluator.most_comparable());
        let chosen = rand::seq::index::sample(&mut ChaCha8Rng::seed_from_u64(0), images.nrows(), count).into_vec();
        let found = evaluator.evaluate(images.select(Axis(0), &chosen).view()).map_err(|e| anyhow!("{place}: {e}"))?;
        let floor = evaluator.floor(count);
        let mut console = Console::new();
        if self.json {
            console.line(report([&samples.display().to_string(), &self.data, name], &evaluator, &names, [&found, &floor])?);
        } else {
            console.print(table([&samples.display().to_string(), &self.data, name], &evaluator, &names, [&found, &floor]));
        }
        console.finish()
    }
}

/// The array's name, its images `[count, pixels]`, and their rows and columns.
fn read_images(path: &Path, kind: Option<Kind>) -> anyhow::Result<(&'static str, Array2<f32>, [usize; 2])> {
    let mut file = npz::open(path)?;
    let kind = kind.unwrap_or(if file.has("means") { Kind::Means } else { Kind::Samples });
    let name = kind.name();
    if !file.has(name) {
        bail!(
            "{}: no array {name}; generated images are needed, count x rows x columns, as `heescope generate` writes them",
            path.display()
        );
    }
    let array = file.array(name)?;
    let shape = array.shape().to_vec();
    let images = array.into_dimensionality::<Ix3>().map_err(|_| {
        anyhow!("{}: {name} has the shape {shape:?}, count x rows x columns is needed{}", path.display(), reshaped(name, &shape))
    })?;
    let (count, rows, columns) = images.dim();
    let flat = images.as_standard_layout().into_owned().into_shape_with_order((count, rows * columns));
    Ok((name, flat.map_err(|e| anyhow!("{}: {name}: {e}", path.display()))?, [rows, columns]))
}

/// The line of NumPy that makes square images of rows of values, where it can.
fn reshaped(name: &str, shape: &[usize]) -> String {
    match *shape {
        [count, values] if values.isqrt().pow(2) == values => format!(": {name}.reshape({count}, {0}, {0})", values.isqrt()),
        _ => String::new(),
    }
}

/// `given` are the file of images, the data and the array's name.
fn report(
    given: [&str; 3],
    evaluator: &ImageEvaluator,
    names: &ClassNames,
    [found, floor]: [&Evaluation; 2],
) -> anyhow::Result<serde_json::Value> {
    let [file, data, name] = given;
    Ok(serde_json::json!({
        "file": file,
        "array": name,
        "data": data,
        "training_count": evaluator.training_count(),
        "generated": serde_json::to_value(found)?,
        "floor": serde_json::to_value(floor)?,
        "classes": evaluator.classes(),
        "class_names": evaluator.classes().into_iter().map(|class| names.of(class)).collect::<Vec<_>>(),
        "reference_class_shares": evaluator.reference_shares(),
        "discriminants_accuracy": evaluator.accuracy(),
    }))
}

fn table([file, data, name]: [&str; 3], evaluator: &ImageEvaluator, names: &ClassNames, [found, floor]: [&Evaluation; 2]) -> String {
    let mut text = format!(
        "{}: {} {name} against {} held-out images of {}; {} training images\n\n{:<34}{:>16}{:>16}\n",
        one_line(file),
        found.count,
        found.reference_count,
        one_line(data),
        evaluator.training_count(),
        "",
        name,
        "floor"
    );
    let mut row = |what: String, values: [String; 2]| {
        let _ = writeln!(text, "{what:<34}{:>16}{:>16}", values[0], values[1]); // writing to a string does not fail
    };
    let number = |value: f64| if value >= 9.995 { format!("{value:.1}") } else { format!("{value:.3}") };
    row("Frechet, random features".into(), [found, floor].map(|j| number(j.frechet)));
    if let (Some(a), Some(b)) = (found.frechet_classes, floor.frechet_classes) {
        row("Frechet, discriminants".into(), [a, b].map(number));
    }
    row(format!("precision ({} images each)", found.manifold_count), [found, floor].map(|j| number(j.precision)));
    row("recall".into(), [found, floor].map(|j| number(j.recall)));
    let distance = |j: &Evaluation| format!("{:.3} +- {:.3}", j.nearest_training, j.nearest_training_error);
    row(format!("nearest training image ({})", found.nearest_count), [found, floor].map(distance));
    row("closer than 95 % of held-out".into(), [found, floor].map(|j| number(j.close_share)));
    if let (Some(shares), Some(reference)) = (&found.class_shares, evaluator.reference_shares()) {
        let _ = writeln!(text, "\n{:<34}{:>16}{:>16}", "class shares", name, "held-out");
        for ((class, share), real) in evaluator.classes().iter().zip(shares).zip(reference) {
            let _ = writeln!(text, "{:<34}{share:>16.3}{real:>16.3}", shown(&names.of(*class)));
        }
        if let Some(accuracy) = evaluator.accuracy() {
            let _ = writeln!(text, "(the discriminants tell {:.1} % of held-out images rightly)", 100.0 * accuracy);
        }
    }
    text
}
