//! Pictures from outside: as they are meant to be seen, whole, of every format that is read, in folders by class; what is none of these
//! is named and left out.

use crate::program::{heescope, succeeds};
use heescope::data::images::load;
use heescope::data::patches::Settings;
use heescope::data::{DataError, ImageSet, Notice, Part, PictureSize, Preparation, Progress, Source, patches, read};
use image::{DynamicImage, ExtendedColorType, GrayImage, ImageEncoder, ImageFormat, Luma, Rgb, Rgba};
use std::path::Path;

/// A picture that looks different from every side.
fn picture(width: u32, height: u32, seed: u32) -> GrayImage {
    GrayImage::from_fn(width, height, |x, y| Luma([((x * 37 + y * 101 + seed * 53 + x * y * 3) % 256) as u8]))
}

/// Whole images of a folder, with a line for each thing that was said.
fn whole(folder: &Path, part: Part, size: PictureSize) -> (ImageSet, Vec<String>) {
    let (set, notices) = read(&[folder.into()], part, size, &Progress::default()).unwrap();
    (set, notices.iter().map(ToString::to_string).collect())
}

/// The only picture of a folder.
fn only(folder: &Path) -> ImageSet {
    let (set, said) = whole(folder, Part::All, PictureSize::Own);
    assert!(set.len() == 1 && said.is_empty(), "{} images, {said:?}", set.len());
    set
}

fn greys(picture: &GrayImage) -> Vec<f32> {
    picture.pixels().map(|p| f32::from(p[0]) / 255.0).collect()
}

fn close(set: &ImageSet, image: usize, expected: &[f32], most: f32) -> bool {
    set.pixels.row(image).iter().zip(expected).all(|(a, b)| (a - b).abs() <= most)
}

/// EXIF that says nothing but how the picture is turned.
fn exif(orientation: u8) -> Vec<u8> {
    let tag = [0x12, 0x01, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0];
    [&b"II*\0\x08\0\0\0\x01\0"[..], &tag, &[0; 4]].concat()
}

fn write_turned(mut encoder: impl ImageEncoder, picture: &GrayImage, orientation: u8) {
    let rgb = DynamicImage::ImageLuma8(picture.clone()).to_rgb8();
    encoder.set_exif_metadata(exif(orientation)).unwrap();
    encoder.write_image(rgb.as_raw(), rgb.width(), rgb.height(), ExtendedColorType::Rgb8).unwrap();
}

#[test]
fn pictures_are_turned_as_their_exif_says() {
    let original = picture(12, 9, 1);
    let at = |x: u32, y: u32| f32::from(original.get_pixel(x, y)[0]) / 255.0;
    for orientation in 1..=8u8 {
        for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP] {
            let folder = tempfile::tempdir().unwrap();
            let file = std::fs::File::create(folder.path().join("picture")).unwrap();
            match format {
                ImageFormat::Png => write_turned(image::codecs::png::PngEncoder::new(file), &original, orientation),
                ImageFormat::Jpeg => {
                    write_turned(image::codecs::jpeg::JpegEncoder::new_with_quality(file, 100), &original, orientation);
                }
                _ => write_turned(image::codecs::webp::WebPEncoder::new_lossless(file), &original, orientation),
            }
            let set = only(folder.path());
            let turned = orientation >= 5;
            assert_eq!([set.rows, set.columns], if turned { [12, 9] } else { [9, 12] }, "{format:?} {orientation}");
            let (right, bottom) = (11, 8);
            // Which pixel of the file is seen in row r and column c (EXIF 2.3, tag 0x0112).
            let seen = |r: u32, c: u32| match orientation {
                1 => at(c, r),
                2 => at(right - c, r),
                3 => at(right - c, bottom - r),
                4 => at(c, bottom - r),
                5 => at(r, c),
                6 => at(r, bottom - c),
                7 => at(right - r, bottom - c),
                _ => at(right - r, c),
            };
            let expected: Vec<f32> =
                (0..set.rows as u32).flat_map(|r| (0..set.columns as u32).map(move |c| (r, c))).map(|(r, c)| seen(r, c)).collect();
            let error: f32 = set.pixels.row(0).iter().zip(&expected).map(|(a, b)| (a - b).abs()).sum::<f32>() / expected.len() as f32;
            assert!(error < if format == ImageFormat::Jpeg { 0.02 } else { 1e-5 }, "{format:?} {orientation}: {error}");
        }
    }
}

