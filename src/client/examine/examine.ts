import { verifySigned } from "../../envelope/signed.ts";
import { verifyingKey } from "../../profiles/keys.ts";
import { MeshError } from "../../refusals/mesh-error.ts";
import { judge } from "./judge.ts";
import { keeperOf, keysIn } from "./keys.ts";
import type { Read } from "./kinds.ts";
import { lacking } from "./lacking.ts";
import { assemble } from "./meshes.ts";
import { withEmbedded } from "./read.ts";

/** What can be said of a signed object by itself and by others that were given with it. */
export type Examined = {
  readonly object: Read;
  readonly signature: "true" | "false" | "unchecked";
  /** What the key that signed is, as far as the objects given tell. */
  readonly signer: string | undefined;
  /** How far it gets (draft §5): `signed` is read and no more; `valid` no object is by itself, since only a portal says what is current. */
  readonly stage: "signed" | "verified" | "correct";
  /** What was not given and would be needed to get further. */
  readonly lacks: readonly string[];
  /** Why it gets no further, if that is its own fault. */
  readonly refusal: MeshError | undefined;
};

/** Examines a signed object of any kind: whether its signature is true, by which key, and how far it gets by the objects given. */
export async function examine(object: Read, given: readonly Read[]): Promise<Examined> {
  const objects = [...given.filter((one) => one.signed.digest !== object.signed.digest), object];
  const key = keysIn(objects.flatMap(withEmbedded)).get(object.signed.kid);
  const found = { object, signer: key?.is } as const;
  if (key === undefined) {
    const keeper = keeperOf(object);
    const refusal = keeper === undefined ? new MeshError("signature-wrong-key", `This ${object.kind} is not signed by its own key.`) : undefined;
    return { ...found, signature: "unchecked", stage: "signed", lacks: keeper === undefined ? [] : [keeper], refusal };
  }
  try {
    await verifySigned<unknown>(object.signed, verifyingKey(key.jwk));
  } catch (error) {
    return { ...found, signature: "false", stage: "signed", lacks: [], refusal: asRefusal(error) };
  }
  const verified = { ...found, signature: "true", stage: "verified", lacks: [], refusal: undefined } as const;
  const known = new Map(objects.map((one) => [one.signed.digest as string, one]));
  const lacks = lacking(object, known);
  if (lacks.length > 0) return { ...verified, lacks };
  try {
    const lack = await judge(object, await assemble(objects), known);
    return lack === undefined ? { ...verified, stage: "correct" } : { ...verified, lacks: [lack] };
  } catch (error) {
    return { ...verified, refusal: asRefusal(error) };
  }
}

function asRefusal(error: unknown): MeshError {
  if (error instanceof MeshError) return error;
  throw error;
}
