# Foreshock: `make run` to see it, `make test` to check it, `make help` for the rest.
SHELL := /bin/sh
PYTHON ?= python3
BIN := .venv/bin
MEMBERS := schemas exchanges kit simulator cli ingest-liquidations ingest-trades oi-poller threshold-service predictor-service alert-router telegram-gateway
UV_VERSION := 0.13.9
DCLINT_VERSION := 2.2.2
export UV_NO_PROGRESS ?= 1

.DEFAULT_GOAL := help

help: ## Show this help
	@grep -hE '^[a-z -]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

.venv/.ready: requirements.lock pyproject.toml $(MEMBERS:%=%/pyproject.toml)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Foreshock needs Python 3.11 or later; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.12 ...")'
	@test -x $(BIN)/uv || { echo "Making .venv (first time: about a minute)"; $(PYTHON) -m venv .venv && $(BIN)/python -m pip install -q --disable-pip-version-check uv==$(UV_VERSION); }
	@$(BIN)/uv pip sync -q --python $(BIN)/python --require-hashes --compile-bytecode requirements.lock
	@$(BIN)/uv pip install -q --python $(BIN)/python --no-deps $(MEMBERS:%=-e ./%) && touch $@

setup: .venv/.ready ## Make the environment (every other target does, too)

lock: ## Compile requirements.lock from the projects
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header --group dev $(MEMBERS:%=%/pyproject.toml) --no-emit-package foreshock-schemas --no-emit-package foreshock-exchanges --no-emit-package foreshock-kit -o requirements.lock
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header tests/bench/requirements.in -o tests/bench/requirements.lock

run: .venv/.ready ## Start everything here, with a simulated market unless EXCHANGES is set (ARGS="--only ...")
	@exec $(BIN)/foreshock up $(ARGS)

replay: .venv/.ready ## Serve a recording to a real ingester: FILE=... [EXCHANGE=binance] [SPEED=max|1|10]
	@$(if $(FILE),,$(error Which recording? make replay FILE=recording.gz))$(BIN)/foreshock replay "$(FILE)" --exchange $(or $(EXCHANGE),binance) --speed $(or $(SPEED),max)

doctor topics: .venv/.ready ## Check this installation / print the topic table
	@$(BIN)/foreshock $@

fmt: .venv/.ready ## Format the code and mend what can be mended
	$(BIN)/ruff format -q . && $(BIN)/ruff check -q --fix .

lint: .venv/.ready ## Style, types and dependency rules
	$(BIN)/ruff format -q --check . && $(BIN)/ruff check -q .
	$(BIN)/mypy
	$(BIN)/lint-imports

lint-deploy: .venv/.ready ## deploy/: its image, compose and Prometheus files (needs Node and Debian's prometheus)
	$(BIN)/hadolint deploy/Dockerfile
	npx --yes dclint@$(DCLINT_VERSION) --max-warnings 0 -c deploy/.dclintrc.yaml deploy/compose.yaml
	promtool check config deploy/prometheus/prometheus.yml
	promtool test rules tests/deploy/rules.test.yml

test: .venv/.ready ## All tests that need no more than Python
	$(BIN)/pytest -q -n 2 --dist loadscope -m "not browser and not kafka and not containers and not prometheus and not podman and not chaos" --cov --cov-report= $(ARGS)
	$(BIN)/coverage report --fail-under=95

test-chaos: .venv/.ready ## Three venues in trouble before the real services; about a minute
	$(BIN)/pytest -q -m chaos $(ARGS)

test-kafka: .venv/.ready ## What needs a broker, on Apache Kafka: a JVM and Maven, or a Docker API
	TEST_BROKER=apache $(BIN)/pytest -q -n 2 --dist loadscope -m "broker or kafka" $(ARGS)

test-containers: .venv/.ready ## Kafka by testcontainers, in an image that podman builds here
	$(BIN)/pytest -q -m containers $(ARGS)

test-browser: .venv/.ready ## The chat page in headless Chromium
	$(BIN)/pytest -q -m browser

test-deploy: .venv/.ready ## The dashboard on a real Prometheus; the image, where podman is
	$(BIN)/pytest -q tests/deploy -m prometheus $(ARGS)
	@if command -v podman >/dev/null; then $(BIN)/pytest -q tests/deploy -m podman $(ARGS); else echo "There is no podman here: the image was not built"; fi

.venv-bench/.ready: .venv/.ready tests/bench/requirements.lock
	@$(BIN)/uv venv -q --clear --python $(BIN)/python .venv-bench
	@$(BIN)/uv pip sync -q --python .venv-bench/bin/python --require-hashes tests/bench/requirements.lock && touch $@

bench: .venv-bench/.ready ## Compare speed, latency and memory with references (ONLY=parse,... BENCH_MINUTES=3)
	@PYTHONPATH=tests $(BIN)/python -m bench $(ONLY)

evaluate: .venv/.ready ## How good the alerts are, on simulated and recorded markets (SEEDS=101,102,103 SCENARIOS=jump,... DATA=folder)
	@PYTHONPATH=tests $(BIN)/python -m evaluation $(if $(SEEDS),--seeds "$(SEEDS)") $(if $(SCENARIOS),--scenarios "$(SCENARIOS)") $(if $(DATA),--data "$(DATA)") $(ARGS)

ci: lint lint-deploy test test-chaos test-kafka test-browser test-deploy ## What CI runs

clean: ## Remove the environment and what runs have left
	rm -rf .venv .venv-bench var .coverage* .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

.PHONY: help setup lock run replay doctor topics fmt lint lint-deploy test test-chaos test-kafka test-containers test-browser test-deploy bench evaluate ci clean
