//! Readers of image sets from outside: good files of each kind, ten thousand broken ones each, and the memory that they take.

use flate2::{Compression, write::GzEncoder};
use heescope::data::{DataError, ImageSet, Notice, Part, PictureSize, Progress, read};
use ndarray::{Array, Array1, Array3, Dimension};
use ndarray_npy::{NpzWriter, WritableElement, WriteNpyExt};
use rand::{Rng, RngExt, SeedableRng, rngs::ChaCha8Rng};
use std::alloc::{GlobalAlloc, Layout, System};
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Counts the bytes in use and the most that there were.
struct Counting;
static IN_USE: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is handed on to the system's allocator as it is; counting touches no memory of a caller.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        MOST.fetch_max(IN_USE.fetch_add(layout.size(), Relaxed) + layout.size(), Relaxed);
        // SAFETY: the caller's promise is the same.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller's promise is the same.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Bytes besides those of the set: what the readers state.
const SLACK: usize = 1 << 20;

/// Runs this test again in a process of its own, where nothing else allocates: the allocator counts for the whole process. True in that
/// process, where the test goes on.
fn in_own_process(test: &str) -> bool {
    const ALONE: &str = "HEESCOPE_TEST_IN_OWN_PROCESS";
    if std::env::var_os(ALONE).is_some() {
        return true;
    }
    let again = std::process::Command::new(std::env::current_exe().unwrap()).args(["--exact", test]).env(ALONE, "yes").output().unwrap();
    let text = String::from_utf8_lossy(&again.stdout);
    assert!(again.status.success() && text.contains("1 passed"), "{text}{}", String::from_utf8_lossy(&again.stderr));
    false
}

type Outcome = Result<(ImageSet, Vec<Notice>), DataError>;

/// Reads, and tells the most bytes that were in use besides those before.
fn measured(path: &Path, part: Part) -> (Outcome, usize) {
    let before = IN_USE.load(Relaxed);
    MOST.store(before, Relaxed);
    let outcome = read(&[path.into()], part, PictureSize::Own, &Progress::default());
    (outcome, MOST.load(Relaxed).saturating_sub(before))
}

fn whole(path: &Path) -> ImageSet {
    let (set, rejected) = read(&[path.into()], Part::All, PictureSize::Own, &Progress::default()).unwrap();
    assert_eq!(rejected, [], "{}", path.display());
    set
}

/// An error that names `file` and says `part`.
fn refused(path: &Path, file: &str, part: &str) {
    let (outcome, bytes) = measured(path, Part::All);
    let error = outcome.unwrap_err().to_string();
    assert!(error.contains(file) && error.contains(part) && !error.contains('\n'), "'{part}' is not in: {error}");
    assert!(bytes < SLACK, "{bytes} bytes for: {error}");
}

fn idx(kind: u8, sides: &[u32], values: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, kind, sides.len() as u8];
    sides.iter().for_each(|side| bytes.extend(side.to_be_bytes()));
    bytes.extend(values);
    bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn npy<A: WritableElement, D: Dimension>(array: &Array<A, D>) -> Vec<u8> {
    let mut bytes = Vec::new();
    array.write_npy(&mut bytes).unwrap();
    bytes
}

/// The header that NumPy writes, before values of `kind`.
fn npy_by_hand(kind: &str, order: &str, shape: &str, values: &[u8]) -> Vec<u8> {
    let mut header = format!("{{'descr': '{kind}', 'fortran_order': {order}, 'shape': ({shape}), }}");
    header.push_str(&" ".repeat(63 - (10 + header.len()) % 64));
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.bytes());
    bytes.extend(values);
    bytes
}

fn npz(compressed: bool, fill: impl FnOnce(&mut NpzWriter<Cursor<Vec<u8>>>)) -> Vec<u8> {
    let empty = Cursor::new(Vec::new());
    let mut writer = if compressed { NpzWriter::new_compressed(empty) } else { NpzWriter::new(empty) };
    fill(&mut writer);
    writer.finish().unwrap().into_inner()
}

/// Levels of `count` images of 6 x 5, none like another.
fn levels(count: usize) -> Array3<u8> {
    Array3::from_shape_fn((count, 6, 5), |(i, row, column)| ((i * 97 + row * 41 + column * 13 + i * row * column) % 256) as u8)
}

