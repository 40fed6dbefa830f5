# A thin front for the droneforge command. `make help` lists the targets.

SWIFT ?= swift
# How droneforge is compiled; `debug` is what its tests are compiled with anyway.
CONFIGURATION ?= release
BUILD := build
DRONEFORGE := $(BUILD)/bin/droneforge
FORGE_SOURCES := Package.swift $(shell find Sources -name '*.swift' -o -name '*.[ch]' -o -name '*.modulemap')

# Options of one run: TARGET=i586 is for PCs from the Pentium on that have a BIOS, TARGET=x86_64 for PCs of 64 bits, and any for
# both on one medium; KERNEL=own|debian|/path/linux-image-….deb|/path/bzImage takes
# another kernel, and MODULES=all|pc|name,name of a Debian kernel these modules, or MODULES=/path/lib/modules/VERSION those of
# a bzImage; FIRMWARE=/path/lib/firmware|debian adds what their drivers ask for; CLUSTER=name makes the image for that
# cluster, and CREDENTIAL=full|public|none says what it carries of it.
TARGET ?= any
KERNEL ?=
MODULES ?=
FIRMWARE ?=
CLUSTER ?=
CREDENTIAL ?=
# SECUREBOOT=name signs what UEFI starts by a key of your own (build/bin/droneforge secureboot create name), and WORDS='…' adds
# boot words to the program that is signed, and to drone-x64.efi of a network boot tree.
SECUREBOOT ?=
WORDS ?=
# BOOT=uefi, uefi32 or secureboot is what `make run` starts the image by.
BOOT ?= bios
# INTERFACE=eth0 is the card that `make serve` serves the tree on; with RANGE=first,last it gives out these addresses, without
# it another DHCP server does.
INTERFACE ?=
RANGE ?=
# N=20 is how many drones an army has.
N ?= 3
# ONLY=Membership builds and tests that module and what it uses; no other program of the build is to see it.
ONLY ?=
unexport ONLY
image_options := --target '$(TARGET)' $(if $(KERNEL),--kernel '$(KERNEL)') $(if $(MODULES),--modules '$(MODULES)') \
  $(if $(FIRMWARE),--firmware '$(FIRMWARE)') \
  $(if $(CLUSTER),--cluster '$(CLUSTER)') \
  $(if $(CREDENTIAL),--credential '$(CREDENTIAL)') $(if $(SECUREBOOT),--secureboot '$(SECUREBOOT)') \
  $(if $(WORDS),--words '$(WORDS)')
signing := $(if $(SECUREBOOT),sign)

# Outputs that are not for every computer have the target in their names.
suffix := $(if $(filter-out any,$(TARGET)),-$(TARGET))

.DEFAULT_GOAL := help
.PHONY: help deps iso pxe master serve run army unit smoke soak test lint fuzz bench clean swift others
.NOTPARALLEL:

help: ## This list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-7s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

iso: $(DRONEFORGE) ## The drone CD and USB image: build/drone.iso (TARGET=i586|x86_64, CLUSTER=name, KERNEL=…, SECUREBOOT=name)
	@sysroot/install-packages sysroot image $(signing)
	@$(DRONEFORGE) iso --output $(BUILD) $(image_options)

pxe: $(DRONEFORGE) ## The network boot tree: build/pxe (TARGET=i586|x86_64, CLUSTER=name, SECUREBOOT=name)
	@sysroot/install-packages sysroot image $(signing)
	@$(DRONEFORGE) pxe --output $(BUILD) $(image_options)

master: $(DRONEFORGE) ## The Debian package with tyd for a 64-bit master: build/tyd_VERSION_amd64.deb
	@sysroot/install-packages sysroot image
	@$(DRONEFORGE) master --output $(BUILD)

serve: pxe ## Serve build/pxe until Ctrl-C: INTERFACE=eth0, and RANGE=first,last where no DHCP server is
	@sysroot/install-packages serve
	@$(if $(filter-out 0,$(shell id -u)),sudo) $(DRONEFORGE) serve --interface '$(INTERFACE)' \
	  $(if $(RANGE),--range '$(RANGE)') --tree $(BUILD)/pxe$(suffix)

