#!/usr/bin/env bash
# Sets up what is missing and runs every test.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh
cargo test
