//! Citations of docs/model.md in the source, links in the documents, and the length of the README.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What a citation begins with, before the numbers.
const CITED: &str = "model.md ";
/// The name that the document had before; in two parts, so that this file does not cite it.
const FORMER: &str = concat!("SP", "EC");
const MOST_README_LINES: usize = 150;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All files below `folder` with this ending, in order; none where there is no such folder.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = std::fs::read_dir(folder) else { return found };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.extension().is_some_and(|e| e == ending) {
            found.push(path);
        }
    }
    found
}

fn sources() -> Vec<PathBuf> {
    ["src", "tests", "benches", "examples"].iter().flat_map(|folder| files(&root().join(folder), "rs")).collect()
}

fn documents() -> Vec<PathBuf> {
    [vec![root().join("README.md")], files(&root().join("docs"), "md")].concat()
}

/// A number such as `5` or `5.3` at the start of `text`, and what follows it.
fn number(text: &str) -> Option<(String, &str)> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(text);
    if whole == 0 {
        return None;
    }
    let part = text[whole..].strip_prefix('.').map_or(0, digits);
    let end = if part == 0 { whole } else { whole + 1 + part };
    Some((text[..end].to_string(), &text[end..]))
}

/// The numbers that `text` cites, each with its line: one after the document's name, others after a comma or "and".
fn citations(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (line, content) in (1..).zip(text.lines()) {
        for after in content.split(CITED).skip(1) {
            let mut rest = after;
            while let Some((cited, following)) = number(rest) {
                found.push((line, cited));
                let next = following.strip_prefix(", ").or_else(|| following.strip_prefix(" and "));
                rest = next.unwrap_or_default();
            }
        }
    }
    found
}

/// What can be cited: the numbers of headings (`## 5. ..`, `### 5.3 ..`) and of formulas, `(2.3)` at the end of a line in a block.
fn citable(model: &str) -> BTreeSet<String> {
    let mut block = false;
    let mut found = BTreeSet::new();
    for line in model.lines() {
        if line.trim_start().starts_with("```") {
            block = !block;
        } else if block {
            let label = line.trim_end().strip_suffix(')').and_then(|line| line.rsplit_once('('));
            found.extend(label.and_then(|(_, label)| number(label)).filter(|(n, rest)| n.contains('.') && rest.is_empty()).map(|(n, _)| n));
        } else if line.starts_with("##") {
            found.extend(number(line.trim_start_matches('#').trim_start()).map(|(n, _)| n));
        }
    }
    found
}

/// The citations of `text` that nothing in `known` answers, as messages.
fn unanswered(name: &str, text: &str, known: &BTreeSet<String>) -> Vec<String> {
    let unknown = citations(text).into_iter().filter(|(_, cited)| !known.contains(cited));
    unknown.map(|(line, cited)| format!("{name}:{line}: docs/model.md has no {cited}")).collect()
}

/// Lines of `text` with the former name as a word of its own.
fn former(text: &str) -> Vec<usize> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let whole = |line: &str| {
        line.match_indices(FORMER).any(|(at, name)| {
            let (before, after) = (line[..at].chars().next_back(), line[at + name.len()..].chars().next());
            !before.is_some_and(is_word) && !after.is_some_and(is_word)
        })
    };
    (1..).zip(text.lines()).filter(|(_, line)| whole(line)).map(|(number, _)| number).collect()
}

/// Targets of the links and images of a document, code left out.
fn links(text: &str) -> Vec<String> {
    let mut block = false;
    let mut prose = String::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            block = !block;
        } else if !block {
            prose.push_str(line);
            prose.push('\n');
        }
    }
    let outside: String = prose.split('`').step_by(2).collect();
    let ends = [("](", ')'), ("src=\"", '"'), ("href=\"", '"')];
    let targets = ends.iter().flat_map(|(start, end)| outside.split(start).skip(1).filter_map(|rest| rest.split(*end).next()));
    targets.filter_map(|target| target.split_whitespace().next()).map(str::to_string).collect()
}

/// The anchors of a document's headings, as GitHub makes them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim().to_lowercase());
    let kept = |c: char| c.is_alphanumeric() || "-_ ".contains(c);
    headings.map(|title| title.chars().filter(|&c| kept(c)).collect::<String>().replace(' ', "-")).collect()
}

