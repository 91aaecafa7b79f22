# Satchel: the whole loop of a newcomer and of a developer.
#
#   make run     install what is missing, build, start `satchel dev`
#   make test    install what is missing, build with sanitizers, run every test
#   make check   format, layering, headers, thread sanitizer: what CI runs beside the tests
#   make soak    random operations and crashes against a model (MINUTES=60; SEED=N repeats a run)
#   make bench   measure against nginx (ROUNDS=5; FULL=1 adds the long rows)
#
# Further: build, format, fuzz (SECONDS_EACH=30), clean.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run build test unit e2e soak check format tsan bench fuzz clean

export CCACHE_DIR ?= $(HOME)/.cache/satchel-ccache
SECONDS_EACH ?= 30
ROUNDS ?= 5
MINUTES ?= 60

help:
	@sed -n 's/^#   //p' Makefile

build:
	@scripts/install_packages build
	@cmake --preset release > build-configure.log 2>&1 || { cat build-configure.log; exit 1; }
	@rm -f build-configure.log
	@cmake --build --preset release

run: build
	@scripts/install_packages media
	@build/release/satchel dev

test: unit e2e
	@$(MAKE) --no-print-directory soak MINUTES=0.5 SEED=1
	@$(MAKE) --no-print-directory soak MINUTES=0.5 SEED=3 # through a carrier's bridge

build/dev/satchel: unit

unit:
	@scripts/install_packages build test
	@cmake --preset dev > build-configure.log 2>&1 || { cat build-configure.log; exit 1; }
	@rm -f build-configure.log
	@cmake --build --preset dev
	@ctest --preset dev

e2e: unit
	@cd tests/e2e && npm ci --loglevel=error --no-fund --no-audit
	@cd tests/e2e && SATCHEL=$(CURDIR)/build/dev/satchel node --test $$(ls *.test.mjs)

soak:
	@scripts/install_packages build test
	@cmake --preset dev > build-configure.log 2>&1 || { cat build-configure.log; exit 1; }
	@rm -f build-configure.log
	@cmake --build --preset dev --target satchel
	@cd tests/e2e && npm ci --loglevel=error --no-fund --no-audit
	@node tests/soak/soak.mjs --minutes $(MINUTES) $(if $(SEED),--seed $(SEED))

check:
	@scripts/install_packages build test check
	@scripts/check_format
	@scripts/check_layers
	@scripts/check_rules
	@cmake --preset dev > build-configure.log 2>&1 || { cat build-configure.log; exit 1; }
	@rm -f build-configure.log
	@cmake --build --preset dev --target headers
	@$(MAKE) --no-print-directory tsan

# The threaded parts under the thread sanitizer.
tsan:
	@scripts/install_packages build test
	@cmake --preset tsan > build-configure.log 2>&1 || { cat build-configure.log; exit 1; }
	@rm -f build-configure.log
	@cmake --build --preset tsan
	@ctest --preset tsan

format:
	@scripts/install_packages check
	@git ls-files '*.cpp' '*.hpp' | xargs clang-format-19 -i

bench: build
	@scripts/install_packages bench
	@cmake --build --preset release --target satchel_load satchel_detect_bench
	@node bench/run.mjs --rounds $(ROUNDS) $(if $(FULL),--full) $(BENCH_ARGS)

fuzz:
	@scripts/install_packages build test
	@cmake --preset fuzz > build-configure.log 2>&1 || { cat build-configure.log; exit 1; }
	@rm -f build-configure.log
	@cmake --build --preset fuzz --target fuzzers
	@scripts/run_fuzzers build/fuzz $(SECONDS_EACH)

clean:
	@rm -rf build
