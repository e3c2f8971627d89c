# `make demo` and `make test` are all that a newcomer needs; `make help` lists the rest.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt
SCHEMA := pixforge/recipe/recipe.schema.json

.DEFAULT_GOAL := help
.PHONY: help demo test lint format schema clean

help:  ## show this
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile | expand -t 18

demo: $(VENV)/.installed  ## make a picture and its progress video
	$(BIN)/pixforge run examples/quickstart.yaml

test: lint  ## check the style and the types, and run all tests
	@# One process for each core, each with one thread: whole tests side by side are faster than threads within one.
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --maxprocesses 8 --dist worksteal

lint: $(VENV)/.installed-dev  ## check the style and the types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: $(VENV)/.installed-dev  ## format the code and mend what can be mended
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

schema: $(VENV)/.installed-dev  ## write the JSON Schema of recipes again
	$(BIN)/pixforge schema --builtin -o $(SCHEMA)

clean:  ## delete the virtual environment
	rm -rf $(VENV)

# An environment is taken as it is until pyproject.toml or constraints.txt changes.
$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing pixforge into $(VENV); the first time takes a minute or two."
	@$(PIP) -e .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing pixforge and its development tools into $(VENV); the first time takes a minute or two."
	@$(PIP) -e '.[dev]'
	@touch $(VENV)/.installed $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	  { echo "pixforge needs Python 3.10 or newer, but $(PYTHON) is not; try: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
	  { echo "$(PYTHON) cannot make a virtual environment; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
