//! Draws the dialog for figures, and has the figures written that were asked for.

use super::App;
use crate::app::actions::Action;
use crate::app::background::TaskResult;
use crate::app::error::WindowError;
use crate::app::figures::FigureRequest;
use crate::app::figures::caption::{caption, caption_path};
use crate::app::figures::dialog::PREVIEW;
use crate::app::figures::drawing::{Content, LaidOut};
use crate::app::views::ViewKind;
use crate::export::write_atomically;
use egui::{ColorImage, Context};
use std::path::PathBuf;

impl App {
    /// The dialog, and the figures that were asked for: while the views show what they have shown in this frame.
    pub(in crate::app) fn figure_dialog(&mut self, ctx: &Context, actions: &mut Vec<Action>) {
        for request in self.figures.take_requests() {
            self.write_figure(&request);
        }
        let Some(kind) = self.figures.view() else { return };
        let known = self.workspace.figures(kind);
        self.figures.ui(ctx, &known, actions);
        if ctx.input(|i| i.pointer.any_down()) {
            return; // a value is being dragged
        }
        let Some((kind, figure)) = self.figures.take_wanted_preview() else { return };
        let dpi = PREVIEW * 25.4 / self.figures.settings.width_mm.max(1.0);
        if let Some(laid_out) = self.lay_out(kind, figure, dpi) {
            let picture = move || {
                let picture = laid_out.picture()?;
                let size = [picture.width() as usize, picture.height() as usize];
                Some(TaskResult::Preview(ColorImage::from_rgb(size, picture.as_raw())))
            };
            self.in_background("preview", picture);
        }
    }

    fn lay_out(&mut self, kind: ViewKind, figure: Option<String>, dpi: f32) -> Option<LaidOut> {
        let content = figure.map_or(Content::View, Content::Figure);
        self.workspace.lay_out(kind, content, &self.figures.settings, dpi, &self.state)
    }

    /// Lays a figure out and has it written, with its caption where that was asked for.
    fn write_figure(&mut self, request: &FigureRequest) {
        let Some(laid_out) = self.lay_out(request.kind, request.figure.clone(), self.figures.settings.dpi) else {
            let text = format!("{} has no such figure now: open the view and choose again", request.kind.title());
            self.notifications.error(&text);
            return;
        };
        let Some(snapshot) = &self.state.latest else { return };
        let caption = self.figures.settings.caption.then(|| caption(request, &self.state, snapshot));
        let title = request.figure.clone().unwrap_or_else(|| request.kind.title().to_string());
        let path = request.path.clone();
        let write = move || -> Result<PathBuf, WindowError> {
            laid_out.write(&path, &title)?;
            if let Some(caption) = caption {
                write_atomically(&caption_path(&path), caption.as_bytes()).map_err(WindowError::file)?;
            }
            Ok(path)
        };
        self.in_background("export", move || Some(TaskResult::Exported(write())));
    }
}
