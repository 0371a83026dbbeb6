# make help lists the targets. Everything is built with one profile, release: the tests use what `cargo run --release` built.
# PROFILE=dev builds faster and runs slower, for work on one thing.

CARGO ?= cargo
PROFILE ?= release
RECORDINGS := payment-worker-kill payment-worker-slow-restart payment-worker-three-kills
NOTEBOOKS := $(wildcard notebooks/*.ipynb)
RUN := $(CARGO) run --quiet --locked --profile $(PROFILE) --
OUT := target/report-check
SECONDS_EACH ?= 60

.DEFAULT_GOAL := help
PROGRAMS = target/$(if $(filter dev,$(PROFILE)),debug,$(PROFILE))
.PHONY: demo demo-quick kills-nine
.PHONY: help setup test notebooks lint deny report-check picture bench calibrate datasets
.PHONY: automation-check
.PHONY: fuzz

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

setup: ## install what tests and checks need (Debian, npm, PyPI); only what is missing
	@bash .ci/setup

test: setup ## install what is missing, then run all tests
	$(CARGO) test --locked --profile $(PROFILE)
	$(MAKE) report-check
	$(MAKE) demo-quick
	$(MAKE) automation-check
ifneq ($(NOTEBOOKS),)
	$(MAKE) notebooks
endif

demo: setup ## kill workers of the example service for real: Prometheus, 14 kills, 3 controls, a sabotaged variant (8 minutes)
	$(CARGO) build --locked --profile $(PROFILE) --bins --example payments
	BIN=$(PROGRAMS) bash examples/payments/demo/demo.sh

demo-quick: setup ## the short parts of the demo: the embedded collector, and an abort (1 minute)
	$(CARGO) build --locked --profile $(PROFILE) --bins --example payments
	BIN=$(PROGRAMS) bash examples/payments/demo/demo.sh --quick

kills-nine: ## kill -9 of `unfazed run` at 50 random moments (4 minutes)
	UNFAZED_KILLS=50 $(CARGO) test --locked --profile $(PROFILE) --test it run::killed_at -- --nocapture

notebooks: setup ## run every notebook from top to bottom
	VENV=.venv UNFAZED=target/$(if $(filter dev,$(PROFILE)),debug,$(PROFILE))/unfazed bash notebooks/run.sh

lint: ## formatting, clippy and documentation, warnings refused
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --profile $(PROFILE) --all-targets -- -D warnings
	$(CARGO) clippy --locked --profile $(PROFILE) --no-default-features --lib -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --profile $(PROFILE) --no-deps

deny: ## licences, sources and advisories of all dependencies (installs cargo-deny)
	command -v cargo-deny >/dev/null || $(CARGO) install --locked cargo-deny
	$(CARGO) deny --config .cargo/deny.toml check

report-check: setup ## open the reports of the recordings in Chromium: W3C, axe, nothing external
	for recording in $(RECORDINGS); do \
	    $(RUN) --quiet analyze --exit-zero "datasets/$$recording" -o "$(OUT)/$$recording" >/dev/null || exit 1; \
	done
	rm -rf "$(OUT)/history" && for recording in $(RECORDINGS); do \
	    $(RUN) --quiet analyze --exit-zero "datasets/$$recording" -o "$(OUT)/$$recording" --history "$(OUT)/history" >/dev/null || exit 1; \
	done
	$(RUN) --quiet weekly --history "$(OUT)/history" -o "$(OUT)/weekly.html" >/dev/null
	rm -rf "$(OUT)/many" && python3 benches/history.py make "$(OUT)/many" 1000
	$(RUN) --quiet weekly --history "$(OUT)/many" -o "$(OUT)/weekly-many.html" >/dev/null
	$(RUN) --quiet compare --allow-different-experiments --runbook-change https://example.org/runbooks/42 -o "$(OUT)/compare.html" \
	    "$(OUT)/payment-worker-slow-restart" "$(OUT)/payment-worker-kill" >/dev/null
	$(RUN) --quiet compare --exit-zero --allow-different-experiments -o "$(OUT)/compare-open.html" \
	    "$(OUT)/payment-worker-kill" "$(OUT)/payment-worker-three-kills" >/dev/null
	node tests/browser/check.mjs $(RECORDINGS:%=$(OUT)/%/report.html) \
	    $(OUT)/weekly.html $(OUT)/weekly-many.html $(OUT)/compare.html $(OUT)/compare-open.html

automation-check: setup ## read the exports of the runbook as StackStorm, SSM, Rundeck and a shell do
	mkdir -p "$(OUT)/automation"
	$(RUN) --quiet analyze --exit-zero datasets/payment-worker-slow-restart -o "$(OUT)/automation" >/dev/null
	for format in rundeck.yaml ssm.yaml markdown.md stackstorm; do \
	    $(RUN) --quiet runbook "$(OUT)/automation/result.json" --export "$${format%%.*}" -o "$(OUT)/automation/$$format" || exit 1; \
	done
	.venv-automation/bin/python tests/automation/check.py "$(OUT)/automation"

picture: setup ## take the pictures of the reports in README.md anew
	for pair in payment-worker-kill:report payment-worker-slow-restart:changes; do \
	    recording=$${pair%%:*}; \
	    $(RUN) --quiet analyze --exit-zero "datasets/$$recording" -o "$(OUT)/$$recording" >/dev/null || exit 1; \
	    profile=$$(mktemp -d) && "$${CHROMIUM:-chromium}" --headless --no-sandbox --disable-gpu --no-first-run --hide-scrollbars \
	        --disable-background-networking --user-data-dir="$$profile" --window-size=960,1520 \
	        --screenshot="datasets/pictures/$${pair##*:}.png" "file://$(CURDIR)/$(OUT)/$$recording/report.html" 2>/dev/null; \
	    code=$$?; rm -rf "$$profile"; [ $$code = 0 ] || exit $$code; \
	done

fuzz: ## damage the inputs of every reader, a minute each (SECONDS_EACH=60)
	UNFAZED_FUZZ_SECONDS=$(SECONDS_EACH) $(CARGO) test --locked --profile $(PROFILE) --test it fuzz:: -- --nocapture --test-threads 1

bench: ## how fast the kernels and the reader are here
	$(CARGO) bench --locked

calibrate: ## how often verdicts are wrong, by simulation: fills the table in README.md
	$(CARGO) run --locked --profile $(PROFILE) --example calibrate -- --readme README.md

datasets: ## record the three data sets anew (51 minutes; they replace those in the repository)
	$(CARGO) build --release --locked --no-default-features --example payments
	for recording in $(RECORDINGS); do \
	    python3 datasets/record.py "$$recording" --service target/release/examples/payments || exit 1; \
	done
