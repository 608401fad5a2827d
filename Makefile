.DEFAULT_GOAL := help
.PHONY: help test lint
help: ## print this help
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'
test: ## run all tests
	go test -race -shuffle=on ./...
lint: ## check formatting and vet
	@test -z "$$(gofmt -l .)" || { gofmt -l .; exit 1; }
	go vet ./...
