# The one list of jobs; .ci/run calls it too.
#   make demo   build, then watch a stream go over real HTTP and end in a verdict
#   make demo-batch   build, then watch a batch being killed and resumed, with nothing lost
#   make test   build, then run the Rust and Python tests, native and pure
#   make test-peers   run the tests of the packages that we stand in for against our drop-ins; needs the network
#   make test-cluster run the batch worker on a local Ray and a local Spark; needs the network and Java 17
#   make fuzz   each fuzzer in turn for SECONDS (600): see fuzz/README.md; needs a nightly Rust and cargo-fuzz
#   make fuzz-short   the same in five minutes
#   make soak   ten million events three ways, in flat memory
#   make miri, make asan, make valgrind   the core under Miri, the extension under AddressSanitizer and valgrind
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
SOURCES := $(shell find src -name '*.rs') Cargo.toml Cargo.lock pyproject.toml

.PHONY: demo demo-batch test test-peers test-cluster lint bench build clean fuzz fuzz-short soak miri asan valgrind
.DELETE_ON_ERROR:

$(VENV)/.dev: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --group dev
	touch $@

$(VENV)/.bench: $(VENV)/.dev
	$(BIN)/python -m pip install --quiet --group bench
	touch $@

$(VENV)/.peers: $(VENV)/.dev
	$(BIN)/python -m pip install --quiet --group peers
	touch $@

$(VENV)/.cluster: $(VENV)/.dev
	$(BIN)/python -m pip install --quiet --group cluster
	touch $@

$(VENV)/.build: $(VENV)/.dev $(SOURCES)
	$(BIN)/maturin develop --release --locked --quiet
	touch $@

build: $(VENV)/.build

demo: build
	$(BIN)/eugpt-fast demo

demo-batch: build
	$(BIN)/python examples/batch_demo.py

test: build
	cargo test --release --locked --features transport --lib --tests --quiet
	$(BIN)/python -m pytest
	EUGPT_FAST_PURE=1 $(BIN)/python -m pytest

test-peers: build $(VENV)/.peers
	failed=0; for peer in httpx_client httpx_sse openai_sdk; do $(BIN)/python tests/peers/$$peer.py || failed=1; done; exit $$failed

test-cluster: build $(VENV)/.cluster
	$(BIN)/python -m pytest tests/cluster/engines.py

lint: build
	cargo fmt --check
	cargo fmt --check --manifest-path fuzz/Cargo.toml
	cargo clippy --locked --all-targets --quiet -- -D warnings
	cargo clippy --locked --features python --quiet -- -D warnings
	cargo clippy --locked --all-targets --features python,transport --quiet -- -D warnings
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m mypy.stubtest eugpt_fast._core

bench: build $(VENV)/.bench
	cargo build --release --locked --quiet --example load
	$(BIN)/python -m benches

# Inputs beyond the corpora that are kept are found anew in each place: they go to fuzz/work.
NIGHTLY := nightly
SECONDS := 600
LIBFUZZER := -max_total_time=$(SECONDS) -max_len=1024 -print_final_stats=1

fuzz: build
	cargo +$(NIGHTLY) fuzz build
	set -e; for target in framing:sse splits:sse json:json shape:sse chunks:chunks; do \
		name=$${target%:*}; mkdir -p fuzz/work/$$name; \
		cargo +$(NIGHTLY) fuzz run $$name fuzz/work/$$name fuzz/corpus/$$name -- \
			-dict=fuzz/dictionaries/$${target#*:}.dict $(LIBFUZZER); \
	done
	$(BIN)/python tests/fuzz_twin.py --seconds $(SECONDS)

fuzz-short:
	$(MAKE) fuzz SECONDS=45

soak: build
	$(BIN)/python tests/soak.py

# Without the transport, whose tests need sockets.
miri:
	cargo +$(NIGHTLY) miri test --locked --lib --test framing --test json --test shape

asan: build
	BIN=$(BIN) NIGHTLY=$(NIGHTLY) fuzz/asan.sh

valgrind: build
	BIN=$(BIN) fuzz/valgrind.sh

clean:
	rm -rf $(VENV) target .bench .peers fuzz/target fuzz/work
