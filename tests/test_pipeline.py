"""Stages, cache use and determinism of scoring, with a recognizer that needs no network."""

import json
import os
import subprocess
import sys
from pathlib import Path

import fakes
import numpy as np
import pytest

from mtbench.errors import MtbenchError, PrerequisiteError, SubmissionError, UsageError
from mtbench.results.signature import Signature
from mtbench.scoring.pipeline import list_conditions
from mtbench.scoring.scoring import score
from mtbench.work.cache import Cache
from mtbench.work.executor import Executor, default_workers

TWO = {name: fakes.CLIPS[name] for name in ("ita-01", "eng-01")}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    root = tmp_path_factory.mktemp("pipeline")
    fakes.make_benchmark(root / "small", TWO)
    fakes.make_entry(root / "entry", TWO)
    return root


def run(place, cache, **options):
    options = {"recognizer": fakes.ONE_EAR, "workers": 1, "snr": (-7.5,), **options}
    return score(place / "entry", place / "small", cache=cache, **options)


def counts(result):
    return {name: (s["computed"], s["cached"]) for name, s in result.timings["stages"].items()}


def files(out):
    return {p.name: p.read_bytes() for p in Path(out).glob("*/*/*.json*")}


def without_timings(data):
    run = json.loads(data)
    run.pop("timings")
    return json.dumps(run, sort_keys=True)


def test_conditions():
    found = list_conditions((-7.5, -10), ("babble", "hiss"))
    assert [c.modality for c in found] == ["av"] * 5 + ["v"] + ["a"] * 5 + ["av"] * 4
    assert len(set(found)) == 15
    assert [c.modality for c in list_conditions((-7.5,), ())] == ["av", "v", "a"]


def test_second_run_computes_nothing_and_a_new_snr_only_mixes_and_recognizes(place, tmp_path, monkeypatch):
    log = tmp_path / "log"
    monkeypatch.setenv("ONE_EAR_LOG", str(log))
    first = run(place, tmp_path / "cache")
    # 2 clips: mixtures 2 noises x 1 SNR; faces entry and static (which lies there since the true mouths
    # were looked at); av 3, v 1, a 3, static 2.
    assert counts(first) == {"mixtures": (4, 0), "crops": (2, 2), "geometry": (2, 0), "hypotheses": (18, 0)}
    calls = log.read_text().count("\n")
    # Per clip: clean sound alone first (the guard), the mouths of the truth (true, static, and the other clip's from
    # three of its frames on), then entry, static, no face.
    assert calls == 2 * (4 + 5)
    second = run(place, tmp_path / "cache")
    assert counts(second) == {"mixtures": (0, 4), "crops": (0, 4), "geometry": (0, 2), "hypotheses": (0, 18)}
    assert log.read_text().count("\n") == calls
    assert second.summary == first.summary
    third = run(place, tmp_path / "cache", snr=(-7.5, -10))
    assert counts(third) == {"mixtures": (4, 4), "crops": (0, 4), "geometry": (0, 2), "hypotheses": (12, 18)}


def test_another_entry_shares_audio_only_and_static_rows(place, tmp_path):
    fakes.make_entry(tmp_path / "other", TWO, amplitude=0.4)
    run(place, tmp_path / "cache")
    other = score(
        tmp_path / "other",
        place / "small",
        recognizer=fakes.ONE_EAR,
        workers=1,
        snr=(-7.5,),
        cache=tmp_path / "cache",
    )
    assert counts(other) == {"mixtures": (0, 4), "crops": (2, 2), "geometry": (2, 0), "hypotheses": (8, 10)}


def test_bytes_do_not_depend_on_workers_or_on_what_was_cached(place, tmp_path):
    run(place, tmp_path / "c1", out=tmp_path / "o1", workers=1)
    run(place, tmp_path / "c2", out=tmp_path / "o2", workers=2)
    run(place, tmp_path / "c3", out=tmp_path / "o3", snr=(-10,))
    run(place, tmp_path / "c3", out=tmp_path / "o3", workers=3)
    one, two, three = (files(tmp_path / name) for name in ("o1", "o2", "o3"))
    assert set(one) == {"run.json", "clips.jsonl"}
    assert one["clips.jsonl"] == two["clips.jsonl"] == three["clips.jsonl"]
    assert (
        without_timings(one["run.json"])
        == without_timings(two["run.json"])
        == without_timings(three["run.json"])
    )


def test_damaged_entries_are_made_again(place, tmp_path):
    run(place, tmp_path / "cache", out=tmp_path / "o1")
    rng = np.random.Generator(np.random.PCG64(7))
    for stage in ("crops", "mixtures", "geometry", "hypotheses"):
        for path in (tmp_path / "cache" / stage).glob("*/*"):
            data = bytearray(path.read_bytes())
            data[int(rng.integers(len(data)))] ^= 0x10
            path.write_bytes(data)
    run(place, tmp_path / "cache", out=tmp_path / "o2", snr=(-7.5,))
    assert files(tmp_path / "o1")["clips.jsonl"] == files(tmp_path / "o2")["clips.jsonl"]


