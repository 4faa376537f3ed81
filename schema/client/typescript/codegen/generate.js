/** Writes src/generated and generated.json from the schema, the configuration and the operations. */

import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, extname } from "node:path";
import { fileURLToPath } from "node:url";
import { generate } from "@graphql-codegen/cli";
import { preset } from "@graphql-codegen/client-preset";
import { configFrom, presetConfig } from "../codegen.js";

const HOME = fileURLToPath(new URL("..", import.meta.url));
const SCHEMA = "../../schema.graphql";
const SOURCES = [
  "codegen.js",
  "codegen/generate.js",
  "codegen/package-lock.json",
  "codegen/package.json",
  "src/operations/*.graphql",
];
const OUTPUTS = ["src/generated/*.ts"];
const MARK = "// Written by `make gen` from the schema and src/operations; edit there.\n";

/** The preset's module, with documents that are plain texts: they cost no code, and what is not used is left out. */
function withPlainDocuments(text) {
  const plain = text
    .replace("/* eslint-disable */\n", MARK)
    .replace(/import type \{ DocumentTypeDecoration \}.*\n/, 'import type { TypedDocument } from "../document.js";\n')
    .replace(/\nexport class TypedDocumentString[^]*?\n\}\n/, "\n")
    .replace(/export const \w+FragmentDoc = new TypedDocumentString\(`[^`]*`[^;]*;\n/g, "")
    .replace(
      /new TypedDocumentString\(`([^`]*)`(?:, \{[^\n]*\})?\) as unknown as TypedDocumentString</g,
      (_, document) => `\`${document.trim().replace(/\n\s*/g, "\n")}\` as unknown as TypedDocument<`,
    );
  if (plain.includes("TypedDocumentString")) throw new Error("the preset prints documents in a way not known here");
  return plain;
}

/** The digest of a listing as `sha256sum` prints it, in the order of the names' bytes. */
function fingerprint(globs) {
  const names = globs.flatMap(filesOf).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return sha256(names.map((name) => `${sha256(readFileSync(HOME + name))}  ${name}\n`).join(""));
}

/** A name, or all names of a folder with one ending: Node 20 has no `globSync`. */
function filesOf(glob) {
  if (!glob.includes("*")) return [glob];
  const [folder, ending] = [dirname(glob), extname(glob)];
  return readdirSync(HOME + folder).flatMap((name) => (extname(name) === ending ? [`${folder}/${name}`] : []));
}

function sha256(bytes) {
  return createHash("sha256").update(bytes).digest("hex");
}

const files = await generate(
  {
    schema: SCHEMA,
    cwd: HOME,
    silent: true,
    noSilentErrors: true,
    generates: {
      "src/generated/": {
        preset,
        documents: ["src/operations/*.graphql"],
        presetConfig,
        config: configFrom("../scalars.js"),
      },
    },
  },
  false,
);
const operations = files.find(({ filename }) => filename.endsWith("/graphql.ts"));
mkdirSync(`${HOME}src/generated`, { recursive: true });
writeFileSync(`${HOME}src/generated/operations.ts`, `${withPlainDocuments(operations.content)}\n`);
const seal = {
  schema: sha256(readFileSync(HOME + SCHEMA)),
  sources: { globs: SOURCES, sha256: fingerprint(SOURCES) },
  outputs: { globs: OUTPUTS, sha256: fingerprint(OUTPUTS) },
};
writeFileSync(`${HOME}generated.json`, `${JSON.stringify(seal, null, 2)}\n`);
