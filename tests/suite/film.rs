//! Films of recordings, from the command line and from the window.

use crate::program::{heescope, succeeds};
use egui_kittest::{Harness, kittest::Queryable};
use heescope::app::{App, Options, RecordingRequest};
use heescope::engine::recording::{RecordedRun, RecordingWriter};
use heescope::engine::{Command, Engine, Pace};
use heescope::experiment::presets;
use image::{AnimationDecoder, codecs::gif::GifDecoder};
use std::path::Path;
use std::time::{Duration, Instant};

/// Writes `r.heerec`: so many seconds of the bars.
fn record(folder: &Path, seconds: f64) {
    let mut config = presets::by_name("bars").unwrap();
    (config.data.patches, config.dynamics.threads) = (300, 1);
    let engine = Engine::start(config, || {}).unwrap();
    engine.send(Command::SetPace(Pace::Full));
    RecordingWriter::create(&folder.join("r.heerec")).unwrap().record(&engine, seconds, 30.0, &mut |_| true).unwrap();
}

/// Frames of a GIF: how many, their size, and how long each is shown, ms.
fn frames(path: &Path) -> (usize, (u32, u32), Vec<u32>) {
    let bytes = std::fs::read(path).unwrap();
    let frames = GifDecoder::new(std::io::Cursor::new(bytes)).unwrap().into_frames().collect_frames().unwrap();
    let delays = frames.iter().map(|frame| frame.delay().numer_denom_ms().0).collect();
    (frames.len(), frames[0].buffer().dimensions(), delays)
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// What asks for a film of `r.heerec`.
fn film<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    [&["replay", "r.heerec", "--film"], arguments].concat()
}

/// The program in a folder, with this `PATH` and no display.
fn with_path(folder: &Path, path: &Path, arguments: &[&str]) -> std::process::Output {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_heescope"));
    command.args(arguments).current_dir(folder).env("PATH", path).env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
    command.output().unwrap()
}

#[test]
fn a_film_is_written_without_a_display_and_what_is_no_film_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    succeeds(folder, &["record", "--preset", "bars", "--set", "patches=300", "--full-speed", "--seconds", "0.7", "--out", "r.heerec"]);
    let output = with_path(folder, folder, &film(&["a.gif", "--view", "traces", "--size", "320x240", "--rate", "12.5", "--theme", "dark"]));
    assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    let (count, size, delays) = frames(&folder.join("a.gif"));
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(told.trim(), format!("a.gif: {count} frames of 320 x 240 pixels, 12.5 a second"));
    let expected = (12.5 * RecordedRun::open(&folder.join("r.heerec")).unwrap().seconds()).round() as usize;
    assert!(count == expected && size == (320, 240) && delays.iter().all(|&delay| delay == 80), "{count}, {size:?}, {delays:?}");
    // Written over as other outputs of commands are.
    succeeds(folder, &film(&["a.gif", "--view", "learning", "--from", "0.2", "--to", "0.4", "--rate", "10"]));
    assert_eq!(frames(&folder.join("a.gif")), (2, (960, 600), vec![100, 100]));
    for (arguments, words) in [
        (&["b.gif"][..], "--view"),
        (&["b.avi", "--view", "traces"], "b.avi: a name that ends in .gif, .mp4 or .webm is needed"),
        (&["none/b.gif", "--view", "traces"], "none/b.gif"),
        (&["b.gif", "--view", "tracks"], "no view is called 'tracks'; there are: receptive-fields"),
        (&["b.gif", "--view", "traces", "--from", "0.9", "--to", "0.5"], "from 0.9 to 0.5 s is no part of it"),
        (&["b.gif", "--view", "traces", "--to", "5"], "r.heerec: from 0 to 5 s is no part of it: it is 0."),
        (&["b.gif", "--view", "traces", "--rate", "99"], "rate = 99 is out of range: 0.5 to 50"),
        (&["b.gif", "--view", "traces", "--size", "0x100"], "size = 0x100 is out of range: 64 to 4096"),
        (&["b.gif", "--view", "traces", "--size", "big"], "--size big: WIDTHxHEIGHT in pixels is needed"),
        (&["b.gif", "--view", "traces", "--theme", "red"], "--theme red: light or dark is needed"),
        (&["b.gif", "--view", "traces", "--screenshot", "c.png"], "--screenshot"),
    ] {
        let output = heescope(folder, &film(arguments));
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(1) && text.trim().lines().count() == 1 && text.contains(words), "{arguments:?}: {text}");
    }
    let alone = heescope(folder, &["replay", "r.heerec", "--rate", "5"]);
    assert!(String::from_utf8(alone.stderr).unwrap().contains("--film"), "an option of films alone opens no window");
    assert_eq!(names(folder), ["a.gif", "r.heerec"]);
}

