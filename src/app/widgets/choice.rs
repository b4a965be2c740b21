//! A labelled list of which one is chosen.

use egui::{Response, Ui};

/// The list, as wide as `width`; its title stands before it and is its name.
pub fn choice<T: Copy + PartialEq>(ui: &mut Ui, title: &str, width: f32, value: &mut T, all: &[(T, &str)]) -> Response {
    let label = ui.label(title);
    let name = all.iter().find(|(choice, _)| choice == value).map_or("", |(_, name)| name);
    let list = egui::ComboBox::from_id_salt(title).width(width).selected_text(name);
    let list = list.show_ui(ui, |ui| all.iter().for_each(|(choice, name)| drop(ui.selectable_value(value, *choice, *name))));
    list.response.labelled_by(label.id)
}
