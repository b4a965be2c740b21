//! How large the interface may be, as a share of its usual size.

use egui::Context;

/// Zoom factors between which a window can be read.
pub(super) const SMALLEST: f32 = 0.4;
pub(super) const LARGEST: f32 = 4.0;

/// Brings a zoom factor at which nothing can be read, as a damaged file of settings can hold, to the nearest at which it can.
pub(super) fn limit(ctx: &Context) {
    let zoom = ctx.zoom_factor();
    if !(SMALLEST..=LARGEST).contains(&zoom) {
        ctx.set_zoom_factor(if zoom.is_nan() { 1.0 } else { zoom.clamp(SMALLEST, LARGEST) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absurd_zoom_factors_are_brought_to_what_can_be_read_and_others_stay() {
        let ctx = Context::default();
        let draw = || ctx.run_ui(egui::RawInput::default(), |_| ()).textures_delta.clear(); // a factor acts from the next frame on
        for (kept, found) in [(0.01, SMALLEST), (1.5, 1.5), (40.0, LARGEST)] {
            ctx.set_zoom_factor(kept);
            draw();
            limit(&ctx);
            draw();
            assert_eq!(ctx.zoom_factor(), found);
        }
    }
}