#[test]
fn without_ffmpeg_mp4_says_so_and_with_it_a_film_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    record(folder, 0.6);
    for name in ["a.mp4", "a.webm"] {
        let arguments = ["replay", "r.heerec", "--film", name, "--view", "stimulus", "--rate", "10", "--size", "321x241"];
        let output = with_path(folder, folder, &arguments);
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(text.contains(&format!("{name}: MP4 and WebM are written by ffmpeg, which is not installed here; a name")), "{text}");
        assert_eq!(names(folder), ["r.heerec"]);
        // Where it is installed it has to work; where it is not the message is the same without the empty PATH.
        let output = heescope(folder, &arguments);
        let text = String::from_utf8(output.stderr).unwrap();
        let is_installed = std::process::Command::new("ffmpeg").arg("-version").output().is_ok();
        assert_eq!(output.status.success(), is_installed, "{text}");
        assert!(is_installed || text.contains("which is not installed here"), "{text}");
        if is_installed {
            let bytes = std::fs::read(folder.join(name)).unwrap();
            let is_known = if name == "a.mp4" { &bytes[4..8] == b"ftyp" } else { bytes.starts_with(&[0x1a, 0x45, 0xdf, 0xa3]) };
            assert!(is_known && bytes.len() > 500, "{name}: {} bytes", bytes.len());
            std::fs::remove_file(folder.join(name)).unwrap();
        }
    }
}

/// A program of this name that does what the lines of `script` say.
#[cfg(unix)]
fn program(folder: &Path, name: &str, script: &str) {
    use std::os::unix::fs::PermissionsExt;
    let path = folder.join(name);
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[cfg(unix)]
#[test]
fn another_program_gets_every_frame_and_its_failure_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let programs = folder.join("programs");
    std::fs::create_dir(&programs).unwrap();
    record(folder, 0.6);
    let arguments = ["replay", "r.heerec", "--film", "a.mp4", "--view", "traces", "--rate", "10", "--to", "0.5", "--size", "100x70"];
    // It counts what it is given in place of encoding it: the last argument is the file.
    program(&programs, "ffmpeg", "for file; do :; done\n/usr/bin/wc -c > \"${file#file:}\"");
    let output = with_path(folder, &programs, &arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let counted: usize = std::fs::read_to_string(folder.join("a.mp4")).unwrap().trim().parse().unwrap();
    assert_eq!(counted, 5 * 3 * 100 * 70, "five frames");
    std::fs::write(folder.join("a.mp4"), "from before").unwrap();
    for script in ["echo first >&2; echo 'Unknown encoder' >&2; exit 1", "/bin/cat > /dev/null; echo 'Unknown encoder' >&2; exit 1"] {
        program(&programs, "ffmpeg", script);
        let output = with_path(folder, &programs, &arguments);
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(1) && text.contains("a.mp4: ffmpeg has failed: Unknown encoder"), "{text}");
        assert_eq!(std::fs::read_to_string(folder.join("a.mp4")).unwrap(), "from before");
        assert_eq!(names(folder), ["a.mp4", "programs", "r.heerec"]);
    }
}

/// Asks for a film, and ends that with a signal as soon as `has_begun`.
#[cfg(unix)]
fn interrupted(folder: &Path, path: &Path, [name, size]: [&str; 2], has_begun: impl Fn() -> bool) {
    std::fs::write(folder.join(name), "from before").unwrap();
    let before = names(folder);
    let child = std::process::Command::new(env!("CARGO_BIN_EXE_heescope"))
        .args(film(&[name, "--view", "traces", "--rate", "50", "--size", size]))
        .current_dir(folder)
        .env("PATH", path)
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let begin = Instant::now();
    while !has_begun() {
        assert!(begin.elapsed() < Duration::from_secs(60), "it never begins");
        std::thread::sleep(Duration::from_millis(5));
    }
    std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(1) && text.contains(&format!("{name}: stopped by SIGINT; nothing was written")), "{text}");
    assert_eq!(names(folder), before);
    assert_eq!(std::fs::read_to_string(folder.join(name)).unwrap(), "from before");
}

