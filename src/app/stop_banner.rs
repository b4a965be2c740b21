//! Why the run has stopped by itself, and what helps: over the views, so that nothing moves, and away from the pointer.

use crate::app::actions::Action;
use crate::app::theme;
use crate::app::widgets::greek::greek;
use crate::engine::{Command, Halt, Snapshot};
use crate::experiment::parameters;
use egui::{Align2, Context, Order, Rect, Ui, vec2};

/// Between the banner and the edges of the views.
const GAP: f32 = 8.0;
/// Width of the text at most: a longer line is hard to read.
const WIDEST: f32 = 640.0;

/// The banner of one stop.
pub(super) struct StopBanner {
    halt: Halt,
    /// Whether it stands at the bottom: not where the pointer was when it came. None: it was not drawn yet.
    at_bottom: Option<bool>,
}

impl StopBanner {
    /// Of a stop that was reported just now.
    pub(super) fn new(halt: Halt) -> Self {
        Self { halt, at_bottom: None }
    }

    /// Draws it over the views, which fill `area`. Answers whether it is to go.
    pub(super) fn ui(&mut self, ctx: &Context, area: Rect, snapshot: &Snapshot, actions: &mut Vec<Action>) -> bool {
        let pointer = ctx.pointer_latest_pos();
        let at_bottom = *self.at_bottom.get_or_insert_with(|| pointer.is_some_and(|at| at.y < area.center().y));
        let (pivot, at) = if at_bottom {
            (Align2::CENTER_BOTTOM, area.center_bottom() - vec2(0.0, GAP))
        } else {
            (Align2::CENTER_TOP, area.center_top() + vec2(0.0, GAP))
        };
        let banner = egui::Area::new(egui::Id::unique("stopped")).order(Order::Middle).pivot(pivot).fixed_pos(at).constrain_to(area);
        let shown = banner.show(ctx, |ui| {
            ui.set_max_width((area.width() - 4.0 * GAP).clamp(120.0, WIDEST));
            egui::Frame::popup(ui.style()).show(ui, |ui| self.contents(ui, snapshot, actions)).inner
        });
        shown.inner
    }

    fn contents(&self, ui: &mut Ui, snapshot: &Snapshot, actions: &mut Vec<Action>) -> bool {
        ui.colored_label(theme::alarm(ui.visuals().dark_mode), greek(&format!("Stopped: {}", self.halt.reason)));
        ui.horizontal_wrapped(|ui| {
            for remedy in &self.halt.remedies {
                let Some(row) = parameters::find(remedy.key) else { continue };
                let from = row.get(&snapshot.config);
                let tip = format!("{}, then the run goes on; Ctrl-Z takes it back", row.change(from, remedy.to));
                if ui.button(greek(&remedy.in_words())).on_hover_text(tip).clicked() {
                    actions.push(Action::Change { key: remedy.key, to: remedy.to, from });
                    actions.push(Action::Send(Command::Run));
                }
            }
            if ui.button("Go on").on_hover_text("As it is, from the last good weights").clicked() {
                actions.push(Action::Send(Command::Run));
            }
            if ui.button("Start again").on_hover_text("From the seed").clicked() {
                actions.push(Action::Send(Command::Reset));
            }
            ui.button("Close").on_hover_text("The run stays paused").clicked()
        })
        .inner
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::parameters::Value;
    use crate::experiment::{Remedy, presets};
    use egui_kittest::Harness;
    use egui_kittest::kittest::Queryable;

    /// A button in each corner of a window, and over them the banner where there is one.
    #[derive(Default)]
    struct Window {
        banner: Option<StopBanner>,
        actions: Vec<Action>,
    }

    const CORNERS: [&str; 2] = ["upper", "lower"];

    fn draw(ui: &mut Ui, window: &mut Window) {
        let snapshot = Snapshot::synthetic(presets::by_name("chain").unwrap());
        let area = ui.max_rect();
        for (name, y) in CORNERS.into_iter().zip([30.0, area.height() - 30.0]) {
            let _ = ui.put(Rect::from_center_size(egui::pos2(area.center().x, y), vec2(80.0, 20.0)), egui::Button::new(name));
        }
        if window.banner.as_mut().is_some_and(|banner| banner.ui(ui.ctx(), area, &snapshot, &mut window.actions)) {
            window.banner = None;
        }
    }

    fn halted() -> StopBanner {
        let remedies = vec![Remedy { key: "tau_eps_ms", to: Value::Number(4.5) }];
        StopBanner::new(Halt { reason: "x1 is not finite".into(), remedies })
    }

    #[test]
    fn what_is_under_the_pointer_stays_there_and_the_offered_help_is_one_change() {
        for (corner, other) in [(0, 1), (1, 0)] {
            let mut harness = Harness::builder().with_size([500.0, 350.0]).build_ui_state(draw, Window::default());
            let under = harness.get_by_label(CORNERS[corner]).rect();
            harness.hover_at(under.center());
            harness.run_steps(2);
            harness.state_mut().banner = Some(halted());
            harness.run_steps(3);
            assert_eq!(harness.get_by_label(CORNERS[corner]).rect(), under, "nothing moves");
            let text = harness.get_by_label("Stopped: x1 is not finite").rect();
            assert!((text.center().y < 175.0) == (other == 0), "{}: the banner is at {text:?}", CORNERS[corner]);
            // It stays where it came while the pointer goes to its buttons.
            harness.get_by_label("Set \u{03C4}_\u{03B5} to 4.5 ms").hover();
            harness.run_steps(3);
            assert_eq!(harness.get_by_label("Stopped: x1 is not finite").rect(), text);
            harness.get_by_label("Set \u{03C4}_\u{03B5} to 4.5 ms").click();
            harness.run_steps(2);
            let from = presets::by_name("chain").unwrap().dynamics.tau_eps_ms;
            let actions = &harness.state().actions;
            let [Action::Change { key, to, from: before }, Action::Send(Command::Run)] = actions.as_slice() else { panic!("{actions:?}") };
            assert_eq!((*key, *to, *before), ("tau_eps_ms", Value::Number(4.5), Value::Number(from)));
            harness.get_by_label("Close").click();
            harness.run_steps(2);
            assert!(harness.state().banner.is_none());
        }
    }
}
