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
sign() { # NAME EXTENSIONS START END MORE...
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
		$2
	END
	: >index.txt
	name=$1 start=$3 end=$4
	shift 4
	openssl ca -batch -notext -config "$name.cnf" -in "$name.csr" -out "$name.pem" -startdate "$start" -enddate "$end" "$@"
}

cert() { # NAME CA CN SAN USAGE START END
	key "$1"
	openssl req -new -key "$1.key" -subj "/CN=$3" -out "$1.csr"
	sign "$1" "basicConstraints = CA:FALSE
extendedKeyUsage = $5
subjectAltName = $4" "$6" "$7" -cert "$2.pem" -keyfile "$2.key"
}

# The same authority as ca, as it was before it was renewed.
old_ca() {
	openssl req -new -key ca.key -subj "/CN=Test ca" -out oldca.csr
	sign oldca "basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash" "$PAST" "$PAST_END" -selfsign -keyfile ca.key
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
