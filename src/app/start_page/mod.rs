//! The start page: six ways to begin, each with a picture that lives.

mod card;
mod living;

use crate::app::actions::Action;
use crate::app::views::ViewKind;
use crate::engine::{BackgroundJob, JobContext};
use card::{CARDS, Card};
use crossbeam_channel::Receiver;
use egui::{Color32, ColorImage, Context, Rect, RichText, ScrollArea, Sense, TextureHandle, TextureOptions, Ui, Vec2, pos2, vec2};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Between two frames of the living pictures: the thread that makes them rests for most of it.
const PAUSE: Duration = Duration::from_millis(80);
/// Width and height of a card and of its picture, points.
const CARD: Vec2 = vec2(216.0, 206.0);
const PICTURE: Vec2 = vec2(200.0, 112.0);
const GAP: f32 = 10.0;

/// The page, and what lives on it while it is open.
#[derive(Default)]
pub(super) struct StartPage {
    open: bool,
    pictures: Option<Pictures>,
    /// Its models were built or given back since the last question.
    has_settled: bool,
}

/// What was chosen on the page.
pub(super) enum Chosen {
    /// The view that shows what was opened.
    View(ViewKind),
    /// Own pictures: the panel at the left has what concerns them.
    OwnPictures,
    /// The lessons.
    Lessons,
}

/// The thread that makes the pictures, and the last ones.
struct Pictures {
    job: Option<BackgroundJob<(), (usize, ColorImage)>>,
    dark: Arc<AtomicBool>,
    textures: [Option<TextureHandle>; CARDS.len()],
}

impl Pictures {
    fn start(ctx: &Context) -> Self {
        let (dark, waker) = (Arc::new(AtomicBool::new(true)), ctx.clone());
        let is_dark = dark.clone();
        let body = move |_: Receiver<()>, job: &JobContext<(usize, ColorImage)>| {
            let mut all: Vec<_> = CARDS.iter().map(|_| None).collect();
            while !job.is_stopped() {
                for (i, card) in CARDS.iter().enumerate() {
                    let Some(living) = all[i].get_or_insert_with(card.living) else { continue };
                    if job.is_stopped() {
                        return;
                    }
                    living.advance();
                    job.report((i, living.picture(is_dark.load(Ordering::Relaxed))));
                }
                waker.request_repaint();
                std::thread::sleep(PAUSE);
            }
        };
        let job = BackgroundJob::spawn("start page", 1, 2 * CARDS.len(), body).ok().map(BackgroundJob::detached);
        Self { job, dark, textures: Default::default() }
    }

    /// Takes what was made since; whether every picture has come for the first time.
    fn take(&mut self, ctx: &Context) -> bool {
        let are_all_here = |pictures: &Self| pictures.textures.iter().all(Option::is_some);
        let before = are_all_here(self);
        self.dark.store(ctx.theme() == egui::Theme::Dark, Ordering::Relaxed);
        for (i, image) in self.job.iter().flat_map(BackgroundJob::reports) {
            match &mut self.textures[i] {
                Some(texture) => texture.set(image, TextureOptions::NEAREST),
                none => *none = Some(ctx.load_texture(format!("card {i}"), image, TextureOptions::NEAREST)),
            }
        }
        are_all_here(self) && !before
    }
}

impl StartPage {
    /// Opens it, or closes it.
    pub(super) fn toggle(&mut self) {
        self.open = !self.open;
    }

    /// Opens it.
    pub(super) fn open(&mut self) {
        self.open = true;
    }

    /// Closes it.
    pub(super) fn close(&mut self) {
        self.open = false;
    }

    /// Whether its models were built or given back since the last call: both leave freed memory behind.
    pub(super) fn take_settled(&mut self) -> bool {
        std::mem::take(&mut self.has_settled)
    }

