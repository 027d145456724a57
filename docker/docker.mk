# make docker       the image "curlew"       make docker-up     nginx, Django, curlewd, an origin
# make docker-test  tests image and stack    make docker-down   stops and removes the stack

BATTERY = tests/integration/test_battery.py tests/integration/test_battery_failures.py

docker:
	docker build -f docker/Dockerfile --build-arg BASE=$$(docker/base.sh) -t curlew .

docker-up:
	docker/compose up -d --build
	@docker/wait-for-page

docker-down:
	docker/compose down -v

docker-test: deps-test
	docker/compose build
	$(PYTHON) -m pytest --compose tests/docker $(BATTERY)

.PHONY: docker docker-up docker-down docker-test
