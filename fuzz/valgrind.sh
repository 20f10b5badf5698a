#!/usr/bin/env bash
# A short run of the extension under valgrind's memcheck: rounds of the twin fuzzer. A bad read, write or free fails.
# Undefined values are not looked for: memcheck misreads CPython's `int.from_bytes`, and all that is computed from it.
set -euo pipefail
cd "$(dirname "$0")/.."
export PYTHONMALLOC=malloc PYTHONHASHSEED=0
exec valgrind --quiet --error-exitcode=9 --leak-check=no --undef-value-errors=no --suppressions=fuzz/valgrind.supp \
    "${BIN:-.venv/bin}/python" tests/fuzz_twin.py --seed 1 --rounds "${ROUNDS:-40}" --seconds 3600
