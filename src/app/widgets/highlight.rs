//! A frame around the control that a lesson speaks of.

use crate::app::theme;
use egui::{Context, Id, Rect, Stroke, StrokeKind, Ui};

/// The button for full speed, which is no parameter.
pub const FULL_SPEED: &str = "full speed";

fn chosen() -> Id {
    Id::unique("the control that a lesson speaks of")
}

/// Says which control is framed: the key of its parameter, or [`FULL_SPEED`]. Answers whether it is one, and another than before.
pub fn set(ctx: &Context, key: Option<&str>) -> bool {
    let before = ctx.data(|data| data.get_temp::<Option<String>>(chosen())).flatten();
    if before.as_deref() != key {
        ctx.data_mut(|data| data.insert_temp(chosen(), key.map(str::to_string)));
        return key.is_some();
    }
    false
}

/// Frames the control of this key, where it is the one.
pub fn around(ui: &Ui, key: &str, rect: Rect) {
    let is_chosen = ui.ctx().data(|data| data.get_temp::<Option<String>>(chosen())).flatten().as_deref() == Some(key);
    if is_chosen {
        let stroke = Stroke::new(2.0, theme::SERIES[4]);
        ui.painter().rect_stroke(rect.expand(3.0), 3.0, stroke, StrokeKind::Outside);
    }
}

/// How long it is shown where a parameter acts, s.
const SHOWN: f64 = 8.0;

fn asked() -> Id {
    Id::unique("the parameter of which it is shown where it acts")
}

/// Has it shown for a while where a parameter acts.
pub fn show_where(ctx: &Context, key: &str) {
    let until = ctx.input(|i| i.time) + SHOWN;
    ctx.data_mut(|data| data.insert_temp(asked(), (key.to_string(), until)));
}

/// The parameter of which it is to be shown now where it acts.
pub fn shown(ctx: &Context) -> Option<String> {
    let (key, until) = ctx.data(|data| data.get_temp::<(String, f64)>(asked()))?;
    (ctx.input(|i| i.time) < until).then_some(key)
}
