//! Switches that look like buttons whether they are on or off.

use egui::{Button, Response, Ui, WidgetText};

/// Switches of a row.
pub trait Switches {
    /// A switch that is on or off; a click is for the caller to follow.
    fn switch(&mut self, is_on: bool, text: impl Into<WidgetText>) -> Response;

    /// One of several: a click chooses its value.
    fn switch_value<T: PartialEq>(&mut self, chosen: &mut T, value: T, text: impl Into<WidgetText>) -> Response;
}

impl Switches for Ui {
    fn switch(&mut self, is_on: bool, text: impl Into<WidgetText>) -> Response {
        self.add(Button::new(text.into()).selected(is_on))
    }

    fn switch_value<T: PartialEq>(&mut self, chosen: &mut T, value: T, text: impl Into<WidgetText>) -> Response {
        let mut response = self.switch(*chosen == value, text);
        if response.clicked() && *chosen != value {
            *chosen = value;
            response.mark_changed();
        }
        response
    }
}
