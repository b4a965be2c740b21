//! What stands under a name before, during and after the program writes there; signals; standard output that is closed or full.

use crate::program::{heescope, succeeds};
use heescope::experiment::modelfile;
use rustix::process::{Pid, Signal, kill_process};
use std::fs::{File, Permissions};
use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Arguments that learn a little from dead leaves.
const TINY: [&str; 9] = ["train", "--preset", "dead-leaves", "--set", "patches=500", "--set", "batch=50", "--images", "500"];
/// Arguments that learn until somebody ends it.
const LONG: [&str; 8] = ["train", "--preset", "dead-leaves", "--set", "patches=500", "--seconds", "600", "--out"];
/// A run that is refused at once lasts this long at most, on a busy machine too.
const AT_ONCE: Duration = Duration::from_secs(60);

fn program(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_heescope"));
    command.args(arguments).current_dir(folder).env("TMPDIR", folder);
    command
}

/// Standard error of a run that has to fail in one line that holds every part.
fn fails(output: &Output, parts: &[&str]) -> String {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{parts:?}: {text}");
    assert_eq!(text.trim().lines().count(), 1, "{parts:?}: {text}");
    assert!(parts.iter().all(|part| text.contains(part)), "{parts:?} are not all in: {text}");
    text
}

/// Every way of writing a file, up to the name of that file, and the ending that it needs; they read `m.npz`.
fn writers() -> Vec<(Vec<&'static str>, &'static str)> {
    let generate = ["generate", "--model", "m.npz", "--mode", "joint", "--count", "4", "--steps", "2"];
    vec![
        ([&TINY[..], &["--out"]].concat(), "npz"),
        ([&TINY[..], &["--out", "n.npz", "--filters"]].concat(), "png"),
        (vec!["sample", "--model", "m.npz", "--chains", "3", "--steps", "6", "--burn", "1", "--out"], "npz"),
        ([&generate[..], &["--out"]].concat(), "npz"),
        ([&generate[..], &["--out", "n.npz", "--png"]].concat(), "png"),
        (vec!["filters", "--model", "m.npz", "--out"], "png"),
        (vec!["filters", "--model", "m.npz", "--out"], "svg"),
        (vec!["filters", "--model", "m.npz", "--out"], "npy"),
        (vec!["filters", "--model", "m.npz", "--format", "csv", "--out"], "csv"),
        (vec!["measure", "partition", "--preset", "competition", "--out"], "npy"),
        (vec!["measure", "partition", "--preset", "competition", "--out"], "csv"),
    ]
}

#[test]
fn links_modes_pipes_and_devices_stay_what_they_are_under_every_command() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    succeeds(folder, &[&TINY[..], &["--out", "m.npz"]].concat());
    for (arguments, ending) in writers() {
        let [file, link, pipe] = ["file", "link", "pipe"].map(|name| format!("{name}.{ending}"));
        let to = |name: &str| succeeds(folder, &[&arguments[..], &[name]].concat());
        std::fs::write(folder.join(&file), "older").unwrap();
        std::fs::set_permissions(folder.join(&file), Permissions::from_mode(0o600)).unwrap();
        symlink(&file, folder.join(&link)).unwrap();
        to(&link);
        let written = std::fs::read(folder.join(&file)).unwrap();
        assert!(std::fs::symlink_metadata(folder.join(&link)).unwrap().is_symlink(), "{arguments:?}");
        assert!(written.len() > 100, "{arguments:?}: the target is what is written");
        assert_eq!(std::fs::metadata(folder.join(&file)).unwrap().permissions().mode() & 0o7777, 0o600, "{arguments:?}");
        rustix::fs::mkfifoat(rustix::fs::CWD, folder.join(&pipe), rustix::fs::Mode::from_raw_mode(0o600)).unwrap();
        let source = folder.join(&pipe);
        let reader = std::thread::Builder::new().spawn(move || std::fs::read(source).unwrap()).unwrap();
        to(&pipe);
        let through = reader.join().unwrap();
        assert!(std::fs::metadata(folder.join(&pipe)).unwrap().file_type().is_fifo(), "{arguments:?}");
        assert!(through == written, "{arguments:?}: all of it goes through the pipe");
        to("/dev/null");
        assert!(std::fs::metadata("/dev/null").unwrap().file_type().is_char_device(), "{arguments:?}");
        for name in [&file, &link, &pipe] {
            std::fs::remove_file(folder.join(name)).unwrap();
        }
    }
    let left: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "m.npz and n.npz: {left:?}");
}

