#!/usr/bin/env bash
# Tries to break the program, for hours, and prints a table: what was tried, refused, accepted, and every panic and hang.
#   scripts/check_robust.sh [--minutes N] [--kills N] [--hours N] [PART...]
# PART: fuzz (every reader, cargo-fuzz on the nightly toolchain), kills (SIGKILL while saving), disk (a small disk that fills, a folder
# that vanishes), clock (it jumps while the program runs), walk (random use of the window), memory (of every preset and view); without
# one: all. --minutes: fuzzing of each reader (10). --kills: of the headless program and of the window each (500). --hours: of use of
# the window, simulated (8). The test suite has short forms of all of them. Exit status 1 where anything broke.
set -euo pipefail
cd "$(dirname "$0")/.."
minutes=10 kills=500 hours=8 parts=()
while [ $# -gt 0 ]; do
  case $1 in
    --minutes) minutes=${2:?a number is needed after --minutes}; shift 2 ;;
    --kills) kills=${2:?a number is needed after --kills}; shift 2 ;;
    --hours) hours=${2:?a number is needed after --hours}; shift 2 ;;
    fuzz | kills | disk | clock | walk | memory) parts+=("$1"); shift ;;
    *) echo "check_robust: unknown part or option $1 (see the head of this script)" >&2; exit 1 ;;
  esac
done
[ ${#parts[@]} -gt 0 ] || parts=(fuzz kills disk clock walk memory)
work=$(mktemp -d)
trap 'umount "$work/disk" 2> /dev/null || true; rm -rf "$work"' EXIT
table=$work/table broken=0
printf '%-28s %12s %12s %12s %7s %6s\n' what tried refused accepted panics hangs > "$table"

# row WHAT TRIED REFUSED ACCEPTED PANICS HANGS
row() {
  printf '%-28s %12s %12s %12s %7s %6s\n' "$@" >> "$table"
  tail -n 1 "$table"
  [ "$5" = 0 ] && [ "$6" = 0 ] || broken=1
}

# The release build of the program, once.
program() {
  if [ -z "${HEESCOPE:-}" ]; then
    cargo build --release
    HEESCOPE=$(realpath "${CARGO_TARGET_DIR:-target}/release/heescope")
    export HEESCOPE
  fi
}

fuzz() {
  mkdir -p fuzz/artifacts
  command -v cargo-fuzz > /dev/null || { cargo install cargo-fuzz --locked && PATH=$HOME/.cargo/bin:$PATH; }
  local target found log refused accepted panics hangs programs
  cargo +nightly fuzz build --sanitizer none # the program has almost no unsafe code; Miri sees to that
  programs=fuzz/target/$(rustc -vV | sed -n 's/^host: //p')/release
  for target in $(cargo +nightly fuzz list); do
    found=$work/found/$target log=$work/$target.log panics=0 hangs=0
    mkdir -p "$found"
    "$programs/$target" -max_total_time=$((60 * minutes)) -timeout=30 -rss_limit_mb=2500 -max_len=65536 -print_final_stats=1 \
      -artifact_prefix="fuzz/artifacts/$target-" "$found" "fuzz/corpus/$target" > "$log" 2>&1 || panics=1
    if grep -q 'ERROR: libFuzzer: timeout' "$log"; then panics=0 hangs=1; fi
    if [ "$panics$hangs" != 00 ]; then
      grep -E "panicked|ERROR|SUMMARY|Test unit written" "$log" >&2 || tail -n 20 "$log" >&2
    fi
    read -r refused accepted < <(sed -n 's/^refused: \([0-9]*\) accepted: \([0-9]*\)$/\1 \2/p' "$log" | tail -n 1) || refused=? accepted=?
    row "fuzz $target" "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log" | tail -n 1)" "$refused" "$accepted" "$panics" "$hangs"
  done
}

kills() {
  program
  local kind log=$work/kills.log
  for kind in train window; do
    if scripts/check_kills.sh --train "$([ $kind = train ] && echo "$kills" || echo 0)" \
      --window "$([ $kind = window ] && echo "$kills" || echo 0)" --ends "$([ $kind = window ] && echo 30 || echo 0)" > "$log" 2>&1; then
      row "kills, $kind" "$kills" 0 "$kills" 0 0
    else
      cat "$log" >&2
      row "kills, $kind" "$kills" '?' '?' 1 0
    fi
  done
}

# The environment in which the clock jumps.
faked=()

# attempt COMMAND: runs it and counts how it ended: 0 accepted; 1 refused; anything else a panic, or a hang after 2 minutes.
begin_attempts() { tried=0 refused=0 accepted=0 panics=0 hangs=0; }
attempt() {
  local status=0
  timeout 120 "$@" > "$work/out" 2> "$work/err" || status=$?
  judge "$status" "$*"
}
judge() {
  tried=$((tried + 1))
  case $1 in
    0) accepted=$((accepted + 1)) ;;
    1) refused=$((refused + 1)) ;;
    124) hangs=$((hangs + 1)); echo "hang: $2" >&2 ;;
    *) panics=$((panics + 1)); echo "status $1: $2" >&2; tail -n 3 "$work/err" >&2 ;;
  esac
}
# What should have been is not so.
wrong() { panics=$((panics + 1)); echo "$1" >&2; tail -n 3 "$work/err" >&2; }

