# Everything from a fresh clone: a Python of 3.11 or newer and a package registry are enough.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
INSTALLED := .venv/.installed
# The tests' S3 server is a program of its own: what it needs does not go with what we pin.
MOTO := .venv/moto
# Hugging Face's reader of folders of images, by which the archive's card is tried.
DATASETS := .venv/datasets
PYTEST_ARGS ?=
# Most tests wait for processes, so there is room for more of them than cores.
TEST_PROCESSES ?= 5
# A thread for each process, and no source that each of many hundred processes compiles anew.
TEST_VARIABLES := OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE=
# What the tests' own processes run, lines and branches: 93 % when this was written. What a worker or
# a server runs in a process of its own is tested and not counted.
COVERAGE := build/coverage.json
COVERED_PERCENT := 92
# How `check` has the coverage measured.
MEASURED :=
SHOTS ?= 1
# Several processes with threads share few cores here: a waiting thread must sleep and not spin.
export OMP_WAIT_POLICY ?= passive

.PHONY: demo test check types measured-test serve anomalib-bench lock clean

## The whole job on real images: demo/report.html, demo/preview.png and demo/goodmany.zip.
demo: $(INSTALLED)
	$(BIN)/goodmany demo

## The whole test suite; PYTEST_ARGS="-k archive" narrows it.
test: $(INSTALLED)
	$(TEST_VARIABLES) $(BIN)/python $(MEASURED) -m pytest -n $(TEST_PROCESSES) --dist loadscope $(PYTEST_ARGS)

## Exactly what .ci/run runs. The types are checked beside the tests, which wait a part of the time.
check: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(MAKE) --jobs=2 types measured-test

types: $(INSTALLED)
	$(BIN)/mypy

measured-test: $(INSTALLED)
	mkdir -p build
	$(MAKE) test MEASURED="-m slipcover --json --out $(COVERAGE)" PYTEST_ARGS="--durations=15 $(PYTEST_ARGS)"
	$(BIN)/slipcover --merge $(COVERAGE) --out $(COVERAGE) --fail-under $(COVERED_PERCENT)

## API, worker and an embedded Redis on http://127.0.0.1:8000.
serve: $(INSTALLED)
	$(BIN)/goodmany serve

## anomalib's detectors on one real image, on its plain augmentation, and on it with our ZIP; DATA
## is a category in the MVTec layout. An environment of its own, some 6 GB:
## BENCH_ARGS="--detector PatchCore" narrows it.
anomalib-bench: $(INSTALLED) .venv-anomalib/.installed
	$(BIN)/python -m benchmarks.anomalib_sets $(DATA) --shots $(SHOTS) --out results/anomalib
	.venv-anomalib/bin/python -m benchmarks.anomalib_bench $(DATA) --out results/anomalib \
		--train real=results/anomalib/real \
		--train 'real + augmentation=results/anomalib/augment' \
		--train 'real + ZIP=results/anomalib/real,results/anomalib/goodmany.zip' $(BENCH_ARGS)

.venv-anomalib/.installed: pyproject.toml
	$(PYTHON) -m venv .venv-anomalib
	.venv-anomalib/bin/python -m pip install --quiet --disable-pip-version-check -e '.[anomalib]'
	touch $@

$(INSTALLED): pyproject.toml constraints.txt tests/moto-requirements.txt tests/datasets-requirements.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt pip
	$(BIN)/python -m pip install --disable-pip-version-check \
		-c constraints.txt --build-constraint constraints.txt -e '.[dev]'
	$(PYTHON) -m venv $(MOTO)
	$(MOTO)/bin/python -m pip install --quiet --disable-pip-version-check \
		-r tests/moto-requirements.txt
	$(PYTHON) -m venv $(DATASETS)
	$(DATASETS)/bin/python -m pip install --quiet --disable-pip-version-check \
		-r tests/datasets-requirements.txt
	touch $@

## Pins anew what pyproject.toml leaves open: the newest versions that fit, in a fresh environment.
## torch's own CUDA packages are left out (torch pins them exactly), and so are local versions.
lock:
	rm -rf build/lock
	$(PYTHON) -m venv build/lock
	build/lock/bin/python -m pip install --quiet --upgrade pip setuptools
	build/lock/bin/python -m pip install --quiet -e '.[dev]'
	build/lock/bin/python -m pip freeze --all --exclude-editable \
		| sed -e 's/+.*//' | grep -E '^[A-Za-z0-9._-]+==[^ ]+$$' \
		| grep -v -E '^(nvidia|cuda)-|^triton==' > constraints.txt
	rm -rf build/lock

clean:
	rm -rf .venv .venv-anomalib build dist demo *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
