//! Where the views stand: before anybody has moved a tab, and as it was kept.

use crate::app::views::ViewKind;
use egui_tiles::{Container, Linear, LinearDir, Tabs, Tile, TileId, Tiles, Tree};

/// Containers within each other, at most: far more than anybody drags together.
const DEEPEST: usize = 100;

/// The layout before anybody has moved a tab.
pub(super) fn standard() -> Tree<ViewKind> {
    let mut tiles = Tiles::default();
    let fields = tiles.insert_pane(ViewKind::ReceptiveFields);
    let population = tiles.insert_pane(ViewKind::Population);
    let layers = tiles.insert_pane(ViewKind::Layers);
    let network = tiles.insert_pane(ViewKind::Network);
    let tuning = tiles.insert_pane(ViewKind::Tuning);
    let generation = tiles.insert_pane(ViewKind::Generation);
    let posterior = tiles.insert_pane(ViewKind::Posterior);
    let measured = [ViewKind::Adaptation, ViewKind::Separation, ViewKind::Partition, ViewKind::LearningRules, ViewKind::Studies];
    let measured = [&measured[..], &[ViewKind::Compare]].concat();
    let measured: Vec<TileId> = measured.into_iter().map(|kind| tiles.insert_pane(kind)).collect();
    let left = tiles.insert_tab_tile([&[fields, population, tuning, layers, network, generation, posterior][..], &measured].concat());
    let stimulus = tiles.insert_pane(ViewKind::Stimulus);
    let traces = tiles.insert_pane(ViewKind::Traces);
    let learning = tiles.insert_pane(ViewKind::Learning);
    let lower = tiles.insert_tab_tile(vec![traces, learning]);
    let mut column = Linear::new(LinearDir::Vertical, vec![stimulus, lower]);
    column.shares.set_share(stimulus, 0.45);
    let right = tiles.insert_container(column);
    let root = tiles.insert_horizontal_tile(vec![left, right]);
    Tree::new(egui::Id::unique("views"), root, tiles)
}

/// A kept layout made anew from what a layout can be: each view once, in tabs and rows with finite shares. None where it is anything
/// else: the library takes any tree, and fails on one that is damaged.
pub(super) fn restored(kept: &Tree<ViewKind>) -> Option<Tree<ViewKind>> {
    let mut tiles = Tiles::default();
    let root = copied(&kept.tiles, kept.root()?, &mut tiles, DEEPEST)?;
    let is_whole = ViewKind::ALL.iter().all(|kind| tiles.find_pane(kind).is_some());
    is_whole.then(|| Tree::new(kept.id(), root, tiles))
}

/// Copies a tile with all that is in it, which has at most `depth` containers within each other; the new number.
fn copied(from: &Tiles<ViewKind>, id: TileId, into: &mut Tiles<ViewKind>, depth: usize) -> Option<TileId> {
    let container = match from.get(id)? {
        Tile::Pane(kind) => return into.find_pane(kind).is_none().then(|| into.insert_pane(*kind)),
        Tile::Container(container) => container,
    };
    let old: Vec<TileId> = container.children_vec();
    let within = depth.checked_sub(1).filter(|_| !old.is_empty())?;
    let new = old.iter().map(|child| copied(from, *child, into, within)).collect::<Option<Vec<_>>>()?;
    let new_of = |wanted: TileId| old.iter().position(|child| *child == wanted).map(|i| new[i]);
    Some(into.insert_container(match container {
        Container::Tabs(tabs) => {
            let mut copy = Tabs::new(new.clone());
            tabs.active.and_then(new_of).into_iter().for_each(|active| copy.set_active(active));
            Container::Tabs(copy)
        }
        Container::Linear(linear) => {
            let mut copy = Linear::new(linear.dir, new.clone());
            for (&old, &new) in old.iter().zip(&new) {
                let share = linear.shares[old];
                copy.shares.set_share(new, Some(share).filter(|share| (0.0..1e6).contains(share))?);
            }
            Container::Linear(copy)
        }
        Container::Grid(_) => return None, // no hand can make one
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

    fn text(tree: &Tree<ViewKind>) -> String {
        ron::to_string(tree).unwrap()
    }

    fn restored_text(text: &str) -> Option<Tree<ViewKind>> {
        restored(&ron::from_str(text).ok()?)
    }

    #[test]
    fn a_layout_comes_back_as_it_was_kept() {
        let mut moved = standard();
        moved.make_active(|_, tile| matches!(tile, Tile::Pane(ViewKind::Tuning)));
        let back = restored_text(&text(&moved)).unwrap();
        let kinds = |tree: &Tree<ViewKind>| -> Vec<ViewKind> {
            tree.active_tiles().iter().filter_map(|id| tree.tiles.get_pane(id).copied()).collect()
        };
        assert!(kinds(&moved).contains(&ViewKind::Tuning) && kinds(&back) == kinds(&moved));
        assert_eq!(restored_text(&text(&back)).map(|tree| kinds(&tree)), Some(kinds(&back)), "and again");
    }

    #[test]
    fn damaged_layouts_are_refused() {
        let whole = text(&standard());
        let root = standard().root().unwrap().0.to_string();
        let stimulus = standard().tiles.find_pane(&ViewKind::Stimulus).unwrap().0.to_string();
        assert!(restored_text(&whole).is_some());
        let traces = standard().tiles.find_pane(&ViewKind::Traces).unwrap().0.to_string();
        for (old, new) in [
            (format!("({stimulus}),"), format!("({root}),")),     // a row within itself
            (format!("[({traces}),"), format!("[({stimulus}),")), // a view in two places
            ("0.45".into(), "-0.45".into()),
            ("0.45".into(), "NaN".into()),
        ] {
            let damaged = whole.replacen(&old, &new, 1);
            assert_ne!(damaged, whole, "{old} is not in {whole}");
            assert!(restored_text(&damaged).is_none(), "{old} to {new}");
        }
    }

    #[test]
    fn what_comes_back_from_a_damaged_text_is_whole() {
        let whole = text(&standard());
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let mut back = 0;
        for _ in 0..4000 {
            let mut bytes = whole.clone().into_bytes();
            for _ in 0..rng.random_range(1..4) {
                let place = rng.random_range(0..bytes.len());
                bytes[place] = if bytes[place].is_ascii_digit() { b'0' + rng.random_range(0..10) } else { rng.random_range(32..127) };
            }
            let Some(tree) = restored_text(std::str::from_utf8(&bytes).unwrap()) else { continue };
            back += 1;
            assert_eq!(tree.active_tiles().iter().filter(|id| tree.tiles.get_pane(id).is_some()).count(), 3);
            assert!(ViewKind::ALL.iter().all(|kind| tree.tiles.find_pane(kind).is_some()));
        }
        assert!(back > 40, "{back}");
    }
}
