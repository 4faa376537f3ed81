// Writes fingerprint.json, from which a check without Node tells whether the built files belong to these sources.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const page = fileURLToPath(new URL("..", import.meta.url));
const built = fileURLToPath(new URL("../../static/", import.meta.url));

const sha256 = (data) => createHash("sha256").update(data).digest("hex");

function files(folder, prefix = "") {
  return readdirSync(folder + prefix, { withFileTypes: true }).flatMap((entry) => {
    const path = prefix + entry.name;
    if (entry.isDirectory()) return entry.name === "node_modules" ? [] : files(folder, `${path}/`);
    return path === "fingerprint.json" ? [] : [path];
  });
}

// One line per file, in the order of their UTF-8 bytes: "<sha256>  <path>\n", as sha256sum prints it.
function fingerprint(folder) {
  const paths = files(folder).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return sha256(paths.map((path) => `${sha256(readFileSync(folder + path))}  ${path}\n`).join(""));
}

const seal = { algorithm: "sha256", sources: fingerprint(page), built: fingerprint(built) };
writeFileSync(`${built}fingerprint.json`, `${JSON.stringify(seal, null, 2)}\n`);