#[test]
fn transparency_is_laid_on_white() {
    let folder = tempfile::tempdir().unwrap();
    let picture = image::RgbaImage::from_fn(8, 8, |x, y| Rgba([(x * 30) as u8, (x * 30) as u8, (x * 30) as u8, (y * 36) as u8]));
    picture.save(folder.path().join("a.png")).unwrap();
    let set = only(folder.path());
    for (i, value) in set.pixels.row(0).iter().enumerate() {
        let (grey, alpha) = ((i % 8) as f32 * 30.0 / 255.0, (i / 8) as f32 * 36.0 / 255.0);
        assert!((value - (1.0 - alpha * (1.0 - grey))).abs() < 1e-4, "pixel {i}: {value}");
    }
    // Patches of such a picture see the same: hidden black is white.
    image::RgbaImage::from_fn(60, 60, |x, y| Rgba([0, 0, 0, if (20..40).contains(&x) && (20..40).contains(&y) { 255 } else { 0 }]))
        .save(folder.path().join("a.png"))
        .unwrap();
    let loaded = load(&[folder.path().into()], 21, 0, &Progress::default());
    assert_eq!([loaded.images[0][[0, 0]], loaded.images[0][[30, 30]]], [1.0, 0.0]);
}

#[test]
fn five_formats_are_read_alike_and_others_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let original = picture(10, 9, 2);
    for name in ["a.png", "b.tif", "c.bmp", "d.webp", "e.jpg"] {
        DynamicImage::ImageLuma8(original.clone()).to_rgb8().save(at(name)).unwrap();
    }
    DynamicImage::ImageLuma8(original.clone()).to_rgb8().save(at("f.gif")).unwrap();
    std::fs::write(at("g.heic"), b"\0\0\0\x18ftypheic\0\0\0\0").unwrap();
    std::fs::write(at("h.jxl"), b"something else").unwrap();
    std::fs::write(at("notes.txt"), b"no picture, and not named like one").unwrap();
    let (set, said) = whole(folder.path(), Part::All, PictureSize::Own);
    assert_eq!(set.len(), 5);
    assert!((0..4).all(|i| close(&set, i, &greys(&original), 1e-5)), "lossless formats are exact");
    let named = |name: &str, part: &str| said.iter().filter(|line| line.contains(name) && line.contains(part)).count() == 1;
    assert!(named("f.gif", "GIF") && named("g.heic", "HEIC") && named("h.jxl", "JPEG, TIFF, WebP or BMP") && said.len() == 3, "{said:?}");
    assert!(said.iter().all(|line| line.starts_with("left out: ")), "{said:?}");
}

#[test]
fn sixteen_bits_and_numbers_without_a_scale_are_scaled_by_what_they_hold() {
    let folder = tempfile::tempdir().unwrap();
    for i in 0..20u16 {
        image::ImageBuffer::from_fn(8, 8, |x, y| Luma([(x * 100 + y * 30) as u16 + i]))
            .save(folder.path().join(format!("{i:02}.png")))
            .unwrap();
    }
    let (set, said) = whole(folder.path(), Part::All, PictureSize::Own);
    assert!(said.len() == 1 && said[0].contains("far below 1"), "{said:?}");
    let most = 700.0 + 210.0 + 19.0;
    assert!((set.pixels[[19, 63]] - 1.0).abs() < 1e-6 && (set.pixels[[3, 9]] - 133.0 / most).abs() < 1e-4);
    // The parts are scaled alike, though the brightest picture is held out.
    let (train, _) = whole(folder.path(), Part::Train, PictureSize::Own);
    assert!((train.pixels[[17, 63]] - (700.0 + 210.0 + 17.0) / most).abs() < 1e-4);
    let floats = tempfile::tempdir().unwrap();
    image::Rgb32FImage::from_fn(8, 8, |x, y| Rgb([(x + y) as f32; 3])).save(floats.path().join("a.tif")).unwrap();
    let (set, said) = whole(floats.path(), Part::All, PictureSize::Own);
    assert!(said.len() == 1 && said[0].contains("divided by 14"), "{said:?}");
    assert!((set.pixels[[0, 9]] - 2.0 / 14.0).abs() < 1e-5);
    image::Rgb32FImage::from_fn(8, 8, |x, _| Rgb([x as f32 - 3.0; 3])).save(floats.path().join("b.tif")).unwrap();
    let (set, said) = whole(floats.path(), Part::All, PictureSize::Own);
    assert!(set.len() == 1 && said.iter().any(|line| line.contains("b.tif") && line.contains("values from -3 to 4")), "{said:?}");
}

#[test]
fn files_that_end_early_are_left_out_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: String| folder.path().join(name);
    for (ending, format) in [
        ("png", ImageFormat::Png),
        ("jpg", ImageFormat::Jpeg),
        ("webp", ImageFormat::WebP),
        ("tif", ImageFormat::Tiff),
        ("bmp", ImageFormat::Bmp),
    ] {
        let whole = at(format!("whole.{ending}"));
        DynamicImage::ImageLuma8(picture(64, 48, 3)).to_rgb8().save_with_format(&whole, format).unwrap();
        let bytes = std::fs::read(&whole).unwrap();
        for share in [3, 6, 9] {
            std::fs::write(at(format!("cut{share}.{ending}")), &bytes[..bytes.len() * share / 10]).unwrap();
        }
        std::fs::write(at(format!("cut1.{ending}")), &bytes[..bytes.len() - 1]).unwrap();
    }
    let loaded = load(&[folder.path().into()], 21, 0, &Progress::default());
    let said: Vec<String> = loaded.notices.iter().map(ToString::to_string).collect();
    assert_eq!(loaded.images.len(), 5, "{said:?}");
    assert!(said.len() == 20 && said.iter().all(|line| line.starts_with("left out: ") && line.contains("cut")), "{said:?}");
    let (set, said) = whole(folder.path(), Part::All, PictureSize::Own);
    assert_eq!((set.len(), said.len()), (5, 20), "{said:?}");
}

#[test]
fn folders_of_folders_are_classes() {
    let folder = tempfile::tempdir().unwrap();
    for (class, seed) in [("cat", 0), ("dog", 100), ("owl", 200)] {
        std::fs::create_dir(folder.path().join(class)).unwrap();
        for i in 0..20 {
            picture(9, 9, seed + i).save(folder.path().join(class).join(format!("{i:02}.png"))).unwrap();
        }
    }
    std::fs::create_dir(folder.path().join(".thumbnails")).unwrap();
    picture(9, 9, 7).save(folder.path().join(".thumbnails/a.png")).unwrap();
    std::fs::write(folder.path().join("cat/film.gif"), b"GIF89a").unwrap();
    let of = |part| whole(folder.path(), part, PictureSize::Own);
    let ((train, said), (test, _)) = (of(Part::Train), of(Part::Test));
    assert!(said.len() == 1 && said[0].contains("film.gif"), "{said:?}");
    assert_eq!((train.len(), test.len()), (54, 6));
    for (set, each) in [(&train, 18), (&test, 2)] {
        let labels = set.labels.as_ref().unwrap();
        assert!((0..3).all(|class| labels.iter().filter(|&&l| l == class).count() == each), "{labels:?}");
    }
    assert_eq!([0, 1, 2].map(|class| train.class_names.of(class)), ["cat", "dog", "owl"]);
    // A label goes with its picture.
    let all = of(Part::All).0;
    let labels = all.labels.clone().unwrap();
    let own = |image: usize, seed: u32| (0..20).any(|i| close(&all, image, &greys(&picture(9, 9, seed + i)), 1e-5));
    assert!((0..60).all(|image| own(image, 100 * u32::from(labels[image]))), "{labels:?}");
    // Patches are cut from pictures in such folders too.
    let loaded = load(&[folder.path().into()], 9, 0, &Progress::default());
    assert_eq!((loaded.images.len(), loaded.notices.len()), (60, 1));
}

