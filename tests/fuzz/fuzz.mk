# Fuzzers: tests/fuzz/README.md. A target is fuzz_NAME.c; of the other .c files here it is linked with those that it uses.
# FUZZ_SECONDS: of the whole run, shared among the targets. FUZZ: one target or some ("json envelope"), otherwise all.
FUZZ_SECONDS ?= 300
FUZZ_JOBS ?= $(shell nproc)
FUZZ ?=
# Set by `fuzz` alone: libFuzzer's main. Without it a program runs the files that it is given (replay.c), under any compiler and board.
fuzz_engine ?=

fuzzers     := $(patsubst tests/fuzz/%.c,$(out)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
fuzz_shared := $(filter-out tests/fuzz/fuzz_%,$(wildcard tests/fuzz/*.c))
fuzz_shared := $(if $(fuzz_engine),$(filter-out tests/fuzz/replay.c,$(fuzz_shared)),$(fuzz_shared))

.PHONY: fuzz fuzzers
.SECONDARY: $(call objects,$(wildcard tests/fuzz/*.c))
fuzzers: $(fuzzers)

$(out)/fuzz/libshared.a: $(call objects,$(fuzz_shared))
	@mkdir -p $(@D)
	$(say) AR $@
	$(q)rm -f $@ && $(AR) rcs $@ $^

$(out)/fuzz/fuzz_%: $(out)/obj/tests/fuzz/fuzz_%.o $(out)/fuzz/libshared.a $(lib)
	@mkdir -p $(@D)
	$(say) LD $@
	$(q)$(CC) $(LDFLAGS) $(fuzz_engine) -o $@ $^ $(LDLIBS)

# Targets on world.h: their chargers have no wire, and a password costs nothing.
fuzz_worlds := admin answer call control live pull socket
fuzz_wraps  := bus_line_open bus_line_replan bus_line_close bus_line_id bus_line_name bus_line_write bus_line_read bus_line_why
fuzz_wraps  += bus_line_get_stats bus_line_get_units bus_line_stuck_us bus_set_by_hand scrypt_key http_defer http_answer
comma       := ,
wrap         = $(patsubst %,-Wl$(comma)--wrap=%,$(1))
$(patsubst %,$(out)/fuzz/fuzz_%,$(fuzz_worlds)): LDFLAGS += $(call wrap,$(fuzz_wraps))
$(out)/fuzz/fuzz_pull: LDFLAGS += $(call wrap,peer_call peer_ready peer_pause_ms)
$(out)/fuzz/fuzz_live: LDFLAGS += $(call wrap,loop_timer_set loop_timer_cancel websocket_send websocket_waiting websocket_end \
	websocket_message_new websocket_message_free websocket_message_len)

# It judges what the reader takes.
$(out)/fuzz/fuzz_json: LDLIBS := -llua5.4-cjson $(LDLIBS)

# Simulated time: its port (in the target itself) says when what comes.
$(out)/fuzz/fuzz_exchange: LDFLAGS += $(call wrap,clock_mono_us clock_mono_ms)

# The daemon that the command line asks, the terminal and the time are the target's.
$(out)/fuzz/fuzz_cli: LDFLAGS += $(call wrap,socket connect setsockopt send recv close open isatty nanosleep clock_mono_us clock_mono_ms)

fuzz: deps
	$(q)$(MAKE) --no-print-directory out=build/fuzz CC=clang fuzz_engine=-fsanitize=fuzzer \
		sanitize="-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined" \
		$(if $(FUZZ),$(patsubst %,build/fuzz/fuzz/fuzz_%,$(FUZZ)),fuzzers)
	$(q)/usr/bin/python3 -B tests/fuzz/run.py --build build/fuzz --seconds $(FUZZ_SECONDS) --jobs $(FUZZ_JOBS) $(FUZZ)
