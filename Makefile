# Everything happens in .venv, installed from pyproject.toml with the versions of constraints.txt.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: app smollm test faults check bench licences sample study-sample clean

app: $(STAMP)
	$(BIN)/ila app $(OPEN)

smollm: $(STAMP)
	$(BIN)/ila model smollm2

test: $(STAMP)
	HF_HUB_OFFLINE=1 $(BIN)/python -m pytest -q -n 2 --dist loadfile

# What is broken, killed or made to harm, at the size of the tests; FULL=1 for the README's figures.
faults: $(STAMP)
	$(if $(FULL),ILA_FAULTS=200 ILA_FUZZ_EXAMPLES=5000) HF_HUB_OFFLINE=1 \
		$(BIN)/python -m pytest -q -n 2 tests/faults tests/pool/test_bounds.py

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Every stage at growing sizes beside what its main part takes alone: one JSON, one picture.
POOL ?= sample_data/pool.jsonl
RECORDS ?= 10000 30000 100000
FIGURES ?= build/growth
bench: $(STAMP)
	$(BIN)/python tests/benchmarks/bench_retune.py
	HF_HUB_OFFLINE=1 $(BIN)/python tests/benchmarks/bench_encode.py
	mkdir -p $(dir $(FIGURES))
	HF_HUB_OFFLINE=1 $(BIN)/python tests/benchmarks/bench_growth.py $(POOL) \
		--records $(RECORDS) --folder build/pools --json $(FIGURES).json
	$(BIN)/python assets/make_growth_figure.py $(FIGURES).json --out $(FIGURES).png

licences: $(STAMP)
	$(BIN)/python tests/test_licences.py

sample: $(STAMP)
	$(BIN)/python sample_data/make_pool.py
	rm -rf sample_data/landscape
	$(BIN)/ila build sample_data/pool.jsonl --out sample_data/landscape --domains column:domain
	rm -rf $(addprefix sample_data/landscape/,.stages .lock progress.json)
	$(MAKE) study-sample

study-sample: $(STAMP)
	rm -rf sample_data/study
	HF_HUB_OFFLINE=1 $(BIN)/ila study sample_data/landscape --out sample_data/study
	rm -rf $(addprefix sample_data/study/,work runs.jsonl progress.json)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "ILA needs Python 3.11 or newer; name one with make PYTHON=python3.12")'
	@echo "Installing into $(VENV), once: torch and what else is pinned takes some minutes."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q -c constraints.txt torch
	@$(BIN)/python -m pip install -q -c constraints.txt -e ".[dev]"
	@echo "Compiling the kernels, so that the first page need not wait for them."
	-@$(BIN)/ila select sample_data/landscape --budget 10% > /dev/null
	-@$(BIN)/ila doctor sample_data/pool.jsonl > /dev/null
	@touch $(STAMP)

clean:
	rm -rf $(VENV)
