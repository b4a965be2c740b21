#!/usr/bin/env bash
# Installs the system libraries that the window and its tests need, only those that are missing (Debian and kin).
set -euo pipefail
packages=(xvfb xauth xdotool imagemagick libgl1-mesa-dri libgl1 libegl1 libxkbcommon-x11-0 libxcursor1 libxi6 libxrandr2 libx11-xcb1 mesa-vulkan-drivers libvulkan1)
command -v dpkg-query >/dev/null || { echo "setup: no dpkg on this system; needed are the equivalents of: ${packages[*]}" >&2; exit 0; }
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
command -v cargo >/dev/null || { echo "setup: Rust 1.95 or newer is needed (https://rustup.rs)" >&2; exit 1; }
