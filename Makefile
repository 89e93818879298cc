# Each target sets up what it needs in .venv, from the versions in constraints.txt, once.
# Another interpreter: make install PYTHON=python3.12

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.latentgen-installed
TYPES := build/types/latentgen

# What is tested on JAX as well: models, training, constraints, transport, objectives. The rest knows
# no backend.
ON_JAX := $(wildcard tests/layers tests/training tests/constraints tests/transport tests/test_vae*.py \
            tests/sketch/test_vae*.py tests/music/test_vae*.py \
            tests/text/test_vae*.py tests/text/test_language_model.py tests/text/test_evaluation.py \
            tests/evaluation/test_likelihood.py tests/evaluation/test_hidden_states.py \
            tests/objectives/test_adversarial.py tests/objectives/test_cot.py \
            tests/export/test_formats.py)

.PHONY: install demo test lint bench clean

install: $(INSTALLED)

$(INSTALLED): setup.cfg pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null || \
	  { echo "error: latentgen needs Python 3.11, 3.12 or 3.13, '$(PYTHON)' is not; say which: make install PYTHON=python3.12" >&2; exit 1; }
	@echo "Installing into $(VENV) (a minute, once)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --constraint constraints.txt --editable '.[beam,evaluation,export,jax,serve,test,dev]'
	@touch $@

demo: $(INSTALLED)
	$(BIN)/latentgen demo --out demo-output --overwrite

test: $(INSTALLED)
	KERAS_BACKEND=tensorflow $(BIN)/python -m pytest -n 2 --dist loadfile
	KERAS_BACKEND=jax $(BIN)/python -m pytest -n 2 --dist loadfile $(ON_JAX)

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@rm -rf $(TYPES) && mkdir -p $(TYPES) && ln -s $(CURDIR)/latentgen/* $(CURDIR)/sketch $(CURDIR)/music $(CURDIR)/text $(CURDIR)/export $(TYPES)
	cd build/types && $(abspath $(BIN))/mypy --config-file $(CURDIR)/setup.cfg -p latentgen

bench: $(INSTALLED)
	$(BIN)/python -m benchmarks

# Removes what the other targets made, except .venv and the demonstration's output.
clean:
	rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +
