"""Write ``mtbench/data/iso639-3.tsv``: the codes of ISO 639-3 with ISO 639-1 codes and English names.

Source: IANA's language subtag registry, which holds every code of ISO 639-3 (IANA's registries are CC0-1.0), in the
copy that the package ``langcodes`` brings (extra ``[synth]``); its table of three-letter codes (MIT) adds those of
languages that the registry lists by two letters. Deprecated and special codes and collections are left out.

Usage: ``python scripts/build_language_codes.py``
"""

from __future__ import annotations

from pathlib import Path

import langcodes
from langcodes.data_dicts import LANGUAGE_ALPHA3

TARGET = Path(__file__).parents[1] / "mtbench" / "data" / "iso639-3.tsv"


def read_registry() -> tuple[str, list[dict[str, list[str]]]]:
    """Return the registry's date and its records: field -> values."""
    path = Path(langcodes.__file__).parent / "data" / "language-subtag-registry.txt"
    records = []
    for block in path.read_text(encoding="utf8").split("%%\n"):
        record: dict[str, list[str]] = {}
        for line in block.splitlines():
            key, separator, value = line.partition(": ")
            if separator and not line.startswith(" "):
                record.setdefault(key, []).append(value)
        records.append(record)
    return records[0]["File-Date"][0], records[1:]


def main() -> None:
    """Write the table."""
    date, records = read_registry()
    lines = {}
    for record in records:
        if record.get("Type") != ["language"] or "Deprecated" in record:
            continue
        if record.get("Scope", ["macrolanguage"])[0] != "macrolanguage":
            continue
        subtag = record["Subtag"][0]
        code, alias = (LANGUAGE_ALPHA3[subtag], subtag) if len(subtag) == 2 else (subtag, "")
        lines[code] = f"{code}\t{alias}\t{record['Description'][0]}\n"
    head = (
        "# ISO 639-3 code, ISO 639-1 code, English name. Source: IANA's language subtag registry of "
        f"{date} (CC0-1.0);\n# made by scripts/build_language_codes.py.\n"
    )
    TARGET.write_text(head + "".join(lines[c] for c in sorted(lines)), encoding="utf8", newline="\n")
    print(f"{TARGET}: {len(lines)} codes, {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    main()
