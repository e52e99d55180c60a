# SPDX-License-Identifier: Apache-2.0
# A façade: CMakePresets.json says how things are built, scripts/ what is run.
.DEFAULT_GOAL := help
.PHONY: help deps build run test check asan tsan clang fuzz bench clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-7s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

deps: ## install what building and testing need (Debian packages, a Python environment)
	@scripts/install-deps

build: deps ## the optimised binary, build/weir
	@scripts/build default

run: build ## the demonstration: a hundred simulated sensors
	@build/weir demo

check: deps ## build, unit tests and tidy, in under a minute
	@scripts/test check

test: deps ## everything: all tests, the sanitizers, clang, the fuzz corpus
	@scripts/test all

asan: deps ## tests under AddressSanitizer and UndefinedBehaviorSanitizer
	@scripts/test asan

tsan: deps ## tests under ThreadSanitizer
	@scripts/test tsan

clang: deps ## clang build, warnings as errors, and its unit tests
	@scripts/test clang

fuzz: deps ## each fuzz target for 30 seconds (SECONDS_EACH=n)
	@scripts/fuzz

bench: build ## the project's measurements
	@scripts/bench

clean: ## remove the build folders
	@rm -rf build build-asan build-tsan build-clang build-fuzz
