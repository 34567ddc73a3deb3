// A small writer of PKCS #10 requests (RFC 2986) for keys that the browser makes: certctl.pkcs10.
// Values in, bytes out; nothing is sent or kept here.
"use strict";

(() => {
  const SEQUENCE = 0x30, SET = 0x31, INTEGER = 0x02, BIT_STRING = 0x03, OCTET_STRING = 0x04;
  const NULL = 0x05, OID = 0x06, UTF8 = 0x0c;
  // GeneralName, RFC 5280 section 4.2.1.6: the tags in the context.
  const TAGS = { email: 0x81, dns: 0x82, uri: 0x86, ip: 0x87 };
  const ID = {
    commonName: "2.5.4.3",
    extensionRequest: "1.2.840.113549.1.9.14",
    subjectAltName: "2.5.29.17",
    "ecdsa-p256": "1.2.840.10045.4.3.2", // ecdsa-with-SHA256
    "ecdsa-p384": "1.2.840.10045.4.3.3", // ecdsa-with-SHA384
    rsa: "1.2.840.113549.1.1.11", // sha256WithRSAEncryption, whose parameters are NULL
  };

  const joined = (parts) => {
    const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  };

  const lengthOf = (count) => {
    if (count < 0x80) return [count];
    const octets = [];
    for (let rest = count; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
    return [0x80 | octets.length, ...octets];
  };

  const der = (tag, ...parts) => {
    const body = joined(parts);
    return joined([Uint8Array.from([tag, ...lengthOf(body.length)]), body]);
  };

  const oid = (text) => {
    const [first, second, ...rest] = text.split(".").map(Number);
    const octets = [first * 40 + second];
    for (const arc of rest) {
      const groups = [arc % 128];
      for (let more = Math.floor(arc / 128); more > 0; more = Math.floor(more / 128)) {
        groups.unshift(0x80 | (more % 128));
      }
      octets.push(...groups);
    }
    return der(OID, Uint8Array.from(octets));
  };

  const integer = (octets) => {
    let from = 0;
    while (from < octets.length - 1 && octets[from] === 0) from += 1;
    const short = octets.slice(from);
    // The top bit is the sign: a positive number that has it set gets a zero in front.
    return der(INTEGER, short[0] & 0x80 ? joined([Uint8Array.of(0), short]) : short);
  };

  const address = (text) => {
    if (!text.includes(":")) return Uint8Array.from(text.split(".").map(Number));
    const [head, tail] = text.split("::");
    const groups = (half) => (half ? half.split(":") : []);
    const before = groups(head), after = groups(tail);
    const gap = tail === undefined ? [] : Array(8 - before.length - after.length).fill("0");
    return Uint8Array.from(
      [...before, ...gap, ...after].flatMap((group) => {
        const value = parseInt(group, 16);
        return [value >> 8, value & 0xff];
      }),
    );
  };

  // One name as "dns:…", in the normal form that the server gives.
  const generalName = (name) => {
    const at = name.indexOf(":");
    const kind = name.slice(0, at), value = name.slice(at + 1);
    if (!(kind in TAGS)) throw new Error(`No name of a kind that is known: ${name}`);
    return der(TAGS[kind], kind === "ip" ? address(value) : new TextEncoder().encode(value));
  };

  const subject = (commonName) =>
    commonName
      ? der(
          SEQUENCE,
          der(SET, der(SEQUENCE, oid(ID.commonName), der(UTF8, new TextEncoder().encode(commonName)))),
        )
      : der(SEQUENCE);

  const attributes = (names) => {
    if (!names.length) return der(0xa0);
    const list = der(SEQUENCE, ...names.map(generalName));
    const extension = der(SEQUENCE, oid(ID.subjectAltName), der(OCTET_STRING, list));
    const wanted = der(SEQUENCE, extension);
    return der(0xa0, der(SEQUENCE, oid(ID.extensionRequest), der(SET, wanted)));
  };

  // WebCrypto gives r and s side by side (IEEE P1363); X.509 has them as a SEQUENCE (RFC 3279).
  const ecdsaSignature = (raw) => {
    const half = raw.length / 2;
    return der(SEQUENCE, integer(raw.slice(0, half)), integer(raw.slice(half)));
  };

  const pem = (label, bytes) => {
    let binary = "";
    for (const octet of bytes) binary += String.fromCharCode(octet);
    const lines = btoa(binary).match(/.{1,64}/g).join("\n");
    return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
  };

  const CURVES = { "ecdsa-p256": ["P-256", "SHA-256"], "ecdsa-p384": ["P-384", "SHA-384"] };

  // Which of a profile's algorithms can be made here; Ed25519 is not in every browser.
  const canMake = (algorithm) => algorithm in CURVES || /^rsa-\d+$/.test(algorithm);

  const newKey = (algorithm) => {
    const [curve] = CURVES[algorithm] || [];
    const parameters = curve
      ? { name: "ECDSA", namedCurve: curve }
      : {
          name: "RSASSA-PKCS1-v1_5",
          hash: "SHA-256",
          modulusLength: Number(algorithm.replace("rsa-", "")),
          publicExponent: Uint8Array.of(1, 0, 1),
        };
    return crypto.subtle.generateKey(parameters, true, ["sign", "verify"]);
  };

  // The request, as PEM, for a key of newKey and names in their normal form.
  const requestFor = async (pair, algorithm, names, commonName) => {
    const spki = new Uint8Array(await crypto.subtle.exportKey("spki", pair.publicKey));
    const info = der(
      SEQUENCE,
      der(INTEGER, Uint8Array.of(0)),
      subject(commonName),
      spki,
      attributes(names),
    );
    const [curve, hash] = CURVES[algorithm] || [];
    const how = curve ? { name: "ECDSA", hash } : { name: "RSASSA-PKCS1-v1_5" };
    const raw = new Uint8Array(await crypto.subtle.sign(how, pair.privateKey, info));
    const identifier = curve
      ? der(SEQUENCE, oid(ID[algorithm]))
      : der(SEQUENCE, oid(ID.rsa), der(NULL));
    const signature = curve ? ecdsaSignature(raw) : raw;
    const bits = der(BIT_STRING, Uint8Array.of(0), signature);
    return pem("CERTIFICATE REQUEST", der(SEQUENCE, info, identifier, bits));
  };

  // The private key as PKCS #8 (RFC 5958), unencrypted, for the file that is saved.
  const privateKeyOf = async (pair) =>
    pem("PRIVATE KEY", new Uint8Array(await crypto.subtle.exportKey("pkcs8", pair.privateKey)));

  window.certctl = { ...window.certctl, pkcs10: { canMake, newKey, requestFor, privateKeyOf } };
})();
