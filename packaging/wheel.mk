# make wheel        build/wheel/dist: the wheels of curlewd, with the daemon inside, and of
#                   django-curlew, and the latter's source
# make wheel-test   what becomes of them in virtual environments, and in a bare Debian of this
#                   release; WHEEL_ROOTS="bookworm trixie" names the releases

WHEEL_ROOTS ?= $(shell . /etc/os-release && echo $$VERSION_CODENAME)

wheel: deps-build
	+packaging/wheel/build

# Called by packaging/wheel/build, which says what libcurl and jansson are.
$B/wheel/curlewd: $B/src/main.o $(DAEMON) $(ENGINE)
	@mkdir -p $(@D)
	$(call say,LINK)$(LINK) -Wl,-Map=$@.map -o $@ $^ $(FOR_CURL_CFFI) $(LIBS)

wheel-test: deps-test wheel
	WHEEL_ROOTS="$(WHEEL_ROOTS)" $(PYTHON) -m pytest $(PYTEST_ARGS) --dist loadfile tests/wheel

# In both releases there.
check-all: WHEEL_ROOTS = bookworm trixie
check-all: wheel-test

.PHONY: wheel wheel-test
