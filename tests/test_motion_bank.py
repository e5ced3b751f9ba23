"""Motion banks: reading and checking them, cutting and joining what is said, drawing utterances."""

from dataclasses import replace

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from mtbench.banks import (
    Excerpt,
    ExcerptSource,
    check_bank,
    cut_at_pauses,
    join_excerpts,
    lip_gap,
    load_bank,
    trim_excerpt,
    units_from_lips,
    units_from_vertices,
)
from mtbench.banks.excerpts import fill_pauses
from mtbench.banks.mouths import STIFFNESS, _fit, _lip_points, seal_of_gap
from mtbench.benchmarks import PAUSE, PhoneTime, format_phone_times
from mtbench.errors import BankError
from mtbench.faces import load_head, load_topology

HEAD = load_head()
PHONES = ("m", "a", "s", "u")
#: Two words of four phones, a second apart; times in seconds.
SAID = [
    PhoneTime(symbol, start + 0.1 * i, start + 0.1 * (i + 1))
    for start in (0.5, 1.5, 2.5)
    for i, symbol in enumerate("masu")
]
MANIFEST = """schema = 1
name = "two-people"
license = "CC0-1.0"
credit = "Nobody: made by a test"
kind = "units"

[speakers.ada]
about = "reads words"

[speakers.bob]

[[recordings]]
id = "one"
speaker = "ada"
language = "eng"
sound = "sound/one.flac"
motion = "motion/one.npz"
phones = "phones/one.tsv"
fps = 30

[[recordings]]
id = "two"
speaker = "bob"
language = "eng"
sound = "sound/two.flac"
motion = "motion/two.npz"
phones = "phones/two.tsv"
fps = 30

[[recordings]]
id = "three"
speaker = "ada"
language = "eng"
sound = "sound/three.flac"
motion = "motion/three.npz"
phones = "phones/three.tsv"
fps = 30
split = "development"
"""


