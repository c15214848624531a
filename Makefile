.PHONY: demo test e2e lint tools format schema lock bench clean
PYTHON ?= python3
BIN = .venv/bin

demo: .venv ## the whole story in a temporary folder, in under a minute
	$(BIN)/python -m scripts.demo

test: .venv ## the tests
	$(BIN)/python -m pytest -n auto --dist loadgroup --ignore tests/e2e

e2e: .venv tools ## whole pull requests, through the real workflow files (needs Go and Node)
	$(BIN)/python -m pytest -n auto tests/e2e

lint: .venv .tools/actionlint ## style, types and workflows (needs Go)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	.tools/actionlint
	$(BIN)/zizmor --quiet --offline --pedantic .github

tools: .tools/act .tools/actionlint tests/doubles/node_modules ## what e2e and lint need beside Python

.tools/act:
	GOBIN=$(CURDIR)/.tools go install github.com/nektos/act@v0.2.87

.tools/actionlint:
	GOBIN=$(CURDIR)/.tools go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.12

tests/doubles/node_modules: tests/doubles/package-lock.json
	npm ci --prefix tests/doubles --no-audit --no-fund
	touch tests/doubles/node_modules

format: .venv
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

schema: .venv ## write the JSON Schema that editors check the config with
	$(BIN)/python -c "from scripts import config; print(config.json_schema(), end='')" > scripts/dataset_config.schema.json

bench: .venv ## against the manual path, on MNIST (downloads it once)
	$(BIN)/python -m tests.bench > docs/benchmarks.new && mv docs/benchmarks.new docs/benchmarks.md

lock: .venv ## pin the requirements anew, with hashes and without addresses
	$(BIN)/uv pip compile $(COMPILE) requirements.in -o requirements.txt
	$(BIN)/uv pip compile $(COMPILE) requirements-dev.in -o requirements-dev.txt
COMPILE = --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-emit-find-links --custom-compile-command "make lock"

# A failed install leaves no half .venv behind.
.venv: requirements-dev.txt
	rm -rf .venv
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'Python 3.11 or newer is needed; name one with: make PYTHON=python3.11')"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt || { rm -rf .venv; exit 1; }
	touch .venv

clean:
	rm -rf .venv .tools tests/doubles/node_modules dataset .dvc/cache .dvc/tmp