#[test]
fn standard_output_can_be_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let output = heescope(folder, &[&TINY[..], &["--out", "/dev/stdout"]].concat());
    assert!(output.status.success() && String::from_utf8_lossy(&output.stderr).contains("residual variance"), "{output:?}");
    std::fs::write(folder.join("m.npz"), output.stdout).unwrap();
    assert!(modelfile::load(&folder.join("m.npz")).is_ok(), "nothing else is in it");
    let redirected = File::create(folder.join("table.csv")).unwrap();
    let command = ["measure", "partition", "--preset", "competition", "--out", "/dev/stdout"];
    assert!(program(folder, &command).stdout(redirected).status().unwrap().success());
    let table = std::fs::read_to_string(folder.join("table.csv")).unwrap();
    assert!(table.starts_with("series,x,measured") && table.lines().count() == 83, "{table}");
}

#[test]
fn what_cannot_be_written_is_refused_before_the_work() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    succeeds(folder, &[&TINY[..], &["--out", "m.npz"]].concat());
    std::fs::create_dir(folder.join("folder.npz")).unwrap();
    symlink("m.npz", folder.join("link.npz")).unwrap();
    std::fs::copy(folder.join("m.npz"), folder.join("bars.npz")).unwrap();
    let begin = Instant::now();
    let long_name = format!("{}.npz", "n".repeat(300));
    let refused = |arguments: &[&str], parts: &[&str]| fails(&heescope(folder, arguments), parts);
    for (name, part) in [
        ("none/m.npz", "No such file or directory (os error 2)\n"),
        ("m.npz/m.npz", "Not a directory"),
        ("folder.npz", "it is a folder"),
        ("new/", "it is the name of a folder"),
        (long_name.as_str(), "name too long"),
        ("m.txt", ".npz is needed"),
        ("", "a value is required"),
    ] {
        refused(&[&LONG[..], &[name]].concat(), &[name, part]);
    }
    let train = |more: &[&'static str]| [&LONG[..], more].concat();
    refused(&train(&["x.npz", "--filters", "none/f.png"]), &["none/f.png"]);
    refused(&train(&["x.npz", "--filters", "f.svg"]), &["f.svg", ".png is needed"]);
    refused(&train(&["x", "--filters", "x"]), &["--filters x", "--out writes the same file"]);
    refused(&train(&["bars.npz", "--data", "bars.npz"]), &["--out bars.npz", "--data reads the same file"]);
    for name in ["m.npz", "link.npz"] {
        refused(&["train", "--init", "m.npz", "--seconds", "600", "--out", name], &["--out", name, "--init reads the same file"]);
        let steps = "100000000";
        refused(&["sample", "--model", "m.npz", "--steps", steps, "--thin", steps, "--out", name], &["--model reads the same file"]);
        let generate = ["generate", "--model", "m.npz", "--mode", "joint", "--steps", "10000000", "--out", name];
        refused(&generate, &["--model reads the same file"]);
        refused(&["filters", "--model", "m.npz", "--format", "csv", "--out", name], &["--model reads the same file"]);
    }
    let sample = ["sample", "--preset", "ridge", "--steps", "100000000", "--thin", "100000000", "--out"];
    refused(&[&sample[..], &["none/s.npz"]].concat(), &["none/s.npz"]);
    refused(&[&sample[..], &["s.csv"]].concat(), &["s.csv", ".npz is needed"]);
    let generate = ["generate", "--model", "m.npz", "--mode", "joint", "--steps", "10000000", "--out", "x.npz", "--png"];
    refused(&[&generate[..], &["none/p.png"]].concat(), &["none/p.png"]);
    refused(&[&generate[..], &["p.jpg"]].concat(), &["p.jpg", ".png is needed"]);
    let race = ["measure", "race", "--preset", "ridge", "--repeats", "1000", "--distance", "0.001", "--out"];
    refused(&[&race[..], &["none/r.csv"]].concat(), &["none/r.csv"]);
    refused(&[&race[..], &["r.txt"]].concat(), &["r.txt", ".csv or .npy is needed"]);
    refused(&["measure", "all", "--preset", "ridge", "--out", "m.npz"], &["m.npz"]);
    refused(&["tuning", "--model", "m.npz", "--out", "t.txt"], &["t.txt", ".csv or .npy is needed"]);
    refused(&["tuning", "--model", "m.npz", "--out", "none/t.csv"], &["none/t.csv"]);
    refused(&["bench", "--all", "--plot", "none/b.svg"], &["none/b.svg"]);
    refused(&["filters", "--model", "m.npz", "--out", "f.bmp"], &["f.bmp", ".png, .svg, .npy or .csv"]);
    refused(&["--screenshot", "none/w.png"], if cfg!(feature = "window") { &["none/w.png"] } else { &["no window"] });
    let limited = |limit: &str| {
        let line = format!("ulimit -f {limit}; exec \"$0\" {} out.npz", LONG.join(" "));
        Command::new("sh").args(["-c", &line, env!("CARGO_BIN_EXE_heescope")]).current_dir(folder).output().unwrap()
    };
    fails(&limited("1"), &["cannot write out.npz", "there is room for"]);
    assert!(begin.elapsed() < AT_ONCE, "{:?}: something was done before it was refused", begin.elapsed());
    let left: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 4, "nothing was written: {left:?}");
}

