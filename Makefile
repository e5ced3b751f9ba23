# `make demo` and `make test` each do all the set-up on a fresh machine: a virtual environment in .venv, the
# package with what the command needs, then the command. A second run skips what is there.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# setuptools takes the data folders for forgotten packages and says so at length; tests/test_packaging.py checks the wheel.
PIP := PYTHONWARNINGS=ignore $(VENV)/bin/python -m pip --disable-pip-version-check install --quiet

# ESPnet, which Auto-AVSR and ViSpeR run on, wants Python 3.12 or 3.13: it gets an environment of its own, with the
# releases of torch and torchaudio that were tried with it (torchaudio 2.11.1 wants a later torch than 2.11.0).
ESPNET := .venv-espnet
ESPNET_PYTHON ?= $(shell $(PYTHON) scripts/find_python.py)
ESPNET_TORCH ?= "torch==2.11.0" "torchaudio==2.11.0"
ESPNET_PIP := PYTHONWARNINGS=ignore $(ESPNET)/bin/python -m pip --disable-pip-version-check install --quiet
NO_ESPNET := no Python 3.12 or 3.13 was found, neither on the path nor among pyenv's (ESPNET_PYTHON=/path/to/python names one)

.PHONY: demo test test-slow install-espnet test-espnet docs benchmark clean help

help:
	@echo "make demo       score five control entries in twenty languages and print the table"
	@echo "make test       lint, types and tests"
	@echo "make test-slow  the longer tests too"
	@echo "make test-espnet  tests of Auto-AVSR and ViSpeR, which make test runs too where a Python >= 3.12 is found"
	@echo "make install-espnet  the environment of these, .venv-espnet (5 GB, most of them shared with .venv)"
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
	$(BIN)/python scripts/install_browser.py
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
	@if [ -n "$(ESPNET_PYTHON)" ] || [ -e $(ESPNET)/.installed ]; then $(MAKE) --no-print-directory test-espnet; \
	else echo "Auto-AVSR and ViSpeR were not tested: $(NO_ESPNET)"; fi

test-slow: $(VENV)/.installed-test
	$(BIN)/python -m pytest -m "slow or not slow"

install-espnet: $(ESPNET)/.installed

$(ESPNET)/.installed: pyproject.toml
	@if [ -z "$(ESPNET_PYTHON)" ]; then echo "$(NO_ESPNET)"; exit 1; fi
	[ -x $(ESPNET)/bin/python ] || $(ESPNET_PYTHON) -m venv $(ESPNET)
	$(ESPNET_PIP) $(ESPNET_TORCH) -e ".[espnet]" "pytest>=8"
	$(ESPNET)/bin/python -c "import espnet2, torch, torchaudio" # else the tests below would be skipped
	@if [ -e $(VENV)/.installed ]; then $(PYTHON) scripts/share_files.py $(VENV) $(ESPNET) || true; fi
	@touch $@

test-espnet: $(ESPNET)/.installed
	$(ESPNET)/bin/python -m pytest tests/test_auto_avsr.py tests/test_examples.py -k auto_avsr

docs: $(VENV)/.installed-test
	$(BIN)/python -m mkdocs build --quiet --strict
	@echo "build/site/index.html"

benchmark: $(VENV)/.installed-test
	$(BIN)/python speed/render.py
	$(BIN)/python speed/score.py

clean:
	rm -rf $(VENV) $(ESPNET) build dist *.egg-info