/// What readers make of them.
fn greys(levels: &Array3<u8>) -> Vec<f32> {
    levels.iter().map(|&v| f32::from(v) / 255.0).collect()
}

fn classes(count: usize) -> Vec<u8> {
    (0..count).map(|i| (i * i % 10) as u8).collect()
}

fn same(set: &ImageSet, count: usize, labels: Option<Vec<u8>>) {
    assert_eq!((set.len(), set.rows, set.columns, set.pixels.ncols()), (count, 6, 5, 30));
    assert_eq!(set.pixels.as_slice().unwrap(), greys(&levels(count)));
    assert_eq!(set.labels, labels);
}

fn put(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

/// In memory where the system has such a place: a hundred thousand files are written.
fn folder() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap()
}

#[test]
fn idx_with_labels_in_parts_packed_or_not() {
    if !in_own_process("readers::idx_with_labels_in_parts_packed_or_not") {
        return;
    }
    let place = folder();
    let at = place.path();
    let images = |n: usize| idx(8, &[n as u32, 6, 5], levels(n).as_slice().unwrap());
    let labels = |n: usize| idx(8, &[n as u32], &classes(n));
    put(at, "train-images-idx3-ubyte.gz", &gzip(&images(30)));
    put(at, "train-labels-idx1-ubyte.gz", &gzip(&labels(30)));
    let test = put(at, "t10k-images-idx3-ubyte", &images(20));
    put(at, "t10k-labels-idx1-ubyte", &labels(20));
    put(at, "README", b"of no kind, and no obstacle");
    let part = |part| {
        let (set, rejected) = read(&[at.into()], part, PictureSize::Own, &Progress::default()).unwrap();
        assert_eq!(rejected, []);
        set
    };
    same(&part(Part::Train), 30, Some(classes(30)));
    same(&part(Part::Test), 20, Some(classes(20)));
    assert_eq!(part(Part::All).len(), 50);
    // A file alone has no parts of its own: its last tenth is held out. Its labels are found beside it.
    same(&whole(&test), 20, Some(classes(20)));
    let [train, held] =
        [Part::Train, Part::Test].map(|part| read(std::slice::from_ref(&test), part, PictureSize::Own, &Progress::default()).unwrap().0);
    same(&train, 18, Some(classes(18)));
    assert_eq!(held.pixels, whole(&test).pixels.slice(ndarray::s![18.., ..]));
    // By the name of the set.
    let (train, _) = heescope::data::mnist(at, Part::Train, &Progress::default()).unwrap();
    same(&train, 30, Some(classes(30)));
    let (held, _) = heescope::data::mnist(at, Part::Test, &Progress::default()).unwrap();
    same(&held, 20, Some(classes(20)));
    let missing = heescope::data::mnist(Path::new("nowhere"), Part::Train, &Progress::default()).unwrap_err().to_string();
    assert!(missing.contains("nowhere") && missing.contains("train-images-idx3-ubyte") && !missing.contains('\n'), "{missing}");
    // Labels that do not fit are told, and the images are kept.
    put(at, "t10k-labels-idx1-ubyte", &labels(19));
    let (set, rejected) = read(&[test], Part::All, PictureSize::Own, &Progress::default()).unwrap();
    same(&set, 20, None);
    assert!(rejected.len() == 1 && rejected[0].to_string().contains("t10k-labels-idx1-ubyte: 19 labels"), "{rejected:?}");
}

