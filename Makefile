# On a fresh machine with Python 3.11 and make, two commands do everything: `make demo` and `make test`.

PYTHON ?= $(shell for python in python3 python3.11 python3.12 python3.13 python python3.14; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
BIN := .venv/bin
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

.PHONY: demo
demo: .venv/users ## run a whole raffle: server, participants, draw, verification
	@$(BIN)/rafflekit demo

# Tests start many processes. If Python may not store compiled modules, each process compiles them again.
test test-fast soak browser screenshots: export PYTHONDONTWRITEBYTECODE =

.PHONY: test
test: check ## run all checks and all tests
	@# More workers than cores, because many tests wait. In order, because otherwise the few long tests run last, alone.
	$(BIN)/python -m pytest --numprocesses 4 --dist loadscope --no-loadscope-reorder

# The rooms without a database, then the same raffle through the library, the command line and HTTP.
FAST = tests/protocol tests/vectors tests/core/tickets/test_deciding.py tests/core/tickets/test_numbering.py \
	tests/core/tickets/test_participants.py tests/core/test_lifecycle.py tests/core/test_limits.py \
	tests/core/test_prizes.py tests/core/test_settings.py tests/core/test_shapes.py tests/acceptance tests/project/test_wiring.py

.PHONY: test-fast
test-fast: .venv/developers ## run the tests that need no database, and one path through each face
	$(BIN)/python -m pytest --numprocesses 2 --dist loadscope $(FAST)

.PHONY: soak
soak: .venv/developers ## run the crash, race, fuzz and statistics tests far longer; takes hours
	RAFFLEKIT_TEST_SAMPLES=20 $(BIN)/python -m pytest tests/statistics
	RAFFLEKIT_TEST_KILLS=200 $(BIN)/python -m pytest -s tests/faults/test_killed_servers.py \
		tests/faults/test_killed_endings.py tests/faults/test_failover.py
	RAFFLEKIT_TEST_INTERLEAVINGS=2000 $(BIN)/python -m pytest -s tests/races/test_interleavings.py tests/races/test_pairs.py \
		tests/races/test_races.py
	RAFFLEKIT_TEST_CASES=1000 $(BIN)/python -m pytest tests/properties/test_model.py
	RAFFLEKIT_TEST_CASES=10000 $(BIN)/python -m pytest -s tests/fuzz/test_schemathesis.py
	RAFFLEKIT_TEST_CASES=3000 $(BIN)/python -m pytest -s tests/fuzz --ignore tests/fuzz/test_schemathesis.py
	RAFFLEKIT_TEST_MUTANTS=100000 $(BIN)/python -m pytest tests/verifiers/test_agreement.py

.PHONY: mutants
mutants: .mutants/venv/mutants ## change the code in small ways and count what the tests miss; takes hours
	$(BIN)/python -m tests.mutants $(MODULES)

.PHONY: browser
browser: .venv/developers ## run only the tests in Chromium (Debian: apt-get install chromium-headless-shell; and `make axe`)
	$(BIN)/python -m pytest --numprocesses 2 --dist loadscope -m browser tests/http tests/html

# The one thing from npm, for tests only: a rule book of accessibility.
AXE := node_modules/axe-core/axe.min.js

.PHONY: axe
axe: $(AXE) ## fetch axe-core, with which the tests look for barriers in the pages; needs npm and the network
$(AXE): Makefile
	npm install --prefix . --no-save --no-package-lock --ignore-scripts --no-audit --no-fund --silent axe-core@4.14.1
	@touch $@

.PHONY: messages
messages: .venv/developers ## collect the texts of the pages and compile their translations
	$(BIN)/python -m tests.html.messages

.PHONY: screenshots
screenshots: .venv/developers ## take a picture of every page, for the docs; needs Chromium
	$(BIN)/python -m tests.http.pages.screenshots

.PHONY: check
check: .venv/developers ## check style, format, types and import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

.PHONY: format
format: .venv/developers ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: bench
bench: .venv/developers ## measure speed, as ratios to baselines of the same run
	$(BIN)/python -m benchmarks

.PHONY: hashes
hashes: .release/venv/release ## write requirements.txt, the dependencies with the hashes of their files; needs the network
	@echo "# Made by 'make hashes' from pyproject.toml and constraints.txt: all files that the package index offers." > requirements.txt
	sed -n 's/^requires = \["\(.*\)"\]$$/\1/p' pyproject.toml | $(BIN)/uv pip compile pyproject.toml - --quiet --no-header \
		--no-annotate $(addprefix --extra ,http granian postgresql drand xlsx) --constraint constraints.txt \
		--generate-hashes --universal --python-version 3.11 >> requirements.txt

.PHONY: dist
dist: .release/venv/release ## build the sdist, the wheel and the list of what they need (CycloneDX) in dist/
	rm -rf dist
	$(BIN)/hatchling build
	$(BIN)/cyclonedx-py requirements requirements.txt --pyproject pyproject.toml --output-reproducible \
		--output-file dist/rafflekit.cdx.json

.PHONY: clean
clean: ## delete what the other targets made
	rm -rf .venv node_modules .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .mutants .release dist
	find . -name __pycache__ -prune -exec rm -r {} +

.venv/users: .venv/bin/python pyproject.toml constraints.txt
	$(INSTALL) '.[http]'
	@touch $@

.venv/developers: .venv/bin/python pyproject.toml constraints.txt
	$(INSTALL) '.[http,granian,postgresql,drand,xlsx,dev]'
	@touch $@ .venv/users

# A separate environment: mutmut installs setproctitle, with which Granian renames its processes, and tests need the names.
mutants .mutants/venv/mutants: BIN := .mutants/venv/bin

.mutants/venv/mutants: .mutants/venv/bin/python pyproject.toml constraints.txt
	$(INSTALL) '.[http,granian,postgresql,drand,xlsx,dev,mutants]'
	@touch $@

# A separate environment, too: these tools bring many packages, which neither users nor tests need.
hashes dist .release/venv/release: BIN := .release/venv/bin

.release/venv/release: .release/venv/bin/python pyproject.toml constraints.txt
	$(INSTALL) '.[release]'
	@touch $@

%/bin/python:
	@test -n "$(PYTHON)" || { echo "rafflekit needs Python 3.11 or newer; install it, or name it: make PYTHON=…" >&2; exit 1; }
	$(PYTHON) -m venv $*
