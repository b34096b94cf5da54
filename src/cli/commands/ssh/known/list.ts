import { knownsOf } from "../../../../applications/ssh/known.ts";
import { fingerprintOf } from "../../../../applications/ssh/public-key.ts";
import { readEntries } from "../../../../client/catalog.ts";
import type { Call } from "../../../call.ts";
import { openClient } from "../../../open-client.ts";

/** `mesh ssh known list`: [ { host, kind, fingerprint } ], the host keys that one device confirmed and all know. Works offline. */
export async function run(call: Call): Promise<void> {
  const client = await openClient(call, "offline");
  const document = knownsOf(await readEntries(client, "ssh")).flatMap(({ host, keys }) => keys.map(({ blob, kind }) => ({ host, kind, fingerprint: fingerprintOf(blob) })));
  if (!call.output.json && document.length === 0) return call.output.note("Your devices share no host keys yet but those of your servers. Have them know what this one does: mesh ssh absorb");
  call.output.data(document, call.output.table(["HOST", "KIND", "FINGERPRINT"], document.map(({ fingerprint, host, kind }) => [host, kind, fingerprint])));
}
