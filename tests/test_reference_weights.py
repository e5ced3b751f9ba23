"""The bundled weights: what their card says is what their file says, and what the code would train again."""

import dataclasses
import json
import re

import numpy as np
import pytest

from mtbench.benchmarks.benchmark import load_benchmark
from mtbench.benchmarks.ground_truth import static_face
from mtbench.faces.topologies import load_topology
from mtbench.metrics.lve import sum_lve_mm
from mtbench.reference_model.model_files import BUNDLED, load_model
from mtbench.reference_model.training.sizes import SIZES

CARD = BUNDLED.with_suffix(".md").read_text("utf-8")
ABOUT = json.loads(BUNDLED.with_suffix(".json").read_text("utf-8"))


def test_they_are_small_enough_to_ship():
    assert BUNDLED.stat().st_size < 15e6


@pytest.mark.parametrize("stage", ["stage1", "stage2"])
def test_they_were_trained_as_size_mini_trains(stage):
    """Another recipe needs other weights, or the card's figures are no longer what the command gives."""
    assert ABOUT["training"][stage]["config"] == dataclasses.asdict(getattr(SIZES["mini"], stage))
    assert ABOUT["settings"] == SIZES["mini"].settings.to_dict()


@pytest.mark.parametrize("stage", ["stage1", "stage2"])
def test_the_card_has_the_files_figures(stage):
    facts = ABOUT["training"][stage]
    row = re.search(rf"^\| stage {stage[-1]}, [^|]*\| ([\d,]+) \| \d+ \| ([\d.]+) mm \|$", CARD, re.M)
    assert row is not None
    assert int(row[1].replace(",", "")) == facts["steps"]
    assert row[2] == f"{facts['validation_lve_mm']:.2f}"
    assert f"{facts['hours']:.1f} hours" in CARD


def test_they_move_the_lips_as_the_ground_truth_does():
    """Far nearer than a face that does not move, in each of several languages and more so in their mean."""
    bench, topology, model = load_benchmark("openhead-20@3"), load_topology("openhead-1"), load_model()
    shortest = sorted(bench.clips, key=lambda clip: (clip.frames, clip.id))
    clips = list({clip.language: clip for clip in reversed(shortest[:24])}.values())[:4]
    assert len(clips) == 4
    faces = [static_face(clip, topology) for clip in clips]
    made = model.predict_many(
        [model.encoder.prepare(clip.audio) for clip in clips],
        [face[0] for face in faces],
        [clip.language for clip in clips],
        [clip.frames for clip in clips],
    )
    lips, ratios = topology.region("lips"), []
    for clip, motion, still in zip(clips, made, faces, strict=True):
        truth = clip.motion
        assert truth is not None
        assert np.isfinite(motion).all()
        ratios.append(sum_lve_mm(motion, truth.vertices, lips) / sum_lve_mm(still, truth.vertices, lips))
    assert max(ratios) < 0.75
    assert np.mean(ratios) < 0.55
