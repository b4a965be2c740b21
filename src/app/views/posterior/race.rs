//! The race beside the Posterior view's picture: each sampler's settings, how well it mixes, and its distance to the exact
//! posterior over time.

use crate::app::actions::Action;
use crate::app::theme;
use crate::app::widgets::figure::{self, Figure as _};
use crate::app::widgets::greek::greek;
use crate::app::widgets::grid;
use crate::app::widgets::measured::Axis;
use crate::app::widgets::number_field::drag_value;
use crate::app::widgets::switch::Switches as _;
use crate::engine::{Command, RaceState, RacerState, Snapshot};
use crate::studies::race::{MOST_SAMPLERS, SamplerConfig, Start};
use egui::{RichText, Ui};
use egui_plot::{HLine, HoverPosition, Plot};

/// Distance that counts as having arrived, drawn as a line.
const ARRIVED: f64 = 0.05;

/// An end of a curve that is drawn, at least: below it nothing would be seen.
const LEAST_FLOOR: f64 = 2e-3;
/// What an end is.
const FLOOR_TIP: &str = "The distance between the Gaussian that a sampler has in the end, by the linear map of one step, and the exact posterior: steps \
of this length, interneurons that take time, or too few of them, add to its variance. No more time brings the curve below it";

/// Draws settings, figures and the distance curve.
pub(super) fn panel(ui: &mut Ui, snapshot: &Snapshot, race: &RaceState, actions: &mut Vec<Action>) {
    let dark = ui.visuals().dark_mode;
    if race.racers.iter().any(|r| !r.distance.is_empty()) {
        let title = ui.strong("Total variation distance to the exact posterior");
        let floors = race.racers.iter().filter_map(|r| r.floor).filter(|floor| *floor > LEAST_FLOOR);
        if floors.clone().next().is_some() {
            title.on_hover_text(FLOOR_TIP);
            ui.weak(format!("Dotted: where each curve ends, {}", Vec::from_iter(floors.map(|floor| format!("{floor:.3}"))).join(", ")))
                .on_hover_text(FLOOR_TIP);
        }
        distance(ui, race, dark);
    }
    let mut wanted: Vec<SamplerConfig> = race.racers.iter().map(|r| r.config).collect();
    let before = wanted.clone();
    egui::ScrollArea::both().id_salt("race").show(ui, |ui| {
        figures(ui, race, followed(snapshot, race));
        ui.add_space(4.0);
        settings(ui, &mut wanted);
    });
    if wanted != before {
        actions.push(Action::Send(Command::Race(wanted)));
    }
    if snapshot.config.learning.enabled && snapshot.stimulus.held {
        ui.weak("Learning rests while the stimulus is held.");
    }
}

/// The row above the picture: where the chains start, and another sampler.
pub(super) fn controls(ui: &mut Ui, split: &mut bool, snapshot: &Snapshot, actions: &mut Vec<Action>) {
    let as_is = SamplerConfig::of(&snapshot.config.dynamics);
    let present: Vec<SamplerConfig> = snapshot.race.iter().flat_map(|race| race.racers.iter().map(|r| r.config)).collect();
    ui.horizontal_wrapped(|ui| {
        if present.is_empty() {
            let text = "Race samplers";
            let tip = "With and without adaptation, side by side on this stimulus";
            if ui.button(text).on_hover_text(tip).clicked() {
                actions.push(Action::Send(Command::Race(vec![SamplerConfig { adaptation: 0.0, ..as_is }, as_is])));
            }
            return;
        }
        ui.label("Restart the race from");
        let tip = "Every chain of every sampler, from the same points; what was measured is forgotten";
        for (name, start) in [("0", Start::Origin), ("the prior", Start::Prior)] {
            if ui.button(name).on_hover_text(tip).clicked() {
                actions.push(Action::Send(Command::RaceFrom(start)));
            }
        }
        ui.label("or click in the picture");
        let more = present.len() < MOST_SAMPLERS;
        if ui.add_enabled(more, egui::Button::new("Add sampler")).on_hover_text("With the settings on the left; up to four").clicked() {
            actions.push(Action::Send(Command::Race([&present[..], &[as_is]].concat())));
        }
        let tip =
            "Without adaptation and with the settings of the panel, a panel each, from one start; a clock stops where the distance is 0.05";
        let clicked = ui.switch(*split, "Split").on_hover_text(tip).clicked();
        *split ^= clicked;
        if clicked && *split {
            let adaptation = if as_is.adaptation > 0.0 { as_is.adaptation } else { ADAPTED };
            actions
                .push(Action::Send(Command::Race(vec![SamplerConfig { adaptation: 0.0, ..as_is }, SamplerConfig { adaptation, ..as_is }])));
        }
        if ui.button("End race").clicked() {
            actions.push(Action::Send(Command::Race(Vec::new())));
        }
    });
}

