"""Edits that turn good inputs into bad ones: of bytes, of text, of JSON, of pickles and of zip archives.

Everything is drawn from a ``random.Random``, so that a seed gives the same input on every machine.
"""

from __future__ import annotations

import copy
import io
import json
import pickletools
import re
import struct
import warnings
import zipfile
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

Edit = Callable[[Random, Sequence[bytes]], bytes]

#: Whole numbers at which formats and machines change their mind.
EDGES = (
    0,
    1,
    2,
    127,
    128,
    255,
    256,
    32767,
    32768,
    65535,
    65536,
    2**24,
    2**31 - 1,
    2**31,
    2**32 - 1,
    2**32,
    2**63,
)
#: What may stand where a text has a number.
NUMBERS = (
    b"0", b"-0", b"-1", b"1", b"7", b"255", b"65536", b"2147483648", b"4294967296", b"9223372036854775808",
    b"-9223372036854775809", b"1" + b"0" * 30, b"9" * 400, b"9" * 5000, b"1e308", b"-1e308", b"1e999", b"1e-400",
    b"nan", b"NaN", b"inf", b"-Infinity", b"0x10", b"1_000", b"1.5", b"", b"-", "٣".encode(), b"true", b"null",
)  # fmt: skip
#: What may stand in a text at all.
SNIPPETS = (
    b"\0", b"\r", b"\r\n", b"\n\n", b"\t", b"\t\t", b" ", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\xc3",
    b"\xed\xa0\x80", "é".encode(), "e\u0301".encode(), "\u202e".encode(), "\u2028".encode(), b"\x1c", b"\x85",
    b"/", b"../../x", b"/etc/passwd", b"a" * 300, b"a/" * 3000, b"[" * 3000, b"{\"a\":" * 3000, b"#", b'"',
    b"'", b"\\", b"|", b"%s", b"{}",
)  # fmt: skip
#: Values that nobody expects in JSON.
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 3, 2**31, 2**63, -(2**63) - 1, 10**30, 10**400, 10**5000, 0.5, -0.0, 1e308,
    -1e308, 1e-320, float("nan"), float("inf"), float("-inf"), "", " ", "x", "a|b", "a\nb", "\0", "\ud800", "é"
    * 200, "x" * 5000, "nan", "all", "av", "a", "entry", "static", "%", "mm", "../x", [], {}, [None], [[]], {"":
    None}, [1, 2, 3], {"a": {"b": []}},
)  # fmt: skip


def edit_bytes(rng: Random, samples: Sequence[bytes]) -> bytes:
    """Return a sample with one to eight edits of its bytes, most of them near its beginning."""
    data = bytearray(rng.choice(samples))
    for _ in range(1 + int(rng.random() ** 3 * 8)):
        place = int(len(data) * rng.random() ** rng.choice((1, 3, 6)))
        choice = rng.randrange(10)
        if choice == 0 and data:
            place = min(place, len(data) - 1)
            data[place] ^= 1 << rng.randrange(8)
        elif choice == 1 and data:
            data[min(place, len(data) - 1)] = rng.randrange(256)
        elif choice in (2, 3):
            code = rng.choice("BHIQ")
            value = max(0, rng.choice(EDGES) + rng.choice((-1, 0, 0, 1))) % (1 << 8 * struct.calcsize(code))
            packed = struct.pack(rng.choice("<>") + code, value)
            data[place : place + len(packed)] = packed
        elif choice == 4:
            del data[place : place + 1 + int(rng.random() ** 4 * len(data))]
        elif choice == 5:
            part = bytes(data[place : place + 1 + int(rng.random() ** 3 * 200)])
            data[place:place] = part * rng.choice((1, 1, 2, 50))
        elif choice == 6:
            data[place:place] = rng.choice((*SNIPPETS, bytes([rng.randrange(256)])))
        elif choice == 7:
            del data[place:]
        elif choice == 8:
            other = rng.choice(samples)
            start = int(len(other) * rng.random())
            data[place:] = other[start:] if rng.random() < 0.5 else other[start : start + 64] + data[place:]
        else:
            data = bytearray(_edit_number(rng, bytes(data)))
    return bytes(data)


_NUMBER = re.compile(rb"-?\d[\d.]*(?:[eE][+-]?\d+)?")


def _edit_number(rng: Random, text: bytes) -> bytes:
    found = list(_NUMBER.finditer(text[:20_000]))
    if not found:
        return text
    match = rng.choice(found)
    return text[: match.start()] + rng.choice(NUMBERS) + text[match.end() :]


