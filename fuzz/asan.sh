#!/usr/bin/env bash
# Builds the extension with AddressSanitizer and runs the parsers' tests and a minute of fuzzing in it.
# Needs a nightly Rust, and GCC's libasan or the library that LIBASAN names.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=$(realpath "${BIN:-.venv/bin}")
work=$PWD/fuzz/work/asan
target=x86_64-unknown-linux-gnu

CARGO_TARGET_DIR="$work/target" RUSTFLAGS="-Zsanitizer=address -Cforce-frame-pointers=yes" PYO3_PYTHON="$bin/python" \
    cargo "+${NIGHTLY:-nightly}" build --locked --lib --features python,transport --target $target \
    --config 'profile.dev.opt-level=1'
rm -rf "$work/python"
mkdir -p "$work/python"
cp -r python/eugpt_fast "$work/python/"
rm -f "$work"/python/eugpt_fast/_core.*.so
cp "$work/target/$target/debug/libeugpt_fast.so" "$work/python/eugpt_fast/_core.so"

# The interpreter itself leaks by design; its allocator would hide what is wrong with ours.
export ASAN_OPTIONS=detect_leaks=0:detect_odr_violation=0 PYTHONMALLOC=malloc PYTHONPATH=$work/python
export LD_PRELOAD=${LIBASAN:-$(gcc -print-file-name=libasan.so)}
"$bin/python" -c "import eugpt_fast; print(eugpt_fast._backend.__name__, eugpt_fast.build_info())"
# Built as tests are, it warns that it is slow.
"$bin/python" -m pytest -p no:cacheprovider --timeout 600 -W "ignore:eugpt_fast was built:RuntimeWarning" \
    tests/test_framing.py tests/test_json.py tests/test_account.py tests/test_prediction.py tests/test_twin.py
"$bin/python" tests/fuzz_twin.py --seconds "${SECONDS_OF_FUZZING:-60}"
