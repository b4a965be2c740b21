//! The gains of the couplings: the schedule by which chains wake, sliders that set them by hand, and how they went (model.md 10).

use crate::app::theme;
use crate::app::widgets::choice::{choice, keep_together};
use crate::app::widgets::figure::{self, Figure as _};
use crate::app::widgets::grid;
use crate::app::widgets::number_field::{drag_value, slider};
use crate::engine::{GenerationCommand, GenerationState};
use crate::studies::generation::comparison::Settings;
use crate::studies::generation::schedule::Schedule;
use crate::studies::generation::{MOST_STEPS, Mode, Origin};
use egui::Ui;
use egui_plot::{Corner, Legend, Plot, VLine};

/// A deeper hierarchy has no sliders for its upper couplings: the row would not end.
const MOST_SLIDERS: usize = 6;

/// Width of a name and its slider, points.
const WITH_SLIDER: f32 = 200.0;
/// The axis goes on for this share past the last change of the gains.
const PAST_CHANGE: f64 = 0.25;
/// Points of a curve are so much of the axis apart, at least: joints of shorter pieces are drawn as spikes.
const APART: f64 = 0.004;
/// A slider moves its value to the digits that it shows: that is no pull at it.
const SHOWN_DIGITS: f32 = 0.0051;

/// What the view keeps of the gains.
#[derive(Default)]
pub(super) struct Couplings {
    /// Gains set by hand, the lowest coupling first; None: the schedule sets them.
    by_hand: Option<Vec<f32>>,
}

/// What a coupling is called.
fn name(l: usize) -> String {
    format!("x{} to x{l}", l + 1)
}

impl Couplings {
    /// The chains begin anew: the schedule sets the gains.
    pub(super) fn forget(&mut self) {
        self.by_hand = None;
    }

    /// Schedule and sliders; what is asked of the generation under way.
    pub(super) fn controls(&mut self, ui: &mut Ui, settings: &mut Settings, found: Option<&GenerationState>) -> Option<GenerationCommand> {
        if settings.origin == Origin::Noise {
            let names = [(Schedule::Woken, "woken"), (Schedule::Plain, "plain")];
            choice(ui, "Schedule", 60.0, &mut settings.schedule, &names)
                .on_hover_text("Woken: the gain of each coupling rises from 0 to 1, from the top down, so that no layer holds the others where they are. Plain: all are 1 from the start. From the next Generate on");
            if settings.schedule == Schedule::Woken {
                let label = ui.label("over");
                ui.add(drag_value(&mut settings.waking_steps).range(1..=MOST_STEPS).suffix(" steps"))
                    .labelled_by(label.id)
                    .on_hover_text("Steps from gain 0 to the model itself; all gains are 1 after 0.8 of them. From the next Generate on");
            }
        }
        let now = found.and_then(|found| found.modes.iter().find(|of| of.mode == Mode::Joint)).map_or(&[][..], |joint| &joint.gains);
        let mut gains = self.by_hand.as_deref().filter(|gains| gains.len() == now.len()).unwrap_or(now).to_vec();
        let mut asked = None;
        for l in (0..gains.len().min(MOST_SLIDERS)).rev() {
            keep_together(ui, WITH_SLIDER);
            let label = ui.label(name(l));
            let tip = format!(
                "Gain of the coupling W_{l} of joint and marginal chains: eta_{l} = gain W_{l} f(x{}) + b_{l}, and what x{} hears from below has the same gain. At 0 nothing is heard either way. Pull it to set all gains by hand",
                l + 1,
                l + 1
            );
            let before = gains[l];
            ui.add(slider(&mut gains[l], 0.0..=1.0, "").max_decimals(2)).labelled_by(label.id).on_hover_text(tip);
            if (gains[l] - before).abs() > SHOWN_DIGITS {
                asked = Some(GenerationCommand::SetGains(Some(gains.clone())));
                self.by_hand = Some(gains.clone());
            }
        }
        if self.by_hand.is_some() && ui.button("Follow schedule").on_hover_text("The schedule sets the gains again").clicked() {
            self.by_hand = None;
            asked = Some(GenerationCommand::SetGains(None));
        }
        asked
    }
}

/// Whether there is anything to draw.
pub(super) fn has_gains(found: &GenerationState) -> bool {
    found.modes.iter().any(|of| !of.gains.is_empty())
}

/// The gains over the steps of the joint chains, and where both kinds of chains are.
pub(super) fn plot(ui: &mut Ui, found: &GenerationState, height: f32) {
    let Some(joint) = found.modes.iter().find(|of| of.mode == Mode::Joint) else { return };
    let last_change = joint.gains_over_steps.last().map_or(0, |(step, _)| *step) as f64;
    let planned = if found.settings.schedule == Schedule::Woken { found.settings.waking_steps as f64 } else { 0.0 };
    let end = ((1.0 + PAST_CHANGE) * last_change.max(planned)).max(100.0);
    grid::numbered(Plot::new("gains"))
        .height(height.max(60.0))
        .legend(Legend::default().position(Corner::RightBottom).follow_insertion_order(true))
        .allow_scroll(false)
        .include_y(0.0)
        .include_y(1.05)
        .include_x(0.0)
        .include_x(end)
        .x_axis_label("steps of the network")
        .y_axis_label("gain")
        .y_axis_min_width(36.0)
        .figure(ui, "gains", |plot| {
            for l in (0..joint.gains.len()).rev() {
                let gain = |gains: &[f32]| gains.get(l).map_or(f64::NAN, |gain| f64::from(*gain));
                let mut points: Vec<[f64; 2]> = joint.gains_over_steps.iter().map(|(step, gains)| [*step as f64, gain(gains)]).collect();
                points.push([(joint.steps as f64).min(end), gain(&joint.gains)]);
                // A gain stays until its next change. Lines that meet in a corner are lines of their own: a joint would be drawn as a spike.
                let (mut pieces, mut piece) = (Vec::new(), Vec::<[f64; 2]>::new());
                for [step, gain] in points {
                    match piece.last().copied() {
                        Some([last, _]) if step - last < APART * end && gain < 1.0 => continue,
                        Some([last, before]) if step - last > 3.0 * APART * end => {
                            piece.push([step, before]);
                            pieces.push(std::mem::take(&mut piece));
                            pieces.push(vec![[step, before], [step, gain]]);
                        }
                        _ => {}
                    }
                    piece.push([step, gain]);
                }
                pieces.push(piece);
                for piece in pieces {
                    plot.line(figure::line(name(l), figure::points(piece)).color(theme::SERIES[3 + l % 3]).width(1.6));
                }
            }
            for (of, color) in found.modes.iter().zip(theme::SERIES).filter(|(of, _)| of.mode != Mode::Ancestral && of.steps as f64 <= end)
            {
                plot.vline(VLine::new(of.mode.name(), of.steps as f64).color(color).width(1.0));
            }
        });
}