def edit_lines(rng: Random, samples: Sequence[bytes]) -> bytes:
    """Return a text with edits of lines, fields and numbers, and now and then of bytes."""
    lines = rng.choice(samples).split(b"\n")
    for _ in range(1 + int(rng.random() ** 3 * 6)):
        place = rng.randrange(len(lines)) if lines else 0
        choice = rng.randrange(9)
        if not lines or choice == 0:
            lines.insert(place, rng.choice(rng.choice(samples).split(b"\n")))
        elif choice == 1:
            del lines[place]
        elif choice == 2:
            lines.insert(place, lines[place])
        elif choice == 3:
            other = rng.randrange(len(lines))
            lines[place], lines[other] = lines[other], lines[place]
        elif choice == 4:
            words = re.split(rb"([\t ,=])", lines[place])
            words[rng.randrange(len(words))] = rng.choice((*NUMBERS, *SNIPPETS))
            lines[place] = b"".join(words)
        elif choice in (5, 6):
            lines[place] = _edit_number(rng, lines[place])
        elif choice == 7:
            line = lines[place]
            at = rng.randrange(len(line) + 1)
            lines[place] = line[:at] + rng.choice(SNIPPETS) + line[at + rng.randrange(4) :]
        else:
            key, equals, _ = lines[place].partition(b"=")
            values = (
                *NUMBERS,
                b'""',
                b"[]",
                b"{}",
                b'"x"',
                b"[[]]",
                b'"' + b"a" * 300 + b'"',
                b"1979-05-27",
                b"{a=1}",
            )
            lines[place] = key + (equals or b"=") + rng.choice(values)
    text = b"\n".join(lines)
    if rng.random() < 0.1:
        text = text.decode("utf-8", "replace").encode(
            rng.choice(("utf-16", "utf-8-sig", "utf-16-le", "utf-32"))
        )
    return edit_bytes(rng, [text, *samples]) if rng.random() < 0.15 else text


def edit_json_value(rng: Random, value: Any) -> Any:
    """Return a JSON value with one to four parts replaced, removed, added, doubled or moved."""
    value = copy.deepcopy(value)
    for _ in range(1 + int(rng.random() ** 2 * 4)):
        places = list(_places(value))
        if not places:
            return copy.deepcopy(rng.choice(VALUES))
        parent, key = rng.choice(places)
        choice = rng.randrange(8)
        if choice == 0:
            del parent[key]
        elif choice == 1 and isinstance(parent, dict):
            parent[rng.choice(("", "x", "kind", "é" * 50, "a|b"))] = copy.deepcopy(rng.choice(VALUES))
        elif choice == 1 or (choice == 2 and isinstance(parent, list)):
            parent.insert(key, copy.deepcopy(parent[key]))
        elif choice == 3:
            other, name = rng.choice(places)
            parent[key] = copy.deepcopy(other[name])
        elif choice == 4 and isinstance(parent[key], str):
            text = parent[key]
            at = rng.randrange(len(text) + 1)
            parent[key] = text[:at] + rng.choice(SNIPPETS).decode("utf-8", "replace")[:40] + text[at:]
        elif choice == 5 and type(parent[key]) in (int, float):
            parent[key] = rng.choice(
                (
                    -parent[key],
                    parent[key] + 1,
                    parent[key] * 10**15,
                    f"{parent[key]:x}" if type(parent[key]) is int else str(parent[key]),
                    [parent[key]],
                )
            )
        else:
            parent[key] = copy.deepcopy(rng.choice(VALUES))
    return value


def _places(value: Any) -> Any:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield value, key
        yield from _places(item)


def edit_json(rng: Random, samples: Sequence[bytes]) -> bytes:
    """Return a JSON text with edited values, seldom with edited bytes."""
    if rng.random() < 0.15:
        return edit_lines(rng, samples)
    return dump_json(edit_json_value(rng, json.loads(rng.choice(samples))))


def edit_json_lines(rng: Random, samples: Sequence[bytes]) -> bytes:
    """Return lines of JSON of which some are edited, removed, doubled or moved."""
    if rng.random() < 0.15:
        return edit_lines(rng, samples)
    rows = [json.loads(line) for line in rng.choice(samples).splitlines()]
    for _ in range(1 + int(rng.random() ** 2 * 4)):
        place, choice = rng.randrange(len(rows)) if rows else 0, rng.randrange(8)
        if choice == 0 and rows:
            del rows[place]
        elif choice == 1 and rows:
            rows.insert(place, copy.deepcopy(rng.choice(rows)))
        elif rows:
            rows[place] = edit_json_value(rng, rows[place])
    return b"".join(dump_json(row) + b"\n" for row in rows)


def dump_json(value: Any) -> bytes:
    """Return a value as JSON, or a number of too many digits where it holds one."""
    try:
        return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
    except ValueError:  # a number of more digits than Python writes at once
        return json.dumps(value, default=str, skipkeys=True).encode() if not _too_long(value) else b"9" * 5001


