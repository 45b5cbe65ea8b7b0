# Every word that people and CI use. `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

CYCLES ?= 200
SEEDS ?= 200
EVENTS ?= 2000000
REPEAT ?= 3
MINUTES ?= 10
PORT ?= 8321
BINARY := target/release/trailbook

.PHONY: help demo cluster test check web country release e2e deliveries lake cluster-faults packaging screenshots kill9 simulate import-all bench golden deny clean

help: ## this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

demo: release country ## build, start on loopback, load real audit events (PROFILE=name: that profile's), print address, key and a curl; a product's page around it at PORT+1
	@scripts/demo $(BINARY) $(PORT) $(PROFILE)

cluster: release country ## the same demo on three nodes with PostgreSQL and an S3 server, at PORT, PORT+1, PORT+2
	cargo build --release --locked -p trailbook-testkit-s3
	@scripts/cluster-demo $(BINARY) $(PORT) $(PROFILE)

test: web ## everything that CI runs
	scripts/test

check: ## formatting and lints only
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --all-features -- -D warnings

web: web/dist/index.html ## build the screen
web/dist/index.html: $(shell find web -type f -not -path 'web/node_modules/*' -not -path 'web/dist/*' 2>/dev/null)
	cd web && npm ci --no-audit --no-fund && npm run build
	@touch web/dist/index.html

country: target/country.mmdb ## fetch the country database (DB-IP Lite, CC BY 4.0)
target/country.mmdb:
	scripts/fetch-country-database target/country.mmdb

release: web ## the release binary
	cargo build --release --locked -p trailbook

e2e: web ## browser journeys against the debug binary
	cargo build --locked -p trailbook
	scripts/e2e target/debug/trailbook

screenshots: release country ## draw the pictures in docs/screenshots
	cd web && TRAILBOOK_BIN=$(abspath $(BINARY)) TRAILBOOK_COUNTRY_DATABASE=$(abspath target/country.mmdb) npm run screenshots

kill9: release ## kill -9 under load while it seals, CYCLES=200 times
	KILL9_CYCLES=$(CYCLES) TRAILBOOK_BIN=$(abspath $(BINARY)) cargo test --release --locked -p trailbook --test http -- --nocapture kill9

simulate: ## a ledger held against a plain vector through SEEDS=200 random lives; SEED=17 repeats one
	SEEDS=$(SEEDS) cargo test --release --locked -p trailbook-query --test query -- --nocapture simulation

import-all: release ## import every file below DATA=DIR twice; DATA is laid out like testdata/real
	scripts/import-all $(BINARY) "$(DATA)"

deliveries: web ## exports, streams and alerts against programs that are not ours, with kills and bad days; make test leaves those out
	cargo build --locked -p trailbook
	scripts/deliveries target/debug/trailbook

cluster-faults: web ## three nodes, PostgreSQL and S3: faults at random for MINUTES=10 and takes-over, judged; make test has the short stories
	cargo build --locked -p trailbook -p trailbook-testkit-s3
	TRAILBOOK_CLUSTER_MINUTES=$(MINUTES) scripts/cluster target/debug/trailbook

packaging: web ## what is in packaging/ judged by hadolint, Helm, Kubernetes' schemas, promtool, systemd and Caddy
	cargo build --locked -p trailbook
	scripts/packaging target/debug/trailbook

lake: web ## the lake read by other engines, Spark among them, which make test leaves out
	cargo build --locked -p trailbook
	scripts/lake target/debug/trailbook
	scripts/lake target/debug/trailbook spark

bench: release country ## measure against PostgreSQL and ClickHouse, EVENTS=2000000 REPEAT=3
	bench/run --events $(EVENTS) --repeat $(REPEAT)

golden: ## rewrite the golden files (docs/openapi.json, docs/profiles.md, testdata/segment, testdata/documentation.mmdb)
	UPDATE_GOLDEN=1 cargo test --locked -p trailbook -- openapi the_table_of_rows the_networks_of_documentation
	UPDATE_GOLDEN=1 cargo test --locked -p trailbook-ledger --test segment golden_segment_is_written

deny: ## licences and advisories of dependencies; needs cargo-deny
	cargo deny check licenses bans sources

clean: ## remove what was built
	rm -rf target web/dist web/node_modules
