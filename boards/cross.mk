# The libraries of a board that is no host, one target each, so that they build side by side. Called by boards/cross.sh alone:
# work= unpacked sources (boards/sources.sh), prefix= where they go, gnu= Debian's name of the machine, triple= musl's.
CC     := $(prefix)/bin/cc
AR     := $(prefix)/bin/ar
RANLIB := $(prefix)/bin/ranlib
# What the program's own files are built with: small, and each function in a section of its own, so that the linker drops what is not used.
CFLAGS := -Os -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables -fno-unwind-tables -fstack-protector-strong

# The same for the libraries that a box has already (LINK=shared in boards/musl.mk). A comma written out would end run's argument.
shared_cflags := $(CFLAGS) -fPIC
comma  := ,
soname  = -shared -Wl$(comma)-soname$(comma)$(1) -o $(prefix)/lib/$(1)

# What a step prints is of interest only when it fails. Not `( set -e; ... ) || ...`: before || a shell passes over what set -e is for.
run = mkdir -p $(work)/log; ( set -e; $(2) ) >$(work)/log/$(1) 2>&1; \
      [ $$? -eq 0 ] || { tail -n 60 $(work)/log/$(1) >&2; echo "cross: $(1) failed" >&2; exit 1; }; \
      touch $@

done := $(addprefix $(work)/,$(addsuffix .done,lua wolfssl lws modbus sqlite zlib cmocka))
shared := $(addprefix $(work)/,$(addsuffix -shared.done,lua wolfssl modbus sqlite zlib))
static: $(done)
shared: $(shared)
.PHONY: static shared

$(work)/musl.done:
	$(call run,musl,cd $(work)/musl; ./configure --target=$(triple) CROSS_COMPILE=$(gnu)- CC=$(gnu)-gcc --prefix=$(prefix) \
	  --syslibdir=$(prefix)/lib --enable-wrapper=no --enable-optimize=size CFLAGS="$(filter-out -fstack-protector%,$(CFLAGS)) $(cpu)"; \
	  $(MAKE); $(MAKE) install)

lua_build = for f in *.c; do case $$f in lua.c|luac.c) ;; *) $(CC) $(1) -std=gnu99 -DLUA_USE_LINUX -I$(prefix)/include/lua5.4 -c $$f;; esac; done
$(work)/lua.done: $(work)/musl.done
	$(call run,lua,cd $(work)/lua5.4/src; mkdir -p $(prefix)/include/lua5.4; \
	  echo '#define DEB_HOST_MULTIARCH "$(triple)"' >$(prefix)/include/lua5.4/lua5.4-deb-multiarch.h; \
	  cp lua.h luaconf.h lauxlib.h lualib.h $(prefix)/include/lua5.4/; \
	  $(call lua_build,$(CFLAGS)); \
	  $(AR) rcs $(prefix)/lib/liblua5.4.a *.o)
$(work)/lua-shared.done:
	$(call run,lua-shared,cd $(work)/lua5.4/src; $(call lua_build,$(shared_cflags)); \
	  $(CC) $(call soname,liblua5.4.so.5.4) *.o; ln -sf liblua5.4.so.5.4 $(prefix)/lib/liblua5.4.so)

# As OpenWrt configures it where it matters to us (opensslall, opensslextra, sni, altcertchains, FP_MAX_BITS); no scrypt there: core/control/
# brings its own.
$(work)/wolfssl-autoreconf.done:
	$(call run,wolfssl-autoreconf,cd $(work)/wolfssl; autoreconf -fi)
wolfssl_opt := --disable-examples --disable-crypttests --enable-opensslall --enable-opensslextra --enable-sni --enable-alpn \
  --enable-altcertchains --enable-certgen --enable-tls13 --disable-oldtls --disable-md4 --disable-des3 --disable-arc4 --disable-sha224 \
  --disable-sha3 --disable-pkcs12 --disable-errorstrings --enable-harden
wolfssl_build = mkdir -p $(work)/$(1); cd $(work)/$(1); ../wolfssl/configure --host=$(triple) CC=$(CC) AR=$(AR) RANLIB=$(RANLIB) \
  --prefix=$(prefix) $(2) CFLAGS="$(CFLAGS) -DFP_MAX_BITS=8192 -DHAVE_EX_DATA -DWOLFSSL_ALT_NAMES" $(wolfssl_opt); $(MAKE) install
