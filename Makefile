# Everything the project does, as targets. `make help` lists them.
# Only make and Python are needed; the rest is installed into .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help book serve test coverage mutants parity worst-cases bench lint types browser outputs clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# A warning is printed when a page is read, and a page that did not change is not
# read again: without removing what was read, the next build would pass. The pages
# are all written anew, so that none stays of a chapter that is gone.
book: $(VENV)/.book ## execute the notebooks and write the pages to _build/html
	@rm -rf _build/html
	@$(BIN)/jupyter-book build . -W --keep-going -n || { rm -rf _build/.doctrees; exit 1; }

serve: book ## build the book and open it in a browser (stop with Ctrl-C)
	@( sleep 1; $(BIN)/python -m webbrowser http://127.0.0.1:8000/ >/dev/null ) &
	@$(BIN)/python -m http.server --bind 127.0.0.1 --directory _build/html 8000

# A notebook's cells share a kernel, hence a worker.
test: $(VENV)/.test ## run every test that needs no browser, the notebooks included
	@$(BIN)/python -m pytest -n 2 --dist loadfile

# What the course rests on is tested in every branch; of the rest the share is printed.
COVERED := optimizers conventions frameworks schedules gradients objectives models moments autograd descent training
comma := ,
empty :=
COVERED_FILES := $(subst $(empty) $(empty),$(comma),$(COVERED:%=gdcourse/%.py))

coverage: $(VENV)/.test ## print which branches the tests take, and demand all of the central ones
	@$(BIN)/python -m pytest -q -n 2 --cov=gdcourse --cov-report= gdcourse tests/unit tests/parity tests/claims
	@$(BIN)/coverage report
	@$(BIN)/coverage report --include=$(COVERED_FILES) --fail-under=100 --format=total >/dev/null || { \
	  echo 'A branch of $(COVERED) is taken by no test.'; exit 1; }

mutants: $(VENV)/.test ## change the code in small ways and list what no test notices (20 minutes)
	@$(PIP) mutmut==3.8.1
	@rm -rf mutants
	@$(BIN)/mutmut run --max-children 2
	@$(BIN)/mutmut results

# In an environment of their own, but for MXNet, which wants NumPy 1 and is there already.
parity: $(VENV)/.test ## run the frameworks again and list what is not as it was recorded
	@$(PYTHON) -m venv _build/parity
	@_build/parity/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-parity.txt
	@failed=0; \
	  _build/parity/bin/python -m tests.parity.record --compare PyTorch Optax Keras || failed=1; \
	  if $(BIN)/python -c 'import importlib.util as u, sys; sys.exit(u.find_spec("mxnet") is None)'; \
	  then $(BIN)/python -m tests.parity.record --compare MXNet || failed=1; \
	  else echo 'MXNet: there is none for this Python or this computer; its recording stays as it is.'; fi; \
	  exit $$failed

# In an environment of its own: the solvers want NumPy 2.
worst-cases: ## solve again for the worst cases that claims are compared with, and show what changed
	@$(PYTHON) -m venv _build/worst-cases
	@_build/worst-cases/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-worst-cases.txt
	@_build/worst-cases/bin/python tests/claims/record_worst_cases.py
	@git diff --stat tests/claims/worst_cases.json

bench: $(VENV)/.test ## time training beside other libraries, as ratios
	@$(BIN)/python benchmarks/train.py

lint: $(VENV)/.test ## check the style of the code, notebooks included
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet . || { echo 'Format the code: $(BIN)/ruff format .'; exit 1; }

types: $(VENV)/.test ## check the types of the package and the extensions
	@$(BIN)/mypy

browser: $(VENV)/.test book ## open every page in Chromium and check what a reader gets
	@$(BIN)/python -m pytest -n 2 tests/browser

outputs: $(VENV)/.test ## execute every notebook in place and store its outputs
	@$(BIN)/python tools/store_outputs.py

clean: ## remove what these targets made, the environment included
	rm -rf $(VENV) _build mutants .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage *.egg-info build

# Set-up. The stamps are older than what they depend on when it has changed.
$(BIN)/python:
	@$(PYTHON) -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' 2>/dev/null || { \
	  echo 'The course needs Python 3.10 or later with venv, and "$(PYTHON)" is not: get it with "apt install python3-venv" (Debian, Ubuntu), "brew install python" (macOS) or from python.org, or name another one: make PYTHON=python3.12'; \
	  exit 1; }
	@echo 'Setting up $(VENV): a minute or two, once.'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.book: requirements.txt pyproject.toml | $(BIN)/python
	@$(PIP) -r requirements.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.test: requirements-test.txt $(VENV)/.book
	@$(PIP) -r requirements-test.txt
	@touch $@
