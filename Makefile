# `make demo` and `make test` each do all the set-up on a fresh machine: a virtual environment in .venv, the
# package with what the command needs, then the command. A second run skips what is there.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# setuptools takes the data folders for forgotten packages and says so at length; tests/test_packaging.py checks the wheel.
PIP := PYTHONWARNINGS=ignore $(VENV)/bin/python -m pip --disable-pip-version-check install --quiet

.PHONY: demo test test-slow docs benchmark clean help

help:
	@echo "make demo       score five control entries in twenty languages and print the table"
	@echo "make test       lint, types and tests"
	@echo "make test-slow  the longer tests too"
	@echo "make docs       the documents as a site, in build/site"
	@echo "make benchmark  frames per second and real-time factors"

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(PIP) --upgrade "pip>=25.1"

$(VENV)/.installed: $(BIN)/python pyproject.toml
	$(PIP) -e ".[judge]"
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(PIP) -e ".[all]" --group test --group lint --group docs
	@touch $@

demo: $(VENV)/.installed
	$(BIN)/mtbench demo

test: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@# The stage folders live inside the package `mtbench` once installed; links show tools the same tree.
	$(BIN)/python scripts/link_package.py
	cd build/tree && $(CURDIR)/$(BIN)/mypy --config-file $(CURDIR)/pyproject.toml -p mtbench
	cd build/tree && PYTHONPATH=.:$(CURDIR) $(CURDIR)/$(BIN)/lint-imports --no-cache --no-logo $(CURDIR)/pyproject.toml
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not slow"

test-slow: $(VENV)/.installed-test
	$(BIN)/python -m pytest -m "slow or not slow"

docs: $(VENV)/.installed-test
	$(BIN)/python -m mkdocs build --quiet --strict
	@echo "build/site/index.html"

benchmark: $(VENV)/.installed-test
	$(BIN)/python speed/render.py
	$(BIN)/python speed/score.py

clean:
	rm -rf $(VENV) build dist *.egg-info
