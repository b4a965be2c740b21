#!/usr/bin/env bash
# Holds `rust-version` of Cargo.toml: no dependency asks for a newer Rust, and with that very version everything compiles. Where the
# toolchain in use is another one and rustup is there, that version is installed and checks the library and the program.
set -euo pipefail
cd "$(dirname "$0")/.."
least=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
newer=$(cargo metadata --format-version 1 --locked | python3 -c '
import json, sys
number = lambda version: tuple(int(part) for part in version.split("."))
least = number(sys.argv[1])
for package in json.load(sys.stdin)["packages"]:
    if package["rust_version"] and number(package["rust_version"])[:2] > least:
        print(package["name"], package["version"], "needs Rust", package["rust_version"])
' "$least")
if [ -n "$newer" ]; then
  echo "rust-version = $least in Cargo.toml is too low:" >&2
  echo "$newer" >&2
  exit 1
fi
case $(rustc --version) in
  "rustc $least."*) ;; # the lints and tests run with it
  *)
    if command -v rustup > /dev/null; then
      rustup toolchain install "$least" --profile minimal
      cargo "+$least" check --locked
    else
      echo "check_rust_version: $(rustc --version) is in use and there is no rustup: Rust $least itself is not tried" >&2
    fi
    ;;
esac