def test_damage_between_stages_is_mended_where_it_is_found(place, tmp_path):
    """Crops whose bytes (not whose header) are damaged are rendered again by the recognizing stage."""
    first = run(place, tmp_path / "cache", out=tmp_path / "o1")
    cache = Cache(tmp_path / "cache")
    cache.clear("hypotheses")
    for path in (tmp_path / "cache" / "crops").glob("*/*"):
        data = bytearray(path.read_bytes())
        data[-3] ^= 0xFF
        path.write_bytes(data)
    second = run(place, tmp_path / "cache", out=tmp_path / "o2")
    assert counts(second)["hypotheses"] == (18, 0)
    assert second.summary == first.summary
    assert files(tmp_path / "o1")["clips.jsonl"] == files(tmp_path / "o2")["clips.jsonl"]


def test_an_unmoving_entry_equals_the_static_face(place, tmp_path):
    fakes.make_entry(tmp_path / "still", TWO, amplitude=0.0)
    result = score(
        tmp_path / "still",
        place / "small",
        recognizer=fakes.ONE_EAR,
        workers=1,
        snr=(-7.5,),
        cache=tmp_path / "cache",
    )
    assert counts(result)["hypotheses"] == (14, 4)  # what the static face shows was recognized already
    assert result.estimate("avlr_gain", snr_db=-7.5, noise="all", language="all", aggregation="corpus") == 0


def test_another_renderer_setting_is_another_entry(place, tmp_path):
    from mtbench.renderers.base import Appearance

    first = run(place, tmp_path / "cache")
    flat = run(place, tmp_path / "cache", appearance=Appearance(shading="flat"))
    assert counts(flat)["crops"] == (2, 2)  # the static face is made when the true mouths are looked at
    assert counts(flat)["mixtures"] == (0, 4)
    assert first.signatures["headline|av"] != flat.signatures["headline|av"]
    # What is heard alone is the same measurement: only the profile's name tells of the change.
    heard, again = (Signature.parse(made.signatures["headline|a"]) for made in (first, flat))
    assert heard.differences(again) == ["profile: recommended+snrs != recommended+snrs+appearance"]
    assert heard.conflicts(again) == []


def test_a_changed_motion_file_is_noticed(place, tmp_path):
    fakes.make_entry(tmp_path / "entry", TWO)
    options = {"recognizer": None, "workers": 1, "cache": tmp_path / "cache"}
    first = score(tmp_path / "entry", place / "small", **options)
    fakes.make_entry(tmp_path / "new", TWO, amplitude=0.2)
    (tmp_path / "new" / "motion" / "ita-01.npz").replace(tmp_path / "entry" / "motion" / "ita-01.npz")
    second = score(tmp_path / "entry", place / "small", **options)
    assert counts(second)["geometry"] == (1, 1)
    assert first.system.digest != second.system.digest
    assert first.estimate("lve_mm", language="all", aggregation="frame") < second.estimate(
        "lve_mm", language="all", aggregation="frame"
    )


def test_values_that_cannot_be_used_are_all_listed(place, tmp_path):
    entry = fakes.make_entry(tmp_path / "bad", TWO)
    for clip, (_, frames, _) in TWO.items():
        units = fakes.curves(frames, 1)
        units[3, 2] = np.nan
        np.savez(entry / "motion" / f"{clip}.npz", units=units, identity=np.array("neutral"))
    for workers in (1, 2):
        with pytest.raises(SubmissionError) as caught:
            score(
                entry,
                place / "small",
                recognizer=fakes.ONE_EAR,
                workers=workers,
                cache=tmp_path / "cache",
                out=tmp_path / "out",
            )
        assert sorted(p.clip for p in caught.value.problems if p.code == "not-finite") == ["eng-01", "ita-01"]
    assert not (tmp_path / "out").exists()


def test_flame_without_an_asset_says_what_to_get(tmp_path, monkeypatch):
    import factories

    monkeypatch.setenv("MTBENCH_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    bench = factories.make_benchmark(tmp_path, noise=True)
    entry = factories.make_submission(tmp_path)
    with pytest.raises(PrerequisiteError, match="mtbench assets add flame"):
        score(entry, bench, recognizer=fakes.ONE_EAR, workers=1, cache=tmp_path / "cache")
    result = score(entry, bench, recognizer=None, workers=1, cache=tmp_path / "cache")
    assert result.estimate("lve_mm", language="all", aggregation="frame") > 0
    assert result.find("headline") == []


def test_executor_runs_a_script_without_a_main_guard(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "from mtbench.work.executor import Executor\nimport math\n"
        "with Executor(2) as e:\n    print(sorted(e.run(math.factorial, [3, 4, 5])))\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=120)
    assert done.stdout == "[(0, 6), (1, 24), (2, 120)]\n", done.stderr


def test_executor_reports_a_dead_worker():
    with Executor(2) as executor, pytest.raises(MtbenchError, match="a worker process died"):
        list(executor.run(os._exit, [1]))


def test_executor_wants_workers():
    assert 1 <= default_workers() <= 8
    with pytest.raises(UsageError, match="1 or more"):
        Executor(0)


def test_threads_of_torch_come_back():
    import torch

    before = torch.get_num_threads()
    with Executor(1) as executor:
        assert dict(executor.run(_threads, [None])) == {0: 1}
    assert torch.get_num_threads() == before


def _threads(_):
    import torch

    return torch.get_num_threads()
