/** For GraphQL Code Generator's client preset. */
export declare const presetConfig: { fragmentMasking: boolean };
export declare const config: Record<string, unknown>;
/** @param module where the scalars' types are imported from. */
export declare function configFrom(module: string): Record<string, unknown>;
