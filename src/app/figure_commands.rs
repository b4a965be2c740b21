//! Draws the dialog for figures, and has the figures written that were asked for.

use super::App;
use crate::app::actions::Action;
use crate::app::background::TaskResult;
use crate::app::error::WindowError;
use crate::app::figures::FigureRequest;
use crate::app::figures::caption::{caption, caption_path};
use crate::app::figures::dialog::{PREVIEW, UnderWay};
use crate::app::figures::drawing::Progress;
use crate::app::figures::laid_out::LaidOut;
use crate::export::{ending, write_atomically};
use egui::{ColorImage, Context};
use std::path::PathBuf;

impl App {
    /// The dialog, and the figures that were asked for: while the views show what they have shown in this frame.
    pub(in crate::app) fn figure_dialog(&mut self, ctx: &Context, actions: &mut Vec<Action>) {
        self.go_on_with_figure(ctx);
        let Some(kind) = self.figures.view() else { return };
        let known = self.workspace.figures(kind, &self.state);
        self.figures.ui(ctx, &known, &self.state.export, actions);
        if ctx.input(|i| i.pointer.any_down()) || self.figures.under_way.as_ref().is_some_and(|under_way| under_way.request.is_some()) {
            return; // a value is being dragged, or a file comes first
        }
        let model_id = self.state.latest.as_ref().map_or(0, |snapshot| snapshot.model_id);
        let Some((kind, figure)) = self.figures.take_wanted_preview(model_id) else { return };
        let dpi = PREVIEW * 25.4 / self.figures.settings.width_mm.max(1.0);
        let layout = self.workspace.begin_layout(kind, figure, &self.figures.settings, dpi, &self.state);
        self.figures.under_way = Some(UnderWay { layout, kind, request: None });
    }

    /// Whether a caption is written beside a figure.
    pub(super) fn has_caption(&self, request: &FigureRequest) -> bool {
        self.figures.settings.caption && matches!(ending(&request.path).as_str(), "png" | "svg" | "pdf")
    }

    /// One pass of the figure that is being laid out; when it is, its pixels and its file are made on another thread.
    fn go_on_with_figure(&mut self, ctx: &Context) {
        let is_free = self.figures.under_way.as_ref().is_none_or(|under_way| under_way.request.is_none());
        if is_free && let Some(request) = self.figures.take_request() {
            let (kind, dpi) = (request.kind, self.figures.settings.dpi);
            let layout = self.workspace.begin_layout(kind, request.figure.clone(), &self.figures.settings, dpi, &self.state);
            self.figures.under_way = Some(UnderWay { layout, kind, request: Some(request) });
        }
        let Some(mut under_way) = self.figures.under_way.take() else { return };
        ctx.request_repaint();
        match self.workspace.pass(&mut under_way.layout, under_way.kind, &self.state) {
            Progress::GoesOn => self.figures.under_way = Some(under_way),
            Progress::IsNotThere => {
                let text = format!("{} has no such figure now: open the view and choose again", under_way.kind.title());
                under_way.request.iter().for_each(|_| self.notifications.error(&text));
            }
            Progress::Done(laid_out) => match under_way.request {
                Some(request) => self.write_figure(&request, *laid_out),
                None => self.in_background("preview", move || {
                    let picture = laid_out.picture()?;
                    let size = [picture.width() as usize, picture.height() as usize];
                    Some(TaskResult::Preview(ColorImage::from_rgb(size, picture.as_raw())))
                }),
            },
        }
    }

    /// Has a figure that is laid out written, with its caption where that was asked for.
    fn write_figure(&mut self, request: &FigureRequest, laid_out: LaidOut) {
        let Some(snapshot) = &self.state.latest else { return };
        let arrangement = self.workspace.arrangement(request.kind, request.figure.as_deref());
        let text = caption(request, arrangement, &self.state, snapshot);
        let caption = self.has_caption(request).then(|| caption_path(&request.path));
        let title = request.figure.clone().unwrap_or_else(|| request.kind.title().to_string());
        let path = request.path.clone();
        let write = move || -> Result<Vec<PathBuf>, WindowError> {
            laid_out.write(&path, &title, &text)?;
            let mut written = vec![path];
            if let Some(path) = caption {
                write_atomically(&path, text.as_bytes()).map_err(WindowError::file)?;
                written.push(path);
            }
            Ok(written)
        };
        self.in_background("export", move || Some(TaskResult::FigureWritten(write())));
    }
}
