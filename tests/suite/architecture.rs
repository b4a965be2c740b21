//! The direction of imports: app and cli -> engine -> studies -> experiment -> dynamics, data, analysis, export -> model.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Modules, and those that each may import from.
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
fn imports_point_one_way_and_pure_modules_do_no_io() {
    let mut seen = 0;
    for (module, allowed) in ALLOWED {
        visit(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(module), &mut |path, text| {
            for part in text.split("crate::").skip(1) {
                let name: String = part.chars().take_while(|c| c.is_ascii_lowercase()).collect();
                let known = ALLOWED.iter().any(|(other, _)| *other == name);
                assert!(!known || name == module || allowed.contains(&name.as_str()), "{}: {module} imports {name}", path.display());
                seen += usize::from(known);
            }
            if ["model", "dynamics", "analysis"].contains(&module) {
                for word in ["egui", "std::thread", "std::fs", "rayon"] {
                    assert!(!text.contains(word), "{}: {word} in {module}", path.display());
                }
            }
        });
    }
    assert!(seen > 50, "the test reads the imports");
}

#[test]
fn files_are_written_by_one_function() {
    let mut writers = BTreeSet::new();
    visit(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut |path, text| {
        let text = text.split("#[cfg(test)]\nmod ").next().unwrap();
        for word in ["fs::write", "File::create", "OpenOptions", "File::options", "fs::rename", ".persist(", "NamedTempFile"] {
            if text.contains(word) {
                let folder = path.parent().and_then(Path::file_name).unwrap().to_string_lossy();
                writers.insert(format!("{folder}/{}", path.file_name().unwrap().to_string_lossy()));
            }
        }
    });
    let allowed = ["keeping.rs", "temporary.rs", "write.rs"]; // keeping.rs gives files other names
    assert_eq!(writers, allowed.map(|name| format!("export/{name}")).into(), "export::write_atomically is for everybody else");
}

/// A module's path below the crate, part by part.
type Module = Vec<String>;

/// A file's imports outside its tests, and the names that it only passes on from the files below it.
#[derive(Default)]
struct Imports {
    file: String,
    text: String,
    used: Vec<Module>,
    passed_on: Vec<Module>,
}

/// The paths of one `use`, its braces opened.
fn paths(tree: &str) -> Vec<String> {
    let Some((before, inside)) = tree.split_once('{') else {
        return vec![tree.split(" as ").next().unwrap().trim().to_string()];
    };
    let (mut depth, mut parts) = (0, vec![String::new()]);
    for letter in inside[..inside.rfind('}').unwrap()].chars() {
        depth += i32::from(letter == '{') - i32::from(letter == '}');
        match letter {
            ',' if depth == 0 => parts.push(String::new()),
            _ => parts.last_mut().unwrap().push(letter),
        }
    }
    parts.iter().filter(|part| !part.trim().is_empty()).flat_map(|part| paths(&format!("{before}{}", part.trim()))).collect()
}

/// A path from the crate's root; None where it leads to another crate.
fn from_root(path: &str, module: &Module, is_module: impl Fn(&Module) -> bool) -> Option<Module> {
    let mut parts: Vec<&str> = path.split("::").map(str::trim).filter(|part| !part.is_empty()).collect();
    let mut root = match parts[0] {
        "crate" => Vec::new(),
        "self" => module.clone(),
        "super" => {
            let up = parts.iter().take_while(|part| **part == "super").count();
            parts.drain(1..up);
            module[..module.len().saturating_sub(up)].to_vec()
        }
        child => {
            let child = [&module[..], &[child.to_string()]].concat();
            return is_module(&child).then(|| [&child[..], &parts[1..].iter().map(ToString::to_string).collect::<Vec<_>>()].concat());
        }
    };
    root.extend(parts[1..].iter().filter(|part| **part != "self").map(ToString::to_string));
    Some(root)
}

fn read_imports() -> BTreeMap<Module, Imports> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = BTreeMap::new();
    visit(&source, &mut |path, text| {
        let file = path.strip_prefix(&source).unwrap().with_extension("").display().to_string();
        let mut module: Module = file.split('/').map(str::to_string).collect();
        module.pop_if(|last| ["mod", "lib"].contains(&last.as_str()));
        let text = text.split("#[cfg(test)]\nmod ").next().unwrap().to_string();
        files.insert(module, Imports { file, text, ..Imports::default() });
    });
    let modules: BTreeSet<Module> = files.keys().cloned().collect();
    for (module, imports) in &mut files {
        for statement in imports.text.split(';') {
            let line = statement.rfind("\nuse ").map(|at| (false, at + 5));
            let Some((public, at)) = statement.rfind("\npub use ").map(|at| (true, at + 9)).or(line) else { continue };
            for path in paths(&statement[at..].replace('\n', " ")) {
                let Some(path) = from_root(&path, module, |path| modules.contains(path)) else { continue };
                if public && path.starts_with(module) { imports.passed_on.push(path) } else { imports.used.push(path) }
            }
        }
    }
    files
}

/// The file that defines what a path names: names that a file only passes on are looked for below it.
fn defined_in(path: &[String], files: &BTreeMap<Module, Imports>) -> Option<Module> {
    let module = (0..=path.len()).rev().map(|n| path[..n].to_vec()).find(|module| files.contains_key(module))?;
    let Some(name) = path.get(module.len()) else { return Some(module) };
    for passed_on in &files[&module].passed_on {
        let last = passed_on.last()?;
        let of_all = || {
            let below = files.get(&passed_on[..passed_on.len() - 1]);
            let kinds = ["struct", "enum", "trait", "fn", "type", "const"];
            below.is_some_and(|below| kinds.iter().any(|kind| below.text.contains(&format!("pub {kind} {name}"))))
        };
        if last == name || last == "*" && of_all() {
            return defined_in(passed_on, files);
        }
    }
    Some(module)
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let files = read_imports();
    let edges: BTreeMap<&Module, BTreeSet<Module>> = files
        .iter()
        .map(|(module, imports)| {
            let targets = imports.used.iter().filter_map(|path| defined_in(path, &files));
            (module, targets.filter(|target| target != module && !target.is_empty()).collect())
        })
        .collect();
    assert!(edges.values().map(BTreeSet::len).sum::<usize>() > 200, "the test reads the imports");
    let reachable = |from: &Module| {
        let (mut seen, mut open) = (BTreeSet::new(), vec![from.clone()]);
        while let Some(module) = open.pop() {
            open.extend(edges[&module].iter().filter(|target| seen.insert((*target).clone())).cloned());
        }
        seen
    };
    let reached: BTreeMap<&Module, BTreeSet<Module>> = files.keys().map(|module| (module, reachable(module))).collect();
    for (module, imports) in &files {
        let circle: Vec<&str> =
            reached[module].iter().filter(|other| reached[other].contains(module)).map(|other| files[other].file.as_str()).collect();
        assert!(circle.is_empty(), "{} stands in a circle: {circle:?}", imports.file);
    }
}

#[test]
fn imports_are_read_with_their_braces() {
    assert_eq!(paths("crate::a::{b, c::{D, E as F}, self}"), ["crate::a::b", "crate::a::c::D", "crate::a::c::E", "crate::a::self"]);
    let module = ["app", "ui"].map(String::from).to_vec();
    let path = |text| from_root(text, &module, |_| false).map(|path| path.join("/"));
    assert_eq!(["crate::a::B", "super::App", "std::fs"].map(path), [Some("a/B".into()), Some("app/App".into()), None]);
}
