# make            the daemon, build/curlewd, and the library, build/libcurlew.a; first make deps-build,
#                 which installs what that needs
# make demo       install what is missing, run the main job, print what happened
# make demo-impersonate  what an origin sees of curlewd as Chrome, beside curl_cffi itself
# make run        the same stack in the foreground, to try by hand
# make test       install what is missing; unit and integration tests
# make asan tsan  the same under sanitizers       make fuzz           FUZZ_SECONDS for each target
# make bench      BENCH_ARGS, BENCH_QUICK=1: figures of this machine; bench-publish: into the documents
# make docs       the documents as a site, build/docs/html     make lint format    the style
# make install    DESTDIR, PREFIX; uninstall undoes it    make docker…  docker/docker.mk
# make browser-test, screenshots  the status page in Chromium
# make deb        deb-bookworm, deb-trixie, deb-test: packaging/deb.mk
# make wheel      wheel-test: packaging/wheel.mk
# make V=1        shows each command whole         make help  this text; all targets: docs/development.md

PREFIX     ?= /usr/local
SYSCONFDIR ?= /etc
B          ?= build
PYTHON  = .venv/bin/python
say     = $(if $V,,@printf '  %-5s %s\n' $1 $@;)

ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(shell nproc) --no-print-directory
endif

CC       ?= cc
OBJCOPY  ?= objcopy
CFLAGS   ?= -O2 -g -fstack-protector-strong
LDFLAGS  ?= -Wl,-z,relro,-z,now
WARNINGS  = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 -Werror
COMPILE   = $(CC) -D_GNU_SOURCE -Iinclude -Isrc -Itests/unit -MMD -MP $(CPPFLAGS) \
            -std=c17 $(WARNINGS) -pthread -fno-common $(CFLAGS) $(SAN)
LINK      = $(CC) -pthread $(LDFLAGS) $(SAN)
# Static, hidden and before libcurl: a libcurl that brings its own copies, exported, must not be mixed
# up with these, nor they with it.
# By name, not ALL: clang's sanitizers are archives, too, and must stay visible to libc.
CODINGS   = -l:libbrotlidec.a -l:libbrotlicommon.a -l:libzstd.a -l:libz.a
HIDDEN    = libbrotlidec.a:libbrotlicommon.a:libzstd.a:libz.a
LIBCURL   ?= -lcurl
JANSSON   ?= -ljansson
ENGINE_LIBS = -Wl,--exclude-libs,$(HIDDEN) $(CODINGS) $(LIBCURL)
LIBS      = $(JANSSON) $(ENGINE_LIBS)
# libfcgi's allocations must not fail: see src/fastcgi/libfcgi_memory.h.  So it is linked from its
# archive, with these names in the place of libc's.
LIBFCGI   = $(shell $(CC) -print-file-name=libfcgi.a 2>/dev/null)
ITS_NAMES = $(foreach f,malloc realloc free,--redefine-sym $f=libfcgi_memory_$f)
VERSION   = $(shell sed -n 's/.*CURLEW_VERSION "\(.*\)"/\1/p' include/curlew/curlew.h)

# The public suffix list of Debian's package publicsuffix; without it no cookie has a Domain.
PUBLIC_SUFFIXES ?= /usr/share/publicsuffix/public_suffix_list.dafsa

DAEMON_FOLDERS = json message fastcgi routes
DAEMON  = $(patsubst %.c,$B/%.o,$(wildcard $(DAEMON_FOLDERS:%=src/%/*.c))) \
          $B/status_page_data.o $B/libfcgi.o
ENGINE  = $(filter-out $(DAEMON),$(patsubst %.c,$B/%.o,$(wildcard src/*/*.c))) \
          $B/public_suffix_data.o
