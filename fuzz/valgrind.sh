#!/usr/bin/env bash
# A short run of the extension under valgrind's memcheck: rounds of the twin fuzzer. Any error fails.
set -euo pipefail
cd "$(dirname "$0")/.."
export PYTHONMALLOC=malloc PYTHONHASHSEED=0
exec valgrind --quiet --error-exitcode=9 --leak-check=no --suppressions=fuzz/valgrind.supp \
    "${BIN:-.venv/bin}/python" tests/fuzz_twin.py --seed 1 --rounds "${ROUNDS:-40}" --seconds 3600
