"""Batches by length: the numbers of one clip at a time, whatever is batched with it and wherever it runs."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch

from mtbench.avsr.openhead import inference
from mtbench.avsr.openhead.inference import Request, plan_batches, silent_padding
from mtbench.avsr.openhead.model import AudioVisualCTC, ModelConfig
from mtbench.avsr.openhead.recognizer import OpenheadAV, load_beam_search
from mtbench.benchmarks.benchmark import load_benchmark
from mtbench.errors import PrerequisiteError, UsageError
from mtbench.speech.lexicon import load_lexicon
from mtbench.work.executor import Executor

LENGTHS = (31, 18, 30, 31, 9, 32, 31)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(5)
    sizes = ModelConfig(classes=5, languages=3, width=32, feedforward=48, layers=2, heads=2)
    network = AudioVisualCTC(sizes)
    # Statistics of normalization layers as training leaves them: zeros past the end are not neutral.
    for module in network.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            torch.nn.init.uniform_(module.running_mean, -1, 1)
            torch.nn.init.uniform_(module.running_var, 0.5, 2)
    return network.eval()


def draw_requests(seed: int = 0) -> list[Request]:
    rng = np.random.default_rng(seed)
    requests = []
    for i, t in enumerate(LENGTHS):
        crops = rng.integers(0, 256, (t, 96, 96), np.uint8)
        a, b = rng.normal(0, 0.1, (2, 640 * t)).astype(np.float32)
        requests.append(Request(crops if i % 3 else None, [a, None, b] if i % 3 else [a, b], "eng"))
    return requests


def alone(network, requests):
    """Return every condition of every clip by itself."""
    return [
        [inference.compute_log_probs(network, [replace(r, audio=[x])], [i % 3])[0][0] for x in r.audio]
        for i, r in enumerate(requests)
    ]


@pytest.mark.parametrize(("batch_frames", "padding"), [(1, 0.05), (64, 0.05), (10_000, 0.05), (10_000, 0.9)])
def test_results_do_not_depend_on_the_batch(network, monkeypatch, batch_frames, padding):
    monkeypatch.setattr(inference, "MOST_PADDING", padding)
    requests = draw_requests()
    together = inference.compute_log_probs(
        network, requests, [i % 3 for i in range(len(requests))], batch_frames
    )
    for request, conditions, single in zip(requests, together, alone(network, requests), strict=True):
        for x, y in zip(conditions, single, strict=True):
            assert x.shape == (2 * request.frames(), 5)
            assert np.abs(x - y).max() < 1e-4


def test_padding_would_show_without_silence(network, monkeypatch):
    """The test above can fail: what lies past a clip's end reaches it through the convolutions."""
    from contextlib import nullcontext

    monkeypatch.setattr(inference, "MOST_PADDING", 0.9)
    monkeypatch.setattr(inference, "silent_padding", lambda *_: nullcontext())
    requests = draw_requests()
    together = inference.compute_log_probs(network, requests, [i % 3 for i in range(len(requests))], 10_000)
    single = alone(network, requests)
    assert max(np.abs(a - b).max() for x, y in zip(together, single) for a, b in zip(x, y)) > 1e-3


def test_batches_hold_one_modality_few_frames_and_little_padding(network):
    requests = draw_requests()
    with torch.inference_mode():
        views = [
            v
            for i, r in enumerate(requests)
            for v in inference._prepare(network, i, r, 0, inference.compute_logmel)
        ]
    for limit in (1, 64, 100, 10_000):
        batches = plan_batches(views, limit)
        assert sorted((v.request, v.condition) for b in batches for v in b) == sorted(
            (v.request, v.condition) for v in views
        )
        for batch in batches:
            longest = max(v.frames for v in batch)
            assert len({v.modality for v in batch}) == 1
            assert len(batch) == 1 or len(batch) * longest <= limit
            assert sum(v.frames for v in batch) >= 0.95 * len(batch) * longest
    assert len(plan_batches(views, 10_000)) < len(views) / 2


def test_hooks_are_gone_after_a_batch(network):
    with silent_padding(network, torch.tensor([3, 5])):
        assert any(m._forward_pre_hooks for m in network.modules())
    assert not any(m._forward_pre_hooks for m in network.modules())


