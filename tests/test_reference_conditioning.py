"""Languages and resting faces that a user names."""

import numpy as np
import pytest

from mtbench.errors import PrerequisiteError, UsageError
from mtbench.reference_model.conditioning import (
    choose_language,
    describe_language,
    find_language,
    parse_blend,
    plan_conditioning,
    require_language,
    weigh_languages,
)
from mtbench.reference_model.templates import default_template, read_template

RELEASED = ("Arabic", "English", "Italian", "Korean", "Mandarin")
OURS = ("ara", "cat", "eng", "ita")


def test_blend():
    assert parse_blend("Italian:0.7, English:0.3") == {"Italian": 0.7, "English": 0.3}
    for bad in (
        "",
        "Italian",
        "Italian:",
        "Italian:x",
        ":0.5",
        "Italian:1.5",
        "Italian:-0.1,English:1.1",
        "Italian:nan",
    ):
        with pytest.raises(UsageError, match=r"Italian:0\.7,English:0\.3"):
            parse_blend(bad)
    with pytest.raises(UsageError, match="twice"):
        parse_blend("Italian:0.5,Italian:0.5")


def test_weights_of_languages():
    assert weigh_languages({"it": 0.75, "Arabic": 0.25}, OURS, "talk").tolist() == [0.25, 0, 0, 0.75]
    assert weigh_languages(2, OURS, "talk").tolist() == [0, 0, 1, 0]
    assert weigh_languages(None, (), "talk").shape == (0,)
    for wrong, words in (
        ({"Italian": 0.7, "it": 0.3}, "Italian and it are the same language"),
        ({"Italian": 0.7, "eng": 0.2}, "sum to 0.9"),
        ({"Italian": float("nan")}, "weight nan"),
        (None, "Arabic, Catalan, English, Italian"),
        (4, "0 Arabic, 1 Catalan"),
    ):
        with pytest.raises(UsageError, match=words):
            weigh_languages(wrong, OURS, "talk")


def test_names_codes_and_aliases_mean_the_same():
    for name in ("Italian", "italian", "ita", "it", " IT "):
        assert find_language(name, RELEASED) == "Italian"
        assert find_language(name, OURS) == "ita"
    assert find_language("Korean", RELEASED) == "Korean"
    assert find_language("korean", RELEASED) == "Korean"
    assert find_language("Catalan", RELEASED) is None
    with pytest.raises(UsageError, match=r"Klingon.*Arabic, Catalan, English, Italian"):
        require_language("Klingon", OURS)
    assert describe_language("ita") == "Italian"
    assert describe_language({"ita": 0.7, "eng": 0.3}) == "0.7 Italian + 0.3 English"


def test_each_clip_in_its_own_language():
    plan = plan_conditioning(OURS, ["ita", "eng", "ita"])
    assert plan.of == {"ita": "ita", "eng": "eng"}
    assert plan.summary == "each clip's own language"
    assert plan_conditioning(RELEASED, ["ita"]).of == {"ita": "Italian"}


def test_unknown_languages_of_a_benchmark_need_a_word():
    with pytest.raises(UsageError) as error:
        plan_conditioning(RELEASED, ["ita", "cat", "hin"])
    text = str(error.value)
    assert "2 of the benchmark's 3 languages: Catalan, Hindi" in text
    assert "knows Arabic, English, Italian, Korean, Mandarin" in text
    assert "--language-fallback" in text
    assert "--language-map cat=" in text
    plan = plan_conditioning(RELEASED, ["ita", "cat", "hin"], instead={"cat": "Italian"}, fallback="en")
    assert plan.of == {"ita": "Italian", "cat": "Italian", "hin": "English"}
    assert plan.summary == "each clip's own language; Italian for Catalan; English for Hindi"
    # A mapping also overrules what the model knows.
    assert plan_conditioning(OURS, ["ita", "eng"], instead={"Italian": "eng"}).of == {
        "ita": "eng",
        "eng": "eng",
    }


def test_one_language_for_every_clip():
    plan = plan_conditioning(OURS, ["ita", "eng"], language="English")
    assert set(plan.of.values()) == {"English"}
    assert plan.summary == "English for every clip, whatever it speaks"
    plan = plan_conditioning(OURS, ["ita", "hin"], language={"ita": 0.5, "eng": 0.5})
    assert plan.summary == "0.5 Italian + 0.5 English for every clip, whatever it speaks"


