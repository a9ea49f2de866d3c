// Six words for a closing, by which people compare what they see (section 4). The list is a file of its own, since the
// page of a proof does not need it.

const WORDS = 6;
const WORD_BITS = 11n;

// Returns the words of a closing's hash; `list` is the text of the list, one word per line.
function wordsOf(hash, list) {
  const known = list.trim().split("\n");
  if (known.length !== 2 ** Number(WORD_BITS)) throw new Error("This is not the list of words.");
  let bits = numberOf(hash) >> (BigInt(8 * hash.length) - BigInt(WORDS) * WORD_BITS);
  const words = [];
  for (; words.length < WORDS; bits >>= WORD_BITS) words.unshift(known[Number(bits & ((1n << WORD_BITS) - 1n))]);
  return words;
}
