# The front door: each target is one line that calls lyot or a tool.
PYTHON ?= $(firstword $(foreach p,python3.11 python3.12 python3.13 python3,$(shell command -v $(p) 2>/dev/null)))
BIN := .venv/bin
PORT ?= 8001
ARGS ?=

.PHONY: .venv assets alpha demo check test test-all bench serve clean

.venv: $(BIN)/.ready

$(BIN)/.ready: pyproject.toml constraints.txt
	@echo "Making .venv with everything Lyot needs (a few minutes the first time) …"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Lyot needs Python 3.11 or newer; say which: make PYTHON=python3.12 …")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[test]'
	@touch $@

assets: .venv
	npm install --prefix .venv/assets --no-save --no-audit --no-fund --ignore-scripts @sqlite.org/sqlite-wasm@3.51.2-build9 axe-core@4

alpha: .venv # the next Datasette, beside the one of today
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --pre --upgrade --target .venv/alpha 'datasette==1.0a41' datasette-auth-passwords datasette-auth-tokens

demo: .venv
	$(BIN)/lyot demo $(ARGS)

check: .venv
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/test_architecture.py tests/test_metadata.py

test: check # a file of tests to each of two processes
	$(BIN)/python -m pytest -q -m "not slow" --numprocesses 2 --dist loadfile $(ARGS)

test-all: .venv
	$(BIN)/python -m pytest -q $(ARGS)

bench: .venv
	$(BIN)/python -m pytest -q tests/benchmarks -o "python_files=bench_*.py" -s $(ARGS)

serve: .venv
	$(BIN)/lyot serve --port $(PORT)

clean:
	rm -rf out .venv .pytest_cache .mypy_cache .ruff_cache dist
