//! Greek letters on screen for the names that files and the command line have in Latin ones.

/// Names and their letters.
const LETTERS: [(&str, char); 8] = [
    ("eps", '\u{03B5}'),
    ("eta", '\u{03B7}'),
    ("lambda", '\u{03BB}'),
    ("mu", '\u{03BC}'),
    ("sigma", '\u{03C3}'),
    ("tau", '\u{03C4}'),
    ("theta", '\u{03B8}'),
    ("rho", '\u{03C1}'),
];

/// The text with every such name in its letter: of a whole word, or of a part of one between underscores, as in `tau_eps`. Keys of
/// parameters, which name a unit too (`tau_eps_ms`), stay as they are typed.
pub fn greek(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_alphanumeric() || c == '_') {
        let (before, from) = rest.split_at(start);
        let end = from.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(from.len());
        let (word, after) = from.split_at(end);
        out.push_str(before);
        if word.ends_with("_ms") {
            out.push_str(word);
        } else {
            for (i, part) in word.split('_').enumerate() {
                out.push_str(if i == 0 { "" } else { "_" });
                push_letter(&mut out, part);
            }
        }
        rest = after;
    }
    out + rest
}

/// Adds a name, which digits may follow, as its letter, and any other text as it is.
fn push_letter(out: &mut String, part: &str) {
    let name = part.trim_end_matches(|c: char| c.is_ascii_digit());
    match LETTERS.iter().find(|(of, _)| *of == name) {
        Some((_, letter)) => {
            out.push(*letter);
            out.push_str(&part[name.len()..]);
        }
        None => out.push_str(part),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_letters_and_words_and_keys_stay() {
        for (text, shown) in [
            ("tau_eps", "\u{03C4}_\u{03B5}"),
            ("S = 1 + m^2 tau_v/tau_x", "S = 1 + m^2 \u{03C4}_v/\u{03C4}_x"),
            ("A'(eta), eta_0 and sigma2", "A'(\u{03B7}), \u{03B7}_0 and \u{03C3}2"),
            ("tau_eps_ms = 4.5", "tau_eps_ms = 4.5"),
            ("beta etas theta", "beta etas \u{03B8}"),
            ("", ""),
        ] {
            assert_eq!(greek(text), shown);
        }
    }
}
