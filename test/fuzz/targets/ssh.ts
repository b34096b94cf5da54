import { readAuthorizedKeys, withBlock } from "../../../src/applications/ssh/authorized-keys.ts";
import { readBlock } from "../../../src/applications/ssh/block.ts";
import { readTarget } from "../../../src/applications/ssh/host.ts";
import { keysIn } from "../../../src/applications/ssh/known-hosts.ts";
import { ED25519, ed25519Blob, fingerprintOf, keyLine } from "../../../src/applications/ssh/public-key.ts";
import { checkWritten, readRemote } from "../../../src/applications/ssh/remote-edit.ts";
import { readConnection } from "../../../src/applications/ssh/ssh-log.ts";
import { hold, octets, type Target, text } from "../target.ts";

const key = { kind: ED25519, blob: ed25519Blob(new Uint8Array(32)) };
const line = keyLine(key, "laptop");
const block = withBlock("ssh-rsa AAAA bob\n", "alice", ["# as of 1.2.3", line]);

/** What a server has and says, of its own or another's making. */
export const sshServer: Target = {
  name: "ssh-server",
  files: ["applications/ssh/authorized-keys.ts", "applications/ssh/block.ts", "applications/ssh/remote-edit.ts"],
  seeds: () => [block, `noise\nmesh-w begin none\n\nmesh-w read sha256 none\n`, `mesh-w begin file\n${line}\n\nmesh-w read cksum 1\n`, "mesh-w failed link\n", `command="a \\"b\\"" ${line}\n`].map(octets),
  words: ["# BEGIN mesh alice", "# END mesh alice", "# as of ", "mesh-w ", "begin file\n", "begin none\n", "read sha256 ", "read cksum ", "done\n", "failed ", "none", '"', "\\", line],
  refusals: ["ssh-block-damaged", "ssh-file-too-large", "ssh-host-failed"],
  run: (input) => {
    try {
      readRemote(input, "w");
      checkWritten(input, "w");
    } catch (error) {
      if ((error as { code?: string }).code !== "ssh-host-failed") throw error;
    }
    const file = text(input);
    readBlock(file, "alice");
    const changed = withBlock(file, "alice", [line]);
    hold(readAuthorizedKeys(changed, "alice").block?.join() === line, "what was written reads back");
    hold(readAuthorizedKeys(changed, "alice").others.join() === readAuthorizedKeys(file, "alice").others.join(), "nothing else changed");
  },
};

/** What programs and people say of servers. */
export const sshSaid: Target = {
  name: "ssh-said",
  files: ["applications/ssh/host.ts", "applications/ssh/known-hosts.ts", "applications/ssh/ssh-log.ts"],
  seeds: () => ["alice@server.example:22", "root@[::1]:22", `[h]:22 ${line}\n`, `debug1: Server host key: ssh-ed25519 ${fingerprintOf(key.blob)}\nHost key verification failed.\n`].map(octets),
  words: ["@", "[", "]", ":", "debug1: ", "Server host key: ", "Permission denied (", "Authenticated to ", line, fingerprintOf(key.blob)],
  refusals: ["ssh-target-malformed"],
  run: (input) => {
    const said = text(input);
    const { met, words } = readConnection(said);
    hold(/^[\x20-\x7e]{0,200}$/.test(words) && (met === undefined || met.fingerprint.startsWith("SHA256:")), "what is shown of it is plain");
    for (const one of keysIn(said, fingerprintOf(key.blob))) hold(fingerprintOf(one.blob) === fingerprintOf(key.blob), "a key is the one that was met");
    const { host, user } = readTarget(said);
    hold(!/^-|[\s"'%$]/.test(host) && !/^-|[\s"'%$]/.test(user ?? ""), "a server is no option and no line", said);
  },
};
