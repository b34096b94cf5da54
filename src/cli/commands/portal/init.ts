import { createServer } from "node:net";
import { resolve } from "node:path";

import { parseListen } from "../../../http/address.ts";
import { demand, MeshError } from "../../../refusals/mesh-error.ts";
import type { Call } from "../../call.ts";
import { describePortal, makePortalData } from "../../portal/data.ts";
import type { PortalSettings } from "../../portal/settings.ts";

/** `mesh portal init`: makes a portal's directory, and says where it will be found and by which pin. */
export async function run(call: Call): Promise<void> {
  const { args, output } = call;
  const directory = resolve(args.needText("data"));
  const domain = args.needText("domain").toLowerCase();
  demand(domain === "localhost" || domain.includes("."), "usage-option-value", `${JSON.stringify(domain)} is no whole domain name.`, "Name it like example.com, or localhost for a portal of your own.");
  demand(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/.test(domain) && domain.length <= 253, "usage-option-value", `${JSON.stringify(domain)} is not a domain name.`);
  const listen = parseListen(args.text("listen") ?? "127.0.0.1:0", "");
  demand(listen !== undefined && listen.host !== "", "usage-option-value", `${JSON.stringify(args.text("listen"))} is not HOST:PORT.`);
  const { host, port } = listen;
  const accounts = args.text("accounts") ?? "invited";
  demand(accounts === "open" || accounts === "invited", "usage-option-value", "--accounts is open or invited.");
  const database = args.text("database");
  if (database !== undefined) (await import("../../../store/postgres-url.ts")).parsePostgresUrl(database);
  const depot = args.text("depot");
  const kept = { accounts, domain, host, port: port === 0 ? await freePort(host) : port } as const;
  const settings: PortalSettings = { ...kept, ...(database === undefined ? {} : { database }), ...(depot === undefined ? {} : { depot: resolve(depot) }) };
  const id = await makePortalData(directory, settings);
  const described = describePortal(settings, id);
  output.data(described, `Portal for ${domain}, in ${directory}\n\n  ${described.url}\n\nStart it: mesh portal serve --data ${args.needText("data")}`);
}

/** A port that is free now; it is written down and kept, so that the portal's address never changes. */
function freePort(host: string): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer();
    server.once("error", (error) => fail(new MeshError("service-listen-failed", `Nothing can listen on ${host}: ${error.message}.`)));
    server.listen(0, host, () => {
      const address = server.address();
      server.close(() => done(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
