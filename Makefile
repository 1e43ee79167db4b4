# Two commands set everything up on a fresh machine: make demo, make test.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
OUT ?= demo-output
FUZZ_SECONDS ?= 600
ROUNDS ?= 20
# What no line and no branch of may stay untested.
WHOLE = deid audit geometry
# Qt needs a screen; where there is none, a virtual one.
SCREEN = $(shell if [ -z "$$DISPLAY$$WAYLAND_DISPLAY" ] && command -v xvfb-run >/dev/null; then \
	echo 'xvfb-run -a -s "-screen 0 1920x1200x24 +extension GLX"'; fi)

.PHONY: demo test check format bench bench-readers bench-leaks coverage fuzz pictures samples audit-campaign study judges clean help

help:
	@echo "make demo      install, then the main job on the sample scans (with a window where there is a screen)"
	@echo "make test      install, then all tests"
	@echo "make check     style, types, layers, manifest"
	@echo "make bench     side by side with the peers, into docs/benchmarks.md"
	@echo "make bench-readers   which reader puts real scans where their headers say (DATA=folders)"
	@echo "make bench-leaks     which de-identifier leaves what of planted identities, into docs/leaks.md"
	@echo "make coverage  all tests, and how much of all modules they reach (90 % at least)"
	@echo "make study     a study by many processes at once, one of them killed, in ROUNDS (20), into docs/study-proof.md (long)"
	@echo "make judges    what Slicer's, OHIF's, nnU-Net's and MONAI's own readers make of exports (about 3 GB to install)"
	@echo "make fuzz      damaged files of every format, for FUZZ_SECONDS (600)"
	@echo "make pictures  the pictures of README and docs"
	@echo "make samples   write the sample scans again and compare them with the registry"
	@echo "make audit-campaign  kills, power cuts, failing disks and changes, into docs/reliability.md (long)"

demo: $(VENV)/.run
	@.ci/demo $(BIN) $(OUT)

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n 2 --dist loadgroup $(WHOLE:%=--cov=napari_medlabel/%) --cov-report= $(ARGS)
	$(BIN)/python -m coverage report --fail-under=100

# Following every line of every module takes a third of the time again: only by itself.
coverage: $(VENV)/.dev
	$(BIN)/python -m pytest -n 2 --dist loadgroup --cov --cov-report= $(ARGS)
	$(BIN)/python -m coverage report --fail-under=90
	$(BIN)/python -m coverage report --include="*/deid/*,*/audit/*,*/geometry/*" --fail-under=100

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/npe2 validate napari.yaml
	$(BIN)/npe2 validate napari-medlabel

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.bench
	$(SCREEN) $(BIN)/python benchmarks/run_all.py

bench-readers: $(VENV)/.bench
	$(BIN)/python benchmarks/readers.py $(DATA)

bench-leaks: $(VENV)/.bench
	$(BIN)/python benchmarks/leaks.py

fuzz: $(VENV)/.dev
	MEDLABEL_FUZZ_SECONDS=$(FUZZ_SECONDS) $(BIN)/python -m pytest tests/io/test_fuzz.py tests/deid/test_fuzz.py -p no:cacheprovider --timeout 0

pictures: $(VENV)/.dev
	$(SCREEN) $(BIN)/python docs/make_pictures.py
	$(BIN)/python docs/make_pixel_pictures.py
	$(BIN)/python docs/make_face_pictures.py
	$(BIN)/python docs/make_audit_pictures.py
	$(SCREEN) $(BIN)/python docs/make_tool_pictures.py
	$(SCREEN) $(BIN)/python docs/make_study_pictures.py

samples: $(VENV)/.run
	$(BIN)/python sample_scans/make_scans.py --check

audit-campaign: $(VENV)/.dev
	$(BIN)/python -m tests.audit.campaign
	MEDLABEL_CANARIES=8 $(BIN)/python -m pytest tests/canary -p no:cacheprovider --timeout 0
	MEDLABEL_KILLS=600 $(BIN)/python -m pytest tests -k "kill" -p no:cacheprovider --timeout 7200

study: $(VENV)/.dev
	$(BIN)/python -m tests.study.campaign --rounds $(ROUNDS)

judges: $(VENV)/.judges
	$(VENV)/judges/bin/python -m pytest tests/judges tests/session/study/exporting/test_leaving.py --timeout 600 $(ARGS)

# Readers of other houses bring their own versions of much: they get an environment of their own.
$(VENV)/.judges: $(VENV)/.dev tests/judges/requirements.txt tests/judges/ohif/package.json
	$(PYTHON) -m venv $(VENV)/judges
	$(VENV)/judges/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	$(VENV)/judges/bin/python -m pip install --quiet --constraint constraints.txt --editable . --group test
	$(VENV)/judges/bin/python -m pip install --quiet --requirement tests/judges/requirements.txt
	if command -v npm >/dev/null; then cd tests/judges/ohif && npm install --no-package-lock --no-audit --no-fund --ignore-scripts && npm run build; fi
	@touch $@

$(VENV)/.venv:
	@.ci/python $(PYTHON)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	@touch $@

$(VENV)/.run: $(VENV)/.venv pyproject.toml constraints.txt
	@.ci/system-libraries
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[qt]"
	@touch $@

$(VENV)/.dev: $(VENV)/.run
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group dev
	@touch $@

$(VENV)/.bench: $(VENV)/.dev
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group bench
	@touch $@

clean:
	rm -rf $(VENV) demo-output dist build .coverage* .mypy_cache .ruff_cache .pytest_cache
