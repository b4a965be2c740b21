#!/usr/bin/env bash
# Counts the instructions of a step at three sizes, by valgrind's callgrind: unlike times they are the same on a busy
# machine, so that two versions of the program can be compared.
#   scripts/count_instructions.sh [--out FOLDER]
# Valgrind runs instructions up to AVX2. 100 networks with sampled interneurons, one thread. --out keeps the profiles
# (callgrind_annotate FILE shows where the instructions go). HEESCOPE is the program to count, by default the one of cargo build --release.
set -euo pipefail
cd "$(dirname "$0")/.."
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
keep=""
while [ $# -gt 0 ]; do
  case $1 in
    --out) keep=${2:?a folder is needed after --out}; mkdir -p "$keep"; shift 2 ;;
    *) echo "count_instructions: unknown option $1 (see the head of this script)" >&2; exit 1 ;;
  esac
done
command -v valgrind > /dev/null || { apt-get update -q && apt-get install -q -y --no-install-recommends valgrind; } >&2
heescope=${HEESCOPE:-}
if [ -z "$heescope" ]; then
  cargo build --release
  heescope=${CARGO_TARGET_DIR:-target}/release/heescope
fi

# count PIXELS UNITS STEPS: instructions of the whole run.
count() {
  cat > "$out/model.toml" << TOML
[model]
name = "counted"
[[model.layers]]
family = "gaussian"
sigma = 0.3
size = $1
[[model.layers]]
family = "student-t"
nu = 8.0
s = 0.15
size = $2
[stimulus]
steps_per_stimulus = 0
values = [$(yes 0.5 | head -n "$1" | paste -sd,)]
[data]
source = "fixed"
[dynamics]
adaptation = 4.0
TOML
  local profile="${keep:-$out}/callgrind.$1x$2.$3"
  valgrind --tool=callgrind --callgrind-out-file="$profile" "$heescope" sample --config "$out/model.toml" --chains 100 --threads 1 \
    --burn 0 --steps "$3" --thin "$3" --out "$out/samples.npz" 2>&1 > /dev/null | sed -n 's/.*Collected : \([0-9]*\).*/\1/p'
}

printf '%-14s %s\n' "pixels x units" "million instructions a step"
for size in "144 144 40" "576 1024 6" "1024 2048 3"; do
  read -r pixels units steps <<< "$size"
  few=$(count "$pixels" "$units" "$steps")
  many=$(count "$pixels" "$units" $((2 * steps)))
  awk -v name="$pixels x $units" -v all=$((many - few)) -v steps="$steps" 'BEGIN { printf "%-14s %.3f\n", name, all / steps / 1e6 }'
done
