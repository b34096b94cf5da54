import { readPinentry } from "../../../src/agent/assuan.ts";
import { AgentSession } from "../../../src/applications/ssh/agent-session.ts";
import { blocksOf, readStatements } from "../../../src/applications/ssh/client-file.ts";
import { isKnownName, takeKnown } from "../../../src/applications/ssh/known.ts";
import { readKnownHosts } from "../../../src/applications/ssh/known-hosts-file.ts";
import { ED25519, ed25519Blob, keyLine } from "../../../src/applications/ssh/public-key.ts";
import { byte, SshReader, string, uint32 } from "../../../src/applications/ssh/wire.ts";
import { concatBytes } from "../../../src/bytes/equal.ts";
import { hold, octets, type Target, text } from "../target.ts";

const blob = ed25519Blob(new Uint8Array(32));
const line = keyLine({ kind: ED25519, blob });
const message = (...parts: readonly Uint8Array[]) => string(concatBytes(...parts));
const login = concatBytes(string(new Uint8Array(32)), byte(50), ...["alice", "ssh-connection", "publickey"].map(string), byte(1), string(ED25519), string(blob));
const bind = (forwarding: number) => message(byte(27), string("session-bind@openssh.com"), string(concatBytes(string("ssh-rsa"), string("x"))), string("session"), string(concatBytes(string("ssh-rsa"), string("s"))), byte(forwarding));
const ANSWERS = new Set([5, 6, 12, 14, 28, 29]);

/** What clients say to an agent of SSH: each message is answered by one, in their order, or the connection ends. */
export const sshAgent: Target = {
  name: "ssh-agent",
  files: ["applications/ssh/agent-messages.ts", "applications/ssh/agent-session.ts", "applications/ssh/signed-data.ts", "applications/ssh/wire.ts"],
  seeds: () => [message(byte(11)), message(byte(13), string(blob), string(login), uint32(0)), message(byte(13), string(blob), string(concatBytes(octets("SSHSIG"), ...["git", "", "sha512", "h"].map(string))), uint32(0)), concatBytes(bind(1), bind(0), message(byte(27), string("query"))), message(byte(27), string("new@example.com"), byte(1)), message(byte(22), string("word")), message(byte(17), string("key"))],
  words: ["session-bind@openssh.com", "query", "ssh-ed25519", "ssh-connection", "publickey", "publickey-hostbound-v00@openssh.com", "SSHSIG", "\0\0\0"],
  refusals: ["ssh-malformed"],
  run: async (input) => {
    const session = new AgentSession({ offer: async () => [{ blob, comment: "c" }], sign: async () => blob, lock: async () => true });
    const half = input.length >> 1;
    for (const piece of [input.subarray(0, half), input.subarray(half)]) {
      for await (const answer of session.take(piece)) {
        const reader = new SshReader(answer, "An answer");
        const number = reader.string()[0] ?? 0;
        reader.end();
        hold(ANSWERS.has(number), "an answer is one that clients know", String(number));
      }
    }
  },
};

/** What stands in a person's own files of ssh, and what a program says by which she is asked. */
export const sshOwn: Target = {
  name: "ssh-own",
  files: ["applications/ssh/client-file.ts", "applications/ssh/known-hosts-file.ts", "applications/ssh/known.ts", "agent/assuan.ts"],
  seeds: () => [`a.example,10.0.0.1 ${line} c\n|1|c2FsdA==|aGFzaA== ${line}\n@revoked * ${line}\n[b]:2222 ${line}\n`, 'Host a "b"  # c\n\tHostName = a.example\nMatch all\n  User x\nInclude ~/other\n', "OK Pleased\nOK\nOK\nOK\nD a%25\nOK\nERR 83886179 no\n"].map(octets),
  words: ["Host ", "Match ", "Include ", "@cert-authority ", "|1|", "[", "]:22 ", ",", '"', " = ", line],
  refusals: [],
  run: (input) => {
    const heard = readPinentry(text(input));
    hold(typeof heard !== "string" || ["no", "late", "none"].includes(heard), "what was heard is an answer or none");
    const read = readKnownHosts(text(input));
    hold(read.confirmed.every((one) => isKnownName(one.host)), "a name is one that can stand in a known_hosts");
    hold(takeKnown([], read.confirmed).added.length <= read.confirmed.length, "nothing is added that was not there");
    hold(blocksOf(readStatements(text(input))).every((one) => one.says.every((said) => said.keyword !== "host")), "a section ends where the next begins");
  },
};
