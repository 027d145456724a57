# make docker       the image "curlew"; WITH_CURL_CFFI=0.17.0: one that impersonates
#                                          make docker-up     nginx, Django, curlewd, an origin
# make docker-test  tests image and stack    make docker-down   stops and removes the stack
# make docker-upgrades  "docker compose up -d" with a new image under load, UPGRADES=20 times
# make test-trixie  units, and what libcurl's build matters to, in that release; also test-bookworm

CONFORMANCE = tests/integration/test_conformance.py tests/integration/test_conformance_failures.py

docker:
	docker build -f docker/Dockerfile --build-arg BASE=$$(docker/base.sh) \
	    --build-arg CURL_CFFI=$(WITH_CURL_CFFI) -t curlew .

docker-up:
	docker/compose up -d --build
	@docker/wait-for-page

docker-down:
	docker/compose down -v

docker-test: deps-test
	docker/compose build
	$(PYTHON) -m pytest --compose tests/docker $(CONFORMANCE)

UPGRADES ?= 20

docker-upgrades: deps-test
	docker/compose build
	CURLEW_UPGRADES=$(UPGRADES) $(PYTHON) -m pytest --compose tests/docker/test_upgrade.py

test-bookworm test-trixie: test-%:
	tools/test-release $*

.PHONY: docker docker-up docker-down docker-test docker-upgrades test-bookworm test-trixie
