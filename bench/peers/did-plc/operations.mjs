// Makes so many signed operations that create an identity, each with a key of its own: { did, op } a line.
import crypto from "@atproto/crypto";
import lib from "@did-plc/lib";

const lines = [];
for (let made = 0; made < Number(process.argv[2]); made++) {
  const signer = await crypto.Secp256k1Keypair.create();
  const { did, op } = await lib.createOp({ signingKey: signer.did(), handle: `user${made}.example.com`, pds: "https://pds.example.com", rotationKeys: [signer.did()], signer });
  lines.push(JSON.stringify({ did, op }));
}
process.stdout.write(`${lines.join("\n")}\n`);
