// Bytes and the hashes of them: SHA-256, SHA-512 (FIPS 180-4), Base64, hexadecimal, and the protocol's tagged hash.
//
// Browsers offer hashes in WebCrypto, but not to pages over plain HTTP or from a file.

class Wrong extends Error {} // A step ends as wrong; the message is its sentence.
class Mistaken extends Wrong {} // The same, but only because of something that was entered or chosen with the proof.
class Unproven extends Error {} // A step ends as not proven; the message is its sentence.

const HASH_BYTES = 32;
const utf8 = (text) => new TextEncoder().encode(text);

function joined(...parts) {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function sameBytes(one, other) {
  return one.length === other.length && one.every((byte, place) => byte === other[place]);
}

function bigEndian(number, length) {
  const bytes = new Uint8Array(length);
  // Numbers are much faster than BigInts.
  const isLarge = typeof number === "bigint";
  let rest = number;
  for (let at = length - 1; rest > 0; at--) {
    bytes[at] = Number(isLarge ? rest & 255n : rest % 256);
    rest = isLarge ? rest >> 8n : Math.floor(rest / 256);
  }
  return bytes;
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

function hexOf(bytes) {
  let hex = "";
  for (const byte of bytes) hex += HEX[byte];
  return hex;
}

const bytesOfHex = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const numberOf = (bytes) => BigInt(`0x${hexOf(bytes) || "0"}`);

const base64Of = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));

function readBase64(text) {
  let binary;
  try {
    binary = atob(text);
  } catch {
    throw new Wrong("it is not Base64");
  }
  // atob accepts white space, missing padding and leftover bits.
  if (btoa(binary) !== text) throw new Wrong("it is not Base64 in the one form that its bytes have");
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

// The constants are fractions of roots of the first primes: those of SHA-256 are the first halves of SHA-512's.

function rootOf(value, power) {
  let [low, high] = [0n, 1n << 80n];
  while (high - low > 1n) {
    const middle = (low + high) / 2n;
    if (middle ** power <= value) low = middle;
    else high = middle;
  }
  return low;
}

const PRIMES = [];
for (let candidate = 2; PRIMES.length < 80; candidate++) {
  if (PRIMES.every((prime) => candidate % prime)) PRIMES.push(candidate);
}
const fraction = (prime, power) => BigInt.asUintN(64, rootOf(BigInt(prime) << (64n * power), power));
const ROUNDS_512 = PRIMES.map((prime) => fraction(prime, 3n));
const START_512 = PRIMES.slice(0, 8).map((prime) => fraction(prime, 2n));
const upperHalf = (word) => Number(word >> 32n) | 0;
const ROUNDS_256 = Int32Array.from(ROUNDS_512.slice(0, 64), upperHalf);
const START_256 = Int32Array.from(START_512, upperHalf);

function padded(bytes, blockBytes) {
  const lengthBytes = blockBytes / 8;
  const blocks = Math.ceil((bytes.length + 1 + lengthBytes) / blockBytes);
  const whole = new Uint8Array(blocks * blockBytes);
  whole.set(bytes);
  whole[bytes.length] = 0x80;
  whole.set(bigEndian(bytes.length * 8, 8), whole.length - 8);
  return whole;
}

function sha256(bytes) {
  const message = padded(bytes, 64);
  const view = new DataView(message.buffer);
  const state = Int32Array.from(START_256);
  const w = new Int32Array(64);
  for (let block = 0; block < message.length; block += 64) {
    for (let t = 0; t < 16; t++) w[t] = view.getInt32(block + 4 * t);
    for (let t = 16; t < 64; t++) {
      const [x, y] = [w[t - 15], w[t - 2]];
      const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
      const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
      w[t] = (w[t - 16] + s0 + w[t - 7] + s1) | 0;
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (let t = 0; t < 64; t++) {
      const S1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const S0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const one = (h + S1 + ((e & f) ^ (~e & g)) + ROUNDS_256[t] + w[t]) | 0;
      const two = (S0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g;
      g = f;
      f = e;
      e = (d + one) | 0;
      d = c;
      c = b;
      b = a;
      a = (one + two) | 0;
    }
    const mixed = [a, b, c, d, e, f, g, h];
    for (let place = 0; place < 8; place++) state[place] += mixed[place];
  }
  const digest = new Uint8Array(32);
  const out = new DataView(digest.buffer);
  state.forEach((word, place) => out.setInt32(4 * place, word));
  return digest;
}

function sha512(bytes) {
  const message = padded(bytes, 128);
  const view = new DataView(message.buffer);
  const word = (value) => BigInt.asUintN(64, value);
  const turned = (value, by) => (value >> by) | word(value << (64n - by));
  const w = new BigUint64Array(80);
  const state = BigUint64Array.from(START_512);
  for (let block = 0; block < message.length; block += 128) {
    for (let t = 0; t < 16; t++) w[t] = view.getBigUint64(block + 8 * t);
    for (let t = 16; t < 80; t++) {
      const [x, y] = [w[t - 15], w[t - 2]];
      const s0 = turned(x, 1n) ^ turned(x, 8n) ^ (x >> 7n);
      const s1 = turned(y, 19n) ^ turned(y, 61n) ^ (y >> 6n);
      w[t] = w[t - 16] + s0 + w[t - 7] + s1;
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (let t = 0; t < 80; t++) {
      const S1 = turned(e, 14n) ^ turned(e, 18n) ^ turned(e, 41n);
      const S0 = turned(a, 28n) ^ turned(a, 34n) ^ turned(a, 39n);
      const one = word(h + S1 + ((e & f) ^ (word(~e) & g)) + ROUNDS_512[t] + w[t]);
      const two = S0 + ((a & b) ^ (a & c) ^ (b & c));
      [h, g, f, e, d, c, b, a] = [g, f, e, word(d + one), c, b, a, word(one + two)];
    }
    [a, b, c, d, e, f, g, h].forEach((value, place) => (state[place] += value));
  }
  const digest = new Uint8Array(64);
  const out = new DataView(digest.buffer);
  state.forEach((value, place) => out.setBigUint64(8 * place, value));
  return digest;
}

// H(tag, data) of section 1 of the protocol.
const taggedHash = (tag, data) => sha256(joined(utf8(`rafflekit v1 ${tag}\0`), data));
