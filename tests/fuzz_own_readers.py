"""What is fuzzed of mtbench's own files: entries of the cache, records of assets, scores of a meta-evaluation."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from unittest.mock import patch

import numpy as np
from fuzz_edits import edit_bytes, edit_json
from fuzzing import Read, Reader

from mtbench.errors import PrerequisiteError, UsageError

Prepared = tuple[dict[str, bytes], Read]


def _cache(folder: Path) -> Prepared:
    from mtbench.work.cache import Cache

    cache, array, key = Cache(folder / "cache"), np.arange(6.0).reshape(2, 3), "ab" * 16
    value = {"text": "è", "numbers": [1, 2.5]}
    samples = {}
    for name, put in (("a.entry", cache.put_array), ("b.entry", cache.put_json)):
        put("crops", key, array if name == "a.entry" else value)  # type: ignore[arg-type]
        samples[name] = cache.path("crops", key).read_bytes()

    def read(path: Path) -> None:
        place = cache.path("crops", key)
        shutil.copyfile(path, place)
        found = (cache.get_array if path.name == "a.entry" else cache.get_json)("crops", key)
        # Damage is no error: the entry counts as absent, and is never another.
        if found is None:
            assert not place.exists()
        elif isinstance(found, np.ndarray):
            assert np.array_equal(found, array)
        else:
            assert found == value

    return samples, read


def _asset_record(folder: Path) -> Prepared:
    from mtbench.faces.flame_asset import flame_record

    assets = folder / "assets"
    assets.mkdir()
    (assets / "flame-5023.npz").write_bytes(b"PK")
    text = (
        b'{"name": "flame-5023", "kind": "model", "digest": "00ff", "source": "a.pkl", "source_sha256": "00",'
        b' "edition": "FLAME 2023 Open", "license": "CC-BY-4.0", "triangles": 9976}'
    )

    def read(path: Path) -> None:
        shutil.copyfile(path, assets / "flame-5023.json")
        with patch.dict(os.environ, {"MTBENCH_DATA": str(folder)}):
            flame_record()

    return {"a.json": text}, read


def _meta_scores(folder: Path) -> Prepared:
    from meta_samples import make_scores

    from mtbench.meta.scores import ARRAYS_FILE, SCORES_FILE, MetaScores

    make_scores().save(folder / "good")
    shutil.copytree(folder / "good", folder / "try")

    def read(path: Path) -> None:
        for name in (ARRAYS_FILE, SCORES_FILE):
            same = Path(name).suffix == path.suffix
            shutil.copyfile(path if same else folder / "good" / name, folder / "try" / name)
        MetaScores.load(folder / "try")

    return {
        "m.json": (folder / "good" / SCORES_FILE).read_bytes(),
        "m.npz": (folder / "good" / ARRAYS_FILE).read_bytes(),
    }, read


def _edit_scores(rng, samples):
    return (edit_json if samples[0][:1] == b"{" else edit_bytes)(rng, samples)


OWN_READERS = (
    Reader("cache", _cache, edit_bytes, (), 0.0005),
    Reader("asset-record", _asset_record, edit_json, (PrerequisiteError,), 0.0005),
    Reader("meta-scores", _meta_scores, _edit_scores, (UsageError,), 0.003),
)
