//! Text from outside as it is shown in a message: short, in one line, and without characters that would steer a terminal.

use std::fmt::Write;

/// Letters of a quoted key, value or name at most.
const LONGEST_QUOTE: usize = 80;
/// Letters of a whole message at most.
const LONGEST_LINE: usize = 4000;

/// A key, a value or a name from outside, to be quoted in a message.
pub(crate) fn shown(text: &str) -> String {
    visible(text, LONGEST_QUOTE)
}

/// A whole message in one line.
pub(crate) fn one_line(text: &str) -> String {
    let mut words = text.split_whitespace();
    let mut line = words.next().unwrap_or_default().to_string();
    for word in words {
        if line.len() > 8 * LONGEST_LINE {
            break; // what is behind is cut off anyway
        }
        line.push(' ');
        line.push_str(word);
    }
    visible(&line, LONGEST_LINE)
}

/// At most so many letters, control characters and those that turn the direction of writing spelled out.
fn visible(text: &str, most: usize) -> String {
    let mut shown = String::new();
    for (count, letter) in text.chars().enumerate() {
        if count == most {
            let _ = write!(shown, ".. ({} bytes)", text.len()); // writing to a string does not fail
            break;
        }
        if letter.is_control() || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
        {
            shown.extend(letter.escape_default());
        } else {
            shown.push(letter);
        }
    }
    shown
}

/// The known name that comes nearest to a wrong one; None where none is near.
pub(crate) fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if wrong.is_empty() || wrong.len() > LONGEST_QUOTE {
        return None;
    }
    let wrong = wrong.to_lowercase();
    // A name that continues the wrong one, or the other way round, is near however long the rest is.
    let distance = |name: &str| {
        let continued = wrong.len() >= 2 && (name.starts_with(&wrong) || wrong.starts_with(name));
        let typing = strsim::damerau_levenshtein(&wrong, &name.to_lowercase());
        if continued { typing.min(2) } else { typing }
    };
    known
        .into_iter()
        .map(|name| (distance(name), name))
        .filter(|(distance, name)| *distance <= name.len().max(wrong.len()).div_ceil(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// The suggestion behind an unknown name, as `; did you mean 'dt_ms'?`, or nothing.
pub(crate) fn suggestion<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(wrong, known).map(did_you_mean).unwrap_or_default()
}

/// The words that suggest a name.
pub(crate) fn did_you_mean(name: &str) -> String {
    format!("; did you mean '{name}'?")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_steer_a_terminal_is_spelled_out_and_what_is_long_is_cut() {
        assert_eq!(shown("tau_x"), "tau_x");
        assert_eq!(shown("a\u{1b}[31mb\u{7}\n\u{202e}c"), "a\\u{1b}[31mb\\u{7}\\n\\u{202e}c");
        assert_eq!(shown("\u{e9}t\u{e9}"), "\u{e9}t\u{e9}", "letters of any language stay");
        let long = shown(&"x".repeat(5_000_000));
        assert!(long.len() < 110 && long.ends_with(".. (5000000 bytes)"), "{long}");
        assert_eq!(one_line("error:\n  a\u{1b}b\tc  "), "error: a\\u{1b}b c");
        assert!(one_line(&"word ".repeat(1_000_000)).len() < 4100);
    }

    #[test]
    fn the_nearest_name_is_the_one_that_was_meant() {
        let known = ["tau_x_ms", "tau_eps_ms", "tau_v_ms", "adaptation", "adaptation_unit", "dt_ms", "lr", "batch", "unit_norm"];
        for (wrong, meant) in [
            ("tau_x", Some("tau_x_ms")),
            ("tau_vms", Some("tau_v_ms")),
            ("adaption", Some("adaptation")),
            ("Batch", Some("batch")),
            ("bacth", Some("batch")),
            ("dt", Some("dt_ms")),
            ("nonsense", None),
            ("", None),
        ] {
            assert_eq!(nearest(wrong, known), meant, "{wrong}");
        }
        assert_eq!(suggestion("unitnorm", known), "; did you mean 'unit_norm'?");
    }
}
