#!/usr/bin/env bash
# Runs Miri over everything that holds `unsafe` or is dispatched at run time and needs no window: the product, and the vector code
# of noise, exp and Adam. Miri interprets the scalar paths (it knows few vector instructions): pointers, strides and bounds are
# the same on every path. A crate of its own holds just these files, so that the window's libraries are not interpreted.
# Needs the nightly toolchain with `rustup component add miri rust-src --toolchain nightly`. Takes a few minutes.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo=${CARGO:-cargo}
for file in $(grep -rlE '\bunsafe\b' src --include=*.rs); do
  case $file in
    src/model/product.rs | src/model/product/library.rs) ;;
    src/allocator.rs) ;; # asks the C library and the system for less memory, which Miri does not have
    *) echo "check_unsafe: $file holds unsafe code that this script does not run" >&2; exit 1 ;;
  esac
done
version() { sed -n "s/^$1 = .*version = \"\([^\"]*\)\".*/\1/p; s/^$1 = \"\([^\"]*\)\".*/\1/p" Cargo.toml | head -n 1; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/src"
cat > "$folder/Cargo.toml" <<TOML
[package]
name = "kernels"
version = "0.0.0"
edition = "2024"
[dependencies]
gemm-common = { version = "$(version gemm-common)", default-features = false, features = ["std"] }
gemm-f32 = { version = "$(version gemm-f32)", default-features = false, features = ["std"] }
gemm-f64 = { version = "$(version gemm-f64)", default-features = false, features = ["std"] }
multiversion = "$(version multiversion)"
ndarray = "$(version ndarray)"
rand = { version = "$(version rand)", features = ["chacha"] }
[dev-dependencies]
proptest = { version = "$(version proptest)", default-features = false, features = ["std"] }
rand_distr = "$(version rand_distr)"
TOML
mkdir "$folder/src/model" "$folder/src/dynamics"
for file in model/product model/product.rs model/ulps.rs model/vector.rs dynamics/adam.rs dynamics/noise.rs; do
  ln -s "$PWD/src/$file" "$folder/src/$file"
done
cat > "$folder/src/lib.rs" <<'RUST'
pub mod model {
    pub mod product;
    #[cfg(test)]
    pub(crate) mod ulps;
    pub mod vector;
}
pub mod dynamics {
    pub mod adam;
    pub mod noise;
}
RUST
cd "$folder"
# Isolation off: proptest and the detection of the processor look at the system.
export MIRIFLAGS="-Zmiri-disable-isolation"
"$cargo" +nightly miri test --lib -- product ulps every_processor
