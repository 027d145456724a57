# make deb        a Debian package, build/deb/*.deb, for the release that this machine runs
# make deb-trixie deb-bookworm      the same in a container of that release, build/deb/RELEASE
# make deb-test   all of these, and what becomes of the latter in a Debian that systemd has booted

deb: deps-deb
	packaging/deb

deb-bookworm deb-trixie: deb-%:
	packaging/deb $*

deb-test: deps-test deb deb-bookworm deb-trixie
	$(PYTHON) -m pytest $(DEB_TEST_ARGS) tests/deb

.PHONY: deb deb-bookworm deb-trixie deb-test