/// Adaptation strength beside a sampler that has none.
const ADAPTED: f64 = 2.0;

/// The two samplers that stand in a panel each: one without adaptation or the first, and the one that follows the sliders or the last.
pub(super) fn pair(snapshot: &Snapshot, race: &RaceState) -> Option<[usize; 2]> {
    let plain = race.racers.iter().position(|racer| racer.config.adaptation == 0.0).unwrap_or(0);
    let other = followed(snapshot, race).filter(|i| *i != plain).or_else(|| (0..race.racers.len()).rev().find(|i| *i != plain))?;
    Some([plain, other])
}

/// When a distance first was that of [`ARRIVED`], ms, between two points of its curve on logarithmic scales.
fn arrival_ms(distance: &[[f64; 2]]) -> Option<f64> {
    let i = distance.iter().position(|point| point[1] <= ARRIVED)?;
    let [time, reached] = distance[i];
    let Some([before, above]) = i.checked_sub(1).map(|i| distance[i]) else { return Some(time) };
    Some(before * (time / before).powf((above / ARRIVED).ln() / (above / reached.max(1e-12)).ln()))
}

/// The time of a sampler since its start, which stops where it has arrived, and its distance.
pub(super) fn clock(ui: &mut Ui, race: &RaceState, i: usize) {
    let (Some(racer), Some(name)) = (race.racers.get(i), names(race).into_iter().nth(i)) else { return };
    // However long its name is, the panel is as wide as it is.
    ui.add(egui::Label::new(RichText::new(name).strong().color(theme::RACERS[i])).truncate())
        .on_hover_text("The sampler, and below it its distance to the posterior and its time since the start");
    let text = match (arrival_ms(&racer.distance), racer.distance.last()) {
        (Some(time), _) => RichText::new(format!("0.05 after {:.2} s", time / 1e3)).strong(),
        (None, Some(last)) => RichText::new(format!("{:.3} at {:.2} s", last[1], race.time_ms / 1e3)),
        (None, None) => RichText::new(format!("{:.2} s", race.time_ms / 1e3)),
    };
    ui.add(egui::Label::new(text).truncate());
}

/// What each sampler is called: m, and what else tells it from the others.
fn names(race: &RaceState) -> Vec<String> {
    keys(race).iter().map(|name| greek(name)).collect()
}

/// The same in ASCII, for files.
pub(super) fn keys(race: &RaceState) -> Vec<String> {
    let all: Vec<SamplerConfig> = race.racers.iter().map(|racer| racer.config).collect();
    let differ = |value: fn(&SamplerConfig) -> f64| all.iter().any(|config| value(config) != value(&all[0]));
    let [by_tau_v, by_tau_eps, by_k] = [differ(|c| c.tau_v_ms), differ(|c| c.tau_eps_ms), differ(|c| c.interneurons as f64)];
    let name = |config: &SamplerConfig| {
        let mut name = format!("m {}", round(config.adaptation));
        let mut add = |is_told: bool, text: String| name.push_str(if is_told { &text } else { "" });
        // A time constant of adaptation says nothing where there is none.
        add(by_tau_v && config.adaptation > 0.0, format!(", tau_v {}", round(config.tau_v_ms)));
        add(by_tau_eps, format!(", tau_eps {}", round(config.tau_eps_ms)));
        add(by_k, format!(", K {}", config.interneurons));
        add(!config.noisy, ", no noise".into());
        name
    };
    all.iter().map(name).collect()
}

fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// The sampler that follows the panel at the left: the last one that has its settings.
pub(super) fn followed(snapshot: &Snapshot, race: &RaceState) -> Option<usize> {
    let own = SamplerConfig::of(&snapshot.config.dynamics);
    race.racers.iter().rposition(|racer| racer.config == own)
}

fn distance(ui: &mut Ui, race: &RaceState, dark: bool) {
    let height = (ui.available_height() * 0.38).clamp(90.0, 300.0);
    grid::scaled(Plot::new("distance"), [Axis::Logarithmic; 2])
        .height(height)
        .allow_scroll(false)
        .allow_drag(false)
        .allow_zoom(false)
        .allow_boxed_zoom(false)
        .y_axis_min_width(36.0)
        .include_y(0.0)
        .include_y(-2.0)
        .x_axis_label("s simulated")
        .label_formatter(|at| match at {
            HoverPosition::NearDataPoint { plot_name, position: p, .. } => {
                Some(format!("{plot_name}: {:.3} s simulated, distance {:.4}", 10f64.powf(p.x), 10f64.powf(p.y)))
            }
            HoverPosition::Elsewhere { .. } => None,
        })
        .figure(ui, "distance to the posterior", |plot| {
            plot.hline(
                HLine::new("0.05", ARRIVED.log10()).color(theme::exact(dark)).width(1.0).style(egui_plot::LineStyle::dashed_loose()),
            );
            for ((i, racer), name) in race.racers.iter().enumerate().zip(names(race)) {
                let points: Vec<[f64; 2]> = racer.distance.iter().map(|[t, d]| [(t / 1e3).log10(), d.max(1e-4).log10()]).collect();
                plot.line(figure::line(name.clone(), figure::points(points)).color(theme::RACERS[i]).width(2.0));
                if let Some(floor) = racer.floor.filter(|floor| *floor > LEAST_FLOOR) {
                    let style = egui_plot::LineStyle::dotted_dense();
                    plot.hline(HLine::new(format!("end of {name}"), floor.log10()).color(theme::RACERS[i]).width(1.4).style(style));
                }
            }
        });
}

fn figures(ui: &mut Ui, race: &RaceState, followed: Option<usize>) {
    let still = race.racers.iter().find(|r| r.config.adaptation == 0.0).and_then(|r| r.mixing);
    egui::Grid::new("figures").num_columns(race.racers.len() + 1).striped(true).spacing([9.0, 3.0]).show(ui, |ui| {
        ui.label("");
        for (i, name) in names(race).into_iter().enumerate() {
            let text = RichText::new(format!("\u{2022} {name}")).strong().color(theme::RACERS[i]);
            let follows = followed == Some(i);
            let label = ui.label(if follows { text.underline() } else { text });
            if follows {
                label.on_hover_text("This one follows the sliders of the panel at the left");
            }
        }
        ui.end_row();
        row(ui, race, "tau, ms", "Integrated autocorrelation time of the slower unit, with its standard error (Sokal's window: negative correlations, which adaptation brings, count). Where adaptation makes chains swing, means settle sooner than the distribution does", |r| {
            r.mixing.map(|m| {
                let slow = usize::from(m.autocorrelation_ms[1] > m.autocorrelation_ms[0]);
                let (tau, error) = (m.autocorrelation_ms[slow], m.error_ms[slow]);
                let digits = usize::from(error < 10.0);
                format!("{tau:.digits$} \u{00B1} {error:.digits$}")
            })
        });
        let is_exact = race.racers.iter().any(|racer| racer.theory_ms.is_some());
        row(
            ui,
            race,
            if is_exact { "theory, ms" } else { "guide, ms" },
            "Exact in linear-Gaussian models. Else, marked ~, the measured time at m = 0 over S = 1 + m^2 tau_v/tau_x: a guide",
            |r| match r.theory_ms {
                Some(t) => Some(format!("{:.1}", t[0].max(t[1]))),
                None => still.map(|s| {
                    let time = s.autocorrelation_ms[0].max(s.autocorrelation_ms[1]);
                    format!("~ {:.0}", time / speedup(&r.config, race))
                }),
            },
        );
        row(ui, race, "ESS/s simulated", "Effective draws of all chains a simulated second", |r| {
            r.mixing.map(|m| format!("{:.0}", m.ess_per_simulated_second))
        });
        row(ui, race, "ESS/s computing", "Effective draws of all chains a second of computing", |r| {
            r.mixing.map(|m| short(m.ess_per_wall_second))
        });
        row(ui, race, "split R-hat", "Rank-normalised, over chains: 1 when they agree", |r| r.mixing.map(|m| format!("{:.3}", m.r_hat)));
        if race.racers.iter().any(|r| r.floor.is_some()) {
            row(ui, race, "ends at", FLOOR_TIP, |r| r.floor.map(|floor| format!("{floor:.3}")));
        }
        row(ui, race, "distance", "Total variation distance to the exact posterior", |r| r.distance.last().map(|d| format!("{:.3}", d[1])));
    });
}

