# make            the daemon, build/curlewd, and the library, build/libcurlew.a
# make demo       install what is missing, run the main job, print what happened
# make run        the same stack in the foreground, to try by hand
# make test       install what is missing; unit and integration tests
# make asan tsan  the same under sanitizers       make fuzz           FUZZ_SECONDS for each target
# make bench      side-by-side figures            make lint format    the style
# make install    DESTDIR, PREFIX; uninstall undoes it    make docker…  docker/docker.mk
# make deb        deb-bookworm, deb-trixie, deb-test: packaging/deb.mk
# make V=1        shows each command whole

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
ENGINE_LIBS = -Wl,--exclude-libs,$(HIDDEN) $(CODINGS) -lcurl
LIBS      = -lfcgi -ljansson $(ENGINE_LIBS)
VERSION   = $(shell sed -n 's/.*CURLEW_VERSION "\(.*\)"/\1/p' include/curlew/curlew.h)

# The public suffix list of Debian's package publicsuffix; without it no cookie has a Domain.
PUBLIC_SUFFIXES ?= /usr/share/publicsuffix/public_suffix_list.dafsa

DAEMON_FOLDERS = message fastcgi routes
DAEMON  = $(patsubst %.c,$B/%.o,$(wildcard $(DAEMON_FOLDERS:%=src/%/*.c)))
ENGINE  = $(filter-out $(DAEMON),$(patsubst %.c,$B/%.o,$(wildcard src/*/*.c))) \
          $B/public_suffix_data.o
UNIT    = $(patsubst %.c,$B/%.o,$(wildcard tests/unit/*/*.c))
FUZZERS = $(patsubst tests/fuzz/%.c,$B/%,$(wildcard tests/fuzz/fuzz_*.c))

all: $B/curlewd $B/libcurlew.a

# -- building ------------------------------------------------------------------

$B/curlewd: $B/src/main.o $(DAEMON) $(ENGINE)
	$(call say,LINK)$(LINK) -o $@ $^ $(LIBS)

# One object, zlib, brotli and zstd inside, that exports the names of curlew.h alone, so that a
# program that links it may have a url_parse() of its own.  The daemon, the tests and the fuzzers
# link the engine's objects instead.
$B/libcurlew.a: $(ENGINE)
	$(call say,AR)$(CC) -r -nostdlib -o $B/libcurlew.o $^ $(CODINGS)
	@$(OBJCOPY) --wildcard --keep-global-symbol='curlew_*' $B/libcurlew.o
	@rm -f $@ && $(AR) rcs $@ $B/libcurlew.o

$B/embed: $B/examples/embed.o $B/libcurlew.a
	$(call say,LINK)$(LINK) -o $@ $^ -lcurl

$B/bench/baseline: $B/bench/baseline.o
	$(call say,LINK)$(LINK) -o $@ $^ -lcurl

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

$B/public_suffix_data.o: $B/public_suffix_data.c
	$(call say,CC)$(COMPILE) -c -o $@ $<

$B/storm: $B/tests/tsan/storm.o $B/tests/unit/support/origin.o $(ENGINE)
	$(call say,LINK)$(LINK) -o $@ $^ $(ENGINE_LIBS)

$B/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC)$(COMPILE) -c -o $@ $<

-include $(shell find $B -type f -name '*.d' 2>/dev/null)

# -- running -------------------------------------------------------------------

STACK = CURLEWD=$(abspath $B/curlewd) $(PYTHON)

demo run: %: deps-run
	@$(MAKE) all
	@$(STACK) examples/$(if $(filter demo,$@),demo,stack).py

deps: deps-test
deps-build deps-deb deps-run deps-test deps-bench: deps-%:
	@tools/deps.sh $*

# -- testing -------------------------------------------------------------------

PYTEST_ARGS  ?= -n 4
FUZZ_SECONDS ?= 10
UNDEFINED     = -fsanitize=undefined -fno-sanitize-recover=undefined

test: deps-test
	@$(MAKE) unit
	@$(MAKE) lint-test
	@$(MAKE) integration
	@$(MAKE) client

unit: $B/unit
	$B/unit

# That each check of tools/checks finds what it is for.
lint-test:
	$(PYTHON) -m pytest $(PYTEST_ARGS) tests/lint

integration: all $B/embed
	$(STACK) -m pytest $(PYTEST_ARGS) tests/integration

# The Python package; -W error: it promises that nothing of it ever warns.
client: all
	$(STACK) -W error -m pytest $(PYTEST_ARGS) python/tests

# The tests that libcurl's version can matter to, on the one in curl_cffi's wheel: newer than
# Debian's, and built otherwise.  Preloaded; the extension's Python symbols are stood in for.
CURL_CFFI = $(shell $(PYTHON) -c 'import curl_cffi._wrapper as w; print(w.__file__)')

wheel-libcurl: all $B/python_symbols.so
	CURLEWD_PRELOAD="$(abspath $B/python_symbols.so) $(CURL_CFFI)" \
	    $(STACK) -m pytest $(PYTEST_ARGS) -m libcurl tests/integration

$B/python_symbols.so: tests/support/python_symbols.c
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) -shared -fPIC -o $@ $<

# How a web server passes on a broken stream, or a slowly read one, is a matter of milliseconds.
TIMED = tests/integration/test_stream_truncation.py tests/integration/test_stream_backpressure.py \
        tests/integration/test_sse.py

asan:
	$(MAKE) all build/asan/unit B=build/asan SAN="-fsanitize=address $(UNDEFINED)"
	tools/asan build/asan/unit
	ASAN_OPTIONS="$(ASAN_OPTIONS) " $(MAKE) sanitized B=build/asan

# Criterion aborts under ThreadSanitizer, so there the daemon is tested, and the library in a storm.
tsan:
	$(MAKE) all B=build/tsan SAN=-fsanitize=thread
	tests/tsan/run build/tsan
	TSAN_OPTIONS="$(TSAN_OPTIONS) " $(MAKE) sanitized B=build/tsan

# Without the tests that measure time or memory: sanitizers need more of both.
sanitized:
	$(STACK) -m pytest $(PYTEST_ARGS) -m "not quiet" $(addprefix --ignore=,$(TIMED)) tests/integration

fuzz:
	$(MAKE) fuzzers B=build/fuzz CC=clang SAN="-fsanitize=fuzzer-no-link,address $(UNDEFINED)"

fuzzers: $(FUZZERS)
	tools/fuzz $(FUZZ_SECONDS) $^

bench: deps-bench
	@$(MAKE) all $B/bench/baseline
	@BASELINE=$(abspath $B/bench/baseline) $(STACK) bench/run $(BENCH_ARGS)

# What a fetch costs Django's process, beside aiohttp, curl_cffi and httpx.
bench-django: deps-bench
	@$(MAKE) all
	@$(STACK) bench/django/run $(BENCH_ARGS)

lint:
	@tools/lint

format:
	@tools/lint --format

include docker/docker.mk packaging/deb.mk

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
	install -m 644 README*.md CHANGES.md LICENSE SECURITY.md docs/*.md $(DOCS)
	cp -R examples $(DOCS)
	find $(DOCS)/examples -name __pycache__ -prune -exec rm -rf {} +

# A configuration that somebody has changed stays.
uninstall:
	rm -f $(TO)/sbin/curlewd $(TO)/lib/libcurlew.a $(TO)/lib/pkgconfig/curlew.pc \
	    $(TO)/share/man/man8/curlewd.8 $(TO)/share/man/man5/curlewd.json.5 \
	    $(UNITS)/curlewd.service $(UNITS)/curlewd.socket $(SYSUSERS)/curlew.conf
	rm -rf $(TO)/include/curlew $(DOCS)
	! cmp -s packaging/curlewd.json $(ETC)/curlew/curlewd.json || rm -r $(ETC)/curlew

clean:
	rm -rf build

.PHONY: all demo run deps deps-build deps-deb deps-run deps-test deps-bench test unit integration \
    lint-test client asan tsan sanitized wheel-libcurl fuzz fuzzers bench bench-django lint format \
    install uninstall clean
.SECONDARY:
