import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { canonicalJson, type Json } from "../../../src/bytes/canonical-json.ts";
import { applied, quickKeys } from "../../../src/applications/passwords/formats/test-files.ts";
import { readXml, writeXml } from "../../../src/applications/passwords/formats/xml.ts";
import { readCsv, writeCsv } from "../../../src/applications/passwords/formats/csv.ts";
import { readKdbxHeader } from "../../../src/applications/passwords/formats/kdbx-header.ts";
import { Zip } from "../../../src/applications/passwords/formats/zip.ts";
import { type FormatName, formats } from "../../../src/applications/passwords/formats/formats.ts";
import { attachedAt, writeMeshFile } from "../../../src/applications/passwords/formats/mesh-file.ts";
import { readPasswords } from "../../../src/applications/passwords/formats/read.ts";
import { type WrittenFormat, writePasswords } from "../../../src/applications/passwords/formats/write.ts";
import { type Entry, writes } from "../../../src/catalogs/merge.ts";
import type { Code } from "../../../src/refusals/codes.ts";
import { MeshError } from "../../../src/refusals/mesh-error.ts";
import { kdbxInner, kdbxOf, PASSWORD, zipOf } from "../dress.ts";
import { hold, octets, type Target, text } from "../target.ts";

const refusals: readonly Code[] = ["import-unknown-format", "import-damaged", "import-too-large", "import-unsupported", "import-newer", "import-wrong-password", "password-key-parameters"];
const room = "applications/passwords/formats/";
const vectors = join(import.meta.dirname, "../../../vectors/passwords");
const others = formats.filter(({ name, writes: written }) => written && name !== "mesh").map(({ name }) => name as WrittenFormat);
const NOW = Date.parse("2026-01-01T00:00:00Z");

/** Reads a file as an import does, whole or what can be read of it, and demands that what it brings can be kept and exported again. */
async function importing(file: Uint8Array, format?: FormatName): Promise<void> {
  const how = { octets: file, password: async () => PASSWORD.slice(), keys: quickKeys, ...(format === undefined ? {} : { format }) };
  let read;
  try {
    read = await readPasswords({ ...how, partial: false });
  } catch (error) {
    if (!(error instanceof MeshError) || error.code !== "import-damaged") throw error;
    read = await readPasswords({ ...how, partial: true });
  }
  const plan = read.plan([]);
  hold(plan.imported + plan.already <= read.items, "no more comes in than is in the file");
  const entries = applied(plan);
  const again = await readPasswords({ octets: (await writePasswords(entries, { format: "mesh", now: NOW })).octets, partial: false, password: async () => PASSWORD, keys: quickKeys });
  const restored = applied(again.plan([]));
  hold(said(restored) === said(entries), "our own file brings back what it was made of", said(restored));
  // One of the others each time: all of them take most of the time.
  const written = others[file.length % others.length] as WrittenFormat;
  await writePasswords(entries, { format: written, now: NOW });
}

/** All values of entries, whatever their order. */
function said(entries: readonly Entry[]): string {
  const all = entries.map((entry) => ({ id: entry.id, fields: Object.fromEntries(Object.keys(entry.fields).map((name) => [name, writes(entry, name).map(({ value }) => value)])) }));
  return canonicalJson(all.sort((a, b) => (a.id < b.id ? -1 : 1)) as unknown as Json);
}

function valid(format: FormatName): readonly Uint8Array[] {
  return readdirSync(join(vectors, format, "valid")).sort().map((name) => new Uint8Array(readFileSync(join(vectors, format, "valid", name))));
}

const bitwardenWords = ["items", "folders", "collections", "login", "uris", "uri", "fido2Credentials", "fields", "passwordHistory", "lastUsedDate", "type", "name", "notes", "card", "identity", "secureNote", "sshKey", "totp", "encrypted", "passwordProtected", "reprompt", "favorite", "folderId", "collectionIds", "kdfType", "kdfIterations", "data", "salt"];

export const bitwarden: Target = {
  name: "import-bitwarden",
  files: [`${room}bitwarden`, `${room}item.ts`, `${room}plan.ts`, `${room}names.ts`, `${room}folders.ts`],
  seeds: () => [...valid("bitwarden").filter((file) => file.length < 20_000), octets('{"encrypted":false,"folders":[{"id":"f","name":"a/b"}],"items":[{"type":1,"name":"x","folderId":"f","login":{"username":"u","password":"p","uris":[{"uri":"https://a.example","match":null}]},"fields":[{"name":"f","value":"v","type":1}],"passwordHistory":[{"password":"o","lastUsedDate":"2020"}]}]}'), octets('{"items":[{"type":2,"name":"n","notes":"t","secureNote":{"type":0}},{"type":3,"name":"c","card":{"number":"1"}}]}')],
  words: bitwardenWords,
  most: 20_000,
  refusals,
  run: (input) => (costly(input) ? undefined : importing(input, "bitwarden")),
};

