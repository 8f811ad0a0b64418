# The two commands are `make run` and `make test`; README.md says more.
# Everything made lies in VENV and CACHE; the small city that runs lies in var/.

PORT ?= 8000
JOBS ?= 2
PYTHON ?= python3
UV ?= uv
VENV ?= .venv
CACHE ?= $(CURDIR)/.cache
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
NODE := $(CACHE)/node
# uv names what it resolves from, and the command that we type; neither a host nor a folder.
LOCK := $(UV) pip compile pyproject.toml --quiet --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --annotation-style line \
	--custom-compile-command "make lock" --group pyproject.toml:build
export CACHE

ROUNDS ?= 25
BENCH := $(CACHE)/bench
# What is measured runs on Debian's Python where that is here, as the image does: it is built with all
# optimizations, as the Node beside it is; a Python that somebody compiled seldom is.
BENCH_PYTHON ?= $(shell /usr/bin/python3 -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' \
	2>/dev/null && echo /usr/bin/python3 || echo $(PYTHON))

.PHONY: run test check lock clean rehearsal races bench

# A small city on http://localhost:$(PORT); Ctrl-C ends it, a second run finds its data again.
run: $(VENV)/run
	@exec $(BIN)/citizen-account demo --port $(PORT)

# Everything, on SQLite and PostgreSQL, in Chromium; ends with pytest's closing line.
test: $(VENV)/test
	@.ci/packages
	@$(MAKE) --no-print-directory $(NODE)/installed
	@exec $(BIN)/python -m pytest -o cache_dir=$(CACHE)/pytest -n $(JOBS) --dist loadgroup

# The quick part, for every edit.
check: $(VENV)/test
	@exec $(BIN)/python -m pytest -o cache_dir=$(CACHE)/pytest -n $(JOBS) --dist loadgroup \
		-m "not slow" tests/unit tests/structure

# Build the image's root without Docker and serve from it: as root, with debootstrap, a minute or two.
rehearsal: $(VENV)/test
	@folder=$$(mktemp -d) && { $(BIN)/python -m tests.rehearsal "$$folder"; status=$$?; rm -rf "$$folder"; exit $$status; }

# Sixteen at once on four processes for whatever may be used once: many rounds on each database.
races: $(VENV)/test
	@ROUNDS=$(ROUNDS) $(BIN)/python -m pytest -o cache_dir=$(CACHE)/pytest --show-capture=no \
		tests/faults/test_races.py tests/faults/test_logout_race.py

# Our throughput beside npm's oidc-provider; docs/performance.md says how to read it.
bench: $(BENCH)/installed
	@$(MAKE) --no-print-directory VENV=$(BENCH)/venv PYTHON=$(BENCH_PYTHON) $(BENCH)/venv/test
	@exec $(BENCH)/venv/bin/python -m tests.bench

# Resolve again: after a change of the dependencies in pyproject.toml, tests/node or tests/bench.
lock:
	@command -v $(UV) >/dev/null || { echo "make lock needs uv: python3 -m pip install uv" >&2; exit 1; }
	$(LOCK) --upgrade --output-file requirements/run.txt
	$(LOCK) --upgrade --extra test --constraint requirements/run.txt --output-file requirements/test.txt
	cd tests/node && npm install --package-lock-only --ignore-scripts --omit-lockfile-registry-resolved
	cd tests/bench && npm install --package-lock-only --ignore-scripts --omit-lockfile-registry-resolved

# Forget the small city: its residents, keys and letters.
clean:
	rm -rf var

$(VENV)/run: requirements/run.txt pyproject.toml | $(BIN)/python
	@echo "Installing what the account needs into $(VENV) (once, about half a minute)"
	@$(PIP) install --require-hashes -r requirements/run.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/test: requirements/test.txt $(VENV)/run
	@echo "Installing what the tests need into $(VENV) (once, about a minute)"
	@$(PIP) install --require-hashes -r requirements/test.txt
	@touch $@

# Without Node the tests that need it are skipped, and say so.
$(NODE)/installed: tests/node/package.json tests/node/package-lock.json
	@mkdir -p $(NODE)
	@cp $^ $(NODE)
	@if command -v npm >/dev/null; then cd $(NODE) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error; fi
	@touch $@

$(BENCH)/installed: tests/bench/package.json tests/bench/package-lock.json
	@mkdir -p $(BENCH)
	@cp $^ $(BENCH)
	@cd $(BENCH) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or newer is needed, and $(PYTHON) is not here" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; $(PYTHON) is older: PYTHON=python3.13 make …" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null \
		|| { echo "$(PYTHON) lacks venv; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)
