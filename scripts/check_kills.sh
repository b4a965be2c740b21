#!/usr/bin/env bash
# Kills the program by SIGKILL at random moments while it saves, and checks that every save is whole and that nothing learned before
# it is lost: the headless program with `--save-every 0`, and the window with `--autosave 0` on a virtual display (Xvfb). Then ends the
# window by SIGTERM, SIGHUP and SIGINT at random moments while nothing is saved by itself, and checks that it saves what it has.
#   scripts/check_kills.sh [--train N] [--window N] [--ends N]
# --train, --window: kills of each kind (default 500). Takes about half a second a kill of the headless program and two of the window.
# --ends: of the window by a signal that can be heard (default 30); three seconds each.
# HEESCOPE names the program; without it the release build is made and taken.
set -euo pipefail
cd "$(dirname "$0")/.."
train=500 window=500 ends=30
while [ $# -gt 0 ]; do
  case $1 in
    --train) train=${2:?a number is needed after --train}; shift 2 ;;
    --window) window=${2:?a number is needed after --window}; shift 2 ;;
    --ends) ends=${2:?a number is needed after --ends}; shift 2 ;;
    --inside) inside=$2; shift 2 ;; # the part that runs on the virtual display
    *) echo "check_kills: unknown option $1 (see the head of this script)" >&2; exit 1 ;;
  esac
done
heescope=${HEESCOPE:-}
if [ -z "$heescope" ]; then
  cargo build --release
  heescope=${CARGO_TARGET_DIR:-target}/release/heescope
fi
export HEESCOPE=$heescope

# Prints the images that a model file has seen; an error where the file is not whole.
images_seen() {
  python3 - "$1" << 'END'
import re, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as archive:
    damaged = archive.testzip()
    if damaged:
        sys.exit(f"{sys.argv[1]}: {damaged} is damaged")
    names = set(archive.namelist())
    missing = {"W0.npy", "b0.npy", "config.npy", "state.npy", "state_streams.npy", "state_x1.npy"} - names
    if missing:
        sys.exit(f"{sys.argv[1]}: {sorted(missing)} missing")
    print(re.search(rb"images_seen = (\d+)", archive.read("config.npy")).group(1).decode())
END
}

random_pause() { sleep "$(printf '0.%03d' $((RANDOM % $1)))"; }

# Waits until a file is there or the process has ended.
await() { while [ ! -e "$1" ] && kill -0 "$2" 2> /dev/null; do sleep 0.01; done; }

kill_and_reap() {
  kill -9 "$1" 2> /dev/null || { echo "check_kills: the program ended by itself" >&2; exit 1; }
  wait "$1" 2> /dev/null || true
}

check_train() {
  local work=$1 kills=$2 saved=none next=a.npz seen=0 now before_first=0 begin
  for _ in $(seq "$kills"); do
    begin=(--preset bars --set patches=500)
    [ "$saved" = none ] || begin=(--init "$work/$saved")
    rm -f "$work/$next"
    "$heescope" train "${begin[@]}" --images 1000000000 --save-every 0 --out "$work/$next" > /dev/null 2>&1 &
    [ $((RANDOM % 8)) -eq 0 ] || await "$work/$next" $! # sometimes before the first save
    random_pause 250
    kill_and_reap $!
    if [ ! -e "$work/$next" ]; then
      before_first=$((before_first + 1))
      continue
    fi
    now=$(images_seen "$work/$next")
    [ "$now" -ge "$seen" ] || { echo "check_kills: $now images after $seen" >&2; exit 1; }
    seen=$now
    saved=$next
    if [ "$next" = a.npz ]; then next=b.npz; else next=a.npz; fi
  done
  local left
  left=$(find "$work" -name '.heescope-*' | wc -l)
  [ "$left" -le 1 ] || { echo "check_kills: $left temporary files are left" >&2; exit 1; }
  "$heescope" train --init "$work/$saved" --images 200 --out "$work/end.npz" 2>&1 | grep -q exactly
  echo "train: $kills kills, $before_first of them before the first save; every save whole, $seen images learned in all, the last goes on exactly"
}

