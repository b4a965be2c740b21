//! A text field for a path.

use egui::Ui;

/// A text field for a path, named by `label`.
pub fn path_field(ui: &mut Ui, label: &egui::Response, hint: &str, path: &mut String) {
    ui.add(egui::TextEdit::singleline(path).hint_text(hint).desired_width(150.0)).labelled_by(label.id);
}
