# Plain `make` lists the targets. Everything is made in .venv and _build; `make clean` removes both.

PYTHON := $(firstword $(foreach p,python3 python3.14 python3.13 python3.12 python3.11,\
            $(shell $(p) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(p))))
# `make check PYTHON=python3.13` leaves the usual environment alone.
VENV := .venv$(if $(filter command,$(firstword $(origin PYTHON))),-$(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])'))
BIN := $(VENV)/bin
HTML := _build/html/index.html
DECKS := _build/slides/index.html
BOOK := _build/html/vanishing-gradients.zip
NPM := _build/npm/installed.json
VIEWERS := $(VENV)/etc/jupyter/labconfig/default_setting_overrides.json
PORT ?= 8000
# Tests run on all cores, those of one module together, as they share what they have trained.
# After a worker's crash xdist may wait for ever for the rest of that module: it must not restart.
PYTEST = $(BIN)/python -m pytest -n auto --dist loadfile --max-worker-restart 0 --instafail -r s
CHECK = $(PYTEST) lib tests --ignore tests/pages --ignore tests/browser
# What XLA has compiled is kept, for the book and the tests alike. JAX's key for it leaves out
# the processor, whose instructions the code is made of, so each kind has a folder of its own.
CPU := $(shell { grep -m2 -E '^(model name|flags|Features)' /proc/cpuinfo \
         || sysctl -n machdep.cpu.brand_string; } 2>/dev/null | cksum | cut -d' ' -f1)
export JAX_COMPILATION_CACHE_DIR ?= $(CURDIR)/_build/compiled/$(CPU)
export JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS ?= 0.3
# Two thirds of a chapter's time XLA compiles programs that then run for milliseconds. For the book
# it compiles in the cheap way (its older code generator, LLVM at -O1, each program in one piece):
# 58 s of CPU in place of 111 for the chapter on normalisation. What compares pages with the library
# computes alike; all other tests, and readers, use XLA as it comes.
CHEAPLY := XLA_FLAGS="$$XLA_FLAGS --xla_cpu_use_fusion_emitters=false --xla_backend_optimization_level=1 --xla_cpu_parallel_codegen_split_count=1"
RESOLVE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --upgrade \
            --no-header --no-annotate pyproject.toml
# What the pages are made of: a change to any of it builds the book again.
files = $(shell find $(1) -type f \
          -not -path '*/.*' -not -path '*/__pycache__/*' -not -path '*.egg-info/*')
SOURCES := $(call files,chapters lib _ext _static)

.PHONY: help book slides serve editions lab test check journeys portable margins lint types format \
        bench ablation pins picture clean

help:                ## Explain the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

book:                ## Build the book from executed notebooks and say where it is
	@# Side by side, as either has its minutes in which it can use one core alone.
	@$(MAKE) --no-print-directory --jobs=2 $(BOOK)
	@echo; echo "How long the notebooks took to run:"; cat _build/timings-html.txt
	@echo; echo "The book: $(CURDIR)/$(HTML), and in one file $(BOOK)"

slides: $(DECKS)     ## Build the slides alone, a deck for each chapter, into _build/slides
	@cat _build/timings-slides.txt; echo "The slides: $(CURDIR)/$(DECKS)"

serve: book          ## Serve the book on http://localhost:8000 (PORT=... for another)
	$(BIN)/python -m http.server $(PORT) --bind 127.0.0.1 --directory _build/html

editions: book $(VENV)/dev ## Make a PDF and an EPUB of the whole book, beside its pages
	@$(BIN)/python tests/browsers.py
	$(BIN)/python _ext/editions.py

lab: $(VIEWERS)      ## Open the chapters as notebooks in JupyterLab
	$(BIN)/jupyter lab chapters

test: book $(VENV)/dev ## Run all tests: library, claims, built pages, browsers
	@$(BIN)/python tests/browsers.py
	@# The second half runs whatever the first has found.
	$(CHECK); found=$$?; $(CHEAPLY) $(PYTEST) tests/pages tests/browser && exit $$found

check: $(VENV)/dev   ## Run the tests of library and claims, without book and browser
	$(CHECK)

journeys: $(VENV)/dev ## Run every chapter in JupyterLab, and one in Binder's environment
	@$(BIN)/python tests/browsers.py
	$(PYTEST) -n 0 -m journeys tests

portable: $(VENV)/dev ## Compute chapters, slides and tests as other processors do (ISAS=, ONLY=)
	$(CHEAPLY) $(BIN)/python tests/portable.py $(if $(ISAS),--isas $(ISAS)) $(if $(ONLY),--only $(ONLY))

