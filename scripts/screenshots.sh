#!/usr/bin/env bash
# Takes the pictures under screenshots/: the real window on each preset and view, light and dark, on a virtual display.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh
cargo build --release
mkdir -p screenshots
picture() { # name, seconds, theme, arguments
  local name=$1 after=$2 theme=$3
  shift 3
  # The pointer stands in the middle of the screen: a large one keeps it off the window, and tooltips out of the picture.
  xvfb-run -a -s "-screen 0 3200x2000x24" "${CARGO_TARGET_DIR:-target}/release/heescope" "$@" --theme "$theme" --after "$after" --screenshot "screenshots/$name-$theme.png"
  echo "screenshots/$name-$theme.png"
}
models=$(mktemp -d)
trap 'rm -rf "$models"' EXIT
learn() { # preset, how long
  "${CARGO_TARGET_DIR:-target}/release/heescope" train --preset "$1" "$2" "$3" --out "$models/$1.npz"
}
learn photographs --images 160000
learn v1-v2 --images 160000
learn fashion --seconds 420
for theme in dark light; do
  for preset in dead-leaves photographs; do
    picture "$preset" 7 "$theme" --preset "$preset" --size 1400x900 --full-speed
  done
  for preset in explaining-away ridge ring slow-interneurons chain competition; do
    picture "$preset" 4 "$theme" --preset "$preset" --view posterior --size 1100x760
  done
  picture bars 4 "$theme" --preset bars --size 1400x900 --full-speed
  picture lab-adaptation 30 "$theme" --preset ridge --view adaptation --size 1000x700 --measure
  picture lab-separation 30 "$theme" --preset slow-interneurons --view separation --size 1000x700 --measure
  picture lab-partition 4 "$theme" --preset competition --view partition --size 1000x700 --measure
  picture view-studies 40 "$theme" --preset ridge --view studies --size 1000x700 --measure
  picture view-population 25 "$theme" --preset photographs --view population --size 1400x900 --full-speed
  picture view-tuning 30 "$theme" --model "$models/photographs.npz" --view tuning --size 1400x900 --measure
  picture view-layers 25 "$theme" --model "$models/v1-v2.npz" --view layers --size 1000x700
  picture digits-generation 60 "$theme" --preset digits --view generation --size 1400x900 --full-speed
  picture digits-stimulus 20 "$theme" --preset digits --view stimulus --size 1000x700 --full-speed
  picture fashion-generation 60 "$theme" --model "$models/fashion.npz" --view generation --size 1000x700
  for view in receptive-fields traces posterior stimulus learning; do
    picture "view-$view" 4 "$theme" --preset dead-leaves --view "$view" --size 1000x700 --full-speed
  done
done
