// Writes THIRD_PARTY_LICENSES.txt: the licence texts of every package that has a module in the built files.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const NAMES = /^(licen[cs]e|copying|notice|third-?party-?notices?)(\.|-|$)/i;

// For packages whose manifest names a licence and whose files leave out its text.
const WITHOUT_FILE = {
  MIT: `Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`,
};

export function licences() {
  const folders = new Set();
  const note = (bundle) => {
    for (const output of Object.values(bundle)) {
      for (const id of output.moduleIds ?? Object.keys(output.modules ?? {})) {
        const folder = packageFolder(id);
        if (folder) folders.add(folder);
      }
    }
  };
  return {
    worker: { name: "licences-of-workers", generateBundle: (_, bundle) => note(bundle) },
    page: {
      name: "licences",
      // Style sheets leave the module graph before the bundle is written, so they are noted when they are read.
      transform(_, id) {
        const folder = packageFolder(id);
        if (folder && id.split("?")[0].endsWith(".css")) folders.add(folder);
        return null;
      },
      generateBundle(_, bundle) {
        note(bundle);
        this.emitFile({ type: "asset", fileName: "THIRD_PARTY_LICENSES.txt", source: text(folders) });
      },
    },
  };
}

function packageFolder(id) {
  const path = id.replaceAll("\0", "").split("?")[0];
  const found = path.match(/^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/);
  return found?.[0] ?? null;
}

function text(folders) {
  const packages = [...folders].map(read).sort((a, b) => (a.name < b.name ? -1 : 1));
  const head = `Marketgate's browser pages contain parts of these ${packages.length} packages.\n`;
  return head + packages.map((p) => `\n${"=".repeat(80)}\n${p.name} ${p.version} (${p.licence})\n\n${p.texts}\n`).join("");
}

function read(folder) {
  const { name, version, license, author, repository } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const files = readdirSync(folder).filter((file) => NAMES.test(file)).sort();
  const texts = files.map((file) => readFileSync(join(folder, file), "utf8").replaceAll("\r\n", "\n").trim());
  if (texts.length === 0) {
    const source = (repository?.url ?? repository ?? "").replace(/^git\+/, "");
    const by = author?.name ?? author ?? `its authors, ${source}`;
    texts.push(`Copyright (c) ${by}\n\n${WITHOUT_FILE[license] ?? fail(`${name} has no licence text`)}`);
  }
  return { name, version, licence: license, texts: texts.join("\n\n") };
}

function fail(message) {
  throw new Error(message);
}