#[test]
fn large_pictures_are_reduced_before_patches_are_cut_from_them() {
    let folder = tempfile::tempdir().unwrap();
    picture(1200, 900, 1).save(folder.path().join("large.png")).unwrap();
    picture(300, 200, 2).save(folder.path().join("small.png")).unwrap();
    let sizes = |longest: usize| {
        load(&[folder.path().into()], 21, longest, &Progress::default()).images.iter().map(|i| i.dim()).collect::<Vec<_>>()
    };
    assert_eq!(sizes(512), [(384, 512), (200, 300)]);
    assert_eq!(sizes(0), [(900, 1200), (200, 300)]);
    let mut config = heescope::experiment::presets::by_name("dead-leaves").unwrap();
    config.use_images(vec![folder.path().into()]);
    assert_eq!(config.data.longest_side, 512, "unless something else is asked for");
    config.data.longest_side = 800;
    config.use_images(vec![folder.path().into()]);
    assert_eq!(config.data.longest_side, 800);
}

#[test]
fn patches_are_whitened_or_not_as_is_asked_for() {
    // Neighbouring pixels of a smooth picture are alike, and whitening takes that away.
    let folder = tempfile::tempdir().unwrap();
    let smooth = |x: u32, y: u32| 120.0 + 60.0 * (0.11 * f64::from(x)).sin() + 50.0 * (0.07 * f64::from(y) + 0.03 * f64::from(x)).cos();
    let grain = |x: u32, y: u32| f64::from((x * 7919 + y * 104_729 + x * y) % 17);
    GrayImage::from_fn(200, 160, |x, y| Luma([(smooth(x, y) + grain(x, y)) as u8])).save(folder.path().join("a.png")).unwrap();
    let settings = Settings { side: 12, count: 400, border: 4, contrast_normalisation: false };
    let alike = |whitening: bool| {
        let preparation = Preparation { longest_side: 0, whitening };
        let (set, _) = patches(Source::Files, &[folder.path().into()], &settings, preparation, 1, &Progress::default()).unwrap();
        let all = set.copied(&Vec::from_iter(0..set.len()));
        let pairs = |i: usize| f64::from(all.column(i).dot(&all.column(i + 1)));
        let own = |i: usize| f64::from(all.column(i).dot(&all.column(i)));
        (0..143).map(pairs).sum::<f64>() / (0..143).map(own).sum::<f64>()
    };
    assert!(alike(false) > 2.0 * alike(true), "{} {}", alike(false), alike(true));
}

#[test]
fn pictures_of_one_size_that_is_not_square_keep_it() {
    let folder = tempfile::tempdir().unwrap();
    (0..20).for_each(|i| picture(12, 7, i).save(folder.path().join(format!("{i:02}.png"))).unwrap());
    let shape = |size| whole(folder.path(), Part::All, size).0.shape();
    assert_eq!(shape(PictureSize::Own), [7, 12]);
    assert_eq!(shape(PictureSize::Usually(64)), [7, 12], "a new model takes it");
    assert_eq!(shape(PictureSize::Pixels(84)), [7, 12], "an old file says only how many pixels");
    assert_eq!(shape(PictureSize::Pixels(64)), [8, 8], "a model of another size has them scaled");
    assert_eq!(shape(PictureSize::Exactly([14, 24])), [14, 24]);
    picture(40, 40, 1).save(folder.path().join("99.png")).unwrap();
    assert_eq!(shape(PictureSize::Usually(64)), [8, 8], "where sizes differ a square is cut from each");
}

