#!/bin/sh
# The certificates of guest_wireguard.sh: a CA, and one server for both ends of the tunnel, by their addresses.
# For twenty years: another test sets the machine's clock to 2031.
# usage: tests/vm/certificates.sh FOLDER
set -eu
mkdir -p "$1"
cd "$1"
{
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout ca.key -out ca.pem -days 7300 -subj "/CN=Machine CA" \
		-addext basicConstraints=critical,CA:TRUE
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout server.key -out server.csr -subj "/CN=machine"
	echo "subjectAltName=IP:10.7.0.2,IP:198.51.100.10" >server.ext
	openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 7300 -extfile server.ext -out server.pem
} 2>/dev/null
