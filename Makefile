# `make demo` and `make test` set everything up by themselves, in $(VENV), and are quick once it
# is there. They need a Python of at least 3.11, and nothing else.

VENV ?= .venv
PYTHON ?= $(firstword $(foreach name,python3 python3.14 python3.13 python3.12 python3.11 python,\
	$(shell $(name) -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' \
	>/dev/null 2>&1 && echo $(name))))

.PHONY: demo test tests pythons examples browser docs lite native lint clean
.DEFAULT_GOAL := demo

# One stamp for each set of extras, renewed when the requirements change.
$(VENV)/ready-%: pyproject.toml
	@if [ -z "$(PYTHON)" ]; then \
		echo "AINO needs Python 3.11 or newer with its venv module (Debian: python3-venv)." >&2; \
		echo "If you have one elsewhere, say: make PYTHON=/path/to/python3" >&2; \
		exit 1; \
	fi
	@echo "Setting up $(VENV) (once)"
	@test -x $(VENV)/bin/python || "$(PYTHON)" -m venv $(VENV)
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[$*]'
	@touch $@

demo: $(VENV)/ready-draw
	@$(VENV)/bin/python examples/demo.py demo

test: $(VENV)/ready-dev
	@$(VENV)/bin/python -m pytest -n auto $(ARGS)

tests: test

# On every Python that is here, from 3.11 on: ARGS="--only 3.12,3.13 tests/nn", ARGS=--list.
pythons:
	@"$(PYTHON)" -m tests.pythons $(ARGS)

examples: $(VENV)/ready-dev
	@$(VENV)/bin/python -m pytest -n auto -m examples tests/test_examples.py $(ARGS)

# Pages in headless Chromium, which is not installed here: apt install chromium chromium-driver.
browser: $(VENV)/ready-dev
	@$(VENV)/bin/python -m pytest -m browser tests $(ARGS)

# The site, in docs/_build/html: every page, the reference, the calculus; the course runs.
docs: $(VENV)/ready-docs
	@$(VENV)/bin/python -m sphinx -q -W --keep-going -j auto docs docs/_build/html
	@echo "docs/_build/html/index.html"

# The course as notebooks that run in a browser alone, in docs/_build/lite.
lite: $(VENV)/ready-lite
	@$(VENV)/bin/python docs/in_browser.py

# What walks compiled steps in C; it needs a C compiler.
native: $(VENV)/ready-dev
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check ./native

lint: $(VENV)/ready-dev
	$(VENV)/bin/python -m ruff check .
	$(VENV)/bin/python -m mypy

clean:
	rm -rf $(VENV) .pythons demo build dist docs/_build docs/reference .mypy_cache .pytest_cache .ruff_cache .hypothesis
