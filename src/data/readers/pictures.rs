//! A folder of pictures, each a whole image: all of one size, or scaled to the size that is wanted. Folders in it are classes.

use super::input::MOST_UNPACKED;
use super::too_few;
use super::values::Shape;
use crate::data::grey_scale::ValueRange;
use crate::data::images::{LONGEST_SIDE, Luma, MOST_PIXELS, common_scale, taken};
use crate::data::notice::first_left_out;
use crate::data::picture::{self, Header, PictureSize};
use crate::data::{ClassNames, DataError, ImageSet, Notice, Part, Progress, ReadError};
use image::ImageFormat;
use image::imageops::FilterType;
use ndarray::Array2;
use rayon::prelude::*;
use std::path::{Path, PathBuf};

/// Classes that are told apart at most: labels are bytes.
const MOST_CLASSES: usize = 256;
/// Pixels of a small picture, at most: its size can be that of a model.
const SMALL: usize = 64 * 64;

/// Pictures, and their classes where all of them have one.
pub(super) struct Labelled {
    /// Each with its label.
    files: Vec<(PathBuf, u8)>,
    /// Names by label; none where labels mean nothing.
    class_names: Option<ClassNames>,
    /// What is to be said of it.
    notice: Option<Notice>,
}

impl Labelled {
    /// Pictures that lie in no class, and those of each: where there are both, none has a label. Classes are mixed evenly, so that each
    /// has its share of every part of the pictures.
    pub(super) fn of(mut pictures: Vec<PathBuf>, classes: Vec<(String, Vec<PathBuf>)>) -> Self {
        let plain =
            |files: Vec<PathBuf>, notice| Self { files: files.into_iter().map(|path| (path, 0)).collect(), class_names: None, notice };
        let Some(first) = classes.first().and_then(|(_, files)| files.first()).cloned() else { return plain(pictures, None) };
        if !pictures.is_empty() || classes.len() > MOST_CLASSES {
            let why = match pictures.first() {
                Some(picture) => format!("no class is known: {} lies in none of the folders", picture.display()),
                None => format!("no class is known: {} folders, at most {MOST_CLASSES} classes are told apart", classes.len()),
            };
            pictures.extend(classes.into_iter().flat_map(|(_, files)| files));
            return plain(pictures, Some(taken(first.parent().unwrap_or(&first), why)));
        }
        let labels = labels(&classes);
        let mut files: Vec<(f64, PathBuf, u8)> = Vec::new();
        for ((_, all), &label) in classes.iter().zip(&labels) {
            let place = |i: usize| (i as f64 + 0.5) / all.len() as f64;
            files.extend(all.iter().enumerate().map(|(i, path)| (place(i), path.clone(), label)));
        }
        files.sort_by(|a, b| a.0.total_cmp(&b.0)); // stable: classes in their order
        let class_names = labels.into_iter().zip(classes.into_iter().map(|(name, _)| name)).collect();
        Self { files: files.into_iter().map(|(_, path, label)| (path, label)).collect(), class_names: Some(class_names), notice: None }
    }
}

/// The numbers that folders are named by, else their places.
fn labels(classes: &[(String, Vec<PathBuf>)]) -> Vec<u8> {
    let numbers: Option<Vec<u8>> = classes.iter().map(|(name, _)| name.parse().ok()).collect();
    let different = |numbers: &Vec<u8>| numbers.iter().enumerate().all(|(i, number)| !numbers[..i].contains(number));
    numbers.filter(different).unwrap_or_else(|| (0..classes.len()).map(|i| i as u8).collect())
}

/// A picture that is to be read, with its label: its path and what its header says.
struct Usable<'a> {
    path: &'a Path,
    label: u8,
    header: Header,
}

/// What the header says: an error where sizes are absurd, or the file too short for so many pixels.
fn header(path: &Path) -> Result<Header, ReadError> {
    let header @ Header { format, width, height } = picture::header(path)?;
    let pixels = u64::from(width) * u64::from(height);
    if pixels == 0 || width.max(height) > LONGEST_SIDE || pixels > MOST_PIXELS {
        return Err(format!("{width} x {height} pixels: 1 to {LONGEST_SIDE} a side and at most {MOST_PIXELS} in all are read").into());
    }
    let length = std::fs::metadata(path)?.len();
    if pixels > length.saturating_mul(MOST_UNPACKED) {
        // WebP keeps one colour in no bytes at all.
        let why = if format == ImageFormat::WebP { "are too few of them to be read" } else { "cannot hold them" };
        return Err(format!("{width} x {height} pixels: its {length} bytes {why}").into());
    }
    Ok(header)
}

/// Reads pictures on all cores, in their order, and leaves out with a message what cannot be read; the last tenth is held out. `size`
/// says what becomes of those of another size. Of more than `most` pixels the first pictures are read.
/// Memory: 4 bytes a pixel of the set, and at most 40 for each pixel of the pictures under way, one on each core.
pub(super) fn read(
    pictures: Labelled,
    part: Part,
    size: PictureSize,
    most: u64,
    progress: &Progress,
) -> Result<(ImageSet, Vec<Notice>), DataError> {
    let Labelled { files, class_names, notice } = pictures;
    let mut notices = Vec::from_iter(notice);
    let mut usable = usable(&files, &mut notices, progress)?;
    let Some(first) = usable.first().map(|picture| picture.path) else { return Err(nothing(&notices)) };
    let [rows, columns] = common_size(&usable, size)?;
    let room = (most / (rows as u64 * columns as u64)).max(1) as usize;
    if usable.len() > room {
        let how = format!("the first {room} of {} pictures are read: at most {most} pixels in all are", usable.len());
        notices.push(taken(first, how));
        usable.truncate(room);
    }
    let wanted = part.range(usable.len(), usable.len() / 10);
    if wanted.is_empty() {
        return Err(too_few(usable.len()));
    }
    let shape = Shape::checked(wanted.len() as u64, rows as u64, columns as u64).map_err(|problem| failed(first, problem))?;
    let (mut pixels, outcomes) = decode_all(&usable[wanted.clone()], shape, progress)?;
    let mut ranges: Vec<_> = outcomes.iter().flatten().copied().collect();
    if common_scale(ranges.iter().copied()).1.is_some() {
        // Both parts of a set are scaled alike, so the other one is looked at too: what is plain needs no look.
        let others: Vec<_> = usable[..wanted.start].iter().chain(&usable[wanted.end..]).collect();
        ranges.par_extend(others.into_par_iter().filter_map(|other| decoded(other, shape).ok()).map(|luma| (luma.is_real, luma.range)));
    }
    let (divisors, said) = common_scale(ranges.into_iter());
    notices.extend(said.map(|how| taken(first, how)));
    let labels = keep(&usable[wanted], outcomes, &mut pixels, divisors, &mut notices);
    let count = labels.len();
    if count == 0 {
        return Err(nothing(&notices));
    }
    let pixels = Array2::from_shape_vec((count, shape.pixels()), pixels).map_err(|e| failed(first, e.to_string().into()))?;
    let labels = class_names.is_some().then_some(labels);
    Ok((ImageSet { labels, class_names: class_names.unwrap_or_default(), ..ImageSet::new(pixels, [rows, columns]) }, notices))
}

fn failed(path: &Path, problem: ReadError) -> DataError {
    DataError::File { path: path.into(), problem }
}

/// The pictures whose headers are sound; the others are left out.
fn usable<'a>(files: &'a [(PathBuf, u8)], notices: &mut Vec<Notice>, progress: &Progress) -> Result<Vec<Usable<'a>>, DataError> {
    let mut usable = Vec::with_capacity(files.len());
    for (path, label) in files {
        match header(path) {
            Ok(header) => usable.push(Usable { path, label: *label, header }),
            Err(problem) => notices.push(failed(path, problem).into()),
        }
        if progress.cancelled() {
            return Err(DataError::Cancelled);
        }
    }
    Ok(usable)
}

/// Whether the numbers of a picture have no scale of their own, and what they range over; or why it cannot be read.
type Outcome = Result<(bool, ValueRange), DataError>;

/// Luma of all pictures one after the other, with a gap where one cannot be read.
fn decode_all(usable: &[Usable<'_>], shape: Shape, progress: &Progress) -> Result<(Vec<f32>, Vec<Outcome>), DataError> {
    let mut pixels = vec![0.0; shape.values()];
    progress.begin("reading images", usable.len());
    let outcomes = pixels
        .par_chunks_mut(shape.pixels())
        .zip(usable)
        .map(|(out, picture)| {
            if progress.cancelled() {
                return Err(DataError::Cancelled);
            }
            let outcome = decode(picture, shape, out).map_err(|problem| failed(picture.path, problem));
            progress.advance(1);
            outcome
        })
        .collect();
    if progress.cancelled() { Err(DataError::Cancelled) } else { Ok((pixels, outcomes)) }
}

/// Closes the gaps in `pixels`, and divides what remains by the divisor of its kind; answers the label of each picture that remains.
fn keep(usable: &[Usable<'_>], outcomes: Vec<Outcome>, pixels: &mut Vec<f32>, divisors: [f32; 2], notices: &mut Vec<Notice>) -> Vec<u8> {
    let (each, mut labels) = (pixels.len() / usable.len().max(1), Vec::with_capacity(usable.len()));
    for (i, (outcome, picture)) in outcomes.into_iter().zip(usable).enumerate() {
        match outcome {
            Ok((is_real, _)) => {
                let to = labels.len() * each;
                pixels.copy_within(i * each..(i + 1) * each, to);
                let divisor = divisors[usize::from(is_real)];
                if divisor != 1.0 {
                    pixels[to..to + each].iter_mut().for_each(|v| *v /= divisor);
                }
                labels.push(picture.label);
            }
            Err(error) => notices.push(error.into()),
        }
    }
    pixels.truncate(labels.len() * each);
    labels
}

fn nothing(notices: &[Notice]) -> DataError {
    first_left_out(notices).cloned().unwrap_or_else(|| DataError::Nothing("no picture was named".into()))
}

/// The rows and columns that all pictures get.
fn common_size(usable: &[Usable<'_>], wanted: PictureSize) -> Result<[usize; 2], DataError> {
    let size = |picture: &Usable<'_>| [picture.header.height as usize, picture.header.width as usize];
    let Some(first) = usable.first() else { return Err(too_few(0)) };
    let own @ [rows, columns] = size(first);
    let other = usable.iter().map(size).find(|other| *other != own);
    let agree = |keeps: bool| other.is_none() && keeps;
    let square = |pixels: usize| Some([pixels.isqrt(); 2]).filter(|[side, _]| side * side == pixels);
    let (keeps, scaled) = match wanted {
        PictureSize::Own => (true, None),
        PictureSize::Exactly(shape) => (false, Some(shape)),
        PictureSize::Pixels(pixels) => (rows * columns == pixels, square(pixels)),
        PictureSize::Usually(pixels) => (rows * columns == pixels || (rows != columns && rows * columns <= SMALL), square(pixels)),
    };
    match (scaled, other) {
        _ if agree(keeps || scaled.is_none()) => Ok(own),
        (Some(scaled), _) => Ok(scaled),
        (None, other) => {
            let [other_rows, other_columns] = other.unwrap_or(own);
            let problem = format!("{columns} x {rows} pixels, others are {other_columns} x {other_rows}: whole images must be of one size");
            Err(DataError::File { path: first.path.into(), problem: problem.into() })
        }
    }
}

/// One picture in that shape.
fn decoded(picture: &Usable<'_>, shape: Shape) -> Result<Luma, ReadError> {
    let mut decoded = picture::decode(picture.path, picture.header)?;
    let (width, height) = (shape.columns as u32, shape.rows as u32);
    if (decoded.image.width(), decoded.image.height()) != (width, height) {
        decoded.image = decoded.image.resize_to_fill(width, height, FilterType::Triangle);
    }
    Luma::of(&decoded)
}

/// Luma of one picture of that shape into `out`. Returns whether it has no scale of its own, and what it ranges over.
fn decode(picture: &Usable<'_>, shape: Shape, out: &mut [f32]) -> Result<(bool, ValueRange), ReadError> {
    let Luma { values, range, is_real } = decoded(picture, shape)?;
    if values.len() != out.len() {
        return Err(format!("{} pixels, where its header promises others", values.len()).into());
    }
    out.iter_mut().zip(&values).for_each(|(slot, &v)| *slot = v);
    Ok((is_real, range))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes(sizes: &[(&str, usize)]) -> Vec<(String, Vec<PathBuf>)> {
        let files = |(name, count): &(&str, usize)| (0..*count).map(|i| Path::new(name).join(format!("{i:02}"))).collect();
        sizes.iter().map(|class| (class.0.to_string(), files(class))).collect()
    }

    #[test]
    fn folders_are_labels_and_each_has_its_share_of_the_last_tenth() {
        let found = Labelled::of(Vec::new(), classes(&[("cat", 60), ("dog", 30), ("owl", 10)]));
        let names = found.class_names.unwrap();
        assert_eq!([0, 1, 2, 3].map(|class| names.of(class)), ["cat", "dog", "owl", "3"]);
        assert!(found.files.iter().all(|(path, label)| path.starts_with(["cat", "dog", "owl"][usize::from(*label)])));
        let held_out = |label| found.files[90..].iter().filter(|(_, l)| *l == label).count();
        assert_eq!([0, 1, 2].map(held_out), [6, 3, 1]);
        let numbered = Labelled::of(Vec::new(), classes(&[("0", 1), ("10", 1), ("9", 1)]));
        assert_eq!(numbered.files.iter().map(|(_, label)| *label).collect::<Vec<_>>(), [0, 10, 9]);
        let twice = Labelled::of(Vec::new(), classes(&[("01", 1), ("1", 1)]));
        assert_eq!(twice.files.iter().map(|(_, label)| *label).collect::<Vec<_>>(), [0, 1], "two folders, two classes");
    }

    #[test]
    fn where_some_picture_has_no_class_none_has() {
        let found = Labelled::of(vec!["alone.png".into()], classes(&[("cat", 2)]));
        assert!(found.class_names.is_none() && found.files.len() == 3);
        assert!(found.notice.unwrap().to_string().contains("alone.png lies in none of the folders"));
        let many: Vec<_> = (0..300).map(|i| (format!("class {i:03}"), vec![PathBuf::from(format!("{i}"))])).collect();
        let found = Labelled::of(Vec::new(), many);
        assert!(found.class_names.is_none() && found.files.len() == 300 && found.notice.unwrap().to_string().contains("300 folders"));
    }
}
