//! The units of a chunk that are drawn by visits or by changes, one beside the other.

use super::step::CHUNK;

/// Units that are computed in one go: buffers are filled up to a multiple of it.
pub(super) const LANES: usize = 16;

/// Of each set of eight places, bit by bit, those that are in it, a byte each.
const PLACES: [u64; 256] = {
    let mut places = [0; 256];
    let mut set = 0;
    while set < 256 {
        let (mut place, mut count) = (0, 0);
        while place < 8 {
            if set >> place & 1 == 1 {
                places[set] |= (place as u64) << (8 * count);
                count += 1;
            }
            place += 1;
        }
        set += 1;
    }
    places
};

/// Some units of a chunk; results replace what was given.
#[derive(Debug)]
pub(super) struct GatheredUnits {
    count: usize,
    /// Places in the chunk; eight are written at once.
    places: [u8; CHUNK + 8],
    p: [f32; CHUNK],
    y: [f32; CHUNK],
    open: [f32; CHUNK],
    /// A normal number each; then the mean over the step.
    normal: [f32; CHUNK],
    chance: [f32; CHUNK],
}

/// [`LANES`] units.
#[derive(Debug)]
pub(super) struct Lanes<'a> {
    pub(super) p: &'a [f32; LANES],
    pub(super) chance: &'a [f32; LANES],
    pub(super) y: &'a mut [f32; LANES],
    pub(super) open: &'a mut [f32; LANES],
    /// A normal number each; to become the mean over the step.
    pub(super) mean: &'a mut [f32; LANES],
}

impl Default for GatheredUnits {
    fn default() -> Self {
        let zeros = [0.0; CHUNK];
        Self { count: 0, places: [0; CHUNK + 8], p: zeros, y: zeros, open: zeros, normal: zeros, chance: zeros }
    }
}

impl GatheredUnits {
    /// Takes the units that `marks` names, 1 each.
    pub(super) fn gather(&mut self, marks: &[u8; CHUNK], p: &[f32], values: [&[f32]; 4]) {
        self.count = 0;
        for (group, marks) in marks.as_chunks::<8>().0.iter().enumerate() {
            // The bits of eight bytes that are 1 or 0, the first one lowest.
            let bits = u64::from_le_bytes(*marks).wrapping_mul(0x0102_0408_1020_4080) >> 56;
            let places = (PLACES[bits as usize] + 8 * group as u64 * 0x0101_0101_0101_0101).to_le_bytes();
            self.places[self.count..self.count + 8].copy_from_slice(&places);
            self.count += bits.count_ones() as usize;
        }
        let [y, open, normal, chance] = values;
        let places = &self.places[..self.count];
        for (to, from) in
            [(&mut self.p, p), (&mut self.y, y), (&mut self.open, open), (&mut self.normal, normal), (&mut self.chance, chance)]
        {
            to.iter_mut().zip(places).for_each(|(to, &place)| *to = from[usize::from(place)]);
        }
        // The lanes left over have nothing to draw.
        let left_over = self.count..self.count.next_multiple_of(LANES);
        self.p[left_over.clone()].fill(0.0);
        self.y[left_over.clone()].fill(0.0);
        self.open[left_over.clone()].fill(0.0);
        self.chance[left_over].fill(0.5);
    }

    /// The units, so many at once.
    pub(super) fn lanes(&mut self) -> impl Iterator<Item = Lanes<'_>> {
        let filled = self.count.next_multiple_of(LANES);
        let (p, chance) = (self.p[..filled].as_chunks::<LANES>().0, self.chance[..filled].as_chunks::<LANES>().0);
        let (y, open) = (self.y[..filled].as_chunks_mut::<LANES>().0, self.open[..filled].as_chunks_mut::<LANES>().0);
        let mean = self.normal[..filled].as_chunks_mut::<LANES>().0;
        let all = p.iter().zip(chance).zip(y).zip(open).zip(mean);
        all.map(|((((p, chance), y), open), mean)| Lanes { p, chance, y, open, mean })
    }

    /// Writes the results to their places, the mean `trials` times.
    pub(super) fn give(&self, [y, open, mean]: [&mut [f32]; 3], trials: f32) {
        for (j, place) in self.places[..self.count].iter().map(|&place| usize::from(place)).enumerate() {
            (y[place], open[place], mean[place]) = (self.y[j], self.open[j], trials * self.normal[j]);
        }
    }
}