/// The links of a document, given its text, that lead nowhere on this disk.
fn broken(document: &Path, text: &str) -> Vec<String> {
    let local = |target: &String| !["http://", "https://", "mailto:"].iter().any(|scheme| target.starts_with(scheme));
    let leads_nowhere = |target: &String| {
        let (file, anchor) = target.split_once('#').map_or((target.as_str(), None), |(file, anchor)| (file, Some(anchor)));
        let path = if file.is_empty() { document.to_path_buf() } else { document.parent().unwrap().join(file) };
        let known = |anchor: &str| {
            let other = if file.is_empty() { text.to_string() } else { std::fs::read_to_string(&path).unwrap_or_default() };
            anchors(&other).contains(anchor)
        };
        (!file.is_empty() && !path.exists()) || anchor.is_some_and(|anchor| !known(anchor))
    };
    links(text).into_iter().filter(local).filter(leads_nowhere).map(|target| format!("{}: {target}", document.display())).collect()
}

#[test]
fn every_citation_of_the_model_finds_its_section() {
    let known = citable(&std::fs::read_to_string(root().join("docs/model.md")).unwrap());
    let (mut count, mut problems) = (0, Vec::new());
    for path in sources() {
        let (name, text) = (path.display().to_string(), std::fs::read_to_string(&path).unwrap());
        count += citations(&text).len();
        problems.extend(unanswered(&name, &text, &known));
        problems.extend(former(&text).iter().map(|line| format!("{name}:{line}: cites {FORMER}")));
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(count > 50, "the test reads the sources: {count} citations");
}

#[test]
fn the_model_has_twelve_sections_and_eight_closed_forms() {
    let text = std::fs::read_to_string(root().join("docs/model.md")).unwrap();
    let known = citable(&text);
    let headings = (1..=12).map(|n| n.to_string()).chain((1..=8).map(|n| format!("5.{n}")));
    let missing: Vec<String> = headings.filter(|n| !known.contains(n)).collect();
    assert!(missing.is_empty() && !known.contains("13") && !known.contains("5.9"), "missing: {missing:?}");
    assert!(former(&text).is_empty());
}

#[test]
fn an_unknown_number_is_reported() {
    let known = citable("## 5. Closed forms\n### 5.3 Separation\n```text\nx = y (2.1)\n```\nas in (7.7)\n");
    assert_eq!(known.iter().map(String::as_str).collect::<Vec<_>>(), ["2.1", "5", "5.3"]);
    // In two parts, so that this file does not cite what is not there.
    let text = format!("//! right ({} 5.3, 5).\n//! wrong: {0} 5, 99 and 2.1, {0} 5.4, times.", CITED.trim_end());
    let cited: Vec<_> = citations(&text).into_iter().map(|(line, n)| format!("{line}:{n}")).collect();
    assert_eq!(cited, ["1:5.3", "1:5", "2:5", "2:99", "2:2.1", "2:5.4"]);
    assert_eq!(unanswered("made-up", &text, &known), ["made-up:2: docs/model.md has no 99", "made-up:2: docs/model.md has no 5.4"]);
    assert_eq!(former(&format!("const {FORMER}TRUM: u8 = 1;\n// ({FORMER} 2)\n")), [2]);
}

#[test]
fn links_and_images_of_the_documents_lead_somewhere() {
    let mut count = 0;
    let mut problems = Vec::new();
    for path in documents() {
        let text = std::fs::read_to_string(&path).unwrap();
        count += links(&text).len();
        problems.extend(broken(&path, &text));
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(count > 20, "the test reads the documents: {count} links");
}

#[test]
fn a_broken_link_is_reported() {
    let text = "# A b, c\n[a](#a-b-c) [b](#d) `[c](no.md)` ![d](no.png) <img src=\"no.gif\"> [e](https://no.org) [f](README.md \"title\")";
    let found = broken(&root().join("made-up.md"), text);
    let targets: Vec<_> = found.iter().filter_map(|message| message.split_once(": ")).map(|(_, target)| target).collect();
    assert_eq!(targets, ["#d", "no.png", "no.gif"]);
}

#[test]
fn the_readme_is_short() {
    let lines = std::fs::read_to_string(root().join("README.md")).unwrap().lines().count();
    assert!(lines <= MOST_README_LINES, "README.md has {lines} lines, at most {MOST_README_LINES} are wanted");
}