#[test]
fn arrays_of_numpy() {
    if !in_own_process("readers::arrays_of_numpy") {
        return;
    }
    let place = folder();
    let at = place.path();
    let greys = levels(12).mapv(|v| f32::from(v) / 255.0);
    same(&whole(&put(at, "bytes.npy", &npy(&levels(12)))), 12, None);
    same(&whole(&put(at, "bytes.npy.gz", &gzip(&npy(&levels(12))))), 12, None);
    same(&whole(&put(at, "single.npy", &npy(&greys))), 12, None);
    same(&whole(&put(at, "double.npy", &npy(&greys.mapv(f64::from)))), 12, None);
    same(&whole(&put(at, "whole.npy", &npy(&levels(12).mapv(f32::from)))), 12, None);
    let big: Vec<u8> = greys.iter().flat_map(|v| v.to_be_bytes()).collect();
    same(&whole(&put(at, "big.npy", &npy_by_hand(">f4", "False", "12, 6, 5", &big))), 12, None);
    for compressed in [false, true] {
        for name in ["images", "samples", "means", "x", "arr_0"] {
            let bytes = npz(compressed, |file| {
                file.add_array("config", &Array1::from(b"text".to_vec())).unwrap();
                file.add_array(name, &levels(12)).unwrap();
                file.add_array("labels", &Array1::from_iter(classes(12).into_iter().map(i64::from))).unwrap();
            });
            same(&whole(&put(at, "one.npz", &bytes)), 12, Some(classes(12)));
        }
        let bytes = npz(compressed, |file| {
            file.add_array("x_train", &levels(15)).unwrap();
            file.add_array("y_train", &Array1::from(classes(15))).unwrap();
            file.add_array("x_test", &levels(4)).unwrap();
            file.add_array("y_test", &Array1::from(classes(4))).unwrap();
        });
        let path = put(at, "parts.npz", &bytes);
        for (part, count) in [(Part::Train, 15), (Part::Test, 4)] {
            same(&read(std::slice::from_ref(&path), part, PictureSize::Own, &Progress::default()).unwrap().0, count, Some(classes(count)));
        }
    }
    let mut bad = greys;
    bad[[3, 2, 1]] = f32::NAN;
    refused(&put(at, "nan.npy", &npy(&bad)), "nan.npy", "not finite");
    bad[[3, 2, 1]] = -0.5;
    refused(&put(at, "low.npy", &npy(&bad)), "low.npy", "values from -0.5");
    refused(&put(at, "flat.npy", &npy(&Array1::<f32>::zeros(30))), "flat.npy", "(count, rows, columns)");
    refused(&put(at, "fortran.npy", &npy_by_hand("|u1", "True", "2, 3, 5", &[0; 30])), "fortran.npy", "Fortran");
    refused(&put(at, "int.npy", &npy(&levels(3).mapv(i32::from))), "int.npy", "<i4");
    refused(
        &put(
            at,
            "names.npz",
            &npz(true, |file| {
                file.add_array("W0", &levels(2)).unwrap();
                file.add_array("W1", &levels(2)).unwrap();
            }),
        ),
        "names.npz",
        "W0 (2, 6, 5), W1 (2, 6, 5)",
    );
}

/// What was said of one file, and its set.
fn said(path: &Path) -> (ImageSet, String) {
    let (set, notices) = read(&[path.into()], Part::All, PictureSize::Own, &Progress::default()).unwrap();
    let lines: Vec<String> = notices.iter().map(ToString::to_string).collect();
    assert!(notices.iter().all(|notice| matches!(notice, Notice::Taken { .. })), "{lines:?}");
    (set, lines.join("\n"))
}

