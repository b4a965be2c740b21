//! The direction of imports: app and cli -> engine -> experiment -> dynamics, data, analysis, export -> model.

use std::path::Path;

/// Rooms, and those that each may import from.
const ALLOWED: [(&str, &[&str]); 9] = [
    ("model", &[]),
    ("dynamics", &["model"]),
    ("analysis", &["model"]),
    ("data", &[]),
    ("export", &[]),
    ("experiment", &["model", "dynamics", "data", "analysis", "export"]),
    ("engine", &["model", "dynamics", "data", "analysis", "export", "experiment"]),
    ("app", &["model", "dynamics", "data", "analysis", "export", "experiment", "engine"]),
    ("cli", &["model", "dynamics", "data", "analysis", "export", "experiment", "engine", "app"]),
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

/// The modules of a room (files and folders right below it), and which of them each imports by name.
fn imports_within(room: &str) -> std::collections::BTreeMap<String, std::collections::BTreeSet<String>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(room);
    let mut imports = std::collections::BTreeMap::<String, std::collections::BTreeSet<String>>::new();
    visit(&folder, &mut |path, text| {
        let place = path.strip_prefix(&folder).unwrap().with_extension("");
        let module = place.iter().next().unwrap().to_str().unwrap().to_owned();
        let text = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        let prefix = format!("crate::{room}::");
        let names = text.split(&prefix).skip(1);
        let names = names.map(|rest| rest.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect::<String>());
        imports.entry(module.clone()).or_default().extend(names.filter(|name| !name.is_empty() && *name != module));
    });
    imports.remove("mod");
    imports
}

#[test]
fn no_circle_of_imports_within_dynamics() {
    let mut imports = imports_within("dynamics");
    assert!(imports["ensemble"].contains("block") && imports["block"].contains("state"), "the test reads the imports: {imports:?}");
    // What imports nothing that is left is taken away, until nothing is left but circles.
    loop {
        let left: std::collections::BTreeSet<String> = imports.keys().cloned().collect();
        let before = imports.len();
        imports.retain(|_, names| names.iter().any(|name| left.contains(name)));
        if imports.len() == before {
            break;
        }
    }
    assert!(imports.is_empty(), "circles among {imports:?}");
}
