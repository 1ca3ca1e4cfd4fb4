// After esbuild: index.html with the names it gave, everything gzip'd, and the weights held against their limits.
// usage: node pack.mjs WORK OUT (WORK/meta.json is esbuild's metafile, its outputs lie in OUT/assets)
import { readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { gzipSync } from "node:zlib";

const [work, out] = process.argv.slice(2);
const limits = { total: 300e3, first: 40e3 }; // bytes, gzip'd; first: what the overview needs
const meta = JSON.parse(readFileSync(join(work, "meta.json"), "utf8"));
const outputs = Object.entries(meta.outputs).map(([path, info]) => ({ name: basename(path), ...info }));
const of = (entry) => outputs.find((one) => one.entryPoint === entry);
const main = of("src/main.tsx"), style = of("src/all.css");

/** A chunk and what it imports at once. */
function closure(one, found = new Set()) {
	if (found.has(one.name)) return found;
	found.add(one.name);
	for (const next of one.imports)
		if (next.kind === "import-statement") closure(outputs.find((o) => o.name === basename(next.path)), found);
	return found;
}

const needed = closure(main);
// The entry is but an import of the shell's chunk (src/shared.ts): the page asks for that at once.
let script = main.name;
const imports = main.imports.filter((one) => one.kind === "import-statement");
if (imports.length === 1 && Object.values(main.inputs).every((one) => one.bytesInOutput === 0)) {
	needed.delete(main.name);
	rmSync(join(out, "assets", main.name));
	script = basename(imports[0].path);
}
const preload = [...needed].filter((name) => name !== script).map((name) => `<link rel="modulepreload" href="assets/${name}">\n`).join("");
const html = readFileSync(join(work, "src/index.html"), "utf8")
	.replace("STYLE", `assets/${style.name}`)
	.replace("MAIN", `assets/${script}`)
	.replace("<link rel=\"preload\"", `${preload}<link rel="preload"`);
writeFileSync(join(out, "index.html"), html);
writeFileSync(join(out, "icon.svg"), readFileSync(join(work, "src/icon.svg")));

const weights = {};
for (const folder of [".", "assets"])
	for (const name of readdirSync(join(out, folder))) {
		const path = join(out, folder, name);
		if (name.startsWith(".") || !statSync(path).isFile()) continue;
		const packed = gzipSync(readFileSync(path), { level: 9 });
		writeFileSync(`${path}.gz`, packed);
		rmSync(path);
		weights[name] = packed.length;
	}

const first = ["index.html", "icon.svg", style.name, ...needed];
const sum = (names) => names.reduce((bytes, name) => bytes + weights[name], 0);
const total = sum(Object.keys(weights));
for (const [name, bytes] of Object.entries(weights).sort((a, b) => b[1] - a[1])) {
	const page = outputs.find((one) => one.name === name)?.entryPoint ?? "";
	console.log(`www: ${String(bytes).padStart(7)} ${needed.has(name) || first.includes(name) ? "*" : " "} ${name} ${page.replace("src/pages/", "page ")}`);
}
console.log(`www: ${String(sum(first)).padStart(7)} * first view (limit ${limits.first}), ${total} in all (limit ${limits.total}), bytes gzip'd`);
if (needed.size > 1)
	console.log(`www: the first view waits for ${needed.size} scripts: name what pages share with the shell in src/shared.ts`);
if (total > limits.total || sum(first) > limits.first) {
	console.error("www: heavier than its limit");
	process.exit(1);
}