/// A run that is ended with the test, also where that fails.
struct Run(Option<Child>);

impl Run {
    fn send(&self, signal: Signal) {
        kill_process(Pid::from_child(self.0.as_ref().unwrap()), signal).unwrap();
    }

    fn has_ended(&mut self) -> bool {
        self.0.as_mut().unwrap().try_wait().unwrap().is_some()
    }

    fn output(mut self) -> Output {
        self.0.take().unwrap().wait_with_output().unwrap()
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}

/// Starts a run of [`LONG`] and waits until it learns, which is when it begins to listen to signals.
fn learning(mut command: Command) -> Run {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let run = Run(Some(child));
    let listens = || {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let caught = text.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap_or("0");
        u64::from_str_radix(caught.trim(), 16).unwrap() >> 14 & 1 == 1 // SIGTERM
    };
    let begin = Instant::now();
    while !listens() {
        assert!(begin.elapsed() < AT_ONCE, "it does not begin to learn");
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(300));
    run
}

const SIGNALS: [(Signal, &str); 3] = [(Signal::INT, "SIGINT"), (Signal::TERM, "SIGTERM"), (Signal::HUP, "SIGHUP")];

#[test]
#[cfg(target_os = "linux")]
fn a_signal_saves_what_was_learned() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for (signal, name) in SIGNALS {
        let run = learning(program(folder, &[&LONG[..], &["m.npz", "--filters", "f.png"]].concat()));
        run.send(signal);
        let output = run.output();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && text.contains(&format!("{name}: what was learned is in m.npz")), "{name}: {output:?}");
        assert!(String::from_utf8_lossy(&output.stdout).contains("images"), "{output:?}");
        let (config, _) = modelfile::load(&folder.join("m.npz")).unwrap();
        assert!(config.learning.images_seen > 100, "{name}: {} images", config.learning.images_seen);
        assert!(image::open(folder.join("f.png")).is_ok());
        std::fs::remove_file(folder.join("m.npz")).unwrap();
    }
    // What was started to outlive its terminal does.
    let line = format!("trap '' HUP; exec \"$0\" {} m.npz", LONG.join(" "));
    let mut command = Command::new("sh");
    command.args(["-c", &line, env!("CARGO_BIN_EXE_heescope")]).current_dir(folder);
    let mut run = learning(command);
    run.send(Signal::HUP);
    std::thread::sleep(Duration::from_millis(500));
    assert!(!run.has_ended() && !folder.join("m.npz").exists());
    run.send(Signal::TERM);
    assert!(run.output().status.success() && folder.join("m.npz").exists());
    fails(&heescope(folder, &["train", "--preset", "dead-leaves"]), &["--out"]);
}

