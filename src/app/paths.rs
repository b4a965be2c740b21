//! Paths that are typed.

use std::path::PathBuf;

/// The path that somebody has typed: `~` is the home folder, the ending is added where there is none, and the rest is from the folder in
/// which the program runs.
pub fn full_path(text: &str, ending: Option<&str>) -> PathBuf {
    let text = text.trim();
    let home = std::env::home_dir();
    let mut path = match (text.strip_prefix('~'), home) {
        (Some(rest), Some(home)) if rest.is_empty() || rest.starts_with(['/', '\\']) => home.join(rest.trim_start_matches(['/', '\\'])),
        _ => PathBuf::from(text),
    };
    if let (Some(ending), None, Some(name)) = (ending, path.extension(), path.file_name()) {
        let name = format!("{}{ending}", name.to_string_lossy());
        path.set_file_name(name);
    }
    std::path::absolute(&path).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typed_paths_are_whole_and_have_an_ending() {
        let here = std::env::current_dir().unwrap();
        assert_eq!(full_path(" model ", Some(".npz")), here.join("model.npz"));
        assert_eq!(full_path("a/model.npz", Some(".npz")), here.join("a/model.npz"));
        assert_eq!(full_path("model.txt", Some(".npz")), here.join("model.txt"), "another ending is refused by who writes");
        assert_eq!(full_path("folder", None), here.join("folder"));
        let home = std::env::home_dir().unwrap();
        assert_eq!(full_path("~/m", Some(".npz")), home.join("m.npz"));
        assert_eq!(full_path("~", None), home);
        assert_eq!(full_path("~m", Some(".npz")), here.join("~m.npz"), "a file of that name");
    }
}
