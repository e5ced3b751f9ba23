"""Generated training data of the reference model: how they move, what they follow from, and earlier versions."""

import json

import numpy as np
import pytest

from mtbench.errors import UsageError
from mtbench.reference_model.corpora import generated
from mtbench.reference_model.corpora.corpus import open_corpus
from mtbench.reference_model.model_files import BUNDLED
from mtbench.speech.multitalk_languages import LANGUAGES


def write_corpus(folder, version, parts=29):
    """A finished corpus as it lies on disk, with a clip a part and neither sound nor motion."""
    folder.mkdir()
    request = {"schema": 1, "version": version, "hours": 6.0, "seed": 1, "languages": list(LANGUAGES)}
    (folder / "corpus.json").write_text(json.dumps({**request, "parts": parts}), "utf-8")
    for number in range(parts):
        clip = {"id": f"eng-{number:06d}", "language": "eng", "frames": 50, "identity": "x"}
        (folder / f"part-{number:04d}.json").write_text(json.dumps({"clips": [clip]}), "utf-8")
    return folder


#: Digest of the corpus of version 1 that :func:`write_corpus` writes, which the first weights were trained on.
FIRST = "18d946ad2104e2b4dedeaa559cb203e1"


def test_the_bundled_weights_learned_from_version_2_and_version_1_can_still_be_read(tmp_path):
    """Name and digest stand in the weights, and in checkpoints that go on with nothing else."""
    facts = json.loads(BUNDLED.with_suffix(".json").read_text("utf-8"))["training"]["stage2"]
    old, new = (open_corpus(write_corpus(tmp_path / f"v{v}", v)) for v in (1, generated.CORPUS_VERSION))
    assert (new.version, new.name, new.digest) == (2, facts["corpus"], facts["corpus_digest"])
    assert (old.version, old.name, old.digest) == (1, "openhead generator, 6 h, seed 1", FIRST)
    assert "(version 2 of these data)" in BUNDLED.with_suffix(".md").read_text("utf-8")


def test_a_corpus_of_an_earlier_version_is_not_gone_on_with(tmp_path):
    mark = tmp_path / ".request.json"
    mark.write_text(json.dumps({"version": 1, "seed": 1, "languages": ["eng"]}), "utf-8")
    with pytest.raises(
        UsageError, match=r"corpus of version 1.* version 2, which is made today; give another folder"
    ):
        generated.generate_corpus(tmp_path, 0.001, languages=["eng"])
    mark.write_text(json.dumps({"version": 2, "seed": 7, "languages": ["eng"]}), "utf-8")
    with pytest.raises(UsageError, match="another seed or other languages"):
        generated.generate_corpus(tmp_path, 0.001, languages=["eng"])
    assert list(tmp_path.iterdir()) == [mark]


def test_a_reproduction_of_an_earlier_version_is_not_gone_on_with(tmp_path, monkeypatch):
    pytest.importorskip("torch")
    import fakes

    from mtbench.reference_model import reproduction

    bench = fakes.make_benchmark(tmp_path / "small")
    monkeypatch.setattr(reproduction, "require_parts", lambda size, recognizer: None)

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(reproduction, "_make_data", stop)
    with pytest.raises(KeyboardInterrupt):
        reproduction.reproduce("smoke", tmp_path / "run", benchmark=bench)
    mark = tmp_path / "run" / ".request.json"
    begun = json.loads(mark.read_text("utf-8"))
    for earlier in (1, None):
        begun["version of the training data"] = earlier
        mark.write_text(json.dumps(begun), "utf-8")
        with pytest.raises(UsageError, match="begun with another version of the training data"):
            reproduction.reproduce("smoke", tmp_path / "run", benchmark=bench)


def test_a_reproduction_is_scored_where_faces_move_as_in_its_data():
    import inspect

    from mtbench.benchmarks.benchmark import load_benchmark
    from mtbench.cli import reference_training
    from mtbench.reference_model.ablation.ablation import ablate
    from mtbench.reference_model.reproduction import BENCHMARK, reproduce

    assert load_benchmark(BENCHMARK).manifest.articulation == "everyday"
    for function in (reproduce, ablate, reference_training.reproduce, reference_training.ablate):
        assert inspect.signature(function).parameters["benchmark"].default == BENCHMARK


@pytest.fixture
def animated(monkeypatch):
    """What was asked of the varied articulation, and what it gave."""
    pytest.importorskip("espeakng_loader", reason="the extra [synth] is not installed")
    import mtbench.synth
    from mtbench.errors import PrerequisiteError
    from mtbench.synth.texts import fetch_udhr
    from mtbench.synth.varied_articulation import animate_varied

    try:
        fetch_udhr()
    except PrerequisiteError as error:
        pytest.skip(str(error))
    asked = []

    def watch(phones, duration, style, fps, seed):
        curves = animate_varied(phones, duration, style, fps, seed)
        asked.append((style.name, fps, seed, curves))
        return curves

    monkeypatch.setattr(mtbench.synth, "animate_varied", watch)
    return asked


@pytest.mark.synth
def test_clips_move_in_the_style_of_the_benchmark_each_from_a_seed_of_its_own(
    animated, tmp_path, monkeypatch
):
    monkeypatch.setattr(generated, "PART", 3)
    for folder, order in (("forth", (0, 1)), ("back", (1, 0))):
        (tmp_path / folder).mkdir()
        generated._source.cache_clear()
        for number in order:
            generated._make_part((tmp_path / folder, number, 5, ("eng", "jpn")))
    # The same bytes whoever makes which part, and after whatever.
    names = sorted(p.name for p in (tmp_path / "forth").iterdir())
    assert names == [f"part-000{k}.{what}" for k in (0, 1) for what in ("audio.npy", "curves.npy", "json")]
    for name in names:
        assert (tmp_path / "forth" / name).read_bytes() == (tmp_path / "back" / name).read_bytes()
    made = animated[:6]
    assert {(style, fps) for style, fps, _, _ in made} == {("everyday", 25)}
    assert len({seed for _, _, seed, _ in made}) == 6
    stored = [np.load(tmp_path / "forth" / f"part-000{k}.curves.npy") for k in (0, 1)]
    assert np.array_equal(np.concatenate(stored) / 4096, np.concatenate([curves for *_, curves in made]))
    sounds = [np.load(tmp_path / "forth" / f"part-000{k}.audio.npy") for k in (0, 1)]
    assert sum(map(len, sounds)) == 640 * sum(map(len, stored))
