#!/usr/bin/env bash
# Sets up what is missing, builds, and opens the window on the default preset. Arguments are handed on to heescope.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh
cargo build --release
if [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
  exec "${CARGO_TARGET_DIR:-target}/release/heescope" "$@"
fi
echo "There is no display: running 20 s on a virtual one."
mkdir -p output
xvfb-run -a -s "-screen 0 1600x1000x24" "${CARGO_TARGET_DIR:-target}/release/heescope" --screenshot output/window.png --after 20 --size 1400x900 "$@"
echo "A picture of the window: output/window.png"
