# `make demo` runs the main example, `make test` everything that must hold; both set up what they need first.
BIN := .venv/bin
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
PYTHON ?=
export PYTHON

.PHONY: help demo notebook test check format bench browser docs venv pin clean
.DEFAULT_GOAL := help

help:
	@echo "make demo     set up and answer examples/smoking.suture, with pictures in out/"
	@echo "make notebook set up and open the tutorial in JupyterLab"
	@echo "make test     set up and run every check: format, lint, types, tests, doctests"
	@echo "make check    the quick part of it: format, lint, types, house rules, doctests"
	@echo "make format   format and sort the imports"
	@echo "make bench    the benchmarks and the slow tests"
	@echo "make browser  the tests of the notebook in JupyterLab and Chromium (installs both)"
	@echo "make docs     write the generated pages and pictures in docs/ anew and check every page"
	@echo "make venv     only set up .venv for development"
	@echo "make pin      write constraints.txt anew from the newest versions"
	@echo "make clean    remove what was built (.venv too)"

demo:
	@.ci/setup run
	@mkdir -p out
	$(BIN)/suture run examples/smoking.suture
	$(BIN)/suture show examples/smoking.suture -o out/smoking.svg
	@echo "The string diagrams before and after surgery are in out/smoking.svg"

# JupyterLab does not run as root unless it is told to, and in a container root is who there is.
notebook:
	@.ci/setup notebook
	$(BIN)/jupyter lab $(if $(filter 0,$(shell id -u)),--allow-root) docs/tutorial.ipynb

venv:
	@.ci/setup dev

test: check
	$(BIN)/python -m pytest -q -n $(JOBS) --dist worksteal --ignore tests/test_house.py --ignore tests/test_package.py

check: venv
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/python -m pytest -q -n $(JOBS) tests/test_house.py tests/test_package.py

format: venv
	$(BIN)/ruff check --fix-only --select I .
	$(BIN)/ruff format .

# Every benchmark runs, whatever the ones before it found; any that finds something wrong fails the target.
bench: venv
	@failed=; for file in benchmarks/[a-z]*.py; do \
		echo "== $$file"; $(BIN)/python "$$file" || failed="$$failed $$file"; \
	done; \
	echo "== slow tests"; $(BIN)/python -m pytest -q -n $(JOBS) -m slow || failed="$$failed tests"; \
	test -z "$$failed" || { echo "failed:$$failed"; exit 1; }

# JupyterLab, a browser and its driver are 700 MB, so `make test` leaves these out; screenshots go to out/browser.
browser:
	@.ci/setup browser
	$(BIN)/python -m pytest -q -m browser tests/browser

docs: venv
	$(BIN)/python editors/build.py
	$(BIN)/python docs/build.py

pin:
	rm -rf build/pin && python3 -m venv build/pin
	build/pin/bin/pip install --quiet '.[dev,notebook,browser]'
	build/pin/bin/pip freeze --all --exclude pip --exclude suture > constraints.txt

clean:
	rm -rf .venv build dist out *.egg-info .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
