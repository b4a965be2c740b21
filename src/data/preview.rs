//! A look at one's own images before anything is learned from them: some of the pictures, small, and patches as they would be learned.

use crate::data::{
    DataError, ImagesReport, Part, PictureSize, Preparation, Progress, Source, Stimuli, images, notice, patches, prepared, read,
};
use image::imageops::{FilterType, resize};
use image::{ImageBuffer, Luma};
use ndarray::Array2;
use rand::{SeedableRng, rngs::ChaCha8Rng};
use std::path::PathBuf;

/// Files of pictures that are looked at, at most.
pub const MOST_FILES: usize = 24;
/// Whole images that are shown, at most.
const MOST_SHOWN: usize = 64;
/// Pixels of the longer side of a picture that is shown.
const SHOWN_SIDE: usize = 72;

/// What was seen.
#[derive(Clone, Debug, PartialEq)]
pub struct ImagePreview {
    /// Pictures, reduced: grey levels 0 to 1, `[rows, columns]` each.
    pub pictures: Vec<Array2<f32>>,
    /// Patches as they would be learned, `[count, side^2]`; none of whole images.
    pub patches: Array2<f32>,
    /// What was read, and what was left out.
    pub report: ImagesReport,
    /// Files of pictures that there are: more than are looked at, perhaps.
    pub files: usize,
}

/// What is looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct PreviewRequest {
    /// [`Source::Files`] or [`Source::Images`].
    pub source: Source,
    /// Files and folders.
    pub paths: Vec<PathBuf>,
    /// How patches are cut: `count` of them.
    pub patches: patches::Settings,
    /// What becomes of pictures before.
    pub preparation: Preparation,
    /// What becomes of whole images of another size.
    pub size: PictureSize,
    /// Of the places of the patches.
    pub seed: u64,
}

impl PreviewRequest {
    /// Reads them. Errors are those of [`crate::data::patches()`] and [`crate::data::whole`].
    pub fn preview(&self, progress: &Progress) -> Result<ImagePreview, DataError> {
        if self.source.is_whole() { self.whole(progress) } else { self.cut(progress) }
    }

    fn whole(&self, progress: &Progress) -> Result<ImagePreview, DataError> {
        let (set, notices) = read(&self.paths, Part::All, self.size, progress)?;
        let images = set.pixels.rows().into_iter().take(MOST_SHOWN);
        let pictures = images.filter_map(|image| Some(image.to_shape(set.shape()).ok()?.to_owned())).collect();
        let report = ImagesReport::new(set.len(), &notices);
        Ok(ImagePreview { pictures, patches: Array2::zeros((0, 0)), report, files: set.len() })
    }

    fn cut(&self, progress: &Progress) -> Result<ImagePreview, DataError> {
        let (mut files, notices) = images::files(&self.paths);
        let count = files.len();
        files.truncate(MOST_FILES);
        let smallest = self.patches.side + 2 * self.patches.border + 1;
        let loaded = images::load(&files, smallest, self.preparation.longest_side, progress);
        let notices = [notices, loaded.notices].concat();
        if progress.cancelled() {
            return Err(DataError::Cancelled);
        }
        if loaded.images.is_empty() {
            return Err(notice::nothing(&notices));
        }
        let pictures = loaded.images.iter().map(reduced).collect();
        let report = ImagesReport::new(loaded.images.len(), &notices);
        let white = prepared(&loaded.images, true, self.preparation, progress)?;
        let cut = Stimuli::Cut(patches::Patches::draw(white, &self.patches, &mut ChaCha8Rng::seed_from_u64(self.seed)));
        let patches = cut.copied(&Vec::from_iter(0..cut.len()));
        Ok(ImagePreview { pictures, patches, report, files: count })
    }
}

/// A picture in the size that is shown.
fn reduced(picture: &Array2<f32>) -> Array2<f32> {
    let (rows, columns) = picture.dim();
    let scale = (SHOWN_SIDE as f64 / rows.max(columns) as f64).min(1.0);
    let [rows_now, columns_now] = [rows, columns].map(|side| ((side as f64 * scale).round() as usize).max(1));
    let values: Vec<f32> = picture.iter().copied().collect();
    let Some(buffer) = ImageBuffer::<Luma<f32>, _>::from_raw(columns as u32, rows as u32, values) else { return picture.clone() };
    let small = resize(&buffer, columns_now as u32, rows_now as u32, FilterType::Triangle);
    Array2::from_shape_fn((rows_now, columns_now), |(row, column)| small.get_pixel(column as u32, row as u32).0[0])
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::GrayImage;

    fn request(paths: Vec<PathBuf>, preparation: Preparation) -> PreviewRequest {
        let patches = patches::Settings { side: 12, count: 40, border: 4, contrast_normalisation: true };
        PreviewRequest { source: Source::Files, paths, patches, preparation, size: PictureSize::Own, seed: 1 }
    }

    #[test]
    fn some_pictures_are_seen_with_patches_of_them_and_what_was_left_out() {
        let folder = tempfile::tempdir().unwrap();
        for i in 0..30u32 {
            let pixel = |x: u32, y: u32| Luma([((x * (i + 3) + y * y / 7) % 251) as u8]);
            GrayImage::from_fn(200, 100, pixel).save(folder.path().join(format!("{i:02}.png"))).unwrap();
        }
        std::fs::write(folder.path().join("03.png"), "no picture").unwrap();
        let paths = vec![folder.path().to_path_buf()];
        let usual = Preparation { longest_side: 0, whitening: true };
        let look = request(paths.clone(), usual).preview(&Progress::default()).unwrap();
        assert_eq!((look.files, look.pictures.len(), look.report.left_out.len()), (30, MOST_FILES - 1, 1));
        assert!(look.report.left_out[0].contains("03.png"), "{:?}", look.report);
        assert_eq!((look.pictures[0].dim(), look.patches.dim()), ((36, 72), (40, 144)));
        assert!(look.pictures.iter().flatten().all(|v| (0.0..=1.0).contains(v)));
        let variance = look.patches.iter().map(|v| v * v).sum::<f32>() / look.patches.len() as f32;
        assert!((variance - 1.0).abs() < 0.01, "patches as they are learned: {variance}");
        // What is chosen shows.
        for other in [Preparation { whitening: false, ..usual }, Preparation { longest_side: 64, ..usual }] {
            assert!(request(paths.clone(), other).preview(&Progress::default()).unwrap().patches != look.patches, "{other:?}");
        }
        let stopped = Progress::default();
        stopped.cancel();
        assert_eq!(request(paths, usual).preview(&stopped), Err(DataError::Cancelled));
        let nothing = request(vec![folder.path().join("03.png")], usual).preview(&Progress::default());
        assert!(nothing.unwrap_err().to_string().contains("03.png"));
    }

    #[test]
    fn whole_images_are_seen_as_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("images-idx3-ubyte");
        let header = [0x803u32, 100, 8, 8].into_iter().flat_map(u32::to_be_bytes);
        let level = |i: usize| (i * 7 % 251) as u8;
        std::fs::write(&path, Vec::from_iter(header.chain((0..6400).map(level)))).unwrap();
        let mut request = request(vec![path], Preparation::default());
        request.source = Source::Images;
        let look = request.preview(&Progress::default()).unwrap();
        assert_eq!((look.files, look.pictures.len(), look.patches.len()), (100, MOST_SHOWN, 0));
        assert_eq!(look.pictures[3][[0, 2]], f32::from(level(3 * 64 + 2)) / 255.0);
    }
}
