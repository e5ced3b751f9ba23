"""What the header of a sound file promises, and whether the file keeps it.

Conventions
-----------
Sizes are in bytes. Only headers are read: chunks of RIFF, RF64, Wave64, AIFF and AU files up to the samples, the last
page of an Ogg stream. Programs that write into a pipe cannot go back and fill in a size: what they leave there
(all ones, nothing, two gigabytes) promises nothing.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

#: Sizes from here on, in a 32-bit field, are those of a writer that did not know (sox, arecord, FFmpeg in a pipe).
_UNKNOWN = 0x7FFF0000
_MOST_CHUNKS = 1000
#: Bytes at the end of an Ogg file that hold its last page: two pages of the largest size.
_OGG_TAIL = 2 * 65307


@dataclass(frozen=True)
class Shortfall:
    """Samples that a header promises and the file lacks.

    Attributes
    ----------
    promised, present : int
        Bytes of samples; 0 where the format does not say how many there should be.
    block : int
        Bytes of one sample of all channels, or of one block of a compressed format; 0 where it is not known.
    """

    promised: int
    present: int
    block: int = 0


def find_shortfall(path: Path) -> Shortfall | None:
    """Return what a sound file lacks, None where it is whole or its format tells nothing.

    Parameters
    ----------
    path : Path
        A sound file. Less than one block missing at its end is no shortfall.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(16)
        if head[:4] == b"OggS":
            return _check_ogg(file, size)
        if head[:4] in (b"RIFF", b"RIFX", b"RF64", b"BW64") and head[8:12] == b"WAVE":
            found = _walk(file, size, ">" if head[:4] == b"RIFX" else "<", b"data")
        elif head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
            found = _walk(file, size, ">", b"SSND")
        elif head[:4] in (b".snd", b"dns.") and len(head) >= 12:
            start, promised = struct.unpack("<2I" if head[0] == ord("d") else ">2I", head[4:12])
            found = Shortfall(0 if promised >= _UNKNOWN else promised, max(0, size - start), 1)
        elif head == b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00":
            found = _walk_wave64(file, size)
        else:
            return None
    if found is None or found.promised - found.present < max(2, found.block):
        return None
    return found


def _walk(file: BinaryIO, size: int, order: str, wanted: bytes) -> Shortfall | None:
    """Go through 32-bit chunks until the one that holds the samples."""
    place, block, wide = 12, 1, 0
    for _ in range(_MOST_CHUNKS):
        file.seek(place)
        head = file.read(8)
        if len(head) < 8:
            return None
        name, length = head[:4], struct.unpack(f"{order}I", head[4:])[0]
        if name == wanted:
            if length == 0xFFFFFFFF and wide:
                length = wide
            elif length >= _UNKNOWN and length > size - place:
                length = 0
            return Shortfall(length, size - place - 8, block)
        body = file.read(min(length, 40))
        if name == b"ds64" and len(body) >= 16:
            wide = struct.unpack("<Q", body[8:16])[0]
        elif name == b"fmt " and len(body) >= 14:
            block = struct.unpack(f"{order}H", body[12:14])[0]
        elif name == b"COMM" and len(body) >= 8:
            channels, _, bits = struct.unpack(">hIh", body[:8])
            block = max(1, channels * -(-bits // 8))
        place += 8 + length + length % 2
        if place > size:
            return None
    return None


def _walk_wave64(file: BinaryIO, size: int) -> Shortfall | None:
    place = 40
    for _ in range(_MOST_CHUNKS):
        file.seek(place)
        head = file.read(24)
        if len(head) < 24:
            return None
        length = struct.unpack("<Q", head[16:])[0]
        if head[:4] == b"data":
            return Shortfall(length - 24 if length < 1 << 62 else 0, size - place - 24, 8)
        if length < 24:
            return None
        place += (length + 7) // 8 * 8
        if place > size:
            return None
    return None


def _check_ogg(file: BinaryIO, size: int) -> Shortfall | None:
    """Look whether the last page is whole and marked as the stream's end."""
    start = max(0, size - _OGG_TAIL)
    file.seek(start)
    tail = file.read()
    place = tail.rfind(b"OggS")
    page = tail[place:] if place >= 0 else b""
    if len(page) < 27:
        return Shortfall(0, 0)
    segments = page[27 : 27 + page[26]]
    whole = len(segments) == page[26] and len(page) >= 27 + page[26] + sum(segments)
    return None if whole and page[5] & 4 else Shortfall(0, 0)
