#!/usr/bin/env bash
# Measures every figure that the program should reach and writes BENCHMARKS.md, screenshots/growth.svg and screenshots/scale.svg.
#   scripts/bench.sh [--rounds N] [--quick] [--no-jax] [--hour]
# --rounds: of medians (default 15); --quick: without `cargo bench --bench window`; --no-jax: without the JAX peer, which otherwise is
# installed in a throw-away environment under output/bench; --hour: also the window's memory over an hour, which stays in output/bench
# and in the table until it is measured again. Let the machine be idle: whatever else runs makes all figures worse.
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=15 quick=no jax=yes hour=no
while [ $# -gt 0 ]; do
  case $1 in
    --rounds) rounds=${2:?a value is needed after --rounds}; shift 2 ;;
    --quick) quick=yes; shift ;;
    --no-jax) jax=no; shift ;;
    --hour) hour=yes; shift ;;
    *) echo "bench: unknown option $1 (see the head of this script)" >&2; exit 1 ;;
  esac
done
heescope=${HEESCOPE:-}
if [ -z "$heescope" ]; then
  scripts/setup.sh
  cargo build --profile dist # what is shipped is measured
  heescope=${CARGO_TARGET_DIR:-target}/dist/heescope
fi
out=output/bench
mkdir -p "$out" screenshots
rm -f "$out"/*.json "$out"/*.txt # an hour of memory is kept in a .tsv
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
load() { cut -d ' ' -f 1 /proc/loadavg; }
before=$(load)

echo "bench: the program's own table" >&2
"$heescope" bench --all --rounds "$rounds" --plot screenshots/growth.svg --json > "$out/bench.json"

echo "bench: large models" >&2
"$heescope" bench --scale --rounds "$((rounds < 7 ? rounds : 7))" --json > "$out/scale.json"

python=${PYTHON:-$out/python/bin/python}
if [ "$jax" = yes ]; then
  if [ ! -x "$python" ]; then # a throw-away environment: delete the folder and it is gone
    python3 -m venv "$out/python" && "$out/python/bin/python" -m pip install --quiet jax || jax=no
  fi
  if [ "$jax" = yes ]; then
    echo "bench: JAX, in turn with the program" >&2
    "$python" scripts/bench_jax.py --program "$heescope" --rounds "$rounds" > "$out/jax.json"
    "$python" scripts/bench_jax.py --program "$heescope" --rounds "$((rounds < 7 ? rounds : 7))" --scale --threads "$(nproc)" > "$out/scale_jax.json"
  else
    echo "bench: JAX cannot be installed here" >&2
  fi
fi

echo "bench: the window" >&2
for _ in 1 2 3 4 5; do
  # Without the virtual display's own start: the clock runs from the program's start to the picture's file.
  HOME=$home xvfb-run -a -s "-screen 0 1600x1000x24" bash -c 'start=$(date +%s%N); "$0" --size 1400x900 --screenshot "$1" --after 0 >&2; echo $((($(date +%s%N) - start) / 1000000))' \
    "$heescope" "$home/first.png" >> "$out/first_picture_ms.txt"
done
HOME=$home xvfb-run -a -s "-screen 0 1600x1000x24" bash -c '
  "$0" --size 1400x900 --full-speed & pid=$!
  for after in 20 60; do
    while [ "$SECONDS" -lt "$after" ]; do sleep 0.2; done
    sed -n "s/^\(VmRSS\|RssAnon\|RssFile\):[^0-9]*\([0-9]*\).*/$after \1 \2/p" "/proc/$pid/status"
    awk -v after="$after" "/^[0-9a-f]+-/ { renderer = /libLLVM|swrast|libgallium/ } /^Rss:/ && renderer { kib += \$2 } END { print after, \"Renderer\", kib + 0 }" "/proc/$pid/smaps"
  done
  kill "$pid"; wait "$pid" 2> /dev/null || true' "$heescope" > "$out/memory_kib.txt"

if [ "$hour" = yes ]; then
  echo "bench: an hour of the window at its usual pace" >&2
  HOME=$home xvfb-run -a -s "-screen 0 1600x1000x24" bash -c '
    "$0" --size 1400x900 & pid=$!
    while [ "$SECONDS" -lt 3620 ] && sleep 20 && kill -0 "$pid"; do echo "$SECONDS $(sed -n "s/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p" "/proc/$pid/status")"; done
    kill "$pid"; wait "$pid" 2> /dev/null || true' "$heescope" > "$out/hour.tsv"
fi

if [ "$quick" = no ]; then
  echo "bench: one frame of every view" >&2
  cargo bench --bench window -- --noplot > "$out/window.txt"
fi
python3 scripts/bench_report.py --folder "$out" --before "$before" --after "$(load)" --picture screenshots/scale.svg > BENCHMARKS.md
echo "bench: BENCHMARKS.md" >&2
