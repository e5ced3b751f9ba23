"""Lines put into manifests that people wrote: what is there stays, and what cannot be edited is refused whole."""

import tomllib

import pytest

from mtbench.errors import BenchmarkError
from mtbench.making.manifest_edits import edit_manifest, made_phones

HEAD = 'schema = 1\nname = "x"  # mine\nversion = "1"\n'
CLIPS = '\n[[clips]]  # the first\nid = "a"\ntranscript = "[[clips]] no"\n\n# about b\n[[clips]]\nid = "b"\n# end\n'
LISTS = {"eng": "lexicon/eng.tsv", "ita": "lexicon/ita.tsv"}


@pytest.mark.parametrize(
    "lexicons",
    [
        "",
        'lexicons = { deu = "d.tsv" }\n',
        'lexicons = {deu = "d.tsv"}  # one\n',
        "lexicons = {}\n",
        'lexicons.deu = "d.tsv"\n',
        '[lexicons]  # below\n# none yet\ndeu = "d.tsv"\n',
        "[lexicons]\n",
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_entries_go_where_they_belong(lexicons, end):
    text = (HEAD + lexicons + CLIPS).replace("\n", end)
    new = edit_manifest(text, LISTS, {"a": "a b", "b": "ɲ i"})
    found = tomllib.loads(new)
    assert {**found["lexicons"], "deu": "d.tsv"} == {**LISTS, "deu": "d.tsv"}
    assert ("deu" in found["lexicons"]) == ("deu" in lexicons)
    assert [clip["phones"] for clip in found["clips"]] == ["a b", "ɲ i"]
    assert made_phones(new) == {"a", "b"}
    # Whatever was there is there still, in its order.
    lines = iter(new.split(end))
    kept = [line for line in text.split(end) if not line.startswith("lexicons = ")]
    assert all(line in lines for line in kept)
    assert ("\r\n" in new) == (end == "\r\n")
    assert new.count("\n") == new.count(end)
    # Phones that were put in are replaced, or taken away, where they are.
    again = edit_manifest(new, {}, {"a": "c", "b": None})
    assert again.count("phones = ") == 1
    assert [clip.get("phones") for clip in tomllib.loads(again)["clips"]] == ["c", None]
    assert edit_manifest(new, {}, {"a": "a b"}) == new


def test_phones_of_people_are_not_ours():
    text = HEAD + CLIPS.replace('id = "b"', 'id = "b"\nphones = "b"')
    assert made_phones(text) == frozenset()
    assert made_phones(edit_manifest(text, {}, {"a": "x"})) == {"a"}
    assert tomllib.loads(edit_manifest(text, {}, {"b": "y"}))["clips"][1]["phones"] == "y"


@pytest.mark.parametrize(
    "text",
    [
        HEAD + 'clips = [{id = "a", transcript = "x"}, {id = "b"}]\n',
        HEAD + 'notes = """\n[[clips]]\n"""\n' + CLIPS,
        HEAD + 'lexicons = { "d}" = "e" }\n' + CLIPS,
    ],
)  # fmt: skip
def test_what_cannot_be_edited_is_refused_with_the_lines_to_add(text):
    with pytest.raises(BenchmarkError, match=r"cannot add to safely.*nothing was changed") as caught:
        edit_manifest(text, {"eng": "lexicon/eng.tsv"}, {"a": "x"})
    assert 'eng = "lexicon/eng.tsv"' in str(caught.value)


def test_inline_clips_get_lists_all_the_same():
    text = HEAD + 'clips = [{id = "a"}]\n'
    assert tomllib.loads(edit_manifest(text, LISTS, {}))["lexicons"] == LISTS
