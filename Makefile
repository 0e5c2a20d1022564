# make run: serve the sample library.  make test: everything CI checks.  Both install what they need into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LIBRARY ?= library
PORT ?= 8000
PIP_FLAGS ?=

.PHONY: run test test-engine browser lint format lock messages clean bench bench-full bench-stores bench-reading

run: $(VENV)/installed
	@$(BIN)/isogloss serve --ingest corpus --library $(LIBRARY) --port $(PORT)

test: $(VENV)/installed-dev lint browser
	$(BIN)/python -m pytest

# What every store of a library's rows has to do: these tests run on the embedded one with all others, and on the engine here.
CONTRACT := accounts candidate changes citing common_words counterparts damage decisions desk_imports desk_jobs desk_report entries evaluation exporting \
  feeds files gaps generations harvesting importing inverted languages library likeness log marks oai postings quality question rebuild report resumable \
  searcher shelf signing spreadsheet storing untitled uploading uploads verification view words worker

test-engine: $(VENV)/installed-dev  # the same on real PostgreSQL servers, which are started here, and killed
	$(BIN)/python -m pytest --store=engine $(CONTRACT:%=tests/test_%.py) tests/engine

browser:  # which some tests drive; without it they are skipped
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null \
	  || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null && apt-get update --quiet=2 && apt-get install --yes --quiet=2 --no-install-recommends chromium; } \
	  || echo 'There is no Chromium: the tests in a browser are skipped. On Debian: sudo apt install chromium'

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

BENCH ?= .bench
PDFS ?= corpus
SEMANTRA ?=

bench: $(VENV)/installed-dev  # speed and size, the short form; the libraries it makes are kept in BENCH
	$(BIN)/python -m bench.performance $(BENCH) --pdfs $(PDFS)

bench-full: $(VENV)/installed-dev  # the same with a million passages, into docs/performance.md; PDFS: long ones of yours, SEMANTRA: the program of that name
	$(BIN)/python -m bench.performance $(BENCH) --full --note --into docs/performance.md --pdfs $(PDFS) --semantra '$(SEMANTRA)'; \
	missed=$$?; $(BIN)/python -m bench.capacity --into docs/scaling.md && exit $$missed

bench-stores: $(VENV)/installed-dev  # both stores, 200,000 passages in each, in one run; what docs/scaling.md says is computed anew
	$(BIN)/python -m bench.stores $(BENCH) --note; \
	missed=$$?; $(BIN)/python -m bench.capacity --into docs/scaling.md && exit $$missed

FOLDER ?= corpus

bench-reading: $(VENV)/installed-dev  # the PDFs below FOLDER: speed against pypdf, failures, health; likeness of the sample to its sources
	$(BIN)/python -m bench.reading $(FOLDER) --sources corpus

$(VENV)/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; found " + sys.version)'
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { test "$$(id -u)" = 0 && apt-get install --yes --quiet python3-venv; } || { echo 'Python can make no virtual environment here; on Debian and Ubuntu: sudo apt install python3-venv'; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/installed: requirements.txt pyproject.toml | $(VENV)/bin/pip
	$(BIN)/pip install --quiet --disable-pip-version-check $(PIP_FLAGS) -r requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation $(PIP_FLAGS) -e .
	@touch $@

$(VENV)/installed-dev: requirements-dev.txt $(VENV)/installed
	$(BIN)/pip install --quiet --disable-pip-version-check $(PIP_FLAGS) -r requirements-dev.txt
	@touch $@

COMPILE := $(BIN)/pip-compile --quiet --strip-extras --allow-unsafe --no-header --no-annotate --no-emit-index-url --no-emit-find-links --upgrade

lock: $(VENV)/installed-dev  # writes the exact versions anew, the newest that fit together
	$(COMPILE) --output-file requirements.txt pyproject.toml
	$(COMPILE) --extra dev --constraint requirements.txt --output-file requirements-dev.txt pyproject.toml
	sed -i.old 's/^torch==2.13.0+cpu/torch==2.13.0/' requirements.txt requirements-dev.txt && rm requirements*.old  # the plain version is to be had everywhere

TRANSLATIONS := search_app/translations

messages: $(VENV)/installed-dev  # brings the catalogues of the interface's languages up to date with what the pages say; then translate what is new in them
	$(BIN)/pybabel --quiet extract --mapping-file pyproject.toml --keyword lazy_gettext --no-location --output-file $(TRANSLATIONS)/messages.pot .
	$(BIN)/pybabel --quiet update --no-wrap --no-fuzzy-matching --ignore-obsolete --omit-header --input-file $(TRANSLATIONS)/messages.pot --output-dir $(TRANSLATIONS)
	rm $(TRANSLATIONS)/messages.pot

clean:
	rm -rf $(VENV) $(LIBRARY)