    /// Draws it over the views, where it is open.
    pub(super) fn ui(&mut self, ctx: &Context, actions: &mut Vec<Action>) -> Option<Chosen> {
        if !self.open {
            self.has_settled |= self.pictures.take().is_some(); // nothing lives that nobody sees
            return None;
        }
        let pictures = self.pictures.get_or_insert_with(|| Pictures::start(ctx));
        self.has_settled |= pictures.take(ctx);
        let (mut open, mut chosen) = (true, None);
        let room = ctx.content_rect().size() - vec2(60.0, 110.0);
        let columns = ((room.x / (CARD.x + GAP)) as usize).clamp(1, 3);
        let width = columns as f32 * (CARD.x + GAP);
        let window = egui::Window::new("Where to begin").collapsible(false).resizable(false).open(&mut open);
        window.pivot(egui::Align2::CENTER_CENTER).default_pos(ctx.content_rect().center()).show(ctx, |ui| {
            ui.set_width(width);
            ScrollArea::vertical().max_height(room.y.max(120.0)).show(ui, |ui| {
                for row in 0..CARDS.len().div_ceil(columns) {
                    ui.horizontal(|ui| {
                        ui.spacing_mut().item_spacing.x = GAP;
                        for i in (row * columns..(row + 1) * columns).filter(|i| *i < CARDS.len()) {
                            if card(ui, &CARDS[i], pictures.textures[i].as_ref()) {
                                chosen = Some(CARDS[i].opens.as_ref().map_or(Chosen::OwnPictures, |opens| Chosen::View(opens.view)));
                                actions.extend(CARDS[i].actions());
                            }
                        }
                    });
                }
            });
            ui.horizontal_wrapped(|ui| {
                if ui.button("Lessons").on_hover_text("A few minutes each, on a running model").clicked() {
                    chosen = Some(Chosen::Lessons);
                }
                ui.weak("Each begins a run of its own. This page is under Start in the row at the top.");
            });
        });
        let is_left = ctx.input_mut(|i| i.consume_key(egui::Modifiers::NONE, egui::Key::Escape));
        self.open = open && chosen.is_none() && !is_left;
        chosen
    }
}

/// One card; whether it was clicked.
fn card(ui: &mut Ui, card: &Card, texture: Option<&TextureHandle>) -> bool {
    let (rect, response) = ui.allocate_exact_size(CARD, Sense::click());
    let visuals = ui.style().interact(&response);
    ui.painter().rect(rect, 5.0, visuals.weak_bg_fill, visuals.bg_stroke, egui::StrokeKind::Inside);
    let picture = Rect::from_min_size(rect.min + vec2(8.0, 8.0), PICTURE);
    if let Some(texture) = texture {
        let [width, height] = texture.size();
        let scale = (PICTURE.x / width as f32).min(PICTURE.y / height as f32);
        let place = Rect::from_center_size(picture.center(), scale * vec2(width as f32, height as f32));
        ui.painter().image(texture.id(), place, Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0)), Color32::WHITE);
    }
    let text = Rect::from_min_max(picture.left_bottom() + vec2(0.0, 6.0), rect.max - vec2(8.0, 6.0));
    let mut inside = ui.new_child(egui::UiBuilder::new().max_rect(text).layout(egui::Layout::top_down(egui::Align::Min)));
    inside.spacing_mut().item_spacing.y = 2.0;
    inside.add(egui::Label::new(RichText::new(card.title).strong()).selectable(false));
    inside.add(egui::Label::new(RichText::new(card.text).size(11.5)).selectable(false).wrap());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, card.title));
    response.on_hover_cursor(egui::CursorIcon::PointingHand).clicked()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_card_lives_and_opens_something() {
        for card in &CARDS {
            let mut living = (card.living)().unwrap_or_else(|| panic!("{} shows nothing", card.title));
            let picture = |living: &dyn living::Living| living.picture(true).pixels;
            living.advance();
            let first = picture(&*living);
            let colours: std::collections::HashSet<_> = first.iter().collect();
            assert!(colours.len() > 2, "{}: {} colours", card.title, colours.len());
            (0..12).for_each(|_| living.advance());
            assert!(picture(&*living) != first, "{} stands still", card.title);
            assert!(!card.actions().is_empty(), "{} opens nothing", card.title);
        }
    }
}
