import { join } from "node:path";
import { fromBase64url } from "../../src/bytes/base64url.ts";
import { utf8 } from "../../src/bytes/text.ts";
import { VerifyingKey } from "../../src/crypto/key-pair.ts";
import { verify } from "../../src/crypto/sign.ts";
import type { publish } from "../../src/protocol/profiles.ts";
import type { RequestOf } from "../../src/protocol/command.ts";
import { readBatch } from "./batches.ts";
import { drive } from "./round.ts";
import type { Role } from "./worker.ts";

/** Nothing but the signatures of a round, in the thread pool, with all keys imported and all octets decoded before. */
export const bare: Role = async (folder = "") => {
  const keys = readBatch(join(folder, "keys.bin")).map((raw) => new VerifyingKey(raw));
  for (const key of keys) void key.halves;
  return async ({ round, atOnce }) => {
    const items = readBatch(join(folder, `round-${round}.bin`)).map((body, account) => {
      const { parts } = (JSON.parse(Buffer.from(body).toString()) as { Publish: RequestOf<typeof publish> }).Publish;
      const jws = parts[0]?.object;
      if (jws === undefined) throw new Error("an update without its object");
      return { key: keys[account] as VerifyingKey, message: utf8(`${jws.protected}.${jws.payload}`), signature: fromBase64url(jws.signature), good: true };
    });
    items.sort(() => Math.random() - 0.5);
    return () => drive(items, atOnce, ({ key, message, signature }) => verify(key, message, signature));
  };
};