#[test]
#[cfg(target_os = "linux")]
fn a_second_signal_ends_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    // Nobody reads the pipe, so that saving takes until the second signal.
    rustix::fs::mkfifoat(rustix::fs::CWD, folder.join("pipe"), rustix::fs::Mode::from_raw_mode(0o600)).unwrap();
    for (first, second) in [(Signal::INT, Signal::INT), (Signal::TERM, Signal::INT), (Signal::HUP, Signal::TERM)] {
        let mut run = learning(program(folder, &[&LONG[..], &["pipe"]].concat()));
        run.send(first);
        std::thread::sleep(Duration::from_millis(700));
        assert!(!run.has_ended(), "it waits for a reader");
        run.send(Signal::HUP); // comes with a closing terminal, after SIGTERM too
        std::thread::sleep(Duration::from_millis(200));
        assert!(!run.has_ended(), "SIGHUP is never the second");
        run.send(second);
        let output = run.output();
        assert_eq!(output.status.signal(), Some(second.as_raw()), "{output:?}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn where_the_name_fails_after_learning_the_model_is_kept_and_that_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    // The folder vanishes while it is learned.
    std::fs::create_dir(folder.join("sub")).unwrap();
    let run = learning(program(folder, &[&LONG[..], &["sub/m.npz"]].concat()));
    std::fs::remove_dir(folder.join("sub")).unwrap();
    run.send(Signal::INT);
    let output = run.output();
    let text = String::from_utf8_lossy(&output.stderr);
    let last = text.trim().lines().last().unwrap();
    assert!(output.status.code() == Some(1) && last.starts_with("error: cannot write sub/m.npz: No such file"), "{text}");
    let kept = last.split("what was to be written is in ").nth(1).unwrap();
    assert!(modelfile::load(Path::new(kept)).unwrap().0.learning.images_seen > 100, "{kept}");
    // Something takes its name.
    let run = learning(program(folder, &[&LONG[..], &["m.npz"]].concat()));
    std::fs::create_dir(folder.join("m.npz")).unwrap();
    run.send(Signal::INT);
    let text = String::from_utf8(run.output().stderr).unwrap();
    assert!(text.contains("m.npz: it is a folder; what was to be written is in m-kept.npz"), "{text}");
    assert!(modelfile::load(&folder.join("m-kept.npz")).is_ok());
    // A device that is full: nothing is put beside devices.
    let output = program(folder, &[&TINY[..], &["--out", "/dev/full"]].concat()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && text.contains("cannot write /dev/full: No space left"), "{text}");
    assert!(text.contains(&format!("is in {}", folder.display())) && !text.contains("in /dev"), "{text}");
    assert!(std::fs::metadata("/dev/full").unwrap().file_type().is_char_device());
}

/// Every command that prints something.
fn speakers() -> Vec<Vec<&'static str>> {
    let measure = ["measure", "partition", "--preset", "competition"];
    vec![
        vec!["presets"],
        vec!["--help"],
        vec!["--version"],
        vec!["measure", "--help"],
        [&TINY[..], &["--out", "n.npz"]].concat(),
        vec!["generate", "--model", "m.npz", "--mode", "ancestral", "--count", "200", "--out", "i.npz"],
        vec!["diagnose", "s.npz"],
        vec!["diagnose", "s.npz", "--json"],
        vec!["evaluate", "--samples", "i.npz", "--data", "digits"],
        vec!["evaluate", "--samples", "i.npz", "--data", "digits", "--json"],
        vec!["tuning", "--model", "m.npz", "--out", "t.csv"],
        measure.to_vec(),
        [&measure[..], &["--json"]].concat(),
        [&measure[..], &["--out", "p.csv"]].concat(),
        vec!["measure", "all", "--preset", "competition", "--repeats", "1", "--distance", "0.5", "--sampler", "m=0"],
        vec!["bench", "--preset", "ridge", "--rounds", "1"],
        vec!["bench", "--preset", "ridge", "--rounds", "1", "--json"],
    ]
}