#[cfg(unix)]
#[test]
fn what_is_no_regular_file_is_left_out_and_waited_for_by_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    picture(64, 64, 1).save(at("a.png")).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(at("pipe.png")).status().unwrap().success());
    std::os::unix::fs::symlink("/dev/zero", at("device.png")).unwrap();
    std::os::unix::fs::symlink("nowhere", at("dangling.png")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(at("socket.png")).unwrap();
    std::os::unix::fs::symlink(at("a.png"), at("link.png")).unwrap();
    let named = |said: &[String]| ["pipe", "device", "dangling", "socket"].iter().all(|name| said.iter().any(|line| line.contains(name)));
    let (set, said) = whole(folder.path(), Part::All, PictureSize::Own);
    assert!(set.len() == 2 && said.len() == 4 && named(&said), "a link is followed: {said:?}");
    let loaded = load(&[folder.path().into()], 21, 0, &Progress::default());
    let said: Vec<String> = loaded.notices.iter().map(ToString::to_string).collect();
    assert!(loaded.images.len() == 2 && said.len() == 4 && named(&said), "{said:?}");
    // Named by itself, in both ways of reading.
    let error = read(&[at("pipe.png")], Part::All, PictureSize::Own, &Progress::default()).unwrap_err().to_string();
    assert!(error.contains("pipe.png: neither a regular file nor a folder"), "{error}");
    let loaded = load(&[at("pipe.png"), at("device.png")], 21, 0, &Progress::default());
    assert!(loaded.images.is_empty() && loaded.notices.len() == 2, "{:?}", loaded.notices);
}

#[test]
fn the_program_tells_what_it_left_out_and_learns_from_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::create_dir(folder.join("mine")).unwrap();
    picture(90, 80, 1).save(folder.join("mine/whole.jpg")).unwrap();
    let bytes = std::fs::read(folder.join("mine/whole.jpg")).unwrap();
    std::fs::write(folder.join("mine/half.jpg"), &bytes[..bytes.len() / 2]).unwrap();
    let train = |data| ["train", "--preset", "photographs", "--data", data, "--images", "200", "--set", "patches=500", "--out", "m.npz"];
    let output = heescope(folder, &train("mine"));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && text.trim().lines().count() == 1 && text.starts_with("left out: mine/half.jpg: "), "{text}");
    let alone = heescope(folder, &train("mine/half.jpg"));
    let text = String::from_utf8(alone.stderr).unwrap();
    assert!(alone.status.code() == Some(1) && text.contains("mine/half.jpg") && text.contains("ends before"), "{text}");
    for class in ["a", "b"] {
        std::fs::create_dir_all(folder.join("classes").join(class)).unwrap();
        (0..20).for_each(|i| picture(9, 9, i).save(folder.join("classes").join(class).join(format!("{i}.png"))).unwrap());
    }
    succeeds(folder, &["train", "--preset", "digits", "--data", "classes", "--images", "200", "--out", "m.npz"]);
}

#[test]
fn notices_are_lines_of_their_own() {
    let left_out = Notice::from(DataError::File { path: "a.png".into(), problem: "an empty file".into() });
    assert_eq!(left_out.to_string(), "left out: a.png: an empty file");
    let taken = Notice::Taken { path: "b.npy".into(), how: "values from 0 to 16, far below 255: divided by 16".into() };
    assert_eq!(taken.to_string(), "b.npy: values from 0 to 16, far below 255: divided by 16");
}
