#!/bin/sh
# Builds the admin page into DIR: one script, one style sheet, gzip'd. npm works in the build folder, from the lock
# file, so that the source tree stays clean.
# usage: rootfs/www/build.sh DIR | --check (types only)
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=$here/../..
work=$root/build/www-work
command -v npm >/dev/null 2>&1 || {
	echo "www: npm is missing: run make deps" >&2
	exit 1
}
mkdir -p "$work"
key=$(cat "$here/package.json" "$here/package-lock.json" | sha256sum)
if [ "$(cat "$work/.stamp" 2>/dev/null)" != "$key" ]; then
	cp "$here/package.json" "$here/package-lock.json" "$work/"
	(cd "$work" && npm ci --no-audit --no-fund --loglevel=error)
	echo "$key" >"$work/.stamp"
fi
rm -rf "$work/src"
cp -r "$here/src" "$here/tsconfig.json" "$work/"
if [ "$1" = --check ]; then
	cd "$work"
	exec ./node_modules/.bin/tsc -p tsconfig.json
fi
out=$1
mkdir -p "$out"
out=$(CDPATH='' cd -- "$out" && pwd)
new=$(cat "$work/.stamp" "$here"/src/* "$here/build.sh" | sha256sum)
[ "$(cat "$out/.stamp" 2>/dev/null)" = "$new" ] && exit 0
(cd "$work" && ./node_modules/.bin/esbuild src/main.tsx --bundle --minify --target=es2020 --jsx=automatic \
	--jsx-import-source=preact --log-level=warning --outfile="$out/main.js")
cp "$here/src/index.html" "$here/src/style.css" "$here/src/icon.svg" "$out/"
for name in index.html style.css icon.svg main.js; do
	gzip -9nf -c "$out/$name" >"$out/$name.gz"
	rm "$out/$name"
done
echo "$new" >"$out/.stamp"