#[test]
fn values_far_below_their_scale_are_scaled_by_what_they_hold_and_that_is_said() {
    let place = folder();
    let at = |name: &str, bytes: &[u8]| put(place.path(), name, bytes);
    let low = levels(12).mapv(|v| v % 17);
    let greys = |most: f32| low.iter().map(|&v| f32::from(v) / most).collect::<Vec<f32>>();
    let words: Vec<u8> = low.iter().flat_map(|&v| (u16::from(v) * 64).to_be_bytes()).collect();
    let signed: Vec<u8> = low.iter().flat_map(|&v| (i16::from(v) * 64).to_le_bytes()).collect();
    for (name, bytes, most) in [
        ("floats.npy", npy(&low.mapv(f32::from)), "16"),
        ("fractions.npy", npy(&low.mapv(|v| f64::from(v) / 2.0)), "8"),
        ("dark.npy", npy(&low.mapv(|v| f32::from(v) / 256.0)), "0.0625"),
        ("bytes.npy", npy(&low), "16"),
        ("bytes-idx3", idx(8, &[12, 6, 5], low.as_slice().unwrap()), "16"),
        ("ten_bits.npy", npy_by_hand(">u2", "False", "12, 6, 5", &words), "1024"),
        ("signed.npy", npy_by_hand("<i2", "False", "12, 6, 5", &signed), "1024"),
    ] {
        let (set, text) = said(&at(name, &bytes));
        assert!(text.contains(name) && text.contains(&format!("divided by {most}")), "{name}: {text}");
        assert!(set.pixels.iter().zip(greys(16.0)).all(|(a, b)| (a - b).abs() < 1e-6), "{name}");
    }
    let mask = low.mapv(|v| v % 2);
    let (set, text) = said(&at("mask.npy", &npy(&mask)));
    assert!(text.contains("divided by 1") && set.pixels.iter().zip(&mask).all(|(a, &b)| *a == f32::from(b)), "{text}");
    let (set, text) = said(&at("truth.npy", &npy(&mask.mapv(|v| v == 1))));
    assert!(text.is_empty() && set.pixels.iter().zip(&mask).all(|(a, &b)| *a == f32::from(b)), "truth has its scale: {text}");
    // A full range is as it was, and nothing is said of it; 16 bits that use theirs are divided by it.
    let full: Vec<u8> = levels(12).iter().flat_map(|&v| (u16::from(v) * 257).to_le_bytes()).collect();
    same(&whole(&at("words.npy", &npy_by_hand("<u2", "False", "12, 6, 5", &full))), 12, None);
    // Both parts of a set are scaled alike, whatever each of them holds.
    let parts = npz(true, |file| {
        file.add_array("x_train", &low).unwrap();
        file.add_array("x_test", &low.mapv(|v| v.min(4))).unwrap();
    });
    let path = at("parts.npz", &parts);
    let test = read(&[path], Part::Test, PictureSize::Own, &Progress::default()).unwrap().0;
    assert_eq!(test.pixels.iter().copied().fold(0.0, f32::max), 0.25, "4 of 16");
}

#[test]
fn rows_of_squares_single_arrays_and_padded_files_are_taken() {
    let place = folder();
    let at = |name: &str, bytes: &[u8]| put(place.path(), name, bytes);
    let square = Array3::from_shape_fn((12, 6, 6), |(i, row, column)| ((i * 97 + row * 41 + column * 13) % 256) as u8);
    let flat = square.clone().into_shape_with_order((12, 36)).unwrap();
    let (set, text) = said(&at("flat.npy", &npy(&flat)));
    assert_eq!((set.len(), set.rows, set.columns), (12, 6, 6));
    assert!(text.contains("12 rows of 36 values, read as images of 6 x 6"), "{text}");
    assert!(set.pixels.iter().zip(&square).all(|(a, &b)| *a == f32::from(b) / 255.0));
    refused(&at("rows.npy", &npy(&levels(12).into_shape_with_order((12, 30)).unwrap())), "rows.npy", "images.reshape(12, 5, 6)");
    for (name, beside) in [("alone", None), ("digits of mine", Some("labels")), ("faces", Some("config"))] {
        let bytes = npz(false, |file| {
            file.add_array(name, &levels(12)).unwrap();
            beside.into_iter().for_each(|beside| file.add_array(beside, &Array1::from(classes(12))).unwrap());
        });
        same(&whole(&at("named.npz", &bytes)), 12, (beside == Some("labels")).then(|| classes(12)));
    }
    let train = npz(true, |file| {
        file.add_array("x_train", &levels(12)).unwrap();
        file.add_array("y_train", &Array1::from(classes(12))).unwrap();
    });
    same(&whole(&at("train.npz", &train)), 12, Some(classes(12)));
    let colour = npz(true, |file| file.add_array("photos", &Array::<u8, _>::zeros((3, 6, 5, 3))).unwrap());
    refused(&at("colour.npz", &colour), "colour.npz", "photos: an array of shape (3, 6, 5, 3)");
    // gzip unpacks members one after the other, and passes over zeros behind the last.
    let images = idx(8, &[12, 6, 5], levels(12).as_slice().unwrap());
    let (first, second) = images.split_at(images.len() / 2);
    for zeros in [0, 1, 600, 100_000] {
        let padded = [gzip(first), gzip(second), vec![0; zeros]].concat();
        same(&whole(&at("padded-idx3.gz", &padded)), 12, None);
    }
    let damaged = [gzip(&images), vec![0; 10], b"no zeros".to_vec()].concat();
    refused(&at("damaged-idx3.gz", &damaged), "damaged-idx3.gz", "its end is damaged");
}

