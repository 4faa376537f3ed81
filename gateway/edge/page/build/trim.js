// GraphiQL ships for every taste; the console needs GraphQL and JSON, system fonts and no second formatter.
import { join } from "node:path";

const FONT_FACE = /@font-face\s*\{[^}]*font-family:\s*["']?(?:Roboto|Fira Code)[^}]*\}/g;

export function trimmedConsole(console) {
  const own = {
    monaco: join(console, "editor.ts"),
    "prettier/standalone": join(console, "format.ts"),
    "prettier/plugins/graphql": join(console, "format.ts"),
    "prettier/plugins/estree": join(console, "format.ts"),
    "prettier/parser-graphql": join(console, "format.ts"),
    "prettier/parser-babel": join(console, "format.ts"),
  };
  return {
    name: "trimmed-console",
    enforce: "pre",
    async resolveId(source, importer) {
      if (own[source] && importer?.includes("node_modules")) return own[source];
      if (!/monaco-editor(\.js)?$/.test(source)) return null;
      // monaco-graphql/esm/monaco-editor imports the whole editor; ours imports the parts the console uses.
      const found = await this.resolve(source, importer, { skipSelf: true });
      return found?.id.includes("monaco-graphql/esm/monaco-editor") ? own.monaco : null;
    },
    transform(code, id) {
      if (!/graphiql.*\.css$/.test(id.split("?")[0])) return null;
      return { code: code.replace(FONT_FACE, ""), map: null };
    },
  };
}
