// The Merkle tree of RFC 6962: the roots of its perfect subtrees, growing leaf by leaf.

const EMPTY_ROOT = sha256(new Uint8Array(0));

/** The tree of the events of one session, in the memory of its logarithm. */
class Frontier {
  constructor() {
    this.size = 0;
    this.peaks = [];
  }

  /** Add the hash of one leaf at the right. */
  add(leaf) {
    let node = leaf;
    // A whole number of 53 bits: no bit operations, which have 32.
    for (let carried = this.size; carried % 2 === 1; carried = (carried - 1) / 2) {
      node = sha256Tagged(1, this.peaks.pop(), node);
    }
    this.peaks.push(node);
    this.size += 1;
  }

  /** The root over all leaves so far. */
  root() {
    if (this.size === 0) return EMPTY_ROOT;
    let found = this.peaks[this.peaks.length - 1];
    for (let i = this.peaks.length - 2; i >= 0; i -= 1) {
      found = sha256Tagged(1, this.peaks[i], found);
    }
    return found;
  }
}
