# What can be done here. Each recipe is a script; a fresh Debian 12 or 13 machine needs git, make and nothing else.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup build test fuzz demo bench docs lint format micropython firmware clean distclean

help: ## lists the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

setup: .venv/ready ## Debian packages (as root or through sudo) and .venv; the other targets do it when needed

.venv/ready: tools/setup tools/packages-debian.txt requirements-dev.txt
	tools/setup

build: setup ## library (build/lib), examples (build/bin), Python package (.venv)
	tools/build

micropython: setup ## build/bin/micropython with our module, build/bin/micropython-stock without
	tools/micropython

firmware: .venv/ready-firmware ## MicroPython over lwIP for a Cortex-M3 in QEMU; build/bin/board runs it
	tools/firmware

.venv/ready-firmware: tools/setup tools/packages-firmware.txt
	tools/setup firmware

test: .venv/ready-docs .venv/ready-firmware ## everything that is checked, up to 60 minutes; tools/test quick for an answer in three
	.venv/bin/python tools/test

fuzz: build micropython ## random trials for MINUTES=n on each host, until something is found
	cmake --preset asan && cmake --build --preset asan --target usocket_random
	cmake --preset tsan && cmake --build --preset tsan --target usocket_random
	.venv/bin/python tests/random/fuzz.py --seconds $$(($(or $(MINUTES),10) * 60))

demo: build micropython firmware ## a board's program at an MQTT broker, nginx, our servers, a board in QEMU
	.venv/bin/python tools/demo

bench: build micropython firmware ## every figure against its rivals, into bench/results; QUICK=1 for under a minute
	.venv/bin/python bench/run.py $(if $(QUICK),--quick)

docs: build .venv/ready-docs ## the documentation as a site: build/docs/html
	.venv/bin/python tools/docs

.venv/ready-docs: tools/setup tools/packages-docs.txt requirements-docs.txt
	tools/setup docs

lint: setup ## clang-format, clang-tidy, ruff and mypy
	tools/lint

format: setup ## lets clang-format and ruff lay out all sources
	tools/lint --fix

clean: ## removes what was built
	rm -rf build dist

distclean: clean ## removes .venv as well
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis
