"""Simple baselines: what they compute, and that they are valid entries."""

import itertools
from dataclasses import dataclass, field, replace

import factories
import fakes
import numpy as np
import pytest
import torch

from mtbench.avsr.openhead.features import FEATURE_SIZE, compute_logmel
from mtbench.benchmarks.benchmark import load_benchmark
from mtbench.benchmarks.phone_times import PhoneTime
from mtbench.errors import BenchmarkError, UsageError
from mtbench.faces.head import load_head
from mtbench.faces.visemes import VISEMES
from mtbench.reference_model.baselines import BASELINES, linear_map, make_baseline
from mtbench.reference_model.baselines.linear_map import HELD_OUT, RIDGES, NormalEquations, fit_linear_map
from mtbench.reference_model.baselines.phone_rules import BLEND, PHONE_VISEMES, PhoneRules, blend_shapes
from mtbench.reference_model.baselines.retrieval import find_path, fit_retrieval, make_windows
from mtbench.reference_model.baselines.training_frames import draw_frames, stack_context
from mtbench.submissions.validation import load_submission, validate

#: Of the linear map, in these tests.
CONTEXT = 1


@dataclass
class HummingCorpus:
    """Clips that hum low with an open jaw and hiss with rounded lips, a quarter of a second at a time."""

    clips: int = 24
    name: str = 'humming, "made up"'
    digest: str = "0" * 32
    topology: str = "openhead-1"
    languages: tuple[str, ...] = ("eng",)
    lengths: np.ndarray = field(init=False)

    def __post_init__(self):
        self.lengths = np.array([20 + 5 * (k % 4) for k in range(self.clips)], np.int64)
        self.ids = tuple(f"clip-{k}" for k in range(self.clips))
        self.language_of = ("eng",) * self.clips

    def __len__(self):
        return self.clips

    def humming(self, index):
        """(T,) 0 or 1."""
        rng = np.random.Generator(np.random.PCG64(index))
        return np.repeat(rng.integers(0, 2, 20), 6)[: self.lengths[index]]

    def audio(self, index):
        rng = np.random.Generator(np.random.PCG64([index, 1]))
        samples = np.arange(self.lengths[index] * 640)
        hum = np.sin(samples * 0.05) + 0.01 * rng.standard_normal(len(samples))
        hiss = rng.standard_normal(len(samples))
        return (0.1 * np.where(np.repeat(self.humming(index), 640), hum, hiss)).astype(np.float32)

    def displacement(self, index):
        head = load_head()
        units = np.zeros((self.lengths[index], len(head.unit_names)), np.float32)
        open_ = self.humming(index)
        units[:, head.unit_index("jawOpen")] = 0.6 * open_
        units[:, head.unit_index("mouthPucker")] = 1 - open_
        return (head.pose(units) - head.neutral).reshape(len(units), -1)

    def template(self, index):
        return load_head().neutral


@pytest.fixture(scope="module", autouse=True)
def _short_context():
    """A quarter of the inputs: solving for all of them takes seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(linear_map, "CONTEXT", CONTEXT)
        yield


@pytest.fixture(scope="module")
def corpus():
    return HummingCorpus()


@pytest.fixture(scope="module")
def linear(corpus):
    return fit_linear_map(corpus, 400)


@pytest.fixture(scope="module")
def retrieval(corpus):
    return fit_retrieval(corpus, 400)


@pytest.fixture(scope="module")
def unseen():
    """Sound and motion of a clip that no fit has seen."""
    other = HummingCorpus(100)
    return other.audio(99), other.displacement(99)


def share_explained(predicted: np.ndarray, truth: np.ndarray) -> float:
    return 1 - float(np.square(predicted - truth).sum() / np.square(truth).sum())


def test_context_is_stacked_in_order_of_time():
    features = torch.arange(1.0, 7.0).reshape(3, 2)
    stacked = stack_context(features, 1)
    assert stacked.tolist() == [[0, 0, 1, 2, 3, 4], [1, 2, 3, 4, 5, 6], [3, 4, 5, 6, 0, 0]]


def test_draws_are_of_whole_clips_and_follow_from_the_seed(corpus):
    drawn = draw_frames(corpus, 100, seed=3)
    assert drawn.clips == draw_frames(corpus, 100, seed=3).clips
    assert drawn.clips != draw_frames(corpus, 100, seed=4).clips
    assert 100 <= drawn.count < 140
    assert len(draw_frames(corpus, 10**9).clips) == len(corpus)
    for features, motion in drawn.read(drawn.clips[:1]):
        truth = corpus.displacement(drawn.clips[0])
        assert features.shape == (len(truth), FEATURE_SIZE)
        np.testing.assert_allclose(motion.numpy() @ drawn.basis, truth, atol=1e-6)
    with pytest.raises(UsageError, match="expected two at least"):
        draw_frames(HummingCorpus(1), 100)


def test_normal_equations_are_those_of_the_stacked_features():
    """The shortcut through first blocks and ends gives the products that stacking everything gives."""
    rng = np.random.Generator(np.random.PCG64(0))
    clips = [(rng.standard_normal((n, FEATURE_SIZE)), rng.standard_normal((n, 3))) for n in (1, 2, 3, 4, 40)]
    equations = NormalEquations(3)
    for features, motion in clips:
        equations.add(torch.from_numpy(features).float(), torch.from_numpy(motion).float())
    x = torch.cat([stack_context(torch.from_numpy(f).float(), CONTEXT) for f, _ in clips]).double()
    y = torch.from_numpy(np.concatenate([m for _, m in clips])).float().double()
    torch.testing.assert_close(equations.products(), x.T @ x, rtol=0, atol=1e-9)
    ((weights, constant),) = equations.solve((0.1,))
    centred, wanted = x - x.mean(0), y - y.mean(0)
    square = centred.T @ centred
    penalty = 0.1 * square.diagonal().mean() * torch.eye(len(square), dtype=torch.float64)
    expected = torch.linalg.solve(square + penalty, centred.T @ wanted)
    torch.testing.assert_close(weights, expected, rtol=1e-6, atol=1e-9)
    torch.testing.assert_close(constant, y.mean(0) - x.mean(0) @ expected, rtol=1e-6, atol=1e-9)


def test_linear_map_learns_and_knows_how_well(linear, unseen):
    audio, truth = unseen
    coordinates = linear.predict_coordinates(audio)
    assert coordinates.dtype == np.float32
    assert share_explained(coordinates @ linear.basis, truth) > 0.7
    assert 0.7 < linear.explained < 1
    assert linear.ridge in RIDGES
    assert linear.weights.shape == (FEATURE_SIZE * (2 * CONTEXT + 1), len(linear.basis))


def test_the_held_out_clips_do_not_enter_the_fit(corpus):
    """Whatever they hold, the map of the same penalty stays the same."""
    drawn = draw_frames(corpus, 400)
    held = set(drawn.clips[::HELD_OUT])

    class Spoilt(HummingCorpus):
        def audio(self, index):
            sound = super().audio(index)
            return sound[::-1].copy() if index in held else sound

    spoilt, plain = fit_linear_map(Spoilt(), 400), fit_linear_map(corpus, 400)
    assert spoilt.explained < plain.explained
    if spoilt.ridge == plain.ridge:
        np.testing.assert_array_equal(spoilt.weights, plain.weights)


@pytest.mark.parametrize("fit", [fit_linear_map, fit_retrieval])
def test_fits_are_deterministic(fit, corpus, unseen, linear, retrieval):
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        again = fit(corpus, 400)
        if fit is fit_linear_map:
            np.testing.assert_array_equal(again.weights, linear.weights)
            np.testing.assert_array_equal(
                again.predict_coordinates(unseen[0]), linear.predict_coordinates(unseen[0])
            )
        else:
            assert torch.equal(again.keys, retrieval.keys)
            np.testing.assert_array_equal(again.choose_frames(unseen[0]), retrieval.choose_frames(unseen[0]))
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)


def test_the_path_is_the_cheapest_one():
    rng = np.random.Generator(np.random.PCG64(1))
    for _ in range(20):
        sound, jumps = rng.random((5, 3)), 2 * rng.random((4, 3, 3))

        def cost(path, sound=sound, jumps=jumps):
            return sum(sound[t, k] for t, k in enumerate(path)) + sum(
                jumps[t, a, b] for t, (a, b) in enumerate(itertools.pairwise(path))
            )

        best = min(itertools.product(range(3), repeat=5), key=cost)
        assert tuple(find_path(sound, jumps)) == best
    assert find_path(np.array([[2.0, 1.0]]), np.zeros((0, 2, 2))).tolist() == [1]


def test_a_training_clip_is_found_again_and_played_through(corpus, retrieval):
    clips = draw_frames(corpus, 400).clips
    start = int(corpus.lengths[clips[0]])
    frames = np.arange(start, start + corpus.lengths[clips[1]])
    np.testing.assert_array_equal(retrieval.choose_frames(corpus.audio(clips[1])), frames)


def test_clips_do_not_run_into_each_other(corpus, retrieval):
    ends = np.cumsum(corpus.lengths[list(draw_frames(corpus, 400).clips)]) - 1
    following = retrieval.following.numpy()
    assert (following[ends] == ends).all()
    inside = np.delete(np.arange(len(following)), ends)
    assert (following[inside] == inside + 1).all()


def test_retrieval_finds_what_sounds_alike(retrieval, unseen):
    audio, truth = unseen
    motion = retrieval.motion[torch.from_numpy(retrieval.choose_frames(audio))].numpy()
    assert share_explained(motion @ retrieval.basis, truth) > 0.7


def test_windows_weigh_the_middle_most(unseen):
    features = compute_logmel(unseen[0])
    windows = make_windows(features)
    assert windows.shape == (len(features), 7 * 80)
    ones = make_windows(torch.ones(20, FEATURE_SIZE))
    assert ones[10].square().sum() == pytest.approx(1)
    assert ones[10].reshape(7, 80)[:, 0].argmax() == 3


def test_every_phone_has_a_shape_that_exists():
    from mtbench.synth.articulation_targets import phone_symbols
    from mtbench.synth.phones import PHONES

    assert set(PHONES) | set(phone_symbols()) | {"sil"} == set(PHONE_VISEMES)
    assert set(PHONE_VISEMES.values()) == set(VISEMES)


def test_shapes_are_held_and_cross_over_linearly():
    head = load_head()
    phones = [PhoneTime("a", 0.2, 0.6), PhoneTime("p", 0.6, 1.0)]
    curves = blend_shapes(phones, 30)
    assert curves.shape == (30, len(head.unit_names))
    assert curves.dtype == np.float32
    jaw = curves[:, head.unit_index("jawOpen")]
    seal = curves[:, head.unit_index("lipSeal")]
    assert (curves[:4] == 0).all()
    assert (curves[26:] == 0).all()
    np.testing.assert_allclose(curves[6:14], np.repeat(head.weights("aa")[None], 8, 0), rtol=1e-6)
    np.testing.assert_allclose(curves[16:24], np.repeat(head.weights("PP")[None], 8, 0), rtol=1e-6)
    # The crossing takes the two frames around 0.6 s: means over the first and the second half of it.
    assert pytest.approx(0.08) == BLEND
    np.testing.assert_allclose(seal[14:16], [0.25, 0.75], atol=1e-6)
    np.testing.assert_allclose(jaw[14:16], np.array([0.75, 0.25]) * jaw[10], atol=1e-6)


def test_short_phones_do_not_become_what_they_are():
    head = load_head()
    curves = blend_shapes(
        [PhoneTime("a", 0.0, 0.4), PhoneTime("p", 0.4, 0.44), PhoneTime("a", 0.44, 0.8)], 20
    )
    seal = curves[:, head.unit_index("lipSeal")]
    assert 0.3 < seal.max() < 0.8
    assert seal[:9].max() == 0


def test_odd_phones():
    assert not blend_shapes([], 5).any()
    assert not blend_shapes([PhoneTime("a", 0.1, 0.1), PhoneTime("p", 0.3, 0.5)], 5).any()
    late = blend_shapes([PhoneTime("a", 0.0, 0.3)], 5)
    np.testing.assert_allclose(late, np.repeat(load_head().weights("aa")[None], 5, 0), rtol=1e-6)
    with pytest.raises(UsageError, match="'aː' has no mouth shape"):
        blend_shapes([PhoneTime("aː", 0, 1)], 25)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return load_benchmark(fakes.make_benchmark(tmp_path_factory.mktemp("baselines") / "small"))


@pytest.mark.parametrize("name", ["retrieval", "linear-map"])
def test_learned_baselines_are_valid_entries(name, small, corpus, tmp_path):
    folder = make_baseline(name, small, tmp_path / name, corpus)
    assert validate(folder, small) == []
    entry = load_submission(folder, small)
    assert (entry.system, entry.kind, entry.topology) == (name, "vertices", "openhead-1")
    assert entry.manifest.model.training_data.startswith(corpus.name)
    assert entry.manifest.model.params_m > 0
    assert entry.manifest.generation.language_conditioning == "none"
    for clip in small.clips:
        # Added to the clip's own speaker: away from the mouth nothing moves.
        still = entry.motion(clip.id).vertices - clip.motion.vertices
        eyes = load_head().topology.region("eyes")
        assert np.abs(still[:, eyes]).max() < 1e-3
    first = {p.name: p.read_bytes() for p in (folder / "motion").iterdir()}
    (folder / "motion" / "stale.npz").write_bytes(b"")
    make_baseline(name, small, folder, corpus)
    assert {p.name: p.read_bytes() for p in (folder / "motion").iterdir()} == first


def test_phone_rules_are_a_valid_entry(tmp_path):
    # Its shapes are those of the rules; where lips move like people's, it is hardly nearer than a face that rests.
    whole = load_benchmark("openhead-20@2")
    bench = replace(whole, clips=whole.clips[::40])
    folder = make_baseline("phone-rules", bench, tmp_path / "rules")
    entry = load_submission(folder, bench)
    assert validate(folder, bench) == []
    assert (entry.system, entry.kind) == ("phone-rules", "units")
    assert "told the benchmark's phones" in entry.manifest.model.training_data
    lips = load_head().topology.region("lips")
    for clip in bench.clips:
        truth = clip.motion.vertices[:, lips]
        said = entry.motion(clip.id).vertices[:, lips]
        np.testing.assert_allclose(PhoneRules().predict(clip)[:, lips], said, atol=1e-6)
        still = load_head().identity(str(np.load(clip.motion_path)["identity"]))[lips]
        assert np.square(said - truth).sum() < 0.5 * np.square(still - truth).sum()


def test_flame_data_gives_flame_entries(tmp_path):
    from test_reference_layouts import make_multitalk

    from mtbench.reference_model.corpora.layouts import MultiTalkCorpus

    corpus = MultiTalkCorpus(make_multitalk(tmp_path / "data", English_a=40, Italian_b=30, Greek_c=35))
    bench = load_benchmark(factories.make_benchmark(tmp_path))
    entry = load_submission(make_baseline("linear-map", bench, tmp_path / "entry", corpus), bench)
    assert entry.topology == "flame-5023"
    assert entry.motion("ita-01").vertices.shape == (6, 5023, 3)


def test_usage_errors(small, corpus, tmp_path):
    assert BASELINES == ("retrieval", "linear-map", "phone-rules")
    with pytest.raises(UsageError, match="did you mean linear-map"):
        make_baseline("linear", small, tmp_path / "x", corpus)
    with pytest.raises(UsageError, match="learned from a corpus"):
        make_baseline("retrieval", small, tmp_path / "x")
    assert not (tmp_path / "x").exists()
    with pytest.raises(BenchmarkError, match="no timed phones"):
        make_baseline("phone-rules", small, tmp_path / "rules")
    with pytest.raises(UsageError, match="moves the bundled head"):
        make_baseline("phone-rules", factories.make_benchmark(tmp_path), tmp_path / "y")
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.txt").write_text("important")
    with pytest.raises(UsageError, match="holds something else"):
        make_baseline("phone-rules", small, other)
    assert (other / "thesis.txt").is_file()
