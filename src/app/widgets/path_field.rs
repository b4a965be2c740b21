//! A text field for a path.

use egui::{Context, Id, Key, Response, TextEdit, Ui};

/// What stands in the empty fields of own images, of a model and of filters, by which they are told apart.
pub const IMAGES: &str = "Image file or folder";
pub const MODEL: &str = "model.npz";
pub const FILTERS: &str = "filters.png";

fn wanted() -> Id {
    Id::unique("path field that is to have the focus")
}

/// Has the field with this hint get the focus when it is drawn next.
pub fn ask_focus(ctx: &Context, hint: &'static str) {
    ctx.data_mut(|data| data.insert_temp(wanted(), hint));
}

/// A text field for a path, named by `label`; whether Enter was pressed in it.
pub fn path_field(ui: &mut Ui, label: &Response, hint: &'static str, path: &mut String) -> bool {
    let field = ui.add(TextEdit::singleline(path).hint_text(hint).desired_width(150.0)).labelled_by(label.id);
    if ui.data(|data| data.get_temp::<&str>(wanted())) == Some(hint) {
        ui.data_mut(|data| data.remove_temp::<&str>(wanted()));
        field.request_focus();
        field.scroll_to_me(None);
    }
    field.lost_focus() && ui.input(|i| i.key_pressed(Key::Enter))
}
