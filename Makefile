# Two commands do all their set-up: `make test` (no R needed) and `make compare` (the main job).
PYTHON ?= python3
SETUP := .tox/setup
TOX := $(SETUP)/bin/tox
ARGS ?=

.PHONY: test compare against-r bench browser clean

test: $(TOX)
	$(TOX) run

compare: $(TOX)
	sh reference_r/install.sh
	$(TOX) run -e compare -- $(ARGS)

against-r: $(TOX)
	sh reference_r/install.sh
	$(TOX) run -e against_r -- $(ARGS)

browser: $(TOX)
	$(TOX) run -e browser -- $(ARGS)

bench: $(TOX)
	sh reference_r/install.sh
	$(TOX) run -e bench -- $(ARGS)

$(TOX):
	$(PYTHON) -m venv $(SETUP)
	$(SETUP)/bin/pip install --quiet "tox>=4.15"

clean:
	rm -rf .tox .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage build dist report
