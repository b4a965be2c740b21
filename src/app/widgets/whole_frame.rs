//! Whether the frames of a context have to be whole, as those of a film and of a figure are: nothing that they show is put off.

use egui::{Context, Id};

/// Where what takes long is computed.
#[derive(Clone, Copy, PartialEq)]
enum Asked {
    /// In the frame: nobody waits for its end but who has asked for it.
    AtOnce,
    /// Beside it: the frame is drawn again until it is whole.
    WhenReady,
}

fn asked() -> Id {
    Id::unique("every frame is whole")
}

fn lacking() -> Id {
    Id::unique("a frame lacks something")
}

/// Asks for whole frames, however long each of them takes.
pub fn ask(ctx: &Context) {
    ctx.data_mut(|data| data.insert_temp(asked(), Asked::AtOnce));
}

/// Asks for frames that become whole as they are drawn again: none takes longer than one of a window.
pub fn ask_when_ready(ctx: &Context) {
    ctx.data_mut(|data| data.insert_temp(asked(), Asked::WhenReady));
}

/// Whether whole frames were asked for.
pub fn is_asked(ctx: &Context) -> bool {
    ctx.data(|data| data.get_temp::<Asked>(asked())).is_some()
}

/// Whether a frame computes all that it shows by itself.
pub fn is_asked_at_once(ctx: &Context) -> bool {
    ctx.data(|data| data.get_temp(asked())) == Some(Asked::AtOnce)
}

/// Says that this frame lacks what is still being computed.
pub fn lacks_something(ctx: &Context) {
    ctx.data_mut(|data| data.insert_temp(lacking(), true));
}

/// Whether the frames since the last call have lacked something.
pub fn take_lacking(ctx: &Context) -> bool {
    ctx.data_mut(|data| data.remove_temp(lacking())).unwrap_or_default()
}
