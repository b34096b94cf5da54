import { editEntries } from "../src/client/catalog.ts";
import { addPassword } from "../src/applications/passwords/edit.ts";
import { sync } from "../src/client/sync.ts";
import { expectStatus, openPlace, type Place } from "../test/support/processes.ts";
import { atMost, type Bench } from "./bench.ts";
import { counted, type Octets } from "./counted.ts";

const KB = 1000;
const [STORED, FRESH] = [12, 20];

/**
 * What one added password moves.
 *
 * Counted are octets of HTTP, heads and bodies, on this side of TLS, by the connection itself: a relay outside would see
 * records and handshakes instead. Devices and portal are those that the command line made; the client runs in this process.
 */
export const bench: Bench = {
  name: "sizes",
  about: "octets of HTTP, heads and bodies inside TLS, that one added password moves from one device to another",
  run: async () => {
    const place = openPlace();
    try {
      const portal = await place.portal();
      const on = ["--portal", portal.url, "--no-passphrase"];
      expectStatus(await place.mesh("desktop", ["create", "alice@example.com", "--device-name", "desktop", ...on]), 0);
      const code = place.file("code", `${(await place.json<{ pin: string }>("desktop", ["device", "pin"])).pin}\n`);
      expectStatus(await place.mesh("laptop", ["join", "alice@example.com", "--device-name", "laptop", "--pin-file", code, ...on]), 5);
      expectStatus(await place.mesh("desktop", ["sync"]), 0);
      expectStatus(await place.mesh("laptop", ["join", "alice@example.com", "--pin-file", code]), 0);
      for (const who of ["desktop", "laptop", "desktop"]) expectStatus(await place.mesh(who, ["sync"]), 0);

      const stored = await added(place, "with a stored session", false);
      const fresh = await added(place, "in a fresh process that must open one", true);
      return [...bars(stored, STORED), ...bars(fresh, FRESH)];
    } finally {
      await place.close();
    }
  },
};

type Moved = { readonly how: string; readonly sender: Octets; readonly receiver: Octets };

async function added(place: Place, how: string, forget: boolean): Promise<Moved> {
  const sender = await counted(place, "desktop", forget, async (client) => {
    await editEntries(client, "passwords", (entries) => [addPassword(entries, { name: how, username: "alice@example.com", addSites: ["example.com"], password: "Tr0ub4dor&3-xyzzy-Qq" })]);
    await sync(client);
  });
  const receiver = await counted(place, "laptop", forget, async (client) => void (await sync(client)));
  return { how, sender, receiver };
}

function bars({ how, sender, receiver }: Moved, bar: number) {
  const one = (name: string, octets: number, against: string) => atMost(bar, { name: `${name}, ${how}`, value: octets / KB, unit: "KB", against });
  return [
    one("added password up", sender.up, `its other direction: ${(sender.down / KB).toFixed(1)} KB`),
    one("added password down to the other device", receiver.down, `its other direction: ${(receiver.up / KB).toFixed(1)} KB`),
  ];
}
