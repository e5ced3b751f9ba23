"""Real recordings and real FLAME geometry, from folders of files to tables."""

import shutil

import numpy as np
import pytest

import mtbench
from mtbench.avsr.registry import load_recognizer
from mtbench.errors import PrerequisiteError
from mtbench.faces.flame_asset import add_flame
from mtbench.making.folder import create_benchmark
from mtbench.results.tables import entries_table, languages_table
from mtbench.results.understanding import UNDERSTANDING_LIMIT
from mtbench.submissions.validation import validate

#: The grammar of the GRID corpus: a file's name spells its six words.
GRAMMAR = (
    {"b": "bin", "l": "lay", "p": "place", "s": "set"},
    {"b": "blue", "g": "green", "r": "red", "w": "white"},
    {"a": "at", "b": "by", "i": "in", "w": "with"},
    {},
    dict(
        zip(
            "z123456789",
            ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"],
            strict=True,
        )
    ),
    {"a": "again", "n": "now", "p": "please", "s": "soon"},
)


@pytest.fixture
def recordings(shared, tmp_path):
    pytest.importorskip("av")
    folder = tmp_path / "recordings"
    folder.mkdir()
    for video in sorted((shared / "grid").glob("*.mpg")):
        shutil.copy(video, folder)
        words = [table.get(letter, letter) for letter, table in zip(video.stem, GRAMMAR, strict=True)]
        (folder / f"{video.stem}.txt").write_text(" ".join(words) + "\n")
    return folder


@pytest.fixture
def template(shared, tmp_path, monkeypatch):
    monkeypatch.setenv("MTBENCH_DATA", str(tmp_path / "data"))
    source = shared / "flame2023open"
    vertices = np.load(source / "flame2023open_v_template_5023x3_f64.npy")
    triangles = np.load(source / "flame_head_faces_7800x3_i64.npy")
    np.savez(tmp_path / "template.npz", v_template=vertices, f=triangles)
    add_flame(tmp_path / "template.npz")
    return vertices.astype(np.float32)


def write_entry(folder, benchmark, template):
    """A face whose jaw swings: any motion will do."""
    (folder / "motion").mkdir(parents=True)
    (folder / "submission.toml").write_text(
        f'schema = 1\nsystem = "Swinging jaw"\nbenchmark = "{benchmark.ref}"\nfps = 25\nunit = "m"\n'
        'topology = "flame-5023"\nkind = "vertices"\n'
    )
    weight = np.clip((-0.035 - template[:, 1]) / 0.03, 0, 1).astype(np.float32)
    for clip in benchmark.clips:
        swing = 0.005 * (1 - np.cos(np.arange(clip.frames) * 0.8)).astype(np.float32)
        vertices = np.repeat(template[None], clip.frames, axis=0)
        vertices[..., 1] -= swing[:, None] * weight
        np.savez_compressed(folder / "motion" / f"{clip.id}.npz", vertices=vertices)
    return folder


@pytest.mark.parametrize(("judge", "deaf"), [("openhead-av", False), ("openhead-av@1", True)])
def test_grid_recordings_and_flame_geometry_end_in_a_table(recordings, template, tmp_path, judge, deaf):
    """The first judge had heard no human; to the present one these are at the limit. The table says which side."""
    try:
        load_recognizer(judge)
    except PrerequisiteError as error:
        pytest.skip(str(error))
    pytest.importorskip("espeakng_loader")
    benchmark = create_benchmark(tmp_path / "grid", recordings, language="eng", words="auto")
    assert len(benchmark.clips) == 7
    assert benchmark.clip("bbaf2n").transcript == "bin blue at f two now"
    entry = write_entry(tmp_path / "entry", benchmark, template)
    assert validate(entry, benchmark) == []
    run = mtbench.score(
        entry, benchmark, recognizer=judge, snr=(-7.5,), noise_names=["babble"],
        cache=tmp_path / "cache", out=tmp_path / "out",
    )  # fmt: skip
    assert run.status == "complete"
    row = run.find("headline", modality="av", snr_db=-7.5, noise="all", language="eng")[0]
    assert row.n_clips == 7
    assert row.estimate > 0
    assert run.find("lve_mm", language="all", aggregation="frame")[0].estimate is None
    text = entries_table([run]).to_text()
    heard = run.understanding
    assert heard.unit == "phones"
    assert (heard.error > 45) == deaf
    assert ("this recognizer does not understand this speech" in text) == (heard.error > UNDERSTANDING_LIMIT)
    assert "n/a" in text
    assert "English" in languages_table([run]).to_text()