#[cfg(unix)]
#[test]
fn a_signal_leaves_nothing_half_written() {
    let folder = tempfile::tempdir().unwrap();
    let (folder, programs) = (folder.path().join("films"), folder.path().join("programs"));
    [&folder, &programs].into_iter().for_each(|folder| std::fs::create_dir(folder).unwrap());
    record(&folder, 1.5);
    interrupted(&folder, &programs, ["a.gif", "4000x3000"], || names(&folder).len() > 2);
    std::fs::remove_file(folder.join("a.gif")).unwrap();
    // While frames are drawn, and when the other program has them all and does not end.
    program(&programs, "ffmpeg", "exec /bin/cat > /dev/null");
    interrupted(&folder, &programs, ["a.mp4", "4000x3000"], || names(&folder).len() > 2);
    program(&programs, "ffmpeg", "/bin/cat > /dev/null; > ../programs/has-all; exec /bin/sleep 300");
    interrupted(&folder, &programs, ["a.mp4", "640x400"], || programs.join("has-all").exists());
}

/// A window that replays the recording.
fn window(folder: &Path) -> Harness<'static, Option<App>> {
    let path = folder.join("r.heerec");
    let draw = move |ui: &mut egui::Ui, app: &mut Option<App>| {
        let options = || Options {
            recording: Some(RecordingRequest { path: path.clone(), at: 0.0, paused: true }),
            view: Some("traces".into()),
            ..Default::default()
        };
        let app = app.get_or_insert_with(|| App::start(ui.ctx(), options()).unwrap());
        app.drain(ui.ctx());
        app.frame(ui);
    };
    Harness::builder().with_size([1000.0, 700.0]).build_ui_state(draw, None)
}

fn click(harness: &mut Harness<'static, Option<App>>, label: &str) {
    harness.get_by_label(label).click();
    harness.run_steps(4);
}

fn fill(harness: &mut Harness<'static, Option<App>>, label: &str, text: &str) {
    let field = |harness: &Harness<'static, Option<App>>| harness.get_by_role_and_label(egui::accesskit::Role::TextInput, label).focus();
    field(harness);
    harness.step();
    harness.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::A);
    harness.get_by_role_and_label(egui::accesskit::Role::TextInput, label).type_text(text);
    harness.run_steps(2);
}

#[test]
fn the_window_films_the_view_in_sight_asks_before_it_writes_over_and_cancels() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    record(folder, 0.8);
    let mut harness = window(folder);
    let begin = Instant::now();
    while harness.query_by_label("Record").is_none() {
        assert!(begin.elapsed() < Duration::from_secs(30), "no snapshot is shown");
        harness.step();
    }
    click(&mut harness, "Record");
    click(&mut harness, "Film ...");
    let path = folder.join("a.gif");
    fill(&mut harness, "Film", &path.display().to_string());
    fill(&mut harness, "Pixels", "320x0");
    click(&mut harness, "Write the film");
    assert!(harness.query_by_label_contains("size = 320x0 is out of range").is_some() && !path.exists());
    fill(&mut harness, "Pixels", "320x200");
    fill(&mut harness, "From, s", "0,2");
    fill(&mut harness, "To, s", "0.7 s");
    fill(&mut harness, "Frames a second", "10");
    std::fs::write(&path, "from before").unwrap();
    click(&mut harness, "Write the film");
    assert!(harness.query_by_label_contains("is there already. Write over it?").is_some());
    click(&mut harness, "Write over it");
    let begin = Instant::now();
    while std::fs::read(&path).unwrap() == b"from before" {
        assert!(begin.elapsed() < Duration::from_secs(60), "the film is never written");
        harness.step();
    }
    assert_eq!(frames(&path), (5, (320, 200), vec![100; 5]));
    harness.run_steps(3);
    // A long one is cancelled.
    fill(&mut harness, "Pixels", "4000x3000");
    fill(&mut harness, "Frames a second", "50");
    fill(&mut harness, "Film", &folder.join("b.gif").display().to_string());
    click(&mut harness, "Write the film");
    click(&mut harness, "Cancel");
    let begin = Instant::now();
    while harness.query_by_label("Write the film").is_none() {
        assert!(begin.elapsed() < Duration::from_secs(60), "it never ends");
        harness.step();
    }
    assert_eq!(names(folder), ["a.gif", "r.heerec"]);
}
