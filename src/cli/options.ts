/** `--name VALUE`, or without `value` a switch. The environment's `MESH_<NAME>` stands in for it. */
export type Option = {
  readonly name: string;
  /** What its value is called in help, in capitals; a switch has none. */
  readonly value?: string;
  /** Words that it takes, to be offered where `value` does not spell them out as `a|b`. */
  readonly choices?: readonly string[];
  /** It may be given more than once; in the environment, one a line. */
  readonly many?: true;
  /** One letter for `-x`. */
  readonly short?: string;
  readonly about: string;
};

/** An argument by place; only the last may be `many`, and only what comes last may be optional. */
export type Positional = { readonly name: string; readonly optional?: true; readonly many?: true; readonly choices?: readonly string[]; readonly about?: string };

/** What a command may be given. */
export type Accepts = { readonly path: readonly string[]; readonly positionals: readonly Positional[]; readonly options: readonly Option[] };
