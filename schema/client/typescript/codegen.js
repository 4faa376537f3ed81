/**
 * What GraphQL Code Generator needs to type documents of your own as this client types its own: the `config` and
 * `presetConfig` of its client preset.
 */

const from = "@marketgate/client";

export const presetConfig = { fragmentMasking: false };

/** @param {string} module where the scalars' types are imported from. */
export function configFrom(module) {
  const type = (name) => `${module}#${name}`;
  return {
    documentMode: "string",
    enumsAsTypes: true,
    importExtension: ".js",
    scalars: {
      Cursor: type("Cursor"),
      Date: type("CalendarDate"),
      DateTime: type("DateTime"),
      Decimal: type("Decimal"),
      ID: "string",
    },
    strictScalars: true,
    useTypeImports: true,
  };
}

export const config = configFrom(from);
