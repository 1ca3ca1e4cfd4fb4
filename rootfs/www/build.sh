#!/bin/sh
# Builds the admin page into DIR: index.html and its icon, and assets/ with hashed names (one style sheet, the shell, a
# chunk a page), all gzip'd. npm works in the build folder, from the lock file, so that the source tree stays clean.
# Fails when the page is heavier than its limits (pack.mjs).
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
new=$( (
	cat "$work/.stamp" "$here/build.sh" "$here/pack.mjs"
	find "$here/src" -type f | LC_ALL=C sort | xargs cat
) | sha256sum)
[ "$(cat "$out/.stamp" 2>/dev/null)" = "$new" ] && exit 0
cd "$work"
{
	echo '@import "./style.css";'
	find src -mindepth 2 -name '*.css' | LC_ALL=C sort | sed 's|^src/\(.*\)|@import "./\1";|'
} >src/all.css
# What an earlier build left has other names, and a reader of the folder must not find both.
rm -rf "$out/assets" "$out"/*.gz "$out/.stamp"
./node_modules/.bin/esbuild src/main.tsx src/all.css --bundle --splitting --format=esm --minify --target=es2022 \
	--charset=utf8 --jsx=automatic --jsx-import-source=preact --log-level=warning --metafile=meta.json \
	--inject:src/shared.ts --entry-names='[name]-[hash]' --chunk-names='[name]-[hash]' --outdir="$out/assets"
cp meta.json "$out/.meta.json" # what of which package is in it: the bill of materials (../package/bom.py)
node "$here/pack.mjs" "$work" "$out"
echo "$new" >"$out/.stamp"