$(work)/wolfssl.done: $(work)/musl.done $(work)/wolfssl-autoreconf.done
	$(call run,wolfssl,$(call wolfssl_build,wolfssl-static,--enable-static --disable-shared))
$(work)/wolfssl-shared.done: $(work)/wolfssl-autoreconf.done
	$(call run,wolfssl-shared,$(call wolfssl_build,wolfssl-shared,--disable-static --enable-shared))

$(work)/zlib.done: $(work)/musl.done
	$(call run,zlib,cd $(work)/zlib; CC=$(CC) AR=$(AR) RANLIB=$(RANLIB) CFLAGS="$(CFLAGS) -DDYNAMIC_CRC_TABLE" CHOST=$(triple) \
	  ./configure --static --prefix=$(prefix); $(MAKE) libz.a; cp libz.a $(prefix)/lib/; cp zlib.h zconf.h $(prefix)/include/)
$(work)/zlib-shared.done:
	$(call run,zlib-shared,cd $(work)/zlib; $(CC) $(shared_cflags) -DDYNAMIC_CRC_TABLE -DHAVE_UNISTD_H -DHAVE_STDARG_H $(call soname,libz.so.1) \
	  adler32.c crc32.c deflate.c infback.c inffast.c inflate.c inftrees.c trees.c zutil.c compress.c uncompr.c \
	  gzclose.c gzlib.c gzread.c gzwrite.c; ln -sf libz.so.1 $(prefix)/lib/libz.so)

$(work)/modbus-autoreconf.done:
	$(call run,modbus-autoreconf,cd $(work)/libmodbus; autoreconf -fi)
modbus_build = mkdir -p $(work)/$(1); cd $(work)/$(1); ../libmodbus/configure --host=$(triple) CC=$(CC) AR=$(AR) RANLIB=$(RANLIB) \
  --prefix=$(prefix) $(2) --disable-tests --without-documentation CFLAGS="$(CFLAGS)"; $(MAKE) install
$(work)/modbus.done: $(work)/musl.done $(work)/modbus-autoreconf.done
	$(call run,modbus,$(call modbus_build,modbus-static,--disable-shared --enable-static))
$(work)/modbus-shared.done: $(work)/modbus-autoreconf.done
	$(call run,modbus-shared,$(call modbus_build,modbus-shared,--enable-shared --disable-static))

# The canonical source knows how to leave parts out; the amalgamation alone does not. Out is what neither core/store/ nor a journal's schema
# asks for: 36 kB of a package. What looks as useless and is not:
#   FOREIGN_KEY, VIEW     the schema says REFERENCES and has a view: without them no journal opens
#   ATTACH                VACUUM and VACUUM INTO do it that way
#   VIRTUALTABLE, INTROSPECTION_PRAGMAS, JSON   rescue.c reads pragma_table_info and asks json_valid
#   INTEGRITY_CHECK, WAL, UPSERT, CTE           quick_check at start, the journal itself
#   PROGRESS_CALLBACK     it bounds a rescue's walks
#   TRIGGER, EXPLAIN      unit tests of the store use them: to fail a write, to see that an index serves
sqlite_omit := LOAD_EXTENSION DEPRECATED SHARED_CACHE ANALYZE AUTHORIZATION AUTOVACUUM COMPILEOPTION_DIAGS COMPLETE DATETIME_FUNCS DECLTYPE \
  DESERIALIZE GENERATED_COLUMNS GET_TABLE INCRBLOB REINDEX TCL_VARIABLE TRACE UTF16 WINDOWFUNC
sqlite_opt  := $(addprefix -DSQLITE_OMIT_,$(sqlite_omit))
$(work)/sqlite-amalgamation.done:
	$(call run,sqlite-amalgamation,mkdir -p $(work)/sqlite; cd $(work)/sqlite; ../sqlite3/configure --disable-tcl --disable-readline; \
	  $(MAKE) sqlite3.c OPTS="$(sqlite_opt)")
sqlite_build = $(CC) $(1) $(sqlite_opt) -DSQLITE_THREADSAFE=1 -DSQLITE_DEFAULT_MEMSTATUS=0 -DSQLITE_DQS=0 \
  -DSQLITE_MAX_EXPR_DEPTH=0 -DSQLITE_MAX_MMAP_SIZE=0 -DSQLITE_UNTESTABLE
