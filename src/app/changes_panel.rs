//! The list of the changes of parameters, each with its time; a click goes back to it.

use super::App;
use crate::app::widgets::greek::greek;
use crate::experiment::parameters;
use egui::{Context, RichText, ScrollArea};
use std::time::Duration;

impl App {
    /// Draws the list where it is open.
    pub(super) fn show_changes(&mut self, ctx: &Context) {
        let mut open = self.panels.changes;
        let mut target = None;
        egui::Window::new("Changes").open(&mut open).default_width(300.0).show(ctx, |ui| {
            let entries = self.history.entries();
            if entries.is_empty() {
                ui.weak("Nothing was changed in this run yet. Every slider, field and box leaves a line here.");
                return;
            }
            ui.weak("A click goes back, or forward again, to just after that change");
            let row_height = ui.spacing().interact_size.y;
            ScrollArea::vertical().max_height(360.0).show_rows(ui, row_height, entries.len() + 1, |ui, rows| {
                let applied = entries.iter().filter(|entry| !entry.is_undone).count();
                if rows.contains(&0) && ui.selectable_label(applied == 0, "before the first change").clicked() {
                    target = Some(0);
                }
                for (i, entry) in entries.iter().enumerate().filter(|(i, _)| rows.contains(&(i + 1))) {
                    let symbol = parameters::find(entry.key).map_or(entry.key, |parameter| parameter.symbol);
                    let text = RichText::new(greek(&format!("{symbol}: {} to {}", entry.from, entry.to)));
                    let text = if entry.is_undone { text.weak().strikethrough() } else { text };
                    ui.horizontal(|ui| {
                        if ui.selectable_label(i + 1 == applied, text).clicked() {
                            target = Some(i + 1);
                        }
                        ui.weak(RichText::new(age(entry.at.elapsed())).small());
                    });
                }
            });
        });
        self.panels.changes = open;
        if let Some(count) = target {
            self.history.go_to(count).into_iter().for_each(|command| self.simulation.queue(command));
        }
    }
}

fn age(since: Duration) -> String {
    match since.as_secs() {
        seconds @ 0..60 => format!("{seconds} s ago"),
        seconds @ 60..3600 => format!("{} min ago", seconds / 60),
        seconds => format!("{} h ago", seconds / 3600),
    }
}