margins: $(VENV)/dev ## Say how far assertions about chance are from failing (ONLY="files")
	$(BIN)/python tests/margins.py $(ONLY)

lint: types          ## Check the style of the code, its imports and its types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

format: $(VENV)/dev  ## Put the code into that style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(VENV)/dev   ## Hold the JavaScript to its JSDoc types
	$(BIN)/python tests/node_packages.py

bench: export JAX_ENABLE_COMPILATION_CACHE = false
bench: $(VENV)/dev _build/torch/installed ## Measure the library beside NumPy, PyTorch, JAX, TensorFlow.js
	@$(BIN)/python tests/browsers.py
	$(BIN)/python -m benchmarks

ablation: $(VENV)/book ## Train the factorial of the clinic again; goes on where it was stopped
	$(BIN)/python -m vanishing.studies.ablation _build/ablation

pins: $(VENV)/dev    ## Renew the pins in requirements*.txt, for every Python and system
	@# Only a complete pair replaces the old one; what builds the book is pinned once.
	rm -rf _build/pins && mkdir -p _build/pins
	$(RESOLVE) --extra book -o _build/pins/book.txt
	$(RESOLVE) --extra book --extra dev -c _build/pins/book.txt -o _build/pins/all.txt
	{ sed -n '/^#/p' requirements.txt; cat _build/pins/book.txt; echo '-e .'; } \
	  > _build/pins/requirements.txt
	{ sed -n '/^#/p' requirements-dev.txt; echo '-r requirements.txt'; \
	  grep -vxFf _build/pins/book.txt _build/pins/all.txt; } > _build/pins/requirements-dev.txt
	mv _build/pins/requirements*.txt . && rm -rf _build/pins

picture: book        ## Draw the README's picture again
	$(BIN)/python _ext/readme_picture.py

clean:               ## Remove the built book and the virtual environment
	rm -rf _build .venv .venv-3.*

# Pages and slides together, and all of it in one file.
$(BOOK): $(HTML) $(DECKS)
	rm -rf $(<D)/slides && cp -R $(dir $(DECKS)) $(<D)/slides
	$(BIN)/python _ext/archive.py

$(HTML): $(NPM) $(VENV)/book _config.yml _toc.yml references.bib $(wildcard LICENSE-*) $(SOURCES)
	@# Sphinx forgets the warnings of pages that it has read, so a failed build starts afresh;
	@# and it does not write pages again when an extension has changed, hence --all for anything
	@# but text (_ext/affected.py).
	rm -rf $(@D)/slides   # what is not the book's own would have letters in its fonts
	$(CHEAPLY) $(BIN)/jupyter-book build . $(if $(filter-out %.md,$?),--all) \
	  --warningiserror --nitpick --keep-going \
	  || { rm -rf _build/.doctrees $@; exit 1; }
	@touch $@

$(DECKS): $(NPM) $(VENV)/book $(call files,slides chapters lib _ext)
	$(CHEAPLY) $(BIN)/python -m sphinx -b revealjs -d _build/.decks \
	  $(if $(filter-out %.md,$?),--write-all) --fail-on-warning --nitpicky --keep-going --quiet \
	  slides $(@D) || { rm -rf _build/.decks $@; exit 1; }
	@touch $@

# Before pages and slides, which both need them and are built at once.
$(NPM): _ext/package.json _ext/package-lock.json $(VENV)/book
	$(BIN)/python _ext/npm_assets.py $(@D)
	@touch $@

$(VENV)/book: requirements.txt pyproject.toml | $(VENV)/bin/pip
	$(BIN)/pip install --disable-pip-version-check -r requirements.txt
	@touch $@

$(VIEWERS): $(VENV)/book
	$(BIN)/jupytext-config --settings-file $@ set-default-viewer markdown myst
	@touch $@

$(VENV)/dev: requirements-dev.txt $(VENV)/book
	$(BIN)/pip install --disable-pip-version-check -r requirements-dev.txt
	@touch $@

# An environment of its own: no page and no test needs PyTorch, or ONNX for its rival in a page.
_build/torch/installed: requirements.txt benchmarks/requirements.txt
	rm -rf $(@D) && $(BIN)/python -m venv $(@D)
	$(@D)/bin/pip install --disable-pip-version-check -r benchmarks/requirements.txt \
	  "$$(grep -m1 '^numpy==' requirements.txt)"
	@touch $@

$(VENV)/bin/pip:
	@test -n "$(PYTHON)" || { \
	  echo "expected Python 3.11 or newer on the PATH, found none; install it and run make again"; \
	  exit 1; }
	$(PYTHON) -m venv $(VENV)
