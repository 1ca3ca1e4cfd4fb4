#!/bin/sh
# Debian 12's source packages, its security updates included, unpacked, with the changes that they need for us whichever board they are built for.
# They come through a private apt state, so that the machine's own source list stays as it is.
#
# usage: boards/sources.sh FOLDER PACKAGE...     each is in FOLDER/PACKAGE afterwards; FOLDER/sources.txt says of each: name, version, SHA-256 of
#                                               its .dsc, which names its files by theirs (the bill of materials: rootfs/package/bom.py)
set -eu

folder=${1:?usage: boards/sources.sh FOLDER PACKAGE...}
shift
mkdir -p "$folder"
folder=$(CDPATH='' cd -- "$folder" && pwd)
mkdir -p "$folder/apt/lists/partial" "$folder/apt/cache/archives/partial"
# shellcheck disable=SC2016 # apt's own placeholders
apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT) $(CODENAME)' \
	'Created-By: Packages' 'Origin: Debian' 'Component: main' |
	sort -u | while read -r uri release component codename; do
	case $codename in
	bookworm | bookworm-security | bookworm-updates) echo "deb-src $uri $release $component" ;;
	esac
done >"$folder/apt/sources.list"
[ -s "$folder/apt/sources.list" ] || {
	echo "sources: no Debian package source is known to apt (run apt-get update first?)" >&2
	exit 1
}
src() { # TOOL WORDS...: with our own state; only a failure is worth reading
	tool=$1
	shift
	"$tool" -q -o "Dir::Etc::sourcelist=$folder/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null \
		-o "Dir::State::lists=$folder/apt/lists" -o "Dir::Cache=$folder/apt/cache" -o APT::Sandbox::User=root "$@" \
		2>"$folder/apt/log" || { cat "$folder/apt/log" >&2; return 1; }
}
# The suite with the newest version of a package. What was corrected for safety's sake is in bookworm-security, and the host's programs have it
# from there; of suites with the same version it is bookworm itself, since not every mirror has the others' files.
suite_of() {
	src apt-cache madison "$1" | sed -n 's/^[^|]*| *\([^ |]*\) *| *[^ ]* \([^ /]*\)\/main Sources$/\1 \2/p' | sort -k2,2 |
		(
			best='' at=''
			while read -r version suite; do
				[ -z "$best" ] || dpkg --compare-versions "$version" gt "$best" || continue
				best=$version at=$suite
			done
			echo "$at"
		)
}
src apt-get update >/dev/null
for package in "$@"; do
	# A folder of its own a package: what is unpacked there has a name with a version that nobody needs to know.
	mkdir -p "$folder/fetched/$package"
	suite=$(suite_of "$package")
	[ -n "$suite" ] || {
		echo "sources: Debian has no source package $package" >&2
		exit 1
	}
	(cd "$folder/fetched/$package" && src apt-get source "$package/$suite" >/dev/null)
	for unpacked in "$folder/fetched/$package"/*/; do
		mv "$unpacked" "$folder/$package"
	done
	for dsc in "$folder/fetched/$package"/*.dsc; do
		echo "$package $(sed -n '/^Version: /{s///p;q;}' "$dsc") $(sha256sum <"$dsc" | cut -d' ' -f1)"
	done >>"$folder/sources.txt"
done
rm -rf "$folder/apt" "$folder/fetched"

# changed FILE PATTERN WHAT: stops when FILE has not what a change should have put there.
changed() {
	grep -q "$2" "$1" || {
		echo "sources: $1 is not what was expected: $3" >&2
		exit 1
	}
}

if [ -d "$folder/libwebsockets" ]; then
	# A request whose body came in one piece with the request before it: libwebsockets looks for the body in the very piece that it
	# is reading, finds the head again and goes round for ever. It means to do so for HTTP/2 only.
	file=$folder/libwebsockets/lib/roles/http/server/server.c
	sed -i '/own buflist, we need to deal with that first/,/while (1) {/ s/while (1)/while (wsi->mux_substream)/' "$file"
	changed "$file" 'while (wsi->mux_substream) {' "a body in one piece with the request before"
fi
if [ -d "$folder/libwebsockets" ]; then
	# Where a size has 32 bits, it forgets the upper half of a WebSocket frame's length: a frame of 4 GB looks empty, and what is in it
	# is taken for frames. It shall look endless: the bits of the lower half do not take that away.
	for file in "$folder/libwebsockets/lib/roles/ws/ops-ws.c" "$folder/libwebsockets/lib/roles/ws/client-parser-ws.c"; do
		sed -i '/LEN64_8:$/,/LEN64_4:$/ {
			s/rx_packet_length = 0;/rx_packet_length = c ? 0x7fffffff : 0;/
			/rx_packet_length |= /a #else\n\t\tif (c)\n\t\t\twsi->ws->rx_packet_length = 0x7fffffff;
		}' "$file"
		[ "$(grep -c 'rx_packet_length = .*0x7fffffff' "$file")" = 4 ] || {
			echo "sources: $file is not what was expected: the length of a frame" >&2
			exit 1
		}
	done
fi
if [ -d "$folder/libwebsockets" ]; then
	# A connection for which there is no memory is given back while it stands in its host's list of connections: whoever comes or goes
	# after it writes into memory that is somebody else's by then, such as a page of SQLite's, of just that size.
	file=$folder/libwebsockets/lib/core-net/connect.c
	sed -i '/^lws_client_connect_via_info(/,$ s/^bail:$/&\
	if (wsi \&\& wsi->a.vhost) {\
		lws_free_set_NULL(wsi->stash);\
		lws_bind_protocol(wsi, NULL, __func__);\
		lws_vhost_unbind_wsi(wsi);\
	}/' "$file"
	changed "$file" 'lws_vhost_unbind_wsi(wsi);' "a connection without memory"
	# A client's request on a connection that rests, which the peer resets as it goes out: libwebsockets frees what it has just made, goes on
	# with it and gives it to the caller. It knows how to say that it is gone.
	file=$folder/libwebsockets/lib/roles/http/client/client-http.c
	sed -i '/"c[hw]s");$/ { n; s/return 0;/return -1;/; }' "$file"
	[ "$(grep -A1 '"c[hw]s");$' "$file" | grep -c 'return -1;')" = 2 ] || {
		echo "sources: $file is not what was expected: a request that could not be written" >&2
		exit 1
	}
	# It looks for such a connection by the address that is asked for, among the Host texts of those there are, and takes the first: one with
	# a request under way, behind which the next waits as long as that takes, though another rests. The address it shall be, and at rest;
	# one whose peer keeps none open is passed over.
	file=$folder/libwebsockets/lib/roles/http/client/client-handshake.c
	sed -i '/if (!wsi->cli_hostname_copy) {/,/#if/ s/CIS_HOST/CIS_ADDRESS/' "$file"
	changed "$file" 'lws_strdup(wsi->stash->cis\[CIS_ADDRESS\])' "what a connection is found by"
	file=$folder/libwebsockets/lib/core-net/vhost.c
	sed -i 's/^\t*if (w != wsi &&$/& lwsi_state(w) == LRS_IDLING \&\& !w->keepalive_rejected \&\&/' "$file"
	changed "$file" 'w != wsi && lwsi_state(w) == LRS_IDLING' "which connection is taken"
	# A listener for which there is no memory: it writes the certificate's path to nowhere, leaks, or gives one that the first connection ends.
	sed -i 's/^.*"vh paths");$/&\
		if (!vh->tls.alloc_cert_path) {\
			lws_free(vh);\
			return NULL;\
		}/
	/"vhost-specific plugin table");$/,/return NULL;/ s/^\t*return NULL;/\t\tlws_free(vh->tls.alloc_cert_path);\
		lws_free(vh);\
&/
	s/^.*"same vh list");$/&\
	if (!vh->same_vh_protocol_owner) {\
		lws_free(lwsp);\
		lws_free(vh->tls.alloc_cert_path);\
		lws_free(vh);\
		return NULL;\
	}/' "$file"
	changed "$file" 'if (!vh->tls.alloc_cert_path) {' "a listener without memory"
	changed "$file" 'if (!vh->same_vh_protocol_owner) {' "a listener without memory"
fi
if [ -d "$folder/cmocka" ]; then
	# It knows 64 bits by glibc's name, or on three CPUs.
	file=$folder/cmocka/include/cmocka.h
	sed -i 's/^# if (defined(__x86_64__)/# if defined(_LP64) || (defined(__x86_64__)/' "$file"
	changed "$file" '^# if defined(_LP64)' "the size of a word"
fi
