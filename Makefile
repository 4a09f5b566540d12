# Everything that can be done with evcharge. `make` alone lists it.
# Needed: make, and Python 3.11 or newer with venv. All else is fetched into .venv (hash-locked).

SHELL := /bin/sh
VENV := .venv
RUN := $(VENV)/bin/python
STAMP := $(VENV)/.complete
OLDEST := 3.11

# `agents` and `tables` are plain packages of this checkout (docs/adr/0001).
export PYTHONPATH := $(CURDIR)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# The Python that makes .venv; `make setup PYTHON=/path/to/python3` chooses another.
PYTHON ?=
# Passed on to the tool: `make test ARGS="-k duplicate -x"`, `make lock ARGS=--upgrade`.
ARGS ?=

# A stamp whose Python is gone (upgraded, or the checkout was moved) says nothing.
ifneq ($(wildcard $(STAMP)),)
ifneq ($(shell $(RUN) -c 'print("runs")' 2>/dev/null),runs)
$(shell rm -f $(STAMP))
endif
endif

.PHONY: help setup demo broker test test-fast torture check format docs bench lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' Makefile

setup: $(STAMP) ## make .venv with everything in it (the other targets call this)
	@:

# The stamp is the last thing written: an interrupted installation starts again from nothing.
$(STAMP): requirements/dev.txt
	@suits() { "$$1" -c 'import sys; sys.exit(sys.version_info < tuple(map(int, "$(OLDEST)".split("."))))' 2>/dev/null; }; \
	makes_venv() { "$$1" -c 'import venv, ensurepip' 2>/dev/null; }; \
	python='$(PYTHON)'; \
	if [ -n "$$python" ]; then \
		suits "$$python" || { echo "PYTHON=$$python is not a Python $(OLDEST) or newer." >&2; exit 1; }; \
	else \
		for candidate in python3 python3.14 python3.13 python3.12 python3.11; do \
			if suits "$$candidate"; then python=$$candidate; makes_venv "$$candidate" && break; fi; \
		done; \
	fi; \
	if [ -z "$$python" ]; then \
		echo "Python $(OLDEST) or newer is needed and none was found: install it, or say where it is with PYTHON=/path/to/python3." >&2; exit 1; \
	fi; \
	if ! makes_venv "$$python"; then \
		echo "$$python has no venv module: install it (Debian and Ubuntu: apt install python3-venv)." >&2; exit 1; \
	fi; \
	echo "Installing $$(grep -c '^[a-z].*==' requirements/dev.txt) packages into $(VENV) (once)."; \
	if [ -t 1 ]; then quiet=; else quiet=--quiet; fi; \
	rm -rf $(VENV) && "$$python" -m venv $(VENV) && \
	$(RUN) -m pip install $$quiet --no-input --require-hashes --no-deps -r requirements/dev.txt || { \
		echo "The packages could not be installed: the reason is above; run make again to repeat it." >&2; exit 1; }
	@touch $@

demo: setup ## Kafka, a worker, 3,395 real sessions and live devices (DEMO_SECONDS=60 ends by itself)
	@$(RUN) -m evcharge.demo

broker: setup ## the embedded Apache Kafka in the foreground, on port 9092
	@$(RUN) -m evcharge broker $(ARGS)

test: setup ## all tests, with a real Kafka
	@$(RUN) -m pytest $(ARGS)

test-fast: setup ## the tests that need no Kafka and no browser (under a minute)
	@$(RUN) -m pytest -m "not broker and not browser and not slow" $(ARGS)

torture: setup ## kill, freeze and starve workers and brokers, and check (TORTURE_SEED=N TORTURE_SECONDS=S)
	@$(RUN) -m tests.torture

check: setup ## format, lint, types, layout, generated documents
	@$(RUN) -m ruff format --check .
	@$(RUN) -m ruff check .
	@$(RUN) -m mypy
	@$(RUN) -m pytest -q tests/test_layout.py tests/test_arrows.py tests/test_packaging.py tests/test_documents.py

format: setup ## mend the format and what the linter can mend
	@$(RUN) -m ruff check --fix-only --quiet .
	@$(RUN) -m ruff format .

docs: setup ## write the reference documents that are generated from the code
	@$(RUN) -m evcharge.documents docs

# Programs that are measured run in the fastest build of Python that is here; Quix Streams, a peer, has
# dependencies that the application has not.
BENCH_VENV := .venv-bench
BENCH_STAMP := $(BENCH_VENV)/quix/.complete

bench: setup $(BENCH_STAMP) ## every figure, beside Faust, Quix and Kafka Streams: 30 min (BENCH_FULL=1 longer)
	@$(BENCH_VENV)/evcharge/bin/python -m bench $(ARGS)

$(BENCH_STAMP): requirements/dev.txt requirements/bench.txt | setup
	@python=$$($(RUN) -m bench.fastest_python) && \
	echo "Installing the program and a peer into $(BENCH_VENV), for $$python (once)." && \
	rm -rf $(BENCH_VENV) && \
	makes() { \
		"$$python" -m venv --without-pip $(BENCH_VENV)/$$1 && \
		$(RUN) -m pip --python $(BENCH_VENV)/$$1/bin/python install --quiet --no-input --require-hashes --no-deps -r $$2; \
	} && makes evcharge requirements/dev.txt && makes quix requirements/bench.txt || { \
		echo "The packages could not be installed: the reason is above; run make bench again to repeat it." >&2; exit 1; }
	@touch $@

COMPILE := -m uv pip compile --quiet --universal --python-version $(OLDEST) --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

lock: setup ## resolve requirements/*.txt anew from pyproject.toml (ARGS=--upgrade for newer versions)
	@$(RUN) $(COMPILE) $(ARGS) pyproject.toml --output-file requirements/run.txt
	@$(RUN) $(COMPILE) $(ARGS) pyproject.toml --group dev --constraint requirements/run.txt --output-file requirements/dev.txt
	@$(RUN) $(COMPILE) $(ARGS) --group bench --output-file requirements/bench.txt

clean: ## remove what make made (.venv, caches, data of the embedded broker in this directory)
	@rm -rf $(VENV) $(BENCH_VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis htmlcov .coverage evcharge-data
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
