"""A gzip writer whose bytes do not depend on the zlib that Python happens to link.

Runs of equal bytes become matches at distance one, everything is Huffman coded in blocks
(RFC 1951 and 1952). zlib and zlib-ng give different bytes for the same data, so the registry of
sums could not be kept with them.
"""

from __future__ import annotations

import heapq
import struct
import zlib

import numpy as np
from exact import Array

_BLOCK = 1 << 19
_ORDER = (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15)


def _length_table() -> tuple[Array, Array, Array]:
    """For a match of 3 to 258 bytes: symbol, number of extra bits, their value."""
    symbol, bits, value = (np.zeros(259, np.int64) for _ in range(3))
    code, start = 257, 3
    while code < 285:
        extra = 0 if code < 265 else (code - 261) // 4
        for offset in range(1 << extra):
            if start + offset < 258:
                at = start + offset
                symbol[at], bits[at], value[at] = code, extra, offset
        start += 1 << extra
        code += 1
    symbol[258] = 285
    return symbol, bits, value


_SYMBOL, _BITS, _VALUE = _length_table()


def _code_lengths(counts: Array, limit: int) -> Array:
    """Length of every symbol's Huffman code, none longer than `limit` bits."""
    weights = [int(c) for c in counts]
    while True:
        heap = [(w, s, (s,)) for s, w in enumerate(weights) if w]
        lengths = np.zeros(len(weights), np.int64)
        if len(heap) == 1:
            lengths[heap[0][1]] = 1
            return lengths
        heapq.heapify(heap)
        while len(heap) > 1:
            first, second = heapq.heappop(heap), heapq.heappop(heap)
            members = first[2] + second[2]
            for s in members:
                lengths[s] += 1
            heapq.heappush(heap, (first[0] + second[0], min(first[1], second[1]), members))
        if lengths.max() <= limit:
            return lengths
        weights = [(w + 1) // 2 if w else 0 for w in weights]


def _codes(lengths: Array) -> Array:
    """Return the canonical codes with their bits reversed, as deflate stores them."""
    codes = np.zeros(lengths.size, np.int64)
    code = 0
    for bits in range(1, int(lengths.max()) + 1):
        for s in np.flatnonzero(lengths == bits):
            codes[s] = int(format(code, f"0{bits}b")[::-1], 2)
            code += 1
        code <<= 1
    return codes


def _tokens(data: Array) -> tuple[Array, Array]:
    """Split bytes into literals (below 256) and runs (match lengths; 0 for a literal)."""
    change = np.flatnonzero(np.diff(data)) + 1
    starts = np.concatenate([[0], change])
    lengths = np.diff(np.concatenate([starts, [data.size]]))
    literals: list[Array] = []
    position: list[Array] = []
    matches: list[Array] = []
    short = lengths < 4
    # every run of at least four: one literal, then matches of up to 258 bytes, then a rest
    for size in (1, 2, 3):
        begin = starts[short & (lengths >= size)] + (size - 1)
        position.append(begin)
        literals.append(data[begin].astype(np.int64))
        matches.append(np.zeros(begin.size, np.int64))
    long_starts, rest = starts[~short], lengths[~short] - 1
    position.append(long_starts)
    literals.append(data[long_starts].astype(np.int64))
    matches.append(np.zeros(long_starts.size, np.int64))
    at = long_starts + 1
    while rest.size:
        take = np.minimum(rest, 258)
        take = np.where((rest - take > 0) & (rest - take < 3), take - 3, take)
        position.append(at)
        literals.append(np.zeros(at.size, np.int64))
        matches.append(take)
        at, rest = at + take, rest - take
        keep = rest > 0
        at, rest = at[keep], rest[keep]
    order = np.argsort(np.concatenate(position), kind="stable")
    return np.concatenate(literals)[order], np.concatenate(matches)[order]


def _put_bits(values: Array, sizes: Array) -> Array:
    """Lay the lowest `sizes` bits of `values` one after the other, least significant first."""
    ends = np.cumsum(sizes)
    owner = np.repeat(np.arange(values.size), sizes)
    shift = np.arange(int(ends[-1])) - np.repeat(ends - sizes, sizes)
    bits: Array = ((values[owner] >> shift) & 1).astype(np.uint8)
    return bits


def _block(literals: Array, matches: Array, *, last: bool) -> Array:
    symbols = np.where(matches > 0, _SYMBOL[matches], literals)
    symbols = np.concatenate([symbols, [256]])
    runs = np.concatenate([matches, [0]])
    lengths = _code_lengths(np.bincount(symbols, minlength=286), 15)
    codes = _codes(lengths)
    head_values, head_sizes = [1 if last else 0, 2, 29, 0], [1, 2, 5, 5]
    sent = np.concatenate([lengths, [1]])  # one distance code: distance 1
    meta = _code_lengths(np.bincount(sent, minlength=19), 7)
    meta_codes = _codes(meta)
    head_values.append(15)
    head_sizes.append(4)
    head_values += [int(meta[k]) for k in _ORDER]
    head_sizes += [3] * 19
    head_values += [int(meta_codes[v]) for v in sent]
    head_sizes += [int(meta[v]) for v in sent]
    # each token: code, extra length bits, one zero bit for the distance where it is a match
    sizes = lengths[symbols]
    values = codes[symbols] | (_VALUE[runs] << sizes)
    sizes = sizes + _BITS[runs] + (runs > 0)
    return np.concatenate(
        [
            _put_bits(np.array(head_values), np.array(head_sizes)),
            _put_bits(values, sizes),
        ]
    )


def gzip_bytes(data: bytes) -> bytes:
    """Return `data` as a gzip file without name and with time zero."""
    literals, matches = _tokens(np.frombuffer(data, np.uint8))
    parts = [
        _block(
            literals[k : k + _BLOCK], matches[k : k + _BLOCK], last=k + _BLOCK >= literals.size
        )
        for k in range(0, literals.size, _BLOCK)
    ]
    body = np.packbits(np.concatenate(parts), bitorder="little").tobytes()
    head = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
    return head + body + struct.pack("<II", zlib.crc32(data), len(data) & 0xFFFFFFFF)