def _too_long(value: Any) -> bool:
    return any(isinstance(p[k], int) and abs(p[k]) >= 10**4300 for p, k in _places([value]))


#: Instructions that fit anywhere, or nowhere.
_CODES = (
    b"N", b"(", b")", b"t", b"]", b"}", b"0", b"1", b"2", b"R", b"b", b"a", b"e", b"s", b"u", b"l", b"d",
    b"\x81", b"\x85", b"\x86", b"\x87", b"\x88", b"\x89", b"\x8f", b"\x90", b"\x91", b"\x93", b"\x94", b"K\x00",
    b"K\xff", b"M\xff\xff", b"J\xff\xff\xff\xff", b"\x8a\x09" + b"\xff" * 8 + b"\x7f", b"\x8a\xff" + b"\x7f" *
    255, b"G\x7f\xf8\0\0\0\0\0\0", b"G\x7f\xf0\0\0\0\0\0\0", b"\x8c\x03f\xc3\xa9", b"\x8c\x00", b"U\x02f8",
    b"C\x02f8", b"C\x00", b"X\x01\x00\x00\x00<", b"h\x00", b"q\x01", b"cnumpy\ndtype\n", b"cnumpy\nndarray\n",
    b"cnumpy.core.multiarray\n_reconstruct\n", b"cnumpy.core.multiarray\nscalar\n",
    b"cnumpy.core.numeric\n_frombuffer\n", b"c_codecs\nencode\n", b"ccollections\nOrderedDict\n",
    b"ccopy_reg\n_reconstructor\n", b"c__builtin__\nobject\n", b"cchumpy.ch\nCh\n",
    b"cchumpy.reordering\nSelect\n", b"cscipy.sparse.csc\ncsc_matrix\n", b"\x8c\x04args\x8c\x05state\x86",
    b"I01\n", b"L" + b"9" * 400 + b"L\n", b"F1e999\n", b"\x96\x04\0\0\0\0\0\0\0abcd",
)  # fmt: skip


def edit_pickle(rng: Random, samples: Sequence[bytes]) -> bytes:
    """Return a pickle with instructions removed, doubled, moved, replaced or borrowed, seldom with edited bytes."""
    if rng.random() < 0.2:
        return edit_bytes(rng, samples)
    try:
        parts = split_pickle(rng.choice(samples))
    except ValueError:  # it was edited before
        return edit_bytes(rng, samples)
    for _ in range(1 + int(rng.random() ** 2 * 6)):
        place = rng.randrange(len(parts)) if parts else 0
        choice = rng.randrange(7)
        if not parts or choice == 0:
            parts.insert(place, rng.choice(_CODES))
        elif choice == 1:
            del parts[place]
        elif choice == 2:
            parts.insert(place, parts[rng.randrange(len(parts))])
        elif choice == 3:
            other = rng.randrange(len(parts))
            parts[place], parts[other] = parts[other], parts[place]
        elif choice == 4:
            parts[place] = rng.choice(_CODES)
        elif choice == 5:
            parts[place] = edit_bytes(rng, [parts[place]])
        else:
            parts[place] = rng.choice(split_pickle(rng.choice(samples)) or [b"N"])
    return b"".join(parts)


def split_pickle(data: bytes) -> list[bytes]:
    """Return the instructions of a good pickle."""
    starts = [position for _, _, position in pickletools.genops(data) if position is not None]
    return [data[a:b] for a, b in zip(starts, [*starts[1:], len(data)])]


def edit_archive(edit_member: Callable[[Random, str, bytes], bytes]) -> Edit:
    """Return an edit of zip archives: of members (checksums stay right), of the list of members, of bytes."""

    def edit(rng: Random, samples: Sequence[bytes]) -> bytes:
        if rng.random() < 0.3:
            return edit_bytes(rng, samples)
        with zipfile.ZipFile(io.BytesIO(rng.choice(samples))) as file:
            members = [(info.filename, file.read(info)) for info in file.infolist()]
        for _ in range(1 + int(rng.random() ** 3 * 3)):
            place, choice = rng.randrange(len(members)) if members else 0, rng.randrange(8)
            if choice == 0 and members:
                del members[place]
            elif choice == 1 and members:
                name, data = members[place]
                members.insert(
                    place, (rng.choice((name, "x.npy", "../" + name, "é.npy", "a/b.npy", "x.txt")), data)
                )
            elif members:
                name, data = members[place]
                members[place] = name, edit_member(rng, name, data)
        stream = io.BytesIO()
        method = rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2))
        with warnings.catch_warnings(), zipfile.ZipFile(stream, "w", method) as file:
            warnings.simplefilter("ignore")  # about names that occur twice
            for name, data in members:
                file.writestr(zipfile.ZipInfo(name), data, compress_type=method)
        return stream.getvalue()

    return edit