/** A key that costs as much as the file says is made on purpose; what is refused as too much is tried in the tests of the formats. */
function costly(input: Uint8Array): boolean {
  return [...text(input).matchAll(/"kdf(?:Iterations|Memory)"\s*:\s*([0-9.eE+-]+)/g)].some(([, number]) => Number(number) > 2000 && Number(number) < 1e9);
}

export const csv: Target = {
  name: "import-csv",
  files: [`${room}csv`, `${room}item.ts`, `${room}plan.ts`],
  seeds: () => (["bitwarden-csv", "chrome-csv", "firefox-csv", "safari-csv", "keepassxc-csv"] as const).flatMap((format) => valid(format).map((file) => file.subarray(0, 1500))),
  words: ['"', '""', ",", "\r\n", "\n", "folder", "Group", "Title", "login_uri", "name: value", "url", "Root/", "/", "=1+1", "__proto__"],
  refusals,
  run: async (input) => {
    const { rows } = readCsv(text(input));
    hold(canonicalJson(readCsv(writeCsv(rows, true)).rows) === canonicalJson(rows), "rows that are written read the same again");
    await importing(input);
  },
};

export const keepassXml: Target = {
  name: "import-keepass",
  files: [`${room}keepass`, `${room}xml.ts`],
  seeds: () => [...valid("keepassxc-xml").map((file) => file.subarray(0, 6000)), octets('<?xml version="1.0"?><KeePassFile><Meta><Binaries><Binary ID="0" Compressed="False">aGk=</Binary></Binaries></Meta><Root><Group><Name>R</Name><Entry><UUID>A</UUID><String><Key>Title</Key><Value>t</Value></String><String><Key>Password</Key><Value ProtectInMemory="True">p</Value></String><Binary><Key>f</Key><Value Ref="0"/></Binary><Times><CreationTime>2020-01-01T00:00:00Z</CreationTime></Times><History><Entry/></History></Entry></Group></Root></KeePassFile>')],
  words: ["<Entry>", "</Entry>", "<Group>", "</Group>", "<String><Key>", "</Key><Value>", "</Value></String>", "<History>", "<Binary>", 'Ref="0"', 'Protected="True"', 'ProtectInMemory="True"', "<Times>", "&amp;", "&#x41;", "&#1114112;", "<!--", "-->", "<![CDATA[", "<!DOCTYPE", "/>", "__proto__", "<Tags>", "<UUID>"],
  most: 6000,
  refusals,
  run: async (input) => {
    const { damage, root } = readXml(text(input));
    if (damage === undefined && root !== undefined) hold(canonicalJson(readXml(writeXml(root)).root as unknown as Json) === canonicalJson(readXml(writeXml(readXml(writeXml(root)).root ?? root)).root as unknown as Json), "a document that is written reads the same again");
    await importing(input, "keepassxc-xml");
  },
};

export const kdbx: Target = {
  name: "import-kdbx",
  files: [`${room}kdbx`, `${room}keepass`, `${room}octets.ts`],
  seeds: () => [kdbxInner(valid("keepassxc-xml")[0]?.subarray(0, 5000) ?? new Uint8Array(0)), kdbxInner(octets('<KeePassFile><Root><Group><Entry><String><Key>Password</Key><Value Protected="True">AAAA</Value></String><Binary><Key>f</Key><Value Ref="0"/></Binary><Times><CreationTime>AAAAAAAAAAA=</CreationTime></Times></Entry></Group></Root></KeePassFile>'))],
  words: ['Protected="True"', "<CreationTime>", "AAAAAAAAAAA=", "//////////8=", "<Value", "<Entry>", "</Entry>", 'Ref="0"', "\u0003\u0003\u0000\u0000\u0000"],
  most: 6000,
  refusals: [...refusals, "text-malformed"],
  run: (input) => importing(kdbxOf(input), "kdbx"),
};

/** The readable head of a database, which nothing protects from whoever wrote the file. */
export const kdbxHead: Target = {
  name: "kdbx-head",
  files: [`${room}kdbx-header.ts`, `${room}octets.ts`],
  seeds: () => valid("kdbx").map((file) => file.subarray(0, 400)),
  words: ["$UUID", "S", "R", "V", "M", "I", "P", "K", "A"],
  most: 600,
  refusals: [...refusals, "text-malformed"],
  run: (input) => {
    const header = readKdbxHeader(input);
    hold(header.length <= input.length, "a head is no longer than its file");
  },
};

