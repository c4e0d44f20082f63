# setup: .venv with everything; verify: the main job; test: lint, types, tests; all: what CI runs.
.PHONY: setup verify test lint types unit notebooks docs claims wheel pythons all clean

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
CONSTRAINTS := .ci/constraints.txt
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint $(CONSTRAINTS)

setup: $(STAMP)

# torch comes first and pinned, so that a range never pulls a build with CUDA packages.
$(STAMP): pyproject.toml $(CONSTRAINTS)
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) torch
	$(PIP) --editable ".[dev]"
	@touch $(STAMP)

verify: setup
	$(BIN)/synergy verify --quick

# The types are checked beside the tests: mypy takes one core, and the tests leave some idle.
test: lint
	$(MAKE) --jobs 2 types unit

lint: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive theory synthetic synergy

types: setup
	$(BIN)/mypy

# Bytecode is kept even where the environment says otherwise: each process would rewrite all assertions again.
unit: setup
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -q -n auto --dist worksteal -m "not notebook"

notebooks: setup
	$(BIN)/python -m pytest -q -n auto --dist worksteal -m notebook tests/notebooks

docs: setup
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --config-file docs/mkdocs/mkdocs.yml --site-dir ../../site

# docs/claims.md, for those who read the repository instead of the built pages, and the cases of each claim.
claims: setup
	$(BIN)/python docs/mkdocs/pages.py
	$(BIN)/python -m synergy.verification.listed

# The wheel alone, in an environment of its own, must import and prove.
wheel: setup
	rm -rf build/wheel && mkdir -p build/wheel
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir build/wheel .
	$(PYTHON) -m venv build/wheel/venv
	build/wheel/venv/bin/python -m pip install --quiet --disable-pip-version-check \
		--constraint $(CONSTRAINTS) torch build/wheel/*.whl
	cd build/wheel && venv/bin/synergy prove "I(A;Z|C) >= I(A;Z)" --diagram essl

# Every other interpreter that is there: all sources compile without a warning, and the tests of theory/ pass,
# the storey that needs no torch (whose wheels for them may bring gigabytes of CUDA). `make unit PYTHON=..
# VENV=..` runs the whole suite with another interpreter.
pythons:
	@for python in $$(.ci/interpreters); do \
		name=$$("$$python" -c "import sys; print('python%d.%d' % sys.version_info[:2])"); \
		echo "theory with $$name"; \
		rm -rf build/$$name && "$$python" -m venv build/$$name || exit 1; \
		build/$$name/bin/python -m pip install --quiet --disable-pip-version-check --constraint $(CONSTRAINTS) \
			networkx numpy pandas scipy sympy hypothesis pytest pytest-xdist || exit 1; \
		build/$$name/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --editable . || exit 1; \
		PYTHONPYCACHEPREFIX=build/$$name/cache build/$$name/bin/python -W error -m compileall -q theory synthetic synergy \
			|| exit 1; \
		build/$$name/bin/python -m pytest -q -n auto -p no:cacheprovider tests/theory || exit 1; \
	done

all: test verify notebooks docs wheel

clean:
	rm -rf $(VENV) results build dist site .pytest_cache .mypy_cache .ruff_cache .hypothesis
