# What a board's toolchain.mk includes when the board is no host but an OpenWrt box: musl, and all libraries from boards/cross.sh.
# The board says before: arch = aarch64 or armv7.
sysroot := build/cross/$(arch)
CC      := $(sysroot)/bin/cc
AR      := $(sysroot)/bin/ar

# Debian's linker aligns for 64 KiB pages: 60 kB of nothing in each program.
CFLAGS  += -fno-asynchronous-unwind-tables -fno-unwind-tables
LDFLAGS += -Wl,-z,max-page-size=4096

# static (default): one file that asks nothing of the box. shared: for OpenWrt's SDK, with the libraries of its feeds; libwebsockets
# is in the program in either form, because the feeds have none with wolfSSL.
LINK ?= static
ifeq ($(LINK),static)
LDFLAGS += -static
endif

libs     = $(patsubst %,-l%,$(patsubst lib%,%,$(1)))
isystem := -isystem $(sysroot)/include/lua5.4 -isystem $(sysroot)/include/modbus

# What is installed goes without its debug information, which stands in NAME.debug for gdb and addr2line.
stripped = $(sysroot)/bin/objcopy --only-keep-debug $(1) $(1).debug && $(sysroot)/bin/strip $(1) && \
	   cd $(out) && $(CURDIR)/$(sysroot)/bin/objcopy --add-gnu-debuglink=$(notdir $(1)).debug $(notdir $(1))
