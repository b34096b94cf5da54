import { mainField, valuesOf } from "../../../applications/passwords/field.ts";
import { findPassword } from "../../../applications/passwords/find.ts";
import { codeAt, readOneTime } from "../../../applications/passwords/one-time.ts";
import { passwordOf } from "../../../applications/passwords/password.ts";
import { type Reference, readReference } from "../../../applications/passwords/reference.ts";
import { readNamed } from "../../../client/catalog.ts";
import type { Call } from "../../call.ts";
import { openClient } from "../../open-client.ts";

/** What was referred to: its text, and whether it is a secret. */
export type Referred = { readonly text: string; readonly secret: boolean };

/**
 * What references mean, in their order; the home is opened once for all of them, and needs no portal.
 * @throws MeshError `reference-malformed`, `password-not-found`, `password-ambiguous`, `password-field-not-found`
 */
export async function referred(call: Call, references: readonly string[]): Promise<readonly Referred[]> {
  const read = references.map(readReference);
  const client = await openClient(call, "offline");
  const entries = await readNamed(client, "passwords", [...new Set(read.map((one) => one.name))]);
  return read.map(({ name, field }: Reference) => {
    const password = passwordOf(findPassword(entries, name));
    if (field === "totp" && password.totp !== undefined) return { secret: false, text: codeAt(readOneTime(password.totp), call.world.now()).code };
    const { secret, values } = valuesOf(password, field ?? mainField[password.kind]);
    return { secret, text: values.join("\n") };
  });
}