fn cifar(count: usize) -> Vec<u8> {
    let record = |i: usize| std::iter::once((i % 10) as u8).chain((0..3072).map(move |at| (i * 31 + at * 7 + at / 1024 * 50) as u8));
    (0..count).flat_map(record).collect()
}

#[test]
fn cifar_batches_become_grey() {
    if !in_own_process("readers::cifar_batches_become_grey") {
        return;
    }
    let place = folder();
    let bytes = cifar(5);
    put(place.path(), "data_batch_1.bin", &bytes);
    put(place.path(), "data_batch_2.bin", &cifar(3));
    put(place.path(), "test_batch.bin", &cifar(2));
    let part = |part| read(&[place.path().into()], part, PictureSize::Own, &Progress::default()).unwrap().0;
    let set = part(Part::Train);
    assert_eq!((set.len(), set.rows, set.columns), (8, 32, 32));
    assert_eq!(set.labels.unwrap(), [0, 1, 2, 3, 4, 0, 1, 2]);
    assert_eq!(part(Part::Test).len(), 2);
    for (i, at) in [(0, 0), (4, 1023), (2, 500)] {
        let colour = |channel: usize| f32::from(bytes[i * 3073 + 1 + channel * 1024 + at]);
        let grey = (0.299 * colour(0) + 0.587 * colour(1) + 0.114 * colour(2)) / 255.0;
        assert!((set.pixels[[i, at]] - grey).abs() < 1e-6);
    }
    let mut wrong = cifar(3);
    wrong[2 * 3073] = 10;
    refused(&put(place.path(), "wrong.bin", &wrong), "wrong.bin", "label 10");
}

fn picture(width: u32, height: u32, seed: u32) -> image::GrayImage {
    image::GrayImage::from_fn(width, height, |x, y| image::Luma([((x * 37 + y * 101 + seed * 53 + x * y) % 256) as u8]))
}

#[test]
fn folders_of_pictures() {
    if !in_own_process("readers::folders_of_pictures") {
        return;
    }
    let place = folder();
    for i in 0..20 {
        picture(6, 5, i).save(place.path().join(format!("{i:02}.png"))).unwrap();
    }
    let set = whole(place.path());
    assert_eq!((set.len(), set.rows, set.columns), (20, 5, 6));
    for (i, row) in set.pixels.rows().into_iter().enumerate() {
        let expected: Vec<f32> = picture(6, 5, i as u32).pixels().map(|p| f32::from(p[0]) / 255.0).collect();
        assert!(row.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-5), "picture {i}");
    }
    let count = |part| read(&[place.path().into()], part, PictureSize::Own, &Progress::default()).unwrap().0.len();
    assert_eq!((count(Part::Train), count(Part::Test)), (18, 2));
    // Another size: scaled where a size is given, else refused.
    let flat = image::GrayImage::from_pixel(40, 30, image::Luma([51]));
    flat.save(place.path().join("99.jpg")).unwrap();
    put(place.path(), "98.png", b"no picture");
    refused(place.path(), "00.png", "whole images must be of one size");
    let (set, rejected) = read(&[place.path().into()], Part::All, PictureSize::Pixels(64), &Progress::default()).unwrap();
    assert_eq!((set.len(), set.rows, set.columns), (21, 8, 8));
    assert!(set.pixels.row(20).iter().all(|v| (v - 0.2).abs() < 0.01), "no contrast is no fault here");
    assert!(rejected.len() == 1 && rejected[0].to_string().contains("98.png"), "{rejected:?}");
    refused(&place.path().join("00.png"), "00.png", "one picture is not a set");
}

#[test]
fn headers_that_lie_are_refused_before_any_room_is_made() {
    if !in_own_process("readers::headers_that_lie_are_refused_before_any_room_is_made") {
        return;
    }
    let place = folder();
    let at = |name: &str, bytes: &[u8]| put(place.path(), name, bytes);
    let huge = [200_000u32, 28, 28];
    refused(&at("a.idx", &idx(8, &huge, &[7; 300])), "a.idx", "cannot hold");
    refused(&at("b.gz", &gzip(&idx(8, &huge, &[7; 300]))), "b.gz", "cannot hold");
    refused(&at("c.idx", &idx(8, &[u32::MAX; 3], &[7; 300])), "c.idx", "4096");
    refused(&at("d.idx", &idx(8, &[4_000_000, 28, 28], &[7; 300])), "d.idx", "250000000 pixels");
    refused(&at("e.idx", &idx(8, &[0, 28, 28], &[])), "e.idx", "nothing");
    refused(&at("f.idx", &idx(8, &[2, 3, 5], &[7; 31])), "f.idx", "more than its header promises");
    refused(&at("g.idx", &idx(13, &[2, 3, 5], &[7; 120])), "g.idx", "0x0d");
    refused(&at("h.idx", &idx(8, &[10], &[7; 10])), "h.idx", "no images beside");
    // 100 MB that become 100 kB, behind a header that promises little, and behind one that promises more than there is.
    let bomb = |shape: [u32; 3], zeros: usize| gzip(&[idx(8, &shape, &[]), vec![0; zeros]].concat());
    refused(&at("i.gz", &bomb([10, 10, 10], 100_000_000)), "i.gz", "more than its header promises");
    refused(&at("j.gz", &bomb([100, 1000, 1000], 99_900_000)), "j.gz", "ends before");
    let lie = |shape: &str| npy_by_hand("<f4", "False", shape, &[0; 24]);
    refused(&at("k.npy", &lie("99999999999, 99999999999, 7")), "k.npy", "4096");
    refused(&at("l.npy", &lie("60000, 28, 28")), "l.npy", "cannot hold");
    refused(&at("m.npy", &lie("2, 3, 99999999999999999999999")), "m.npy", "header");
    let mut zip = npz(true, |file| file.add_array("x", &levels(50)).unwrap());
    let directory = zip.windows(4).rposition(|w| w == b"PK\x01\x02").unwrap();
    zip[directory + 24..directory + 28].copy_from_slice(&u32::MAX.to_le_bytes());
    refused(&at("n.npz", &zip), "n.npz", "cannot be in");
    let mut zip = npz(true, |file| file.add_array("x", &levels(50)).unwrap());
    let end = zip.windows(4).rposition(|w| w == b"PK\x05\x06").unwrap();
    zip[end + 10..end + 12].copy_from_slice(&[255, 255]);
    refused(&at("o.npz", &zip), "o.npz", "65535 entries");
    refused(&at("p.tar.gz", &gzip(&[vec![b'a'; 257], b"ustar".to_vec(), vec![0; 300]].concat())), "p.tar.gz", "unpack it");
    refused(&at("q", b"of no kind"), "q", "not IDX, NPY");
    refused(&at("r", b""), "r", "empty file");
    refused(&place.path().join("missing"), "missing", "");
    let empty = folder();
    refused(empty.path(), "", "in this folder");
    put(empty.path(), "README", b"of no kind");
    refused(empty.path(), "", "in this folder");
    // A picture of 20000 x 5000 pixels in 60 bytes.
    let pictures = folder();
    picture(6, 5, 1).save(pictures.path().join("a.png")).unwrap();
    let mut png = std::fs::read(pictures.path().join("a.png")).unwrap();
    png[16..24].copy_from_slice(&[0, 0, 0x4e, 0x20, 0, 0, 0x13, 0x88]);
    let checksum = {
        let mut crc = flate2::Crc::new();
        crc.update(&png[12..29]);
        crc.sum()
    };
    png[29..33].copy_from_slice(&checksum.to_be_bytes());
    put(pictures.path(), "a.png", &png);
    refused(pictures.path(), "a.png", "cannot hold them");
}

