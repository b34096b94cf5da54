// A process of its own for the tests of several processes and of crashes: `node test-adder.ts PATH NAME COUNT` adds keys, and says so once each is kept.
import { writeSync } from "node:fs";

import { utf8 } from "../bytes/text.ts";
import { openKeyringFile } from "./file.ts";

const [path = "", name = "", count = ""] = process.argv.slice(2);
const keyring = await openKeyringFile(path, undefined);
for (let n = 0; n < Number(count); n++) {
  await keyring.add(`${name}-${n}`, "test", utf8(`${name}-${n}`));
  writeSync(1, `${name}-${n}\n`);
}