@pytest.mark.parametrize(
    ("known", "options", "words"),
    [
        (OURS, {"language": "Hindi"}, "no language 'Hindi'"),
        (OURS, {"language": {"ita": 0.5, "Hindi": 0.5}}, "no language 'Hindi'"),
        (OURS, {"fallback": "Hindi"}, "no language 'Hindi'"),
        (OURS, {"instead": {"ita": "Hindi"}}, "no language 'Hindi'"),
        (OURS, {"instead": {"hin": "ita"}}, "no clip speaks Hindi"),
        (OURS, {"instead": {"elvish": "ita"}}, "elvish"),
        (OURS, {"language": "ita", "fallback": "ita"}, "leave out mapping and fallback"),
        ((), {"language": "ita"}, "trained without languages"),
        ((), {"fallback": "ita"}, "trained without languages"),
    ],
)
def test_contradictions(known, options, words):
    with pytest.raises(UsageError, match=words):
        plan_conditioning(known, ["ita"], **options)


def test_a_model_without_languages():
    plan = plan_conditioning((), ["ita", "hin"])
    assert plan.of == {}
    assert plan.summary.startswith("none")


def test_faces_of_every_kind(tmp_path):
    face = np.linspace(-0.1, 0.1, 12).reshape(4, 3)
    np.save(tmp_path / "a.npy", face)
    np.save(tmp_path / "flat.npy", face.ravel())
    np.savez(tmp_path / "b.npz", template=face, other=np.zeros(3))
    np.savez(tmp_path / "one.npz", anything=face)
    (tmp_path / "c.obj").write_text("".join(f"v {x} {y} {z}\n" for x, y, z in face) + "f 1 2 3\n")
    import pickle

    (tmp_path / "templates.pkl").write_bytes(pickle.dumps({"id": face.astype(np.float32)}))
    for file in tmp_path.iterdir():
        found = read_template(file, 4)
        assert found.shape == (4, 3)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, face, atol=1e-6)


def test_faces_that_are_none(tmp_path):
    face = np.linspace(-0.1, 0.1, 12).reshape(4, 3)
    with pytest.raises(UsageError, match="no such file"):
        read_template(tmp_path / "absent.npy", 4)
    np.save(tmp_path / "a.npy", face)
    with pytest.raises(UsageError, match=r"\(4, 3\), expected \(5, 3\)"):
        read_template(tmp_path / "a.npy", 5)
    np.save(tmp_path / "mm.npy", face * 1000)
    with pytest.raises(UsageError, match="divide millimetres by 1000"):
        read_template(tmp_path / "mm.npy", 4)
    np.save(tmp_path / "nan.npy", np.full((4, 3), np.nan))
    with pytest.raises(UsageError, match="NaN"):
        read_template(tmp_path / "nan.npy", 4)
    np.savez(tmp_path / "two.npz", left=face, right=face)
    with pytest.raises(UsageError, match="arrays left, right; expected one of template"):
        read_template(tmp_path / "two.npz", 4)
    (tmp_path / "bad.pkl").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    with pytest.raises(UsageError, match="template"):
        read_template(tmp_path / "bad.pkl", 4)
    (tmp_path / "noise.ply").write_bytes(b"ply\nrubbish")
    with pytest.raises(UsageError, match="damaged"):
        read_template(tmp_path / "noise.ply", 4)


def test_the_topology_has_a_face():
    assert default_template("openhead-1", 4801).shape == (4801, 3)
    with pytest.raises(PrerequisiteError, match="--template FILE"):
        default_template(None, 10)


def test_flame_has_no_face_here(tmp_path, monkeypatch):
    monkeypatch.setenv("MTBENCH_DATA", str(tmp_path))
    with pytest.raises(PrerequisiteError, match="mtbench assets add"):
        default_template("flame-5023", 5023)


def test_a_clip_in_another_language_of_the_world_can_be_mapped():
    known = ("eng", "ita")
    for name in ("swe", "sv-SE", "Swedish"):
        assert choose_language(known, "swe", instead={name: "en-GB"}) == "eng"
    with pytest.raises(UsageError, match="unknown language 'xxx'"):
        choose_language(known, "swe", instead={"xxx": "eng"})