check_window() {
  local work=$1 kills=$2 seen=0 now file
  export XDG_DATA_HOME=$work/data
  file=$XDG_DATA_HOME/heescope/runs/0001-bars/state.npz
  for i in $(seq "$kills"); do
    local begin=()
    [ "$i" -gt 1 ] || begin=(--preset bars --set patches=500)
    touch "$work/started"
    "$heescope" "${begin[@]}" --full-speed --autosave 0 --size 700x500 > "$work/log" 2>&1 &
    for _ in $(seq 3000); do # until this run has saved
      [ "$file" -nt "$work/started" ] && break
      kill -0 $! 2> /dev/null || { cat "$work/log" >&2; echo "check_kills: the window ended by itself" >&2; exit 1; }
      sleep 0.01
    done
    [ "$file" -nt "$work/started" ] || { echo "check_kills: nothing was saved within 30 s" >&2; exit 1; }
    random_pause 250
    kill_and_reap $!
    now=$(images_seen "$file")
    # On a busy machine a save can come before anything new was learned.
    [ "$now" -ge "$seen" ] || { echo "check_kills: $now images after $seen: the start did not recover them" >&2; exit 1; }
    seen=$now
    for other in "$XDG_DATA_HOME"/heescope/runs/0001-bars/state.previous.npz; do
      [ ! -e "$other" ] || images_seen "$other" > /dev/null
    done
    [ ! -e "$XDG_DATA_HOME/heescope/app.ron" ] || tail -c 2 "$XDG_DATA_HOME/heescope/app.ron" | grep -q '}' || { echo "check_kills: app.ron is cut short" >&2; exit 1; }
  done
  local left
  left=$(find "$XDG_DATA_HOME" -name '.heescope-*' | wc -l)
  [ "$left" -le 2 ] || { echo "check_kills: $left temporary files are left" >&2; exit 1; }
  [ "$seen" -gt "$kills" ] || { echo "check_kills: $seen images in $kills windows: nothing was learned" >&2; exit 1; }
  echo "window: $kills kills; every save whole, every start recovered it, $seen images learned in all"
}

check_ends() {
  local work=$1 ends=$2 seen=0 now file signal begin
  export XDG_DATA_HOME=$work/ended
  file=$XDG_DATA_HOME/heescope/runs/0001-bars/state.npz
  for i in $(seq "$ends"); do
    begin=()
    [ "$i" -gt 1 ] || begin=(--preset bars --set patches=500)
    signal=$(shuf -n 1 -e TERM HUP INT)
    env --default-signal=INT "$heescope" "${begin[@]}" --full-speed --autosave 3600 --size 700x500 > "$work/log" 2>&1 &
    sleep 2
    random_pause 1000
    kill -"$signal" $!
    for _ in $(seq 1000); do
      kill -0 $! 2> /dev/null || break
      sleep 0.01
    done
    if kill -9 $! 2> /dev/null; then echo "check_kills: the window did not end within 10 s of SIG$signal" >&2; exit 1; fi
    wait $! || { cat "$work/log" >&2; echo "check_kills: the window ended with an error after SIG$signal" >&2; exit 1; }
    now=$(images_seen "$file")
    [ "$now" -gt "$seen" ] || { echo "check_kills: $now images after $seen: SIG$signal lost what was learned" >&2; exit 1; }
    seen=$now
  done
  echo "window: $ends ends by SIGTERM, SIGHUP and SIGINT; each saved what was learned, $seen images in all"
}

if [ -n "${inside:-}" ]; then
  if [ "$window" -gt 0 ]; then check_window "$inside" "$window"; fi
  if [ "$ends" -gt 0 ]; then check_ends "$inside" "$ends"; fi
  exit
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ "$train" -gt 0 ]; then check_train "$work" "$train"; fi
if [ $((window + ends)) -gt 0 ]; then xvfb-run -a -s "-screen 0 1000x700x24" "$0" --inside "$work" --window "$window" --ends "$ends"; fi
