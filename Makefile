# Forecourt. The targets are a contract (DESIGN.md): all deps demo test check bench fuzz soak fleet vm-test package menuconfig clean.
BOARD ?= host
V ?= 0
CC = gcc
AR = ar
KCONFIG_CONF = kconfig-conf
# Another machine's board says here what differs: boards/musl.mk.
-include boards/$(BOARD)/toolchain.mk

out    := build/$(BOARD)$(if $(filter shared,$(LINK)),-shared)
deps   := $(or $(sysroot),build/deps)
config := $(out)/.config
header := $(out)/include/kconfig.h
q      := $(if $(filter 1,$(V)),,@)
say     = $(if $(filter 1,$(V)),@:,@printf '  %-7s %s\n')

rooms    := base config loop store script bus device station charge upstream control admin
sources  := $(foreach r,$(rooms),$(wildcard core/$(r)/*.c))
# The command line's files but its program: the linker takes what a program uses.
sources  += $(filter-out core/cli/program.c,$(wildcard core/cli/*.c))
main_src := $(wildcard core/main/*.c)
sims     := sim-charger sim-platform sim-bms
sim_src  := $(wildcard core/sim/*.c)
units    := $(patsubst tests/unit/%.c,$(out)/unit/%,$(wildcard tests/unit/test_*.c))
vms      := $(patsubst tests/vm/%.c,$(out)/vm/%,$(wildcard tests/vm/test_*.c))
benches  := $(patsubst tests/bench/%.c,$(out)/bench/%,$(wildcard tests/bench/bench_*.c))
benches  += $(patsubst tests/peers/%.c,$(out)/peers/%,$(wildcard tests/peers/*.c))

-include $(out)/auto.conf
ifeq ($(CONFIG_ADMIN),)
sources := $(filter-out core/admin/%,$(sources))
endif
ifeq ($(CONFIG_CAN),)
sources := $(filter-out $(foreach f,socket raw look netlink,core/bus/can_$f.c),$(sources))
endif
sanitize := $(if $(CONFIG_SANITIZE_ADDRESS),-fsanitize=address -fsanitize=undefined -fno-sanitize-recover=undefined)
sanitize += $(if $(CONFIG_SANITIZE_THREAD),-fsanitize=thread)

pkgs      := lua5.4 sqlite3 libmodbus wolfssl
warnings  := -Wall -Wextra -Wconversion -Wshadow -Werror
version   := $(shell git describe --always --dirty 2>/dev/null || echo unknown)
CPPFLAGS  += -D_GNU_SOURCE -Icore -I$(out)/include -isystem $(deps)/include
CFLAGS    += -std=gnu11 $(if $(CONFIG_OPTIMIZE_SIZE),-Os,-O1) -g $(warnings) -fstack-protector-strong -fno-common $(sanitize)
CFLAGS    += -ffunction-sections -fdata-sections -pthread
LDFLAGS   += $(sanitize) -pthread -Wl,--gc-sections -Wl,-z,relro,-z,now
ifeq ($(sysroot),)
libs       = $(shell pkg-config --libs $(1) 2>/dev/null)
isystem   := $(subst -I,-isystem ,$(shell pkg-config --cflags $(pkgs) 2>/dev/null))
endif
LDLIBS    += $(deps)/lib/libwebsockets.a $(call libs,$(pkgs)) -lz -lm -ldl

objects = $(patsubst %.c,$(out)/obj/%.o,$(1))
lib := $(out)/libforecourt.a

.PHONY: all deps demo test check bench soak fleet vm-test package vms menuconfig clean objects units benches web tools FORCE
.DELETE_ON_ERROR:

all: deps
	$(q)$(MAKE) --no-print-directory tools && $(MAKE) --no-print-directory $(out)/forecourt.cdx.json

deps:
ifeq ($(sysroot),)
	$(q)sh boards/deps.sh $(CURDIR)/$(deps)
else
	$(q)sh boards/packages.sh boards/packages.txt
	$(q)sh boards/cross.sh $(arch) $(CURDIR)/$(sysroot) $(filter shared,$(LINK))
endif

tools: $(out)/forecourtd $(out)/forecourt $(if $(sysroot),,$(addprefix $(out)/,$(sims))) web

objects: $(call objects,$(sources) $(main_src) core/cli/program.c)
units: $(units)
benches: $(benches)
vms: $(vms)

# Kconfig: the board's defconfig, then what menuconfig changed.
$(config): boards/$(BOARD)/defconfig
	@mkdir -p $(out)/include
	$(q)KCONFIG_CONFIG=$@ $(KCONFIG_CONF) --defconfig=$< Kconfig >/dev/null
	@touch $@

kconfig_files := Kconfig $(wildcard core/*/Kconfig)
$(out)/auto.conf $(header): $(config) $(kconfig_files)
	$(q)KCONFIG_CONFIG=$(config) $(KCONFIG_CONF) --olddefconfig Kconfig >/dev/null
	$(q)sh boards/kconfig-header.sh $(config) $(header) $(out)/auto.conf

menuconfig: $(config)
	KCONFIG_CONFIG=$(config) kconfig-mconf Kconfig

$(out)/obj/%.o: %.c $(header)
	@mkdir -p $(@D)
	$(say) CC $<
	$(q)$(CC) $(CPPFLAGS) $(isystem) -include $(header) $(CFLAGS) -MMD -MP -c -o $@ $<

# The version goes into one object a program only, so that a commit does not rebuild the world.
$(out)/version.txt: FORCE
	@mkdir -p $(@D)
	@echo '$(version)' | cmp -s - $@ || echo '$(version)' >$@
versioned := $(call objects,core/main/main.c core/cli/program.c)
$(versioned): CPPFLAGS += -DFORECOURT_VERSION='"$(version)"'
$(versioned): $(out)/version.txt

$(lib): $(call objects,$(sources))
	$(say) AR $@
	$(q)rm -f $@ && $(AR) rcs $@ $^

# The map says who takes how much of it (tests/bench/box.py).
$(out)/forecourtd: $(call objects,$(main_src)) $(lib)
	$(say) LD $@
	$(q)$(CC) $(LDFLAGS) -Wl,-Map=$@.map -o $@ $^ $(LDLIBS)
	$(q)$(call stripped,$@)

ifneq ($(CONFIG_ONE_PROGRAM),)
$(out)/forecourt: $(out)/forecourtd
	$(q)ln -sf forecourtd $@
else
# Of the bus one exchange (bus scan --direct), no store, and of wolfSSL the hashes: what else of the library needs them is not taken.
$(out)/forecourt: $(call objects,core/cli/program.c) $(lib)
	$(say) LD $@
	$(q)$(CC) $(LDFLAGS) -o $@ $^ $(call libs,lua5.4 wolfssl libmodbus) -lm
	$(q)$(call stripped,$@)
endif

# Simulators: programs of their own; of the daemon's code they use base/ and the transport in loop/, nothing that
# encodes or decodes the protocols.
$(out)/sim-charger: $(call objects,$(wildcard core/sim/charger*.c))
	$(say) LD $@
	$(q)$(CC) $(LDFLAGS) -o $@ $^ -lm
$(out)/sim-bms: $(call objects,$(wildcard core/sim/bms*.c)) $(lib)
	$(say) LD $@
	$(q)$(CC) $(LDFLAGS) -o $@ $^
$(out)/sim-platform: $(call objects,$(wildcard core/sim/platform*.c)) $(lib)
	$(say) LD $@
	$(q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS) -ljansson -lcrypto

# The library last: what a test brings along takes the place of what is in it.
$(out)/unit/%: $(out)/obj/tests/unit/%.o $(lib)
	@mkdir -p $(@D)
	$(say) LD $@
	$(q)$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(lib) $(LDLIBS) -lcmocka
# The model of sessions and outbox, and the code beside it.
$(out)/unit/test_model $(out)/unit/test_model_walk: $(call objects,$(wildcard tests/model/*.c))
$(out)/unit/test_model_walk: $(call objects,$(wildcard tests/model/walk/*.c))
# The ARM machine's own helpers.
$(out)/vm/canup $(out)/vm/canpipe: $(out)/vm/%: $(out)/obj/tests/vm/%.o $(lib)
	@mkdir -p $(@D)
	$(say) LD $@
	$(q)$(CC) $(LDFLAGS) -o $@ $^
$(out)/vm/%: $(out)/obj/tests/vm/%.o $(lib)
	@mkdir -p $(@D)
	$(say) LD $@
	$(q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS) -lcmocka
$(out)/peers/%: $(out)/obj/tests/peers/%.o $(lib)
	@mkdir -p $(@D)
	$(say) LD $@
	$(q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)
$(out)/bench/%: $(out)/obj/tests/bench/%.o $(lib)
	@mkdir -p $(@D)
	$(say) LD $@
	$(q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

web:
	$(q)sh rootfs/www/build.sh $(out)/www

# The bill of materials: what is in the program and the page, of which version, licence and source (CycloneDX).
$(out)/forecourt.cdx.json: $(out)/forecourtd rootfs/package/bom.py $(wildcard $(out)/www/.meta.json $(deps)/sources*.txt /var/lib/dpkg/status)
	$(q)/usr/bin/python3 -B rootfs/package/bom.py --build $(out) --board $(BOARD) --cc $(CC)

demo: all
	$(q)/usr/bin/python3 tests/system/demo.py --build $(out) $(if $(DEMO_SECONDS),--seconds $(DEMO_SECONDS))

test: all
	$(q)sh tests/run.sh

check: deps
	$(q)sh tests/check.sh

bench: all
	$(q)$(MAKE) --no-print-directory benches
	$(q)/usr/bin/python3 -B tests/bench/run.py --build $(out) $(if $(BENCH),--only $(BENCH))

# Days of a whole station by a clock that goes as fast as it keeps up: make soak SOAK_DAYS=30; 500 gateways and one platform: make fleet.
SOAK_DAYS ?= 30
soak: all
	$(q)/usr/bin/python3 -B tests/soak/run.py --build $(out) --days $(SOAK_DAYS) --verbose
fleet: all
	$(q)/usr/bin/python3 -B tests/fleet/run.py --build $(out)
	$(q)/usr/bin/python3 -B tests/fleet/metrics.py --build $(out)

# On the host's board CAN in a real kernel; on another the box itself, from its package (the chargers' simulator is the host's).
ifeq ($(sysroot),)
vm-test: all
	$(q)$(MAKE) --no-print-directory vms
	$(q)sh tests/vm/run.sh $(out)
else
vm-test: deps
	$(q)$(MAKE) --no-print-directory package
	$(q)$(MAKE) --no-print-directory $(out)/sim-bms $(out)/vm/canup $(out)/vm/canpipe
	$(q)$(MAKE) --no-print-directory BOARD=host build/host/sim-charger
	$(q)sh tests/vm/arm.sh $(out)
endif

# .ipk and .apk of what this board's build is, into build/BOARD/packages. PKG_ARCH: OpenWrt's name of the architecture, where the board has none.
STRIP ?= $(patsubst %cc,%strip,$(CC:gcc=cc))
package: deps
	$(q)$(MAKE) --no-print-directory $(out)/forecourtd web
	$(q)/usr/bin/python3 -B rootfs/package/pack.py --build $(out) --board $(BOARD) --strip "$(STRIP)" --arch "$(PKG_ARCH)"

clean:
	rm -rf $(filter-out build/deps build/cross,$(wildcard build/*))

include $(wildcard tests/fuzz/fuzz.mk) # not in the source package of the recipes
-include $(shell find $(out)/obj -name '*.d' 2>/dev/null)