#[test]
fn standard_output_that_is_closed_or_full_is_a_quiet_end_or_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    succeeds(folder, &["train", "--preset", "digits", "--images", "500", "--out", "m.npz"]);
    succeeds(folder, &["generate", "--model", "m.npz", "--mode", "ancestral", "--count", "200", "--out", "i.npz"]);
    succeeds(folder, &["sample", "--preset", "ridge", "--chains", "4", "--steps", "40", "--out", "s.npz"]);
    for arguments in speakers() {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = program(folder, &arguments).stdout(writer).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && text.is_empty(), "{arguments:?}: {text}");
        if !Path::new("/dev/full").exists() {
            continue;
        }
        let full = File::options().write(true).open("/dev/full").unwrap();
        let output = program(folder, &arguments).stdout(full).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        let last = text.trim().lines().last().unwrap_or_default();
        assert!(
            output.status.code() == Some(1) && last.starts_with("error: cannot write to standard output: No space"),
            "{arguments:?}: {text}"
        );
        assert!(!text.contains("panicked"), "{arguments:?}: {text}");
    }
    for file in ["n.npz", "i.npz", "t.csv", "p.csv"] {
        assert!(folder.join(file).exists(), "{file} is written whether or not somebody reads what is printed");
    }
    // Nobody hears an error either: its status is the same.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let bad = ["train", "--preset", "nothing", "--out", "x.npz"];
    let status = program(folder, &bad).stdout(writer.try_clone().unwrap()).stderr(writer).status().unwrap();
    assert_eq!(status.code(), Some(1));
    let line = "ulimit -f 0; exec \"$0\" presets > presets.txt";
    let output = Command::new("sh").args(["-c", line, env!("CARGO_BIN_EXE_heescope")]).current_dir(folder).output().unwrap();
    fails(&output, &["cannot write to standard output: File too large"]);
}

#[test]
fn what_has_no_meaning_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::create_dir(folder.join("pictures")).unwrap();
    image::GrayImage::from_fn(64, 64, |x, y| image::Luma([(x * 7919 + y * 104_729) as u8])).save(folder.join("pictures/a.png")).unwrap();
    let refused = |arguments: &[&str], parts: &[&str]| fails(&heescope(folder, arguments), parts);
    refused(&["train", "--preset", "dead-leaves", "--images", "0", "--out", "m.npz"], &["--images 0 is out of range: 1 to"]);
    let stays = ["train", "--preset", "dead-leaves", "--set", "steps_per_stimulus=0", "--seconds", "1", "--out", "m.npz"];
    refused(&stays, &["steps_per_stimulus = 0", "1 or more"]);
    for preset in ["dead-leaves", "digits"] {
        let data = ["train", "--preset", preset, "--images", "500", "--data", "pictures", "--data", "missing", "--out", "m.npz"];
        refused(&data, &["missing", "No such file"]);
    }
    succeeds(folder, &["train", "--preset", "digits", "--images", "500", "--out", "d.npz"]);
    for mode in ["joint", "marginal"] {
        let generate = ["generate", "--model", "d.npz", "--mode", mode, "--category", "3", "--out", "m.npz"];
        refused(&generate, &["--category 3", "--mode ancestral"]);
    }
    let early = ["generate", "--preset", "digits", "--mode", "ancestral", "--category", "3", "--out", "m.npz"];
    let text = String::from_utf8(heescope(folder, &early).stderr).unwrap();
    assert!(text.contains("error: --category 3: learning has not opened the categorical top"), "{text}");
    refused(&["measure", "separation", "--preset", "ridge", "--repeats", "3"], &["--repeats is no option of separation"]);
    assert!(!folder.join("m.npz").exists());
}