$(work)/sqlite.done: $(work)/musl.done $(work)/sqlite-amalgamation.done
	$(call run,sqlite,cd $(work)/sqlite; $(call sqlite_build,$(CFLAGS)) -c sqlite3.c; $(AR) rcs $(prefix)/lib/libsqlite3.a sqlite3.o; \
	  cp sqlite3.h $(prefix)/include/)
$(work)/sqlite-shared.done: $(work)/sqlite-amalgamation.done
	$(call run,sqlite-shared,cd $(work)/sqlite; $(call sqlite_build,$(shared_cflags)) \
	  $(call soname,libsqlite3.so.0) sqlite3.c; ln -sf libsqlite3.so.0 $(prefix)/lib/libsqlite3.so)

$(work)/cmake.txt:
	printf '%s\n' 'set(CMAKE_SYSTEM_NAME Linux)' 'set(CMAKE_SYSTEM_PROCESSOR $(firstword $(subst -, ,$(triple))))' \
	  'set(CMAKE_C_COMPILER $(CC))' 'set(CMAKE_AR $(AR))' 'set(CMAKE_RANLIB $(RANLIB))' 'set(CMAKE_FIND_ROOT_PATH $(prefix))' \
	  'set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)' 'set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)' \
	  'set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)' 'set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)' >$@

# Before 4.3.4 it knows the certificates beside a chain by OpenSSL's inner names: hence the two -D.
$(work)/lws.done: $(work)/wolfssl.done $(work)/cmake.txt
	$(call run,lws,cmake -S $(work)/libwebsockets -B $(work)/lws -Wno-dev -DCMAKE_TOOLCHAIN_FILE=$(work)/cmake.txt \
	  -DCMAKE_BUILD_TYPE=MinSizeRel -DCMAKE_INSTALL_PREFIX=$(prefix) -DCMAKE_INSTALL_LIBDIR=lib \
	  -DLWS_WITH_SHARED=OFF -DLWS_WITH_STATIC=ON -DLWS_WITH_SSL=ON -DLWS_WITH_WOLFSSL=ON \
	  "-DLWS_WOLFSSL_LIBRARIES=$(prefix)/lib/libwolfssl.a" "-DLWS_WOLFSSL_INCLUDE_DIRS=$(prefix)/include;$(prefix)/include/wolfssl" \
	  -DLWS_WITHOUT_TESTAPPS=ON -DLWS_WITH_MINIMAL_EXAMPLES=OFF -DLWS_WITHOUT_EXTENSIONS=ON -DLWS_WITH_ZLIB=OFF -DLWS_WITH_ZIP_FOPS=OFF \
	  -DLWS_WITH_HTTP2=OFF -DLWS_WITH_LEJP=OFF -DLWS_WITH_LEJP_CONF=OFF -DLWS_WITH_SYS_SMD=OFF -DLWS_WITH_SEQUENCER=OFF \
	  -DLWS_WITH_HTTP_BASIC_AUTH=OFF -DLWS_IPV6=ON -DLWS_UNIX_SOCK=ON -DLWS_HAVE_LIBCAP=0 -DDISABLE_WERROR=ON \
	  "-DCMAKE_C_FLAGS=$(CFLAGS) -I$(prefix)/include -DLWS_HAVE_SSL_EXTRA_CHAIN_CERTS=1 -DSSL_CTX_get_extra_chain_certs_only=wolfSSL_CTX_get_extra_chain_certs"; \
	  $(MAKE) -C $(work)/lws; $(MAKE) -C $(work)/lws install)

$(work)/cmocka.done: $(work)/musl.done $(work)/cmake.txt
	$(call run,cmocka,cmake -S $(work)/cmocka -B $(work)/cmocka-out -Wno-dev -DCMAKE_TOOLCHAIN_FILE=$(work)/cmake.txt \
	  -DCMAKE_BUILD_TYPE=MinSizeRel -DWITH_STATIC_LIB=ON -DWITH_EXAMPLES=OFF -DUNIT_TESTING=OFF; \
	  $(MAKE) -C $(work)/cmocka-out cmocka-static; cp $(work)/cmocka/include/cmocka.h $(prefix)/include/; \
	  cp $$(find $(work)/cmocka-out -name 'libcmocka*.a') $(prefix)/lib/libcmocka.a)
