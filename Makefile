# platform: build, demo, test. `make help` lists the targets.

SHELL := /bin/bash
GO ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo development)
GOFLAGS_BUILD := -ldflags "-s -w -X main.version=$(VERSION)"
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

# The fuzz tests, by package and name.
FUZZ := addons:FuzzDiff \
	addons:FuzzSettled \
	aws:FuzzCanonicalName \
	aws:FuzzParseSpec \
	check/embedded:FuzzCascVariables \
	check/embedded:FuzzGroovy \
	check/embedded:FuzzLoad \
	check/embedded:FuzzSnippet \
	check/embedded/fluentd:FuzzParse \
	check/policy/secrets:FuzzScan \
	check/schema:FuzzJudge \
	check/schema:FuzzSchedule \
	kops:FuzzParseSpec \
	plan:FuzzDiff \
	plan:FuzzSplitPath \
	provided:FuzzParse \
	render:FuzzFormat \
	render:FuzzObjects \
	ui:FuzzLineDiff \
	versions:FuzzParse

.DEFAULT_GOAL := build
.PHONY: help build demo test unit e2e soak bench render lint fmt clean vendor-crds vendor-schemas groovy report-test screenshots FORCE

include sandbox/sandbox.mk

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | sort | column -t -s "$$(printf '\t')"

build: bin/platform ## build bin/platform

bin/platform: FORCE
	@mkdir -p bin
	$(GO) build $(GOFLAGS_BUILD) -o $@ ./cmd/platform

# The stock command, of the version that the tool uses as a library: to be
# compared with.
.sandbox/bin/kops: go.mod
	$(GO) build -o $@ k8s.io/kops/cmd/kops

demo: build sandbox ## bring up the dev cluster on this machine
	bin/platform up dev --sandbox --yes

test: lint unit e2e report-test ## all tests, end-to-end ones included

unit: sandbox ## unit tests, the jsonnet library's and those against a real API server
	$(GO) test ./...
	cd sandbox && $(GO) test -timeout 5m ./...
	.sandbox/venv/bin/python -m unittest discover -s sandbox/aws/tests -t sandbox/aws

e2e: build sandbox .sandbox/bin/kops ## the whole life of a cluster on a sandbox of its own
	$(GO) test -p 1 -count=1 -timeout 60m -tags e2e ./test/e2e/... ./test/pipeline/...

soak: build sandbox .sandbox/bin/kops ## long campaigns: interruptions everywhere, fuzzing
	SOAK=1 $(GO) test -p 1 -count=1 -timeout 180m -tags e2e ./test/e2e/... ./test/pipeline/...
	SOAK=1 $(GO) test -count=1 -timeout 30m -v ./test/scale
	$(GO) test -count=1 -timeout 60m ./internal/addons -run PlanAgrees -mutations 5000 -seed 7
	$(GO) test -run '^$$' -fuzz FuzzParse -fuzztime 60s ./test/pipeline/declarative
	set -e; for target in $(FUZZ); do \
		$(GO) test -run '^$$' -fuzz "^$${target#*:}$$" -fuzztime 60s "./internal/$${target%:*}"; \
	done

bench: build sandbox ## benchmarks, as a table
	$(GO) run ./test/bench
	$(GO) run ./test/bench/render

render: build ## write generated/
	bin/platform render

vendor-crds: ## take the custom resource definitions from their pinned modules
	$(GO) run ./addons/vendorcrds

# A browser, to look at the drift report's page with.
BROWSER := .sandbox/browser

$(BROWSER)/.installed: test/report/package.json test/report/package-lock.json
	@mkdir -p $(BROWSER)
	@for program in $${CHROMIUM:-chromium} node npm; do command -v $$program >/dev/null || missing=1; done; \
	test -z "$$missing" || { apt-get update -qq && apt-get install -y --no-install-recommends chromium nodejs npm; }
	cp test/report/package.json test/report/package-lock.json $(BROWSER)/
	npm ci --prefix $(BROWSER) --ignore-scripts --no-audit --no-fund --silent
	@touch $@

report-test: $(BROWSER)/.installed ## the drift report's page in a browser: layout, accessibility
	$(GO) test -count=1 -timeout 15m -tags e2e ./test/report

screenshots: $(BROWSER)/.installed ## renew the pictures in docs/images
	$(GO) test -count=1 -timeout 15m -tags e2e -run TestPage ./test/report -update

groovy: .sandbox/groovy-all-2.4.21.jar ## compile the Jenkinsfile by Jenkins' Groovy (takes Java and Maven)
	GROOVY_JAR=$(CURDIR)/$< $(GO) test -count=1 -run TestGroovy ./test/pipeline

.sandbox/groovy-all-2.4.21.jar:
	mvn -q dependency:copy -Dartifact=org.codehaus.groovy:groovy-all:2.4.21 -DoutputDirectory=$(CURDIR)/.sandbox

vendor-schemas: ## take Kubernetes' schemas from its pinned modules
	$(GO) run ./internal/check/schema/vendorschemas

lint: ## gofmt, go vet, staticcheck
	@out=$$(gofmt -l $$(git ls-files '*.go')); test -z "$$out" || { echo "gofmt: $$out"; exit 1; }
	$(GO) vet ./...
	$(GO) vet -tags e2e ./test/... ./ci/...
	cd sandbox && $(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...

fmt: ## rewrite Go files in standard form
	gofmt -w $$(git ls-files '*.go')

clean: ## stop the sandbox and remove everything that was built
	-test ! -x bin/platform || bin/platform sandbox down --purge
	rm -rf bin .sandbox
