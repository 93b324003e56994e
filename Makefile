# `make` lists the commands. The first one that needs it sets up .venv from requirements.txt, and again when that changes.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.setup-done
CHAPTERS := $(shell find book solutions -name '*.ipynb' -not -path '*/.*' 2>/dev/null)
NBSTRIPOUT := $(BIN)/nbstripout --keep-id --extra-keys "metadata.language_info metadata.jupytext metadata.widgets cell.metadata.user_expressions"
WORKERS ?= 2
# nbgrader calls alembic by name
export PATH := $(CURDIR)/$(BIN):$(PATH)
export PYTHONHASHSEED := 0
# Jupyter refuses to start as root unless told; in a container there is often nobody else.
AS_ROOT = $(if $(filter 0,$(shell id -u)),--allow-root)

.DEFAULT_GOAL := help
.PHONY: help setup book serve lab exercises test test-fast lint format lock notebooks screenshots clean
.DELETE_ON_ERROR:

help:
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY)  ## make .venv and install everything that the other commands need (they do it by themselves)

$(READY): requirements.txt pyproject.toml
	@command -v "$(PYTHON)" >/dev/null || { echo "There is no '$(PYTHON)'. Install Python 3.11 or newer, or say which one: make PYTHON=/path/to/python3"; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$$("$(PYTHON)" --version) is too old: Python 3.11 or newer is needed. Say which one: make PYTHON=/path/to/python3.11"; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) cannot make environments. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@test -x $(BIN)/python || "$(PYTHON)" -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

# A warning is an error. After one, the next build must read all pages again, or it would not repeat the warning.
book: $(READY)  ## run all chapters (from the cache where nothing changed) and build the site in _build/html
	$(BIN)/jupyter-book build book --config _config.yml --toc "$(CURDIR)/_toc.yml" --path-output . -W --keep-going \
	  || { rm -rf _build/.doctrees; exit 1; }

serve: book  ## show the site at http://localhost:8000
	$(BIN)/python -m http.server --bind 127.0.0.1 --directory _build/html 8000

lab: $(READY)  ## open the chapters in JupyterLab
	$(BIN)/jupyter lab --ServerApp.root_dir="$(CURDIR)" --LabApp.default_url=/lab/tree/book/planning/discounted.ipynb $(AS_ROOT)

exercises: $(READY)  ## write the students' notebooks in exercises/ from solutions/
	$(BIN)/python -m rlgrade.release

test: book  ## everything: all tests, the site in a browser, nbgrader, coverage of rlcore
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --cov=rlcore --cov-report=term --cov-fail-under=95

test-fast: $(READY)  ## the tests that take seconds, without a browser
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile -m "not slow and not browser"

lint: $(READY)  ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY)  ## put the code in the project's style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(READY)  ## pin the newest versions that pyproject.toml allows in requirements.txt
	UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --extra dev \
	  --no-emit-package rl-foundations-book --no-emit-index-url --upgrade --output-file requirements.txt

notebooks: $(READY)  ## take outputs and execution counts out of the chapters and problem sets
	$(NBSTRIPOUT) $(CHAPTERS)

screenshots: book  ## take the README's picture of a page
	$(BIN)/python -m tests.screenshots

clean:  ## remove the site, caches and test results; the environment stays
	rm -rf _build .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage .coverage.* .jupyter_cache
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +
