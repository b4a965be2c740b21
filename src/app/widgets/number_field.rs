//! A field for a number, which takes effect on Enter or when the field is let go, never by keystroke.
//!
//! The number in force comes from the simulation, which reports it late and sometimes changes it by itself. It never touches what is
//! being typed; and what was typed is shown until the simulation has it.

use egui::emath::Numeric;
use egui::text::CCursorRange;
use egui::{DragValue, Key, Response, RichText, Slider, TextEdit, Ui};
use std::borrow::Cow;
use std::ops::RangeInclusive;

/// Seconds for which a number that was typed is shown although the simulation still reports the one before.
const PATIENCE: f64 = 2.0;
/// Significant digits that are shown, at most.
const DIGITS: i32 = 6;

/// What is to be typed.
pub struct NumberField<'a> {
    /// The number in force.
    pub value: f64,
    /// Its unit, as `ms`; empty where it has none.
    pub unit: &'a str,
    /// Whether a number is valid.
    pub is_valid: &'a dyn Fn(f64) -> bool,
    /// The valid numbers in words, as `0 to 1`.
    pub range: &'a str,
    /// What the number is.
    pub tooltip: &'a str,
}

/// What the field keeps between frames.
#[derive(Clone, Default)]
enum Entry {
    /// Nothing was typed.
    #[default]
    Rest,
    /// What is being typed, or was and is not valid; and what stood there before.
    Typed { text: String, before: String },
    /// A number that was typed, the one that was in force then, and until when it is shown, s.
    Sent { to: f64, from: f64, until: f64 },
}

impl NumberField<'_> {
    /// Draws the field; the number that is to be in force from now on, if one was typed just now. A text that is no valid number turns
    /// red, with what is valid beneath it, and changes nothing; Escape brings back the number in force.
    pub fn ui(&self, ui: &mut Ui, label: &Response) -> Option<f64> {
        let id = ui.make_persistent_id(("number field", label.id));
        let now = ui.input(|input| input.time);
        let mut entry = ui.data_mut(|data| data.get_temp::<Entry>(id)).unwrap_or_default();
        if let Entry::Sent { from, until, .. } = entry
            && (from != self.value || now > until)
        {
            entry = Entry::Rest;
        }
        let shown = match entry {
            Entry::Sent { to, .. } => to,
            _ => self.value,
        };
        let (mut text, before) = match &entry {
            Entry::Typed { text, before } => (text.clone(), before.clone()),
            _ => (with_unit(shown, self.unit), with_unit(shown, self.unit)),
        };
        let number = |text: &str| parse_number(text, self.unit).filter(|number| (self.is_valid)(*number));
        let is_wrong = matches!(entry, Entry::Typed { .. }) && number(&text).is_none();
        let colour = is_wrong.then(|| ui.visuals().error_fg_color);
        let field = TextEdit::singleline(&mut text).id(id).desired_width(66.0).text_color_opt(colour);
        let response = ui.add(field).labelled_by(label.id).on_hover_text(self.tooltip);
        if response.gained_focus() {
            let mut state = TextEdit::load_state(ui.ctx(), id).unwrap_or_default();
            state.cursor.set_char_range(Some(CCursorRange::select_all_str(&text)));
            state.store(ui.ctx(), id);
        }
        if is_wrong {
            response.show_tooltip_ui(|ui| {
                ui.label(RichText::new(format!("{} {}", self.range, self.unit)).color(ui.visuals().error_fg_color));
            });
        }
        let mut sent = None;
        if response.lost_focus() {
            let escaped = ui.input(|input| input.key_pressed(Key::Escape));
            entry = match number(&text) {
                _ if escaped || text == before => Entry::Rest,
                None => Entry::Typed { text, before },
                Some(to) => {
                    sent = Some(to);
                    Entry::Sent { to, from: self.value, until: now + PATIENCE }
                }
            };
        } else if response.has_focus() {
            entry = Entry::Typed { text, before };
        }
        ui.data_mut(|data| data.insert_temp(id, entry));
        sent
    }
}

/// A number with its significant digits, and its unit.
fn with_unit(number: f64, unit: &str) -> String {
    let decimals = if number == 0.0 { 0 } else { (DIGITS - 1 - number.abs().log10().floor() as i32).clamp(0, 15) as usize };
    let text = format!("{number:.decimals$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    if unit.is_empty() { text.into() } else { format!("{text} {unit}") }
}

/// A field for a number of the window's own, which can also be dragged; what is typed takes effect when the field is let go.
pub fn drag_value<N: Numeric>(value: &mut N) -> DragValue<'_> {
    DragValue::new(value).update_while_editing(false).custom_parser(|text| parse_number(text, ""))
}

/// A slider with such a field, for a number of the window's own in this unit.
pub fn slider<'a, N: Numeric>(value: &'a mut N, range: RangeInclusive<N>, unit: &'static str) -> Slider<'a> {
    let slider = Slider::new(value, range).update_while_editing(false).custom_parser(move |text| parse_number(text, unit));
    if unit.is_empty() { slider } else { slider.suffix(format!(" {unit}")) }
}

/// The number that a text means, in `unit`: with a point or a comma, as 1e3, with its unit or without, and times in s, ms or us.
pub fn parse_number(text: &str, unit: &str) -> Option<f64> {
    let text = text.trim().replace('\u{2212}', "-"); // the minus sign of typography
    let number = |part: &str| {
        let part = if part.contains('.') { Cow::Borrowed(part) } else { part.replacen(',', ".", 1).into() };
        let is_number = part.contains(|c: char| c.is_ascii_digit()); // and no `nan` or `inf`
        part.parse::<f64>().ok().filter(|number| is_number && number.is_finite())
    };
    if let Some(number) = number(&text) {
        return Some(number);
    }
    let end = text.trim_end_matches(|c: char| c.is_alphabetic() || c == 'µ').len();
    let factor = match (&text[end..], unit) {
        (own, _) if own == unit => 1.0,
        ("s", "ms") => 1e3,
        ("us" | "µs" | "μs", "ms") => 1e-3,
        _ => return None,
    };
    number(text[..end].trim_end()).map(|number| number * factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_understood_as_people_write_them() {
        for (text, unit, number) in [
            ("0.5", "ms", Some(0.5)),
            ("0,5", "", Some(0.5)),
            (" 0.5 ms ", "ms", Some(0.5)),
            ("2 s", "ms", Some(2000.0)),
            ("250µs", "ms", Some(0.25)),
            ("1e3", "ms", Some(1000.0)),
            ("1E-3ms", "ms", Some(0.001)),
            ("\u{2212}3", "", Some(-3.0)),
            ("1.000,5", "", None),
            ("1,000,5", "", None),
            ("2 s", "", None),
            ("2 kg", "ms", None),
            ("nan", "", None),
            ("inf", "", None),
            ("1e999", "", None),
            ("", "", None),
            ("ms", "ms", None),
            ("e", "", None),
        ] {
            assert_eq!(parse_number(text, unit), number, "{text:?} in {unit:?}");
        }
    }

    #[test]
    fn numbers_are_shown_without_needless_digits_and_come_back() {
        for (number, text) in [
            (0.0, "0"),
            (30.0, "30"),
            (0.05, "0.05"),
            (1234.56, "1234.56"),
            (0.123_456_7, "0.123457"),
            (-2.5, "-2.5"),
            (1e-9, "0.000000001"),
        ] {
            assert_eq!(with_unit(number, ""), text);
        }
        for number in [0.1, 123.456, 1e-7, 20_000.0] {
            assert_eq!(parse_number(&with_unit(number, "ms"), "ms"), Some(number));
        }
    }
}
