//! Pictures in 256 colours.

use color_quant::NeuQuant;
use std::collections::HashMap;

/// Colours of a palette.
const COLOURS: usize = 256;
/// The commonest colours, which a palette has as they are: backgrounds, text and lines keep theirs.
const KEPT: usize = 128;
/// Every tenth pixel is enough to find the others.
const SAMPLED: i32 = 10;

/// A picture as indices, one a pixel, into a palette of red, green and blue, 256 colours at most. A picture of few colours keeps them all.
pub(super) fn indexed(pixels: &[[u8; 3]]) -> (Vec<u8>, Vec<u8>) {
    let mut counts = HashMap::<[u8; 3], u32>::new();
    for run in pixels.chunk_by(|a, b| a == b) {
        *counts.entry(run[0]).or_default() += run.len() as u32;
    }
    let mut palette: Vec<[u8; 3]> = counts.keys().copied().collect();
    if palette.len() > COLOURS {
        palette.sort_unstable_by_key(|colour| (u32::MAX - counts[colour], *colour));
        palette.truncate(KEPT);
        palette.extend(found(pixels, &palette));
    } else {
        palette.sort_unstable();
    }
    let mut places: HashMap<[u8; 3], u8> = (0..=u8::MAX).zip(&palette).map(|(place, colour)| (*colour, place)).collect();
    let mut indices = Vec::with_capacity(pixels.len());
    for run in pixels.chunk_by(|a, b| a == b) {
        let place = *places.entry(run[0]).or_insert_with(|| nearest(&palette, run[0]));
        indices.resize(indices.len() + run.len(), place);
    }
    (palette.concat(), indices)
}

/// As many colours as there is room for that are close to those that are not `kept`.
fn found(pixels: &[[u8; 3]], kept: &[[u8; 3]]) -> Vec<[u8; 3]> {
    let kept: std::collections::HashSet<[u8; 3]> = kept.iter().copied().collect();
    let others: Vec<u8> = pixels.iter().filter(|pixel| !kept.contains(*pixel)).flat_map(|&[r, g, b]| [r, g, b, u8::MAX]).collect();
    let map = NeuQuant::new(SAMPLED, COLOURS - KEPT, &others).color_map_rgb();
    map.chunks_exact(3).map(|colour| [colour[0], colour[1], colour[2]]).collect()
}

fn nearest(palette: &[[u8; 3]], colour: [u8; 3]) -> u8 {
    let distance = |other: &[u8; 3]| (0..3).map(|i| (i32::from(other[i]) - i32::from(colour[i])).pow(2)).sum::<i32>();
    let place = (0..=u8::MAX).zip(palette).min_by_key(|(_, other)| distance(other));
    place.map_or(0, |(place, _)| place)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(pixels: &[[u8; 3]]) -> Vec<[u8; 3]> {
        let (palette, indices) = indexed(pixels);
        assert!(palette.len() <= 3 * COLOURS && indices.len() == pixels.len());
        indices.iter().map(|&i| palette[3 * usize::from(i)..][..3].try_into().unwrap()).collect()
    }

    #[test]
    fn few_colours_are_kept_and_of_many_the_commonest_are() {
        let few: Vec<[u8; 3]> = (0..1000u32).map(|i| [(i % 256) as u8, 7, 200]).collect();
        assert_eq!(shown(&few), few);
        // A background, a text colour, and every mixture of two channels.
        let mut many = vec![[27, 27, 27]; 50_000];
        many.extend([[211, 0, 77]; 900]);
        many.extend((0..128 * 128).map(|i| [2 * (i % 128) as u8, 2 * (i / 128) as u8, 90]));
        let found = shown(&many);
        assert_eq!(found[..50_900], many[..50_900]);
        let off = |(a, b): (&[u8; 3], &[u8; 3])| (0..3).map(|i| a[i].abs_diff(b[i])).max().unwrap();
        let mean = found.iter().zip(&many).skip(50_900).map(off).map(f64::from).sum::<f64>() / (128.0 * 128.0);
        // 128 colours on a square of 256 x 256 lie 23 apart.
        assert!(mean < 12.0, "off by {mean} of 255 in the mean");
        assert_eq!(indexed(&many), indexed(&many));
        assert_eq!(indexed(&[]), (vec![], vec![]));
    }
}