def test_lengths_are_checked():
    sound = np.zeros(640 * 5, np.float32)
    assert Request(None, [sound], "eng").frames() == 5
    with pytest.raises(ValueError, match="5 frames of audio beside 4"):
        Request(None, [sound, sound[:-640]], "eng").frames()
    with pytest.raises(ValueError, match=r"crops must be \(T, 96, 96\)"):
        Request(np.zeros((5, 88, 88), np.uint8), [None], "eng").frames()


@cache
def bundled() -> OpenheadAV:
    return OpenheadAV.load()


@cache
def real_requests() -> tuple[Request, ...]:
    """Five short clips with their ground truth, in four conditions."""
    from mtbench.faces.topologies import load_topology
    from mtbench.renderers.base import Appearance
    from mtbench.renderers.mouth_crop import render_mouth_crops
    from mtbench.renderers.registry import load_renderer

    bench = load_benchmark("openhead-20")
    rng = np.random.default_rng(2)
    requests = []
    for clip in sorted(bench.clips, key=lambda c: c.frames)[:10:2]:
        topology = load_topology(clip.motion.topology)
        crops = render_mouth_crops(load_renderer("software"), topology, clip.motion.vertices, Appearance())
        noisy = (clip.audio + rng.normal(0, clip.audio.std(), len(clip.audio))).astype(np.float32)
        lexicon = bench.lexicon(clip.language)
        requests.append(Request(crops, [clip.audio, noisy, None], clip.language, lexicon))
        requests.append(Request(None, [clip.audio, noisy], clip.language, lexicon))
    return tuple(requests)


def transcribe_one(index: int) -> list[tuple[str, tuple[str, ...]]]:
    request = real_requests()[index]
    return [(h.text, h.phones) for h in bundled().transcribe_many([request])[0]]


@pytest.fixture(scope="module")
def judge():
    try:
        return bundled()
    except PrerequisiteError as error:
        pytest.skip(str(error))


def test_bundled_recognizer_understands_the_same_in_any_batch(judge):
    requests = real_requests()
    whole = [[(h.text, h.phones) for h in hypotheses] for hypotheses in judge.transcribe_many(requests)]
    singly = [
        [(h.text, h.phones) for x in r.audio for h in judge.transcribe(r.crops, [x], r.language, r.lexicon)]
        for r in requests
    ]
    assert whole == singly
    assert any(text for hypotheses in whole for text, _ in hypotheses)
    small = replace(judge, batch_frames=100)
    backwards = small.transcribe_many(requests[::-1])[::-1]
    assert whole == [[(h.text, h.phones) for h in hypotheses] for hypotheses in backwards]
    single = [[judge.log_probs(r.crops, [x], r.language)[0] for x in r.audio] for r in requests]
    together = judge.log_probs_many(requests)
    assert max(np.abs(a - b).max() for x, y in zip(together, single) for a, b in zip(x, y)) < 1e-4


def test_bundled_recognizer_understands_the_same_in_any_worker(judge):
    tasks = [0, 1]
    with Executor(2) as two, Executor(1) as one:
        assert dict(two.run(transcribe_one, tasks)) == dict(one.run(transcribe_one, tasks))


def test_unknown_phones_are_named(judge, tmp_path):
    path = tmp_path / "words.tsv"
    path.write_text("ok\ta\t1\nbad\ta ˈa tʃ\t1\n", "utf-8")
    lexicon = load_lexicon(path)
    assert lexicon.words == ("ok", "bad")
    words = r"word 'bad' has phones that openhead-av does not know: \['ˈa', 'tʃ'\]; known: .* stress or length marks"
    with pytest.raises(UsageError, match=words):
        judge.transcribe(None, [np.zeros(640, np.float32)], "eng", lexicon)


def test_another_search_is_another_recognizer(judge):
    beam = load_beam_search()
    assert beam.decoder.startswith("beam64(")
    assert judge.decoder != beam.decoder
    assert judge.digest != beam.digest
    assert OpenheadAV.load(decoding=judge.decoding).digest == judge.digest
    request = real_requests()[0]
    words = beam.transcribe_many([request])[0][0].text.split()
    assert set(words) <= set(request.lexicon.words)
