//! The direction of imports: app and cli -> engine -> studies -> experiment -> dynamics, data, analysis, export -> model.

use std::path::Path;

/// Rooms, and those that each may import from.
const ALLOWED: [(&str, &[&str]); 10] = [
    ("model", &[]),
    ("dynamics", &["model"]),
    ("analysis", &["model"]),
    ("data", &[]),
    ("export", &[]),
    ("experiment", &["model", "dynamics", "data", "analysis", "export"]),
    ("studies", &["model", "dynamics", "data", "analysis", "export", "experiment"]),
    ("engine", &["model", "dynamics", "data", "analysis", "export", "experiment", "studies"]),
    ("app", &["model", "dynamics", "data", "analysis", "export", "experiment", "studies", "engine"]),
    ("cli", &["model", "dynamics", "data", "analysis", "export", "experiment", "studies", "engine", "app"]),
];

fn visit(folder: &Path, check: &mut impl FnMut(&Path, &str)) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            visit(&path, check);
        } else {
            check(&path, &std::fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn imports_point_one_way_and_quiet_rooms_stay_quiet() {
    let mut seen = 0;
    for (room, allowed) in ALLOWED {
        visit(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(room), &mut |path, text| {
            for part in text.split("crate::").skip(1) {
                let name: String = part.chars().take_while(|c| c.is_ascii_lowercase()).collect();
                let known = ALLOWED.iter().any(|(other, _)| *other == name);
                assert!(!known || name == room || allowed.contains(&name.as_str()), "{}: {room} imports {name}", path.display());
                seen += usize::from(known);
            }
            if ["model", "dynamics", "analysis"].contains(&room) {
                for word in ["egui", "std::thread", "std::fs", "rayon"] {
                    assert!(!text.contains(word), "{}: {word} in {room}", path.display());
                }
            }
        });
    }
    assert!(seen > 50, "the test reads the imports");
}
