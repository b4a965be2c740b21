//! Whether the frames of a context have to be whole, as those of a film are: nothing that they show is put off, or computed beside them.

use egui::{Context, Id};

fn asked() -> Id {
    Id::unique("every frame is whole")
}

/// Asks for whole frames.
pub fn ask(ctx: &Context) {
    ctx.data_mut(|data| data.insert_temp(asked(), true));
}

/// Whether they were asked for.
pub fn is_asked(ctx: &Context) -> bool {
    ctx.data(|data| data.get_temp(asked())).unwrap_or_default()
}
