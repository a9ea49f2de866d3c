// Ed25519 signatures, checked as in RFC 8032, section 5.1.7, without the cofactor. Nothing here is secret, so the time may
// vary.

const P = 2n ** 255n - 19n;
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;

const modP = (value) => ((value % P) + P) % P;

function power(base, exponent) {
  let [result, square, rest] = [1n, modP(base), exponent];
  for (; rest; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % P;
    square = (square * square) % P;
  }
  return result;
}

const inverse = (value) => power(value, P - 2n);
const D = modP(-121665n * inverse(121666n));
const ROOT_OF_MINUS_ONE = power(2n, (P - 1n) / 4n);

// Points are [X, Y, Z, T] with x = X/Z, y = Y/Z, x·y = T/Z (RFC 8032, 5.1.4).
const NEUTRAL = [0n, 1n, 1n, 0n];

function added([x1, y1, z1, t1], [x2, y2, z2, t2]) {
  const a = modP((y1 - x1) * (y2 - x2));
  const b = modP((y1 + x1) * (y2 + x2));
  const c = modP(2n * t1 * t2 * D);
  const d = modP(2n * z1 * z2);
  const [e, f, g, h] = [b - a, d - c, d + c, b + a];
  return [modP(e * f), modP(g * h), modP(f * g), modP(e * h)];
}

function doubled([x, y, z]) {
  const a = (x * x) % P;
  const b = (y * y) % P;
  const h = a + b;
  const e = h - (x + y) ** 2n;
  const g = a - b;
  const f = 2n * z * z + g;
  return [modP(e * f), modP(g * h), modP(f * g), modP(e * h)];
}

// [scalar]point + [otherScalar]other, with one chain of doublings for both.
function sumOfMultiples(scalar, point, otherScalar, other) {
  const addends = [null, point, other, added(point, other)];
  let sum = NEUTRAL;
  for (let bit = 252n; bit >= 0n; bit--) {
    sum = doubled(sum);
    const addend = addends[Number(((scalar >> bit) & 1n) | (((otherScalar >> bit) & 1n) << 1n))];
    if (addend !== null) sum = added(sum, addend);
  }
  return sum;
}

const littleEndian = (bytes) => numberOf(Uint8Array.from(bytes).reverse());

function encoded([x, y, z]) {
  const scale = inverse(z);
  const bytes = bigEndian(modP(y * scale), 32).reverse();
  bytes[31] |= Number(modP(x * scale) & 1n) << 7;
  return bytes;
}

function decoded(bytes) {
  const y = BigInt.asUintN(255, littleEndian(bytes));
  if (y >= P) return null;
  const [u, v] = [modP(y * y - 1n), modP(D * y * y + 1n)];
  let x = modP(u * v ** 3n * power(u * v ** 7n, (P - 5n) / 8n));
  if (modP(v * x * x) === modP(-u)) x = modP(x * ROOT_OF_MINUS_ONE);
  else if (modP(v * x * x) !== u) return null;
  const sign = BigInt(bytes[31] >> 7);
  if (x === 0n && sign) return null;
  if ((x & 1n) !== sign) x = P - x;
  return [x, y, 1n, modP(x * y)];
}

const BASE = decoded(bigEndian(modP(4n * inverse(5n)), 32).reverse());

// Returns whether a signature (64 bytes) on a message is by a public key (32 bytes).
function isSignature(publicKey, signature, message) {
  const key = decoded(publicKey);
  const s = littleEndian(signature.slice(32));
  if (key === null || s >= ORDER) return false;
  const challenge = littleEndian(sha512(joined(signature.slice(0, 32), publicKey, message))) % ORDER;
  const [x, y, z, t] = key;
  const found = sumOfMultiples(s, BASE, challenge, [P - x, y, z, P - t]);
  return sameBytes(encoded(found), signature.slice(0, 32));
}
