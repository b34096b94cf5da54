import { type Code, codes, type Exit } from "./codes.ts";

/** What went wrong, as a closed code, a sentence for people, and the next thing to do. Never holds a secret. */
export class MeshError extends Error {
  readonly code: Code;
  readonly hint: string | undefined;

  constructor(code: Code, message: string, hint?: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "MeshError";
    this.code = code;
    this.hint = hint;
  }

  /** The exit status that the command line gives this error. */
  get exit(): Exit {
    return codes[this.code];
  }
}

/** Throws the error unless a rule holds; the way in which checks read as statements. */
export function demand(holds: boolean, code: Code, because: string, hint?: string): asserts holds {
  if (!holds) throw new MeshError(code, because, hint);
}
