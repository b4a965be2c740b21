//! A labelled list of which one is chosen.

use egui::{Response, Ui};

/// Points that a list may be high before it scrolls: all entries of the longest ones are in sight.
const LIST_HEIGHT: f32 = 400.0;

/// Goes to the next line of a wrapped row where so many points are not left in this one.
pub fn keep_together(ui: &mut Ui, width: f32) {
    if width > ui.available_size_before_wrap().x {
        ui.end_row();
        ui.set_row_height(ui.spacing().interact_size.y); // what comes stands in the middle of its line, as in the first
    }
}

/// The list, as wide as `width`; its title stands before it and is its name.
pub fn choice<T: Copy + PartialEq>(ui: &mut Ui, title: &str, width: f32, value: &mut T, all: &[(T, &str)]) -> Response {
    if ui.layout().main_wrap() {
        // Title and list go to the next line together.
        let words = egui::WidgetText::from(title).into_galley(ui, Some(egui::TextWrapMode::Extend), f32::INFINITY, egui::TextStyle::Body);
        keep_together(ui, words.size().x + ui.spacing().item_spacing.x + width);
    }
    let label = ui.label(title);
    let name = all.iter().find(|(choice, _)| choice == value).map_or("", |(_, name)| name);
    let list = egui::ComboBox::from_id_salt(title).width(width).height(LIST_HEIGHT).selected_text(name);
    let list = list.show_ui(ui, |ui| all.iter().for_each(|(choice, name)| drop(ui.selectable_value(value, *choice, *name))));
    list.response.labelled_by(label.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn title_and_list_stand_in_one_line_however_wide_the_row_is() {
        for width in (150..400).step_by(7) {
            let ctx = egui::Context::default();
            let mut value = 1;
            let mut found = None;
            // The fonts are there from the second frame on.
            for _ in 0..2 {
                let screen = egui::Rect::from_min_size(egui::Pos2::ZERO, egui::vec2(width as f32, 200.0));
                let input = egui::RawInput { screen_rect: Some(screen), ..Default::default() };
                let draw = |ui: &mut Ui| {
                    ui.horizontal_wrapped(|ui| {
                        ui.label("something before it");
                        let first_line = ui.cursor().top();
                        let list = choice(ui, "Sort by", 80.0, &mut value, &[(1, "index"), (2, "norm")]).rect;
                        found = Some((list, list.top() > first_line + 5.0, ui.min_rect().left()));
                    });
                };
                ctx.run_ui(input, draw).textures_delta.clear();
            }
            let (list, wrapped, left) = found.unwrap();
            assert!(list.right() <= width as f32, "{width}: {list:?}");
            // Alone in the next line, the list would begin at the left edge.
            assert!(!wrapped || list.left() > left + 30.0, "{width}: {list:?}");
        }
    }
}