# Learns, does something to the world after a while, and waits for the end: what was learned has to be in the file that is named.
learns_while() {
  local out=$1 status=0
  shift
  timeout 120 env "${faked[@]}" "$HEESCOPE" train --preset bars --set patches=500 --seconds 3 --save-every 0 --out "$out" > "$work/out" 2> "$work/err" &
  sleep 1.5
  "$@"
  wait $! || status=$?
  judge "$status" "train --out $out while: $*"
  local kept
  kept=$({ grep -oh '/[^ ,;]*\.npz' "$work/err" "$work/out" || true; } | while read -r file; do [ ! -s "$file" ] || echo "$file"; done | tail -n 1)
  kept=${kept:-$out} # nothing is said where the name was good
  "$HEESCOPE" filters --model "$kept" --out "$work/filters.png" > /dev/null 2>> "$work/err" || wrong "nothing learned is kept: $*"
}

# The window on a screen of its own, six seconds long; its end by itself is wrong.
window_for_a_while() {
  local status=0
  XDG_DATA_HOME=$1 xvfb-run -a -s "-screen 0 1000x700x24" env "${@:3}" timeout 6 "$HEESCOPE" --preset bars --set patches=500 --autosave 0 > /dev/null 2> "$work/err" || status=$?
  [ $status != 0 ] || wrong "$2 ended by itself"
  judge $((status == 124 ? 0 : status)) "$2"
}

disk() {
  program
  local model=$work/model.npz samples=$work/samples.npz command
  "$HEESCOPE" train --preset bars --set patches=500 --images 500 --out "$model" > /dev/null 2>&1
  "$HEESCOPE" sample --model "$model" --steps 200 --out "$samples" > /dev/null 2>&1
  mkdir -p "$work/disk"
  begin_attempts
  if mount -t tmpfs -o size=2m tmpfs "$work/disk" 2> /dev/null; then
    local disk=$work/disk fill=(dd if=/dev/zero of="$work/disk/fill" bs=4k status=none)
    learns_while "$disk/a.npz" bash -c "${fill[*]} 2> /dev/null || true"
    cat /dev/zero > "$disk/rest" 2> /dev/null || true # what was freed at the end of learning
    for command in "train --init $model --images 100 --out $disk/b.npz" "sample --model $model --steps 5000 --out $disk/c.npz" \
      "generate --model $model --mode ancestral --count 500 --out $disk/d.npz" "complete --model $model --data digits --mask top-half --out $disk/h.npz" "filters --model $model --out $disk/e.png" "filters --model $model --out $disk/e.csv" \
      "tuning --model $model --out $disk/f.csv" "measure adaptation --preset ridge --out $disk/g.csv"; do
      # shellcheck disable=SC2086 # the words are the arguments
      attempt "$HEESCOPE" $command
      grep -q "$disk" "$work/err" || wrong "the file is not named: $command"
    done
    window_for_a_while "$disk/home" "the window with a full disk"
    local left
    left=$(find "$disk" -name '.heescope-*' | wc -l)
    [ "$left" = 0 ] || wrong "$left temporary files are left"
    umount "$disk"
  else
    echo "check_robust: a small disk can only be made by root; this part is left out" >&2
  fi
  row "disk that fills" "$tried" "$refused" "$accepted" "$panics" "$hangs"
  begin_attempts
  mkdir -p "$work/away"
  learns_while "$work/away/a.npz" bash -c "until rm -rf '$work/away' 2> /dev/null; do :; done"
  mkdir -p "$work/away"
  learns_while "$work/away/a.npz" mv "$work/away" "$work/moved"
  for command in "filters --model $model --out $work/none/e.png" "sample --model $model --out $work/none/c.npz" "diagnose $work/none/c.npz"; do
    # shellcheck disable=SC2086
    attempt "$HEESCOPE" $command
  done
  attempt "$HEESCOPE" diagnose "$samples"
  row "folder that vanishes" "$tried" "$refused" "$accepted" "$panics" "$hangs"
}

clock() {
  program
  if ! command -v faketime > /dev/null; then
    local sudo=""
    [ "$(id -u)" = 0 ] || sudo=sudo
    $sudo apt-get update -qq
    $sudo apt-get install -y -qq faketime
  fi
  local library now=$work/now jump
  library=$(find /usr/lib -name 'libfaketimeMT.so.1' | head -n 1)
  faked=("LD_PRELOAD=$library" "FAKETIME_TIMESTAMP_FILE=$now" FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1)
  begin_attempts
  for jump in -1y +1y -30y +10y; do
    echo "+0" > "$now"
    learns_while "$work/clock.npz" bash -c "echo '$jump' > '$now'"
    local begin=$SECONDS home=$work/clock$jump
    for _ in 1 2; do # the second start finds what the first has saved, at another time
      window_for_a_while "$home" "the window while the clock is at $jump" "${faked[@]}"
      echo "+0" > "$now"
    done
    [ -n "$(find "$home/heescope/runs" -name state.npz -size +0)" ] || wrong "nothing is saved after a jump of $jump"
    [ $((SECONDS - begin)) -lt 60 ] || hangs=$((hangs + 1))
  done
  faked=()
  row "clock that jumps" "$tried" "$refused" "$accepted" "$panics" "$hangs"
}

# The long form of a test of tests/walk.
use_of_window() {
  local what=$1 log=$work/walk.log
  shift
  if env "$@" cargo test --release --test walk "$what" -- --nocapture > "$log" 2>&1; then
    grep -E '^(walk: |preset  |[a-z0-9-]+ +[a-z-]+ +[0-9.]+ +[0-9.]+ )' "$log" || true
    row "window, $what" 1 0 1 0 0
  else
    tail -n 60 "$log" >&2
    row "window, $what" 1 '?' '?' 1 0
  fi
}

walk() { use_of_window random_walk "HEESCOPE_WALK_HOURS=$hours"; }

memory() { use_of_window memory HEESCOPE_MEMORY_SECONDS=20; }

for part in "${parts[@]}"; do
  "$part"
done
echo
cat "$table"
exit $broken
