#!/usr/bin/env bash
# Measures what receptive fields become: Gabor-like shares over training, orientations, tuning, groups of the second layer. Needs awk.
set -euo pipefail
cd "$(dirname "$0")/.."
program=${HEESCOPE:-${CARGO_TARGET_DIR:-target}/release/heescope}
[ -x "$program" ] || cargo build --release
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

column() { # name, file: the values of a column that are numbers, sorted
  awk -F, -v name="$1" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) c = i; next } $c != "" && $c != "NaN" { print $c }' "$2" | sort -g
}
median() { column "$1" "$2" | awk '{ v[NR] = $1 } END { printf "%.2f", v[int((NR + 1) / 2)] }'; }
share() { # name, least value, file
  column "$1" "$3" | awk -v least="$2" '$1 > least { n++ } END { printf "%.2f", n / NR }'
}
gabors() { # file: share of Gabor functions by the count of docs/model.md 6, where all filters are local
  awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) c[$i] = i; next }
    { all++; n += $c["r2"] > 0.8 && $c["width_along"] > $c["width_across"] } END { printf "%.3f", n / all }' "$1"
}
learn() { # preset, images: seconds of one core that it took
  local TIMEFORMAT=%U
  { time "$program" train --preset "$1" --images "$2" --seed 0 --out "$folder/model.npz" > /dev/null; } 2>&1
}

for preset in dead-leaves photographs; do
  for images in 12500 25000 50000 100000 200000; do
    seconds=$(learn "$preset" "$images")
    "$program" filters --model "$folder/model.npz" --out "$folder/fits.csv"
    echo "$preset: $images images, $seconds s of one core: Gabor-like $(share gabor_like 0.5 "$folder/fits.csv"), median R^2 $(median r2 "$folder/fits.csv")"
  done
  column orientation_deg "$folder/fits.csv" | awk -v preset="$preset" '
    { n[int($1 / 30) % 6]++ } END { printf "%s: filters by orientation, six bins of 30 degrees:", preset; for (i = 0; i < 6; i++) printf " %d", n[i]; print "" }'
  "$program" tuning --model "$folder/model.npz" --out "$folder/tuning.csv" | sed "s/^/$preset: /"
done
# Minutes of two cores: 2048 units on patches of 32 x 32 pixels, with local first weights and with weights all over the patch.
for first in local unit-norm; do
  for images in 50000 100000 150000 200000; do
    TIMEFORMAT=%R
    seconds=$({ time "$program" train --config examples/photographs-32.toml --set "first_weights=$first" --images "$images" --seed 0 --out "$folder/model.npz" > /dev/null; } 2>&1)
    "$program" filters --model "$folder/model.npz" --out "$folder/fits.csv"
    echo "32 x 32, $first: $images images, $seconds s: Gabor functions $(gabors "$folder/fits.csv"), median R^2 $(median r2 "$folder/fits.csv")"
  done
done
TIMEFORMAT='144 filters read, fitted and written: %U s of one core'
time "$program" filters --model "$folder/model.npz" --out "$folder/fits.csv"
for images in 80000 160000 240000 320000; do
  seconds=$(learn v1-v2 "$images")
  "$program" filters --model "$folder/model.npz" --out "$folder/fits.csv"
  "$program" filters --model "$folder/model.npz" --layer 2 --out "$folder/groups.csv"
  echo "v1-v2: $images images, $seconds s of one core: Gabor-like $(share gabor_like 0.5 "$folder/fits.csv"), groups in orientation $(share orientation_z 3 "$folder/groups.csv"), in place $(share place_z 3 "$folder/groups.csv")"
  if [ "$images" = 160000 ]; then
    "$program" tuning --model "$folder/model.npz" --layer 2 --out "$folder/tuning.csv" | sed "s/^/v1-v2: layer 2: /"
  fi
done
