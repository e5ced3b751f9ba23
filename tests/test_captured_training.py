"""Training on motion banks beside generated speech; needs the [synth] extra."""

import json
from pathlib import Path

import numpy as np
import pytest
from test_motion_bank import PHONES, SAID, folder  # noqa: F401  (a bank of two people)

pytest.importorskip("espeakng_loader", reason="the [synth] extra is not installed")
pytestmark = pytest.mark.synth

from mtbench.avsr.openhead import load_config, open_captured, train  # noqa: E402
from mtbench.avsr.openhead.training_data import MAX_SECONDS, BatchGenerator  # noqa: E402
from mtbench.banks import ExcerptSource, load_bank  # noqa: E402
from mtbench.errors import BankError, UsageError  # noqa: E402
from mtbench.synth import PHONES as INVENTORY  # noqa: E402

LANGUAGES = ("ita", "tur")


def make(captured=None, share=0.0, number=4):
    return BatchGenerator(5, 4, LANGUAGES, tuple(INVENTORY), 0.0, captured, share).make(number)


@pytest.fixture
def source(folder: Path) -> ExcerptSource:  # noqa: F811
    return ExcerptSource([load_bank(folder)], INVENTORY, MAX_SECONDS)


def test_a_bank_whose_share_is_not_drawn_changes_nothing(source):
    for a, b in zip(make().utterances, make(source, 1e-9).utterances):
        assert np.array_equal(a.crops, b.crops)
        assert np.array_equal(a.audio, b.audio)
        assert np.array_equal(a.frames, b.frames)


def test_a_share_of_the_utterances_is_drawn_from_the_bank(source):
    batches = [make(source, 0.5, number) for number in range(0, 16, 2)]
    captured = [u for b in batches for u in b.utterances if u.language == "eng"]
    assert 0.25 < len(captured) / 32 < 0.75
    known = {INVENTORY.index(p) + 1 for p in PHONES}
    for u in captured:
        assert set(u.labels.tolist()) <= known
        assert len(u.audio) == 640 * len(u.crops)
        assert len(u.frames) == 2 * len(u.crops)
        # Phones stand where they are heard: pauses are silent.
        level = np.square(u.audio).reshape(-1, 320).mean(1)
        assert level[u.frames == 0].mean() < 0.05 * level[u.frames > 0].mean()
        # Lips of the picture move with the label: m is shut, vowels are open, so their crops differ.
        shut = u.frames[::2] == INVENTORY.index("m") + 1
        opened = u.frames[::2] == INVENTORY.index("a") + 1
        mouth = u.crops[:, 40:80, 30:66].astype(float)
        assert np.abs(mouth[shut].mean(0) - mouth[opened].mean(0)).max() > 15
    assert {u.language for b in batches for u in b.utterances} == {*LANGUAGES, "eng"}


def test_batches_with_a_bank_are_a_function_of_seed_and_number(source, folder):  # noqa: F811
    other = ExcerptSource([load_bank(folder)], INVENTORY, MAX_SECONDS)
    for a, b in zip(make(source, 0.5).utterances, make(other, 0.5).utterances):
        assert np.array_equal(a.crops, b.crops)
        assert np.array_equal(a.audio, b.audio)


def test_training_with_a_bank_names_it_and_goes_on_with_it_only(folder, tmp_path):  # noqa: F811
    from dataclasses import replace

    named = load_config("smoke")
    config = replace(named.training, steps=1)
    captured = open_captured([folder], 1.0)
    weights = train(tmp_path / "run", config, sizes=named.sizes, captured=captured)
    facts = json.loads(weights.with_suffix(".json").read_text("utf-8"))["training"]
    assert facts["motion_banks"] == ["two-people (CC0-1.0): Nobody: made by a test"]
    assert facts["captured_share"] == 1.0
    assert not (tmp_path / "run" / "kept").exists()
    with pytest.raises(UsageError, match="captured"):
        train(tmp_path / "run", config, sizes=named.sizes)
    with pytest.raises(UsageError, match=r"captured.share was 1.0, is 0.5"):
        train(tmp_path / "run", config, sizes=named.sizes, captured=open_captured([folder], 0.5))


def test_what_cannot_be_trained_on_is_told_at_once(folder, tmp_path):  # noqa: F811
    with pytest.raises(UsageError, match="share of 0;"):
        open_captured([folder], 0.0)
    with pytest.raises(BankError, match="no such folder"):
        open_captured([folder / "nothing"], 0.5)
    captured = open_captured([folder], 0.5)
    phones = folder / "phones" / "one.tsv"
    phones.write_text(phones.read_text("utf-8").replace("m\t", "mm\t"), "utf-8")
    with pytest.raises(BankError, match="does not know: mm"):
        train(tmp_path / "run", load_config("smoke").training, captured=captured)
    assert len(SAID) == 12