UNIT    = $(patsubst %.c,$B/%.o,$(wildcard tests/unit/*/*.c))
FUZZERS = $(patsubst tests/fuzz/%.c,$B/%,$(wildcard tests/fuzz/fuzz_*.c))

# What curl_cffi's extension needs of Python: see src/libcurl/libcurl_choice.h.
PYTHON_SYMBOLS = PyArg_UnpackTuple PyErr_Occurred PyEval_RestoreThread PyEval_SaveThread \
    PyImport_ImportModule PyLong_FromLong PyLong_FromVoidPtr PyObject_CallMethod PyObject_Free \
    PyObject_Malloc _Py_Dealloc _Py_NoneStruct
STAND_INS = $(foreach s,$(PYTHON_SYMBOLS),-Wl,--defsym=$s=$1,--export-dynamic-symbol=$s) \
    -Wl,--push-state,--no-as-needed -lm -Wl,--pop-state

# libcurl-impersonate reads the settings of HTTP/2 with strtok(), in any thread.
STRTOK = -Wl,--defsym=strtok=libcurl_choice_strtok,--export-dynamic-symbol=strtok

# What curlewd is linked with for the sake of curl_cffi's extension.
FOR_CURL_CFFI = $(call STAND_INS,libcurl_choice_absent) $(STRTOK)

all: $B/curlewd $B/libcurlew.a

# What stands at the top of this file.
help:
	@sed -n '/^$$/q; s/^# //p' $(firstword $(MAKEFILE_LIST))

# -- building ------------------------------------------------------------------

$B/curlewd: $B/src/main.o $(DAEMON) $(ENGINE)
	$(call say,LINK)$(LINK) -o $@ $^ $(FOR_CURL_CFFI) $(LIBS)

# Linked to curl_cffi's extension, as the wheel's: see packaging/wheel/build.
$B/linked/curlewd: $B/src/main.o $(DAEMON) $(ENGINE)
	@mkdir -p $(@D)
	$(call say,LINK)$(LINK) -o $@ $^ $(FOR_CURL_CFFI) \
	    $(LIBS:$(LIBCURL)=$(CURL_CFFI))

# One object, zlib, brotli and zstd inside, that exports the names of curlew.h alone, so that a
# program that links it may have a url_parse() of its own.  The daemon, the tests and the fuzzers
# link the engine's objects instead.
$B/libcurlew.a: $(ENGINE)
	$(call say,AR)$(CC) -r -nostdlib -o $B/libcurlew.o $^ $(CODINGS)
	@$(OBJCOPY) --wildcard --keep-global-symbol='curlew_*' $B/libcurlew.o
	@rm -f $@ && $(AR) rcs $@ $B/libcurlew.o

$B/embed: $B/examples/embed.o $B/libcurlew.a
	$(call say,LINK)$(LINK) -o $@ $^ -lcurl

# For docker/Dockerfile, which builds it without this file; here it is tested.
$B/socket-holder: $B/docker/socket_holder.o
	$(call say,LINK)$(LINK) -o $@ $^

$B/bench/baseline: $B/bench/baseline.o
	$(call say,LINK)$(LINK) -o $@ $^ $(call STAND_INS,baseline_absent) -lcurl

$B/unit: $(UNIT) $(DAEMON) $(ENGINE)
	$(call say,LINK)$(LINK) -o $@ $^ -lcriterion -l:libbrotlienc.a $(LIBS) -lm

$B/fuzz_%: $B/tests/fuzz/fuzz_%.o $(DAEMON) $(ENGINE)
	$(call say,LINK)$(LINK) -fsanitize=fuzzer -o $@ $^ $(LIBS)

$B/public_suffix_data.c: $(wildcard $(PUBLIC_SUFFIXES))
	@mkdir -p $(@D)
	$(call say,DATA){ echo '#include <stddef.h>'; \
	    echo 'const unsigned char public_suffix_data[] = {'; \
	    od -An -v -tu1 $(or $<,/dev/null) | sed 's/ *\([0-9][0-9]*\)/\1,/g'; echo '0 };'; \
	    echo 'const size_t public_suffix_size = sizeof public_suffix_data - 1;'; } >$@

# The status page's parts: its style and its script are one text each.
PAGE      = src/routes/status_page
PAGE_HTML = $(PAGE)/page.html
PAGE_CSS  = $(PAGE)/uPlot.min.css $(PAGE)/page.css
PAGE_JS   = $(addprefix $(PAGE)/,uPlot.iife.min.js figures.js charts.js page.js)
as_array  = echo 'const unsigned char status_page_$1[] = {'; \
    cat $2 | od -An -v -tu1 | sed 's/ *\([0-9][0-9]*\)/\1,/g'; echo '0 };'; \
    echo 'const size_t status_page_$1_size = sizeof status_page_$1 - 1;'

$B/status_page_data.c: $(PAGE_HTML) $(PAGE_CSS) $(PAGE_JS)
	@mkdir -p $(@D)
	$(call say,DATA){ echo '#include <stddef.h>'; $(call as_array,html,$(PAGE_HTML)); \
	    $(call as_array,css,$(PAGE_CSS)); $(call as_array,js,$(PAGE_JS)); } >$@

$B/public_suffix_data.o $B/status_page_data.o: %.o: %.c
	$(call say,CC)$(COMPILE) -c -o $@ $<

$B/libfcgi.o: $(LIBFCGI)
	@mkdir -p $(@D)
	$(call say,DATA)$(AR) p $< "$$($(AR) t $< | grep 'fcgiapp\.o$$')" >$@.all
	@$(OBJCOPY) $(ITS_NAMES) $@.all $@

$B/storm: $B/tests/tsan/storm.o $B/tests/unit/support/origin.o $(ENGINE)
	$(call say,LINK)$(LINK) -o $@ $^ $(ENGINE_LIBS)

$B/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC)$(COMPILE) -c -o $@ $<

# build/roots is Debian, of packaging/wheel.mk: much in it ends with .d; build/against are other
# commits, of bench/run.
-include $(shell find $B \( -path $B/roots -o -path $B/against \) -prune -o -type f -name '*.d' -print 2>/dev/null)

# -- running -------------------------------------------------------------------

STACK = CURLEWD=$(abspath $B/curlewd) $(PYTHON)

demo run: %: deps-run
	@$(MAKE) all
	@$(STACK) examples/$(if $(filter demo,$@),demo,stack).py

# What an origin sees of curlewd as a browser, and of curl_cffi.
demo-impersonate: deps-test
	@$(MAKE) all
	@$(STACK) -m tests.support.demo_impersonate

deps: deps-test
deps-build deps-deb deps-run deps-test deps-browser deps-bench deps-docs: deps-%:
	@tools/deps.sh $*

# -- testing -------------------------------------------------------------------

PYTEST_ARGS  ?= -n 4
FUZZ_SECONDS ?= 10
UNDEFINED     = -fsanitize=undefined -fno-sanitize-recover=undefined

test: deps-test
	@$(MAKE) unit
	@$(MAKE) lint-test
	@$(MAKE) integration
	@$(MAKE) faults
	@$(MAKE) client

unit: $B/unit
	tools/unit $B/unit

# That each check of tools/checks finds what it is for.
lint-test:
	$(PYTHON) -m pytest $(PYTEST_ARGS) tests/lint

integration: all $B/embed $B/socket-holder
	$(STACK) -m pytest $(PYTEST_ARGS) tests/integration

# Origins, callers and the machine misbehave; what the caller then sees, and that nothing is lost.
faults: all
	$(STACK) -m pytest $(PYTEST_ARGS) tests/faults

# The status page in Debian's Chromium behind nginx, with axe-core.
browser-test: deps-browser
	@$(MAKE) all
	$(STACK) -m pytest $(PYTEST_ARGS) tests/browser

# The documentation's pictures, docs/pictures: ten minutes of traffic, as its charts show ten minutes.
SCREENSHOT_SECONDS ?= 600

screenshots: deps-browser
	@$(MAKE) all
	$(STACK) -m tests.browser.screenshots $(SCREENSHOT_SECONDS)

# The Python package.
client: all
	$(STACK) -m pytest $(PYTEST_ARGS) python/tests

# The suites of requests and others, with Curlew as their transport; NATIVE=--native: without.
suites: all
	$(STACK) -m python.tests.suites.run_suites $(NATIVE)

# The tests that libcurl's version can matter to, on the one in curl_cffi's wheel: newer than
# Debian's, and built otherwise.
CURL_CFFI = $(shell $(PYTHON) -c 'import curl_cffi._wrapper as w; print(w.__file__)')

# Linked to it, as the wheel is, and preloaded, by CURLEW_LIBCURL; check-all runs each wholly.
LINKED_STACK    = CURLEWD=$(abspath $B/linked/curlewd) $(PYTHON)
PRELOADED_STACK = CURLEWD_LIBCURL=$(CURL_CFFI) $(STACK)

wheel-libcurl: all $B/linked/curlewd
	$(LINKED_STACK) -m pytest $(PYTEST_ARGS) -m libcurl tests/integration
	$(PRELOADED_STACK) -m pytest $(PYTEST_ARGS) -m libcurl tests/faults

# What takes too long for every change.
check-all: all $B/linked/curlewd
	$(LINKED_STACK) -m pytest $(PYTEST_ARGS) tests/integration tests/faults
	$(PRELOADED_STACK) -m pytest $(PYTEST_ARGS) tests/integration tests/faults
	$(MAKE) asan
	$(MAKE) tsan
	$(MAKE) test-bookworm test-trixie
	$(MAKE) browser-test
	$(MAKE) openapi
	$(MAKE) soak-targets
	$(MAKE) docker-upgrades
	$(MAKE) first-hour

# The schemas in docs/ that come of the daemon's tables of keys.
schemas: all
	$(PYTHON) tools/schemas.py $B/curlewd

# docs/openapi.json against the daemon, by schemathesis.
openapi: all
	$(STACK) -m pytest tests/openapi

# How a web server passes on a broken stream, or a slowly read one, is a matter of milliseconds.
TIMED = tests/integration/test_stream_truncation.py tests/integration/test_stream_backpressure.py \
        tests/integration/test_sse.py

asan:
	$(MAKE) all build/asan/unit B=build/asan SAN="-fsanitize=address $(UNDEFINED)"
	tools/asan build/asan/unit
	ASAN_OPTIONS="$(ASAN_OPTIONS) " $(MAKE) sanitized B=build/asan

# Criterion aborts under ThreadSanitizer, so there the daemon is tested, and the library in a storm.
# Without an option it waits a second at each exit, for threads that still run; we join ours.
tsan:
	$(MAKE) all B=build/tsan SAN=-fsanitize=thread
	tests/tsan/run build/tsan
	TSAN_OPTIONS="atexit_sleep_ms=50 $(TSAN_OPTIONS)" $(MAKE) sanitized B=build/tsan

# Without the tests that measure time or memory: sanitizers need more of both.
# Nor behind every web server: to the daemon's memory and threads, nginx and HAProxy are like others.
SANITIZED = tests/integration tests/faults

sanitized:
	$(STACK) -m pytest $(PYTEST_ARGS) -m "not quiet" $(addprefix --ignore=,$(TIMED)) \
	    -k "not apache and not lighttpd and not caddy and not h2o" $(filter-out $(TIMED),$(SANITIZED))

# Load with faults for minutes: nothing is lost, and nothing grows.
SOAK_SECONDS ?= 600
SOAK_FETCHES ?= 100000

soak: all
	PYTHONPATH=python/src $(STACK) -m tests.soak $(SOAK_SECONDS)

# Fetches under many browsers in turn: the same.
soak-targets: all
	PYTHONPATH=python/src $(STACK) -m tests.soak.targets $(SOAK_FETCHES)

fuzz:
	$(MAKE) fuzzers B=build/fuzz CC=clang SAN="-fsanitize=fuzzer-no-link,address $(UNDEFINED)"

fuzzers: $(FUZZERS)
	tools/fuzz $(FUZZ_SECONDS) $^

# One table of all of it in some 20 minutes, or of the parts in BENCH_ARGS; BENCH_QUICK=1 only shows
# that everything can be measured. bench-publish writes what it found into docs/ and both README.
bench: deps-bench
	@$(MAKE) all $B/bench/baseline
	@BASELINE=$(abspath $B/bench/baseline) $(STACK) bench/run $(if $(BENCH_QUICK),--quick) $(BENCH_ARGS)

# The table of docs/scaling.md; BENCH_ARGS=--publish writes it there.
bench-scaling: deps-bench
	@$(MAKE) all
	@$(STACK) -m bench.scaling $(BENCH_ARGS)

bench-publish: deps-bench
	@$(PYTHON) bench/publish

bench-test: deps-bench
	@$(MAKE) all $B/bench/baseline
	BASELINE=$(abspath $B/bench/baseline) $(STACK) -m pytest tests/bench

# Types what README.md says on fresh machines, until a page is fetched; FIRST_HOUR='pip --release trixie'.
first-hour: deps-test wheel
	$(PYTHON) -m tests.first_hour $(FIRST_HOUR)

# The documents as a site; a warning, as for a link without a target, is an error.
docs: deps-docs
	@$(PYTHON) tools/build_docs.py

lint:
	@tools/lint

format:
	@tools/lint --format

include docker/docker.mk packaging/deb.mk packaging/wheel.mk

# -- installing ----------------------------------------------------------------

TO       = $(DESTDIR)$(PREFIX)
DOCS     = $(TO)/share/doc/curlew
ETC      = $(DESTDIR)$(SYSCONFDIR)
UNITS    = $(TO)/lib/systemd/system
SYSUSERS = $(TO)/lib/sysusers.d
FILL_IN  = sed 's|@PREFIX@|$(PREFIX)|; s|@SYSCONFDIR@|$(SYSCONFDIR)|; s|@VERSION@|$(VERSION)|'

install: all
	install -d $(TO)/sbin $(TO)/lib/pkgconfig $(TO)/include/curlew $(TO)/share/man/man8 \
	    $(TO)/share/man/man5 $(DOCS) $(UNITS) $(SYSUSERS) $(ETC)/curlew
	install $B/curlewd $(TO)/sbin
	install -m 644 $B/libcurlew.a $(TO)/lib
	install -m 644 include/curlew/curlew.h $(TO)/include/curlew
	install -m 644 man/curlewd.8 $(TO)/share/man/man8
	install -m 644 man/curlewd.json.5 $(TO)/share/man/man5
	$(FILL_IN) tools/curlew.pc.in >$(TO)/lib/pkgconfig/curlew.pc
	$(FILL_IN) packaging/systemd/curlewd.service.in >$(UNITS)/curlewd.service
	install -m 644 packaging/systemd/curlewd.socket $(UNITS)
	install -m 644 packaging/systemd/curlew.sysusers $(SYSUSERS)/curlew.conf
	[ -e $(ETC)/curlew/curlewd.json ] || install -m 644 packaging/curlewd.json $(ETC)/curlew
	tools/install-docs $(DOCS)

# A configuration that somebody has changed stays.
uninstall:
	rm -f $(TO)/sbin/curlewd $(TO)/lib/libcurlew.a $(TO)/lib/pkgconfig/curlew.pc \
	    $(TO)/share/man/man8/curlewd.8 $(TO)/share/man/man5/curlewd.json.5 \
	    $(UNITS)/curlewd.service $(UNITS)/curlewd.socket $(SYSUSERS)/curlew.conf
	rm -rf $(TO)/include/curlew $(DOCS)
	! cmp -s packaging/curlewd.json $(ETC)/curlew/curlewd.json || rm -r $(ETC)/curlew

clean:
	rm -rf build

.PHONY: all help demo demo-impersonate first-hour run deps deps-build deps-deb deps-run deps-test deps-bench deps-docs docs test unit \
    integration faults lint-test client suites schemas openapi asan tsan sanitized wheel-libcurl check-all soak \
    soak-targets fuzz fuzzers bench bench-scaling bench-publish bench-test lint format install uninstall clean
.PHONY: deps-browser browser-test screenshots
.SECONDARY:
