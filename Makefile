.DEFAULT_GOAL := help
# The S3 server of the images and of test-containers: versitygw, which is small, or minio.
S3 ?= versitygw
IMAGES := reference/backing/images/images.sh

.PHONY: help demo test images test-containers lint matrix bench fuzz generate verify verify-long

LINT_VERSION := v2.12.2
LINT := .bin/golangci-lint-$(LINT_VERSION)

# The race detector needs cgo, hence a C compiler.
RACE := $(if $(shell command -v $$(go env CC) 2>/dev/null),-race)

help: ## print this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## attack the bundled reference service: the main job
	go run ./cmd/partywall demo

test: ## run every test that needs no container engine
	@$(if $(RACE),,echo "There is no C compiler here, so the tests run without the race detector.")
	go test $(RACE) -shuffle=on -timeout 40m ./...

images: ## build images for machines that reach no registry (S3=minio for MinIO, which takes minutes)
	$(IMAGES) build $(S3)

# The reaper's image is one more that a machine may not have; the next start removes what a dead run left.
test-containers: ## run what stands on the backing again, on real engines in containers (S3=minio for MinIO)
	@set -e; images=$$($(IMAGES) env $(S3)); export $$images PARTYWALL_BACKING=containers \
		TESTCONTAINERS_RYUK_DISABLED=$${TESTCONTAINERS_RYUK_DISABLED:-true}; \
	go test -tags containers -count=1 -shuffle=on -timeout 40m ./reference/...; \
	go test -tags containers -count=1 -timeout 40m ./targets/reference -args -strategies row

# The cache is this checkout's own: a shared one names files of other checkouts, and then misses their nolint comments.
lint: $(LINT) ## check formatting, import laws and the usual mistakes
	GOLANGCI_LINT_CACHE="$(CURDIR)/.bin/lint-cache" $(LINT) run --allow-serial-runners ./...

matrix: ## prove that every planted fault is caught and nothing clean accused, in all strategies
	go test -run TestMatrix -timeout 60m -v ./targets/reference -args -strategies all

bench: ## measure: recorded exchanges, the catalogue, the matrix, what walls, limits, keys and deletion cost, growth
	go test -p 1 -run '^$$' -bench . -benchtime 1x -timeout 30m ./harness ./targets/reference
	go test -p 1 -run '^$$' -bench 'Wall|Files|Removal|Growth' -benchtime 1x -timeout 30m ./reference
	go test -p 1 -run '^$$' -bench . -timeout 30m ./reference/ratelimit ./reference/signing ./reference/keys ./reference/store ./reference/logging
	go test -run '^$$' -bench Links ./reference

fuzz: ## fuzz the canary scanner, the reference service, its cache keys and its signed requests, for half a minute each
	go test -run '^$$' -fuzz FuzzScan -fuzztime 30s ./harness
	go test -run '^$$' -fuzz FuzzRouter -fuzztime 30s ./reference
	go test -run '^$$' -fuzz FuzzKey -fuzztime 30s ./reference/cache
	go test -run '^$$' -fuzz FuzzParseSigned -fuzztime 30s ./reference/signing

generate: ## write the lists of scenarios and faults again
	go generate ./...

verify: lint test ## what a change must pass
	go run ./cmd/partywall demo --format json --out "$$(mktemp -d)/report" >/dev/null

verify-long: verify fuzz ## and what takes long: fuzzing, every scenario in every cell of the matrix
	go run ./cmd/partywall matrix --full

$(LINT):
	GOBIN="$(CURDIR)/.bin" go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION)
	mv .bin/golangci-lint $(LINT)
