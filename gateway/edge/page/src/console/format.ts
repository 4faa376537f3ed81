// Stands in for the formatter that GraphiQL loads on demand: the GraphQL and JSON printers are in the bundle anyway.
import { Lexer, parse, print, Source, TokenKind } from "graphql";
import { applyEdits, format as edits } from "jsonc-parser";

export const printers = {};
export const parsers = {};

export async function format(text: string, options: { parser: string }): Promise<string> {
  if (options.parser !== "graphql") return applyEdits(text, edits(text, undefined, { insertSpaces: true, tabSize: 2 }));
  const document = parse(text);
  return hasComment(text) ? reindent(text) : print(document);
}

function hasComment(text: string): boolean {
  const lexer = new Lexer(new Source(text));
  // `advance` skips comments but links them into the token list, so each token's predecessor tells.
  for (let token = lexer.advance(); ; token = lexer.advance()) {
    if (token.prev?.kind === TokenKind.COMMENT) return true;
    if (token.kind === TokenKind.EOF) return false;
  }
}

// The syntax tree has no comments, so printing it would lose them: keep the lines and set only their indent.
function reindent(text: string): string {
  let depth = 0;
  const lines = text.split("\n").map((line) => {
    const code = line.trim();
    const bare = code.replace(/"(?:[^"\\]|\\.)*"/g, "").replace(/#.*/, "");
    const closesFirst = bare.match(/^[})\]]+/)?.[0].length ?? 0;
    const indent = Math.max(0, depth - closesFirst);
    depth += (bare.match(/[{(\[]/g)?.length ?? 0) - (bare.match(/[})\]]/g)?.length ?? 0);
    return code && "  ".repeat(indent) + code;
  });
  return `${lines.join("\n").trim()}\n`;
}