/// Bytes flipped, set, cut off, put in, doubled, or numbers in the first bytes made extreme.
fn mutate(bytes: &[u8], rng: &mut ChaCha8Rng) -> Vec<u8> {
    let mut broken = bytes.to_vec();
    for _ in 0..rng.random_range(1..4) {
        if broken.is_empty() {
            break;
        }
        let at = rng.random_range(0..broken.len());
        let early = rng.random_range(0..broken.len().min(150));
        match rng.random_range(0..8) {
            0 => broken[at] ^= 1 << rng.random_range(0..8),
            1 => broken[early] ^= 1 << rng.random_range(0..8),
            2 => broken[at] = rng.random_range(0..=255),
            3 => broken.truncate(at),
            4 => (0..rng.random_range(1..20)).for_each(|_| broken.insert(at, rng.random_range(0..=255))),
            5 => drop(broken.drain(at..(at + rng.random_range(1..20)).min(broken.len()))),
            6 => broken.extend(bytes[..at.min(bytes.len())].to_vec()),
            _ => {
                let number: [u8; 4] = *[[0; 4], [0xff; 4], [0x7f, 0xff, 0xff, 0xff], [0, 0, 0, 1], rng.next_u32().to_be_bytes()]
                    .get(rng.random_range(0..5))
                    .unwrap();
                let place = early / 4 * 4;
                broken.iter_mut().skip(place).zip(number).for_each(|(byte, new)| *byte = new);
            }
        }
    }
    broken
}

/// Reads 10,000 mutations: an error that names the folder, or a sound set, in the memory stated, and some of both.
fn survives(name: &str, bytes: &[u8], seed: u64) {
    let place = folder();
    let path = place.path().join(name);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    std::fs::write(&path, bytes).unwrap();
    drop(measured(place.path(), Part::All)); // threads and tables that are made once
    let (mut sound, mut refused, mut largest) = (0, 0, 0);
    for round in 0..10_000 {
        let broken = mutate(bytes, &mut rng);
        std::fs::write(&path, &broken).unwrap();
        let (outcome, used) = measured(place.path(), Part::All);
        let stated = match &outcome {
            Ok((set, _)) => {
                sound += 1;
                assert!(!set.is_empty() && set.pixels.dim() == (set.len(), set.rows * set.columns), "{name} {round}");
                assert!(set.pixels.iter().all(|v| (0.0..=1.0).contains(v)), "{name} {round}");
                assert!(set.labels.as_ref().is_none_or(|labels| labels.len() == set.len()), "{name} {round}");
                4 * set.pixels.len() + 2 * set.len()
            }
            Err(error) => {
                refused += 1;
                assert!(error.to_string().contains(place.path().to_str().unwrap()), "{name} {round}: {error}");
                0
            }
        };
        assert!(used <= stated + SLACK, "{name} {round}: {used} bytes, {stated} and {SLACK} are stated");
        largest = largest.max(used - stated.min(used));
    }
    println!("{name}: {sound} sound, {refused} refused, at most {largest} bytes besides the set");
    assert!(sound > 20 && refused > 3000, "{name}: {sound} sound, {refused} refused: the mutations reach both");
}

#[test]
fn ten_thousand_broken_files_of_each_kind() {
    if !in_own_process("readers::ten_thousand_broken_files_of_each_kind") {
        return;
    }
    let images = idx(8, &[20, 6, 5], levels(20).as_slice().unwrap());
    survives("images-idx3", &images, 1);
    survives("images-idx3.gz", &gzip(&images), 2);
    survives("bytes.npy", &npy(&levels(20)), 3);
    survives("single.npy", &npy(&levels(20).mapv(|v| f32::from(v) / 255.0)), 4);
    for (name, compressed, seed) in [("stored.npz", false, 5), ("packed.npz", true, 6)] {
        let bytes = npz(compressed, |file| {
            file.add_array("images", &levels(20)).unwrap();
            file.add_array("labels", &Array1::from(classes(20))).unwrap();
        });
        survives(name, &bytes, seed);
    }
    survives("batch.bin", &cifar(3), 7);
    use image::ImageFormat::{Bmp, Jpeg, Png, Tiff, WebP};
    for (name, format, seed) in [("a.png", Png, 8), ("a.jpg", Jpeg, 9), ("a.tif", Tiff, 10), ("a.webp", WebP, 11), ("a.bmp", Bmp, 12)] {
        let mut bytes = Cursor::new(Vec::new());
        picture(24, 20, 3).write_to(&mut bytes, format).unwrap();
        survives(name, bytes.get_ref(), seed);
    }
}