export const zip: Target = {
  name: "zip",
  files: [`${room}zip.ts`, `${room}inflate.ts`, `${room}octets.ts`],
  seeds: () => [zipOf({ "export.data": octets("{}"), "files/a__b": octets("hi") }), ...valid("1pux").map((file) => file.slice(-1500))],
  words: ["PK\u0001\u0002", "PK\u0003\u0004", "PK\u0005\u0006", "export.data"],
  most: 4000,
  refusals: [...refusals, "text-malformed"],
  run: async (input) => {
    const archive = new Zip(input);
    for (const name of archive.names.slice(0, 4)) {
      const member = await archive.read(name);
      hold(member !== undefined, "a member that is named is there");
    }
  },
};

export const onePux: Target = {
  name: "import-1pux",
  files: [`${room}one-pux`, `${room}zip.ts`, `${room}item.ts`],
  seeds: () => [...["everything.data.json", "with-files.data.json"].map((name) => new Uint8Array(readFileSync(join(vectors, "1pux", name)))), octets('{"accounts":[{"vaults":[{"attrs":{"name":"V"},"items":[{"categoryUuid":"001","createdAt":1,"details":{"loginFields":[{"designation":"password","value":"p"}],"sections":[{"title":"s","fields":[{"title":"f","value":{"concealed":"x"}}]}]},"overview":{"title":"t","urls":[{"url":"u"}],"tags":["a"]}}]}]}]}')],
  words: ["accounts", "vaults", "items", "item", "details", "overview", "sections", "fields", "value", "file", "documentAttributes", "fileName", "documentId", "concealed", "totp", "date", "monthYear", "address", "email", "creditCardNumber", "gender", "categoryUuid", "001", "002", "110", "favIndex", "createdAt", "passwordHistory", "tags", "urls", "state", "trashed"],
  most: 20_000,
  refusals,
  run: (input) => importing(zipOf({ "export.data": input, "files/doc1__scan.txt": PASSWORD }), "1pux"),
};

export const meshFile: Target = {
  name: "import-mesh",
  files: [`${room}mesh-file.ts`, `${room}plan.ts`, `${room}item.ts`],
  seeds: async () => {
    const entries: readonly Entry[] = [{ id: "AAAAAAAAAAAAAAAAAAAAAA" as Entry["id"], fields: { name: [{ author: "A", counter: 2, value: "b" }, { author: "A", counter: 1, value: "a" }], "site.001": [{ author: "A", counter: 1, value: "https://a.example" }], field: [{ author: "A", counter: 1, value: [] }] } }];
    return [octets(await writeMeshFile(entries, new Map([[attachedAt(entries[0]?.id ?? "", "file"), PASSWORD]]), undefined)), octets(await writeMeshFile(entries, new Map(), PASSWORD, quickKeys)), octets('{"format":"mesh-passwords","v":1,"entries":[]}')];
  },
  words: ["format", "mesh-passwords", "entries", "sealed", "fields", "id", "name", "removed", "kind", "folder", "renamed", "field", "passkey", "past", "kept.keepass", "kept.bitwarden", "totp", "site.1", "favorite", "memoryKiB", "lanes", "passes", "salt", "commitment"],
  most: 8000,
  refusals,
  run: (input) => (/"(?:memoryKiB|passes)"\s*:\s*(?!8\b|1\b|0\b|-)[0-9]/.test(text(input)) ? undefined : importing(input, "mesh")),
};

/** A file of a format that only its content tells. */
export const anyFile: Target = {
  name: "import-any",
  files: [`${room}read.ts`],
  seeds: () => ["{\"format\":\"mesh-passwords\",\"v\":1,\"entries\":[]}", '{"items":[]}', "<?xml version=\"1.0\"?><KeePassFile><Root><Group/></Root></KeePassFile>", "name,url,username,password\na,b,c,d\n", "PK\u0003\u0004", "\uFEFF{}", ""].map(octets),
  words: ["{", '"items":', '"encrypted":true', '"format":"mesh-passwords"', "<?xml", "<KeePassFile", "name,url,username,password", "\uFEFF", "PK", "\u0003"],
  most: 600,
  refusals,
  run: (input) => (costly(input) || /"memoryKiB"/.test(text(input)) || input[0] === 3 ? undefined : importing(input)),
};
