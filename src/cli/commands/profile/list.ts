import { type Client, memberSelf } from "../../../client/client.ts";
import type { Read } from "../../../client/examine/kinds.ts";
import { loadMesh } from "../../../client/known.ts";
import { showUdf } from "../../../udf/udf.ts";
import type { Call } from "../../call.ts";
import { openClient } from "../../open-client.ts";
import { versionOf } from "./object.ts";

/** `mesh profile list`: [ { kind, digest, signedBy, object } ], the objects themselves being what `profile show --with` takes. */
export async function run(call: Call): Promise<void> {
  const { output } = call;
  const objects = await objectsOf(await openClient(call, "offline"));
  const documents = objects.map(({ kind, signed }) => ({ kind, digest: signed.digest, signedBy: signed.kid, object: signed.jws }));
  const rows = objects.map(({ kind, signed }) => [kind, versionOf(signed.payload as never).replace(/^,? (?:version )?/, ""), showUdf(signed.kid), `${signed.digest.slice(0, 20)}...`]);
  output.data(documents, output.table(["KIND", "VERSION", "SIGNED BY", "DIGEST"], rows));
}

/** All that this home keeps of its mesh, each judged when it came. */
async function objectsOf(client: Client): Promise<readonly Read[]> {
  const self = await memberSelf(client);
  const mesh = await client.rows.read((rows) => loadMesh(rows, self.master));
  return [
    ...mesh.masters.map((signed) => ({ kind: "Master Profile", signed }) as const),
    ...[...mesh.devices.values()].map((signed) => ({ kind: "Device Profile", signed }) as const),
    ...mesh.history.map(({ profile }) => ({ kind: "Personal Profile", signed: profile }) as const),
    ...mesh.suspensions.map(({ object }) => ({ kind: "suspension", signed: object }) as const),
  ];
}