run: iso ## Boot build/drone.iso in QEMU and look at it (BOOT=uefi)
	@sysroot/install-packages run
	@$(DRONEFORGE) run --boot '$(BOOT)' $(BUILD)/drone$(suffix).iso

army: pxe ## N virtual drones on this PC that form a cluster (N=3)
	@sysroot/install-packages run
	@$(DRONEFORGE) army --nodes $(N) --tree $(BUILD)/pxe$(suffix)

unit: swift ## Every test that needs no virtual machine (ONLY=Membership: those of one module)
	@sysroot/install-packages tool image sign test
	@SWIFT='$(SWIFT)' ONLY='$(ONLY)' .ci/test unit

smoke: iso pxe master others ## Only the tests that boot virtual machines
	@sysroot/install-packages sign run test
	@SWIFT='$(SWIFT)' .ci/test machines

# Images of the other targets, and of 64 bits with a kernel of our own.
others:
	@$(MAKE) --no-print-directory iso TARGET=i586
	@$(MAKE) --no-print-directory iso TARGET=x86_64
	@$(DRONEFORGE) iso --output $(BUILD)/own --target x86_64 --kernel own

test: iso pxe master others ## Every test, virtual machines included; which were slow, and what the machines cost
	@sysroot/install-packages sign run test
	@SWIFT='$(SWIFT)' .ci/test unit machines

fuzz: swift ## Ten million generated messages for each of tyd's readers, a million for every other
	@sysroot/install-packages tool
	@SWIFT='$(SWIFT)' .ci/fuzz

soak: iso pxe ## Ten minutes of ordinary use and of a cluster, without a false alarm (DRONEFORGE_SOAK_SECONDS=600)
	@sysroot/install-packages run test
	@DRONEFORGE_SOAK_SECONDS=$${DRONEFORGE_SOAK_SECONDS:-600} $(SWIFT) test --filter SoakTests

bench: iso pxe others ## The project's numbers, measured
	@sysroot/install-packages run test
	@$(DRONEFORGE) bench --output $(BUILD)

lint: swift ## Formatting, shell scripts, loose ends
	@sysroot/install-packages lint
	@.ci/lint

deps: ## Install every missing Debian package, for all targets
	@sysroot/install-packages tool sysroot image sign run serve test lint

clean: ## Remove what was built here (the sysroot cache stays)
	@rm -rf $(BUILD) .build .build-drone .build-fuzz

swift:
	@command -v $(SWIFT) >/dev/null || { \
	  echo "Swift 6.3 or newer is needed and '$(SWIFT)' is not in PATH: install it from swift.org, or say make SWIFT=/path/to/swift." >&2; \
	  exit 1; }

# What droneforge itself refuses, before it takes minutes to build it.
$(DRONEFORGE): $(FORGE_SOURCES) | swift
	@for folder in "$$(pwd)" "$${XDG_CACHE_HOME:-$$HOME}"; do \
	  [ -z "$$(printf %s "$$folder" | LC_ALL=C tr -d 'a-zA-Z0-9/._+@~\200-\377-')" ] || { \
	    echo "\"$$folder\" has a character in its path over which makefiles or compilers stumble: letters, digits and / . _ - + @ ~ are safe. Move the checkout, or set XDG_CACHE_HOME to another folder." >&2; \
	    exit 1; }; \
	done
	@for folder in $(BUILD) $(BUILD)/bin .build; do \
	  [ ! -e $$folder ] || [ -w $$folder ] || { \
	    echo "$$folder belongs to another user, perhaps since sudo was used. Take it over: sudo chown -R $$(id -u) $$(pwd)/$$folder" >&2; \
	    exit 1; }; \
	done
	@sysroot/install-packages tool
	@mkdir -p $(BUILD)/bin
	@echo "Building droneforge (log: $(BUILD)/droneforge.log) …"
	@$(SWIFT) build -c $(CONFIGURATION) --product droneforge >$(BUILD)/droneforge.log 2>&1 || { \
	  grep -E 'error|warning' $(BUILD)/droneforge.log | head -n 20 >&2; \
	  echo "droneforge did not compile; the whole output is in $(BUILD)/droneforge.log." >&2; exit 1; }
	@cp .build/$(CONFIGURATION)/droneforge $@.part && mv $@.part $@