def make_recording(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Sound (3.5 s at 16 kHz) and curves at 30 fps of somebody who says SAID: lips shut at m, open elsewhere."""
    rng = np.random.default_rng(seed)
    sound, curves = np.zeros(56_000, np.float32), np.zeros((105, len(HEAD.unit_names)), np.float32)
    for p in SAID:
        n = slice(round(p.start * 16_000), round(p.end * 16_000))
        sound[n] = rng.normal(0, 0.02 if p.symbol == "m" else 0.1, n.stop - n.start)
        frames = slice(round(p.start * 30), round(p.end * 30))
        curves[frames, HEAD.unit_index("jawOpen")] = 0.0 if p.symbol == "m" else 0.4
    return sound, curves


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "bank.toml").write_text(MANIFEST, "utf-8")
    for name in ("sound", "motion", "phones"):
        (tmp_path / name).mkdir()
    for seed, name in enumerate(("one", "two", "three")):
        sound, curves = make_recording(seed)
        soundfile.write(tmp_path / "sound" / f"{name}.flac", sound, 16_000)
        np.savez(tmp_path / "motion" / f"{name}.npz", units=curves)
        (tmp_path / "phones" / f"{name}.tsv").write_text(format_phone_times(fill_pauses(SAID, 3.5)), "utf-8")
    return tmp_path


def change(path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def test_a_bank_is_read_at_25_frames_per_second(folder):
    bank = load_bank(folder)
    assert (bank.name, bank.license, len(bank)) == ("two-people", "CC0-1.0", 3)
    assert [r.id for r in bank.split("train")] == ["one", "two"]
    assert [r.id for r in bank.split("development")] == ["three"]
    one = bank["one"]
    sound = one.read_sound()
    assert sound.shape == (88 * 640,)
    curves = one.read_curves(88)
    assert curves.shape == (88, len(HEAD.unit_names))
    jaw = curves[:, HEAD.unit_index("jawOpen")]
    # Where m is said the lips are shut, in the vowel after it they are open; nothing beyond what was recorded.
    assert jaw[round(0.55 * 25)] < 0.1 < 0.3 < jaw[round(0.68 * 25)]
    assert 0 <= jaw.min() <= jaw.max() <= np.float32(0.4)
    assert [p.symbol for p in one.read_phones(3.52)][:3] == [PAUSE, "m", "a"]
    with pytest.raises(KeyError, match="no recording 'four'"):
        bank["four"]


def test_the_digest_follows_from_every_file(folder):
    before = load_bank(folder).digest()
    assert load_bank(folder).digest() == before
    change(folder / "phones" / "two.tsv", "sil\t0.0000", "sil\t0.0001")
    assert load_bank(folder).digest() != before


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('license = "CC0-1.0"\n', "", r"license: missing"),
        ('split = "development"', 'split = "test"', r"recordings.#3.split: Input should be 'train' or"),
        ('speaker = "bob"', 'speaker = "bib"', r"recording 'two' is of speaker 'bib', who has no table"),
        ('id = "two"', 'id = "ONE"', r"recording id 'ONE' occurs twice"),
        ('language = "eng"', 'language = "english"', r"recordings.#1.language"),
        ("fps = 30", "fps = 300", r"recordings.#1.fps: .*120"),
        ("fps = 30", "rate = 30", r"recordings.#1.rate: unknown field"),
        ('kind = "units"', 'kind = "vertices"', r'kind = "vertices" needs topology'),
        ('kind = "units"', 'kind = "units"\ntopology = "flame-5023"', r'kind = "units" takes no topology'),
        ('kind = "units"', 'kind = "vertices"\ntopology = "mine"', r"'mine'"),
        ("sound/two.flac", "../two.flac", r"recording two, sound: '../two.flac' leaves the folder"),
        ("motion/two.npz", "motion/2.npz", r"2.npz: not there; bank.toml names it as motion of recording two"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_manifest_is_told(folder, old, new, told):
    change(folder / "bank.toml", old, new)
    with pytest.raises(BankError, match=told):
        load_bank(folder)


def test_a_folder_that_is_no_bank(tmp_path):
    with pytest.raises(BankError, match=r"nothing: no such folder; a motion bank is a folder with bank.toml"):
        load_bank(tmp_path / "nothing")
    with pytest.raises(BankError, match=r"bank.toml: not there"):
        load_bank(tmp_path)


def test_motion_that_does_not_fit_its_sound(folder):
    change(folder / "bank.toml", "fps = 30", "fps = 60")
    with pytest.raises(BankError, match=r"set fps = 30 in bank.toml"):
        load_bank(folder)["one"].read_curves(88)
    np.savez(folder / "motion" / "two.npz", units=np.full((105, 55), np.nan, np.float32))
    np.savez(folder / "motion" / "three.npz", units=np.zeros((105, 116), np.float32))
    report = check_bank(load_bank(folder), PHONES)
    assert [r.id for r in report.recordings] == []
    told = {p.where: p.message for p in report.problems}
    assert "NaN" in told["two"]
    assert "116 columns, expected 55" in told["three"]


def test_a_good_bank_has_no_problems(folder):
    report = check_bank(load_bank(folder), PHONES)
    assert report.problems == ()
    one = report.recordings[0]
    assert (one.phones, one.bilabials) == (12, 3)
    assert one.closed == 1.0
    assert one.by_chance < 0.8
    assert one.lag == 0
    assert report.seconds == pytest.approx(3 * 88 / 25)


def test_phones_and_lips_of_other_recordings_are_noticed(folder):
    path = folder / "phones" / "one.tsv"
    change(path, "m\t", "tɕ\t")
    (folder / "phones" / "two.tsv").write_text("phone\tstart\tend\nsil\t0\t3.5\n", "utf-8")
    np.savez(folder / "motion" / "three.npz", units=np.zeros((105, 55), np.float32))
    found = {(p.code, p.where) for p in check_bank(load_bank(folder), PHONES).problems}
    assert found == {
        ("unknown-phones", "one.tsv"),
        ("no-phones", "two.tsv"),
        ("still-lips", "three.npz"),
    }
    # Phones that are late are in order, but no lips close for them.
    late = [replace(p, start=p.start + 0.2, end=p.end + 0.2) for p in SAID]
    path.write_text(format_phone_times(fill_pauses(late, 3.5)), "utf-8")
    assert check_bank(load_bank(folder), PHONES).recordings[0].closed == 0.0


def test_lag_is_that_of_the_lips_behind_the_sound(folder):
    _, curves = make_recording(0)
    np.savez(folder / "motion" / "one.npz", units=np.roll(curves, 6, axis=0))
    assert check_bank(load_bank(folder), PHONES).recordings[0].lag == 5


def whole(seconds: float = 3.52, phones=SAID, speaker="ada") -> Excerpt:
    frames = round(seconds * 25)
    rng = np.random.default_rng(4)
    curves = np.zeros((frames, len(HEAD.unit_names)), np.float32)
    curves[:, HEAD.unit_index("jawOpen")] = np.arange(frames) / frames
    sound = rng.normal(0, 0.1, frames * 640).astype(np.float32)
    return Excerpt(speaker, "eng", "x", curves, sound, fill_pauses(phones, seconds))


def consistent(excerpt: Excerpt) -> None:
    """Phones without gaps from 0 to the end, curves as long as the sound."""
    assert len(excerpt.sound) == 640 * len(excerpt.curves)
    assert excerpt.phones[0].start == 0
    assert excerpt.phones[-1].end == pytest.approx(excerpt.seconds)
    for a, b in zip(excerpt.phones, excerpt.phones[1:]):
        assert a.end == pytest.approx(b.start)


def test_parts_are_what_pauses_separate():
    parts = cut_at_pauses(whole(), 3.0)
    assert [p.symbols for p in parts] == [tuple("masu")] * 3
    for i, part in enumerate(parts):
        consistent(part)
        first = round(float(part.curves[0, HEAD.unit_index("jawOpen")]) * 88)
        m = next(p for p in part.phones if p.symbol == "m")
        assert first / 25 + m.start == pytest.approx(SAID[4 * i].start, abs=1e-6)
        assert part.pauses[0] == pytest.approx(0.24, abs=0.021)
        # Sound and curves of the same frames.
        assert np.array_equal(part.sound, whole().sound[first * 640 : (first + len(part.curves)) * 640])


def test_what_has_no_pause_is_cut_between_phones_where_it_is_faintest():
    phones = [PhoneTime("masu"[i % 4], 0.2 * i, 0.2 * i + 0.2) for i in range(20)]
    long = whole(4.0, phones)
    long.sound[round(2.2 * 16_000) - 640 : round(2.2 * 16_000) + 640] = 0
    first, second = cut_at_pauses(long, 2.4)
    assert len(first.curves) == round(2.2 * 25)
    assert first.symbols + second.symbols == long.symbols
    consistent(first)
    consistent(second)


def test_trimming_keeps_phones_that_lie_more_than_half_inside():
    part = trim_excerpt(whole(), 14, 20)  # 0.56 s to 0.80 s: m begins at 0.5, u ends at 0.9
    assert part.symbols == ("a", "s")
    consistent(part)
    with pytest.raises(ValueError, match="frames 5 to 5"):
        trim_excerpt(whole(), 5, 5)


def test_joined_parts_fade_where_both_pause():
    a, _, c = cut_at_pauses(whole(), 3.0)
    joined = join_excerpts([c, a])
    consistent(joined)
    assert joined.symbols == tuple("masumasu")
    fade = len(c.curves) + len(a.curves) - len(joined.curves)
    assert 2 <= fade <= 6
    jaw = HEAD.unit_index("jawOpen")
    steps = np.diff(joined.curves[:, jaw])
    jump = abs(float(c.curves[-1, jaw] - a.curves[0, jaw]))
    assert np.abs(steps).max() < 1.5 * jump / fade
    # Nothing that is said is faded.
    said = round(next(p for p in c.phones if p.symbol == PAUSE and p.start > 0).start * 16_000)
    assert np.array_equal(joined.sound[:said], c.sound[:said])
    n = round(a.pauses[0] * 16_000)
    assert np.array_equal(joined.sound[-(len(a.sound) - n) :], a.sound[n:])
    # Two noises of the same power keep it.
    middle = joined.sound[len(c.sound) - fade * 640 : len(c.sound)]
    assert middle.std() == pytest.approx(0.1, rel=0.05)
    with pytest.raises(ValueError, match="no common speaker"):
        join_excerpts([a, replace(a, speaker="bob")])


def test_utterances_are_drawn_by_the_seed_from_training_recordings_of_one_speaker(folder):
    source = ExcerptSource([load_bank(folder)], PHONES, 2.5)
    kinds = set()
    for seed in range(40):
        drawn = source.draw(np.random.default_rng(seed), 1.8)
        again = source.draw(np.random.default_rng(seed), 1.8)
        assert np.array_equal(drawn.sound, again.sound)
        assert np.array_equal(drawn.curves, again.curves)
        consistent(drawn)
        assert drawn.seconds <= 2.5
        assert drawn.source in ("one", "two")
        kinds.add((drawn.speaker, len(drawn.symbols)))
    assert {speaker for speaker, _ in kinds} == {"two-people/ada", "two-people/bob"}
    assert {n for _, n in kinds} == {12}
    development = ExcerptSource([load_bank(folder)], PHONES, 2.5, "development")
    assert development.draw(np.random.default_rng(0), 1.8).source == "three"


def test_recombined_utterances_have_words_in_another_order(folder):
    """Words get phones of their own, so that their order shows."""
    letters = iter("masumausaums")
    marked = [replace(p, symbol=next(letters)) for p in SAID]
    for name in ("one", "two"):
        (folder / "phones" / f"{name}.tsv").write_text(format_phone_times(fill_pauses(marked, 3.5)), "utf-8")
    source = ExcerptSource([load_bank(folder)], PHONES, 3.4)
    order = "".join(p.symbol for p in marked)
    drawn = ["".join(source.draw(np.random.default_rng(s), 1.2).symbols) for s in range(30)]
    assert any(text in order for text in drawn)
    assert any(text not in order for text in drawn)


def test_a_source_refuses_phones_that_the_recognizer_lacks(folder):
    with pytest.raises(
        BankError, match=r"one.tsv: phones that the recognizer does not know: m; it knows a s u"
    ):
        ExcerptSource([load_bank(folder)], ("a", "s", "u"), 2.5)
    for name in ("one", "two"):
        change(folder / "bank.toml", f'id = "{name}"', f'id = "{name}"\nsplit = "development"')
    with pytest.raises(BankError, match="no recording has split = 'train'"):
        ExcerptSource([load_bank(folder)], PHONES, 2.5)


def speak(frames: int = 60) -> np.ndarray:
    """Curves of a mouth that opens, rounds and spreads at rates of its own."""
    curves = np.zeros((frames, len(HEAD.unit_names)), np.float32)
    t = np.arange(frames)
    periods = {"jawOpen": 17, "mouthFunnel": 23, "mouthStretchLeft": 31, "mouthStretchRight": 31}
    for name, period in periods.items():
        curves[:, HEAD.unit_index(name)] = 0.3 - 0.3 * np.cos(2 * np.pi * t / period)
    return curves


def lip_paths(curves: np.ndarray) -> np.ndarray:
    points = _lip_points(HEAD.topology, HEAD.neutral)
    return HEAD.pose(curves, HEAD.neutral, points.astype(np.int32)) - HEAD.neutral[points]


def test_lips_of_the_head_itself_are_found_again():
    curves = speak()
    found = units_from_lips(lip_paths(curves), 0.0482, smoothness=0.0)
    error = lip_paths(found) - lip_paths(curves)
    assert np.abs(error).max() < 1.5e-3
    assert np.sqrt(np.square(error).mean()) < 2e-4
    jaw = HEAD.unit_index("jawOpen")
    assert np.corrcoef(found[:, jaw], curves[:, jaw])[0, 1] > 0.98


def test_a_mouth_half_as_wide_articulates_as_much():
    moved = lip_paths(speak())
    assert np.allclose(units_from_lips(moved / 2, 0.0241), units_from_lips(moved, 0.0482), atol=1e-4)


def test_the_fit_is_the_bounded_least_squares_solution():
    from scipy.optimize import lsq_linear

    rng = np.random.default_rng(2)
    size, stiffness = (len(STIFFNESS), 63), np.array([*STIFFNESS.values()])
    system, wanted = rng.normal(0, 3, size), rng.normal(0, 6, (4, 63))
    found = _fit(system, wanted, stiffness, 0.0)
    for target, weights in zip(wanted, found):
        exact = lsq_linear(
            np.vstack([system.T, np.diag(stiffness)]), np.append(target, np.zeros(len(stiffness))), (0, 1.2)
        ).x
        assert np.allclose(weights, exact, atol=2e-3)


def test_smoothness_calms_a_fit():
    noisy = lip_paths(speak()) + np.random.default_rng(1).normal(0, 5e-4, (60, 21, 3))
    rough, smooth = (units_from_lips(noisy, 0.0482, smoothness=s) for s in (0.0, 20.0))
    assert np.abs(np.diff(smooth, axis=0)).mean() < 0.7 * np.abs(np.diff(rough, axis=0)).mean()


def test_contact_follows_from_the_gap():
    assert np.allclose(seal_of_gap(np.array([-1e-3, 0.5e-3, 1.6e-3, 9e-3])), [1, 1, 0, 0])


def test_lip_gap_is_zero_at_rest():
    curves = np.zeros((3, len(HEAD.unit_names)), np.float32)
    curves[1, HEAD.unit_index("jawOpen")] = 0.5
    curves[2, HEAD.unit_index("jawOpen")], curves[2, HEAD.unit_index("lipSeal")] = 0.5, 1.0
    gap = lip_gap(curves)
    assert gap[0] == 0
    assert 0.012 < gap[1] < 0.018
    assert abs(gap[2]) < 5e-4


@pytest.mark.parametrize("given", [True, False], ids=["template", "no template"])
def test_vertices_become_units_whatever_the_head_does(folder, given):
    """The head turns and shifts; its units are found again all the same, sealed lips included."""
    from scipy.spatial.transform import Rotation

    curves = speak(50)
    curves[20:26] = 0
    curves[20:26, HEAD.unit_index("lipSeal")] = 1
    posed = HEAD.pose(curves, HEAD.neutral)
    turns = Rotation.from_rotvec(np.outer(np.sin(np.arange(50) / 9), [0.05, 0.15, 0.02])).as_matrix()
    turned = (posed @ turns.transpose(0, 2, 1) + np.array([0.01, 0.02, -0.03])).astype(np.float32)
    found = units_from_vertices(turned, HEAD.neutral if given else None, load_topology("openhead-1"))
    assert found[20:26, HEAD.unit_index("lipSeal")].min() > 0.9
    assert np.corrcoef(lip_gap(found), lip_gap(curves))[0, 1] > 0.99
    assert np.abs(lip_gap(found)[21:25]).max() < 1e-3
    sound = np.zeros(50 * 640, np.float32)
    soundfile.write(folder / "sound" / "one.flac", sound, 16_000)
    np.savez(folder / "motion" / "one.npz", vertices=turned)
    text = (folder / "bank.toml").read_text("utf-8").replace("fps = 30", "fps = 25")
    text = text.replace('kind = "units"', 'kind = "vertices"\ntopology = "openhead-1"')
    if given:
        np.save(folder / "ada.npy", HEAD.neutral)
        text = text.replace('about = "reads words"', 'template = "ada.npy"')
    (folder / "bank.toml").write_text(text, "utf-8")
    assert np.allclose(load_bank(folder)["one"].read_curves(50), found, atol=1e-6)


def test_the_command_reports_and_refuses(folder):
    from mtbench.cli.app import app

    result = CliRunner().invoke(app, ["avsr", "check-bank", str(folder)])
    assert result.exit_code == 0, result.output
    assert "two-people" in result.output
    assert "development" in result.output
    assert "100 %" in result.output
    change(folder / "phones" / "one.tsv", "m\t", "tɕ\t")
    result = CliRunner().invoke(app, ["avsr", "check-bank", str(folder)])
    assert isinstance(result.exception, BankError)
    assert "unknown-phones" in str(result.exception)
