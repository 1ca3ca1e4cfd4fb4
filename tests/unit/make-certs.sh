#!/bin/sh
# Certificates for test_tls.c: good ones and each kind of bad one. Everything is made below DIR; nothing is kept.
#
# usage: make-certs.sh DIR
# Makes ca.pem otherca.pem and, each with its .key, oldca.pem (ca's own name and key, expired), oldca-ca.pem and ca-oldca.pem (both in one
# file) and:
#   server side: good expired future wronghost wrongname selfsigned otherca-server (all but two for localhost and 127.0.0.1)
#   client side: client-good (CN operator-a) client-expired client-future client-otherca
set -eu
dir=${1:?usage: make-certs.sh DIR}
mkdir -p "$dir"
cd "$dir"
exec 2>openssl.log
trap '[ $? -eq 0 ] || tail -n 5 openssl.log' EXIT
PAST="20200101000000Z" PAST_END="20210101000000Z" FUTURE="20980101000000Z" FAR="20991231000000Z" NOW="20240101000000Z"
HERE="DNS:localhost,IP:127.0.0.1"

key() { # NAME
	openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"
}

ca() { # NAME
	key "$1"
	openssl req -x509 -new -key "$1.key" -days 30 -subj "/CN=Test $1" -addext basicConstraints=critical,CA:TRUE \
		-addext keyUsage=critical,keyCertSign,cRLSign -out "$1.pem"
}

# `openssl ca` is the one command that takes both dates.
cert() { # NAME CA CN SAN USAGE START END
	key "$1"
	openssl req -new -key "$1.key" -subj "/CN=$3" -out "$1.csr"
	cat >"$1.cnf" <<-END
		[ca]
		default_ca = d
		[d]
		database = index.txt
		rand_serial = yes
		new_certs_dir = .
		default_md = sha256
		policy = p
		x509_extensions = e
		unique_subject = no
		[p]
		commonName = supplied
		[e]
		basicConstraints = CA:FALSE
		extendedKeyUsage = $5
		subjectAltName = $4
	END
	: >index.txt
	openssl ca -batch -notext -config "$1.cnf" -cert "$2.pem" -keyfile "$2.key" -in "$1.csr" -out "$1.pem" \
		-startdate "$6" -enddate "$7"
}

# The same authority as ca, as it was before it was renewed.
old_ca() {
	cat >oldca.cnf <<-END
		[ca]
		default_ca = d
		[d]
		database = index.txt
		rand_serial = yes
		new_certs_dir = .
		default_md = sha256
		policy = p
		x509_extensions = e
		unique_subject = no
		[p]
		commonName = supplied
		[e]
		basicConstraints = critical,CA:TRUE
		keyUsage = critical,keyCertSign,cRLSign
		subjectKeyIdentifier = hash
	END
	: >index.txt
	openssl req -new -key ca.key -subj "/CN=Test ca" -out oldca.csr
	openssl ca -batch -notext -selfsign -config oldca.cnf -keyfile ca.key -in oldca.csr -out oldca.pem -startdate "$PAST" -enddate "$PAST_END"
	cat oldca.pem ca.pem >oldca-ca.pem
	cat ca.pem oldca.pem >ca-oldca.pem
}

ca ca
ca otherca
old_ca
cert good ca localhost "$HERE" serverAuth "$NOW" "$FAR"
cert expired ca localhost "$HERE" serverAuth "$PAST" "$PAST_END"
cert future ca localhost "$HERE" serverAuth "$FUTURE" "$FAR"
cert wronghost ca elsewhere.example "DNS:elsewhere.example,IP:127.0.0.2" serverAuth "$NOW" "$FAR"
# The common name is right, but where there are alternative names it does not count (RFC 6125 6.4.4).
cert wrongname ca localhost "DNS:elsewhere.example,IP:127.0.0.2" serverAuth "$NOW" "$FAR"
cert otherca-server otherca localhost "$HERE" serverAuth "$NOW" "$FAR"
key selfsigned
openssl req -x509 -new -key selfsigned.key -days 30 -subj /CN=localhost -addext "subjectAltName=$HERE" -out selfsigned.pem
cert client-good ca operator-a DNS:operator-a clientAuth "$NOW" "$FAR"
cert client-expired ca operator-a DNS:operator-a clientAuth "$PAST" "$PAST_END"
cert client-future ca operator-a DNS:operator-a clientAuth "$FUTURE" "$FAR"
cert client-otherca otherca operator-a DNS:operator-a clientAuth "$NOW" "$FAR"