/// S of a sampler; tau_x from the step.
fn speedup(config: &SamplerConfig, race: &RaceState) -> f64 {
    1.0 + config.adaptation.powi(2) * config.tau_v_ms / race.tau_x_ms
}

fn short(value: f64) -> String {
    if value >= 1e6 {
        format!("{:.1}M", value / 1e6)
    } else if value >= 1e4 {
        format!("{:.0}k", value / 1e3)
    } else {
        format!("{value:.0}")
    }
}

fn row(ui: &mut Ui, race: &RaceState, name: &str, tip: &str, value: impl Fn(&RacerState) -> Option<String>) {
    ui.label(greek(name)).on_hover_text(tip);
    for racer in &race.racers {
        ui.label(value(racer).unwrap_or_else(|| "..".into()));
    }
    ui.end_row();
}

fn settings(ui: &mut Ui, wanted: &mut Vec<SamplerConfig>) {
    let mut gone = None;
    egui::Grid::new("samplers").num_columns(wanted.len() + 1).striped(true).spacing([9.0, 3.0]).show(ui, |ui| {
        let mut line = |ui: &mut Ui, name: &str, tip: &str, edit: &mut dyn FnMut(&mut Ui, &mut SamplerConfig, egui::Id)| {
            let label = ui.label(greek(name)).on_hover_text(tip);
            for config in wanted.iter_mut() {
                edit(ui, config, label.id);
            }
            ui.end_row();
        };
        line(ui, "m", "Adaptation strength", &mut |ui, c, id| {
            ui.add(drag_value(&mut c.adaptation).range(0.0..=100.0).speed(0.02)).labelled_by(id);
        });
        line(ui, "tau_v, ms", "Adaptation time constant", &mut |ui, c, id| {
            ui.add(drag_value(&mut c.tau_v_ms).range(0.1..=10_000.0).speed(0.5)).labelled_by(id);
        });
        line(ui, "tau_eps, ms", "Interneuron time constant", &mut |ui, c, id| {
            ui.add(drag_value(&mut c.tau_eps_ms).range(0.001..=10_000.0).speed(0.05)).labelled_by(id);
        });
        line(ui, "K", "Interneurons a unit", &mut |ui, c, id| {
            ui.add(drag_value(&mut c.interneurons).range(1..=1000)).labelled_by(id);
        });
        line(
            ui,
            "noise in v",
            "Adaptation with its noise sqrt(2 tau_v) dW', as the theory has it; without it another distribution is sampled",
            &mut |ui, c, id| {
                ui.checkbox(&mut c.noisy, "").labelled_by(id);
            },
        );
        ui.label("");
        for i in 0..wanted.len() {
            if ui.small_button("Remove").on_hover_text("Take this sampler out of the race").clicked() {
                gone = Some(i);
            }
        }
        ui.end_row();
    });
    if let Some(i) = gone {
        wanted.remove(i);
    }
}
